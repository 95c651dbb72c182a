"""Principal curvatures of a mesh by fitting quadrics (Panozzo, Puppo, Rocca 2010).

Around each vertex z = a x² + b xy + c y² + d x + e y is fitted to its neighbours within some rings
of edges, in a frame whose z is its normal. The estimate of libigl's `principal_curvature`, which
takes more than ten times as long; tests hold one against the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.simulate.compiled import bare
from train.simulate.neighbours import Neighbours

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]

_LEAST = 6
"""Neighbours, the vertex itself among them, that decide a quadric."""
_MOST = 1024
"""Neighbours that are looked at."""


def principal_curvature(
    vertices: Floats, normals: NDArray[np.floating[Any]], neighbours: Neighbours, rings: int
) -> tuple[Floats, Floats]:
    """The larger principal curvature (n,) in 1/mm and its direction (n, 3), unit.

    A surface that bulges the way its normals point is curved positively. Zero where there are too
    few neighbours.

    Args:
        vertices: (n, 3).
        normals: (n, 3) unit.
        neighbours: of the vertices.
        rings: how many edges away neighbours may be.
    """
    count = len(vertices)
    curvature, direction = np.zeros(count), np.zeros((count, 3))
    near, seen = np.empty(_MOST, np.int32), np.full(count, -1, np.int32)
    points = np.ascontiguousarray(vertices, np.float64)
    _fit_all(
        (points, np.ascontiguousarray(normals, np.float64)), neighbours, rings,
        (near, seen, np.empty((5, 6))), (curvature, direction),
    )  # fmt: skip
    return curvature, direction


@bare
def _fit_all(
    wall: tuple[Floats, Floats],
    neighbours: Neighbours,
    rings: int,
    room: tuple[Integers, Integers, Floats],
    found: tuple[Floats, Floats],
) -> None:
    """Fill curvatures and directions; `room` is scratch."""
    vertices, normals = wall
    near, seen, system = room
    curvature, direction = found
    for vertex in range(len(vertices)):
        size = _gather(vertex, neighbours, rings, near, seen)
        frame = _frame(vertex, near[min(1, size - 1)], vertices, normals)
        size = _drop_turned(vertex, near, size, normals)
        if size < _LEAST or not _quadric(vertex, near, size, frame, vertices, system):
            continue
        strongest, along, across = _strongest(
            system[0, 5], system[1, 5], system[2, 5], system[3, 5], system[4, 5]
        )
        curvature[vertex] = strongest
        for axis in range(3):
            direction[vertex, axis] = along * frame[0][axis] + across * frame[1][axis]


@bare
def _gather(vertex: int, neighbours: Neighbours, rings: int, near: Integers, seen: Integers) -> int:
    """List the vertex and its neighbours, ring after ring; returns their number."""
    near[0], seen[vertex] = vertex, vertex
    first, size = 0, 1
    for _ in range(rings):
        last = size
        for i in range(first, last):
            here = near[i]
            for j in range(neighbours.starts[here], neighbours.starts[here + 1]):
                other = neighbours.others[j]
                if seen[other] != vertex and size < len(near):
                    seen[other] = vertex
                    near[size] = other
                    size += 1
        first = last
    return size


Axis = tuple[float, float, float]


@bare
def _frame(vertex: int, other: int, vertices: Floats, normals: Floats) -> tuple[Axis, Axis, Axis]:
    """x, y, z: z is the normal, x as nearly as may be towards another vertex."""
    x, y, z = normals[vertex, 0], normals[vertex, 1], normals[vertex, 2]
    u = vertices[other, 0] - vertices[vertex, 0]
    v = vertices[other, 1] - vertices[vertex, 1]
    w = vertices[other, 2] - vertices[vertex, 2]
    out = u * x + v * y + w * z
    u, v, w = u - out * x, v - out * y, w - out * z
    length = max(np.sqrt(u * u + v * v + w * w), 1e-12)
    u, v, w = u / length, v / length, w / length
    return (u, v, w), (y * w - z * v, z * u - x * w, x * v - y * u), (x, y, z)


@bare
def _drop_turned(vertex: int, near: Integers, size: int, normals: Floats) -> int:
    """Keep neighbours on this side of a sharp fold, if they are enough; returns their number."""
    kept = 0
    for turn in range(2):
        kept = 0
        for i in range(size):
            facing = 0.0
            for axis in range(3):
                facing += normals[near[i], axis] * normals[vertex, axis]
            if facing > 0.0:
                if turn == 1:
                    near[kept] = near[i]
                kept += 1
        if kept < _LEAST:
            return size
    return kept


@bare
def _quadric(
    vertex: int,
    near: Integers,
    size: int,
    frame: tuple[Axis, Axis, Axis],
    vertices: Floats,
    system: Floats,
) -> bool:
    """Least squares; the coefficients a … e end in the last column of `system` (5, 6)."""
    e0, e1, e2 = frame
    for row in range(5):
        for column in range(row, 6):
            system[row, column] = 0.0
    for i in range(size):
        p = vertices[near[i], 0] - vertices[vertex, 0]
        q = vertices[near[i], 1] - vertices[vertex, 1]
        r = vertices[near[i], 2] - vertices[vertex, 2]
        x = p * e0[0] + q * e0[1] + r * e0[2]
        y = p * e1[0] + q * e1[1] + r * e1[2]
        z = p * e2[0] + q * e2[1] + r * e2[2]
        terms = (x * x, x * y, y * y, x, y, z)
        for row in range(5):
            for column in range(row, 6):
                system[row, column] += terms[row] * terms[column]
    return _solve(system)


@bare
def _solve(system: Floats) -> bool:
    """Solve the symmetric equations whose upper half and right side are in `system` (5, 6)."""
    for row in range(5):
        pivot = system[row, row]
        if not pivot > 1e-12:
            return False
        for below in range(row + 1, 5):
            factor = system[row, below] / pivot
            for column in range(below, 6):
                system[below, column] -= factor * system[row, column]
    for row in range(4, -1, -1):
        for column in range(row + 1, 5):
            system[row, 5] -= system[row, column] * system[column, 5]
        system[row, 5] /= system[row, row]
    return True


@bare
def _strongest(a: float, b: float, c: float, d: float, e: float) -> tuple[float, float, float]:
    """Larger principal curvature of the quadric at the origin, and its direction in x and y.

    The eigenvector of the Weingarten map, whose first and second fundamental forms are
    (1 + d², de, 1 + e²) and (2a, b, 2c) / √(1 + d² + e²).
    """
    first_x, first_m, first_y = 1 + d * d, d * e, 1 + e * e
    scale = -1.0 / np.sqrt(1 + d * d + e * e)
    second_x, second_m, second_y = 2 * a * scale, b * scale, 2 * c * scale
    area = first_x * first_y - first_m * first_m
    p = (second_x * first_y - second_m * first_m) / area
    q = (second_m * first_x - second_x * first_m) / area
    r = (second_y * first_x - second_m * first_m) / area
    middle, half = (p + r) / 2, (p - r) / 2
    reach = np.sqrt(half * half + q * q)
    if reach < 1e-12:
        return middle, 1.0, 0.0
    # Of the two rows of the map less its eigenvalue, the longer tells the direction better.
    along, across = (half + reach, q) if half > 0 else (q, reach - half)
    length = np.sqrt(along * along + across * across)
    return middle + reach, along / length, across / length
