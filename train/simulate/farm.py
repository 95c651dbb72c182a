"""Sets of sequences, rendered side by side on Dask: resumable, and the same wherever they run."""

from __future__ import annotations

import importlib
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from engine.errors import RecipeError, RecordingError
from train.simulate.casters import DEFAULT, find_caster
from train.simulate.centreline import write_centreline
from train.simulate.curvature import CrestOptions
from train.simulate.dataset import MANIFEST, SCHEMA
from train.simulate.mesh import find_course
from train.simulate.rays import OcclusionOptions
from train.simulate.render import Job, render_sequence

_WORKER_ENVIRONMENT = {
    # Dask tells workers to hand memory back at once. Views come and go by the megabyte, and
    # fetching their pages anew costs almost half of the pace.
    "MALLOC_TRIM_THRESHOLD_": str(1 << 33),
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TOP_PAD_": str(1 << 27),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}

SPLITS = ("train", "validation", "test")


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
    test_frames: int = 0
    """Frames per test colon; 0: as many as of the others."""
    size: int = 256
    anatomy: str = "stretch"
    """`stretch`: 280 mm anywhere in a colon of its own; `whole`: from rectum to caecum."""
    camera: str = "colonoscope"
    pictures: str = "none"
    """`none`, or a style of `train.simulate.appearance`: stored beside the geometry."""
    path: str = "scattered"
    """`scattered` views, or pieces of an `examination`, each a video."""
    rate_hz: float = 50.0
    """Of an examination: frames a second."""
    motion: bool = False
    """Of an examination: the colon breathes and clenches."""
    caster: str = DEFAULT
    """What finds where rays meet the wall; a name of `train.simulate.casters`."""

    def frames_of(self, split: str) -> int:
        """Frames per colon of a split."""
        return self.test_frames if split == "test" and self.test_frames else self.frames


@dataclass(frozen=True, slots=True)
class Workers:
    """Where jobs run."""

    count: int | None = None
    """Processes of a local cluster; None: one per core; 1: this process, no cluster."""
    scheduler: str | None = None
    """Address of a Dask scheduler that runs elsewhere."""


def simulate(recipe: SimulationRecipe, out: Path, workers: Workers = Workers()) -> Path:
    """Render every sequence of a recipe that is not there yet; returns `out`.

    Raises:
        RecipeError: the folder holds a set of another recipe.
        RecordingError: the folder cannot be written.
    """
    find_caster(recipe.caster)
    _claim(out, recipe)
    jobs: list[Job] = []
    splits: dict[str, list[str]] = {}
    for number, split in enumerate(SPLITS):
        splits[split] = [f"{split}-{i:03d}" for i in range(getattr(recipe, split))]
        jobs += [
            Job(
                name, recipe.seed * 1_000_003 + number * 10_007 + i, recipe.frames_of(split),
                recipe.size, out, camera=recipe.camera, pictures=recipe.pictures,
                path=recipe.path, rate_hz=recipe.rate_hz, motion=recipe.motion,
                caster=recipe.caster, anatomy=recipe.anatomy,
            )
            for i, name in enumerate(splits[split])
        ]  # fmt: skip
    render_all(jobs, workers)
    write_manifest(out, splits, {"recipe": asdict(recipe)})
    return out


@dataclass(frozen=True, slots=True)
class MeshViews:
    """What to render of one mesh file."""

    mesh: Path
    frames: int = 240
    share: tuple[float, float] = (0.0, 0.7)
    """Part of the centreline."""
    unit: str | None = None
    """mm, cm or m; told by the mesh's size when None."""
    caster: str = DEFAULT
    is_line_found: bool = False
    """Even where a file with a centreline lies beside the mesh."""


def simulate_mesh(views: MeshViews, out: Path, workers: Workers = Workers()) -> Path:
    """Render one mesh file as a test set of four sequences; returns `out`.

    A centreline that is found is kept in the set: finding it takes longer than a few views.
    """
    find_caster(views.caster)
    line = out / "centreline.txt" if views.is_line_found else None
    if line is not None and not line.exists():
        write_centreline(line, find_course(views.mesh, views.unit).points)
    jobs = [
        Job(
            f"{views.mesh.stem}-{i}", 77 + i, views.frames // 4, 256, out,
            mesh=views.mesh, unit=views.unit, centreline=line, share=part,
            crest=CrestOptions.for_scan(),
            occlusion=OcclusionOptions.for_scan(), caster=views.caster,
        )
        for i, part in enumerate(_parts(views.share, 4))
    ]  # fmt: skip
    render_all(jobs, workers)
    write_manifest(
        out, {"train": [], "validation": [], "test": [job.name for job in jobs]},
        {"mesh": views.mesh.name, "share": views.share},
    )  # fmt: skip
    return out


def _parts(share: tuple[float, float], count: int) -> list[tuple[float, float]]:
    ends = np.linspace(share[0], share[1], count + 1)
    return [(float(a), float(b)) for a, b in itertools.pairwise(ends)]


def render_all(jobs: Iterable[Job], workers: Workers) -> None:
    """Run the jobs that are not done, with progress, time left and the cost of each stage."""
    todo = [job for job in jobs if not job.is_done]
    if not todo:
        return
    todo[0].folder.mkdir(parents=True, exist_ok=True)
    frames = sum(job.frames for job in todo)
    spent: Counter[str] = Counter()
    with tqdm(total=frames, unit="frame", desc="simulate") as bar:
        for job, seconds in _run(todo, workers):
            spent.update(seconds)
            bar.update(job.frames)
        elapsed_s = bar.format_dict["elapsed"]
    costs = "  ".join(f"{stage} {1e3 * total / frames:.1f}" for stage, total in spent.items())
    pace = frames / max(elapsed_s, 1e-9)
    tqdm.write(f"{frames} frames, {pace:.1f}/s; ms of one core a frame: {costs}")


def _run(jobs: list[Job], workers: Workers) -> Iterator[tuple[Job, dict[str, float]]]:
    """Each job with its costs, in the order in which they end."""
    if workers.scheduler is None and (workers.count == 1 or len(jobs) == 1):
        for job in jobs:
            yield job, render_sequence(job)
        return
    with _client(workers, len(jobs)) as client:
        futures = client.map(render_sequence, jobs, pure=False)
        of_key = {future.key: job for future, job in zip(futures, jobs, strict=True)}
        for future in _dask().as_completed(futures):
            yield of_key[future.key], future.result()


def _dask() -> Any:
    """Dask takes a second to import, and not every run needs it."""
    return importlib.import_module("dask.distributed")


@contextmanager
def _client(workers: Workers, jobs: int) -> Iterator[Any]:
    """A Dask client on the scheduler asked for, or on a cluster of this machine's own.

    Raises:
        RecipeError: the scheduler does not answer.
    """
    dask = _dask()
    if workers.scheduler is not None:
        try:
            client = dask.Client(workers.scheduler, timeout="4s")
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"No Dask scheduler answers at {workers.scheduler}: {error}.",
                "Start one (dask scheduler), or leave --scheduler away.",
            ) from error
        with client:
            yield client
        return
    count = min(workers.count or os.cpu_count() or 1, jobs)
    with (
        importlib.import_module("dask").config.set(
            {"distributed.nanny.pre-spawn-environ": _WORKER_ENVIRONMENT}
        ),
        dask.LocalCluster(
            n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=0
        ) as cluster,
        dask.Client(cluster) as client,
    ):
        yield client


def _claim(out: Path, recipe: SimulationRecipe) -> None:
    """Note whose set this folder is, before anything is rendered into it."""
    note = out / "recipe.json"
    try:
        if not note.exists():
            out.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(asdict(recipe), indent=1))
        theirs = json.loads(note.read_text())
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"{note} cannot be used: {error}.", "Choose another folder."
        ) from error
    if theirs != asdict(recipe):
        raise RecipeError(
            f"{out} holds sequences of another recipe.", "Choose another folder, or delete it."
        )


def write_manifest(out: Path, splits: dict[str, list[str]], about: dict[str, object]) -> None:
    """Declare the set whole."""
    partial = out / f"{MANIFEST}.partial"
    partial.write_text(json.dumps({"schema": SCHEMA, "splits": splits, **about}, indent=1))
    partial.replace(out / MANIFEST)
