"""What comes between lens and wall: tools, the rim of a cap, bubbles and foam.

Pictures are (H, W, 3) float32 RGB in display range and are painted on in place. Places and lengths
are shares of the picture's width, so that a cover stays where it is through a video.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Colour = tuple[float, float, float]

_SUBPIXEL_BITS = 4
_TOOL_COLOURS: tuple[Colour, ...] = (
    (0.25, 0.45, 0.8), (0.9, 0.9, 0.92), (0.13, 0.13, 0.15), (0.85, 0.75, 0.3),
    (0.3, 0.6, 0.45), (0.6, 0.6, 0.62),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tool:
    """A sheath, forceps or wire that enters from the border; a long shaded trapezium."""

    border: tuple[float, float]
    tip: tuple[float, float]
    half_widths: tuple[float, float]
    """At the border and at the tip."""
    colour: Colour
    shine: float
    """Where across it the brightest line runs, -1 to 1."""
    stripes: float
    """Length of a coil's windings; 0: smooth."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Tool:
        """From below more often than from above, as working channels lie."""
        angle = rng.normal(np.pi / 2, 0.9)
        border = (0.5 + 0.8 * np.cos(angle), 0.5 + 0.8 * np.sin(angle))
        x, y = 0.5 + rng.uniform(-0.3, 0.3, 2)
        wide = rng.uniform(0.03, 0.11)
        return cls(
            border, (float(x), float(y)), (wide, wide * rng.uniform(0.4, 0.9)),
            _TOOL_COLOURS[int(rng.integers(len(_TOOL_COLOURS)))], rng.uniform(-0.6, 0.6),
            rng.uniform(0.008, 0.03) if rng.random() < 0.3 else 0.0,
        )  # fmt: skip

    def paint(self, picture: Floats) -> Bools:
        """Where it is, (H, W)."""
        height, width = picture.shape[:2]
        scale = np.array([width, height])
        border, tip = np.array(self.border) * scale, np.array(self.tip) * scale
        axis = (tip - border) / np.linalg.norm(tip - border)
        across = np.array([-axis[1], axis[0]])
        wide, narrow = (width * each for each in self.half_widths)
        corners = [border + across * wide, tip + across * narrow,
                   tip - across * narrow, border - across * wide]  # fmt: skip
        where = np.zeros((height, width), np.uint8)
        points = np.round(np.array(corners) * 2**_SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(where, [points], 1, cv2.LINE_8, _SUBPIXEL_BITS)
        v, u = np.ogrid[:height, :width]
        along = (u - tip[0]) * axis[0] + (v - tip[1]) * axis[1]
        offset = ((u - tip[0]) * across[0] + (v - tip[1]) * across[1]) / max(narrow, 1)
        light = 0.3 + 0.7 * np.exp(-((offset - self.shine) ** 2) * 2.5)
        light += 0.8 * np.exp(-((offset - self.shine) ** 2) * 60)
        if self.stripes:
            light *= 0.8 + 0.3 * np.sign(np.sin(along / (self.stripes * width)))
        soft = cv2.GaussianBlur(where.astype(np.float32), (0, 0), 0.8)[..., None]
        painted = light[..., None].astype(np.float32) * np.array(self.colour, np.float32)
        picture += soft * (np.clip(painted, 0, 1.1) - picture)
        return where.astype(bool)


@dataclass(frozen=True, slots=True)
class Cap:
    """The rim of a transparent cap on the tip: a grey ring with bright arcs."""

    radius: float
    shade: float
    turn: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Cap:
        """Just inside the picture."""
        return cls(rng.uniform(0.42, 0.49), rng.uniform(0.2, 0.7), rng.uniform(0, 2 * np.pi))

    def paint(self, picture: Floats) -> Bools:
        """Where it is, (H, W)."""
        height, width = picture.shape[:2]
        v, u = np.ogrid[:height, :width]
        x, y = u - (width - 1) / 2, v - (height - 1) / 2
        out = (np.hypot(x, y) / width - self.radius) / 0.02
        arc = np.clip(np.cos(2 * (np.arctan2(y, x) - self.turn)), 0, 1) ** 2
        light = self.shade * (0.5 + arc) + 0.5 * arc * np.exp(-((out - 0.6) ** 2) * 8)
        where = out > 0
        soft = np.clip(out, 0, 1)[..., None].astype(np.float32) * np.float32(0.85)
        picture += soft * (light[..., None].astype(np.float32) - picture)
        return np.asarray(where)


@dataclass(frozen=True, slots=True)
class Bubbles:
    """Bubbles, or foam: rims with a glint."""

    circles: tuple[tuple[float, float, float], ...]
    """(x, y, radius)."""
    bright: float

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Bubbles:
        """A cluster of a few, or many small ones."""
        count = int(rng.integers(2, 12)) if rng.random() < 0.6 else int(rng.integers(20, 60))
        middle = rng.uniform(0.1, 0.9, 2)
        places = middle + rng.normal(0, rng.uniform(0.04, 0.12), (count, 2))
        radii = np.minimum(rng.lognormal(-4.4, 0.5, count), 0.06)
        circles = ((float(x), float(y), float(r)) for (x, y), r in zip(places, radii, strict=True))
        return cls(tuple(circles), rng.uniform(0.15, 0.45))

    def paint(self, picture: Floats) -> Bools:
        """Where they are, (H, W)."""
        height, width = picture.shape[:2]
        where, rim, glint = (np.zeros((height, width), np.uint8) for _ in range(3))
        scale = width * 2**_SUBPIXEL_BITS
        for x, y, radius in self.circles:
            at = (round(x * scale), round(y * scale * height / width))
            inner = round(radius * scale)
            spot = (at[0] - round(0.45 * inner), at[1] - round(0.45 * inner))
            cv2.circle(where, at, inner, 1, -1, cv2.LINE_8, _SUBPIXEL_BITS)
            cv2.circle(rim, at, inner, 255, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
            cv2.circle(glint, spot, max(8, inner // 5), 255, -1, cv2.LINE_AA, _SUBPIXEL_BITS)
        picture *= 1 - np.float32(0.12) * where[..., None]
        picture += rim[..., None] * np.float32(self.bright / 255)
        picture += glint[..., None] * np.float32(0.9 / 255)
        return where.astype(bool)


Cover = Tool | Cap | Bubbles


def draw_covers(rng: np.random.Generator) -> tuple[Cover, ...]:
    """What a video may show, seldom more than one thing."""
    shares: tuple[tuple[type[Tool] | type[Cap] | type[Bubbles], float], ...] = (
        (Tool, 0.08), (Cap, 0.04), (Bubbles, 0.10),
    )  # fmt: skip
    return tuple(kind.draw(rng) for kind, share in shares if rng.random() < share)
