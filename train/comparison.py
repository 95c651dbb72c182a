"""One set of pictures by itself, and how far it lies from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image
from train.likeness import (
    ColourDistance,
    KernelDistance,
    colour_distance,
    kernel_distance,
    lab_pixels,
    mean_difference,
    slopes,
    spectra,
)
from train.metrics import Interval
from train.pictures import DeepFeatures, PictureSet

Floats = NDArray[np.float64]

BANDS = {"all": (0.025, 0.375), "coarse": (0.025, 0.1), "fine": (0.1, 0.375)}
"""Cycles per pixel: above the taper's leakage, below what resizing and JPEG leave."""
_BRIGHT, _DARK = 95.0, 10.0
"""L* of a highlight, and of a lumen without light."""


@dataclass(frozen=True, slots=True)
class Looks:
    """One set by itself."""

    name: str
    frames: int
    blocks: int
    mean: tuple[float, ...]
    """L*, a*, b* over all pixels."""
    deviation: tuple[float, ...]
    """Of all pixels."""
    between: tuple[float, ...]
    """Deviation of the pictures' means: how much pictures differ from each other."""
    bright: float
    """Part of the pixels with L* above 95."""
    dark: float
    """Part of the pixels with L* below 10."""
    slopes: Mapping[str, float]
    """Of the power spectrum, by band."""

    def row(self) -> str:
        """Markdown."""
        colour = " | ".join(
            f"{m:.1f} ± {d:.1f} ({b:.1f})"
            for m, d, b in zip(self.mean, self.deviation, self.between, strict=True)
        )
        shares = f"{100 * self.bright:.1f} | {100 * self.dark:.1f}"
        steepness = " | ".join(f"{self.slopes[band]:.2f}" for band in BANDS)
        return f"| {self.name} | {self.frames} | {colour} | {shares} | {steepness} |"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How far one set lies from another."""

    name: str
    against: str
    colour: ColourDistance
    slope: Mapping[str, Interval]
    """Difference of the spectrum's slope, by band."""
    whole: KernelDistance
    """KID of whole pictures."""
    window: KernelDistance
    """KID of the centred half: tissue without the outline of the view."""

    def row(self) -> str:
        """Markdown."""
        colour = self.colour
        parts = [
            *(f"{value:.1f}" for value in (colour.lightness, colour.red_green)),
            *(f"{value:.1f}" for value in (colour.blue_yellow, colour.joint)),
            *(_signed(self.slope[band]) for band in BANDS),
            *(_with_subsets(distance) for distance in (self.whole, self.window)),
        ]
        return f"| {self.name} | {self.against} | {' | '.join(parts)} |"


def _signed(difference: Interval) -> str:
    return f"{difference.value:+.2f} [{difference.low:+.2f}, {difference.high:+.2f}]"


def _with_subsets(distance: KernelDistance) -> str:
    all_pictures = distance.measured
    return (
        f"{all_pictures.value:.2f} [{all_pictures.low:.2f}, {all_pictures.high:.2f}]; "
        f"{distance.subset_mean:.2f} ± {distance.subset_deviation:.2f}"
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """What the measures need of one set, taken once."""

    pictures: PictureSet
    lab: Floats
    """(n, k, 3)."""
    log_power: Floats
    """(n, side // 2)."""
    whole: Floats
    """(n, d) features."""
    window: Floats
    """(n, d) features of the centred half."""

    @classmethod
    def of(cls, pictures: PictureSet, features: DeepFeatures) -> Measured:
        """Take colours, spectra and features."""
        return cls(
            pictures,
            lab_pixels(pictures.images, pictures.valid),
            spectra(pictures.images, pictures.size // 2),
            features(pictures.images, pictures.name),
            features(_centres(pictures.images), f"{pictures.name}, centre"),
        )

    def looks(self) -> Looks:
        """The set by itself."""
        pixels, pictures = self.lab.reshape(-1, 3), self.pictures
        return Looks(
            name=pictures.name,
            frames=len(pictures),
            blocks=np.unique(pictures.blocks).size,
            mean=tuple(pixels.mean(0).tolist()),
            deviation=tuple(pixels.std(0).tolist()),
            between=tuple(self.lab.mean(1).std(0).tolist()),
            bright=float((pixels[:, 0] > _BRIGHT).mean()),
            dark=float((pixels[:, 0] < _DARK).mean()),
            slopes={
                band: float(slopes(self.log_power, *limits).mean())
                for band, limits in BANDS.items()
            },
        )

    def against(self, other: Measured) -> Comparison:
        """How far this set lies from another."""
        ours, theirs = self.pictures.blocks, other.pictures.blocks
        return Comparison(
            name=self.pictures.name,
            against=other.pictures.name,
            colour=colour_distance(self.lab.reshape(-1, 3), other.lab.reshape(-1, 3)),
            slope={
                band: mean_difference(
                    (slopes(self.log_power, *limits), ours),
                    (slopes(other.log_power, *limits), theirs),
                )
                for band, limits in BANDS.items()
            },
            whole=kernel_distance((self.whole, ours), (other.whole, theirs)),
            window=kernel_distance((self.window, ours), (other.window, theirs)),
        )


def _centres(images: Image) -> Image:
    """The centred half of every picture, enlarged to the size of the whole."""
    size = images.shape[1]
    quarter = size // 4
    inner = images[:, quarter : size - quarter, quarter : size - quarter]
    grown = [cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR) for image in inner]
    return np.asarray(grown, np.uint8)
