"""What finds the folds: the back end the user wants, and why it is the one that runs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

from app.actions import ActionId, keys_text, row_of
from engine.backends import AUTOMATIC

TITLES = {
    AUTOMATIC: "Automatic",
    "openvino": "OpenVINO",
    "onnxruntime": "ONNX Runtime",
    "tensorrt": "TensorRT",
}
"""By name in `engine.backends.BACKENDS`, in the order of the menu."""


class BackendChoice(QWidget):
    """A button with a menu of all back ends, below it one line about the one that runs."""

    chosen = Signal(str)
    """The name of a back end, or `AUTOMATIC`. Only by the user."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._menu = QMenu(self)
        self._group = QActionGroup(self)
        self._by_name = {name: self._entry(name) for name in TITLES}
        self._button = QToolButton()
        self._button.setMenu(self._menu)
        self._button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = row_of(ActionId.BACKEND)
        self._button.setToolTip(f"{row.tooltip} ({keys_text(row)})")
        label = QLabel("Back end")
        label.setObjectName("dim")
        label.setBuddy(self._button)
        self._reason = QLabel(alignment=Qt.AlignmentFlag.AlignRight, wordWrap=True)
        line = QHBoxLayout()
        line.addWidget(label)
        line.addStretch(1)
        line.addWidget(self._button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(line)
        column.addWidget(self._reason)
        self.set_wanted(AUTOMATIC)
        self.set_reason("")

    def _entry(self, name: str) -> QAction:
        entry = self._menu.addAction(TITLES[name])
        entry.setCheckable(True)
        entry.triggered.connect(lambda _checked=False: self.chosen.emit(name))
        self._group.addAction(entry)
        return entry

    def set_wanted(self, name: str) -> None:
        """Show which one the user wants, without reporting it back."""
        if name in self._by_name:
            self._by_name[name].setChecked(True)
        self._button.setText(TITLES.get(name, name))

    def set_reason(self, text: str) -> None:
        """Why it is the one that runs; empty without a model."""
        # A figure and its unit stay on one line.
        self._reason.setText(text.replace(" ms", "\N{NO-BREAK SPACE}ms"))
        self._reason.setVisible(bool(text))

    def texts(self) -> tuple[str, str]:
        """On the button, and the line below, as shown."""
        return self._button.text(), self._reason.text().replace("\N{NO-BREAK SPACE}", " ")

    def open_menu(self) -> None:
        """Show the menu; arrows and Enter choose."""
        self._menu.popup(self._button.mapToGlobal(self._button.rect().bottomLeft()))

    @property
    def is_open(self) -> bool:
        """The menu is shown."""
        return self._menu.isVisible()
