"""The course of a whole colon through the abdomen.

Anatomical frame in mm: x to the patient's left, y to the front, z to the head, the anal verge near
the origin. From the rectum along the sacrum through the sigmoid loop into the left iliac fossa, up
the left flank, over the splenic flexure, across the sagging transverse colon and the hepatic
flexure, down the right flank into the caecum. Every colon has its own lengths, sag and wiggles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d, minimum_filter1d
from scipy.spatial.distance import cdist

from train.simulate.segments import SEGMENTS, SegmentShape
from train.simulate.tube import Floats, SegmentSpan

STEP_MM = 1.0
_COARSE_MM = 10.0
_ROUNDS = 60
WALL_REACH = 1.28
"""The wall of haustra lies at most this many radii from the centreline."""
_INNER_MM = 26.0
"""Radius of the inside of a bend; a sharper one would look like a fold."""
_SPACE_MM = 2.0
"""Between two loops of bowel that touch: their walls."""


@dataclass(frozen=True, slots=True)
class Course:
    """A centreline with its segments."""

    points: Floats
    """(k, 3) mm, `STEP_MM` apart; it starts near the anal verge."""
    room: Floats
    """(k,) mm: a lumen of this radius meets neither another loop nor, in a bend, itself."""
    beside: Floats
    """(k,) mm, half of the way to the nearest other loop."""
    spans: tuple[SegmentSpan, ...]
    """Rectum to caecum."""

    @property
    def length_mm(self) -> float:
        """From end to end."""
        return (len(self.points) - 1) * STEP_MM


def smooth_noise(
    rng: np.random.Generator, s: Floats, wavelength: float, channels: int = 1
) -> Floats:
    """(len(s), channels) smooth noise of unit variance with the given wavelength (same unit)."""
    knots = np.arange(s[0] - 2 * wavelength, s[-1] + 3 * wavelength, wavelength / 2)
    spline = CubicSpline(knots, rng.standard_normal((len(knots), channels)))
    return np.asarray(spline(s))


def draw_course(rng: np.random.Generator, shapes: tuple[SegmentShape, ...]) -> Course:
    """A course for segments of these lengths and radii, rectum first."""
    waypoints, ends = _waypoints(rng, shapes)
    coarse, arcs = _even(waypoints, _COARSE_MM, ends)
    wiggle = smooth_noise(rng, np.arange(0.0, len(coarse)) * _COARSE_MM, 120.0, 3)
    coarse = coarse + rng.uniform(2.0, 7.0) * wiggle
    number = np.searchsorted(arcs[:-1], np.arange(len(coarse)) * _COARSE_MM)
    radius = gaussian_filter1d(np.array([shape.radius for shape in shapes])[number], 2.0)
    coarse = _relax(coarse, radius)
    share = arcs / arcs[-1]
    points, _ = _even(coarse, STEP_MM, [])
    bounds = np.concatenate([[0.0], share * (len(points) - 1) * STEP_MM])
    spans = tuple(
        SegmentSpan(segment, float(bounds[i]), float(bounds[i + 1]))
        for i, segment in enumerate(SEGMENTS)
    )
    return Course(points, *_room(points), spans)


def _even(knots: Floats, step: float, ends: list[int]) -> tuple[Floats, Floats]:
    """Points (k, 3) `step` apart on a curve through `knots`, and the arcs of some of these."""
    chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    curve = CubicSpline(chord, knots)
    fine = np.linspace(0, chord[-1], max(400, 2 * len(knots)))
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(curve(fine), axis=0), axis=1))])
    places = np.arange(0.0, arc[-1], step)
    return np.asarray(curve(np.interp(places, arc, fine))), np.interp(chord[ends], fine, arc)


def _waypoints(
    rng: np.random.Generator, shapes: tuple[SegmentShape, ...]
) -> tuple[Floats, list[int]]:
    """Points (n, 3) the colon passes, and the number of the last one of every segment."""
    rectum, sigmoid, descending, transverse, ascending, caecum = (s.length for s in shapes)
    side = rng.choice([-1.0, 1.0])
    build = rng.uniform(0.9, 1.1)
    pelvis = np.array(
        [[0, 12, 0], [4 * side, -12, 0.3 * rectum], [-9 * side, -34, 0.6 * rectum]]
    )  # fmt: skip
    junction = np.array([6 * side, -24, 0.9 * rectum])
    fossa = np.array([96 * build, 18, 150]) + rng.normal(0, 6, 3)
    splenic_z = fossa[2] + 0.92 * descending
    hepatic_z = splenic_z - rng.uniform(15, 55)
    flank = np.array([112 * build, -38, 0]) + rng.normal(0, 5, 3)
    left = [[flank[0], flank[1], fossa[2] + share * descending] for share in (0.3, 0.7)]
    turn = [[flank[0] + 2, flank[1] + 4, splenic_z - 12], [flank[0] - 12, flank[1] + 48, splenic_z]]
    right = np.array([-108 * build, -32, 0]) + rng.normal(0, 5, 3)
    hepatic = [[right[0] + 14, right[1] + 46, hepatic_z], [right[0], right[1] + 6, hepatic_z - 18]]
    down = [[right[0], right[1], hepatic_z - share * ascending] for share in (0.5, 0.95)]
    pole = [right[0] + 12, right[1] + 18, hepatic_z - 0.95 * ascending - 0.9 * caecum]

    lean = rng.normal(0, 22)

    def loop(height: float) -> Floats:
        """The sigmoid: up from the pelvis, over, and down into the iliac fossa."""
        top = junction[2] + height
        return np.array(
            [junction, [-22 + 0.3 * lean, 8, junction[2] + 0.45 * height], [lean, 16, top],
             [48 + 0.5 * lean, 14, top - 0.1 * height], [80 * build, 14, fossa[2] + 34], fossa]
        )  # fmt: skip

    def sag(depth: float) -> Floats:
        """The transverse colon, hanging in front of everything."""
        top = 0.5 * (splenic_z + hepatic_z)
        return np.array(
            [turn[1], [58 * build, 58, top - 0.55 * depth], [4, 72, top - depth],
             [-54 * build, 60, top - 0.6 * depth], hepatic[0]]
        )  # fmt: skip

    bowel = _reach(loop, sigmoid, (10.0, 190.0))
    across = _reach(sag, transverse, (0.0, 210.0))
    parts: list[Floats] = [
        pelvis, bowel, np.array([*left, turn[0]]), across, np.array([hepatic[1], *down]),
        np.array([pole]),
    ]  # fmt: skip
    ends = np.cumsum([len(part) for part in parts])
    # The rectum ends where the sigmoid begins, at its first point.
    return np.concatenate(parts), [int(ends[0]), *(int(end) - 1 for end in ends[1:])]


def _reach(course: Callable[[float], Floats], length: float, within: tuple[float, float]) -> Floats:
    """The waypoints of the one parameter for which the path is `length` long, or nearly."""
    low, high = within
    for _ in range(14):
        middle = 0.5 * (low + high)
        path = np.linalg.norm(np.diff(course(middle), axis=0), axis=1).sum() * 1.05
        low, high = (middle, high) if path < length else (low, middle)
    return course(0.5 * (low + high))


def _relax(points: Floats, radius: Floats) -> Floats:
    """Push loops apart that would touch and open bends that are too sharp."""
    points = points.copy()
    need = WALL_REACH * (radius[:, None] + radius[None]) + _SPACE_MM
    place = np.arange(len(points)) * _COARSE_MM
    is_far = np.abs(place[:, None] - place[None]) > 1.9 * (radius[:, None] + radius[None])
    sharpest = 1 / (radius[1:-1] + _INNER_MM)
    for _ in range(_ROUNDS):
        gap = cdist(points, points)
        push = np.where(is_far & (gap < need), (need - gap) / np.maximum(gap, 1e-6), 0.0)
        shift = 0.25 * (push.sum(axis=1)[:, None] * points - push @ points)
        size = np.linalg.norm(shift, axis=1, keepdims=True)
        shift *= np.minimum(1.0, 4.0 / np.maximum(size, 1e-9))
        points += gaussian_filter1d(shift, 1.5, axis=0, mode="nearest")
        middle = 0.5 * (points[:-2] + points[2:]) - points[1:-1]
        bend = 2 * np.linalg.norm(middle, axis=1) / _COARSE_MM**2
        excess = np.clip(1.25 - sharpest / np.maximum(bend, 1e-9), 0, 1)
        points[1:-1] += (1.0 * gaussian_filter1d(excess, 1.0))[:, None] * middle
    return points


def _room(points: Floats) -> tuple[Floats, Floats]:
    """Both (k,) mm, see `Course.room` and `Course.beside`."""
    every = 5
    coarse = points[::every]
    spacing = every * STEP_MM
    step = np.gradient(points, STEP_MM, axis=0)
    bend = np.linalg.norm(np.gradient(step, STEP_MM, axis=0), axis=1)
    bend_mm = 1 / np.maximum(gaussian_filter1d(bend, 3.0, mode="nearest"), 1e-4)
    in_bend = np.maximum(bend_mm - 0.7 * _INNER_MM, 0.5 * bend_mm)
    place = np.arange(len(coarse)) * spacing
    gap = cdist(coarse, coarse)
    apart = np.abs(place[:, None] - place[None])
    # Nearer along the colon than half a turn of the tightest bend, it is the bend that decides.
    other = np.where(apart > 2.2 * gap, gap, np.inf).min(axis=1)
    beside = np.interp(np.arange(len(points)) * STEP_MM, place, other) / 2 - 0.5 * _SPACE_MM
    room = minimum_filter1d(np.minimum(in_bend, beside / WALL_REACH), 41)
    # A narrowing that begins abruptly would look like a fold.
    return gaussian_filter1d(room.clip(0, 45), 14.0, mode="nearest"), np.minimum(beside, 1e3)
