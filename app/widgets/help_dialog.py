"""Every key, and what this program is and is not."""

from __future__ import annotations

from importlib import metadata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.actions import ACTIONS, ActionRow, keys_text
from app.notices import NOT_FOR_DIAGNOSIS

_LEFT_GROUPS = ("Playback",)


class HelpDialog(QDialog):
    """The table of keys and the About text. Not modal: the video plays on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Haustra – keys and about")
        self.setModal(False)
        columns = QHBoxLayout()
        columns.setSpacing(3 * theme.MARGIN)
        groups = list(dict.fromkeys(row.group for row in ACTIONS))
        for side in (_LEFT_GROUPS, [group for group in groups if group not in _LEFT_GROUPS]):
            column = QVBoxLayout()
            column.setSpacing(theme.MARGIN)
            for group in side:
                column.addLayout(_table(group, [row for row in ACTIONS if row.group == group]))
            column.addStretch(1)
            columns.addLayout(column, 1)
        line = QFrame()
        line.setFixedHeight(1)
        line.setStyleSheet(f"background: {theme.EDGE};")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.close)
        body = QVBoxLayout(self)
        body.setContentsMargins(24, 20, 24, 16)
        body.setSpacing(theme.MARGIN)
        body.addLayout(columns)
        body.addWidget(line)
        body.addWidget(_about())
        body.addWidget(buttons)


def _table(group: str, rows: list[ActionRow]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(theme.MARGIN)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    title = QLabel(group)
    title.setObjectName("heading")
    grid.addWidget(title, 0, 0, 1, 2)
    for number, row in enumerate(rows, start=1):
        keys = QLabel(keys_text(row))
        keys.setMinimumWidth(110)
        keys.setStyleSheet(f"color: {theme.ACCENT};")
        grid.addWidget(keys, number, 0)
        grid.addWidget(QLabel(row.text), number, 1)
    return grid


def _about() -> QLabel:
    label = QLabel(about_text())
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def about_text() -> str:
    """Name, version, purpose, licence."""
    try:
        version = metadata.version("haustra")
    except metadata.PackageNotFoundError:
        version = "from source"
    return (
        f"Haustra {version}. {NOT_FOR_DIAGNOSIS}\n"
        "Shows haustral folds in colonoscopy video as they happen. Apache License 2.0."
    )
