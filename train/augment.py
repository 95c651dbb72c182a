"""Changes that leave the truth true: one warp for picture and labels, and photometric ones.

Photometric changes made while shading (exposure, tools, vignette) are not repeated here for
simulated pictures; real pictures get `perturb`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image


@dataclass(frozen=True, slots=True)
class Warp:
    """Mirror, quarter turn, small rotation, zoom and shift about the centre."""

    matrix: NDArray[np.float64]
    """(2, 3), source pixel → target pixel."""

    @classmethod
    def draw(cls, rng: np.random.Generator, size: int, strength: float = 1.0) -> Warp:
        """A random warp of size × size pictures."""
        angle = np.deg2rad(rng.uniform(-20, 20) * strength) + np.pi / 2 * rng.integers(4)
        zoom = float(np.exp(rng.uniform(-0.12, 0.25) * strength))
        mirror = np.diag([rng.choice([-1.0, 1.0]), 1.0])
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        linear = zoom * turn @ mirror
        centre = np.full(2, (size - 1) / 2)
        shift = rng.uniform(-0.06, 0.06, 2) * size * strength
        return cls(np.column_stack([linear, centre - linear @ centre + shift]))

    def image(self, image: Image) -> Image:
        """(H, W, 3), black where the source ends."""
        height, width = image.shape[:2]
        return cast(
            Image,
            cv2.warpAffine(image, self.matrix, (width, height), flags=cv2.INTER_LINEAR),
        )

    def labels(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W, n) labels, nearest neighbour, 0 where the source ends."""
        height, width, planes = labels.shape
        warped = cv2.warpAffine(labels, self.matrix, (width, height), flags=cv2.INTER_NEAREST)
        return warped.reshape(height, width, planes).astype(np.uint8)

    def nearest(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W) values that must not be mixed, such as depth; 0 where the source ends."""
        size = values.shape[::-1]
        return cast(
            NDArray[np.float32],
            cv2.warpAffine(values, self.matrix, size, flags=cv2.INTER_NEAREST),
        )


def borrow_amplitudes(image: Image, lender: Image, reach: int) -> Image:
    """`image` with the slowest light and colour of `lender`; edges stay where they are.

    Fourier domain adaptation (Yang & Soatto 2020, arXiv:2004.05498): the amplitudes of all waves
    of at most `reach` periods along each side are the lender's, the phases remain. What is black
    stays black: outside the field of view there is no light to change.

    Args:
        image, lender: (H, W, 3), the same size.
        reach: at least 0; 0 changes the mean alone.
    """
    down, across = slow_waves(image.shape[0], reach), slow_waves(image.shape[1], reach)[reach:]
    own, lent = (_amplitudes(each, down, across) for each in (image, lender))
    # What changes is (|lent| - |own|) of each wave, in its own phase.
    change = (np.abs(lent) / np.maximum(np.abs(own), 1e-9) - 1) * own
    change[:, 1:] *= 2  # A picture is real: waves to the left are those to the right again.
    along = np.einsum("kh,klc->hlc", down.conj(), change)
    slow = np.tensordot(along.transpose(0, 2, 1), across.conj(), 1).real.transpose(0, 2, 1)
    changed = image + slow / (image.shape[0] * image.shape[1])
    changed[image.max(2) == 0] = 0
    return cast(Image, np.clip(changed, 0, 255).astype(np.uint8))


@lru_cache(maxsize=16)
def slow_waves(length: int, reach: int) -> NDArray[np.complex64]:
    """(2 reach + 1, length): exp(−2πi k x / length) of k = −reach .. reach; read-only."""
    waves = np.outer(np.arange(-reach, reach + 1), np.arange(length)) / length
    found = np.exp(-2j * np.pi * waves).astype(np.complex64)
    found.setflags(write=False)
    return cast(NDArray[np.complex64], found)


def _amplitudes(
    image: Image, down: NDArray[np.complex64], across: NDArray[np.complex64]
) -> NDArray[np.complex64]:
    """(k, l, 3): the discrete Fourier transform of (H, W, 3) at a few waves alone."""
    height, width = image.shape[:2]
    rows = (down @ image.reshape(height, -1).astype(np.float32)).reshape(len(down), width, 3)
    return np.asarray(np.einsum("kwc,lw->klc", rows, across, optimize=True), np.complex64)


def retone(image: Image, rng: np.random.Generator) -> Image:
    """(H, W, 3) through one curve a channel: gain and gamma, mostly common to all three."""
    gamma = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.04, 3))
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.05, 3))
    levels = (np.arange(256) / 255.0)[:, None]
    curves = np.clip(255 * gain * levels**gamma, 0, 255).astype(np.uint8)
    return cast(Image, cv2.LUT(image, curves[None]))


def perturb(image: Image, rng: np.random.Generator) -> tuple[Image, NDArray[np.bool_]]:
    """A strongly changed picture, and where (H, W) something of it is left to see.

    Colour gains and mixing, gamma, blur or coarser pixels, noise, JPEG, erased rectangles.
    """
    mixing = np.eye(3) * rng.uniform(0.65, 1.4, 3) * rng.uniform(0.7, 1.3)
    mixing += rng.uniform(-0.12, 0.12, (3, 3))
    curve = (np.arange(256) / 255.0) ** np.exp(rng.uniform(-0.5, 0.5)) * 255
    toned = cv2.LUT(image, curve.astype(np.uint8)).astype(np.float32)
    changed = _blur(toned @ mixing.T.astype(np.float32), rng)
    noise = rng.standard_normal(image.shape, dtype=np.float32)
    changed += noise * rng.uniform(0, 10)
    changed[image.max(2) == 0] = 0
    out = np.clip(changed, 0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        quality = int(rng.integers(25, 90))
        encoded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        out = cast(Image, cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return _erase(out, rng)


def _blur(image: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    size = image.shape[0]
    choice = rng.random()
    if choice < 0.3:
        return cast(NDArray[np.float32], cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.8)))
    if choice < 0.55:
        coarse = int(size * rng.uniform(0.4, 0.9))
        small = cv2.resize(image, (coarse, coarse), interpolation=cv2.INTER_AREA)
        return cast(NDArray[np.float32], cv2.resize(small, (size, size)))
    return image


def _erase(image: Image, rng: np.random.Generator) -> tuple[Image, NDArray[np.bool_]]:
    visible = np.ones(image.shape[:2], bool)
    height, width = image.shape[0], image.shape[1]
    for _ in range(rng.integers(0, 4)):
        tall, wide = (rng.uniform(0.08, 0.3, 2) * (height, width)).astype(int)
        top, left = rng.integers(height - tall), rng.integers(width - wide)
        image[top : top + tall, left : left + wide] = rng.integers(0, 256, 3)
        visible[top : top + tall, left : left + wide] = False
    return image, visible
