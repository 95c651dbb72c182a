from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.widgets.backend_choice import TITLES, BackendChoice
from engine.backends import AUTOMATIC, BACKENDS


def _entries(choice: BackendChoice) -> dict[str, QAction]:
    (menu,) = choice.findChildren(QMenu)
    return {entry.text(): entry for entry in menu.actions()}


def test_every_back_end_is_offered_and_the_automatic_choice() -> None:
    assert set(TITLES) == {AUTOMATIC, *BACKENDS}


def test_the_one_that_is_wanted_is_marked_and_named(qtbot: QtBot) -> None:
    choice = BackendChoice()
    qtbot.addWidget(choice)
    choice.set_wanted("onnxruntime")
    marked = [name for name, entry in _entries(choice).items() if entry.isChecked()]
    assert marked == ["ONNX Runtime"]
    assert choice.texts() == ("ONNX Runtime", "")


def test_only_the_user_reports_a_choice(qtbot: QtBot) -> None:
    choice = BackendChoice()
    qtbot.addWidget(choice)
    with qtbot.assertNotEmitted(choice.chosen):
        choice.set_wanted("openvino")
    with qtbot.waitSignal(choice.chosen) as chosen:
        _entries(choice)["TensorRT"].trigger()
    assert chosen.args == ["tensorrt"]


def test_the_line_below_says_why_it_is_the_one_that_runs(qtbot: QtBot) -> None:
    choice = BackendChoice()
    qtbot.addWidget(choice)
    choice.set_reason("fastest of openvino 4.1 ms, onnxruntime 6.3 ms")
    assert choice.texts() == ("Automatic", "fastest of openvino 4.1 ms, onnxruntime 6.3 ms")


def test_a_name_from_old_settings_is_shown_as_it_is(qtbot: QtBot) -> None:
    choice = BackendChoice()
    qtbot.addWidget(choice)
    choice.set_wanted("directml")
    assert choice.texts()[0] == "directml"
