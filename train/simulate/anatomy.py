"""A procedural haustral colon as a triangle mesh in millimetres.

The wall is a radial height field over (s, θ): arc length along the centreline and angle around
it. Three taeniae divide it into sectors; semilunar folds rise between them, lean along the axis,
and alternate or align into rings; stretches without folds, oblique ridges and polyps are there
because a network must learn what is *not* a fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import trimesh
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d

from train.simulate.tube import AnalyticFolds, Feature, Floats, Tube

NO_FOLDS_MM = 22.0
"""From the two artificial ends of a stretch."""
SHALLOWEST_MM = 1.2
"""Nothing lower is raised as a fold: it could be neither seen nor labelled with certainty."""


@dataclass(frozen=True, slots=True)
class ColonShape:
    """What is drawn once per colon. Lengths in mm, angles in radians."""

    length: float
    radius: float
    radius_variation: float
    triangularity: float
    sacculation: float
    fold_spacing: float
    fold_height: float
    fold_width: float
    lean: float
    alignment: float
    """Chance that the folds of the three sectors stand at the same place (a ring)."""
    flat_share: float
    """Share of the length that has hardly any folds."""
    bend_radius: float
    polyps: int
    ridges: int
    roughness: float

    @classmethod
    def draw(cls, rng: np.random.Generator, length: float = 280.0) -> ColonShape:
        """A shape within adult ranges; a third of the colons are wide, shallow or irregular."""
        wide = rng.random() < 0.33
        radius = rng.uniform(20, 30) if wide else rng.uniform(14, 25)
        return cls(
            length=length,
            radius=radius,
            radius_variation=rng.uniform(0.05, 0.25),
            triangularity=rng.uniform(0.0, 0.22),
            sacculation=rng.uniform(0.02, 0.16),
            fold_spacing=rng.uniform(13, 34),
            fold_height=rng.uniform(3.0, 7.0) if wide else rng.uniform(4.5, 11.0),
            fold_width=rng.uniform(2.2, 4.2) if wide else rng.uniform(1.5, 3.0),
            lean=rng.uniform(-0.6, 0.6),
            alignment=rng.uniform(0.1, 0.9),
            flat_share=rng.uniform(0.15, 0.5) if wide else rng.uniform(0.0, 0.3),
            bend_radius=rng.uniform(50, 140),
            polyps=int(rng.integers(0, 8)),
            ridges=int(rng.integers(0, 10)),
            roughness=rng.uniform(0.01, 0.10),
        )


def _smooth_noise(
    rng: np.random.Generator, s: Floats, wavelength: float, channels: int = 1
) -> Floats:
    """(len(s), channels) smooth noise of unit variance with the given wavelength (same unit)."""
    knots = np.arange(s[0] - 2 * wavelength, s[-1] + 3 * wavelength, wavelength / 2)
    spline = CubicSpline(knots, rng.standard_normal((len(knots), channels)))
    return np.asarray(spline(s))


def _centreline(shape: ColonShape, rng: np.random.Generator, step: float) -> tuple[Floats, Floats]:
    """A smooth course that does not come near itself: points (k, 3) and frames (k, 3, 3).

    The frames (rows T, U, V) are parallel-transported, so that they do not twist.
    """
    s = np.arange(0.0, shape.length + step / 2, step)
    for attempt in range(50):
        # Straighten a little with every failed attempt, so that the search always ends.
        rates = _smooth_noise(rng, s, 70.0, 2) / shape.bend_radius * 0.97**attempt
        rates /= np.maximum(1.0, np.linalg.norm(rates, axis=1, keepdims=True) * 45.0)
        frames = np.empty((len(s), 3, 3))
        frame = np.eye(3)
        for i, (bend_u, bend_v) in enumerate(rates * step):
            frames[i] = frame
            tangent, u, v = frame
            tangent = tangent + bend_u * u + bend_v * v
            tangent /= np.linalg.norm(tangent)
            u = u - (u @ tangent) * tangent
            u /= np.linalg.norm(u)
            frame = np.stack([tangent, u, np.cross(tangent, u)])
        points = np.cumsum(frames[:, 0] * step, axis=0)
        coarse, places = points[:: max(1, round(5 / step))], s[:: max(1, round(5 / step))]
        gap = np.linalg.norm(coarse[:, None] - coarse[None], axis=2)
        apart = np.abs(places[:, None] - places[None]) > 4.0 * shape.radius
        if not apart.any() or gap[apart].min() > 3.4 * shape.radius:
            break
    return points, frames


def _presence(shape: ColonShape, rng: np.random.Generator, s: Floats) -> Floats:
    """(len(s),) 0..1: how much folds are developed along the colon."""
    if shape.flat_share <= 0:
        return np.ones_like(s)
    noise = _smooth_noise(rng, s, 90.0)[:, 0]
    limit = np.quantile(noise, shape.flat_share)
    return 0.12 + 0.88 / (1 + np.exp(-(noise - limit) * 6))


class _FoldField:
    """Height (S, Θ) in mm raised by folds; where arcs meet, the higher one shapes the wall."""

    def __init__(self, s: Floats, theta: Floats) -> None:
        self.s, self.theta = s, theta
        shape = (len(s), len(theta))
        self.height = np.zeros(shape)
        self.crest = np.zeros(shape)
        self.share = np.zeros(shape)
        self.arc = np.zeros(shape, np.int64)
        self._count = 0

    def rows_near(self, place: float, reach: float = 16.0) -> NDArray[np.bool_]:
        """(S,) within `reach` mm of `place`."""
        return np.asarray(np.abs(self.s - place) < reach)

    def add(self, rows: NDArray[np.bool_], crest: Floats, profile: Floats) -> None:
        """Raise one arc: crest height (Θ,) mm and profile 0..1 (rows, Θ) across it."""
        self._count += 1
        candidate = crest[None, :] * profile
        higher = candidate > self.height[rows]
        for field, value in (
            (self.height, candidate),
            (self.crest, np.broadcast_to(crest, candidate.shape)),
            (self.share, profile),
            (self.arc, np.full(candidate.shape, self._count)),
        ):
            field[rows] = np.where(higher, value, field[rows])


def _folds(
    shape: ColonShape, rng: np.random.Generator, s: Floats, theta: Floats, taenia: Floats
) -> tuple[_FoldField, Floats]:
    """The folds, and the bulge -1..1 (S, Θ) of the haustra between them, 0 on taeniae."""
    field = _FoldField(s, theta)
    places: list[list[float]] = [[], [], []]
    presence = _presence(shape, rng, s)
    place = NO_FOLDS_MM + rng.uniform(0, shape.fold_spacing)
    while place < shape.length - NO_FOLDS_MM:
        ring = rng.random() < shape.alignment
        for sector in range(3):
            offset = rng.uniform(-2, 2) if ring else rng.uniform(-0.5, 0.5) * shape.fold_spacing
            if rng.random() < 0.12:
                continue
            if _add_fold(shape, rng, field, (taenia, presence), (place + offset, sector)):
                places[sector].append(place + offset)
        place += shape.fold_spacing * rng.uniform(0.6, 1.5)
    bulge = np.zeros((len(s), len(theta)))
    for sector in range(3):
        outwards = _haustra(s, np.sort(places[sector]), shape.fold_spacing) * presence
        middle = taenia + (2 * sector + 1) * np.pi / 3
        angle = (theta[None, :] - middle[:, None] + np.pi) % (2 * np.pi) - np.pi
        bulge += outwards[:, None] * np.cos(np.clip(1.5 * angle, -np.pi / 2, np.pi / 2)) ** 2
    return field, bulge


def _haustra(s: Floats, folds: Floats, spacing: float) -> Floats:
    """(S,) -1 at every fold, up to 1 between them: the sacs of one sector."""
    folds = folds[np.concatenate([[True], np.diff(folds) > 0.3 * spacing])] if len(folds) else folds
    if len(folds) < 2:
        return np.zeros_like(s)
    outer = np.concatenate([[folds[0] - spacing], folds, [folds[-1] + spacing]])
    phase = np.interp(s, outer, 2 * np.pi * np.arange(len(outer)))
    # Uneven spacing kinks the phase; a wall does not kink.
    return np.asarray(gaussian_filter1d(-np.cos(phase), 3.0 / (s[1] - s[0]), mode="nearest"))


def _add_fold(
    shape: ColonShape,
    rng: np.random.Generator,
    field: _FoldField,
    wall: tuple[Floats, Floats],
    where: tuple[float, int],
) -> bool:
    """Raise one semilunar fold: spans part of the circumference, highest in its middle.

    False where it would be too low to be one.
    """
    taenia, presence = wall
    place, sector = where
    rows = field.rows_near(place)
    if not rows.any():
        return False
    row = int(np.argmin(np.abs(field.s - place)))
    middle = taenia[row] + (2 * sector + 1) * np.pi / 3 + rng.normal(0, 0.12)
    half_span = rng.uniform(1 / 3, 2 / 3) * np.pi
    angle = (field.theta - middle + np.pi) % (2 * np.pi) - np.pi
    inside = np.clip(1 - (angle / half_span) ** 2, 0, None)
    crescent = inside ** rng.uniform(0.7, 1.4)
    wave = rng.uniform(-2.5, 2.5) * np.sin(angle + rng.uniform(0, 6.3))
    wave = wave + rng.uniform(-1.2, 1.2) * np.sin(3 * angle + rng.uniform(0, 6.3))
    course = place + wave + rng.uniform(-5, 5) * angle / np.pi
    width = shape.fold_width * rng.uniform(0.8, 1.35)
    across = np.abs(field.s[rows, None] - course[None, :]) / width
    profile = np.exp(-(across ** rng.uniform(1.8, 3.2)))
    tall = shape.fold_height * rng.uniform(0.55, 1.2) * presence[row]
    if tall < SHALLOWEST_MM:
        return False
    field.add(rows, tall * crescent, profile)
    return True


def _bumps(
    shape: ColonShape, rng: np.random.Generator, s: Floats, theta: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Sessile polyps and oblique ridges: extra height (S, Θ) mm, and where polyps are."""
    extra = np.zeros((len(s), len(theta)))
    polyp = np.zeros(extra.shape, dtype=bool)
    for _ in range(shape.polyps):
        place, middle = rng.uniform(0.1, 0.9) * shape.length, rng.uniform(0, 2 * np.pi)
        size, tall = rng.uniform(2.0, 8.0), rng.uniform(1.0, 6.0)
        angle = (theta - middle + np.pi) % (2 * np.pi) - np.pi
        across = np.hypot((s - place)[:, None], angle[None, :] * shape.radius) / size
        dome = np.sqrt(np.clip(1 - across**2, 0, None))
        extra = np.maximum(extra, min(tall, size) * dome ** rng.uniform(0.7, 1.3))
        polyp |= across < 1.12
    for _ in range(shape.ridges):
        # Along the colon rather than around it: convex, yet no haustral fold.
        place, middle = rng.uniform(0, 1) * shape.length, rng.uniform(0, 2 * np.pi)
        slope, long = rng.uniform(-0.4, 0.4), rng.uniform(10, 35)
        angle = (theta - middle + np.pi) % (2 * np.pi) - np.pi
        along = (s - place)[:, None]
        across = angle[None, :] * shape.radius - slope * along
        ridge = np.exp(-((across / rng.uniform(1.0, 2.2)) ** 2) - (along / long) ** 4)
        extra = np.maximum(extra, rng.uniform(0.5, 2.0) * ridge)
    return extra, polyp


def _stalked_polyp(
    rng: np.random.Generator, foot: Floats, inward: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """A head on a stalk: vertices (n, 3) mm and faces, standing at `foot` along `inward`."""
    head, stalk = rng.uniform(2.5, 6.0), rng.uniform(3.0, 8.0)
    lean = inward + rng.normal(0, 0.35, 3)
    lean /= np.linalg.norm(lean)
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=head)
    direction = sphere.vertices / head
    lobes = sum(np.sin(direction @ rng.normal(0, 3, 3) + rng.uniform(0, 6)) for _ in range(4))
    top = sphere.vertices * (1 + 0.06 * lobes)[:, None] + foot + lean * (stalk + 0.7 * head)
    stem = trimesh.creation.cylinder(
        radius=rng.uniform(0.8, 1.6), segment=[foot - lean, foot + lean * (stalk + 0.4 * head)]
    )
    vertices = np.concatenate([top, stem.vertices])
    faces = np.concatenate([sphere.faces, stem.faces + len(top)])
    return vertices, faces.astype(np.int64)


def _grid_faces(rows: int, columns: int) -> NDArray[np.int64]:
    """Two triangles per cell of a grid that closes around; they face the axis."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    following = (column + 1) % columns
    a, b = row * columns + column, row * columns + following
    c, d = a + columns, b + columns
    return np.concatenate(
        [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    )


def grow_colon(
    rng: np.random.Generator, shape: ColonShape | None = None, step_mm: float = 0.45
) -> Tube:
    """Grow one stretch of colon, closed at both ends.

    Args:
        rng: everything random comes from it: the same state gives the same mesh.
        shape: drawn from `rng` when omitted.
        step_mm: mesh step along the centreline; above 0.5 steep folds become saw-toothed.
    """
    shape = shape or ColonShape.draw(rng)
    points, frames = _centreline(shape, rng, step_mm)
    s: Floats = np.arange(len(points), dtype=np.float64) * step_mm
    columns = int(np.clip(round(2 * np.pi * shape.radius / 0.85), 96, 220))
    theta: Floats = np.arange(columns, dtype=np.float64) * 2 * np.pi / columns

    twist = np.cumsum(_smooth_noise(rng, s, 120.0)[:, 0]) * step_mm * 0.004
    taenia = rng.uniform(0, 2 * np.pi) + twist
    slow = 1 + shape.radius_variation * np.clip(_smooth_noise(rng, s, 80.0)[:, 0], -1.6, 1.6) * 0.6
    # Rounded ends, so that every ray meets the wall.
    to_end = np.minimum(s, s[-1] - s)
    cap = np.sqrt(np.clip(1 - (1 - np.clip(to_end / 22.0, 0, 1)) ** 2, 1e-4, 1))
    radius = shape.radius * slow * cap

    field, bulge = _folds(shape, rng, s, theta, taenia)
    extra, polyp = _bumps(shape, rng, s, theta)
    height = np.minimum(field.height, 0.62 * shape.radius) * cap[:, None]
    extra = extra * cap[:, None]
    around = theta[None, :] - taenia[:, None]
    rough = _smooth_noise(rng, s, 14.0, 6) @ np.stack(
        [f(k * theta + p) for k, p in zip((3, 5, 8), (0.3, 1.1, 2.0), strict=True)
         for f in (np.cos, np.sin)]
    )  # fmt: skip
    wall = radius[:, None] * (
        1 - shape.triangularity * (1 + np.cos(3 * around)) / 2 + shape.sacculation * bulge
    ) + shape.roughness * rough * np.minimum(1, cap[:, None])
    lumen = np.maximum(wall - height - extra, 0.22 * radius[:, None])

    shift = np.clip(s[:, None] + shape.lean * height, 0, s[-1]) / step_mm
    row = np.clip(shift.astype(int), 0, len(s) - 2)
    part = (shift - row)[..., None]
    centre = points[row] * (1 - part) + points[row + 1] * part
    u = frames[row, 1] * (1 - part) + frames[row + 1, 1] * part
    v = frames[row, 2] * (1 - part) + frames[row + 1, 2] * part
    ray = np.cos(theta)[None, :, None] * u + np.sin(theta)[None, :, None] * v
    grid = centre + lumen[..., None] * ray

    vertices, faces = grid.reshape(-1, 3), _grid_faces(len(s), columns)
    feature = np.where(polyp & (extra > height), Feature.POLYP, Feature.NONE).ravel()
    folds = AnalyticFolds(
        field.arc.ravel(), (field.crest * cap[:, None]).ravel(), field.share.ravel()
    )
    for _ in range(int(rng.integers(0, 3))):
        i, j = int(rng.integers(len(s) // 8, len(s) * 7 // 8)), int(rng.integers(columns))
        more, more_faces = _stalked_polyp(rng, grid[i, j], -ray[i, j])
        faces = np.concatenate([faces, more_faces + len(vertices)])
        vertices = np.concatenate([vertices, more])
        feature = np.concatenate([feature, np.full(len(more), Feature.POLYP)])
        folds = folds.extended(len(more))

    every = max(1, round(1.0 / step_mm))
    return Tube(vertices, faces, points[::every], radius[::every], feature.astype(np.uint8), folds)
