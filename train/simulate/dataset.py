"""Geometry frames on disk: what was rendered once and is shaded anew each time it is drawn.

Layout, one folder per set:

    manifest.json               schema, recipe, splits {train, validation, test: [sequence, ...]}
    <sequence>/sequence.json    camera model, source of the anatomy, number of frames
    <sequence>/distance.npy     (n, H, W) float16, mm along the ray, 0 where nothing was hit
    <sequence>/normal.npy       (n, H, W, 3) int8, camera coordinates, times 127
    <sequence>/flags.npy        (n, H, W) uint8, bits of `Flag`
    <sequence>/instances.npy    (n, H, W) uint16, fold instance, 0 for none
    <sequence>/poses.npy        (n, 4, 4) float64, camera to world, mm
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.errors import RecipeError
from train.simulate.camera import Fisheye

SCHEMA = 1


class Flag(IntFlag):
    """Bits of `flags.npy`."""

    FOLD = 1
    """Region label: crest by curvature or occluding band, without polyps."""
    EDGE = 2
    """Near side of an occluding edge of a fold, three pixels wide."""
    CREST = 4
    """Curvature alone (the label of the paper)."""
    POLYP = 8
    VALID = 16
    """A ray hit the wall within the lens model."""


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
    fold: NDArray[np.bool_]
    edge: NDArray[np.bool_]
    crest: NDArray[np.bool_]
    polyp: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    instances: NDArray[np.uint16]


@lru_cache(maxsize=256)
def _rays(size: int, focal: float, k: tuple[float, ...], centre: tuple[float, ...]) -> NDArray:  # type: ignore[type-arg]
    return Fisheye(size, focal, k, centre).rays().astype(np.float32)  # type: ignore[arg-type]


class SimulatedSet:
    """A folder of rendered geometry, read through memory maps.

    Raises:
        RecipeError: the folder holds no finished set.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        try:
            manifest = json.loads((self.folder / "manifest.json").read_text())
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"{self.folder} holds no finished simulated set.",
                "Render one: haustra-train simulate RECIPE -o DIR.",
            ) from error
        self.manifest: dict[str, object] = manifest
        self.splits: dict[str, list[str]] = manifest["splits"]
        self._opened: dict[str, tuple[dict[str, NDArray[np.generic]], dict[str, object]]] = {}

    def frames(self, split: str) -> list[tuple[str, int]]:
        """(sequence, number) of every frame of a split."""
        return [
            (name, i)
            for name in self.splits[split]
            for i in range(int(self._open(name)[1]["frames"]))  # type: ignore[call-overload]
        ]

    def frame(self, sequence: str, number: int) -> GeometryFrame:
        """Read one frame."""
        arrays, about = self._open(sequence)
        camera = about["camera"]
        assert isinstance(camera, dict)
        rays = _rays(camera["size"], camera["focal"], tuple(camera["k"]), tuple(camera["centre"]))
        flags = np.asarray(arrays["flags"][number])
        pose = np.asarray(arrays["poses"][number], dtype=np.float32)
        depth = np.asarray(arrays["distance"][number], dtype=np.float32)
        return GeometryFrame(
            depth_mm=depth,
            normal=np.asarray(arrays["normal"][number], dtype=np.float32) / 127.0,
            position=(depth[..., None] * rays) @ pose[:3, :3].T + pose[:3, 3],
            rays=rays,
            rotation=pose[:3, :3],
            fold=(flags & Flag.FOLD) > 0,
            edge=(flags & Flag.EDGE) > 0,
            crest=(flags & Flag.CREST) > 0,
            polyp=(flags & Flag.POLYP) > 0,
            valid=(flags & Flag.VALID) > 0,
            instances=np.asarray(arrays["instances"][number]),
        )

    def _open(self, name: str) -> tuple[dict[str, NDArray[np.generic]], dict[str, object]]:
        if name not in self._opened:
            folder = self.folder / name
            arrays = {
                key: np.load(folder / f"{key}.npy", mmap_mode="r")
                for key in ("distance", "normal", "flags", "instances", "poses")
            }
            self._opened[name] = arrays, json.loads((folder / "sequence.json").read_text())
        return self._opened[name]

    def __getstate__(self) -> dict[str, object]:
        """Memory maps are opened again in every worker process."""
        return {"folder": self.folder, "manifest": self.manifest, "splits": self.splits}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _opened={})
