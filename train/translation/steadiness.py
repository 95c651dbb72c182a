"""Flicker: what a translator adds to a video and does not move with the wall.

Pairs of neighbouring frames in one look; where each pixel was before is known exactly from depth,
pose and lens. A translator that changes nothing, or every colour by one and the same rule, is
steady; patterns that stay on the glass while the wall moves, or come and go, flicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from engine.types import Image
from train.sampling import evenly_spread
from train.simulate.appearance import STORED, Rendering, draw_look, drawn
from train.simulate.dataset import SimulatedSet
from train.tracking.consistency import Flow, Viewpoint, flow_between
from train.translation.painter import Painter


@dataclass(frozen=True, slots=True)
class Pair:
    """Two neighbouring frames of a simulated video."""

    sequence: str
    earlier: Rendering
    later: Rendering
    flow: Flow


def pairs(data: SimulatedSet, split: str, style: str, *, count: int, seed: int) -> list[Pair]:
    """`count` pairs of each video of a split, or all of fewer, spread evenly over it.

    Raises:
        RecipeError: no such split, or a sequence that is no video.
    """
    if split not in data.splits:
        raise RecipeError(
            f"{data.folder} has no split {split!r}.", f"Choose one of: {', '.join(data.splits)}."
        )
    return [each for name in data.splits[split]
            for each in _pairs_of(data, name, style, count, seed)]  # fmt: skip


def _pairs_of(data: SimulatedSet, name: str, style: str, count: int, seed: int) -> list[Pair]:
    sequence = data.sequence(name)
    if "times" not in sequence.arrays or len(sequence) < 2:
        raise RecipeError(
            f"{name} of {data.folder} is no video.",
            'Simulate a set with simulate.path = "examination".',
        )
    look = None
    if style != STORED:
        look = draw_look(style, np.random.default_rng([seed, *name.encode()]))

    def rendered(number: int) -> Rendering:
        rng = np.random.default_rng([seed, number, *name.encode()])
        if look is None:
            return drawn(data, (name, number), rng, style)
        return look.render(data.frame(name, number), rng)

    def seen_from(number: int) -> Viewpoint:
        pose = np.asarray(sequence.arrays["poses"][number])
        return Viewpoint(sequence.view(number).distance_mm, pose, sequence.camera)

    return [
        Pair(name, rendered(at), rendered(at + 1), flow_between(seen_from(at), seen_from(at + 1)))
        for at in evenly_spread(len(sequence) - 1, count)
    ]


def flickers(painter: Painter, shown: Sequence[Pair]) -> NDArray[np.float64]:
    """(n,) `flicker` of pairs, translated in the default style."""
    earlier = painter([pair.earlier for pair in shown])
    later = painter([pair.later for pair in shown])
    return np.array([
        flicker(pair, one, other) for pair, one, other in zip(shown, earlier, later, strict=True)
    ])  # fmt: skip


def flicker(pair: Pair, earlier: Image, later: Image) -> float:
    """mean |r' - r| in grey levels, r = translated - simulated, of points seen in both frames.

    Args:
        pair: the frames as simulated.
        earlier: (H, W, 3), the first, translated.
        later: (H, W, 3), the second.

    Returns:
        0 for what moves with the wall; NaN where no point is seen twice.
    """
    known = pair.flow.known & pair.later.valid & pair.flow.warp(pair.earlier.valid)
    if not known.any():
        return float("nan")
    before = earlier.astype(np.float64) - pair.earlier.image
    now = later.astype(np.float64) - pair.later.image
    came = before.reshape(-1, 3)[pair.flow.source[known]]
    return float(np.abs(now[known] - came).mean())
