"""What is measured of a bundle; the bundle that is shipped stands in for any."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.bundle import ModelBundle
from engine.errors import RecipeError
from train.__main__ import main
from train.evaluate import EvaluationPlaces, evaluate
from train.real import Half, half_of
from train.translation.judges import BUNDLED


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return ModelBundle.open(BUNDLED)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("real")
    picture = np.full((64, 64, 3), 140, np.uint8)
    bright = np.full((64, 64, 3), 255, np.uint8)
    pictures = {f"cp_child_mucosa/CP-CHILD-{name}_Test_1.jpg": picture for name in "AB"}
    pictures |= {f"kvasir_seg/images/{number}.jpg": bright for number in range(4)}
    pictures |= {f"kvasir_seg/polyp_masks/{number}.png": bright for number in range(4)}
    pictures["bkai_neopolyp/images/1.jpg"] = picture
    for name, image in pictures.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name), image)
    return folder


def test_the_table_has_a_line_for_every_measure(
    bundle: ModelBundle, tiny_set: Path, real: Path, tmp_path: Path
) -> None:
    places = EvaluationPlaces(tiny_set, tiny_set, real, tmp_path / "s", tmp_path / "r")
    found = evaluate(bundle, places)
    unseen = sum(half_of(str(number)) is Half.TEST for number in range(4))
    frames = [figure.frames for figure in found.figures]
    # Simulated; flat mucosa; Kvasir with polyps; BKAI, of which nothing is known.
    assert frames == [6] * 6 + [1, 1, 2] + [unseen] * 9 + [1] * 7
    assert len(list((tmp_path / "s").iterdir())) == 2
    assert len(list((tmp_path / "r").iterdir())) == 3


def test_real_frames_alone_can_be_measured_and_nothing_cannot(
    bundle: ModelBundle, real: Path
) -> None:
    found = evaluate(bundle, EvaluationPlaces(real=real))
    assert not [figure for figure in found.figures if "IoU" in figure.name]
    with pytest.raises(RecipeError, match="nothing to measure"):
        evaluate(bundle, EvaluationPlaces())


def test_polyps_are_counted_where_they_are_marked(bundle: ModelBundle, real: Path) -> None:
    figures = {each.name: each for each in evaluate(bundle, EvaluationPlaces(real=real)).figures}
    # The marked polyp is the whole picture, and all of it is one sheet.
    names = ("polyps", "highlights and sheets on polyps", "over-exposed sheets", "whole view")
    kvasir = [figures[f"Kvasir-SEG, unseen half: {name} called fold"].measured for name in names]
    assert len({measured.value for measured in kvasir}) == 1


def test_a_contact_sheet_is_drawn_by_the_verb(
    bundle: ModelBundle, real: Path, tmp_path: Path
) -> None:
    arguments = ["evaluate", str(bundle.path), "--contact", str(tmp_path / "c")]
    assert main([*arguments, "--real", str(real)]) == 0
    assert {path.name for path in (tmp_path / "c").iterdir()} == {"real-1.jpg", "tally.csv"}
    assert main(arguments) == 2
