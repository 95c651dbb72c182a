"""The picture: one decoded frame, letter-boxed, with its own folds or those moved to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app import theme
from app.latency_log import LatencyLog
from engine.overlay import DEFAULT_STYLE, EDGE, colour_of, thinned
from engine.types import Analysis, FoldInstance, Frame, TrackedFolds

STROKE_PX = 2.5
EDGE_PX = 1.25
"""Width of the dark edge on either side of a stroke."""

FAINT = 0.4
"""Of the opacity the user wants."""


@dataclass(frozen=True, slots=True)
class OverlayLook:
    """How the user wants to see the folds."""

    is_on: bool = True
    is_filled: bool = True
    opacity: float = 1.0
    """0..1, of strokes and fill together."""
    fades: bool = True
    """Folds are faint while pictures are hard to judge."""


class VideoView(QWidget):
    """Paints what it is given and nothing else; draws no overlay meant for another frame."""

    file_dropped = Signal(str)
    double_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.log = LatencyLog()
        self.on_painted: Callable[[Frame, Analysis | None, float], None] | None = None
        """Told of each new frame once it is painted, with the folds it bore and the moment."""
        self._frame: Frame | None = None
        self._analysis: Analysis | None = None
        self._tracked: TrackedFolds | None = None
        self._image = self._scalable = QImage()
        self._paths: tuple[tuple[QPainterPath, QColor], ...] = ()
        self._look = OverlayLook()
        self._is_clear = True
        self._message = ("", "")
        self._is_new = False
        self._is_drop_target = False
        self.setAcceptDrops(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMinimumSize(320, 180)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName("Video")

    @property
    def frame(self) -> Frame | None:
        """The frame on screen."""
        return self._frame

    @property
    def analysis(self) -> Analysis | None:
        """The analysis on screen; always of the frame on screen."""
        return self._analysis

    @property
    def tracked(self) -> TrackedFolds | None:
        """The folds moved along on screen; always moved to the frame on screen."""
        return self._tracked

    def show_picture(
        self,
        frame: Frame | None,
        analysis: Analysis | None,
        tracked: TrackedFolds | None = None,
    ) -> None:
        """Show `frame` with the folds of `analysis` or `tracked`, if they are for this frame."""
        if analysis is not None and analysis.frame is not frame:
            analysis = None
        if tracked is not None and (tracked.frame is not frame or analysis is not None):
            tracked = None
        if frame is self._frame and analysis is self._analysis and tracked is self._tracked:
            return
        if frame is not self._frame:
            self._image = QImage() if frame is None else _image_over(frame)
            self._scalable = QImage()
            self._is_new = frame is not None
        self._frame, self._analysis, self._tracked = frame, analysis, tracked
        found = analysis or tracked
        self._paths = () if found is None else tuple(_outline(fold) for fold in found.folds)
        self.update()

    def set_look(self, look: OverlayLook) -> None:
        """Change how folds are drawn."""
        if look != self._look:
            self._look = look
            self.update()

    def set_clear(self, *, is_clear: bool) -> None:
        """Tell whether pictures can be judged."""
        if is_clear != self._is_clear:
            self._is_clear = is_clear
            self.update()

    @property
    def overlay_opacity(self) -> float:
        """With which folds are drawn now."""
        is_faint = self._look.fades and not self._is_clear
        return self._look.opacity * (FAINT if is_faint else 1.0)

    def set_message(self, title: str, hint: str) -> None:
        """What to say where there is no picture."""
        if (title, hint) != self._message:
            self._message = (title, hint)
            self.update()

    def picture_rect(self) -> QRectF:
        """Where the picture lies in the widget: centred, aspect kept, on whole pixels."""
        if self._image.isNull():
            return QRectF()
        size = QSizeF(self._image.size())
        size.scale(QSizeF(self.size()), Qt.AspectRatioMode.KeepAspectRatio)
        width, height = max(1, round(size.width())), max(1, round(size.height()))
        x, y = (self.width() - width) // 2, (self.height() - height) // 2
        return QRectF(x, y, width, height)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Picture, then strokes; then note when it was painted."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.PICTURE_BACKGROUND))
        if self._image.isNull():
            self._paint_message(painter)
        else:
            self._paint_picture(painter)
        if self._is_drop_target:
            painter.setPen(QPen(QColor(theme.ACCENT), 4))
            painter.drawRect(self.rect().adjusted(2, 2, -3, -3))
        painter.end()
        if self._is_new and self._frame is not None:
            self._is_new = False
            painted_s = time.monotonic()
            self.log.add(self._frame.captured_s, painted_s)
            if self.on_painted is not None:
                self.on_painted(self._frame, self._analysis, painted_s)

    def _paint_picture(self, painter: QPainter) -> None:
        target = self.picture_rect()
        if target.size() != QSizeF(self._image.size()):
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(target, self._picture_for(target))
        if not self._look.is_on or not self._paths:
            return
        scale = target.width() / self._image.width()
        to_widget = QTransform.fromTranslate(target.x(), target.y()).scale(scale, scale)
        painter.setClipRect(target)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(self.overlay_opacity)
        drawn = [(to_widget.map(path), colour) for path, colour in self._paths]
        for path, colour in drawn:
            self._paint_fold(painter, path, colour)

    def _picture_for(self, target: QRectF) -> QImage:
        """The picture as it is where it is drawn 1:1, else in the format that Qt scales fastest."""
        if target.size() == QSizeF(self._image.size()):
            return self._image
        if self._scalable.isNull():
            # Scaling packed RGB takes twice as long as this conversion and scaling together.
            self._scalable = self._image.convertToFormat(QImage.Format.Format_RGB32)
        return self._scalable

    def _paint_fold(self, painter: QPainter, path: QPainterPath, colour: QColor) -> None:
        if self._look.is_filled:
            fill = QColor(colour)
            fill.setAlphaF(DEFAULT_STYLE.opacity)
            painter.fillPath(path, fill)
        # Opaque: blending the edge in took half of the time that folds cost.
        edge = QPen(QColor(*EDGE), STROKE_PX + 2 * EDGE_PX)
        stroke = QPen(colour, STROKE_PX)
        for pen in (edge, stroke):
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.strokePath(path, pen)

    def _paint_message(self, painter: QPainter) -> None:
        title, hint = self._message
        middle = self.rect().adjusted(24, 24, -24, -24)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
        painter.setPen(QColor(theme.TEXT))
        painter.setFont(theme.font(theme.STATUS_PT))
        upper = middle.adjusted(0, 0, 0, -middle.height() // 2 - 6)
        painter.drawText(upper, int(flags | Qt.AlignmentFlag.AlignBottom), title)
        painter.setPen(QColor(theme.DIM))
        painter.setFont(theme.font(theme.PANEL_PT))
        lower = middle.adjusted(0, middle.height() // 2 + 6, 0, 0)
        painter.drawText(lower, int(flags | Qt.AlignmentFlag.AlignTop), hint)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Ask for full screen."""
        self.double_clicked.emit()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and folders of this machine."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()
            self._is_drop_target = True
            self.update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """Not dropped after all."""
        self._is_drop_target = False
        self.update()

    def dropEvent(self, event: QDropEvent) -> None:
        """Hand the first dropped file on."""
        self._is_drop_target = False
        self.update()
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if files:
            event.acceptProposedAction()
            self.file_dropped.emit(files[0])


def _image_over(frame: Frame) -> QImage:
    """A QImage over the frame's own buffer, no copy: whoever holds it must hold the frame.

    Rows may be padded, as decoders leave them where the width is odd.
    """
    height, width = frame.image.shape[:2]
    row_bytes = frame.image.strides[0]
    if frame.image.strides[1:] != (3, 1) or row_bytes < 3 * width:
        raise ValueError("a frame's rows must be contiguous RGB")
    length = row_bytes * (height - 1) + 3 * width
    flat = np.lib.stride_tricks.as_strided(frame.image, (length,), (1,), writeable=False)
    return QImage(flat.data, width, height, row_bytes, QImage.Format.Format_RGB888)


def _outline(fold: FoldInstance) -> tuple[QPainterPath, QColor]:
    """The closed outline in image coordinates, where pixel (0, 0) is centred on (0.5, 0.5)."""
    path = QPainterPath()  # odd-even fill: holes stay open
    for line in fold.outlines:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in (thinned(line) + 0.5).tolist()]))
        path.closeSubpath()
    return path, QColor(*colour_of(fold.track))
