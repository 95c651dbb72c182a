"""Pictures whose depth is known: simulated as they are shaded, or recorded."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from engine.errors import RecipeError
from train.depth.accuracy import KnownDepth
from train.simulate.appearance import shade
from train.simulate.dataset import SimulatedSet
from train.simulate.layouts.recording import Recording


def known_depths(
    data: SimulatedSet, frames: list[tuple[str, int]], style: str, seed: int
) -> Iterator[KnownDepth]:
    """Frames as the simulator shades them; sequences are the groups."""
    for number, (sequence, index) in enumerate(frames):
        frame = data.frame(sequence, index)
        rendering = shade(frame, np.random.default_rng([seed, 2, number]), style)
        depth = np.where(rendering.valid & frame.valid, frame.depth_mm, np.float32(0))
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
