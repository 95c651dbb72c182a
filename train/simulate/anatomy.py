"""A procedural colon as a triangle mesh in millimetres: a stretch of one, or the whole.

segments → course → wall (folds, haustra, taeniae) → landmarks → pools

Every colon is drawn whole, from rectum to caecum. A stretch is a window of it, closed by rounded
ends, so that a set of stretches shows all segments at the price of short meshes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from train.simulate.course import STEP_MM, Course, draw_course, smooth_noise
from train.simulate.folds import carried_frames
from train.simulate.landmarks import (
    Pouch,
    Relief,
    add_caecal_crescent,
    add_polyp,
    add_ridge,
    add_valve,
    open_pouch,
    place_diverticula,
    stalked_polyp,
)
from train.simulate.pools import draw_up, fill_pool
from train.simulate.segments import RANGES, SEGMENTS, Profile, SegmentShape
from train.simulate.tube import Feature, Floats, Segment, SegmentSpan, Tube
from train.simulate.wall import FoldField, Wall, bands, bare_wall, raise_folds

ANATOMIES = ("stretch", "whole")
STRETCH_MM = 280.0
NO_FOLDS_MM = 24.0
"""From the ends."""
_NARROWEST = 0.22
"""Of the radius: no fold or polyp leaves less."""
_CAP_STEP_MM = 0.6


@dataclass(frozen=True, slots=True)
class ColonShape:
    """What is drawn once per colon. Lengths in mm."""

    segments: tuple[SegmentShape, ...]
    """Rectum to caecum."""
    window: tuple[float, float]
    """First and last arc that is grown, in terms of the segments' lengths."""
    radius_variation: float
    lean: float
    """Of folds along the axis."""
    polyps: float
    """Sessile, per stretch."""
    stalked: float
    """Polyps on stalks, per stretch."""
    ridges: float
    pools: float
    has_diverticula: bool
    roughness: float

    @classmethod
    def whole(cls, rng: np.random.Generator) -> ColonShape:
        """From end to end; a third of the colons are wide, shallow and flat."""
        wide = rng.random() < 0.33
        segments = tuple(SegmentShape.draw(rng, RANGES[each], wide) for each in SEGMENTS)
        return cls(
            segments=segments,
            window=(0.0, sum(each.length for each in segments)),
            radius_variation=rng.uniform(0.05, 0.25),
            lean=rng.uniform(-0.6, 0.6),
            polyps=float(rng.integers(0, 8)),
            stalked=float(rng.integers(0, 3)),
            ridges=float(rng.integers(0, 10)),
            pools=float(rng.choice([0, 1, 2], p=[0.4, 0.4, 0.2])),
            has_diverticula=bool(rng.random() < 0.3),
            roughness=rng.uniform(0.01, 0.10),
        )

    @classmethod
    def draw(cls, rng: np.random.Generator, length: float = STRETCH_MM) -> ColonShape:
        """A stretch of this length, anywhere."""
        shape = cls.whole(rng)
        total = shape.window[1]
        # By their middles: those drawn near an end begin or stop there, and no place is rare.
        first = rng.uniform(0.0, total) - 0.5 * length
        return replace(shape, window=_window(first, length, total))

    @classmethod
    def of(
        cls, segment: Segment, rng: np.random.Generator, length: float = STRETCH_MM
    ) -> ColonShape:
        """A stretch around the middle of a segment."""
        shape = cls.whole(rng)
        ends = np.cumsum([each.length for each in shape.segments])
        number = SEGMENTS.index(segment)
        middle = float(ends[number]) - 0.5 * shape.segments[number].length
        return replace(shape, window=_window(middle - 0.5 * length, length, float(ends[-1])))


def _window(first: float, length: float, total: float) -> tuple[float, float]:
    first = float(np.clip(first, 0.0, max(total - length, 0.0)))
    return first, min(first + length, total)


def draw_shape(anatomy: str, rng: np.random.Generator) -> ColonShape:
    """The shape of a recipe's colon.

    Raises:
        ValueError: `anatomy` is none of `ANATOMIES`.
    """
    if anatomy not in ANATOMIES:
        raise ValueError(f"unknown anatomy {anatomy!r}: {' or '.join(ANATOMIES)}")
    return ColonShape.draw(rng) if anatomy == "stretch" else ColonShape.whole(rng)


def grow_colon(
    rng: np.random.Generator, shape: ColonShape | None = None, step_mm: float = 0.45
) -> Tube:
    """Grow a colon, or the stretch of it that `shape` names, closed at both ends.

    Args:
        rng: everything random comes from it: the same state gives the same mesh.
        shape: a stretch drawn from `rng` when omitted.
        step_mm: mesh step along the centreline; above 0.5 steep folds become saw-toothed.
    """
    shape = shape or ColonShape.draw(rng)
    return _Growth(rng, shape, step_mm).tube()


@dataclass(frozen=True, slots=True)
class _Axis:
    """The centreline of the window: arcs of the whole colon, points, frames, all (k, ...)."""

    arc: Floats
    points: Floats
    u: Floats
    v: Floats

    def at(self, s: Floats) -> tuple[Floats, Floats, Floats]:
        """Points and the two directions across, (..., 3) each, at arcs s (...)."""
        place = np.clip((s - self.arc[0]) / STEP_MM, 0, len(self.arc) - 1.001)
        row = place.astype(np.int64)
        part = (place - row)[..., None]
        return (
            self.points[row] * (1 - part) + self.points[row + 1] * part,
            self.u[row] * (1 - part) + self.u[row + 1] * part,
            self.v[row] * (1 - part) + self.v[row + 1] * part,
        )


class _Growth:
    """One colon while it grows: every step draws from the same generator, in this order."""

    def __init__(self, rng: np.random.Generator, shape: ColonShape, step_mm: float) -> None:
        self._rng, self._shape = rng, shape
        self._course = draw_course(rng, shape.segments)
        self._profile = Profile(shape.segments, self._course.spans)
        self._axis = _cut(self._course, self._window())
        s, closed = _rows(self._axis.arc, self._radius(self._axis.arc), step_mm)
        radius = self._radius(s)
        columns = int(np.clip(round(2 * np.pi * float(radius.mean()) / 0.85), 96, 220))
        theta: Floats = np.arange(columns, dtype=np.float64) * 2 * np.pi / columns
        even = np.arange(s[0], s[-1] + 2, 2.0)
        twist = np.cumsum(smooth_noise(rng, even, 120.0)[:, 0]) * 2.0 * 0.004
        taenia = rng.uniform(0, 2 * np.pi) + np.interp(s, even, twist)
        slow = 0.6 * shape.radius_variation * np.clip(smooth_noise(rng, s, 80.0)[:, 0], -1.6, 1.6)
        radius = np.minimum(radius * (1 + slow), np.interp(s, *self._room()))
        self._wall = Wall(s, theta, taenia, radius, closed, self._profile)

    def _window(self) -> tuple[float, float]:
        """The shape's window in arcs of the course, whose segments came out a little different."""
        nominal = np.concatenate([[0], np.cumsum([each.length for each in self._shape.segments])])
        spans = self._course.spans
        real = np.array([spans[0].first_mm, *(span.last_mm for span in spans)])
        first, last = self._shape.window
        if first <= 0 and last >= nominal[-1]:
            return float(real[0]), float(real[-1])
        length = last - first
        start = float(np.interp(0.5 * (first + last), nominal, real)) - 0.5 * length
        if first <= 0:
            start = float(real[0])
        if last >= nominal[-1] or start + length > real[-1]:
            start = float(real[-1]) - length
        return max(start, 0.0), max(start, 0.0) + length

    def _room(self) -> tuple[Floats, Floats]:
        return np.arange(0.0, len(self._course.room)) * STEP_MM, self._course.room

    def _radius(self, s: Floats) -> Floats:
        return np.minimum(self._profile.of("radius", s), np.interp(s, *self._room()))

    def tube(self) -> Tube:
        """All steps."""
        rng, shape, wall = self._rng, self._shape, self._wall
        ends = (float(wall.s[0]) + NO_FOLDS_MM, float(wall.s[-1]) - NO_FOLDS_MM)
        folds = raise_folds(wall, rng, ends)
        relief = Relief(wall)
        add_valve(wall, relief, folds, rng)
        if self._has_pole:
            add_caecal_crescent(wall, relief, rng)
        for _ in range(self._count(shape.polyps)):
            add_polyp(wall, relief, folds, rng)
        for _ in range(self._count(shape.ridges)):
            add_ridge(wall, relief, rng)
        grid, outward = self._grid(folds, relief)
        self._open_pouches(grid, outward, folds, relief)
        up = draw_up(rng)
        centre = self._axis.at(wall.s)[0]
        for _ in range(self._count(shape.pools)):
            filled = fill_pool(grid, centre, up, rng)
            if filled is not None:
                relief.feature[filled[0]][filled[1]] = Feature.FLUID
        return self._assemble(grid, outward, folds, relief)

    def _count(self, per_stretch: float) -> int:
        wall = self._wall
        return round(per_stretch * float(wall.s[-1] - wall.s[0]) / STRETCH_MM)

    def _grid(self, folds: FoldField, relief: Relief) -> tuple[Floats, Floats]:
        """Vertices (S, Θ, 3) mm and the direction away from the centreline there."""
        wall = self._wall
        height = np.minimum(folds.height, 0.56 * wall.radius[:, None])
        waves = [(3, 0.3), (5, 1.1), (8, 2.0)]
        rough = smooth_noise(self._rng, wall.s, 14.0, 6) @ np.stack(
            [f(k * wall.theta + p) for k, p in waves for f in (np.cos, np.sin)]
        )
        low = relief.height + bands(wall) - self._shape.roughness * rough * wall.closed[:, None]
        rise = height + low
        # Across the wall: on the round ends that is more and more along the axis.
        closed, dome = wall.closed[:, None], wall.dome[:, None]
        lumen = np.maximum(
            bare_wall(wall, folds.bulge) - rise * closed, _NARROWEST * wall.radius[:, None] * closed
        )
        along = wall.s[:, None] + self._shape.lean * height + dome * rise
        centre, u, v = self._axis.at(along)
        cos, sin = np.cos(wall.theta)[None, :, None], np.sin(wall.theta)[None, :, None]
        outward = cos * u + sin * v
        return centre + lumen[..., None] * outward, outward

    def _open_pouches(
        self, grid: Floats, outward: Floats, folds: FoldField, relief: Relief
    ) -> None:
        """Diverticula beside the taeniae, and the appendix where these meet."""
        wall, rng = self._wall, self._rng
        pouches: list[Pouch] = []
        if self._shape.has_diverticula:
            beside = np.interp(wall.s, self._room()[0], self._course.beside)
            pouches = place_diverticula(wall, relief, folds, beside, rng)
        for pouch in pouches:
            direction = outward[pouch.row, pouch.column]
            rows, inside = open_pouch(grid, direction, pouch)
            relief.feature[rows][inside] = pouch.feature
        if not self._has_pole:
            return
        mouth = rng.uniform(1.5, 3.0)
        pole = Pouch(len(wall.s) - 1, 0, mouth, 1.2 * mouth, 3.0, Feature.APPENDIX)
        axis = self._axis.points[-1] - self._axis.points[-4]
        rows, inside = open_pouch(grid, axis / np.linalg.norm(axis), pole)
        relief.feature[rows][inside] = pole.feature

    @property
    def _has_pole(self) -> bool:
        """The caecal pole lies in the window."""
        return float(self._wall.s[-1]) > self._profile.span(Segment.CAECUM).last_mm - 1

    def _assemble(self, grid: Floats, outward: Floats, folds: FoldField, relief: Relief) -> Tube:
        """Vertices, faces and what is known of them; polyps on stalks are put on last."""
        wall, rng = self._wall, self._rng
        poles = grid[[0, -1]].mean(axis=1)
        vertices = np.concatenate([grid.reshape(-1, 3), poles])
        faces = _grid_faces(len(wall.s), len(wall.theta))
        feature = np.concatenate([relief.feature.ravel(), relief.feature[[0, -1], 0]])
        truth = folds.truth(wall, relief.feature == Feature.NONE).extended(2)
        for _ in range(self._count(self._shape.stalked)):
            i = int(rng.integers(len(wall.s) // 8, len(wall.s) * 7 // 8))
            j = int(rng.integers(len(wall.theta)))
            if relief.feature[i, j] != Feature.NONE:
                continue
            more, more_faces = stalked_polyp(rng, grid[i, j], -outward[i, j])
            faces = np.concatenate([faces, more_faces + len(vertices)])
            vertices = np.concatenate([vertices, more])
            feature = np.concatenate([feature, np.full(len(more), Feature.POLYP, np.uint8)])
            truth = truth.extended(len(more))
        axis = self._axis
        radius = np.interp(axis.arc, wall.s, wall.radius * wall.closed)
        return Tube(vertices, faces, axis.points, radius, feature, truth, self._spans())

    def _spans(self) -> tuple[SegmentSpan, ...]:
        """Segments within the window, by arcs from its own beginning."""
        start, stop = float(self._axis.arc[0]), float(self._axis.arc[-1])
        return tuple(
            SegmentSpan(
                span.segment, max(span.first_mm, start) - start, min(span.last_mm, stop) - start
            )
            for span in self._course.spans
            if span.last_mm > start and span.first_mm < stop
        )


def _cut(course: Course, window: tuple[float, float]) -> _Axis:
    """The part of a course within a window, with frames that do not twist."""
    first = round(window[0] / STEP_MM)
    last = min(round(window[1] / STEP_MM), len(course.points) - 1)
    points = course.points[first : last + 1]
    arc = np.arange(float(first), first + len(points)) * STEP_MM
    _, u, v = carried_frames(points)
    return _Axis(arc, points, u, v)


def _rows(arc: Floats, radius: Floats, step_mm: float) -> tuple[Floats, Floats]:
    """Arcs (S,) of the rows, and how far the ends have closed there: 0 at both, 1 between.

    The ends are hemispheres; their rows are as far apart along the wall as elsewhere.
    """
    caps = [min(float(r), 0.2 * float(arc[-1] - arc[0])) for r in (radius[20], radius[-20])]
    first, last = float(arc[0]), float(arc[-1])
    turns = [
        np.linspace(0, np.pi / 2, max(6, round(cap * np.pi / 2 / (step_mm / 0.45 * _CAP_STEP_MM))))
        for cap in caps
    ]
    middle = np.arange(first + caps[0] + step_mm, last - caps[1] - 0.5 * step_mm, step_mm)
    start = first + caps[0] * (1 - np.cos(turns[0]))
    stop = last - caps[1] * (1 - np.cos(turns[1][::-1]))
    s = np.concatenate([start, middle, stop])
    closed = np.concatenate([np.sin(turns[0]), np.ones(len(middle)), np.sin(turns[1][::-1])])
    return s, np.maximum(closed, 0.01)


def _grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
    """Two triangles per cell of a grid that closes around, and a fan at each end; facing inwards.

    The two poles follow after the vertices of the grid.
    """
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    following = (column + 1) % columns
    a, b = row * columns + column, row * columns + following
    c, d = a + columns, b + columns
    ring, onward = np.arange(columns), following[0]
    last = (rows - 1) * columns
    first_pole, last_pole = np.full(columns, rows * columns), np.full(columns, rows * columns + 1)
    return np.concatenate(
        [
            np.stack([a, c, b], -1).reshape(-1, 3),
            np.stack([b, c, d], -1).reshape(-1, 3),
            np.stack([ring, onward, first_pole], -1),
            np.stack([last + onward, last + ring, last_pole], -1),
        ]
    )
