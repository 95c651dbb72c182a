"""Beside the picture: how folds are shown, how fast it goes, and a few buttons."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from app import theme
from app.actions import ActionId
from app.widgets.overlay_panel import OverlayPanel
from app.widgets.performance_panel import PerformancePanel


class SidePanel(QWidget):
    """A column of fixed width."""

    def __init__(self, actions: Mapping[ActionId, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(theme.PANEL_WIDTH)
        self.overlay = OverlayPanel(actions)
        self.performance = PerformancePanel()
        column = QVBoxLayout(self)
        column.setContentsMargins(theme.MARGIN, theme.MARGIN, theme.MARGIN, theme.MARGIN - 4)
        column.setSpacing(theme.GAP)
        column.addWidget(self.overlay)
        column.addSpacing(theme.MARGIN)
        column.addWidget(self.performance, 1)
        column.addStretch(1)
        column.addLayout(_buttons(actions))


def _buttons(actions: Mapping[ActionId, QAction]) -> QHBoxLayout:
    row = QHBoxLayout()
    open_button = _button(actions[ActionId.OPEN])
    open_button.setText(" Open")
    open_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    row.addWidget(open_button)
    row.addStretch(1)
    for which in (ActionId.SELF_TEST, ActionId.FULL_SCREEN, ActionId.HELP):
        row.addWidget(_button(actions[which]))
    return row


def _button(action: QAction) -> QToolButton:
    button = QToolButton()
    button.setDefaultAction(action)
    button.setIconSize(QSize(20, 20))
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
