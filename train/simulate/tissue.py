"""Mucosa as seamless tiles, laid onto the wall from three sides: mottling, stains, vessels, bumps.

A tile keeps what a patient's wall looks like apart from its colours. It is stored in bytes with
coarser copies of itself, so that far walls do not flicker and everything stays in the cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from train.simulate.compiled import bare
from train.simulate.dataset import GeometryFrame
from train.simulate.vessels import BROAD, FINE, vessel_layer

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.int8]

TILES = 12
"""Different tiles there are."""
CHANNELS = ("mottling", "stain", "fine vessels", "broad vessels", "slope u", "slope v")
_SIZE_PX = 512
_LEVELS = 5
_SEED = 20241
_APART_MM = 17.0
"""Shift of one side's tiles against the next's."""
_UNIT = 32.0
"""A channel's 1.0 in bytes: four deviations fit."""


def spectral_noise(rng: np.random.Generator, size: int, slope: float, low: float = 1.0) -> Floats:
    """Seamless noise (size, size) of unit variance with amplitude ~ frequency^-slope."""
    fy = np.fft.fftfreq(size)[:, None] * size
    fx = np.fft.rfftfreq(size)[None, :] * size
    frequency = np.hypot(fx, fy)
    amplitude = np.where(frequency >= low, np.maximum(frequency, 1) ** -slope, 0)
    phase = rng.uniform(0, 2 * np.pi, frequency.shape)
    noise = np.fft.irfft2(amplitude * np.exp(1j * phase), s=(size, size))
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def slopes(height: Floats) -> tuple[Floats, Floats]:
    """Derivatives of a seamless height by column and by row, each of unit variance."""
    across = np.roll(height, -1, 1) - np.roll(height, 1, 1)
    down = np.roll(height, -1, 0) - np.roll(height, 1, 0)
    return across / across.std(), down / down.std()


@lru_cache(maxsize=TILES)
def tile(number: int) -> tuple[Bytes, ...]:
    """Tile `number` of `TILES`, the same in every process: (S, S, 6) bytes, then half of it, ...

    Channels as in `CHANNELS`, 1.0 stored as 32.
    """
    rng = np.random.default_rng([_SEED, number])
    # Creases and pits between a half and four millimetres, on broader swellings.
    height = 0.5 * spectral_noise(rng, _SIZE_PX, rng.uniform(2.0, 2.5), low=12.0)
    height += rng.uniform(1.0, 2.5) * spectral_noise(rng, _SIZE_PX, 2.8, low=4.0)
    # Wet folds and creases gather in some places and leave others smooth.
    height *= np.exp(0.7 * spectral_noise(rng, _SIZE_PX, 2.0, low=3.0))
    across, down = slopes(height)
    layers = np.stack(
        [
            spectral_noise(rng, _SIZE_PX, rng.uniform(0.9, 1.5), low=2.0),
            spectral_noise(rng, _SIZE_PX, rng.uniform(1.2, 1.7), low=2.0),
            2 * vessel_layer(rng, _SIZE_PX, FINE),
            2 * vessel_layer(rng, _SIZE_PX, BROAD),
            across,
            down,
        ],
        axis=-1,
    )
    return pyramid(layers)


def pyramid(layers: Floats) -> tuple[Bytes, ...]:
    """(S, S, 6) and halves of it as bytes, finest first."""
    levels = []
    for _ in range(_LEVELS):
        levels.append(np.clip(np.round(layers * _UNIT), -127, 127).astype(np.int8))
        half = layers.shape[0] // 2
        layers = layers.reshape(half, 2, half, 2, -1).mean(axis=(1, 3))
    for level in levels:
        level.setflags(write=False)
    return tuple(levels)


@dataclass(frozen=True, slots=True)
class Wall:
    """Which tile a wall wears."""

    number: int
    side_mm: float
    """Of one tile."""
    shift_mm: tuple[float, float, float]
    """Of the colon against the tiles."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Wall:
        """Any of the tiles, of any likely size."""
        x, y, z = rng.uniform(0, 100, 3)
        return cls(int(rng.integers(TILES)), float(rng.uniform(38, 75)), (x, y, z))

    def on(self, frame: GeometryFrame) -> Floats:
        """(H, W, 7): mottling, stain, fine and broad vessels, slope (camera coordinates, 3)."""
        middle = frame.rays.shape[0] // 2, frame.rays.shape[1] // 2
        here, beside = frame.rays[middle], frame.rays[middle[0], middle[1] - 1]
        texture = np.empty((*frame.depth_mm.shape, 7), np.float32)
        _lay(
            tile(self.number),
            (frame.position, frame.normal, frame.depth_mm),
            np.ascontiguousarray(frame.rotation),
            np.array([*self.shift_mm, self.side_mm, float(np.linalg.norm(here - beside))]),
            texture,
            np.empty((4, len(CHANNELS))),
        )
        return texture


@bare
def side_weight(cosine: float) -> float:
    """Of the tile seen from one side: (n² − 0.2)², 0 where the wall is turned away from it.

    Of three squares that sum to 1 one is a third or more, so some side always counts.
    """
    over = max(cosine * cosine - 0.2, 0.0)
    return over * over


@bare
def level_of(footprint_mm: float, texel_mm: float, levels: int) -> int:
    """The level whose texels are about as large as what a pixel covers."""
    level = 0
    while footprint_mm > 1.4 * texel_mm and level < levels - 1:
        texel_mm *= 2
        level += 1
    return level


@bare
def _lay(
    levels: tuple[Bytes, ...],
    wall: tuple[Floats, Floats, Floats],
    rotation: Floats,
    settings: Doubles,
    texture: Floats,
    scratch: Doubles,
) -> None:
    """Writes the texture (H, W, 7); settings are the shift (3), the tile's side, rad a pixel."""
    position, normal, depth_mm = wall
    texel_mm = settings[3] / levels[0].shape[0]
    facing, slope = scratch[0], scratch[1]
    for row in range(depth_mm.shape[0]):
        for column in range(depth_mm.shape[1]):
            out = texture[row, column]
            out[:] = 0
            depth = depth_mm[row, column]
            if depth <= 0:
                continue
            for axis in range(3):
                facing[axis] = 0.0
                slope[axis] = 0.0
                for k in range(3):
                    facing[axis] += rotation[axis, k] * normal[row, column, k]
            level = levels[level_of(depth * settings[4], texel_mm, len(levels))]
            _project(level, position[row, column], settings, out, scratch)
            along = slope[0] * facing[0] + slope[1] * facing[1] + slope[2] * facing[2]
            for axis in range(3):
                for k in range(3):
                    out[4 + k] += rotation[axis, k] * (slope[axis] - along * facing[axis])


@bare
def _project(level: Bytes, place: Floats, settings: Doubles, out: Floats, scratch: Doubles) -> None:
    """Adds what the three sides show to the first four of `out` and to the slope (world)."""
    facing, slope, at, found = scratch[0], scratch[1], scratch[2], scratch[3]
    total = 0.0
    for axis in range(3):
        total += side_weight(facing[axis])
    for axis in range(3):
        part = side_weight(facing[axis]) / max(total, 1e-9)
        if part == 0:
            continue
        u, v = (axis + 1) % 3, (axis + 2) % 3
        texels = level.shape[0] / settings[3]
        at[0] = (place[u] + settings[u]) * texels
        at[1] = (place[v] + settings[v] + _APART_MM * axis) * texels
        _look_up(level, at, found)
        for channel in range(4):
            out[channel] += part * found[channel]
        slope[u] += part * found[4]
        slope[v] += part * found[5]


@bare
def _look_up(level: Bytes, at: Doubles, found: Doubles) -> None:
    """Between four texels, around the borders."""
    last = level.shape[0] - 1  # a power of two less one: masking wraps, and is no division
    x, y = np.floor(at[0]), np.floor(at[1])
    right, low = np.float32(at[0] - x), np.float32(at[1] - y)
    left, top = int(x) & last, int(y) & last
    beside, below = (left + 1) & last, (top + 1) & last
    for channel in range(6):
        first, second = (
            np.float32(level[top, left, channel]),
            np.float32(level[top, beside, channel]),
        )
        upper = first + right * (second - first)
        first, second = (
            np.float32(level[below, left, channel]),
            np.float32(level[below, beside, channel]),
        )
        lower = first + right * (second - first)
        found[channel] = (upper + low * (lower - upper)) * (1 / _UNIT)
