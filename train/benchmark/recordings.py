"""C3VD and SimCol3D: depth, poses and camera are known, folds only in recordings of our own.

The layouts are those of `train.simulate.layouts`; a folder is one recording or holds several.
Recordings that we wrote keep their folds in `haustra/`. Of others only edges are known: the near
side of jumps in depth, by the rule that labels simulated colons from CT. These are folds that
occlude and, rarely, the wall itself where the colon bends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import RecipeError
from engine.preprocess import find_field_of_view
from engine.types import Mask
from train.benchmark.stills import number_in
from train.benchmark.test_sets import LabelledFrame, LabelledSet, TestSettings
from train.simulate.annotation import short_edges
from train.simulate.camera import Camera
from train.simulate.layouts import open_recording
from train.simulate.layouts.fold_labels import FOLDER, read_folds
from train.simulate.layouts.recording import Depth, LayoutFrame, Recording
from train.simulate.rays import OcclusionOptions, occluding_band, occluding_edge, widen
from train.tracking.consistency import Viewpoint

_OPTIONS = OcclusionOptions.for_scan()


@dataclass(frozen=True)
class RecordedSequence:
    """One recording."""

    name: str
    recording: Recording

    @property
    def is_video(self) -> bool:
        """Its frames are numbered one after another: none was left out."""
        numbers = [number_in(files.image) for files in self.recording.files]
        return len(numbers) > 1 and bool((np.diff(numbers) == 1).all())

    def __len__(self) -> int:
        return len(self.recording)

    def __getitem__(self, number: int) -> LabelledFrame:
        frame, image_file = self.recording[number], self.recording.files[number].image
        distance, valid = frame.distance_mm(), find_field_of_view(frame.image).mask
        if distance is not None:
            valid = valid & (distance > 0)
        if (image_file.parent / FOLDER).is_dir():
            folds = read_folds(image_file.parent, number_in(image_file))
            return LabelledFrame(
                image=frame.image,
                valid=valid,
                fold=folds.fold & valid,
                instances=folds.instances.astype(np.int32),
                edge=folds.edge & valid,
                viewpoint=_viewpoint(frame, distance),
            )
        edge = None
        if distance is not None and frame.camera is not None:
            edge = depth_edges(distance, frame.camera) & valid
        return LabelledFrame(
            image=frame.image, valid=valid, edge=edge, viewpoint=_viewpoint(frame, distance)
        )


def depth_edges(distance_mm: Depth, camera: Camera) -> Mask:
    """(H, W) near side, three pixels wide, of jumps in distance (H, W) along the rays."""
    known = distance_mm > 0
    edge = occluding_edge(distance_mm, _OPTIONS)
    nothing = np.zeros_like(known)
    edge &= ~short_edges(edge, nothing, distance_mm, camera, _OPTIONS.shortest_edge_mm)
    near = occluding_band(distance_mm, camera, edge, _OPTIONS, skip=~known)
    return np.asarray(widen(edge, near & known, _OPTIONS.edge_px))


def _viewpoint(frame: LayoutFrame, distance: Depth | None) -> Viewpoint | None:
    if distance is None or frame.pose is None or frame.camera is None:
        return None
    return Viewpoint(distance, frame.pose, frame.camera)


def open_c3vd(settings: TestSettings) -> LabelledSet:
    """C3VD's videos.

    Raises:
        RecipeError: the folder holds none, or one is damaged.
    """
    return _open(settings, "c3vd", lambda folder: (folder / "pose.txt").exists())


def open_simcol3d(settings: TestSettings) -> LabelledSet:
    """SimCol3D's recordings.

    Raises:
        RecipeError: the folder holds none, or one is damaged.
    """
    return _open(settings, "simcol3d", lambda folder: folder.name.startswith("Frames_"))


def _open(settings: TestSettings, layout: str, is_one: Callable[[Path], bool]) -> LabelledSet:
    folder = settings.path
    if not folder.is_dir():
        raise RecipeError(f"{folder} is no folder.", f"Name recordings laid out as {layout}.")
    inside = [folder, *sorted(path for path in folder.rglob("*") if path.is_dir())]
    found = [path for path in inside if is_one(path)]
    if not found:
        # Its own reader says what is missing.
        return LabelledSet(
            settings.name, (RecordedSequence(folder.name, open_recording(layout, folder)),)
        )
    sequences = [
        RecordedSequence(
            "/".join(path.relative_to(folder).parts) or path.name, open_recording(layout, path)
        )
        for path in found
    ]
    return LabelledSet(settings.name, tuple(sequences))
