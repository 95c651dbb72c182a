"""Always says whether the picture is live: a shape, a word and a colour, readable at two metres."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app import theme
from app.screen import Signal
from app.widgets.elided_label import ElidedLabel

COLOURS = {
    Signal.LIVE: theme.LIVE,
    Signal.TRACKED: theme.ACCENT,
    Signal.LATE: theme.LATE,
    Signal.PAUSED: theme.TEXT,
    Signal.FAULT: theme.FAULT,
    Signal.NO_SIGNAL: theme.QUIET,
}


class StatusMark(QWidget):
    """Disc, diamond, triangle, two bars, crossed octagon, empty ring: told apart without colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._signal = Signal.NO_SIGNAL
        self.setFixedSize(QSize(26, 26))

    def set_signal(self, signal: Signal) -> None:
        """Draw another state."""
        self._signal = signal
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw on a 24 x 24 grid."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self.width() / 24, self.height() / 24)
        colour = QColor(COLOURS[self._signal])
        if self._signal is Signal.NO_SIGNAL:
            painter.setPen(QPen(colour, 2.4))
            painter.drawEllipse(QRectF(4, 4, 16, 16))
            painter.drawLine(QPointF(6.3, 17.7), QPointF(17.7, 6.3))
            return
        painter.fillPath(_shape(self._signal), colour)
        if self._signal is Signal.FAULT:
            painter.setPen(QPen(QColor(theme.PANEL), 2.6))
            painter.drawLine(QPointF(8.2, 8.2), QPointF(15.8, 15.8))
            painter.drawLine(QPointF(15.8, 8.2), QPointF(8.2, 15.8))


def _shape(signal: Signal) -> QPainterPath:
    path = QPainterPath()
    if signal is Signal.LIVE:
        path.addEllipse(QRectF(3.5, 3.5, 17, 17))
    elif signal is Signal.TRACKED:
        corners = (QPointF(12, 2), QPointF(22, 12), QPointF(12, 22), QPointF(2, 12))
        path.addPolygon(QPolygonF(corners))
    elif signal is Signal.LATE:
        path.addPolygon(QPolygonF([QPointF(12, 2.5), QPointF(22, 20.5), QPointF(2, 20.5)]))
    elif signal is Signal.PAUSED:
        path.addRect(QRectF(5, 4, 5, 16))
        path.addRect(QRectF(14, 4, 5, 16))
    else:
        octagon = ((8, 2), (16, 2), (22, 8), (22, 16), (16, 22), (8, 22), (2, 16), (2, 8))
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in octagon]))
    path.closeSubpath()
    return path


def _width_px(label: QLabel, text: str) -> int:
    label.setText(text)
    return label.sizeHint().width()


class StatusLine(QWidget):
    """Mark, word and sentence on the left; source and machinery, small and dim, on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._mark = StatusMark()
        self._word = QLabel()
        self._word.setFont(theme.font(theme.STATUS_PT, bold=True))
        # Room for every word: the sentence keeps its place, and no word is ever cut.
        self._word.setMinimumWidth(max(_width_px(self._word, each.value) for each in Signal))
        self._detail = ElidedLabel()
        self._detail.setFont(theme.font(theme.STATUS_PT))
        self._source = ElidedLabel(Qt.AlignmentFlag.AlignRight, takes=QSizePolicy.Policy.Maximum)
        self._source.setFont(theme.font(theme.PANEL_PT))
        self._machinery = ElidedLabel(Qt.AlignmentFlag.AlignRight, takes=QSizePolicy.Policy.Maximum)
        self._machinery.setFont(theme.font(theme.SMALL_PT))
        self._machinery.setObjectName("dim")
        self._arrange()
        self.set_signal(Signal.NO_SIGNAL, "")

    def _arrange(self) -> None:
        names = QVBoxLayout()
        names.setSpacing(1)
        names.addWidget(self._source, 0, Qt.AlignmentFlag.AlignRight)
        names.addWidget(self._machinery, 0, Qt.AlignmentFlag.AlignRight)
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.MARGIN, 8, theme.MARGIN, 8)
        row.setSpacing(10)
        row.addWidget(self._mark)
        row.addWidget(self._word)
        row.addSpacing(6)
        row.addWidget(self._detail, 1)
        row.addLayout(names)
        self.setFixedHeight(56)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_signal(self, signal: Signal, detail: str) -> None:
        """Change the state and its sentence."""
        self._mark.set_signal(signal)
        self._word.setText(signal.value)
        self._word.setStyleSheet(f"color: {COLOURS[signal]};")
        self._detail.set_text(detail)
        self._show_machinery(signal)
        self.setAccessibleName(f"{signal.value}. {detail}")

    def set_source(self, name: str) -> None:
        """Change the name of what is open."""
        self._source.set_text(name)

    def set_machinery(self, text: str) -> None:
        """Change the line that names model, back end and decoder."""
        self._machinery.set_text(text)
        self._show_machinery(self._signal)

    def _show_machinery(self, signal: Signal) -> None:
        """Without a picture nothing decodes, and the sentence needs the room."""
        self._signal = signal
        has_picture = signal is not Signal.NO_SIGNAL
        self._machinery.setVisible(has_picture and bool(self._machinery.text()))

    def text(self) -> str:
        """Word and sentence, as shown."""
        return f"{self._word.text()} {self._detail.text()}".rstrip()

    def machinery_text(self) -> str:
        """Model, back end and decoder, as shown."""
        return self._machinery.text()
