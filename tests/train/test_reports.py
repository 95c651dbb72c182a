import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecordingError
from train.reports import write_report


def test_a_report_is_a_table_figures_and_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    write_report(folder, "found", "| a |", {"a": 1}, {"sheet.png": np.zeros((2, 2, 3), np.uint8)})
    assert sorted(each.name for each in folder.iterdir()) == ["found.json", "found.md", "sheet.png"]
    assert (folder / "found.md").read_text() == "| a |\n"
    assert json.loads((folder / "found.json").read_text()) == {"a": 1}


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(RecordingError, match="cannot be written"):
        write_report(tmp_path / "taken", "found", "", {})
