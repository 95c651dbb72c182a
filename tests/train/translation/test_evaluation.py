"""Untrained translators held against each other on tiny scenes."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from engine.errors import RecipeError, SourceNotFoundError
from tests.train.translation.products import tiny_product
from train.__main__ import main
from train.depth.colon import save_colon
from train.networks.colon_depth import build_colon_depth
from train.translation.closeness import SEEN, UNSEEN
from train.translation.evaluation import UNTRANSLATED, Trial, Verdict, evaluate_translators
from train.translation.judges import FIGURES


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coloured noise in the place of Kvasir-SEG, some of it never seen."""
    folder = tmp_path_factory.mktemp("real")
    rng = np.random.default_rng(2)
    for place in ("images", "polyp_masks"):
        (folder / "kvasir_seg" / place).mkdir(parents=True)
    for number in range(40):
        image = rng.integers(40, 200, (48, 64, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / f"kvasir_seg/images/still{number}x.png"), image)
        cv2.imwrite(str(folder / f"kvasir_seg/polyp_masks/still{number}x.png"), image * 0)
    return folder


@pytest.fixture(scope="module")
def trial(tiny_set: Path, real: Path, tmp_path_factory: pytest.TempPathFactory) -> Trial:
    folder = tmp_path_factory.mktemp("trial")
    torch.manual_seed(1)
    weights = save_colon(folder / "depth.safetensors", build_colon_depth(pretrained=False), 64, "-")
    translators = [tiny_product(folder / name / "translator", seed) for seed, name in
                   enumerate(("one", "other"))]  # fmt: skip
    return Trial(
        tiny_set, translators, folder / "out", real, depth_weights=weights, frames=4
    )  # fmt: skip


@pytest.fixture(scope="module")
def verdict(trial: Trial) -> Verdict:
    return evaluate_translators(trial)


def test_every_translator_has_its_row_between_untranslated_and_real(verdict: Verdict) -> None:
    assert [row.name for row in verdict.rows] == [UNTRANSLATED, "one", "other", SEEN]
    assert all(len(row.structure) == len(FIGURES) for row in verdict.rows[:3])


def test_what_is_not_translated_has_not_changed(verdict: Verdict) -> None:
    assert all(figure.value == 0 for figure in verdict.rows[0].change)
    changed = dict(zip(FIGURES, verdict.rows[1].change, strict=True))
    assert changed["edges"].value != 0


def test_noise_is_nearer_to_noise_than_colons_are(verdict: Verdict) -> None:
    kernel, frechet = (
        {row.name: row.realism[UNSEEN][kind].value for row in verdict.rows} for kind in (0, 1)
    )
    assert kernel[SEEN] < kernel[UNTRANSLATED]
    assert frechet[SEEN] < frechet[UNTRANSLATED]


def test_the_files_hold_every_figure_and_no_unknown_number(trial: Trial, verdict: Verdict) -> None:
    text = (trial.out / "translation.json").read_text()
    told = json.loads(text)
    assert "NaN" not in json.dumps(told["frames"])
    assert len(told["frames"]) == 3 * verdict.scenes
    assert (trial.out / "translation.md").read_text() == verdict.table() + "\n"
    assert verdict.table().count("| one |") == 2


def test_real_frames_are_shown_outside_repositories_only(
    trial: Trial, verdict: Verdict, tmp_path: Path
) -> None:
    assert (trial.out / "sheet.jpg").is_file()
    assert (trial.out / "DO-NOT-COMMIT-beside-real.jpg").is_file()
    (tmp_path / ".git").mkdir()
    evaluate_translators(replace(trial, out=tmp_path / "out", frames=4))
    assert [path.name for path in sorted((tmp_path / "out").glob("*.jpg"))] == ["sheet.jpg"]


def test_differences_can_refer_to_any_row(trial: Trial, tmp_path: Path) -> None:
    found = evaluate_translators(replace(trial, out=tmp_path, real=None, against="one"))
    assert all(figure.value == 0 for figure in found.rows[1].change)
    assert "less one" in found.table()
    assert found.rows[1].realism == {}


def test_what_cannot_be_compared_is_refused(trial: Trial, tmp_path: Path) -> None:
    bad = tiny_product(tmp_path / "bad", style="rich")
    with pytest.raises(RecipeError, match="different pictures: plain, rich"):
        evaluate_translators(replace(trial, translators=[*trial.translators, bad]))
    with pytest.raises(RecipeError, match="3 frames are too few"):
        evaluate_translators(replace(trial, frames=3))
    with pytest.raises(RecipeError, match="one name"):
        evaluate_translators(replace(trial, translators=[trial.translators[0]] * 2))
    with pytest.raises(RecipeError, match="no row 'third'"):
        evaluate_translators(replace(trial, against="third"))
    with pytest.raises(RecipeError, match="no split 'exam'"):
        evaluate_translators(replace(trial, split="exam"))
    with pytest.raises(RecipeError, match="fewer than two validation"):
        evaluate_translators(replace(trial, split="validation"))


def test_too_few_real_pictures_are_refused(trial: Trial, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "lonely.png"), np.full((48, 64, 3), 90, np.uint8))
    with pytest.raises(SourceNotFoundError, match="fewer than 8"):
        evaluate_translators(replace(trial, real=tmp_path, frames=4))


def test_the_command_line_prints_the_table(
    trial: Trial, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["translate", "evaluate", str(trial.simulated), str(trial.translators[0])]
    arguments += ["-o", str(tmp_path), "--weights", str(trial.depth_weights), "--frames", "4"]
    assert main(arguments) == 0
    assert "| one |" in capsys.readouterr().out
