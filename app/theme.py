"""One dark, neutral look: palette, style sheet, sizes and fonts, all in one place.

Colour means identity or state, never decoration. Sizes are points for text, pixels for space.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

BACKGROUND = "#14171a"
PANEL = "#1c2126"
RAISED = "#2a3138"
EDGE = "#343c45"
TEXT = "#d7dde3"
DIM = "#8b97a3"
ACCENT = "#56b4e9"
PICTURE_BACKGROUND = "#0b0d0f"

LIVE = "#3ddbaa"
LATE = "#f0d442"
FAULT = "#ff7a66"
QUIET = "#aeb8c2"

PANEL_PT = 11
SMALL_PT = 10
STATUS_PT = 16
PANEL_WIDTH = 316
MARGIN = 16
GAP = 8


def font(points: float, *, bold: bool = False) -> QFont:
    """The system's font at `points`."""
    made = QFont(QApplication.font())
    made.setPointSizeF(points)
    made.setBold(bold)
    return made


def figures(points: float) -> QFont:
    """A font in which all figures are equally wide, so that running times do not wobble."""
    made = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    made.setPointSizeF(points)
    return made


def apply_theme(application: QApplication) -> None:
    """Give the whole application the dark look, whatever the desktop's own theme is."""
    application.setStyle("Fusion")
    text_font = application.font()
    text_font.setPointSizeF(PANEL_PT)
    application.setFont(text_font)
    application.setPalette(_palette())
    application.setStyleSheet(style_sheet())


def _palette() -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, colour in {
        role.Window: BACKGROUND,
        role.WindowText: TEXT,
        role.Base: PANEL,
        role.AlternateBase: RAISED,
        role.Text: TEXT,
        role.PlaceholderText: DIM,
        role.Button: RAISED,
        role.ButtonText: TEXT,
        role.ToolTipBase: RAISED,
        role.ToolTipText: TEXT,
        role.Highlight: ACCENT,
        role.HighlightedText: BACKGROUND,
        role.Link: ACCENT,
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor("#5b6570"))
    return palette


def style_sheet() -> str:
    """What a palette cannot say: edges, corners, hover and focus."""
    return f"""
    QWidget#panel, QWidget#transport, QWidget#status {{ background: {PANEL}; }}
    QWidget#transport {{ border-top: 1px solid {EDGE}; }}
    QWidget#status {{ border-bottom: 1px solid {EDGE}; }}
    QWidget#panel {{ border-left: 1px solid {EDGE}; }}
    QLabel#dim {{ color: {DIM}; }}
    QLabel#heading {{ color: {DIM}; font-weight: 600; }}
    QToolButton {{
        background: transparent; color: {TEXT}; border: 1px solid transparent;
        border-radius: 4px; padding: 5px 7px;
    }}
    QToolButton:hover {{ background: {RAISED}; }}
    QToolButton:pressed {{ background: {EDGE}; }}
    QToolButton:focus {{ border-color: {ACCENT}; }}
    QToolButton:checked {{ background: {RAISED}; border-color: {ACCENT}; }}
    QToolButton#segment {{
        background: {BACKGROUND}; color: {DIM}; border: 1px solid {EDGE}; border-radius: 0;
        padding: 5px 4px;
    }}
    QToolButton#segment:hover {{ color: {TEXT}; }}
    QToolButton#segment:checked {{ background: {EDGE}; color: {TEXT}; font-weight: 600; }}
    QToolButton#segment:focus {{ border-color: {ACCENT}; }}
    QToolButton[popupMode="1"] {{ padding-right: 20px; }}
    QToolButton::menu-button {{ border: none; width: 16px; }}
    QToolButton[popupMode="2"] {{ padding-right: 18px; }}
    QToolButton::menu-indicator {{
        subcontrol-origin: padding; subcontrol-position: center right; right: 4px;
    }}
    QToolTip {{
        background: {RAISED}; color: {TEXT}; border: 1px solid {EDGE}; padding: 4px 6px;
    }}
    QSlider {{ min-height: 22px; background: transparent; }}
    QSlider::groove:horizontal {{ height: 4px; background: {EDGE}; border-radius: 2px; }}
    QSlider::sub-page:horizontal {{ background: {ACCENT}; border-radius: 2px; }}
    QSlider::sub-page:horizontal:disabled {{ background: {EDGE}; }}
    QSlider::handle:horizontal {{
        background: {TEXT}; width: 14px; height: 14px; margin: -5px 0; border-radius: 7px;
    }}
    QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {ACCENT}; }}
    QSlider::handle:horizontal:disabled {{ background: {EDGE}; }}
    QScrollArea {{ border: none; }}
    """
