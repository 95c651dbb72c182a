"""A way through a lumen whose loops are joined by holes: where CT lost a thin wall, or none was.

A path may leave the lumen by any hole in the wall between two loops, and the longest one does.
Kept away from the wall by more than the radius of the holes, the inside falls into stretches of
tube: a hole lets nothing through any more, and neither does the lumen where it is narrow. But a
narrow place joins two stretches end to end, a hole joins them side to side. So stretches are put
together by their ends, the nearest first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import find_objects, label
from skimage.graph import MCP_Geometric

from train.simulate.cavity import Cavity, Path3, longest_path, missed_share

CLEARANCES = (0.35, 0.45, 0.55)
"""From the wall, as parts of the lumen's radius where it is wide; holes are narrower than one."""
SHORTEST = 2.0
"""Length of a stretch over the clearance; what is shorter is a bulge between two narrow places."""
LARGEST_STRAY = 0.05
"""Part of a stretch that may lie farther from its middle than a tube's wall, or it is no tube."""
WIDEST_GAP = 4.0
"""Between the ends of two stretches, over the lumen's radius where it is wide."""

_End = tuple[int, int]
"""Number of a stretch, and 0 for its beginning or -1 for its end."""


@dataclass(frozen=True, slots=True)
class _Bridge:
    """A way through a narrow place."""

    ends: tuple[_End, _End]
    path: Path3
    length_mm: float


def untangle(cavity: Cavity) -> Iterator[Path3]:
    """Ways through, for one clearance after the other at which all stretches are tubes.

    They may leave parts of the lumen aside; `missed_share` tells.
    """
    wide = cavity.wide_mm
    for share in CLEARANCES:
        stretches = _stretches(cavity, share * wide)
        if stretches:
            yield _longest_chain(stretches, _joins(cavity, stretches, WIDEST_GAP * wide))


def _stretches(cavity: Cavity, clearance_mm: float) -> list[Path3]:
    """The middle of every stretch of tube; none at all if one of them is not a tube."""
    labels, _ = label(cavity.inside & (cavity.depth_mm >= clearance_mm))
    sizes, boxes = np.bincount(labels.ravel()), find_objects(labels)
    found = []
    # What is no tube is most often the largest: it is asked first.
    for number in 1 + np.argsort(-sizes[1:]):
        if sizes[number] * cavity.pitch_mm < SHORTEST * clearance_mm:
            continue
        box = boxes[number - 1]
        inside = labels[box] == number
        corner = np.array([side.start for side in box])
        part = replace(
            cavity,
            inside=np.pad(inside, 1),
            depth_mm=np.pad(cavity.depth_mm[box], 1),
            origin=cavity.origin + (corner - 1) * cavity.pitch_mm,
        )
        path = longest_path(part)
        if part.length_mm(path) < SHORTEST * clearance_mm:
            continue
        if missed_share(part, path) > LARGEST_STRAY:
            return []
        found.append(path + corner - 1)
    return found


def _joins(cavity: Cavity, stretches: list[Path3], widest_mm: float) -> list[_Bridge]:
    """Bridges between ends, the shortest first; no end has two, and nothing goes in a circle."""
    ends = [(number, end) for number in range(len(stretches)) for end in (0, -1)]
    bridges = []
    for one, other in itertools.combinations(ends, 2):
        if one[0] != other[0]:
            first, last = stretches[one[0]][one[1]], stretches[other[0]][other[1]]
            if np.linalg.norm(first - last) * cavity.pitch_mm <= widest_mm:
                bridges += _bridge(cavity, (one, other), (first, last), widest_mm)
    chain_of = list(range(len(stretches)))
    used: set[_End] = set()
    taken = []
    for bridge in sorted(bridges, key=lambda each: each.length_mm):
        a, b = (chain_of[number] for number, _ in bridge.ends)
        if a != b and not used & set(bridge.ends):
            taken.append(bridge)
            used.update(bridge.ends)
            chain_of = [a if chain == b else chain for chain in chain_of]
    return taken


def _bridge(
    cavity: Cavity, ends: tuple[_End, _End], places: tuple[Path3, Path3], widest_mm: float
) -> list[_Bridge]:
    """The shortest way inside from one place (3,) to another; none if it is too long."""
    margin = int(np.ceil(widest_mm / cavity.pitch_mm / 2))
    low = np.maximum(np.minimum(*places) - margin, 0)
    high = np.maximum(*places) + margin + 1
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    search = MCP_Geometric(np.where(cavity.inside[box], 1.0, -1.0))
    goal = tuple(places[1] - low)
    length = float(search.find_costs([tuple(places[0] - low)], [goal])[0][goal]) * cavity.pitch_mm
    if length > widest_mm:
        return []
    return [_Bridge(ends, np.array(search.traceback(goal), np.int64) + low, length)]


def _longest_chain(stretches: list[Path3], bridges: list[_Bridge]) -> Path3:
    """Stretches and bridges one after another; of several chains the longest."""
    across = {}
    for bridge in bridges:
        one, other = bridge.ends
        across[one] = (other, bridge.path)
        across[other] = (one, bridge.path[::-1])
    free = [(n, end) for n in range(len(stretches)) for end in (0, -1) if (n, end) not in across]
    return max((_walk(stretches, across, start) for start in free), key=len)


def _walk(stretches: list[Path3], across: dict[_End, tuple[_End, Path3]], start: _End) -> Path3:
    """From a free end to the other free end of its chain."""
    number, end = start
    parts = []
    while True:
        parts.append(stretches[number] if end == 0 else stretches[number][::-1])
        leaving = (number, -1 if end == 0 else 0)
        if leaving not in across:
            return np.concatenate(parts)
        (number, end), bridge = across[leaving]
        parts.append(bridge[1:-1])
