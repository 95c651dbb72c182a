"""The wall of a segmented colon lumen: a NIfTI label volume as a smooth triangle surface."""

from __future__ import annotations

import zlib
from pathlib import Path

import nibabel
import numpy as np
import trimesh
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray
from skimage.measure import marching_cubes

from engine.errors import RecipeError
from train.simulate.surface import Surface

VOLUME_SUFFIXES = (".nii", ".nii.gz")

_MM = {"unknown": 1.0, "mm": 1.0, "meter": 1000.0, "micron": 0.001}

_UNREADABLE = (ImageFileError, HeaderDataError, OSError, ValueError, EOFError, zlib.error)


def is_volume(path: Path) -> bool:
    """Whether the name is that of a NIfTI volume."""
    return path.name.lower().endswith(VOLUME_SUFFIXES)


def read_volume(path: Path) -> Surface:
    """The border of the labelled lumen in scanner coordinates, mm.

    Marching cubes (Lorensen and Cline 1987) on the labels, then Taubin's (1995) two-step
    smoothing, which takes the steps of the voxels away and does not shrink the tube.

    Raises:
        RecipeError: missing, unreadable, not 3-D, without or with more than one label.
    """
    if not path.is_file():
        raise RecipeError(f"{path} does not exist.", "Check the name of the volume.")
    try:
        image = nibabel.load(path)
        data = np.asanyarray(image.dataobj)  # type: ignore[attr-defined]
        affine = np.asarray(image.affine, dtype=np.float64)  # type: ignore[attr-defined]
        unit = image.header.get_xyzt_units()[0]  # type: ignore[attr-defined]
    except _UNREADABLE as error:
        raise RecipeError(
            f"{path} cannot be read as a NIfTI volume ({type(error).__name__}: {error}).",
            "Save the label volume anew as .nii or .nii.gz.",
        ) from error
    inside, corner = _foreground(data, path.name)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        raise RecipeError(
            f"{path.name} does not say where its voxels lie: its affine is singular.",
            "Save the volume with its spacing.",
        )
    cubes = marching_cubes(inside, 0.5, allow_degenerate=False)  # type: ignore[no-untyped-call]
    voxels, faces = cubes[:2]
    points = (voxels + corner) @ affine[:3, :3].T + affine[:3, 3]
    mesh = trimesh.Trimesh(points * _MM[unit], faces, process=False)
    trimesh.smoothing.filter_taubin(mesh, 0.5, 0.53, iterations=30)  # type: ignore[no-untyped-call]
    return Surface(
        path.name,
        np.array(mesh.vertices, dtype=np.float64),
        np.array(mesh.faces, dtype=np.int64),
        ("surface of the labels by marching cubes, smoothed",),
    )


def _foreground(
    data: NDArray[np.generic], name: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The labelled box with one empty voxel around it, and the index of its first voxel."""
    if data.ndim > 3 and all(size == 1 for size in data.shape[3:]):
        data = data.reshape(data.shape[:3])
    if data.ndim != 3:
        raise RecipeError(f"{name} has {data.ndim} dimensions.", "Give one volume of labels.")
    if not np.issubdtype(data.dtype, np.number) or np.iscomplexobj(data):
        raise RecipeError(f"{name} holds colours, not labels.", "Give one volume of labels.")
    occupied = data != 0
    if not occupied.any():
        raise RecipeError(f"{name} has no foreground.", "Mark the lumen with label 1.")
    values = np.unique(data[occupied])
    if len(values) > 1 or not np.isfinite(values).all():
        few = ", ".join(f"{value:g}" for value in values[:4])
        raise RecipeError(
            f"{name} holds {len(values)} values ({few}{', ...' if len(values) > 4 else ''}).",
            "Give a volume in which the lumen is 1 and all else 0, not the scan itself.",
        )
    ends = [np.flatnonzero(occupied.any(axis=tuple({0, 1, 2} - {k})))[[0, -1]] for k in range(3)]
    box = tuple(slice(first, last + 1) for first, last in ends)
    corner = np.array([first - 1 for first, _ in ends], dtype=np.int64)
    return np.pad(occupied[box], 1).astype(np.float32), corner
