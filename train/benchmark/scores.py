"""What one segmenter found in one test set, frame by frame, as a file without code in it.

Everything a table tells is computed from these: no network runs for it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError, RecordingError
from engine.types import Image, Labels, Mask
from train.calibration import Reliability
from train.edge_metrics import EDGE_THRESHOLDS, EdgeCounts
from train.instance_metrics import Compared
from train.metrics import Counts


@dataclass(frozen=True, slots=True)
class FrameScores:
    """One frame; what is not known of it is NaN, None or zero counts."""

    sequence: int
    counts: Counts
    """(1, 3) true positives, false positives, false negatives at the threshold."""
    boundary_f: float
    reliability: Reliability
    """(bins, 3)."""
    steadiness: float
    """IoU with the mask of the frame before, moved along."""
    called: tuple[int, int]
    """Pixels called fold, and all, where there is known to be none."""
    compared: Compared | None
    edges: EdgeCounts = field(default_factory=lambda: np.zeros((len(EDGE_THRESHOLDS), 4), np.int64))
    """(thresholds, 4); all zero where they were not scored."""
    edge_dice: float = float("nan")


@dataclass(frozen=True, slots=True)
class Shown:
    """One frame to look at."""

    image: Image
    """(S, S, 3) RGB."""
    fold: Mask
    instances: Labels
    """True ones; all zero where they are not known."""
    probability: NDArray[np.uint8]
    """(S, S) of fold, times 255."""
    found: Labels


@dataclass(frozen=True)
class Scores:
    """All frames of a test set."""

    fingerprint: str
    """Of the segmenter and the test set."""
    threshold: float
    sequences: tuple[str, ...]
    sequence: NDArray[np.int64]
    """(n,) index into `sequences`."""
    counts: Counts
    """(n, 1, 3)."""
    boundary_f: NDArray[np.float64]
    reliability: NDArray[np.float64]
    """(n, bins, 3)."""
    steadiness: NDArray[np.float64]
    called: NDArray[np.int64]
    """(n, 2)."""
    edges: EdgeCounts
    """(n, thresholds, 4)."""
    edge_dice: NDArray[np.float64]
    compared: tuple[Compared | None, ...]
    shown: tuple[Shown, ...]

    def __len__(self) -> int:
        return len(self.sequence)

    def save(self, path: Path) -> None:
        """Under a temporary name first.

        Raises:
            RecordingError: nothing can be written there.
        """
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        arrays |= {
            "fingerprint": np.array(self.fingerprint),
            "threshold": np.array(self.threshold),
            "sequences": np.array(self.sequences),
            **_packed(self.compared),
            **{f"shown_{name}": np.array([getattr(each, name) for each in self.shown])
               for name in Shown.__slots__},
        }  # fmt: skip
        partial = path.with_name(f"{path.stem}.part.npz")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(partial, **arrays)
            partial.replace(path)
        except OSError as error:
            raise RecordingError(
                f"{path} cannot be written: {error}.", "Choose another folder."
            ) from error

    @classmethod
    def open(cls, path: Path) -> Scores:
        """What `save` wrote.

        Raises:
            RecipeError: absent or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            shown = zip(*(arrays[f"shown_{name}"] for name in Shown.__slots__), strict=True)
            return cls(
                fingerprint=str(arrays["fingerprint"]),
                threshold=float(arrays["threshold"]),
                sequences=tuple(arrays["sequences"].tolist()),
                **{name: arrays[name] for name in _ARRAYS},
                compared=_unpacked(arrays),
                shown=tuple(Shown(*row) for row in shown),
            )
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise RecipeError(f"{path} cannot be read: {error}.", "Delete it.") from error


_ARRAYS = (
    "sequence",
    "counts",
    "boundary_f",
    "reliability",
    "steadiness",
    "called",
    "edges",
    "edge_dice",
)


def gathered(
    about: tuple[str, float],
    sequences: Sequence[str],
    frames: Sequence[FrameScores],
    shown: Sequence[Shown],
) -> Scores:
    """The scores of many frames; `about`: fingerprint and threshold."""
    return Scores(
        fingerprint=about[0],
        threshold=about[1],
        sequences=tuple(sequences),
        sequence=np.array([frame.sequence for frame in frames], np.int64),
        counts=np.stack([frame.counts for frame in frames]),
        boundary_f=np.array([frame.boundary_f for frame in frames]),
        reliability=np.stack([frame.reliability for frame in frames]),
        steadiness=np.array([frame.steadiness for frame in frames]),
        called=np.array([frame.called for frame in frames], np.int64),
        edges=np.stack([frame.edges for frame in frames]),
        edge_dice=np.array([frame.edge_dice for frame in frames]),
        compared=tuple(frame.compared for frame in frames),
        shown=tuple(shown),
    )


def _packed(compared: Sequence[Compared | None]) -> dict[str, NDArray[np.float64]]:
    """Matrices of every size one behind the other, and their sizes; (-1, -1) for None."""
    shapes = [(-1, -1) if each is None else each.iou.shape for each in compared]
    known = [each for each in compared if each is not None]
    return {
        "compared_shapes": np.array(shapes, float).reshape(-1, 2),
        "compared_iou": np.concatenate([[], *(each.iou.ravel() for each in known)]),
        "compared_scores": np.concatenate([[], *(each.scores for each in known)]),
    }


def _unpacked(arrays: dict[str, NDArray[np.float64]]) -> tuple[Compared | None, ...]:
    iou, scores = arrays["compared_iou"], arrays["compared_scores"]
    at, at_score = 0, 0
    found: list[Compared | None] = []
    for true, said in arrays["compared_shapes"].astype(int).tolist():
        if true < 0:
            found.append(None)
            continue
        matrix = iou[at : at + true * said].reshape(true, said)
        found.append(Compared(matrix, scores[at_score : at_score + said]))
        at, at_score = at + true * said, at_score + said
    return tuple(found)
