from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app.icons import NAMES, icon


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_icon_leaves_marks_inside_its_square(qtbot: QtBot, name: str) -> None:
    image = icon(name).pixmap(48, 48).toImage()
    alpha = [image.pixelColor(x, y).alpha() for x in range(48) for y in range(48)]
    assert 20 < sum(value > 128 for value in alpha) < 48 * 48 // 2


def test_an_unknown_icon_is_an_error(qtbot: QtBot) -> None:
    with pytest.raises(KeyError):
        icon("unicorn")
