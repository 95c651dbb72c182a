"""Pictures in which no fold can be judged: made from good ones, or from nothing.

All but rooms and signals start from a good picture and keep part of it; how bad it gets is drawn
from `rng`. Lengths are shares of the picture's width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image
from train.augment import retone
from train.simulate.covers import Bubbles, Tool
from train.simulate.sensor import compress, smear

Floats = NDArray[np.float32]
Disturb = Callable[[Floats, np.random.Generator], Floats]
"""From a picture in display range 0..1 to another; may change it in place."""


def defocus(picture: Floats, rng: np.random.Generator) -> Floats:
    """The lens is out of focus, or fogged."""
    width = picture.shape[1]
    veil = rng.uniform(0, 0.4)
    soft = cv2.GaussianBlur(picture, (0, 0), width * rng.uniform(0.010, 0.035))
    return np.asarray(soft * (1 - veil) + veil * soft.mean(), np.float32)


def hurry(picture: Floats, rng: np.random.Generator) -> Floats:
    """The tip moves fast: a long smear."""
    length_px = picture.shape[1] * rng.uniform(0.06, 0.2)
    return smear(picture, length_px, float(rng.uniform(0, np.pi)))


def red_out(picture: Floats, rng: np.random.Generator) -> Floats:
    """The lens touches the wall: light through tissue, hardly any structure."""
    width = picture.shape[1]
    soft = cv2.GaussianBlur(picture, (0, 0), width * rng.uniform(0.06, 0.15))
    red = np.array([rng.uniform(0.55, 1.0), rng.uniform(0.08, 0.5), rng.uniform(0.05, 0.4)])
    left = rng.uniform(0.05, 0.35)
    return np.asarray(left * soft + (1 - left) * red * rng.uniform(0.6, 1.0), np.float32)


def water(picture: Floats, rng: np.random.Generator) -> Floats:
    """A jet or a flooded lens: bent, veiled, with bubbles."""
    height, width = picture.shape[:2]
    v, u = np.indices((height, width), np.float32)
    waves = rng.normal(0, 1, (2, height // 16, width // 16)).astype(np.float32)
    bends = [cv2.resize(wave, (width, height), interpolation=cv2.INTER_CUBIC) for wave in waves]
    reach = np.float32(width * rng.uniform(0.02, 0.06))
    bent = cv2.remap(
        picture, u + reach * bends[0], v + reach * bends[1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )  # fmt: skip
    soft = cv2.GaussianBlur(bent, (0, 0), width * rng.uniform(0.004, 0.015))
    veil = rng.uniform(0.1, 0.4) * np.array([0.95, 0.9, rng.uniform(0.55, 0.95)], np.float32)
    veiled = np.asarray(soft * (1 - veil.max()) + veil, np.float32)
    return foam(veiled, rng, int(rng.integers(0, 6)))


def foam(picture: Floats, rng: np.random.Generator, clusters: int | None = None) -> Floats:
    """Bubbles over much of the picture."""
    count = int(rng.integers(8, 22)) if clusters is None else clusters
    for _ in range(count):
        Bubbles.draw(rng).paint(picture)
    return picture


def tools(picture: Floats, rng: np.random.Generator) -> Floats:
    """One or several tools near the lens, over a fifth of the picture or more."""
    covered = np.zeros(picture.shape[:2], bool)
    for _ in range(8):
        covered |= Tool.draw(rng).paint(picture)
        if covered.mean() > 0.2:
            break
    return picture


def dimmed(picture: Floats, rng: np.random.Generator) -> Floats:
    """The lamp fails or points into a wide dark lumen."""
    noise = rng.normal(0, 0.012, picture.shape).astype(np.float32)
    return np.asarray(picture * rng.uniform(0.04, 0.2) + noise, np.float32)


def dazzled(picture: Floats, rng: np.random.Generator) -> Floats:
    """Far too much light."""
    return np.asarray(picture * rng.uniform(2.5, 6.0) + rng.uniform(0, 0.3), np.float32)


def room(picture: Floats, rng: np.random.Generator) -> Floats:
    """Out of the body: flat things with straight sides in the colours of a room."""
    height, width = picture.shape[:2]
    base, other = (_room_colour(rng) for _ in range(2))
    ramp = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    made = np.ones_like(picture) * (base * (1 - ramp) + other * ramp)
    for _ in range(int(rng.integers(3, 14))):
        middle, sides = rng.uniform(0, 1, 2), rng.uniform(0.05, 0.6, 2)
        box = ((middle[0] * width, middle[1] * height), (sides[0] * width, sides[1] * height),
               float(rng.uniform(0, 180)))  # fmt: skip
        corners = np.round(cv2.boxPoints(box)).astype(np.int32)
        cv2.fillPoly(made, [corners], _room_colour(rng).tolist(), cv2.LINE_AA)
    blur = rng.uniform(0.001, 0.012) * width
    made = np.asarray(cv2.GaussianBlur(made, (0, 0), blur), np.float32)
    return made + rng.normal(0, rng.uniform(0.002, 0.02), picture.shape).astype(np.float32)


def no_picture(picture: Floats, rng: np.random.Generator) -> Floats:
    """What a processor sends without a camera: one colour, or bars."""
    if rng.random() < 0.5:
        picture[...] = rng.uniform(0, 1, 3) * rng.uniform(0, 1)
        return picture
    bars = np.array(list(np.ndindex(2, 2, 2))[::-1], np.float32) * np.float32(0.75)
    columns = np.arange(picture.shape[1]) * 8 // picture.shape[1]
    picture[...] = bars[columns]
    return picture


def _room_colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """Grey, with a little of any hue."""
    grey = rng.uniform(0.05, 0.95)
    return np.clip(grey + rng.normal(0, 0.08, 3), 0, 1).astype(np.float32)


DISTURBANCES: Mapping[str, Disturb] = MappingProxyType(
    {
        "defocus": defocus,
        "fast motion": hurry,
        "red-out": red_out,
        "water": water,
        "foam": foam,
        "tools": tools,
        "dim": dimmed,
        "dazzled": dazzled,
        "out of body": room,
        "no picture": no_picture,
    }
)


def by_another_endoscope(image: Image, rng: np.random.Generator) -> Image:
    """As good a picture, in the tone, colour, softness and compression of another recording."""
    toned = retone(image, rng).astype(np.float32)
    grey = toned.mean(axis=2, keepdims=True)
    picture = (grey + rng.uniform(0.5, 1.2) * (toned - grey)) * rng.uniform(0.7, 1.1)
    if rng.random() < 0.6:
        picture = cv2.GaussianBlur(picture, (0, 0), image.shape[1] * rng.uniform(0.001, 0.005))
    shown: Image = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    return compress(shown, int(rng.integers(30, 90)))


def disturbed(
    image: Image, inside: NDArray[np.uint8], name: str, rng: np.random.Generator
) -> Image:
    """A picture with that disturbance, where `inside` (H, W) is 1."""
    changed = DISTURBANCES[name](image.astype(np.float32) / np.float32(255), rng)
    shown: Image = np.clip(changed * 255 + 0.5, 0, 255).astype(np.uint8)
    shown[inside == 0] = 0
    return shown
