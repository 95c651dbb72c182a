"""What a benchmark makes before it measures."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from train.benchmark.preparation import Workshop, slug, training_pictures
from train.benchmark.recipe import read_benchmark
from train.real import read_image
from train.simulate.dataset import SimulatedSet

TEXT = """
label = "region"
[translation.pictures]
style = "stored"
size = 64
load_size = 64
[translation.budget]
steps = 1
[translations.painted]
translator = "cyclegan"
options = { width = 4, blocks = 1, pool = 0 }
[rows.spigan]
pictures = "paired"
translation = "painted"
options = { width = 4, blocks = 1, head_width = 4 }
[tests.own]
folder = "simulated"
"""


@pytest.fixture
def workshop(stored_set: Path, translated_set: Path, tmp_path: Path) -> Workshop:
    out = tmp_path / "out"
    shutil.copytree(stored_set, out / "simulated")
    shutil.copytree(translated_set, out / "translated" / "painted")
    (tmp_path / "some.toml").write_text(TEXT)
    return Workshop(read_benchmark(tmp_path / "some.toml"), out, None, lambda _: None)


def test_a_translator_that_finds_folds_may_take_our_pictures_for_real_ones(
    workshop: Workshop,
) -> None:
    segmenter = workshop.segmenter(workshop.recipe.rows[0], 1)
    picture = np.full((64, 64, 3), 90, np.uint8)
    found = segmenter([picture, picture])
    assert found.shape == (2, 2, 64, 64)
    assert found[:, 0].min() > 0 and not found[:, 1].any()
    # The second time nothing is trained, and the threshold is the one that was chosen.
    again = workshop.segmenter(workshop.recipe.rows[0], 1)
    assert (again.threshold, again.origin) == (segmenter.threshold, segmenter.origin)
    assert np.allclose(again([picture]), found[:1], atol=1e-5)


def test_pictures_of_a_set_taken_for_real_are_those_of_training(translated_set: Path) -> None:
    frames = training_pictures(SimulatedSet(translated_set))
    assert [frame.path.parent.parent.name for frame in frames] == ["a"] * 3 + ["b"] * 3
    assert read_image(frames[0].path).shape == (64, 64, 3)


def test_a_name_becomes_a_folder() -> None:
    assert slug("rich, CT A (test)") == "rich-CT-A-test"
