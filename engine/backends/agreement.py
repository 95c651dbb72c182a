"""Whether back ends find the same folds: arithmetic can be fast, and wrong.

Int8 products overflow on processors without VNNI unless weights leave room for it; drivers have
faults of their own. Who finds other folds than float32 in one drawn picture is not chosen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.backends import InferenceBackend
from engine.bundle import ModelBundle
from engine.errors import BackendError
from engine.types import Image, Mask

DISAGREES = "It finds other folds than float32 does on this machine."
LEAST_OVERLAP = 0.7
"""Of two fold masks. Int8 as it should be left nine tenths in this picture, int8 that overflows
less than half."""
_EXACT = ("onnxruntime", "openvino:fp32", "openvino")
"""Who is believed, the first that is here: the least likely to compute in short numbers first."""
_EDGES = (0.10, 0.17, 0.27, 0.40)
"""Radii of the rings, as part of the picture's side."""


def tunnel(size: int) -> Image:
    """(size, size, 3) RGB: a lit tube seen along it, with four rings that shade what is behind."""
    rows, columns = np.mgrid[:size, :size] / (size - 1) - 0.5
    away = np.hypot(columns - 0.08, rows + 0.05)
    light = np.clip(2.2 * away, 0, 1)
    for edge in _EDGES:
        beyond = away - edge
        shade = np.where(beyond < 0, 0.5 * np.exp(beyond / (0.25 * edge)), 0)
        crest = np.clip(beyond / 0.02, 0, 1) * np.exp(-np.maximum(beyond, 0) / (0.35 * edge))
        light = light * (1 - shade) + 0.25 * crest
    picture = np.clip(light, 0, 1)[..., None] ** 0.8 * np.array([225, 140, 105])
    picture[np.hypot(columns, rows) > 0.5] = 0
    return np.asarray(picture, np.uint8)


def overlap(one: Mask, other: Mask) -> float:
    """|a ∩ b| / |a ∪ b|; 1 where both are empty."""
    either = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / either if either else 1.0


def refuse_who_disagrees(
    backends: Mapping[str, InferenceBackend], bundle: ModelBundle, refusals: dict[str, str]
) -> None:
    """Put into `refusals` who finds other folds than the most exact back end that works."""
    picture = tunnel(bundle.input.size)
    masks: dict[str, Mask] = {}
    for name, backend in backends.items():
        try:
            masks[name] = np.asarray(backend.infer(picture)[0] >= bundle.threshold)
        except BackendError as error:
            refusals[name] = str(error)
    exact = next((masks[name] for name in _EXACT if name in masks), None)
    if exact is None:
        return
    for name, mask in masks.items():
        if overlap(mask, exact) < LEAST_OVERLAP:
            refusals[name] = DISAGREES
