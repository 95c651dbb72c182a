"""Which vertices of a mesh are joined by an edge, and what follows from it alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.simulate.compiled import bare, compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


class Neighbours(NamedTuple):
    """The neighbours of vertex v are `others[starts[v]:starts[v + 1]]`, growing."""

    starts: Integers
    """(n + 1,)."""
    others: Integers

    @classmethod
    def of(cls, faces: NDArray[np.integer[Any]], count: int) -> Neighbours:
        """Of the vertices 0 … `count` - 1 of faces (f, 3)."""
        return cls(*_neighbours(np.ascontiguousarray(faces, np.int32), count))

    def averaged(self, values: Floats) -> Floats:
        """(n,) each value replaced by the mean of itself and its neighbours'."""
        return _averaged(self.starts, self.others, values)


@compiled
def _neighbours(faces: Integers, count: int) -> tuple[Integers, Integers]:
    ends = np.zeros(count + 1, np.int64)
    for f in range(len(faces)):
        for k in range(3):
            ends[faces[f, k] + 1] += 2
    ends = np.cumsum(ends)
    found, filled = np.empty(6 * len(faces), np.int32), ends[:-1].copy()
    for f in range(len(faces)):
        for k in range(3):
            vertex = faces[f, k]
            for other in (faces[f, (k + 1) % 3], faces[f, (k + 2) % 3]):
                found[filled[vertex]] = other
                filled[vertex] += 1
    starts = np.zeros(count + 1, np.int32)
    return starts, found[: _settle(ends, found, starts)].copy()


@bare
def _settle(ends: NDArray[np.int64], found: Integers, starts: Integers) -> int:
    """Sort what was found for each vertex, once each, to the front; returns its length."""
    size = 0
    for vertex in range(len(starts) - 1):
        first = size
        for i in range(ends[vertex], ends[vertex + 1]):
            # An edge belongs to two faces and counts once.
            other, place = found[i], size
            while place > first and found[place - 1] > other:
                place -= 1
            if place > first and found[place - 1] == other:
                continue
            for j in range(size, place, -1):
                found[j] = found[j - 1]
            found[place] = other
            size += 1
        starts[vertex + 1] = size
    return size


@compiled
def _averaged(starts: Integers, others: Integers, values: Floats) -> Floats:
    means = np.empty_like(values)
    for vertex in range(len(values)):
        total = values[vertex]
        for i in range(starts[vertex], starts[vertex + 1]):
            total += values[others[i]]
        means[vertex] = total / (1 + starts[vertex + 1] - starts[vertex])
    return means


def components(
    member: NDArray[np.bool_], faces: NDArray[np.integer[Any]]
) -> tuple[int, NDArray[np.int64]]:
    """Connected components of a vertex set: their number, and (n,) labels 1.., 0 outside.

    They are numbered by their first vertices.
    """
    parent = np.arange(len(member))
    _join(np.ascontiguousarray(faces, np.int32), member, parent)
    labels = np.zeros(len(member), np.int64)
    return _number(member, parent, labels), labels


@bare
def _root(parent: NDArray[np.int64], vertex: int) -> int:
    while parent[vertex] != vertex:
        parent[vertex] = parent[parent[vertex]]
        vertex = parent[vertex]
    return vertex


@bare
def _join(faces: Integers, member: NDArray[np.bool_], parent: NDArray[np.int64]) -> None:
    """Make the least vertex of a component the root of its tree."""
    for f in range(len(faces)):
        for k in range(3):
            a, b = faces[f, k], faces[f, (k + 1) % 3]
            if member[a] and member[b]:
                one, other = _root(parent, a), _root(parent, b)
                parent[max(one, other)] = min(one, other)


@bare
def _number(member: NDArray[np.bool_], parent: NDArray[np.int64], labels: NDArray[np.int64]) -> int:
    count = 0
    for vertex in range(len(member)):
        if member[vertex]:
            root = _root(parent, vertex)
            if root == vertex:
                count += 1
                labels[vertex] = count
            else:
                labels[vertex] = labels[root]
    return count
