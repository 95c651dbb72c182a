"""Our tracker and a naive one on simulated video, with an oracle's folds and with a model's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
from tqdm import tqdm

from engine.analyser import following_options
from engine.backends import DEFAULT_BACKEND, InferenceBackend, open_backend
from engine.bundle import ModelBundle
from engine.errors import RecipeError
from engine.segmenter import Segmenter
from engine.steadying import Steadier
from engine.tracker import Tracker
from engine.types import Image
from train.simulate.dataset import SimulatedSet
from train.tracking.following import Folds, Follow, Followed, Mean, follow, steadiness
from train.tracking.inputs import Clip, model_folds, oracle_folds
from train.tracking.naive import NaiveTracker
from train.tracking.report import Report, Row
from train.tracking.strip import strips

Key = tuple[str, str]
"""Who found the folds, and who followed them."""

_SEED = 4711
_STRIP_STEP_S = 0.16


@dataclass(frozen=True, slots=True)
class StudyOptions:
    """What to follow."""

    split: str = "test"
    every: int = 1
    """Every second, third, ... frame only: a slower camera."""
    backend: str = DEFAULT_BACKEND


def study(data: SimulatedSet, bundle: ModelBundle, options: StudyOptions) -> tuple[Report, Image]:
    """Follow every sequence of a split; returns the figures and strips of the first one.

    Raises:
        RecipeError: no such split, or no pictures in it.
        BackendError: the bundle cannot be run.
    """
    names = data.splits.get(options.split)
    if not names:
        raise RecipeError(
            f"{data.folder} has no sequences in {options.split!r}.",
            f"Choose one of: {', '.join(name for name, kept in data.splits.items() if kept)}.",
        )
    trackers = _trackers(bundle)
    followed: dict[Key, list[Followed]] = {key: [] for key in trackers}
    truth, frames = Mean(), 0
    pictures: list[Image] = []
    backend = open_backend(bundle, options.backend, threads=1)
    try:
        for number, name in enumerate(tqdm(names, unit="sequence")):
            clip = Clip.of(name, data.sequence(name), options.every)
            given = {
                "oracle": list(oracle_folds(clip, _SEED + number)),
                "model": list(_model_folds(clip, bundle, backend)),
                "model, steadied": list(_model_folds(clip, bundle, backend, Steadier())),
            }
            shown = {"true folds": clip.truths}
            for key, make in trackers.items():
                result, labels = follow(clip, given[key[0]], make())
                followed[key].append(result)
                shown[f"folds from the {key[0]}, {key[1]} tracker"] = labels
            truth += steadiness(clip, clip.truths)
            frames += len(clip.frames)
            if not pictures:
                every = max(1, round(_STRIP_STEP_S / clip.interval_s))
                pictures.append(strips(clip.frames, shown, every))
    finally:
        backend.close()
    rows = tuple(Row(*key, tuple(results)) for key, results in followed.items())
    return Report(rows, truth, frames), pictures[0]


def _trackers(bundle: ModelBundle) -> dict[Key, Callable[[], Follow]]:
    tracking = following_options(bundle)[1]
    return {
        ("oracle", "naive"): NaiveTracker,
        # The oracle's scores mean nothing: none of its folds is held back.
        ("oracle", "ours"): lambda: Tracker(replace(tracking, new_score=0.0)),
        ("model", "naive"): NaiveTracker,
        ("model", "ours"): lambda: Tracker(tracking),
        ("model, steadied", "ours"): lambda: Tracker(tracking),
    }


def _model_folds(
    clip: Clip, bundle: ModelBundle, backend: InferenceBackend, steadier: Steadier | None = None
) -> Iterator[Folds]:
    segmenter = Segmenter(backend, bundle.input.size)
    return model_folds(clip, segmenter, following_options(bundle)[0], steadier)


def write_study(report: Report, picture: Image, folder: Path) -> None:
    """tracking.json, tracking.md and tracking.jpg.

    Raises:
        RecordingError: the folder cannot be written.
    """
    report.write(folder)
    cv2.imwrite(str(folder / "tracking.jpg"), picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
