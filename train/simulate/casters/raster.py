"""Rays by drawing the faces: exactly what a ray through each pixel's centre meets, and no tree.

    blocks of faces   out of the field?  behind what is drawn already?  (nearest first)
    → faces           bounds of the pixels that may see it, by the lens's tables
    → pixels          on the inner side of three planes through the camera, nearest wins

A plane through the camera and an edge is computed the same from both faces of the edge, up to its
sign: no ray slips between them. Moving the vertices costs a pass over the blocks and nothing else.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.simulate.camera import Camera
from train.simulate.compiled import bare, compiled
from train.simulate.hits import Hits
from train.simulate.lens import TILE_PX, Lens, lens_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]

Plane = tuple[float, float, float]
Box = tuple[int, int, int, int]
Pyramid = tuple[tuple[Plane, Plane, Plane], float]

_BLOCK_FACES = 48
_SMALL_RAD = 0.05
"""Faces below this extent are not measured one by one."""
_HALF_TURN = float(np.pi / 2)
"""Arc over chord at the most."""
_MARGIN_PX = 2e-3
"""More than the lens's tables are wrong by."""


class _Blocks(NamedTuple):
    """A mesh in blocks of faces that lie near each other."""

    faces: Integers
    """(f, 3) block after block."""
    names: Integers
    """(f,) the number that each face has outside."""
    starts: Integers
    """(b + 1,)."""
    spheres: Floats
    """(b, 5) centre, radius, longest edge of a face."""
    vertices: Floats
    """(n, 3)."""


class _Canvas(NamedTuple):
    """What has been drawn of one view."""

    distance: Floats
    """(H, W), infinite where nothing was met, -1 where the camera sees nothing."""
    face: Integers
    """(H, W) position in `_Blocks.faces`, -1 for none."""
    weights: NDArray[np.float32]
    """(H, W, 2) of the face's first two corners."""
    farthest: Floats
    """(rows, columns) no pixel of the tile is farther away."""
    is_stale: NDArray[np.bool_]
    """(rows, columns) `farthest` may be too large."""
    corners: Floats
    """(n, 6) vertices in camera coordinates, their distance, and where they fall, xy; x is NaN
    beyond the lens. Kept from view to view: only rows with the stamp of this look hold."""
    stamps: Integers
    """(n,) the look in which a row of `corners` was filled."""
    look: int


class Raster:
    """See `train.simulate.casters.Caster`."""

    def __init__(self, faces: Integers) -> None:
        self._faces = faces
        self._blocks: _Blocks | None = None
        self._corners, self._stamps = np.empty((0, 6)), np.empty(0, np.int32)
        self._view = 0

    def move(self, vertices: Floats) -> None:
        """Bound the blocks anew."""
        vertices = np.array(vertices, np.float64, order="C")
        if self._blocks is None:
            order = _along_curve(vertices[self._faces].mean(axis=1))
            starts = np.append(np.arange(0, len(order), _BLOCK_FACES), len(order))
            spheres = np.zeros((len(starts) - 1, 5))
            self._blocks = _Blocks(
                self._faces[order], order.astype(np.int32), starts.astype(np.int32),
                spheres, vertices,
            )  # fmt: skip
            self._corners = np.empty((len(vertices), 6))
            self._stamps = np.zeros(len(vertices), np.int32)
        self._blocks = self._blocks._replace(vertices=vertices)
        _bound(self._blocks)

    def cast(self, pose: Floats, camera: Camera) -> Hits:
        """Draw."""
        assert self._blocks is not None
        lens = lens_of(camera)
        self._view += 1
        shape = camera.height, camera.width
        tiles = lens.tile_reach.shape
        canvas = _Canvas(
            np.where(lens.sees, np.inf, -1.0),
            np.full(shape, -1, np.int32),
            np.empty((*shape, 2), np.float32),
            np.full(tiles, np.inf),
            np.zeros(tiles, np.bool_),
            self._corners,
            self._stamps,
            self._view,
        )
        eye, turn = np.array(pose[:3, 3], np.float64), np.array(pose[:3, :3].T, np.float64)
        order, near = _in_view(self._blocks, lens, eye, turn)
        _draw(self._blocks, lens, canvas, (eye, turn), order[np.argsort(near, kind="stable")])
        return Hits(shape, *_gather(self._blocks, canvas))


def _along_curve(points: Floats) -> NDArray[np.int64]:
    """Order of points (n, 3) along Morton's curve, which keeps neighbours together."""
    low = points.min(axis=0)
    cells = ((points - low) / max(float((points - low).max()), 1e-9) * 1023).astype(np.int64)
    key = np.zeros(len(points), np.int64)
    for bit in range(10):
        for axis in range(3):
            key |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return np.argsort(key, kind="stable")


@compiled
def _bound(blocks: _Blocks) -> None:
    """Fill `spheres`."""
    for block in range(len(blocks.spheres)):
        low, high = np.full(3, np.inf), np.full(3, -np.inf)
        longest = 0.0
        first, last = blocks.starts[block], blocks.starts[block + 1]
        for f in range(first, last):
            for k in range(3):
                here = blocks.vertices[blocks.faces[f, k]]
                after = blocks.vertices[blocks.faces[f, (k + 1) % 3]]
                edge = 0.0
                for axis in range(3):
                    low[axis] = min(low[axis], here[axis])
                    high[axis] = max(high[axis], here[axis])
                    edge += (here[axis] - after[axis]) ** 2
                longest = max(longest, edge)
        radius = 0.0
        for f in range(first, last):
            for k in range(3):
                away = 0.0
                for axis in range(3):
                    middle = (low[axis] + high[axis]) / 2
                    away += (blocks.vertices[blocks.faces[f, k], axis] - middle) ** 2
                radius = max(radius, away)
        for axis in range(3):
            blocks.spheres[block, axis] = (low[axis] + high[axis]) / 2
        blocks.spheres[block, 3] = np.sqrt(radius) * (1 + 1e-9) + 1e-9
        blocks.spheres[block, 4] = np.sqrt(longest) * (1 + 1e-9)


@compiled
def _in_view(
    blocks: _Blocks, lens: Lens, eye: Floats, turn: Floats
) -> tuple[NDArray[np.int64], Floats]:
    """Blocks that reach into the field, and how near each may come."""
    found = np.empty(len(blocks.spheres), np.int64)
    near = np.empty(len(blocks.spheres), np.float64)
    count = 0
    cos_field, sin_field = np.cos(lens.field), np.sin(lens.field)
    for block in range(len(blocks.spheres)):
        x = blocks.spheres[block, 0] - eye[0]
        y = blocks.spheres[block, 1] - eye[1]
        z = blocks.spheres[block, 2] - eye[2]
        distance = np.sqrt(x * x + y * y + z * z)
        radius = blocks.spheres[block, 3]
        gap = distance - radius
        if gap > 0.0:
            ahead = (turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z) / distance
            sine = radius / distance
            # The field widened by the angle that the block covers.
            if ahead < cos_field * np.sqrt(1.0 - sine * sine) - sin_field * sine - 1e-9:
                continue
        found[count], near[count] = block, max(gap, 0.0)
        count += 1
    return found[:count], near[:count]


@bare
def _draw(
    blocks: _Blocks,
    lens: Lens,
    canvas: _Canvas,
    placed: tuple[Floats, Floats],
    order: NDArray[np.int64],
) -> None:
    """Draw the blocks of `order`, seen from `placed`: eye, and rotation from world to camera."""
    corners = canvas.corners
    for block in order:
        sphere = blocks.spheres[block]
        near = _gap(sphere, placed[0])
        if _is_hidden(sphere, near, lens, canvas, placed):
            continue
        block_extent = _HALF_TURN * sphere[4] / near if near > 0 else np.inf
        for f in range(blocks.starts[block], blocks.starts[block + 1]):
            a, b, c = blocks.faces[f, 0], blocks.faces[f, 1], blocks.faces[f, 2]
            for vertex in (a, b, c):
                if canvas.stamps[vertex] != canvas.look:
                    canvas.stamps[vertex] = canvas.look
                    _place(vertex, blocks.vertices, lens, corners, placed)
            p, q, r = corners[a], corners[b], corners[c]
            extent = block_extent if block_extent < _SMALL_RAD else _extent(p, q, r)
            if not (np.isnan(p[4]) or np.isnan(q[4]) or np.isnan(r[4])):
                box = _box(p, q, r, _MARGIN_PX + lens.bend * extent * extent, canvas)
                if box[0] <= box[1] and box[2] <= box[3]:
                    _fill(f, _pyramid(p, q, r), box, lens, canvas)
            elif extent >= lens.reach:
                # A face of less extent with a corner so far beyond the field is not in it.
                _fill_tiles(f, _pyramid(p, q, r), lens, canvas)


@bare
def _gap(sphere: Floats, eye: Floats) -> float:
    """How near the content of a sphere may come."""
    x, y, z = sphere[0] - eye[0], sphere[1] - eye[1], sphere[2] - eye[2]
    return float(np.sqrt(x * x + y * y + z * z) - sphere[3])


@bare
def _is_hidden(
    sphere: Floats, near: float, lens: Lens, canvas: _Canvas, placed: tuple[Floats, Floats]
) -> bool:
    """Everything where a block could show is nearer than the block."""
    eye, turn = placed
    distance = near + sphere[3]
    if near <= 0.0 or sphere[3] > 0.3 * distance:
        return False
    x, y, z = sphere[0] - eye[0], sphere[1] - eye[1], sphere[2] - eye[2]
    cosine = (turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z) / distance
    step = (1.0 - cosine) * lens.steps_per_cosine
    if step >= len(lens.profile) - 1:
        return False
    factor = lens.profile[int(step)] / distance
    across = (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z) * factor
    down = (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z) * factor
    # Below 0.3, an arcsine is less than 1.02 times its sine.
    reach = 1.05 * sphere[3] / distance * lens.stretch + 1.0
    u, v = across * lens.scale[0] + lens.scale[2], down * lens.scale[1] + lens.scale[3]
    height, width = canvas.distance.shape
    left, right = max(int(np.floor(u - reach)), 0), min(int(np.ceil(u + reach)), width - 1)
    top, bottom = max(int(np.floor(v - reach)), 0), min(int(np.ceil(v + reach)), height - 1)
    for row in range(top // TILE_PX, bottom // TILE_PX + 1):
        for column in range(left // TILE_PX, right // TILE_PX + 1):
            if canvas.farthest[row, column] >= near and not _is_nearer(row, column, near, canvas):
                return False
    return True


@bare
def _is_nearer(row: int, column: int, limit: float, canvas: _Canvas) -> bool:
    """No pixel of a tile is farther away than `limit`; if so, that is noted."""
    if not canvas.is_stale[row, column]:
        return False
    height, width = canvas.distance.shape
    farthest = -1.0
    for v in range(row * TILE_PX, min((row + 1) * TILE_PX, height)):
        for u in range(column * TILE_PX, min((column + 1) * TILE_PX, width)):
            if canvas.distance[v, u] > farthest:
                farthest = canvas.distance[v, u]
    canvas.farthest[row, column] = farthest
    canvas.is_stale[row, column] = False
    return farthest < limit


@bare
def _place(
    vertex: int, vertices: Floats, lens: Lens, corners: Floats, placed: tuple[Floats, Floats]
) -> None:
    """Fill a row of `_Canvas.corners`."""
    corner = corners[vertex]
    eye, turn = placed
    dx = vertices[vertex, 0] - eye[0]
    dy = vertices[vertex, 1] - eye[1]
    dz = vertices[vertex, 2] - eye[2]
    x = turn[0, 0] * dx + turn[0, 1] * dy + turn[0, 2] * dz
    y = turn[1, 0] * dx + turn[1, 1] * dy + turn[1, 2] * dz
    z = turn[2, 0] * dx + turn[2, 1] * dy + turn[2, 2] * dz
    distance = np.sqrt(x * x + y * y + z * z)
    corner[0], corner[1], corner[2], corner[3] = x, y, z, distance
    step = (1.0 - z / distance) * lens.steps_per_cosine
    if distance > 0.0 and step < len(lens.profile) - 1:
        index = int(step)
        share = step - index
        factor = (lens.profile[index] * (1 - share) + lens.profile[index + 1] * share) / distance
        corner[4] = x * factor * lens.scale[0] + lens.scale[2]
        corner[5] = y * factor * lens.scale[1] + lens.scale[3]
    else:
        corner[4] = np.nan


@bare
def _extent(p: Floats, q: Floats, r: Floats) -> float:
    """At least the longest edge of a face as seen from the camera, rad."""
    longest = 0.0
    for one, other in ((p, q), (q, r), (r, p)):
        x, y, z = one[0] - other[0], one[1] - other[1], one[2] - other[2]
        near = min(one[3], other[3])
        edge = np.sqrt(x * x + y * y + z * z)
        longest = max(longest, _HALF_TURN * edge / near if near > 0 else np.inf)
    return longest


@bare
def _box(p: Floats, q: Floats, r: Floats, margin: float, canvas: _Canvas) -> Box:
    """First and last column and row of the pixels that may see a face; empty ones cross."""
    left = min(min(p[4], q[4]), r[4]) - margin
    right = max(max(p[4], q[4]), r[4]) + margin
    top = min(min(p[5], q[5]), r[5]) - margin
    bottom = max(max(p[5], q[5]), r[5]) + margin
    height, width = canvas.distance.shape
    return (
        int(np.ceil(max(left, 0.0))), int(np.floor(min(right, width - 1.0))),
        int(np.ceil(max(top, 0.0))), int(np.floor(min(bottom, height - 1.0))),
    )  # fmt: skip


@bare
def _pyramid(p: Floats, q: Floats, r: Floats) -> Pyramid:
    """Normals of the planes through the camera and the edge across from each corner, inwards;
    and six times the volume of the pyramid with the camera at its top."""
    a = (q[1] * r[2] - q[2] * r[1], q[2] * r[0] - q[0] * r[2], q[0] * r[1] - q[1] * r[0])
    b = (r[1] * p[2] - r[2] * p[1], r[2] * p[0] - r[0] * p[2], r[0] * p[1] - r[1] * p[0])
    c = (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])
    volume = a[0] * p[0] + a[1] * p[1] + a[2] * p[2]
    if volume < 0.0:  # the other side of the face is seen
        a, b, c = (-a[0], -a[1], -a[2]), (-b[0], -b[1], -b[2]), (-c[0], -c[1], -c[2])
        volume = -volume
    return (a, b, c), volume


@bare
def _fill(f: int, pyramid: Pyramid, box: Box, lens: Lens, canvas: _Canvas) -> None:
    """Draw a face onto the pixels of a box whose rays meet it nearer than all before."""
    (a, b, c), volume = pyramid
    if volume == 0.0:
        return
    for v in range(box[2], box[3] + 1):
        for u in range(box[0], box[1] + 1):
            x, y, z = lens.rays[v, u, 0], lens.rays[v, u, 1], lens.rays[v, u, 2]
            first = a[0] * x + a[1] * y + a[2] * z
            second = b[0] * x + b[1] * y + b[2] * z
            third = c[0] * x + c[1] * y + c[2] * z
            total = first + second + third
            is_inside = (first >= 0.0) & (second >= 0.0) & (third >= 0.0)
            if is_inside & (volume < canvas.distance[v, u] * total):
                canvas.distance[v, u] = volume / total
                canvas.face[v, u] = f
                canvas.weights[v, u, 0] = first / total
                canvas.weights[v, u, 1] = second / total
                canvas.is_stale[v // TILE_PX, u // TILE_PX] = True


@bare
def _fill_tiles(f: int, pyramid: Pyramid, lens: Lens, canvas: _Canvas) -> None:
    """Draw any face: ask every tile whether some of it lies inside the three planes."""
    height, width = canvas.distance.shape
    rows, columns = lens.tile_reach.shape
    for row in range(rows):
        for column in range(columns):
            axis, reach = lens.tile_axis[row, column], lens.tile_reach[row, column] + 1e-9
            is_out = False
            for plane in pyramid[0]:
                length = np.sqrt(plane[0] ** 2 + plane[1] ** 2 + plane[2] ** 2)
                inside = plane[0] * axis[0] + plane[1] * axis[1] + plane[2] * axis[2]
                is_out = is_out or inside < -length * reach
            if not is_out:
                box = (
                    column * TILE_PX, min((column + 1) * TILE_PX, width) - 1,
                    row * TILE_PX, min((row + 1) * TILE_PX, height) - 1,
                )  # fmt: skip
                _fill(f, pyramid, box, lens, canvas)


@compiled
def _gather(
    blocks: _Blocks, canvas: _Canvas
) -> tuple[NDArray[np.int64], Integers, Integers, NDArray[np.float32], NDArray[np.float32]]:
    """Pixels that met a face: pixel, face, corners, weights, distance as in `Hits`."""
    faces, distances = canvas.face.ravel(), canvas.distance.ravel()
    weights = canvas.weights.reshape(-1, 2)
    count = int(np.count_nonzero(faces >= 0))
    pixel, face = np.empty(count, np.int64), np.empty(count, np.int32)
    corners, weight = np.empty((count, 3), np.int32), np.empty((count, 3), np.float32)
    distance = np.empty(count, np.float32)
    i = 0
    for p in range(len(faces)):
        f = int(faces[p])
        if f < 0:
            continue
        pixel[i], face[i], distance[i] = p, blocks.names[f], distances[p]
        for k in range(3):
            corners[i, k] = blocks.faces[f, k]
        weight[i, 0], weight[i, 1] = weights[p, 0], weights[p, 1]
        weight[i, 2] = np.float32(1.0) - weights[p, 0] - weights[p, 1]
        i += 1
    return pixel, face, corners, weight, distance
