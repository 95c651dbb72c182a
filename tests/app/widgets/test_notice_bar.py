from __future__ import annotations

from pytestqt.qtbot import QtBot

from app.notices import Notice
from app.widgets.notice_bar import NoticeBar

_FIRST = Notice("There is no file a.mp4.", "Choose another file.")
_SECOND = Notice("b.mp4 has no pictures.")


def _bar(qtbot: QtBot) -> NoticeBar:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    return bar


def test_without_a_notice_the_bar_takes_no_room(qtbot: QtBot) -> None:
    assert _bar(qtbot).isHidden()


def test_a_notice_says_what_and_remedy(qtbot: QtBot) -> None:
    bar = _bar(qtbot)
    bar.show_notice(_FIRST)
    assert bar.accessibleName() == "There is no file a.mp4. Choose another file."


def test_a_closed_notice_gives_way_to_the_one_before(qtbot: QtBot) -> None:
    bar = _bar(qtbot)
    bar.show_notice(_FIRST)
    bar.show_notice(_SECOND)
    bar.dismiss()
    assert bar.notice == _FIRST


def test_the_same_notice_twice_is_closed_once(qtbot: QtBot) -> None:
    bar = _bar(qtbot)
    bar.show_notice(_FIRST)
    bar.show_notice(_FIRST)
    bar.dismiss()
    assert bar.isHidden()


def test_closing_is_reported(qtbot: QtBot) -> None:
    bar = _bar(qtbot)
    bar.show_notice(_FIRST)
    with qtbot.waitSignal(bar.dismissed, timeout=1000):
        bar.dismiss()
