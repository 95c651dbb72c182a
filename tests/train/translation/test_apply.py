"""A set translated, interrupted, continued, and learned from."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from tests.train.translation.products import tiny_product
from train.__main__ import main
from train.data import SimulatedSamples
from train.gallery import Gallery
from train.simulate.appearance import STORED, drawn
from train.simulate.dataset import Flag, Label, SimulatedSet
from train.translation.apply import Application, translate_set


@pytest.fixture(scope="module")
def translator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_product(tmp_path_factory.mktemp("translator"))


@pytest.fixture(scope="module")
def translated(
    tiny_set: Path, translator: Path, tmp_path_factory: pytest.TempPathFactory
) -> SimulatedSet:
    out = tmp_path_factory.mktemp("translated") / "set"
    return SimulatedSet(translate_set(Application(tiny_set, translator, out)))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_geometry_and_splits_are_those_of_the_source(
    tiny_set: Path, translated: SimulatedSet
) -> None:
    source = SimulatedSet(tiny_set)
    assert translated.splits == source.splits
    one, other = source.frame("d", 2), translated.frame("d", 2)
    assert np.array_equal(one.depth_mm, other.depth_mm)
    assert np.array_equal(one.instances, other.instances)


def test_every_frame_has_a_picture_with_its_labels(
    tiny_set: Path, translated: SimulatedSet
) -> None:
    frame = SimulatedSet(tiny_set).frame("a", 1)
    shown = drawn(translated, ("a", 1), np.random.default_rng(0), STORED)
    assert shown.image.std() > 0
    assert np.array_equal(shown.fold, frame.fold & shown.valid)
    assert np.array_equal(shown.edge, frame.edge & shown.valid)


def test_the_label_of_the_paper_can_be_read_from_stored_pictures(
    translated: SimulatedSet,
) -> None:
    data = SimulatedSet(translated.folder, Label.CURVATURE)
    shown = drawn(data, ("a", 1), np.random.default_rng(0), STORED)
    kept = np.asarray(data.sequence("a").arrays["picture_flags"][1])
    assert np.array_equal(shown.fold, ((kept & Flag.CREST) > 0) & shown.valid)


def test_the_manifest_says_whose_work_it_is(tiny_set: Path, translated: SimulatedSet) -> None:
    told = translated.manifest["translation"]
    assert told["translator"]["translator"] == "cyclegan"
    assert (told["style"], told["source"]) == ("plain", SimulatedSet(tiny_set).fingerprint)


def test_what_was_interrupted_ends_in_the_same_bytes(
    tiny_set: Path, translator: Path, translated: SimulatedSet, tmp_path: Path
) -> None:
    out = tmp_path / "set"
    translate_set(Application(tiny_set, translator, out))
    shutil.rmtree(out / "b")
    (out / "c").rename(out / "c.partial")
    (out / "manifest.json").unlink()
    kept_ns = (out / "a" / "image" / "000000.png").stat().st_mtime_ns
    translate_set(Application(tiny_set, translator, out))
    assert contents(out) == contents(translated.folder)
    assert (out / "a" / "image" / "000000.png").stat().st_mtime_ns == kept_ns


def test_further_styles_are_sequences_of_their_own(tiny_set: Path, tmp_path: Path) -> None:
    translator = tiny_product(tmp_path / "translator", style="vrcaps")
    data = SimulatedSet(translate_set(Application(tiny_set, translator, tmp_path / "set", 2)))
    assert data.splits["train"] == ["a", "a-2", "b", "b-2"]
    one, other = (data.sequence(name).picture(0) for name in ("a", "a-2"))
    assert one is not None
    assert other is not None
    assert not np.array_equal(one.image, other.image)


def test_stored_pictures_are_translated_as_they_are(
    translated: SimulatedSet, translator: Path, tmp_path: Path
) -> None:
    twice = SimulatedSet(
        translate_set(Application(translated.folder, translator, tmp_path / "set"))
    )
    assert twice.manifest["translation"]["style"] == STORED
    # Hard links: what is new must not reach the source's files.
    before, after = (data.sequence("a").picture(0) for data in (translated, twice))
    assert before is not None
    assert after is not None
    assert not np.array_equal(before.image, after.image)
    assert np.array_equal(before.flags, after.flags)


def test_given_pictures_have_no_second_style_without_a_translator_that_knows_it(
    translated: SimulatedSet, translator: Path, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="knows one style"):
        translate_set(Application(translated.folder, translator, tmp_path / "set", styles=2))


def test_another_translation_is_left_alone(
    tiny_set: Path, translated: SimulatedSet, translator: Path, tmp_path: Path
) -> None:
    other = tiny_product(tmp_path / "other", seed=1)
    with pytest.raises(RecipeError, match="another translation"):
        translate_set(Application(tiny_set, other, translated.folder))
    with pytest.raises(RecipeError, match="0 styles"):
        translate_set(Application(tiny_set, translator, translated.folder, styles=0))


def test_training_draws_the_stored_pictures(tiny_set: Path, translated: SimulatedSet) -> None:
    samples = SimulatedSamples(Gallery(translated, STORED, seed=1), "train", seed=1)
    assert samples[0].image.shape == (64, 64, 3)
    with pytest.raises(RecipeError, match="keeps no pictures"):
        SimulatedSamples(Gallery(SimulatedSet(tiny_set), STORED, seed=1), "train", seed=1)[0]


def test_the_command_line_translates(
    tiny_set: Path, translator: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    assert main(["translate", "apply", str(translator), str(tiny_set), "-o", str(out)]) == 0
    assert "5 translated sequences" in capsys.readouterr().out
    assert json.loads((out / "manifest.json").read_text())["splits"]["test"] == ["d", "e"]
