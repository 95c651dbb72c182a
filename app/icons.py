"""The window's few drawings, as paths, so that they are sharp at any size and need no files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from app import theme

_SIZES_PX = (16, 20, 24, 32, 40, 48)
_GRID = 24.0


def _triangle(path: QPainterPath, x: float, width: float) -> None:
    """A triangle from `x`, pointing right for a positive width."""
    path.addPolygon(QPolygonF([QPointF(x, 5), QPointF(x + width, 12), QPointF(x, 19)]))
    path.closeSubpath()


def _play(path: QPainterPath) -> None:
    _triangle(path, 7, 12)


def _pause(path: QPainterPath) -> None:
    path.addRect(QRectF(6.5, 5, 4, 14))
    path.addRect(QRectF(13.5, 5, 4, 14))


def _step_forward(path: QPainterPath) -> None:
    _triangle(path, 6, 9)
    path.addRect(QRectF(16, 5, 2.5, 14))


def _step_back(path: QPainterPath) -> None:
    _triangle(path, 18, -9)
    path.addRect(QRectF(5.5, 5, 2.5, 14))


def _faster(path: QPainterPath) -> None:
    _triangle(path, 4, 8)
    _triangle(path, 12, 8)


def _slower(path: QPainterPath) -> None:
    _triangle(path, 12, -8)
    _triangle(path, 20, -8)


def _start(path: QPainterPath) -> None:
    path.addRect(QRectF(3, 5, 2, 14))
    _triangle(path, 13, -7)
    _triangle(path, 21, -7)


def _end(path: QPainterPath) -> None:
    path.addRect(QRectF(19, 5, 2, 14))
    _triangle(path, 3, 7)
    _triangle(path, 11, 7)


def _open(path: QPainterPath) -> None:
    path.moveTo(3.5, 19)
    for x, y in ((3.5, 5.5), (9.5, 5.5), (11.5, 8), (20.5, 8), (20.5, 19)):
        path.lineTo(x, y)
    path.closeSubpath()


def _loop(path: QPainterPath) -> None:
    path.moveTo(17, 3)
    path.lineTo(20, 6)
    path.lineTo(17, 9)
    path.moveTo(20, 6)
    path.lineTo(7, 6)
    path.quadTo(4, 6, 4, 11)
    path.moveTo(7, 21)
    path.lineTo(4, 18)
    path.lineTo(7, 15)
    path.moveTo(4, 18)
    path.lineTo(17, 18)
    path.quadTo(20, 18, 20, 13)


def _full_screen(path: QPainterPath) -> None:
    for x, y, dx, dy in ((4, 5, 1, 1), (20, 5, -1, 1), (4, 19, 1, -1), (20, 19, -1, -1)):
        path.moveTo(x + 5 * dx, y)
        path.lineTo(x, y)
        path.lineTo(x, y + 5 * dy)


def _help(path: QPainterPath) -> None:
    path.addEllipse(QRectF(3, 3, 18, 18))
    path.moveTo(9.2, 9.6)
    path.cubicTo(9.4, 6.4, 14.8, 6.4, 14.8, 9.6)
    path.cubicTo(14.8, 11.6, 12, 11.7, 12, 14)
    path.moveTo(12, 16.8)
    path.lineTo(12, 17.2)


def _self_test(path: QPainterPath) -> None:
    path.addEllipse(QRectF(4, 6, 16, 16))
    path.moveTo(12, 14)
    path.lineTo(15.5, 10.5)
    path.moveTo(9.5, 2.5)
    path.lineTo(14.5, 2.5)
    path.moveTo(12, 2.5)
    path.lineTo(12, 6)


def _close(path: QPainterPath) -> None:
    path.moveTo(6, 6)
    path.lineTo(18, 18)
    path.moveTo(18, 6)
    path.lineTo(6, 18)


def _record(path: QPainterPath) -> None:
    # Odd-even: a disc in a ring. A disc alone looks like the handle of a slider.
    for inset in (2.5, 4.5, 7):
        path.addEllipse(QRectF(inset, inset, 24 - 2 * inset, 24 - 2 * inset))


def _stop(path: QPainterPath) -> None:
    path.addRect(QRectF(6, 6, 12, 12))


_SOLID: dict[str, Callable[[QPainterPath], None]] = {
    "play": _play,
    "pause": _pause,
    "step_forward": _step_forward,
    "step_back": _step_back,
    "faster": _faster,
    "slower": _slower,
    "start": _start,
    "end": _end,
    "record": _record,
    "stop": _stop,
}
_LINE: dict[str, Callable[[QPainterPath], None]] = {
    "open": _open,
    "loop": _loop,
    "full_screen": _full_screen,
    "help": _help,
    "self_test": _self_test,
    "close": _close,
}
NAMES = frozenset(_SOLID) | frozenset(_LINE)


def draw(painter: QPainter, name: str, colour: QColor) -> None:
    """Draw one icon on a 24 x 24 grid.

    Raises:
        KeyError: there is no such drawing.
    """
    path = QPainterPath()
    solid = _SOLID.get(name)
    if solid is not None:
        solid(path)
        painter.fillPath(path, colour)
        return
    _LINE[name](path)
    pen = QPen(colour, 1.8)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.strokePath(path, pen)


@cache
def icon(name: str) -> QIcon:
    """The icon of this name in the theme's text colour, dim where it is disabled.

    Raises:
        KeyError: there is no such drawing.
    """
    if name not in NAMES:
        raise KeyError(name)
    made = QIcon()
    modes = ((QIcon.Mode.Normal, theme.TEXT), (QIcon.Mode.Disabled, "#5b6570"))
    for size in _SIZES_PX:
        for mode, colour in modes:
            pixmap = QPixmap(size, size)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.scale(size / _GRID, size / _GRID)
            draw(painter, name, QColor(colour))
            painter.end()
            made.addPixmap(pixmap, mode)
    return made
