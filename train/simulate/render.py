"""Render a recipe's geometry: colons → labelled frames on disk, in parallel, resumable.

Every colon is one job with its own seed, written to a temporary folder and renamed when whole:
an interrupted run continues, and the number of workers changes nothing.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from train.simulate.anatomy import Tube, grow_colon
from train.simulate.camera import Fisheye
from train.simulate.camera_path import PathOptions, camera_path
from train.simulate.curvature import CrestOptions, label_crests
from train.simulate.dataset import SCHEMA, Flag
from train.simulate.mesh import read_tube
from train.simulate.rays import (
    OcclusionOptions,
    Scene,
    View,
    occluding_band,
    occluding_edge,
    widen,
)

NEAREST_WALL_MM = 2.5


@dataclass(frozen=True, slots=True)
class SimulationRecipe:
    """What to render. Sequences of one split share no anatomy with another."""

    seed: int = 1
    train: int = 80
    """Procedural colons for training."""
    validation: int = 8
    test: int = 12
    frames: int = 60
    """Frames per colon."""
    size: int = 256


@dataclass(frozen=True, slots=True)
class Job:
    """One sequence: a procedural colon, or a mesh read from a file."""

    name: str
    seed: int
    frames: int
    size: int
    folder: Path
    mesh: Path | None = None
    share: tuple[float, float] = (0.08, 0.92)
    """Part of the centreline that the camera visits."""
    crest: CrestOptions = field(default_factory=CrestOptions)


def simulate(recipe: SimulationRecipe, out: Path, workers: int | None = None) -> Path:
    """Render every sequence of a recipe that is not there yet; returns `out`."""
    jobs, splits = [], {}
    for number, split in enumerate(("train", "validation", "test")):
        names = [f"{split}-{i:03d}" for i in range(getattr(recipe, split))]
        splits[split] = names
        jobs += [
            Job(
                name, recipe.seed * 1_000_003 + number * 10_007 + i, recipe.frames, recipe.size, out
            )
            for i, name in enumerate(names)
        ]
    render_all(jobs, workers)
    write_manifest(out, splits, {"recipe": asdict(recipe)})
    return out


def simulate_mesh(mesh: Path, out: Path, frames: int, share: tuple[float, float]) -> Path:
    """Render one mesh file (with `*_centreline.*` beside it) as a test set; returns `out`."""
    crest = CrestOptions.for_scan()
    jobs = [
        Job(f"{mesh.stem}-{i}", 77 + i, frames // 4, 256, out, mesh, part, crest)
        for i, part in enumerate(_parts(share, 4))
    ]
    render_all(jobs, workers=None)
    write_manifest(
        out, {"train": [], "validation": [], "test": [job.name for job in jobs]},
        {"mesh": mesh.name, "share": share},
    )  # fmt: skip
    return out


def _parts(share: tuple[float, float], count: int) -> list[tuple[float, float]]:
    ends = np.linspace(share[0], share[1], count + 1)
    return [(float(a), float(b)) for a, b in itertools.pairwise(ends)]


def render_all(jobs: Iterable[Job], workers: int | None) -> None:
    """Run the jobs that are not done, with progress and time left."""
    todo = [job for job in jobs if not (job.folder / job.name / "sequence.json").exists()]
    if not todo:
        return
    todo[0].folder.mkdir(parents=True, exist_ok=True)
    with (
        ProcessPoolExecutor(workers or os.cpu_count()) as pool,
        tqdm(total=len(todo), unit="colon", desc="simulate") as bar,
    ):
        for finished in as_completed([pool.submit(render_sequence, job) for job in todo]):
            finished.result()
            bar.update()


def write_manifest(out: Path, splits: dict[str, list[str]], about: dict[str, object]) -> None:
    """Declare the set whole."""
    partial = out / "manifest.json.partial"
    partial.write_text(json.dumps({"schema": SCHEMA, "splits": splits, **about}, indent=1))
    partial.replace(out / "manifest.json")


def render_sequence(job: Job) -> None:
    """Render one colon into `job.folder / job.name`."""
    rng = np.random.default_rng(job.seed)
    tube = read_tube(job.mesh) if job.mesh else grow_colon(rng)
    crest = label_crests(tube, job.crest)
    camera = Fisheye.colonoscope(job.size, float(np.radians(rng.uniform(56, 78))))
    first, last = job.share
    options = PathOptions(
        job.frames, first, last, wobble_frames=1.0, deflection=float(rng.uniform(0.25, 0.6))
    )
    poses = camera_path(tube, rng, options)
    sequence = _render(Scene(tube, crest), tube, poses, camera)

    partial = job.folder / f"{job.name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for key, array in sequence.items():
        np.save(partial / f"{key}.npy", array)
    about = {"frames": len(poses), "camera": camera.as_dict(), "seed": job.seed,
             "anatomy": job.mesh.name if job.mesh else "procedural"}  # fmt: skip
    (partial / "sequence.json").write_text(json.dumps(about, indent=1))
    shutil.rmtree(job.folder / job.name, ignore_errors=True)
    partial.replace(job.folder / job.name)


def _render(
    scene: Scene, tube: Tube, poses: NDArray[np.float64], camera: Fisheye
) -> dict[str, NDArray[np.generic]]:
    rays, sees = camera.rays(), camera.sees()
    kept: dict[str, list[NDArray[np.generic]]] = {
        key: [] for key in ("distance", "normal", "flags", "instances", "poses")
    }
    for pose in poses:
        pose, view = _clear_of_wall(scene, tube, pose, rays, sees)
        flags, instances = annotate(view, rays, sees)
        kept["distance"].append(view.distance.astype(np.float16))
        kept["normal"].append(np.round(view.normal * 127).astype(np.int8))
        kept["flags"].append(flags)
        kept["instances"].append(instances)
        kept["poses"].append(pose)
    return {key: np.stack(arrays) for key, arrays in kept.items()}


def _clear_of_wall(
    scene: Scene,
    tube: Tube,
    pose: NDArray[np.float64],
    rays: NDArray[np.float64],
    sees: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], View]:
    """Pull the tip towards the centreline until nothing is closer than the tip's own size."""
    for _ in range(6):
        view = scene.look(pose, rays)
        seen = view.distance[sees]
        if (seen > 0).all() and seen.min() >= NEAREST_WALL_MM:
            break
        eye = pose[:3, 3]
        gaps = np.linalg.norm(tube.centreline - eye, axis=1)
        pose = pose.copy()
        pose[:3, 3] = eye + 0.5 * (tube.centreline[int(np.argmin(gaps))] - eye)
    return pose, view


def annotate(
    view: View,
    rays: NDArray[np.float64],
    sees: NDArray[np.bool_],
    options: OcclusionOptions = OcclusionOptions(),  # noqa: B008
) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Flags and instances of one view, both (H, W).

    The region label is the curvature crest joined with the band along occluding edges, without
    polyps; a band pixel belongs to the crest nearest to it in the picture, or to none.
    """
    valid = sees & (view.distance > 0)
    edge = occluding_edge(np.where(valid, view.distance, 0), options) & ~view.polyp
    band = occluding_band(np.where(valid, view.distance, 0), rays, edge, options)
    fold = ((view.crest > 0) | band) & ~view.polyp & valid
    edge = widen(edge & valid, fold, options.edge_px) & valid & ~view.polyp
    flags = (
        fold * np.uint8(Flag.FOLD)
        | edge * np.uint8(Flag.EDGE)
        | ((view.crest > 0) & valid) * np.uint8(Flag.CREST)
        | view.polyp * np.uint8(Flag.POLYP)
        | valid * np.uint8(Flag.VALID)
    ).astype(np.uint8)
    return flags, np.where(fold, view.crest, 0).astype(np.uint16)
