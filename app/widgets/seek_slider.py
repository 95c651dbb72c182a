"""A slider over time: a click jumps there, dragging follows the hand."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSlider, QStyle, QStyleOptionSlider, QWidget

from app import theme
from app.screen import Loop


class SeekSlider(QSlider):
    """Position in milliseconds; draws the repeated part as two marks above its groove."""

    sought = Signal(float)
    """Seconds the user asks for."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Position")
        self._loop: Loop | None = None
        self._is_held = False

    def set_duration(self, duration_s: float | None) -> None:
        """Change the range; None where the source cannot be sought."""
        self.setEnabled(duration_s is not None)
        self.setRange(0, round((duration_s or 0.0) * 1000))

    def set_position(self, position_s: float) -> None:
        """Follow playback, unless the user holds the handle."""
        if not self._is_held:
            self.setValue(round(position_s * 1000))

    def set_loop(self, loop: Loop | None) -> None:
        """Show the repeated part."""
        self._loop = loop
        self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Jump to the pointer and hold."""
        if event.button() is Qt.MouseButton.LeftButton:
            self._is_held = True
            self._seek_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the pointer."""
        if self._is_held:
            self._seek_to(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._is_held = False

    def paintEvent(self, event: QPaintEvent) -> None:
        """The slider, then the marks."""
        super().paintEvent(event)
        if self._loop is None:
            return
        painter = QPainter(self)
        middle = self.height() // 2
        ends = (self._loop.start_s, self._loop.end_s)
        for end_s in (end for end in ends if end is not None):
            x = self._x_of(end_s)
            painter.fillRect(QRect(x - 1, middle - 9, 2, 18), QColor(theme.LATE))

    def _geometry(self) -> tuple[int, int]:
        """Left end and length of the handle's travel, in pixels."""
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        control = QStyle.ComplexControl.CC_Slider
        handle = self.style().subControlRect(
            control, option, QStyle.SubControl.SC_SliderHandle, self
        )
        half = handle.width() // 2
        return half, max(1, self.width() - 2 * half)

    def _x_of(self, seconds: float) -> int:
        left, length = self._geometry()
        return left + round(length * seconds * 1000 / max(1, self.maximum()))

    def _seek_to(self, event: QMouseEvent) -> None:
        left, length = self._geometry()
        fraction = min(1.0, max(0.0, (event.position().x() - left) / length))
        milliseconds = round(fraction * self.maximum())
        self.setValue(milliseconds)
        self.sought.emit(milliseconds / 1000)
