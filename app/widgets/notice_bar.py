"""What happened and what to do, above the picture, never on it and never in the way."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app import theme
from app.icons import icon
from app.notices import Notice, NoticeKind

_EDGES = {
    NoticeKind.NOTE: theme.ACCENT,
    NoticeKind.WARNING: theme.LATE,
    NoticeKind.FAULT: theme.FAULT,
}


class NoticeBar(QWidget):
    """Shows one notice at a time, the newest; hidden while there is none."""

    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._waiting: list[Notice] = []
        self._what = _line(bold=True)
        self._remedy = _line(bold=False)
        self._close = QToolButton()
        self._close.setIcon(icon("close"))
        self._close.setIconSize(QSize(18, 18))
        self._close.setToolTip("Close the notice (Esc)")
        self._close.setAccessibleName("Close the notice")
        self._close.clicked.connect(self.dismiss)
        lines = QVBoxLayout()
        lines.setSpacing(2)
        lines.addWidget(self._what)
        lines.addWidget(self._remedy)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MARGIN - 4, 9, 10, 9)
        row.addLayout(lines, 1)
        row.addWidget(self._close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def notice(self) -> Notice | None:
        """What is shown."""
        return self._waiting[-1] if self._waiting else None

    def show_notice(self, notice: Notice) -> None:
        """Show `notice`; the one before comes back when this one is closed."""
        self._waiting = [*(old for old in self._waiting if old != notice), notice][-4:]
        self._present()

    def dismiss(self) -> None:
        """Close the notice that is shown."""
        if self._waiting:
            self._waiting.pop()
            self._present()
            self.dismissed.emit()

    def _present(self) -> None:
        notice = self.notice
        self.setVisible(notice is not None)
        if notice is None:
            return
        self._what.setText(notice.what)
        self._remedy.setText(notice.remedy)
        self._remedy.setVisible(bool(notice.remedy))
        self.setAccessibleName(f"{notice.what} {notice.remedy}")
        self.setStyleSheet(
            f"QWidget#notice {{ background: {theme.RAISED};"
            f" border-left: 4px solid {_EDGES[notice.kind]}; }}"
        )


def _line(*, bold: bool) -> QLabel:
    label = QLabel()
    label.setFont(theme.font(theme.PANEL_PT, bold=bold))
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
