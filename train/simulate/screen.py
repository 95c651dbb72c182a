"""What surrounds the endoscope's picture: its outline, burnt-in text, and insets.

Shares of outlines and insets follow what PolypGen and Kvasir-SEG show.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Image = NDArray[np.uint8]

_SIGNS = list("0123456789:/ ABCDEGHMNPR")
_INSETS = ((0, 0, 0), (12, 48, 26), (0, 0, 60))


@dataclass(frozen=True, slots=True)
class Outline:
    """An octagon, whose sides may be bent outwards to parts of a circle."""

    aspect: float = 1.0
    """Width over height."""
    cut: tuple[float, float] = (0.0, 0.0)
    """What a corner loses of the width and of the height."""
    radius: float = 1.0
    """Of a circle that cuts it as well, over the width; 0.5 touches the sides."""

    def mask(self, height: int, width: int) -> Bools:
        """(height, width): the largest such outline that fits."""
        half_w = min(width, height * self.aspect) / 2
        half_h = half_w / self.aspect
        x = np.abs(np.arange(width) - (width - 1) / 2)[None]
        y = np.abs(np.arange(height) - (height - 1) / 2)[:, None]
        inside = (x <= half_w) & (y <= half_h)
        cut_w, cut_h = 2 * half_w * self.cut[0], 2 * half_h * self.cut[1]
        if cut_w and cut_h:
            inside &= (half_w - x) / cut_w + (half_h - y) / cut_h >= 1
        return np.asarray(inside & (np.hypot(x, y) <= 2 * half_w * self.radius))


@dataclass(frozen=True, slots=True)
class Inset:
    """A box in the lower left corner: black, or the course of the endoscope drawn on a colour."""

    width: float
    """Over the picture's."""
    height: float
    colour: tuple[int, int, int]
    course: tuple[tuple[float, float], ...] = ()
    """(n, 2) points from 0 to 1 of the box."""

    def draw(self, image: Image, view: Bools) -> None:
        """Paint it, and take it from the view."""
        tall, broad = image.shape[:2]
        top, right = round(tall * (1 - self.height)), round(broad * self.width)
        image[top:, :right] = self.colour
        view[top:, :right] = False
        if self.course:
            line = np.array(self.course) * (right, tall - top) + (0, top)
            points = np.round(line * 8).astype(np.int32)
            cv2.polylines(image, [points], False, (90, 230, 120), 2, cv2.LINE_AA, 3)


@dataclass(frozen=True, slots=True)
class Screen:
    """Constant over a video."""

    outline: Outline | None = None
    """None: the picture fills its frame."""
    black: int = 0
    """Grey level outside."""
    text: tuple[tuple[str, float, float], ...] = ()
    """Lines, and where they begin, 0 to 1 of the picture."""
    text_size: float = 0.28
    """Of the font for a picture 256 wide."""
    inset: Inset | None = None

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Screen:
        """Another hospital's."""
        return cls(
            _draw_outline(rng),
            int(rng.integers(0, 12)) if rng.random() < 0.4 else 0,
            _draw_text(rng) if rng.random() < 0.7 else (),
            float(rng.uniform(0.2, 0.34)),
            _draw_inset(rng) if rng.random() < 0.4 else None,
        )

    def apply(self, image: Image) -> tuple[Image, Bools]:
        """The picture on its screen and where it still shows (H, W) the wall."""
        height, width = image.shape[:2]
        view = self.outline.mask(height, width) if self.outline else np.ones((height, width), bool)
        framed = np.where(view[..., None], image, np.uint8(self.black))
        if self.inset is not None:
            self.inset.draw(framed, view)
        if self.text:
            letters = np.zeros((height, width), np.uint8)
            scale, thick = self.text_size * width / 256, max(1, round(width / 400))
            for line, x, y in self.text:
                at = (round(x * width), round(y * height))
                cv2.putText(letters, line, at, cv2.FONT_HERSHEY_SIMPLEX, scale, 235, thick,
                            cv2.LINE_AA)  # fmt: skip
            framed = np.maximum(framed, letters[..., None])
            view &= letters < 60
        return framed, view


def _draw_outline(rng: np.random.Generator) -> Outline:
    kind = rng.random()
    if kind < 0.66:
        cut = rng.uniform(0.14, 0.25)
        return Outline(rng.uniform(1.1, 1.28), (cut, cut * rng.uniform(0.95, 1.35)))
    if kind < 0.88:  # cut out of a circle
        cut = rng.uniform(0.0, 0.2)
        return Outline(rng.uniform(1.12, 1.3), (cut, cut), rng.uniform(0.5, 0.56))
    if kind < 0.95:
        return Outline(rng.uniform(0.98, 1.12), (0.0, 0.0), rng.uniform(0.5, 0.58))
    return Outline(rng.uniform(1.0, 1.35))


def _draw_text(rng: np.random.Generator) -> tuple[tuple[str, float, float], ...]:
    """Lines below each other along the left side, as most processors set them."""
    y, lines = rng.uniform(0.1, 0.3), []
    for _ in range(int(rng.integers(2, 8))):
        signs = "".join(rng.choice(_SIGNS, int(rng.integers(3, 12))))
        lines.append((signs, float(rng.uniform(0.0, 0.02)), float(y)))
        y += rng.uniform(0.035, 0.07) if rng.random() < 0.8 else rng.uniform(0.1, 0.25)
    return tuple(line for line in lines if line[2] < 0.95)


def _draw_inset(rng: np.random.Generator) -> Inset:
    colour = _INSETS[0] if rng.random() < 0.75 else _INSETS[int(rng.integers(1, len(_INSETS)))]
    course: tuple[tuple[float, float], ...] = ()
    if rng.random() < 0.5:
        points = np.clip(0.5 + np.cumsum(rng.normal(0, 0.1, (20, 2)), axis=0), 0.05, 0.95)
        course = tuple((float(x), float(y)) for x, y in points)
    return Inset(float(rng.uniform(0.2, 0.36)), float(rng.uniform(0.25, 0.42)), colour, course)
