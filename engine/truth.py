"""What is true in a simulated video: the file beside it, so that it can be played and scored.

`CLIP.mp4` has `CLIP.truth.zip`, a plain zip archive, nothing in it pickled:

    truth.json          schema, video {width, height, rate_hz}, labels {width, height},
                        phases [name, ...], folds [number, ...], and what was simulated
    pts_s.npy           (n,) float64, presentation time of every frame, growing
    phases.npy          (n,) uint8, index into `phases`
    poses.npy           (n, 4, 4) float64, camera to world, mm: x right, y down, z forward
    seen_behind.npy     (n, k) float32, share of the wall behind each of the `folds` seen so far
    labels/000000.png   (h, w) uint16: fold at every pixel, 0 for none; the number of a fold is the
                        same in every frame. The whole picture on a smaller grid

Frames are found by their time, as everywhere.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import SourceError, SourceNotFoundError
from engine.types import read_only

SCHEMA = 1
SUFFIX = ".truth.zip"


@dataclass(frozen=True, slots=True)
class TruthFrame:
    """What is true in one frame; arrays are read-only."""

    pts_s: float
    phase: str
    pose: NDArray[np.float64]
    """(4, 4) camera to world, mm."""
    labels: NDArray[np.uint16]
    """(h, w) fold at every pixel of the whole picture, 0 for none."""
    seen_behind: NDArray[np.float32]
    """(k,) share of the wall behind each fold of `Truth.folds` seen up to here, 0..1."""


def truth_path(video: Path) -> Path:
    """Where the truth of a video lies."""
    return video.with_name(video.stem + SUFFIX)


class Truth:
    """The truth of one video; label images are read when asked for.

    Raises:
        SourceNotFoundError: there is no such file.
        SourceError: it is damaged, or of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise SourceNotFoundError(
                f"There is no truth at {self.path}.", "Film the clip again: haustra-train film."
            )
        try:
            self._archive = zipfile.ZipFile(self.path)
            self.about: dict[str, Any] = json.loads(self._archive.read("truth.json"))
            if self.about.get("schema") != SCHEMA:
                raise SourceError(
                    f"{self.path.name} has layout {self.about.get('schema')}, this version reads "
                    f"{SCHEMA}.", "Film the clip again.",
                )  # fmt: skip
            self.folds: tuple[int, ...] = tuple(self.about["folds"])
            self._phases: list[str] = self.about["phases"]
            self.pts_s, self._phase, self._poses, self._seen = (
                self._array(name) for name in ("pts_s", "phases", "poses", "seen_behind")
            )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            if isinstance(error, SourceError):
                raise
            raise self._damaged(error) from error

    def __len__(self) -> int:
        return len(self.pts_s)

    def at(self, pts_s: float) -> TruthFrame | None:
        """The frame shown at `pts_s`; None where the video has none within half a frame's time."""
        number = int(np.argmin(np.abs(self.pts_s - pts_s)))
        if abs(self.pts_s[number] - pts_s) > 0.5 / float(self.about["video"]["rate_hz"]):
            return None
        return self.frame(number)

    def frame(self, number: int) -> TruthFrame:
        """Frame `number`, from 0. Raises SourceError where its labels are damaged."""
        try:
            png = np.frombuffer(self._archive.read(f"labels/{number:06d}.png"), np.uint8)
        except (OSError, KeyError, zipfile.BadZipFile) as error:
            raise self._damaged(error) from error
        labels = cv2.imdecode(png, cv2.IMREAD_UNCHANGED)
        if labels is None or labels.dtype != np.uint16:
            raise self._damaged(ValueError(f"labels of frame {number}"))
        return TruthFrame(
            float(self.pts_s[number]),
            self._phases[self._phase[number]],
            self._poses[number],
            read_only(labels.astype(np.uint16, copy=False)),
            self._seen[number],
        )

    def close(self) -> None:
        """Let go of the file."""
        self._archive.close()

    def __enter__(self) -> Truth:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _array(self, name: str) -> NDArray[Any]:
        data = io.BytesIO(self._archive.read(f"{name}.npy"))
        return read_only(np.load(data, allow_pickle=False))

    def _damaged(self, error: Exception) -> SourceError:
        return SourceError(f"{self.path.name} is damaged: {error}.", "Film the clip again.")
