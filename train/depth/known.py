"""Pictures whose depth is known: simulated as they are shaded, or recorded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.depth.accuracy import KnownDepth
from train.simulate.appearance import Rendering, shade
from train.simulate.dataset import GeometryFrame, SimulatedSet
from train.simulate.layouts.recording import Recording


def visible_depth(frame: GeometryFrame, rendering: Rendering) -> NDArray[np.float32]:
    """(H, W) mm along the ray to the wall; 0 where it is not seen, or a tool stands before it."""
    in_front = rendering.hard & ~frame.polyp
    seen = rendering.valid & frame.valid & ~in_front
    return np.where(seen, frame.depth_mm, np.float32(0)).astype(np.float32, copy=False)


def known_depths(
    data: SimulatedSet, frames: list[tuple[str, int]], style: str, seed: int
) -> Iterator[KnownDepth]:
    """Frames as the simulator shades them; sequences are the groups."""
    for number, (sequence, index) in enumerate(frames):
        frame = data.frame(sequence, index)
        rendering = shade(frame, np.random.default_rng([seed, 2, number]), style)
        depth = visible_depth(frame, rendering)
        yield KnownDepth(rendering.image, torch.from_numpy(depth), sequence)


def recorded_depths(recording: Recording) -> Iterator[KnownDepth]:
    """Frames of one recording; each its own group, as there is one sequence only.

    Raises:
        RecipeError: the recording has no depth or no camera.
    """
    for frame in recording:
        distance_mm = frame.distance_mm()
        if distance_mm is None:
            raise RecipeError(
                f"Frame {frame.name} has no depth in millimetres, or no camera.",
                "Choose a recording that has both.",
            )
        yield KnownDepth(frame.image, torch.from_numpy(distance_mm), frame.name)
