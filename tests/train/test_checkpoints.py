"""What a run goes on from, and what it writes down on its way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.errors import RecipeError
from train.checkpoints import checkpoint_of, log_progress, need_numbers, save_checkpoint


def test_a_run_goes_on_from_its_own_recipe_only(tmp_path: Path) -> None:
    path = tmp_path / "run" / "checkpoint.pt"
    assert checkpoint_of(path, {"seed": 1}) is None
    save_checkpoint(path, {"step": 3, "recipe": {"seed": 1}})
    assert checkpoint_of(path, {"seed": 1}) == {"step": 3, "recipe": {"seed": 1}}
    with pytest.raises(RecipeError, match="run holds a run of another recipe"):
        checkpoint_of(path, {"seed": 2})


def test_a_log_has_an_object_a_line(tmp_path: Path) -> None:
    for step in (1, 2):
        log_progress(tmp_path / "log.jsonl", step, 0.25 * step, {"losses": {"dice": 0.5}})
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[1]) == {"step": 2, "elapsed_s": 0.5, "losses": {"dice": 0.5}}


@pytest.mark.parametrize("lost", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_ends_the_run_by_its_name(lost: float) -> None:
    need_numbers({"dice": 0.5, "edge": 1e9}, 7)
    with pytest.raises(RecipeError, match="'edge' is no number any more at step 7"):
        need_numbers({"dice": 0.5, "edge": lost}, 7)
