"""Seamless tissue textures: colour mottling, vessels and bumps, drawn once per process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tissue:
    """One seamless tile; channels of `tile` (S, S, 4): mottling, vessels, bump, stain."""

    tile: Floats


def spectral_noise(rng: np.random.Generator, size: int, slope: float, low: float = 1.0) -> Floats:
    """Seamless noise (size, size) of unit variance with amplitude ~ frequency^-slope."""
    fy = np.fft.fftfreq(size)[:, None] * size
    fx = np.fft.rfftfreq(size)[None, :] * size
    frequency = np.hypot(fx, fy)
    amplitude = np.where(frequency >= low, np.maximum(frequency, 1) ** -slope, 0)
    phase = rng.uniform(0, 2 * np.pi, frequency.shape)
    noise = np.fft.irfft2(amplitude * np.exp(1j * phase), s=(size, size))
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def vessel_tree(rng: np.random.Generator, size: int, trees: int) -> Floats:
    """Seamless branching vessels (size, size), 0..1."""
    canvas = np.zeros((3 * size, 3 * size), np.uint8)

    def grow(at: NDArray[np.float64], heading: float, width: float, depth: int) -> None:
        points = [at]
        for _ in range(int(rng.integers(12, 30))):
            heading += rng.normal(0, 0.22)
            at = at + 5.0 * np.array([np.cos(heading), np.sin(heading)])
            if not (at >= 0).all() or not (at < 3 * size).all():
                break
            points.append(at)
        line = np.round(np.array(points) * 8).astype(np.int32)
        shade = int(np.clip(70 + 60 * width, 40, 255))
        cv2.polylines(canvas, [line], False, shade, max(1, round(width)), cv2.LINE_AA, 3)
        if depth > 0:
            for turn in (rng.uniform(0.3, 0.9), -rng.uniform(0.3, 0.9)):
                grow(at, heading + turn, width * rng.uniform(0.55, 0.8), depth - 1)

    for _ in range(trees):
        start = rng.uniform(size, 2 * size, 2)
        grow(start, rng.uniform(0, 2 * np.pi), rng.uniform(1.5, 4.5), int(rng.integers(2, 4)))
    folded = canvas.reshape(3, size, 3, size).max(axis=(0, 2))
    return np.asarray(cv2.GaussianBlur(folded, (0, 0), 0.8) / 255.0, np.float32)


@lru_cache(maxsize=1)
def tissues(count: int = 12, size: int = 512, seed: int = 20241) -> tuple[Tissue, ...]:
    """The tiles every worker draws from; the same in every process."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        mottling = spectral_noise(rng, size, rng.uniform(1.1, 1.8))
        vessels = vessel_tree(rng, size, int(rng.integers(8, 40)))
        bump = spectral_noise(rng, size, rng.uniform(0.9, 1.5), low=6.0)
        stain = spectral_noise(rng, size, rng.uniform(1.3, 2.0), low=2.0)
        made.append(Tissue(np.stack([mottling, vessels, bump, stain], axis=-1)))
    return tuple(made)


def sample(tissue: Tissue, position: Floats, normal: Floats, tile_mm: float) -> Floats:
    """Texture of surface points by triplanar projection.

    Args:
        position: (H, W, 3) world, mm.
        normal: (H, W, 3) world, unit.
        tile_mm: side of one tile.

    Returns:
        (H, W, 4) mottling, vessels, bump, stain.
    """
    size = tissue.tile.shape[0]
    pixels = position * (size / tile_mm)
    weights = np.square(np.square(normal))
    weights /= np.maximum(np.einsum("ijk->ij", weights), 1e-6)[..., None]
    total = np.zeros((*position.shape[:2], 4), np.float32)
    for axis in range(3):
        u, v = (k for k in range(3) if k != axis)
        x = np.mod(pixels[..., u], size).astype(np.float32)
        y = np.mod(pixels[..., v] + 101 * axis, size).astype(np.float32)
        looked_up = cv2.remap(tissue.tile, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        total += weights[..., axis, None] * looked_up
    return total
