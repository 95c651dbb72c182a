"""Polyps of real frames on simulated pictures: raised, round, beside folds, and never fold.

Simulated polyps have the tissue of simulated walls; only real ones show what a polyp looks like.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image, Mask
from train.real import PlacedFrame

Floats = NDArray[np.float32]

AREA = (0.004, 0.25)
"""Of the grid: smaller polyps show nothing, larger ones leave no room for folds."""
FEATHER_PX = 1.5
MARGIN_PX = 8
"""Around a polyp, so that its feather ends inside the crop."""
INSIDE = 0.99
"""Of the polyp's rim, in the field of view; else the view cuts the polyp."""
ZOOM = (0.4, 1.4)
ADAPTED = 0.8
"""The most that a polyp takes of the colours around it."""
GAIN = (0.25, 2.0)
CONTRAST = (0.6, 1.4)
_FOLD, _EDGE, _VALID, _HARD = range(4)


@dataclass(frozen=True, slots=True)
class Patch:
    """One polyp, cut out."""

    image: Image
    """(h, w, 3) RGB."""
    alpha: Floats
    """(h, w), 0 beside the polyp to 1 on it."""


class Pasted(NamedTuple):
    """A picture with a polyp on it."""

    image: Image
    """(H, W, 3) RGB."""
    labels: NDArray[np.uint8]
    """(H, W, 4) 0/1: fold, edge, valid, hard."""
    covered: Mask
    """(H, W), where the polyp is: the distance of the wall below is not what is seen."""


def patches(frames: Sequence[PlacedFrame]) -> list[Patch]:
    """Every marked polyp that a frame shows whole, of an area within `AREA`."""
    return [patch for frame in frames for patch in _patches_of(frame)]


def _patches_of(frame: PlacedFrame) -> Iterator[Patch]:
    padded = [np.pad(mask.astype(np.uint8), MARGIN_PX) for mask in (frame.absent, frame.valid)]
    picture = np.pad(frame.image, ((MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX), (0, 0)))
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(padded[0])
    for part in range(1, count):
        left, top, width, height, area = boxes[part]
        rows = slice(top - MARGIN_PX, top + height + MARGIN_PX)
        columns = slice(left - MARGIN_PX, left + width + MARGIN_PX)
        polyp = (parts[rows, columns] == part).astype(np.uint8)
        is_apt = AREA[0] <= area / frame.absent.size <= AREA[1]
        if is_apt and _share_inside(polyp, padded[1][rows, columns]) >= INSIDE:
            yield Patch(picture[rows, columns].copy(), _feathered(polyp))


def _share_inside(polyp: NDArray[np.uint8], valid: NDArray[np.uint8]) -> float:
    """How much of the rim of `polyp`, three pixels wide, is `valid`."""
    rim = cv2.dilate(polyp, np.ones((7, 7), np.uint8)) > polyp
    return float(valid[rim].mean())


def _feathered(polyp: NDArray[np.uint8]) -> Floats:
    """(h, w) 0..1: the mask, a pixel smaller since masks reach onto the mucosa, with a soft rim."""
    core = cv2.erode(polyp, np.ones((3, 3), np.uint8)).astype(np.float32)
    return cast(Floats, cv2.GaussianBlur(core, (0, 0), FEATHER_PX))


def paste(
    image: Image, labels: NDArray[np.uint8], patch: Patch, rng: np.random.Generator
) -> Pasted:
    """A copy with `patch` somewhere in the valid part, turned, zoomed, lit as its surroundings.

    Args:
        image: (H, W, 3) RGB.
        labels: (H, W, 4) 0/1: fold, edge, valid, hard.
    """
    image, labels = image.copy(), labels.copy()
    covered = np.zeros(image.shape[:2], bool)
    turned = _turned(patch, rng)
    share = rng.uniform(0, ADAPTED)
    places = np.flatnonzero(labels[..., _VALID])
    if not places.size:
        return Pasted(image, labels, covered)
    centre = np.unravel_index(int(places[rng.integers(places.size)]), covered.shape)
    here, there = _overlap((int(centre[0]), int(centre[1])), turned.alpha.shape, covered.shape)
    window, truth = np.ascontiguousarray(image[here]), labels[here]
    valid = truth[..., _VALID] > 0
    alpha = turned.alpha[there] * valid
    polyp = _adapted(turned.image[there], alpha, window, valid, share)
    weight = cv2.merge([alpha] * 3)
    blended = cv2.add(
        cv2.multiply(polyp, weight, dtype=cv2.CV_32F),
        cv2.multiply(window, 1 - weight, dtype=cv2.CV_32F),
    )
    image[here] = cv2.convertScaleAbs(blended)
    landed = alpha > 0.5
    covered[here] = landed
    for plane, value in ((_FOLD, 0), (_EDGE, 0), (_HARD, 1)):
        truth[..., plane][landed] = value
    return Pasted(image, labels, covered)


def paste_some(
    image: Image, labels: NDArray[np.uint8], polyps: Sequence[Patch], rng: np.random.Generator
) -> Pasted:
    """One to three of `polyps`, one after another."""
    pasted = Pasted(image, labels, np.zeros(image.shape[:2], bool))
    for _ in range(rng.integers(1, 4)):
        polyp = polyps[int(rng.integers(len(polyps)))]
        more = paste(pasted.image, pasted.labels, polyp, rng)
        pasted = more._replace(covered=pasted.covered | more.covered)
    return pasted


def _turned(patch: Patch, rng: np.random.Generator) -> Patch:
    """Zoomed, mirrored and turned by any angle; the crop grows with its corners."""
    zoom = float(np.exp(rng.uniform(*np.log(ZOOM))))
    angle = rng.uniform(0, 2 * np.pi)
    is_mirrored = rng.random() < 0.5
    height, width = (max(1, round(zoom * side)) for side in patch.alpha.shape)
    # Averaging first: a warp alone would pick single pixels of a polyp made smaller.
    method = cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR
    image = cv2.resize(patch.image, (width, height), interpolation=method)
    alpha = cv2.resize(patch.alpha, (width, height), interpolation=method)
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.array([[cosine, -sine], [sine, cosine]]) * [-1.0 if is_mirrored else 1.0, 1.0]
    size = np.ceil(np.abs(turn) @ [width, height]).astype(int)
    shift = (size - 1) / 2 - turn @ (np.array([width, height]) - 1) / 2
    matrix, size = np.column_stack([turn, shift]), (int(size[0]), int(size[1]))
    return Patch(
        cast(Image, cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)),
        cast(Floats, cv2.warpAffine(alpha, matrix, size)),
    )


def _overlap(
    centre: tuple[int, int], patch: tuple[int, ...], picture: tuple[int, ...]
) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Rows and columns that a patch about `centre` covers: of the picture, of the patch."""
    here, there = [], []
    for middle, side, limit in zip(centre, patch, picture, strict=True):
        first = middle - side // 2
        start, stop = max(0, first), min(limit, first + side)
        here.append(slice(start, stop))
        there.append(slice(start - first, stop - first))
    return tuple(here), tuple(there)


def _adapted(polyp: Image, alpha: Floats, window: Image, valid: Mask, share: float) -> Image:
    """(h, w, 3) as bright as what is around it, and `share` of the way to its colours.

    Brightness is a gain, as of a lamp at another distance; colours are mean and deviation of the
    channels of CIELAB.
    """
    on = (alpha > 0.5).astype(np.uint8)
    around = valid.astype(np.uint8) & (1 - on)
    if not on.any() or not around.any():
        return polyp
    gain = sum(cv2.mean(window, around)) / max(1.0, sum(cv2.mean(polyp, on)))
    lit = cv2.convertScaleAbs(polyp, alpha=float(np.clip(gain, *GAIN)))
    lab = cv2.cvtColor(lit, cv2.COLOR_RGB2Lab)
    mean, deviation = cv2.meanStdDev(lab, mask=on)
    target, spread = cv2.meanStdDev(cv2.cvtColor(window, cv2.COLOR_RGB2Lab), mask=around)
    # Light varies more over a wall in perspective than over a polyp, so contrast stays in bounds.
    contrast = np.clip((spread + 1) / (deviation + 1), *CONTRAST) ** share
    curves = (np.arange(256) - mean) * contrast + mean + share * (target - mean)
    curves = np.clip(curves + 0.5, 0, 255).astype(np.uint8)
    adapted = cv2.LUT(lab, np.ascontiguousarray(curves.T[None]))
    return cast(Image, cv2.cvtColor(adapted, cv2.COLOR_Lab2RGB))
