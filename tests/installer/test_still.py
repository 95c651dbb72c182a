"""The still that the demo leaves beside its video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecordingError
from installer.still import fullest_frame, main, write_png


def frame_row(pts_s: float, *areas_px: float) -> dict[str, object]:
    return {"pts_s": pts_s, "folds": [{"area_px": area} for area in areas_px]}


def test_the_frame_with_the_most_folds_is_chosen() -> None:
    rows = [frame_row(0.0, 900.0), frame_row(0.5, 10.0, 20.0), frame_row(1.0)]
    assert fullest_frame(rows) == 0.5


def test_of_equals_the_frame_with_the_larger_folds_is_chosen() -> None:
    rows = [frame_row(0.0, 10.0), frame_row(0.5, 30.0), frame_row(1.0, 20.0)]
    assert fullest_frame(rows) == 0.5


def test_a_table_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="no frames"):
        fullest_frame([])


def test_colours_survive_in_the_picture(tmp_path: Path) -> None:
    image = np.full((4, 6, 3), (200, 30, 10), np.uint8)
    write_png(image, tmp_path / "still.png")
    assert cv2.imread(str(tmp_path / "still.png"))[0, 0].tolist() == [10, 30, 200]


def test_nothing_unfinished_is_left_beside_the_picture(tmp_path: Path) -> None:
    write_png(np.zeros((4, 6, 3), np.uint8), tmp_path / "still.png")
    assert [path.name for path in tmp_path.iterdir()] == ["still.png"]


def test_a_folder_that_is_not_there_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be written"):
        write_png(np.zeros((4, 6, 3), np.uint8), tmp_path / "absent" / "still.png")


def test_a_table_that_is_no_json_ends_in_two(tmp_path: Path) -> None:
    (tmp_path / "folds.json").write_text("{")
    assert main(tmp_path / "a.mp4", tmp_path / "folds.json", tmp_path / "a.png") == 2
