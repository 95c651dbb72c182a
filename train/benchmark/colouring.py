"""The paper's figures 6 and 8: folds in the colour of the true fold that they match, else white."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from engine.types import Image, Labels
from train.benchmark.scores import Shown
from train.sheets import contact_sheet
from train.tracking.sightings import Sighting
from train.validation import tile

MATCHED_FROM = 0.3
"""IoU with a true fold from which on a found one takes its colour; the paper does not tell its."""
_WHITE = (255, 255, 255)
_GOLDEN = 0.381966
"""Of a turn."""
_HEAD_PX = 22
_TILE_PX = 192
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def colour_of(number: int) -> tuple[int, int, int]:
    """A strong colour for fold 1, 2, ...: the golden angle apart in hue, none near white."""
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1, 0.72, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def matches(found: Labels, truth: Labels) -> dict[int, int]:
    """Found fold → the true one it overlaps most, where that is enough; each true one once."""
    seen = Sighting.of(truth, found, smallest=0)
    scored = [
        (float(seen.iou[row, column]), int(seen.tracks[column]), int(seen.truths[row]))
        for row, column in np.argwhere(seen.iou >= MATCHED_FROM)
    ]
    pairs: dict[int, int] = {}
    for _, label, true in sorted(scored, reverse=True):
        if label not in pairs and true not in pairs.values():
            pairs[label] = true
    return pairs


def coloured(image: Image, labels: Labels, numbers: Mapping[int, int]) -> Image:
    """(H, W, 3): folds over a darkened picture, by `numbers`; those without one white."""
    shown = (image * 0.45).astype(np.uint8)
    for label in np.unique(labels[labels > 0]).tolist():
        colour = colour_of(numbers[label]) if label in numbers else _WHITE
        shown[labels == label] = colour
    return shown


def comparison(shown: Mapping[str, Sequence[Shown]]) -> Image:
    """A row a picture: the picture, its true folds, and those of each row of the table."""
    first = next(iter(shown.values()))
    columns = ["picture", "truth", *shown]
    tiles: list[Image] = []
    for at, each in enumerate(first):
        order = np.unique(each.instances[each.instances > 0]).tolist()
        numbers = {true: number for number, true in enumerate(order, start=1)}
        tiles += [_large(each.image), _large(coloured(each.image, each.instances, numbers))]
        for found in shown.values():
            pairs = matches(found[at].found, each.instances)
            chosen = {label: numbers[true] for label, true in pairs.items()}
            tiles.append(_large(coloured(each.image, found[at].found, chosen)))
    return np.concatenate([_heads(columns), contact_sheet(tiles, len(columns))])


def sheet(shown: Sequence[Shown]) -> Image:
    """Truth in green on the left; on the right what was found."""
    tiles = []
    for each in shown:
        probability = np.asarray(each.probability / 255, np.float32)
        both = np.stack([probability, np.zeros_like(probability)])
        pair = tile(each.image, each.fold, both)
        tiles.append(_resized(pair, (2 * _TILE_PX, _TILE_PX), cv2.INTER_LINEAR))
    return contact_sheet(tiles, 2)


def _large(image: Image) -> Image:
    return _resized(image, (_TILE_PX, _TILE_PX), cv2.INTER_NEAREST)


def _resized(image: Image, size: tuple[int, int], how: int) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _heads(titles: Sequence[str]) -> Image:
    """(h, n · tile, 3): a title above every column, cut where it is too long."""
    strip = np.full((_HEAD_PX, len(titles) * _TILE_PX, 3), 245, np.uint8)
    for at, title in enumerate(titles):
        cell = strip[:, at * _TILE_PX : (at + 1) * _TILE_PX]
        written = np.ascontiguousarray(cell)
        cv2.putText(written, title, (6, 15), _FONT, 0.42, (30, 30, 30), 1, cv2.LINE_AA)
        cell[...] = written
    return strip
