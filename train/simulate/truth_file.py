"""Writes what is true in a film beside it; `engine.truth` says how and reads it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from engine.truth import SCHEMA
from train.simulate.examination import Examination
from train.simulate.steering import Phase

LABEL_WIDTH = 256


class TruthFile:
    """A truth file that has its name only once it is whole; use it in a `with`.

    Raises:
        RecordingError: nothing can be written there.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._part = path, path.with_name(f".{path.name}.part")
        self._size = (0, 0)
        self._count = 0
        try:
            self._archive = zipfile.ZipFile(self._part, "w", zipfile.ZIP_STORED)
        except OSError as error:
            raise self._failure(error) from error

    def add(self, instances: NDArray[np.uint16]) -> None:
        """Append the folds (H, W) of the next frame."""
        height, width = instances.shape
        self._size = (LABEL_WIDTH, round(height * LABEL_WIDTH / width))
        small = cv2.resize(instances, self._size, interpolation=cv2.INTER_NEAREST_EXACT)
        self._put(f"labels/{self._count:06d}.png", cv2.imencode(".png", small)[1].tobytes())
        self._count += 1

    def finish(
        self, examined: Examination, behind: tuple[list[int], NDArray[np.float32]],
        about: dict[str, Any],
    ) -> None:  # fmt: skip
        """Write what concerns all frames.

        Args:
            examined: times, phases and poses.
            behind: folds (k), and the share (n, k) of the wall behind them seen so far.
            about: `video`, and what was simulated.
        """
        folds, seen = behind
        arrays: dict[str, NDArray[Any]] = {
            "pts_s": examined.time_s, "phases": examined.phase, "poses": examined.poses,
            "seen_behind": seen,
        }  # fmt: skip
        for name, array in arrays.items():
            data = io.BytesIO()
            np.save(data, array[: self._count], allow_pickle=False)
            self._put(f"{name}.npy", data.getvalue(), zipfile.ZIP_DEFLATED)
        labels = dict(zip(("width", "height"), self._size, strict=True))
        known = {"schema": SCHEMA, "labels": labels, "folds": folds, "phases": list(Phase)}
        self._put("truth.json", json.dumps(about | known, indent=1).encode())
        try:
            self._archive.close()
            self._part.replace(self._path)
        except OSError as error:
            raise self._failure(error) from error

    def __enter__(self) -> TruthFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._archive.close()
        self._part.unlink(missing_ok=True)

    def _put(self, name: str, data: bytes, packing: int = zipfile.ZIP_STORED) -> None:
        # The same film gives the same bytes: entries carry no time of day.
        entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
        try:
            self._archive.writestr(entry, data, packing)
        except OSError as error:
            raise self._failure(error) from error

    def _failure(self, error: OSError) -> RecordingError:
        return RecordingError(
            f"{self._path} cannot be written: {error.strerror or error}.",
            "Check the free space and the permissions there, or name another place.",
        )
