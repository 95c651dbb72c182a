"""Untrained translators held against each other on tiny scenes."""

import csv
import json
import shutil
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
from train.translation.evaluation import UNTRANSLATED, Trial, evaluate_translators, named
from train.translation.judges import FIGURES
from train.translation.verdict import Verdict


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
        tiny_set, named(translators), folder / "out", real, depth_weights=weights, frames=4
    )


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
    lines = list(csv.DictReader((trial.out / "translation.csv").read_text().splitlines()))
    assert [line["pictures"] for line in lines] == [row.name for row in verdict.rows]
    edges = verdict.rows[1].structure[FIGURES.index("edges")]
    assert float(lines[1]["edges, low"]) == pytest.approx(edges.low, rel=1e-4)
    assert lines[-1]["edges"] == ""


def test_real_frames_are_shown_outside_repositories_only(
    trial: Trial, verdict: Verdict, tmp_path: Path
) -> None:
    assert (trial.out / "sheet.jpg").is_file()
    assert (trial.out / "DO-NOT-COMMIT-beside-real.jpg").is_file()
    (tmp_path / ".git").mkdir()
    evaluate_translators(replace(trial, out=tmp_path / "out", frames=4))
    assert [path.name for path in sorted((tmp_path / "out").glob("*.jpg"))] == ["sheet.jpg"]


def test_seeds_of_a_translator_are_averaged_scene_by_scene(
    trial: Trial, verdict: Verdict, tmp_path: Path
) -> None:
    both = [folder for folders in trial.translators.values() for folder in folders]
    found = evaluate_translators(replace(trial, translators={"both": both}, out=tmp_path))
    one, other = verdict.rows[1:3]
    assert [row.name for row in found.rows] == [UNTRANSLATED, "both", SEEN]
    assert [row.name for row in found.runs] == ["both, one", "both, other"]
    edges = FIGURES.index("edges")
    middle = (one.structure[edges].value + other.structure[edges].value) / 2
    assert found.rows[1].structure[edges].value == pytest.approx(middle)
    kernels = [row.realism[UNSEEN][0] for row in (one, other)]
    merged = found.rows[1].realism[UNSEEN][0]
    assert merged.value == pytest.approx(sum(each.value for each in kernels) / 2)
    assert (merged.low, merged.high) == (
        min(each.low for each in kernels), max(each.high for each in kernels)
    )  # fmt: skip


def test_differences_can_refer_to_any_row(trial: Trial, tmp_path: Path) -> None:
    found = evaluate_translators(replace(trial, out=tmp_path, real=None, against="one"))
    assert all(figure.value == 0 for figure in found.rows[1].change)
    assert "less one" in found.table()
    assert found.rows[1].realism == {}


def test_rows_are_called_like_runs_and_like_their_folders_where_these_agree() -> None:
    found = named([Path("/a/plain/translator"), Path("/a/depth")])
    assert found == {"plain": [Path("/a/plain/translator")], "depth": [Path("/a/depth")]}
    rows = [Path(f"/a/{row}/seed-1/translator") for row in ("plain", "depth")]
    assert list(named(rows)) == ["plain/seed-1", "depth/seed-1"]


def test_what_cannot_be_compared_is_refused(trial: Trial, tmp_path: Path) -> None:
    bad = tiny_product(tmp_path / "bad", style="rich")
    with pytest.raises(RecipeError, match="different pictures: plain, rich"):
        evaluate_translators(replace(trial, translators={**trial.translators, "bad": [bad]}))
    with pytest.raises(RecipeError, match="3 frames are too few"):
        evaluate_translators(replace(trial, frames=3))
    with pytest.raises(RecipeError, match="one name"):
        named([*trial.translators["one"], *trial.translators["one"]])
    with pytest.raises(RecipeError, match="no row 'third'"):
        evaluate_translators(replace(trial, against="third"))
    with pytest.raises(RecipeError, match="no split 'exam'"):
        evaluate_translators(replace(trial, split="exam"))
    with pytest.raises(RecipeError, match="fewer than two validation"):
        evaluate_translators(replace(trial, split="validation"))


def test_a_video_tells_of_flicker(trial: Trial, tmp_path: Path) -> None:
    video = tmp_path / "video"
    shutil.copytree(trial.simulated, video)
    for name in ("d", "e"):
        np.save(video / name / "times.npy", 0.02 * np.arange(3))
    found = evaluate_translators(replace(trial, real=None, video=video, out=tmp_path / "out"))
    header = next(line for line in found.table().splitlines() if line.startswith("| pictures"))
    assert header.endswith("| edges | flicker |")
    assert found.rows[0].manner == (None, None)
    steady = found.rows[1].manner[0]
    assert steady is not None
    assert steady.value >= 0


def test_too_few_real_pictures_are_refused(trial: Trial, tmp_path: Path) -> None:
    for number in range(8):
        cv2.imwrite(str(tmp_path / f"sequence{number}.png"), np.full((48, 64, 3), 90, np.uint8))
    with pytest.raises(SourceNotFoundError, match="fewer than 8 unseen real pictures, or all are"):
        evaluate_translators(replace(trial, real=tmp_path, frames=4))
    (tmp_path / "sequence1.png").rename(tmp_path / "another.png")
    (tmp_path / "sequence2.png").unlink()
    with pytest.raises(SourceNotFoundError, match="fewer than 8"):
        evaluate_translators(replace(trial, real=tmp_path, frames=4))


def test_the_command_line_prints_the_table(
    trial: Trial, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["translate", "evaluate", str(trial.simulated), str(trial.translators["one"][0])]
    arguments += ["-o", str(tmp_path), "--weights", str(trial.depth_weights), "--frames", "4"]
    assert main(arguments) == 0
    assert "| one |" in capsys.readouterr().out
