from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecordingError
from train.sheets import contact_sheet, save_picture


def grey(value: int) -> np.ndarray:
    return np.full((2, 3, 3), value, np.uint8)


def test_tiles_fill_rows_and_the_last_row_is_padded_with_black() -> None:
    sheet = contact_sheet([grey(1), grey(2), grey(3)], 2)
    assert sheet.shape == (4, 6, 3)
    assert sheet[0::2, 0::3, 0].tolist() == [[1, 2], [3, 0]]


def test_a_saved_picture_keeps_its_colours(tmp_path: Path) -> None:
    image = np.dstack([grey(10)[..., 0], grey(20)[..., 0], grey(30)[..., 0]])
    path = save_picture(tmp_path / "new" / "sheet.png", image)
    assert np.array_equal(cv2.imread(str(path))[..., ::-1], image)
    assert [each.name for each in path.parent.iterdir()] == ["sheet.png"]


@pytest.mark.parametrize("name", ["sheet.unknown", "taken"])
def test_what_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(RecordingError, match="cannot be written"):
        save_picture(tmp_path / name, grey(1))
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]
