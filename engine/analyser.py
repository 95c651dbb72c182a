"""Everything that happens to one frame: segment → instances → track."""

from __future__ import annotations

import time
from pathlib import Path
from types import MappingProxyType

import resources
from engine.backends import InferenceBackend, open_backend
from engine.bundle import ModelBundle
from engine.instances import InstanceOptions, split_instances
from engine.segmenter import Segmenter
from engine.tracker import Tracker, TrackerOptions
from engine.types import Analysis, Frame

_NEW_FOLD_MARGIN = 0.12
"""A new fold must be this much more certain than the threshold; a known one need not."""


class Analyser:
    """A bundle at work. A plain callable for one thread; call in presentation order."""

    def __init__(self, bundle: ModelBundle, backend: InferenceBackend) -> None:
        self.bundle = bundle
        self.backend = backend
        self._segment = Segmenter(backend, bundle.input.size)
        self._options = InstanceOptions(bundle.threshold, bundle.edge_threshold)
        accept = min(bundle.threshold + _NEW_FOLD_MARGIN, 0.9)
        self._tracker = Tracker(TrackerOptions(new_score=accept))

    @property
    def description(self) -> str:
        """Model and back end, for people."""
        return f"{self.bundle.name} {self.bundle.version} · {self.backend.description}"

    def __call__(self, frame: Frame) -> Analysis:
        """Find, separate and follow the folds of one frame."""
        started = time.monotonic()
        mask = self._segment(frame)
        segmented = time.monotonic()
        folds = split_instances(mask, self._options)
        separated = time.monotonic()
        folds = self._tracker.update(frame, folds)
        finished = time.monotonic()
        timings = {
            "segment": (segmented - started) * 1e3,
            "instances": (separated - segmented) * 1e3,
            "track": (finished - separated) * 1e3,
        }
        return Analysis(frame, mask, folds, MappingProxyType(timings), finished)

    def reset(self) -> None:
        """Forget the past: after a seek, or before another video."""
        self._tracker.reset()
        self._segment.reset()

    def close(self) -> None:
        """Give the back end back."""
        self.backend.close()


def open_analyser(
    bundle: Path | str | None = None, backend: str | None = None, threads: int | None = None
) -> Analyser:
    """Open a bundle (the shipped one unless told) on a back end.

    Raises:
        BundleError, BackendError: what is wrong and what to do.
    """
    opened = ModelBundle.open(bundle if bundle is not None else resources.DEFAULT_BUNDLE)
    return Analyser(opened, open_backend(opened, backend, threads))
