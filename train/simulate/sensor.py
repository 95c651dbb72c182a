"""From radiance to a file's pixels: exposure, tone, blur, noise, sharpening, chroma, JPEG.

Pictures are (H, W, 3) float32 RGB. Lengths in pixels are those of a picture 256 wide and grow with
it. What a processor does to every frame is settings; what differs by frame comes from `rng`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

NOMINAL_PX = 256
"""Width for which lengths are given."""
_BRIGHTEST = 4.0
_STEPS = 4096
_MIDDLE = 0.45
_NOISE_PX = 1024
_SUBPIXEL_BITS = 4
_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Automatic exposure and tone curve."""

    middle: float = 0.155
    """Linear luminance the median of a frame is brought towards."""
    bright: float = 0.45
    """And its ninth decile; both count alike."""
    unsteady: float = 0.0
    """Spread of the log of the gain from frame to frame."""
    knee: float = 0.75
    gamma: float = 2.2
    contrast: float = 1.0
    balance: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Gain of each colour."""


@dataclass(frozen=True, slots=True)
class Processor:
    """What happens to a picture between sensor and file."""

    blur_px: float = 0.0
    bloom: float = 0.0
    """Share of the light beyond white that spreads around it."""
    bleach: float = 0.0
    """Share of the light beyond white that spills into the other colours: what is over-exposed
    turns white, whatever its colour."""
    motion: float = 0.0
    """Share of frames blurred by motion."""
    noise: float = 0.0
    """Deviation at white."""
    chroma_px: float = 0.0
    """Blur of colour: mosaic and subsampling."""
    sharpen: float = 0.0
    sharpen_px: float = 1.0
    quality: int = 0
    """Of JPEG; 0: none."""


def gain(radiance: Floats, valid: Bools, exposure: Exposure) -> float:
    """What brings median and ninth decile of luminance nearest to their aims."""
    seen = radiance[::4, ::4][valid[::4, ::4]]
    if not seen.size:
        return 1.0
    middle, bright = np.quantile(seen @ _LUMINANCE, (0.5, 0.9)) + 1e-9
    return float(np.sqrt(exposure.middle / middle * exposure.bright / bright))


def shoulder(linear: NDArray[np.float64], knee: float) -> NDArray[np.float64]:
    """Straight up to the knee k, then k + (1 − k)(1 − exp(−(x − k)/(1 − k))), never above 1."""
    above = np.maximum(linear - knee, 0) / (1 - knee)
    return np.asarray(np.minimum(linear, knee) + (1 - knee) * (1 - np.exp(-above)))


def steepened(display: NDArray[np.float64], contrast: float) -> NDArray[np.float64]:
    """m + c (x − m) about middle grey m = 0.45, within 0..1."""
    return np.asarray(np.clip(_MIDDLE + contrast * (display - _MIDDLE), 0, 1))


@lru_cache(maxsize=64)
def _tone_table(knee: float, gamma: float, contrast: float) -> Floats:
    """Display values over the square root of linear ones, dense where the eye is sensitive."""
    root = np.linspace(0, np.sqrt(_BRIGHTEST), _STEPS)
    return np.asarray(steepened(shoulder(root**2, knee) ** (1 / gamma), contrast), np.float32)


def tone(linear: Floats, exposure: Exposure) -> Floats:
    """Linear light → display range 0..1: shoulder, the power 1/γ, contrast."""
    root = np.sqrt(np.clip(linear, 0, _BRIGHTEST))
    steps = root * np.float32((_STEPS - 1) / np.sqrt(_BRIGHTEST)) + np.float32(0.5)
    table = _tone_table(exposure.knee, exposure.gamma, exposure.contrast)
    return table[steps.astype(np.int32)]


def expose(
    radiance: Floats, valid: Bools, exposure: Exposure, processor: Processor,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """Radiance → display range: gain, bloom, blur of lens and motion, tone."""
    unsteady = float(np.exp(exposure.unsteady * rng.standard_normal()))
    scale = np.float32(gain(radiance, valid, exposure) * unsteady)
    linear = radiance * (scale * np.array(exposure.balance, np.float32))
    if processor.bloom:
        linear += np.float32(processor.bloom) * bloom(linear)
    if processor.bleach:
        linear = bleached(linear, processor.bleach)
    np.minimum(linear, np.float32(_BRIGHTEST), out=linear)
    size = linear.shape[1] / NOMINAL_PX
    if processor.blur_px * size > 0.25:
        linear = np.asarray(cv2.GaussianBlur(linear, (0, 0), processor.blur_px * size), np.float32)
    if rng.random() < processor.motion:
        linear = smear(linear, rng.uniform(2, 9) * size, rng.uniform(0, np.pi))
    return tone(linear, exposure)


def bloom(linear: Floats) -> Floats:
    """Light beyond white (H, W, 3), spread over a twentieth of the picture."""
    height, width = linear.shape[:2]
    small = cv2.resize(linear, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    spread = cv2.GaussianBlur(np.maximum(small - 1, 0), (0, 0), width / 80)
    return np.asarray(cv2.resize(spread, (width, height)), np.float32)


def bleached(linear: Floats, share: float) -> Floats:
    """x + s max(max x − 1, 0): each colour (H, W, 3) gains a share of the brightest's excess."""
    excess = np.maximum(linear.max(-1, keepdims=True) - 1, 0)
    return np.asarray(linear + np.float32(share) * excess, np.float32)


def smear(picture: Floats, length_px: float, angle: float) -> Floats:
    """Blur of a straight motion."""
    side = 2 * int(np.ceil(length_px / 2)) + 1
    reach = np.array([np.cos(angle), np.sin(angle)]) * length_px / 2
    ends = np.round((side // 2 + np.stack([-reach, reach])) * 2**_SUBPIXEL_BITS).astype(np.int32)
    kernel = np.zeros((side, side), np.uint8)
    cv2.polylines(kernel, [ends], False, 255, 1, cv2.LINE_AA, _SUBPIXEL_BITS)
    weights = kernel.astype(np.float32) / max(int(kernel.sum()), 1)
    return np.asarray(cv2.filter2D(picture, -1, weights), np.float32)


def process(picture: Floats, processor: Processor, rng: np.random.Generator) -> Floats:
    """Noise of the sensor, colour at half resolution, sharpened edges."""
    size = picture.shape[1] / NOMINAL_PX
    if processor.noise:
        picture = picture + noise(picture.shape[:2], rng) * np.float32(processor.noise) * np.sqrt(
            np.maximum(picture, np.float32(0.03))
        )
    if processor.chroma_px:
        grey = picture @ _LUMINANCE
        colour = cv2.GaussianBlur(picture - grey[..., None], (0, 0), processor.chroma_px * size)
        picture = grey[..., None] + colour
    if processor.sharpen:
        soft = cv2.GaussianBlur(picture, (0, 0), processor.sharpen_px * size)
        picture = picture + np.float32(processor.sharpen) * (picture - soft)
    return np.clip(picture, 0, 1)


@lru_cache(maxsize=1)
def _noise_sheet() -> Floats:
    """(1024, 1024, 3): much alike in the three colours, as after a mosaic is filled in."""
    rng = np.random.default_rng(771)
    grey = rng.standard_normal((_NOISE_PX, _NOISE_PX, 1), np.float32)
    colour = rng.standard_normal((_NOISE_PX, _NOISE_PX, 3), np.float32)
    sheet = 0.8 * grey + 0.6 * colour
    sheet.setflags(write=False)
    return sheet


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
    """(H, W, 3) of unit variance: a random piece of a sheet, which costs a tenth of drawing it."""
    sheet = _noise_sheet()
    height, width = shape[:2]
    if max(height, width) >= _NOISE_PX // 2:
        tall, broad = (-(-2 * side // _NOISE_PX) for side in (height, width))
        sheet = np.tile(sheet, (tall, broad, 1))
    top = int(rng.integers(sheet.shape[0] - height + 1))
    left = int(rng.integers(sheet.shape[1] - width + 1))
    return sheet[top : top + height, left : left + width]


def compress(image: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Through JPEG with halved chroma and back; as it is for quality 0."""
    if not quality:
        return image
    coded = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.ascontiguousarray(decoded[..., ::-1], np.uint8)
