"""Tables and charts of what was measured."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.distributions import (
    PROCEDURAL,
    QUANTITIES,
    compare,
    measure_procedural,
    measure_scans,
    table,
    write_report,
)
from train.simulate.morphometry import Morphometry


def sample(low: float, high: float) -> Morphometry:
    return Morphometry(*(np.linspace(low, high, 101) for _ in QUANTITIES))


def test_distance_is_the_largest_gap_of_two_distributions() -> None:
    # The halves of one range apart: where the lower one ends, it is all below, the other none.
    rows = compare({PROCEDURAL: sample(0, 10), "far": sample(20, 30), "same": sample(0, 10)})
    distances = {row.source: row.distance for row in rows if row.quantity == "height_mm"}
    assert distances == {PROCEDURAL: None, "far": 1.0, "same": 0.0}


def test_the_table_has_a_row_for_each_quantity_and_source() -> None:
    text = table(compare({PROCEDURAL: sample(0, 10), "scan": sample(5, 15)}))
    assert len(text.splitlines()) == 2 + 2 * len(QUANTITIES)
    assert "| height_mm | scan | 101 | 5.5 | 7.5 | 10.0 | 12.5 | 14.5 | 0.50 |" in text


def test_the_report_is_written(tmp_path: Path) -> None:
    text = write_report({PROCEDURAL: sample(0, 10)}, tmp_path / "new")
    assert (tmp_path / "new/anatomy.md").read_text().strip() == text
    rows = json.loads((tmp_path / "new/anatomy.json").read_text())
    assert rows[0]["quantiles"] == [0.5, 2.5, 5.0, 7.5, 9.5]
    assert (tmp_path / "new/anatomy.png").stat().st_size > 1000


def test_a_folder_without_scans_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"ct_A_mm\.ply"):
        measure_scans(tmp_path)


def test_procedural_colons_have_folds_like_adults() -> None:
    found = measure_procedural(3, first=5, workers=1)
    assert len(found.height_mm) > 15
    assert 3 < np.median(found.height_mm) < 12
    assert 15 < np.median(found.spacing_mm) < 60
    assert 11 < np.median(found.radius_mm) < 30
