"""Everything that happens to one frame: segment → instances → track."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2

import resources
from engine.backends import AUTOMATIC, InferenceBackend, open_backend
from engine.backends.choice import AS_ASKED, Choosing, asked_for, open_as_asked, open_automatic
from engine.backends.serving import Serving
from engine.bundle import ModelBundle
from engine.instances import InstanceOptions, split_instances
from engine.segmenter import Segmenter
from engine.steadying import Steadier
from engine.tracker import Tracker, TrackerOptions
from engine.types import Analysis, FoldMask, Frame, TrackedFolds

_NEW_FOLD_MARGIN = 0.12
"""A new fold must be this much more certain than the threshold; a known one need not."""


class Follower:
    """From a fold mask to fold instances with an identity over time."""

    name = "follow"

    def __init__(
        self, options: InstanceOptions, tracker: TrackerOptions, steadier: Steadier | None = None
    ) -> None:
        self._options = options
        self._tracker = Tracker(tracker)
        self._steadier = steadier
        self._trust = 1.0

    def __call__(self, mask: FoldMask) -> Analysis:
        """Separate and follow the folds of one mask."""
        began_s = time.monotonic()
        if self._steadier is not None:
            mask = self._steadier(mask)
        started_s = time.monotonic()
        folds = split_instances(mask, self._options)
        separated_s = time.monotonic()
        folds = self._tracker.update(mask.frame, folds)
        self._trust = mask.trust
        finished_s = time.monotonic()
        timings_ms = {
            "segment": mask.took_ms,
            "instances": (separated_s - started_s) * 1e3,
            "track": (finished_s - separated_s) * 1e3,
        }
        if self._steadier is not None:
            timings_ms["steady"] = (started_s - began_s) * 1e3
        return Analysis(mask.frame, mask, folds, MappingProxyType(timings_ms), finished_s)

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        """The folds of the last mask, moved to where they should be in a later frame."""
        foreseen = self._tracker.foreseen(frame)
        return None if foreseen is None else replace(foreseen, trust=self._trust)

    def reset(self) -> None:
        """Forget the past: what follows is another video, or another place in it."""
        self._tracker.reset()
        if self._steadier is not None:
            self._steadier.reset()


def following_options(bundle: ModelBundle) -> tuple[InstanceOptions, TrackerOptions]:
    """How the folds of a bundle's masks are separated and followed."""
    accept = min(bundle.threshold + _NEW_FOLD_MARGIN, 0.9)
    return (
        InstanceOptions(bundle.threshold, bundle.seam_threshold),
        TrackerOptions(new_score=accept),
    )


class Analyser:
    """A bundle at work: `stages` for threads of their own, or called for one frame at a time."""

    def __init__(
        self,
        bundle: ModelBundle,
        backend: InferenceBackend,
        *,
        is_steadied: bool = False,
        takes_depth: bool = False,
    ) -> None:
        self.bundle = bundle
        self.backend = backend
        self._segment = Segmenter(backend, bundle.input.size, takes_depth=takes_depth)
        self._follow = Follower(*following_options(bundle), Steadier() if is_steadied else None)
        self.stages = (self._segment, self._follow)

    @property
    def description(self) -> str:
        """Model and back end, for people."""
        return f"{self.bundle.name} {self.bundle.version} · {self.backend.description}"

    @property
    def choice(self) -> str:
        """Why it is this back end, for people."""
        return self.backend.reason if isinstance(self.backend, Serving) else AS_ASKED

    @property
    def note(self) -> str | None:
        """What the user should know about how it runs."""
        notes = [each for each in (self.backend.note, self._segment.note) if each]
        return " ".join(notes) or None

    @property
    def provenance(self) -> dict[str, Any]:
        """Which model, and what computes it, as JSON values."""
        return {
            "name": self.bundle.name,
            "version": self.bundle.version,
            "sha256": dict(self.bundle.artefacts),
            "threshold": self.bundle.threshold,
            "backend": self.backend.name,
        }

    def __call__(self, frame: Frame) -> Analysis:
        """Find, separate and follow the folds of one frame."""
        return self._follow(self._segment(frame))

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        """The folds found last, moved to where they should be in a later frame."""
        return self._follow.foreseen(frame)

    def change_backend(self, name: str) -> None:
        """Have another back end, or the fastest, take over while pictures go on; never waits.

        Only for an analyser opened with `may_change`. Where the other cannot be opened, what
        serves goes on, and `note` says why.
        """
        if isinstance(self.backend, Serving):
            self.backend.change_to(asked_for(self.bundle, name))

    def reset(self) -> None:
        """Forget the past: after a seek, or before another video."""
        for stage in self.stages:
            stage.reset()

    def close(self) -> None:
        """Give the back end back."""
        self.backend.close()


def open_analyser(
    bundle: Path | str | None = None,
    backend: str | None = None,
    threads: int | None = None,
    *,
    may_change: bool = False,
    is_steadied: bool = False,
    takes_depth: bool = False,
) -> Analyser:
    """Open a bundle (the shipped one unless told) on a back end (the fastest here unless named).

    Args:
        bundle: its folder.
        backend: by name.
        threads: of the back end.
        may_change: for pictures on screen. Others stand by should the back end fail, a TensorRT
            plan that is missing is built meanwhile, and `change_backend` may ask for another.
        is_steadied: masks are averaged over time, against flicker.
        takes_depth: masks carry the depth of bundles that have it.

    Raises:
        BundleError, BackendError: what is wrong and what to do.
    """
    # Stages run beside each other; OpenCV's own threads would only take the cores from them.
    cv2.setNumThreads(1)
    opened = ModelBundle.open(bundle if bundle is not None else resources.DEFAULT_BUNDLE)
    chosen: InferenceBackend
    if backend in (None, AUTOMATIC):
        chosen = open_automatic(opened, threads, Choosing(builds_plan=may_change))
    else:
        open_named = open_as_asked if may_change else open_backend
        chosen = open_named(opened, backend, threads)
    return Analyser(opened, chosen, is_steadied=is_steadied, takes_depth=takes_depth)
