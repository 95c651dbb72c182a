"""Solids whose sizes are known by hand; mm, faces outwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from train.simulate.tube import AnalyticFolds, Tube

DATA = Path(__file__).resolve().parents[3] / "../shared/data"


def hose(length: float = 240.0, radius: float = 20.0, is_open: bool = False) -> trimesh.Trimesh:
    """A straight tube of 24 sides from z = 0 to `length`, with flat ends or without."""
    z = np.arange(0.0, length + 1, 5.0)
    theta = np.arange(24) * np.pi / 12
    x, y = (np.tile(radius * f(theta), (len(z), 1)) for f in (np.cos, np.sin))
    vertices = np.stack([x, y, np.repeat(z[:, None], 24, axis=1)], axis=-1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(len(z) - 1), np.arange(24), indexing="ij")
    a, b = (row * 24 + column).ravel(), (row * 24 + (column + 1) % 24).ravel()
    faces = [np.stack([a, b, a + 24], 1), np.stack([b, b + 24, a + 24], 1)]
    if not is_open:
        n = len(vertices)
        ring, following = np.arange(24), (np.arange(24) + 1) % 24
        vertices = np.concatenate([vertices, [[0, 0, 0], [0, 0, z[-1]]]])
        faces.append(np.stack([following, ring, np.full(24, n)], 1))
        faces.append(np.stack([ring + n - 24, following + n - 24, np.full(24, n + 1)], 1))
    return trimesh.Trimesh(vertices, np.concatenate(faces), process=False)


def bend(length: float = 360.0, bend_radius: float = 80.0) -> trimesh.Trimesh:
    """A hose along an arc in the plane y = 0 around (0, 0, 0)."""
    mesh = hose(length, 15.0)
    x, y, z = np.array(mesh.vertices).T
    reach, angle = bend_radius + x, z / bend_radius
    mesh.vertices = np.stack([reach * np.cos(angle), y, reach * np.sin(angle)], axis=1)
    return mesh


def as_tube(mesh: trimesh.Trimesh) -> Tube:
    """The inside of a solid as a lumen without folds; its centreline runs along z."""
    n, ends = len(mesh.vertices), mesh.bounds[:, 2]
    line = np.linspace([0, 0, ends[0]], [0, 0, ends[1]], round(float(np.ptp(ends))) + 1)
    return Tube(
        np.asarray(mesh.vertices), np.asarray(mesh.faces)[:, ::-1], line, np.full(len(line), 20.0),
        np.zeros(n, np.uint8), AnalyticFolds.none(n),
    )  # fmt: skip


def box(*sides: float) -> trimesh.Trimesh:
    """A closed box with a corner at the origin, its triangles 10 mm and less."""
    solid = trimesh.creation.box(sides)
    solid.apply_translation(np.array(sides) / 2)
    return trimesh.Trimesh(
        *trimesh.remesh.subdivide_to_size(solid.vertices, solid.faces, 10.0), process=False
    )


def save(mesh: trimesh.Trimesh, path: Path) -> Path:
    """Write a mesh in the format of the file's name."""
    mesh.export(path)
    return path


def scan(name: str) -> Path:
    """A scan of the shared data; the test is skipped without it."""
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"no scan {name}")
    return path
