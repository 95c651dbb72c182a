"""The wall of the colon as a radial height field over (s, θ): semilunar folds, haustra, taeniae.

s is arc length along the centreline, θ the angle around it. Three taeniae divide the wall into
sectors; semilunar folds rise between them and alternate or align into rings; haustra bulge between
folds. The rectum has neither: three transverse folds (Houston) stand in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.special import ndtri

from train.simulate.course import smooth_noise
from train.simulate.segments import Profile
from train.simulate.tube import AnalyticFolds, Bools, Floats, Segment

SHALLOWEST_MM = 1.2
"""Nothing lower is raised as a fold: it could be neither seen nor labelled with certainty."""
HOUSTON_MM = (50.0, 80.0, 110.0)
"""Above the anus."""
_TAENIA_MM = 10.0
"""Width of the band."""
_REACH_MM = 16.0
"""Along the colon, from a fold's place to where nothing of it is left."""


@dataclass(frozen=True, slots=True)
class Wall:
    """Where the wall is shaped: rows and columns of the grid and what is known of them."""

    s: Floats
    """(S,) mm along the whole colon, growing."""
    theta: Floats
    """(Θ,) 0..2π."""
    taenia: Floats
    """(S,) angle of the first band; the others follow at thirds of the circle."""
    radius: Floats
    """(S,) mm, without folds, as if there were no ends."""
    closed: Floats
    """(S,) of the radius: less than 1 on the round ends, nearly 0 at the poles."""
    profile: Profile

    @property
    def dome(self) -> Floats:
        """(S,) -1..1: how much the wall faces along the axis; positive at the first end."""
        facing = np.sqrt(np.clip(1 - self.closed**2, 0, 1))
        return np.asarray(np.where(self.s < 0.5 * (self.s[0] + self.s[-1]), facing, -facing))

    def middle(self, row: int, sector: int) -> float:
        """Angle half-way between two taeniae."""
        return float(self.taenia[row]) + (2 * sector + 1) * np.pi / 3

    def row_of(self, place: float) -> int:
        """The row at an arc."""
        return int(np.clip(np.searchsorted(self.s, place), 0, len(self.s) - 1))

    def rows_near(self, place: float, reach: float) -> slice:
        """Rows within `reach` mm of an arc."""
        first, last = np.searchsorted(self.s, [place - reach, place + reach])
        return slice(int(first), int(last))

    def angle_from(self, middle: float) -> Floats:
        """(Θ,) -π..π from an angle."""
        return np.asarray((self.theta - middle + np.pi) % (2 * np.pi) - np.pi)


class FoldField:
    """Height (S, Θ) in mm raised by folds; where arcs meet, the higher one shapes the wall."""

    def __init__(self, wall: Wall) -> None:
        shape = (len(wall.s), len(wall.theta))
        self.height = np.zeros(shape)
        self.crest = np.zeros(shape)
        self.share = np.zeros(shape)
        self.arc = np.zeros(shape, np.int64)
        self.bulge = np.zeros(shape)
        """-1..1 of the haustra: -1 in the crease of a fold, 0 on taeniae."""
        self.crease = np.zeros(shape)
        """0..2: how far the bulge stays behind the haustra on both sides."""
        self._count = 0

    def add(self, rows: slice, crest: Floats, profile: Floats) -> None:
        """Raise one arc: crest height (Θ,) mm and profile 0..1 (rows, Θ) across it."""
        self._count += 1
        candidate = crest[None, :] * profile
        higher = candidate > self.height[rows]
        np.copyto(self.height[rows], candidate, where=higher)
        np.copyto(self.crest[rows], np.broadcast_to(crest, candidate.shape), where=higher)
        np.copyto(self.share[rows], profile, where=higher)
        np.copyto(self.arc[rows], self._count, where=higher)

    def truth(self, wall: Wall, is_wall: Bools) -> AnalyticFolds:
        """What is known of every vertex; `is_wall` (S, Θ) is no landmark."""
        height = self.height + sacs(wall) * self.crease
        return AnalyticFolds(
            np.where(is_wall, self.arc, 0).ravel(),
            np.where(is_wall, self.crest, 0.0).ravel(),
            np.where(is_wall, self.share, 0.0).ravel(),
            np.where(is_wall, height, 0.0).ravel(),
        )


@dataclass(frozen=True, slots=True)
class FoldShape:
    """One semilunar fold."""

    place: float
    """Arc, mm."""
    middle: float
    """Angle."""
    height: float
    """Where it is highest, mm."""
    width: float
    """At half its height, mm."""
    half_span: float
    """Angle from its middle to its ends."""


def add_fold(wall: Wall, field: FoldField, rng: np.random.Generator, fold: FoldShape) -> None:
    """Raise one fold: a crescent around the lumen, waved along it."""
    rows = wall.rows_near(fold.place, _REACH_MM)
    angle = wall.angle_from(fold.middle)
    inside = np.clip(1 - (angle / fold.half_span) ** 2, 0, None)
    crescent = inside ** rng.uniform(0.7, 1.4)
    wave = rng.uniform(-2.5, 2.5) * np.sin(angle + rng.uniform(0, 6.3))
    wave = wave + rng.uniform(-1.2, 1.2) * np.sin(3 * angle + rng.uniform(0, 6.3))
    course = fold.place + wave + rng.uniform(-5, 5) * angle / np.pi
    power = rng.uniform(1.8, 3.2)
    half_width = 0.5 * fold.width / np.log(2) ** (1 / power)
    across = np.abs(wall.s[rows, None] - course[None, :]) / half_width
    field.add(rows, fold.height * crescent, np.exp(-(across**power)))


def presence(wall: Wall, rng: np.random.Generator) -> Floats:
    """(S,) 0..1: how much folds are developed along the colon."""
    noise = smooth_noise(rng, wall.s, 90.0)[:, 0]
    flat = wall.profile.of("flat_share", wall.s)
    limit = ndtri(np.clip(flat, 1e-6, 1 - 1e-6))
    developed = 0.12 + 0.88 / (1 + np.exp(-(noise - limit) * 6))
    return np.asarray(np.where(flat < 0.02, 1.0, developed))


def raise_folds(wall: Wall, rng: np.random.Generator, within: tuple[float, float]) -> FoldField:
    """The folds between two arcs, and the haustra between them."""
    field = FoldField(wall)
    places: list[list[float]] = [[], [], []]
    developed = presence(wall, rng)
    end_of_rectum = wall.profile.span(Segment.RECTUM).last_mm
    place = max(within[0], end_of_rectum - 10) + rng.uniform(0, 15)
    while place < within[1]:
        local = {name: wall.profile.at(name, place) for name in _LOCAL}
        ring = rng.random() < local["alignment"]
        for sector in range(3):
            spread = 2.0 if ring else 0.5 * local["fold_spacing"]
            offset = rng.uniform(-spread, spread)
            if rng.random() < 0.12:
                continue
            row = wall.row_of(place + offset)
            grown = rng.uniform(0.6, 1.15) * developed[row]
            tall = local["fold_height"] * grown
            if tall < SHALLOWEST_MM:
                continue
            fold = FoldShape(
                place + offset, wall.middle(row, sector) + rng.normal(0, 0.12), tall,
                # What is half as high is thinner too.
                local["fold_width"] * rng.uniform(0.8, 1.35) * min(1.0, grown) ** 0.5,
                np.pi * local["fold_span"] * rng.uniform(0.8, 1.1),
            )  # fmt: skip
            add_fold(wall, field, rng, fold)
            places[sector].append(place + offset)
        place += local["fold_spacing"] * rng.uniform(0.6, 1.5)
    _raise_houston(wall, rng, field)
    _bulge(wall, field, places, developed)
    return field


_LOCAL = ("fold_spacing", "fold_height", "fold_width", "fold_span", "alignment")


def _raise_houston(wall: Wall, rng: np.random.Generator, field: FoldField) -> None:
    """Three transverse folds in the rectum, on alternating sides."""
    side = rng.uniform(0, 2 * np.pi)
    for number, above in enumerate(HOUSTON_MM):
        place = wall.profile.span(Segment.RECTUM).first_mm + above + rng.uniform(-8, 8)
        tall = wall.profile.at("fold_height", place) * (1.0 if number == 1 else 0.8)
        fold = FoldShape(
            place, side + number * np.pi + rng.normal(0, 0.3), tall,
            wall.profile.at("fold_width", place), np.pi * wall.profile.at("fold_span", place),
        )  # fmt: skip
        if wall.s[0] + 20 < place < wall.s[-1] - 20:
            add_fold(wall, field, rng, fold)


def _bulge(wall: Wall, field: FoldField, places: list[list[float]], developed: Floats) -> None:
    """Let the haustra of every sector bulge between its folds."""
    spacing = float(wall.profile.of("fold_spacing", wall.s).mean())
    for sector in range(3):
        outwards = _haustra(wall.s, np.sort(places[sector]), spacing)
        middle = wall.taenia + (2 * sector + 1) * np.pi / 3
        angle = (wall.theta[None, :] - middle[:, None] + np.pi) % (2 * np.pi) - np.pi
        across = np.cos(np.clip(1.5 * angle, -np.pi / 2, np.pi / 2)) ** 2 * developed[:, None]
        field.bulge += outwards[:, None] * across
        if outwards.any():
            field.crease += (1 - outwards)[:, None] * across


def _haustra(s: Floats, folds: Floats, spacing: float) -> Floats:
    """(S,) -1 at every fold, up to 1 between them: the sacs of one sector."""
    folds = folds[np.concatenate([[True], np.diff(folds) > 0.3 * spacing])] if len(folds) else folds
    if len(folds) < 2:
        return np.zeros_like(s)
    outer = np.concatenate([[folds[0] - spacing], folds, [folds[-1] + spacing]])
    even = np.arange(s[0], s[-1] + 1.0, 1.0)
    phase = np.interp(even, outer, 2 * np.pi * np.arange(len(outer)))
    # Uneven spacing kinks the phase; a wall does not kink.
    return np.asarray(np.interp(s, even, gaussian_filter1d(-np.cos(phase), 3.0, mode="nearest")))


def sacs(wall: Wall) -> Floats:
    """(S, 1) mm: how far haustra bulge."""
    return np.asarray(wall.profile.of("sacculation", wall.s) * wall.radius * wall.closed)[:, None]


def bare_wall(wall: Wall, bulge: Floats) -> Floats:
    """Distance (S, Θ) mm from the centreline to the wall between folds."""
    around = wall.theta[None, :] - wall.taenia[:, None]
    # Straight between the bands, which are the corners of a triangular lumen.
    triangle = wall.profile.of("triangularity", wall.s)[:, None] * (1 - np.cos(3 * around)) / 2
    round_wall = (wall.radius * wall.closed)[:, None]
    return np.asarray(round_wall * (1 - triangle) + sacs(wall) * bulge)


def bands(wall: Wall) -> Floats:
    """Taeniae: (S, Θ) mm, flat on top, falling off over a few millimetres on both sides.

    As wide on a round end as elsewhere, they meet at its pole.
    """
    around = wall.theta[None, :] - wall.taenia[:, None] + np.pi / 3
    across = np.abs((around % (2 * np.pi / 3)) - np.pi / 3) * (wall.radius * wall.closed)[:, None]
    tall = wall.profile.of("taenia", wall.s)[:, None]
    return np.asarray(tall * np.exp(-((across / (0.62 * _TAENIA_MM)) ** 4)))
