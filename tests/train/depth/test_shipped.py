"""The network that travels along, on a tube whose depth is known by hand and on a real phantom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import RecipeError
from train.depth import open_estimator
from train.depth.accuracy import KnownDepth, measure, to_pictures
from train.depth.colon import SHIPPED, ColonEstimator
from train.depth.known import recorded_depths, visible_depth
from train.simulate.appearance import shade
from train.simulate.camera import Fisheye
from train.simulate.dataset import GeometryFrame
from train.simulate.layouts import open_recording
from train.translation.depth_term import DepthOptions, DepthTerm
from train.translation.recipe import RECIPES, read_translation_recipe

PHANTOM = Path(__file__).resolve().parents[4] / "shared/data/c3vd_phantom"
RADIUS_MM = 22.0
END_MM = 160.0


def tube() -> GeometryFrame:
    """A straight tube with a flat end, seen along its axis: radius / sin, then end / cos."""
    camera = Fisheye.colonoscope(192, float(np.radians(70)))
    rays = camera.rays().astype(np.float32)
    across = np.hypot(rays[..., 0], rays[..., 1]).clip(1e-6)
    wall, end = RADIUS_MM / across, END_MM / np.maximum(rays[..., 2], 1e-6)
    is_wall = wall < end
    inwards = np.stack([-rays[..., 0] / across, -rays[..., 1] / across, 0 * across], axis=-1)
    depth = np.where(is_wall, wall, end).astype(np.float32)
    none = np.zeros(depth.shape, bool)
    return GeometryFrame(
        depth_mm=depth,
        normal=np.where(is_wall[..., None], inwards, (0, 0, -1)).astype(np.float32),
        position=(depth[..., None] * rays).astype(np.float32),
        rays=rays,
        rotation=np.eye(3, dtype=np.float32),
        fold=none, edge=none, crest=none, polyp=none, fluid=none, valve=none,
        valid=np.asarray(camera.sees()),
        instances=np.zeros(depth.shape, np.uint16),
    )  # fmt: skip


@pytest.fixture(scope="module")
def known() -> KnownDepth:
    frame = tube()
    rendering = shade(frame, np.random.default_rng(3), "plain")
    return KnownDepth(rendering.image, torch.from_numpy(visible_depth(frame, rendering)), "tube")


def test_a_tube_has_the_depth_of_a_tube(known: KnownDepth) -> None:
    relative, within, _ = measure(open_estimator("colon"), [known]).figures
    assert relative.value < 0.15
    assert within.value > 0.85


def test_depth_comes_out_in_about_millimetres(known: KnownDepth) -> None:
    with torch.no_grad():
        found = open_estimator("colon")(to_pictures(known.image)).values[0]
    is_known = known.depth_mm > 0
    assert 0.6 < float((known.depth_mm[is_known] / found[is_known]).median()) < 1.7


def test_weights_are_small_enough_to_travel() -> None:
    assert SHIPPED.stat().st_size < 15_000_000


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_critic_of_a_recipe_opens_or_says_which_file_it_needs(path: Path) -> None:
    depth = read_translation_recipe(path).options.get("depth", {})
    options = DepthOptions(estimator=depth.get("estimator", "colon"))
    if options.estimator == "colon":
        assert isinstance(DepthTerm(options).open(), ColonEstimator)
        return
    with pytest.raises(RecipeError, match=f"haustra-train import {options.estimator} "):
        DepthTerm(options).open()


@pytest.mark.skipif(not PHANTOM.exists(), reason="no real frames with depth: shared data is absent")
def test_a_real_phantom_is_seen_nearly_as_it_is() -> None:
    recording = open_recording("c3vd", PHANTOM)
    pictures = [each for number, each in enumerate(recorded_depths(recording)) if number in (0, 7)]
    relative, within, _ = measure(open_estimator("colon"), pictures).figures
    assert relative.value < 0.1
    assert within.value > 0.95
