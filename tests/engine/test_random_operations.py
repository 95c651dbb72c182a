"""Some random operations on every awkward file; benchmarks/random_operations.py does 10,000."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.random_operations import CLIPS, Operator


@pytest.mark.parametrize("name", CLIPS)
def test_picture_time_and_folds_agree_whatever_one_does(tmp_path: Path, name: str) -> None:
    outcome = Operator(name, tmp_path, seed=1).run(60)
    assert sum(outcome.wrong.values()) == 0, outcome.wrong
    assert outcome.matched > 30
    assert outcome.seeks > 0
