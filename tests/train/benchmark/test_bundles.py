"""The shipped bundle, asked like any network."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import resources
from engine.errors import BundleError
from train.benchmark.bundles import BundleChoice, BundleSegmenter


@pytest.fixture(scope="module")
def shipped() -> Iterator[BundleSegmenter]:
    segmenter = BundleSegmenter(BundleChoice())
    yield segmenter
    segmenter.close()


def test_a_bundle_brings_its_thresholds_and_its_name(shipped: BundleSegmenter) -> None:
    manifest = json.loads((resources.DEFAULT_BUNDLE / "manifest.json").read_text())
    assert shipped.threshold == manifest["threshold"]
    assert shipped.edge_threshold == manifest["edge_threshold"]
    assert shipped.dividing.edge_threshold == manifest["seam_threshold"]
    assert shipped.origin.startswith(f"{manifest['name']} {manifest['version']} ")


def test_pictures_of_any_size_are_asked_about(shipped: BundleSegmenter) -> None:
    draw = np.random.default_rng(1)
    pictures = [draw.integers(0, 256, (64, 64, 3), dtype=np.uint8) for _ in range(2)]
    found = shipped(pictures)
    assert found.shape == (2, 2, 64, 64)
    assert 0 <= found.min() <= found.max() <= 1
    assert not np.array_equal(found[0], found[1])


def test_a_folder_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        BundleSegmenter(BundleChoice(str(tmp_path)))
