"""A simulated set on disk: geometry rendered once, shaded anew each time it is drawn.

Layout, one folder per set:

    manifest.json               schema, recipe, splits {train, validation, test: [sequence, ...]}
    <sequence>/sequence.json    camera, anatomy with its segments and their arcs, seed, number of
                                frames; of video: rate_hz, phases, motion
    <sequence>/distance.npy     (n, H, W) uint16, along the ray, units of 1/128 mm, 0 where invalid
    <sequence>/normal.npy       (n, H, W, 3) int8, camera coordinates, times 127
    <sequence>/flags.npy        (n, H, W) uint8, bits of `Flag`
    <sequence>/instances.npy    (n, H, W) uint16, fold instance, 0 for none; the same all along
    <sequence>/poses.npy        (n, 4, 4) float64, camera to world, mm
    <sequence>/times.npy, phases.npy, along.npy
                                of an examination, which is a video at `rate_hz` of sequence.json:
                                (n,) float64 s; (n,) uint8 index into its `phases`; (n,) float32,
                                arc length of the tip from the rectum, mm
    <sequence>/coverage.npz     what was seen of the wall (`train.simulate.coverage`)
    <sequence>/image/000000.png ... and picture_flags.npy, where the recipe asks for pictures:
                                RGB in a look of light and tissue (video: one all along), and the
                                labels that hold in it
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import IntFlag, StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.camera import Camera, camera_from
from train.simulate.steering import Phase

SCHEMA = 2
MANIFEST = "manifest.json"
DISTANCE_UNIT_MM = 1 / 128
"""Of `distance.npy`: up to 512 mm in steps of 8 µm."""

Bools = NDArray[np.bool_]


class Flag(IntFlag):
    """Bits of `flags.npy` and `picture_flags.npy`."""

    FOLD = 1
    """Region label: crest by curvature or occluding band; never a `Feature`."""
    EDGE = 2
    """Near side of an occluding edge of a fold, three pixels wide."""
    CREST = 4
    """Curvature alone (the label of the paper)."""
    POLYP = 8
    VALID = 16
    """A ray hit the wall within the lens model; in pictures, and nothing covers it."""
    HARD = 32
    """Pictures only: looks raised and is no fold: polyp, tool, debris."""
    FLUID = 64
    """Surface of a pool."""
    VALVE = 128
    """Lips of the ileocaecal valve: raised, never fold."""


class Label(StrEnum):
    """What counts as fold."""

    REGION = "region"
    """Ours: crest by curvature joined with the band along occluding edges."""
    CURVATURE = "curvature"
    """The paper's: the directions of principal curvature alone."""

    @property
    def flag(self) -> Flag:
        """The bit that holds it."""
        return Flag.FOLD if self is Label.REGION else Flag.CREST


@dataclass(frozen=True, slots=True)
class GeometryFrame:
    """One view without light or colour; every array is (H, W) or (H, W, 3)."""

    depth_mm: NDArray[np.float32]
    """Distance along the ray, 0 where invalid."""
    normal: NDArray[np.float32]
    """Unit, camera coordinates, towards the camera."""
    position: NDArray[np.float32]
    """World coordinates, mm."""
    rays: NDArray[np.float32]
    """Unit, camera coordinates."""
    rotation: NDArray[np.float32]
    """(3, 3) camera to world."""
    fold: Bools
    edge: Bools
    crest: Bools
    polyp: Bools
    fluid: Bools
    valve: Bools
    valid: Bools
    instances: NDArray[np.uint16]

    @classmethod
    def of(
        cls,
        view: View,
        pose: NDArray[np.float64],
        camera: Camera,
        label: Label = Label.REGION,
    ) -> GeometryFrame:
        """A view as rendered, ready to be shaded; `label` says what its folds are."""
        rays = _single_rays(camera)
        rotation, eye = pose[:3, :3].astype(np.float32), pose[:3, 3].astype(np.float32)
        flags = view.flags
        fold = (flags & label.flag) > 0
        position = (view.distance_mm[..., None] * rays) @ rotation.T
        position += eye
        return cls(
            depth_mm=view.distance_mm,
            normal=view.normal,
            position=np.asarray(position, np.float32),
            rays=rays,
            rotation=rotation,
            fold=fold,
            edge=((flags & Flag.EDGE) > 0) & fold,
            crest=(flags & Flag.CREST) > 0,
            polyp=(flags & Flag.POLYP) > 0,
            fluid=(flags & Flag.FLUID) > 0,
            valve=(flags & Flag.VALVE) > 0,
            valid=(flags & Flag.VALID) > 0,
            instances=view.instances * fold,
        )


@lru_cache(maxsize=16)
def _single_rays(camera: Camera) -> NDArray[np.float32]:
    """`camera.rays()` in single precision, read-only."""
    rays = camera.rays().astype(np.float32)
    rays.setflags(write=False)
    return rays


@dataclass(frozen=True, slots=True)
class View:
    """What is stored of one view; arrays are (H, W)."""

    distance_mm: NDArray[np.float32]
    normal: NDArray[np.float32]
    """(H, W, 3) unit, camera coordinates, towards the camera."""
    flags: NDArray[np.uint8]
    instances: NDArray[np.uint16]

    @property
    def fold(self) -> Bools:
        """Region label."""
        return (self.flags & Flag.FOLD) > 0

    @property
    def polyp(self) -> Bools:
        """Never fold."""
        return (self.flags & Flag.POLYP) > 0


@dataclass(frozen=True, slots=True)
class Picture:
    """One stored picture and the labels that hold in it."""

    image: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    flags: NDArray[np.uint8]
    """(H, W), bits of `Flag`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame's place in an examination."""

    time_s: float
    phase: Phase
    along_mm: float
    """Arc length of the tip from the rectum."""


@dataclass(frozen=True, slots=True)
class Sequence:
    """One camera path through one colon; arrays are memory maps."""

    folder: Path
    about: dict[str, Any]
    camera: Camera
    arrays: dict[str, NDArray[Any]]

    @classmethod
    def open(cls, folder: Path) -> Sequence:
        """Map a sequence's files.

        Raises:
            RecipeError: a file is missing or damaged.
        """
        try:
            about = json.loads((folder / "sequence.json").read_text())
            names = ["distance", "normal", "flags", "instances", "poses"]
            more = ("picture_flags", "times", "phases", "along")
            names += [name for name in more if (folder / f"{name}.npy").exists()]
            arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
            return cls(folder, about, camera_from(about["camera"]), arrays)
        except (OSError, ValueError, KeyError) as error:
            raise RecipeError(
                f"{folder} is damaged: {error}.", "Delete it and simulate again."
            ) from error

    def __len__(self) -> int:
        return int(self.about["frames"])

    def view(self, number: int) -> View:
        """The stored arrays of one frame."""
        return View(
            np.asarray(self.arrays["distance"][number], np.float32) * DISTANCE_UNIT_MM,
            np.asarray(self.arrays["normal"][number], np.float32) / 127.0,
            np.asarray(self.arrays["flags"][number]),
            np.asarray(self.arrays["instances"][number]),
        )

    def moment(self, number: int) -> Moment | None:
        """When and where one frame was taken; None in a set of scattered views."""
        if "times" not in self.arrays:
            return None
        return Moment(
            float(self.arrays["times"][number]),
            Phase(self.about["phases"][self.arrays["phases"][number]]),
            float(self.arrays["along"][number]),
        )

    def picture(self, number: int) -> Picture | None:
        """The stored picture of one frame; None where the set holds geometry alone.

        Raises:
            RecipeError: the file cannot be read.
        """
        if "picture_flags" not in self.arrays:
            return None
        path = self.folder / "image" / f"{number:06d}.png"
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise RecipeError(f"{path} cannot be read.", "Delete the sequence, simulate again.")
        flags = np.asarray(self.arrays["picture_flags"][number])
        return Picture(np.ascontiguousarray(image[..., ::-1]).astype(np.uint8, copy=False), flags)


def is_finished(folder: Path) -> bool:
    """Whether a folder holds a whole set: its manifest is written last."""
    return (folder / MANIFEST).exists()


class SimulatedSet:
    """A folder of rendered sequences; `label` says what its frames call a fold.

    Raises:
        RecipeError: the folder holds no finished set, or one of another version.
    """

    def __init__(self, folder: Path, label: Label = Label.REGION) -> None:
        self.folder = Path(folder)
        self.label = label
        try:
            manifest = json.loads((self.folder / MANIFEST).read_text())
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"{self.folder} holds no finished simulated set.",
                "Render one: haustra-train simulate RECIPE -o DIR.",
            ) from error
        if manifest.get("schema") != SCHEMA:
            raise RecipeError(
                f"{self.folder} has layout {manifest.get('schema')}, this version reads {SCHEMA}.",
                "Simulate the set again.",
            )
        self.manifest: dict[str, Any] = manifest
        self.splits: dict[str, list[str]] = manifest["splits"]
        self._opened: dict[str, Sequence] = {}

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the manifest and of every sequence's description and poses."""
        found = hashlib.sha256((self.folder / MANIFEST).read_bytes())
        for name in (name for names in self.splits.values() for name in names):
            for file in ("sequence.json", "poses.npy"):
                found.update((self.folder / name / file).read_bytes())
        return found.hexdigest()

    def sequence(self, name: str) -> Sequence:
        """One sequence, opened once."""
        if name not in self._opened:
            self._opened[name] = Sequence.open(self.folder / name)
        return self._opened[name]

    def frames(self, split: str) -> list[tuple[str, int]]:
        """(sequence, number) of every frame of a split."""
        return [(name, i) for name in self.splits[split] for i in range(len(self.sequence(name)))]

    def frame(self, sequence: str, number: int) -> GeometryFrame:
        """Read one frame."""
        opened = self.sequence(sequence)
        pose = np.asarray(opened.arrays["poses"][number])
        return GeometryFrame.of(opened.view(number), pose, opened.camera, self.label)

    def __getstate__(self) -> dict[str, Any]:
        """Memory maps are opened again in every worker process."""
        return {
            "folder": self.folder,
            "label": self.label,
            "manifest": self.manifest,
            "splits": self.splits,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _opened={})
