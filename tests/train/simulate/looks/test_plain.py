"""The plain style."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from train.simulate.appearance import shade
from train.simulate.dataset import SimulatedSet


def test_light_falls_with_the_square_of_the_distance(tiny_set: Path) -> None:
    frame = SimulatedSet(tiny_set).frame("a", 0)
    depth = np.full_like(frame.depth_mm, 10)
    depth[32:] = 20
    wall = replace(frame, depth_mm=depth, normal=-frame.rays)
    image = shade(wall, np.random.default_rng(0), "plain").image
    assert image[10, 32, 0] / 255 == pytest.approx(0.86, abs=0.01)
    assert image[50, 32, 0] / image[10, 32, 0] == pytest.approx(0.25 ** (1 / 2.2), abs=0.01)
