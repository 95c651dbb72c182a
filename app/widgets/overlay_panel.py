"""How many folds are in view, in which colours, and how they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAction, QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.actions import ActionId, keys_text, row_of
from app.widgets.video_view import OverlayLook
from engine.overlay import colour_of
from engine.shown import Mode
from engine.types import FoldInstance

_SWATCH = QSize(22, 16)
_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End)


class Swatches(QWidget):
    """One small outlined field in the colour of each fold in view."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tracks: tuple[int, ...] = ()
        self.setFixedHeight(_SWATCH.height() + 2)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_tracks(self, tracks: tuple[int, ...]) -> None:
        """Show these identities."""
        if tracks != self._tracks:
            self._tracks = tracks
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Left to right, as many as fit; the rest as a number."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        step = _SWATCH.width() + 6
        columns = max(1, (self.width() + 6) // step)
        fits = len(self._tracks) <= columns
        for column, track in enumerate(self._tracks[: columns if fits else columns - 1]):
            colour = QColor(*colour_of(track))
            fill = QColor(colour)
            fill.setAlphaF(0.3)
            painter.setPen(QPen(colour, 2))
            painter.setBrush(fill)
            box = QRectF(column * step + 1, 1, _SWATCH.width() - 2, _SWATCH.height() - 2)
            painter.drawRoundedRect(box, 3, 3)
        if not fits:
            painter.setPen(QColor(theme.DIM))
            rest = self.rect().adjusted((columns - 1) * step, 0, 0, 0)
            more = f"+{len(self._tracks) - columns + 1}"
            painter.drawText(rest, int(Qt.AlignmentFlag.AlignVCenter), more)


class KeyedSlider(QSlider):
    """A slider that keeps the arrow keys to itself while it has the focus."""

    def event(self, event: QEvent) -> bool:
        """Claim the arrows before the window's shortcuts do."""
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in _ARROWS
        ):
            event.accept()
            return True
        return super().event(event)


class OverlayPanel(QWidget):
    """Folds in view, the switch, opacity, fill or outline, matched or low latency."""

    look_changed = Signal(OverlayLook)
    mode_chosen = Signal(Mode)

    def __init__(self, actions: Mapping[ActionId, QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._look = OverlayLook()
        self._count = QLabel()
        self._count.setFont(theme.font(theme.STATUS_PT))
        self._swatches = Swatches()
        self._shown = _segment("Shown", row_of(ActionId.OVERLAY).id)
        self._hidden = _segment("Hidden", row_of(ActionId.OVERLAY).id)
        self._fill = _segment("Fill", row_of(ActionId.FILL).id)
        self._outline = _segment("Outline", row_of(ActionId.FILL).id)
        self._matched = _segment("Matched", row_of(ActionId.MODE).id)
        self._newest = _segment("Low latency", row_of(ActionId.MODE).id)
        self._slider = KeyedSlider(Qt.Orientation.Horizontal)
        self._slider.setRange(10, 100)
        self._slider.setSingleStep(5)
        self._slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._slider.setAccessibleName("Opacity of the folds")
        self._percent = QLabel()
        self._percent.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._percent.setFixedWidth(self._percent.fontMetrics().horizontalAdvance("100 %") + 4)
        self._groups = [_pair(self._shown, self._hidden), _pair(self._fill, self._outline)]
        mode_pair = _pair(self._matched, self._newest)
        mode_pair.buttonClicked.connect(lambda _button: self.mode_chosen.emit(self._chosen_mode()))
        self._arrange()
        for group in self._groups:
            group.buttonClicked.connect(lambda _button: self._report())
        self._slider.valueChanged.connect(lambda _value: self._report())
        self.set_look(self._look)
        self.set_mode(Mode.MATCHED)
        self.set_folds(None)

    def _arrange(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.GAP)
        column.addWidget(heading("Folds"))
        column.addWidget(self._count)
        column.addWidget(self._swatches)
        column.addSpacing(4)
        column.addLayout(_row("Folds are", self._shown, self._hidden))
        column.addLayout(_row("Drawn as", self._fill, self._outline))
        column.addLayout(_row("Timing", self._matched, self._newest, (7, 9)))
        row = QHBoxLayout()
        row.addWidget(_dim("Opacity"))
        row.addSpacing(theme.GAP)
        row.addWidget(self._slider, 1)
        row.addWidget(self._percent)
        column.addLayout(row)

    def set_folds(self, folds: Sequence[FoldInstance] | None) -> None:
        """The folds of the picture on screen; None while they are not known."""
        if folds is None:
            self._count.setText("–")
            self._swatches.set_tracks(())
            return
        self._count.setText(f"{len(folds)} in view")
        self._swatches.set_tracks(tuple(sorted({fold.track for fold in folds})))

    def set_look(self, look: OverlayLook) -> None:
        """Show how folds are drawn, without reporting it back."""
        self._look = look
        (self._shown if look.is_on else self._hidden).setChecked(True)
        (self._fill if look.is_filled else self._outline).setChecked(True)
        self._slider.blockSignals(True)
        self._slider.setValue(round(look.opacity * 100))
        self._slider.blockSignals(False)
        self._percent.setText(f"{round(look.opacity * 100)} %")

    def set_mode(self, mode: Mode) -> None:
        """Show which pictures get which folds."""
        (self._newest if mode is Mode.LOW_LATENCY else self._matched).setChecked(True)

    def _chosen_mode(self) -> Mode:
        return Mode.LOW_LATENCY if self._newest.isChecked() else Mode.MATCHED

    def count_text(self) -> str:
        """Number of folds, as shown."""
        return self._count.text()

    def _report(self) -> None:
        look = replace(
            self._look,
            is_on=self._shown.isChecked(),
            is_filled=self._fill.isChecked(),
            opacity=self._slider.value() / 100,
        )
        if look != self._look:
            self.set_look(look)
            self.look_changed.emit(look)


def heading(text: str) -> QLabel:
    """The name of a part of a panel."""
    label = QLabel(text)
    label.setObjectName("heading")
    label.setFont(theme.font(theme.PANEL_PT, bold=True))
    return label


def _dim(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("dim")
    return label


def _segment(text: str, action: ActionId) -> QToolButton:
    button = QToolButton()
    button.setObjectName("segment")
    button.setText(text)
    button.setCheckable(True)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    row = row_of(action)
    button.setToolTip(f"{row.tooltip} ({keys_text(row)})")
    return button


def _pair(first: QToolButton, second: QToolButton) -> QButtonGroup:
    group = QButtonGroup(first)
    group.addButton(first)
    group.addButton(second)
    return group


def _row(
    text: str, first: QToolButton, second: QToolButton, shares: tuple[int, int] = (1, 1)
) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(0)
    label = _dim(text)
    label.setFixedWidth(76)
    row.addWidget(label)
    row.addWidget(first, shares[0])
    row.addWidget(second, shares[1])
    return row
