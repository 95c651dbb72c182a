"""How alike two sets of pictures are: colour, fineness of detail, and deep features.

One measure, one function. Each is symmetric up to its sign and knows nothing of where the pictures
came from. Pictures are (n, H, W, 3) uint8 RGB; a block numbers the pictures that belong together
(one colon, one patient), so that intervals do not take neighbours for independent witnesses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from engine.types import Image
from train.metrics import Interval

Floats = NDArray[np.float64]
Blocks = NDArray[np.int64]

_PIXELS_A_PICTURE = 500
_DIRECTIONS = 64
_RESAMPLES = 1000
_SUBSETS = 100
_SUBSET_PICTURES = 100
_DEGREE = 3
_NO_POWER = 1e-12
"""Far below one grey level of 255 in one ring, and not zero: its logarithm is taken."""


@dataclass(frozen=True, slots=True)
class ColourDistance:
    """Earth mover's distances in CIELAB units; 2 to 3 is a just visible difference."""

    lightness: float
    red_green: float
    blue_yellow: float
    joint: float
    """Sliced over directions of (L*, a*, b*); moving all colours by d counts d."""


def lab_pixels(images: Image, valid: NDArray[np.bool_]) -> Floats:
    """(n, k, 3) L*, a*, b* of equally many pixels of every picture, evenly spread.

    Args:
        images: (n, H, W, 3) RGB, taken as sRGB.
        valid: (n, H, W) inside the field of view, somewhere in every picture.
    """
    drawn = []
    for image, inside in zip(images, valid, strict=True):
        where = np.flatnonzero(inside)
        picks = where[np.linspace(0, where.size - 1, _PIXELS_A_PICTURE).astype(np.int64)]
        pixels = image.reshape(-1, 3)[picks][None].astype(np.float32) / 255
        drawn.append(cv2.cvtColor(pixels, cv2.COLOR_RGB2Lab)[0])
    return np.asarray(drawn, np.float64)


def colour_distance(first: Floats, second: Floats) -> ColourDistance:
    """1-D Wasserstein distance in each channel, and the sliced one of all three.

    Bonneel, Rabin, Peyré & Pfister 2015, "Sliced and Radon Wasserstein barycenters of measures",
    with a mean over directions instead of an integral.

    Args:
        first: (n, 3) L*, a*, b*.
        second: (m, 3).
    """
    single = [float(wasserstein_distance(first[:, k], second[:, k])) for k in range(3)]
    directions = even_directions(_DIRECTIONS)
    sliced = [wasserstein_distance(first @ along, second @ along) for along in directions]
    # A shift projects to |cos| of its length, which is one half on average over the sphere.
    return ColourDistance(single[0], single[1], single[2], 2 * float(np.mean(sliced)))


def even_directions(count: int) -> Floats:
    """(count, 3) unit vectors spread evenly over a half sphere: a Fibonacci lattice."""
    number = np.arange(count) + 0.5
    height = number / count
    angle = np.pi * (1 + np.sqrt(5)) * number
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


def radial_power(window: Floats) -> Floats:
    """(side // 2,) mean power of a (side, side) window at 1, 2, ... cycles per side.

    The mean is taken away and a Hann window applied, so that opposite borders agree; power is
    per frequency, averaged over rings one cycle wide.
    """
    side = window.shape[0]
    taper = np.hanning(side + 1)[:-1]
    taper = taper[:, None] * taper[None, :]
    # The tapered mean, because what the taper leaves of the plain one leaks into the first rings.
    level = (window * taper).sum() / taper.sum()
    power = np.abs(np.fft.fft2((window - level) * taper)) ** 2 / (taper**2).sum()
    cycles = np.fft.fftfreq(side) * side
    ring = np.rint(np.hypot(cycles[:, None], cycles[None, :])).astype(np.int64).ravel()
    total = np.bincount(ring, power.ravel())
    mean = total / np.maximum(np.bincount(ring), 1)
    return np.asarray(mean[1 : side // 2 + 1])


def spectra(images: Image, side: int) -> Floats:
    """(n, side // 2) log10 of the radial power of luminance (0..1) in the centred window."""
    found = []
    for image in images:
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        grey = cv2.cvtColor(image[top : top + side, left : left + side], cv2.COLOR_RGB2GRAY)
        found.append(np.log10(radial_power(grey.astype(np.float64) / 255) + _NO_POWER))
    return np.stack(found)


def slopes(log_power: Floats, low: float, high: float) -> Floats:
    """(n,) least-squares slopes of log power against log frequency.

    Args:
        log_power: (n, side // 2) as from `spectra`.
        low: lowest frequency that counts, cycles per pixel.
        high: highest, at most 0.5.
    """
    rings = log_power.shape[1]
    frequency = np.arange(1, rings + 1) / (2 * rings)
    counts = (frequency >= low) & (frequency <= high)
    x = np.log10(frequency[counts])
    x -= x.mean()
    return np.asarray(log_power[:, counts] @ x / (x @ x))


def drawn_blocks(blocks: Blocks, rng: np.random.Generator, resamples: int) -> Floats:
    """(resamples, n) how often each picture counts when whole blocks are drawn with replacement."""
    names, index = np.unique(blocks, return_inverse=True)
    chances = np.full(names.size, 1 / names.size)
    return rng.multinomial(names.size, chances, size=resamples)[:, index].astype(np.float64)


def _interval(value: float, drawn: Floats) -> Interval:
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return Interval(value, float(low), float(high))


def mean_difference(
    first: tuple[Floats, Blocks], second: tuple[Floats, Blocks], seed: int = 0
) -> Interval:
    """Mean of the first set minus that of the second, with a block bootstrap interval (95 %).

    Args:
        first: (n,) values and (n,) blocks.
        second: (m,) values and (m,) blocks.
        seed: of the bootstrap.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for values, blocks in (first, second):
        weights = drawn_blocks(blocks, rng, _RESAMPLES)
        drawn.append(weights @ values / weights.sum(1))
    value = float(first[0].mean() - second[0].mean())
    return _interval(value, drawn[0] - drawn[1])


@dataclass(frozen=True, slots=True)
class KernelDistance:
    """Squared maximum mean discrepancy; zero is expected of two draws from one source."""

    measured: Interval
    """Of all pictures, with a block bootstrap interval (95 %)."""
    subset_mean: float
    subset_deviation: float
    subset_pictures: int
    """Of each set in each subset."""


def polynomial_kernel(first: Floats, second: Floats) -> Floats:
    """(n, m) values of (x · y / d + 1)³ for features (n, d) and (m, d).

    Binkowski, Sutherland, Arbel & Gretton 2018, "Demystifying MMD GANs", section 3.
    """
    return np.asarray((first @ second.T / first.shape[1] + 1.0) ** _DEGREE, np.float64)


Discrepancy = Callable[[Floats, Floats], Floats]
"""Weights (r, n) and (r, m) of the pictures → (r,) squared discrepancies."""


def discrepancy(first: tuple[Floats, Blocks], second: tuple[Floats, Blocks]) -> Discrepancy:
    """The unbiased estimate of MMD² as a function of how often each picture counts.

    Within a set only pairs from different blocks count: frames of one colon resemble each other,
    and pairs of them would make any two sets look further apart than they are. Where every block
    is one picture, this is the usual estimate without the diagonal.

    Args:
        first: (n, d) features and (n,) blocks.
        second: (m, d) features and (m,) blocks.
    """
    between = polynomial_kernel(first[0], second[0])
    within = []
    for features, blocks in (first, second):
        apart = (blocks[:, None] != blocks[None, :]).astype(np.float64)
        within.append((polynomial_kernel(features, features) * apart, apart))

    def measure(weights_first: Floats, weights_second: Floats) -> Floats:
        weights = (weights_first, weights_second)
        alike = [
            _mean_of_pairs(kernel, apart, chosen)
            for (kernel, apart), chosen in zip(within, weights, strict=True)
        ]
        across = ((weights_first @ between) * weights_second).sum(1)
        across = across / (weights_first.sum(1) * weights_second.sum(1))
        return np.asarray(alike[0] + alike[1] - 2 * across)

    return measure


def _mean_of_pairs(kernel: Floats, apart: Floats, weights: Floats) -> Floats:
    pairs = ((weights @ apart) * weights).sum(1)
    total = ((weights @ kernel) * weights).sum(1)
    # A draw of one block only has no pair to compare: no figure rather than a wrong one.
    return np.asarray(np.divide(total, pairs, out=np.full_like(total, np.nan), where=pairs > 0))


def kernel_distance(
    first: tuple[Floats, Blocks], second: tuple[Floats, Blocks], seed: int = 0
) -> KernelDistance:
    """KID (Binkowski et al. 2018) of two sets of features, over all pictures and over subsets.

    Args:
        first: (n, d) features and (n,) blocks, at least two blocks.
        second: (m, d) features and (m,) blocks, at least two blocks.
        seed: of the bootstrap and of the subsets.
    """
    rng = np.random.default_rng(seed)
    measure = discrepancy(first, second)
    everything = [np.ones((1, blocks.size)) for _, blocks in (first, second)]
    drawn = [drawn_blocks(blocks, rng, _RESAMPLES) for _, blocks in (first, second)]
    sizes = [blocks.size for _, blocks in (first, second)]
    # At most half of a set, or the subsets would be one and the same and their deviation zero.
    pictures = min(_SUBSET_PICTURES, *(size // 2 for size in sizes))
    subsets = measure(*(_subsets(size, pictures, rng) for size in sizes))
    return KernelDistance(
        _interval(float(measure(*everything)[0]), measure(*drawn)),
        float(np.nanmean(subsets)),
        float(np.nanstd(subsets)),
        pictures,
    )


def _subsets(size: int, pictures: int, rng: np.random.Generator) -> Floats:
    """(_SUBSETS, size) 1 where a picture belongs to the subset, without replacement."""
    order = rng.random((_SUBSETS, size)).argsort(1)
    return np.asarray(order < pictures, np.float64)


def gaussian_distance(first: tuple[Floats, Floats], second: tuple[Floats, Floats]) -> float:
    """|m - m'|² + tr(C + C' - 2·(C·C')^½): Fréchet distance of two normal distributions.

    Dowson & Landau 1982 (J. Multivariate Analysis 12). With C = AᵀA, the trace of the root is the
    sum of the singular values of A·A'ᵀ: no root of a matrix is taken, and few pictures cost little.

    Args:
        first: mean (d,) and a factor A (n, d) of the covariance.
        second: of the other.
    """
    shared = np.linalg.svd(first[1] @ second[1].T, compute_uv=False).sum()
    spread = (first[1] ** 2).sum() + (second[1] ** 2).sum() - 2 * shared
    return float(((first[0] - second[0]) ** 2).sum() + spread)


def moments(features: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Mean (d,) of features (n, d), and a factor of their unbiased covariance.

    Each picture counts as often as its weight (n,) says.
    """
    kept = weights > 0
    features, weights = features[kept], weights[kept]
    total = weights.sum()
    mean = weights @ features / total
    return mean, (features - mean) * np.sqrt(weights / (total - 1))[:, None]


def frechet_distance(
    first: tuple[Floats, Blocks], second: tuple[Floats, Blocks], resamples: int = 100, seed: int = 0
) -> Interval:
    """FID (Heusel et al. 2017, arXiv:1706.08500) of two sets of features.

    Few pictures make it too large, and a redraw, in which pictures repeat, larger still: the
    interval (95 %) is the spread of redraws of blocks around their mean, put around the figure.

    Args:
        first: (n, d) features and (n,) blocks.
        second: (m, d) features and (m,) blocks.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    sets, rng = (first, second), np.random.default_rng(seed)
    whole = [moments(features, np.ones(len(features))) for features, _ in sets]
    value = gaussian_distance(whole[0], whole[1])
    draws = [drawn_blocks(blocks, rng, resamples) for _, blocks in sets]
    redrawn = np.array([
        gaussian_distance(moments(first[0], one), moments(second[0], other))
        for one, other in zip(*draws, strict=True)
    ])  # fmt: skip
    return _interval(value, value + redrawn - redrawn.mean())
