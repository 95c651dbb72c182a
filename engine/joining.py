"""One fold in several pieces: a highlight, a tool or a gap of the mask interrupts it.

Two pieces are one fold when the end of each points at the other: near the gap both run along one
circle, of which a line is the limit. The gap must be short, or the picture must show in it
something that is not what the pieces are made of; no other fold and no strong edge may lie in it.
Where pieces are and where they point is looked at on every sixth cell, along and across.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Labels, Points, Probability

Colours = Callable[[Points], Image]
"""The picture's colours (n, 3) at cells of the grid (n, 2) xy."""

_Floats = NDArray[np.float64]
_STEP = 6
_FIRST = 3
_MARGIN = 4
"""In cells: an edge this near to a piece's end lies across it."""
_DARK = 8.0
"""Levels added to colours, so that the noise of dark ones does not count."""
_AROUND = np.ones((3, 3), np.uint8)
_BESIDE = (-0.3, -0.15, 0.0, 0.15, 0.3)
"""Lines from piece to piece, in widths beside the middle: an edge that bars the way crosses all."""


@dataclass(frozen=True, slots=True)
class JoiningOptions:
    """Lengths are in cells of the grid."""

    reach: float = 64.0
    """The direction of a piece is that of what lies this near its end."""
    turn: float = 0.52
    """Neither piece may point further past the other than this, radians."""
    imbalance: float = 0.35
    """On a circle both turn equally; they may differ by this, radians."""
    short: float = 24.0
    """What interrupts a fold for longer than this must be seen in the picture."""
    far: float = 60.0
    """Longer gaps are never closed."""
    strong_edge: float = 0.5
    """An edge as sure as this bars the way."""
    unlike: float = 0.4
    """A gap shows something else if its colour (logarithms of R/G and B/G) is off by this."""
    glare: float = 1.2
    """It is a highlight if the darkest of its channels is this much brighter."""

    def scaled(self, scale: float) -> JoiningOptions:
        """The same for a grid that is finer by this factor."""
        return replace(
            self, reach=self.reach * scale, short=self.short * scale, far=self.far * scale
        )


@dataclass(frozen=True, slots=True)
class Facing:
    """Pairs of pieces that are near each other, n of them; lengths in cells of the grid."""

    labels: NDArray[np.intp]
    """(2, n)."""
    gap: _Floats
    """(n,) from rim to rim, to within a step or so: every other cell of the rims is looked at."""
    ends: _Floats
    """(2, n, 2) xy: the middle of what each turns to the other."""


@dataclass(frozen=True, slots=True)
class Strips:
    """What lies near the ends of n pairs of pieces, seen as strips."""

    middle: _Floats
    """(2, n, 2) xy."""
    direction: _Floats
    """(2, n) of the long side, radians, without a sense."""
    width: _Floats
    """(2, n)."""


def join_interrupted(
    labels: Labels, edge: Probability, options: JoiningOptions, colours: Colours | None = None
) -> Labels:
    """The same map with pieces of one fold under one number; the numbers of others stay.

    Args:
        labels: (h, w) pieces, 0 for none.
        edge: (h, w) how surely a fold ends there before what stands behind it.
        options: what is near, straight and strong.
        colours: of the picture; without them only short gaps are closed.
    """
    pieces = np.ascontiguousarray(labels[_FIRST::_STEP, _FIRST::_STEP], np.uint16)
    near = find_facing(pieces, options.short if colours is None else options.far)
    if near is None:
        return labels
    strips = strips_at(pieces, near, options.reach)
    number: dict[int, int] = {}
    for pair in np.flatnonzero(is_continued(strips, options)).tolist():
        way = _Way.between(strips, pair, labels, near.labels[:, pair].tolist())
        if way.is_barred(edge, options.strong_edge):
            continue
        if near.gap[pair] <= options.short or (colours and way.shows_something(colours, options)):
            _unite(number, *near.labels[:, pair].tolist())
    if not number:
        return labels
    joined = labels.copy()
    for one, other in number.items():
        joined[labels == one] = other
    return joined


def _unite(number: dict[int, int], one: int, other: int) -> None:
    """Give both, and all that are one with either, the lower of their numbers."""
    first, second = sorted((number.get(one, one), number.get(other, other)))
    if first == second:
        return
    number |= {each: first for each, its in number.items() if its == second}
    number[second] = first


def find_facing(pieces: NDArray[np.uint16], far: float) -> Facing | None:
    """Pairs of pieces with a gap of at most `far`; (h / 6, w / 6) numbers, 0 for none."""
    padded = cv2.copyMakeBorder(pieces, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    differs = cv2.morphologyEx(padded, cv2.MORPH_GRADIENT, _AROUND)[1:-1, 1:-1]
    y, x = np.nonzero(cv2.min(differs, pieces))
    label = pieces[y, x]
    order = label.argsort(kind="stable")[::2]
    label = label[order]
    starts = np.concatenate([[0], np.flatnonzero(label[1:] != label[:-1]) + 1])
    if len(starts) < 2:
        return None
    rim = np.stack([x[order], y[order], np.ones(len(order))], axis=1, dtype=np.float32)
    place = rim[:, :2]
    squared = (place * place).sum(1)
    distance = squared[:, None] + squared - 2 * place @ place.T
    nearest = np.minimum.reduceat(distance, starts)
    between = np.minimum.reduceat(nearest, starts, axis=1)
    one, other = np.nonzero(between <= (far / _STEP) ** 2)
    one, other = one[one < other], other[one < other]
    if not len(one):
        return None
    mine, its = np.concatenate([one, other]), np.concatenate([other, one])
    gap = np.sqrt(np.maximum(between[mine, its], 0))
    found = label[starts]
    is_front = nearest[its] <= (1.25 * gap[:, None] + 1) ** 2
    is_front &= label == found[mine, None]
    sums = is_front.astype(np.float32) @ rim
    ends = sums[:, :2] / sums[:, 2:]
    shape = (2, len(one))
    return Facing(
        found[mine].astype(np.intp).reshape(shape),
        gap[: len(one)] * float(_STEP),
        _on_grid(ends).reshape(*shape, 2),
    )


def strips_at(pieces: NDArray[np.uint16], near: Facing, reach: float) -> Strips:
    """Middle, direction and width by the moments of the cells within `reach` of each end."""
    y, x = np.nonzero(pieces)
    cells = _on_grid(np.stack([x, y], axis=1).astype(np.float32))
    ends = near.ends.reshape(-1, 2)
    off = (ends * ends).sum(1)[:, None] - 2 * ends @ cells.T + (cells * cells).sum(1)
    member = (pieces[y, x] == near.labels.reshape(-1, 1)) & (off <= reach * reach)
    u, v = cells.T
    sums = member @ np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    _, mean_u, mean_v, uu, uv, vv = (sums / np.maximum(sums[:, :1], 1)).T
    uu, uv, vv = uu - mean_u * mean_u, uv - mean_u * mean_v, vv - mean_v * mean_v
    shorter = (uu + vv) / 2 - np.hypot((uu - vv) / 2, uv)
    shape = near.labels.shape
    return Strips(
        np.stack([mean_u, mean_v], axis=1).reshape(*shape, 2),
        (np.arctan2(2 * uv, uu - vv) / 2).reshape(shape),
        np.sqrt(12 * np.maximum(shorter, 0)).reshape(shape),
    )


def turns(strips: Strips) -> _Floats:
    """(2, n) from the chord between the middles to each direction, -pi/2 to pi/2.

    Tangents of one circle make equal and opposite angles with the chord (Parent and Zucker 1989,
    who call them cocircular).
    """
    x, y = (strips.middle[1] - strips.middle[0]).T
    off = strips.direction - np.arctan2(y, x)
    return np.asarray(off - np.pi * np.round(off / np.pi))


def is_continued(strips: Strips, options: JoiningOptions) -> NDArray[np.bool_]:
    """(n,) whether the pieces of each pair lie on one line, or on one circle that turns little."""
    turn = turns(strips)
    is_straight = np.abs(turn).max(axis=0) <= options.turn
    return np.asarray(is_straight & (np.abs(turn.sum(axis=0)) <= options.imbalance))


@dataclass(frozen=True, slots=True)
class _Way:
    """Cells from the middle of one piece to that of the other."""

    cells: NDArray[np.intp]
    """(5, n, 2) xy: lines side by side, the middle one from middle to middle."""
    passed: Labels
    """(n,) what lies on the middle line."""
    is_gap: NDArray[np.bool_]
    """(n,) which of it is neither piece."""

    @classmethod
    def between(cls, strips: Strips, pair: int, labels: Labels, own: list[int]) -> _Way:
        start, end = strips.middle[:, pair]
        length = max(float(np.hypot(*(end - start))), 1.0)
        along = start + np.linspace(0, 1, int(length) + 2)[:, None] * (end - start)
        across = np.array([start[1] - end[1], end[0] - start[0]]) / length
        beside = strips.width[:, pair].min() * np.multiply.outer(_BESIDE, across)
        cells = np.rint(along + beside[:, None]).astype(np.intp)
        x, y = cells[len(_BESIDE) // 2].T
        passed = labels[y, x]
        return cls(cells, passed, (passed != own[0]) & (passed != own[1]))

    def is_barred(self, edge: Probability, strong: float) -> bool:
        """Whether another fold lies on it, or an edge crosses every line where a piece ends."""
        if self.passed[self.is_gap].any():
            return True
        changes = np.flatnonzero(self.passed[1:] != self.passed[:-1])
        if not len(changes):
            return False
        gap = slice(max(0, int(changes[0]) - _MARGIN), int(changes[-1]) + _MARGIN + 2)
        height, width = edge.shape
        x, y = self.cells[:, gap, 0].clip(0, width - 1), self.cells[:, gap, 1].clip(0, height - 1)
        return bool(edge[y, x].max(axis=1).min() > strong)

    def shows_something(self, colours: Colours, options: JoiningOptions) -> bool:
        """Whether the picture shows in the gap what the pieces are not: a tool or a highlight."""
        gap, own = self.is_gap, ~self.is_gap
        if not gap.any() or not own.any():
            return False
        line = self.cells[len(_BESIDE) // 2].astype(np.float32)
        seen = colours(line).astype(np.float32) + _DARK
        tones, darkest = np.log(seen[:, ::2] / seen[:, 1:2]), seen.min(axis=1)
        unlike = np.abs(tones[gap] - tones[own].mean(axis=0)).sum(axis=1).mean()
        glare = darkest[gap].mean() / darkest[own].mean()
        return bool(unlike > options.unlike or glare > options.glare)


def _on_grid(places: NDArray[np.floating]) -> _Floats:
    """Places among every sixth cell → cells of the grid."""
    return np.asarray(places * float(_STEP) + _FIRST, np.float64)
