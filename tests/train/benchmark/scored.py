"""Scores of a few pictures, made by hand."""

import numpy as np

from train.benchmark.scores import FrameScores, Scores, Shown, gathered
from train.calibration import BINS
from train.instance_metrics import Compared

NAN = float("nan")


def frame(
    sequence: int,
    counts: tuple[int, int, int],
    boundary_f: float = NAN,
    compared: Compared | None = None,
) -> FrameScores:
    reliability = np.zeros((BINS, 3))
    return FrameScores(
        sequence, np.array([counts], np.int64), boundary_f, reliability, NAN, (0, 0), compared
    )


def shown(size: int = 16) -> Shown:
    fold = np.zeros((size, size), bool)
    fold[4:12, 4:12] = True
    instances = fold.astype(np.int32)
    image = np.full((size, size, 3), 90, np.uint8)
    return Shown(image, fold, instances, fold * np.uint8(255), instances)


def run(*frames: FrameScores, threshold: float = 0.5) -> Scores:
    names = [f"s{at}" for at in range(1 + max(each.sequence for each in frames))]
    return gathered(("print", threshold), names, frames, [shown()])
