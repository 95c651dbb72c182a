"""One sequence: colon → fold labels → camera path → labelled views, pictures, coverage → files.

A sequence is one job with its own seed, written to a temporary folder and renamed when whole: an
interrupted run continues, and where or beside how many others a job runs changes nothing.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.errors import RecordingError
from train.simulate.anatomy import draw_shape, grow_colon
from train.simulate.annotation import annotate
from train.simulate.appearance import STYLES, Look, Rendering, draw_look
from train.simulate.array_file import ArrayFile
from train.simulate.camera import Camera, Fisheye, Pinhole
from train.simulate.camera_path import PathOptions, camera_path
from train.simulate.casters import DEFAULT
from train.simulate.coverage import Coverage, wall_behind
from train.simulate.curvature import CrestLabels, CrestOptions, label_crests
from train.simulate.dataset import DISTANCE_UNIT_MM, Flag, GeometryFrame, View
from train.simulate.examination import Examination, ExaminationOptions, examination
from train.simulate.hits import Hits
from train.simulate.lumen import Moving
from train.simulate.mesh import read_colon
from train.simulate.motion import Motion
from train.simulate.rays import (
    OcclusionOptions,
    Scene,
    incidence,
    nearest_mm,
)
from train.simulate.steering import Phase
from train.simulate.tube import AnalyticFolds, Feature, Floats, Tube

NEAREST_WALL_MM = 2.5
CAMERAS = ("colonoscope", "endomapper", "pinhole")
PICTURES = ("none", *STYLES)
PATHS = ("scattered", "examination")
_FEATURE = 65000
"""Among the numbers of folds: from here on `Feature`."""
_FAST_PNG = [
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP,
]  # fmt: skip
"""Half the time of the defaults, and no larger."""


@dataclass(frozen=True, slots=True)
class Job:
    """One sequence: a procedural colon, or a mesh read from a file."""

    name: str
    seed: int
    frames: int
    size: int
    folder: Path
    mesh: Path | None = None
    unit: str | None = None
    """Of the mesh: mm, cm or m; told by its size when None."""
    centreline: Path | None = None
    """Of the mesh: a file instead of the one beside it, or of one that is found."""
    share: tuple[float, float] = (0.08, 0.92)
    """Part of the centreline that the camera visits."""
    crest: CrestOptions = field(default_factory=CrestOptions)
    occlusion: OcclusionOptions = field(default_factory=OcclusionOptions)
    camera: str = "colonoscope"
    """`colonoscope` draws a fisheye's field; `endomapper` and `pinhole` are fixed."""
    pictures: str = "none"
    """`none`, or a style of `train.simulate.appearance`."""
    path: str = "scattered"
    """`scattered` views, or a piece of an `examination`: a video."""
    rate_hz: float = 50.0
    """Of an examination."""
    motion: bool = False
    """The colon of an examination breathes and clenches."""
    caster: str = DEFAULT
    """What finds where rays meet the wall; a name of `train.simulate.casters`."""
    anatomy: str = "stretch"
    """Of a procedural colon: `stretch` or `whole`."""

    @property
    def is_done(self) -> bool:
        """Its folder is whole."""
        return (self.folder / self.name / "sequence.json").exists()


class StageTimes:
    """Seconds of processor time by stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add what happens inside to `stage`."""
        started_s = time.process_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.process_time() - started_s


def choose_camera(kind: str, size: int, rng: np.random.Generator) -> Camera:
    """The camera of a recipe.

    Raises:
        ValueError: unknown kind.
    """
    if kind == "colonoscope":
        return Fisheye.colonoscope(size, float(np.radians(rng.uniform(56, 78))))
    if kind == "endomapper":
        return Fisheye.endomapper(size, size * 3 // 4)
    if kind == "pinhole":
        return Pinhole.wide(size, size, float(np.radians(90)))
    raise ValueError(f"unknown camera {kind!r}: colonoscope, endomapper or pinhole")


def render_sequence(job: Job) -> dict[str, float]:
    """Render one colon into `job.folder / job.name`; returns seconds by stage.

    Raises:
        RecipeError: the mesh is unusable.
        RecordingError: the folder cannot be written; nothing half-written stays.
    """
    cv2.setNumThreads(0)  # jobs run beside each other
    times = StageTimes()
    with times.measure("start"):
        _rehearse(job.caster)
    rng = np.random.default_rng(job.seed)
    with times.measure("anatomy"):
        scanned = read_colon(job.mesh, job.unit, job.centreline) if job.mesh else None
        tube = scanned.tube if scanned else grow_colon(rng, draw_shape(job.anatomy, rng))
    with times.measure("crests"):
        crest = label_crests(tube, job.crest)
    camera = choose_camera(job.camera, job.size, rng)
    with times.measure("path"):
        motion = Motion.draw(rng, tube) if job.motion else None
        poses, examined = _route(job, tube, crest, rng, motion)
    partial = job.folder / f"{job.name}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with closing(_Recorder(job, partial, len(poses), times)) as recorder:
            with times.measure("scene"):
                photographer = Photographer(tube, crest, camera, job.occlusion, job.caster)
            for number, pose in enumerate(poses):
                if examined is None:
                    pose, view = photographer.take_clear(number, pose, times)
                else:
                    if motion is not None:
                        with times.measure("motion"):
                            photographer.move(motion.vertices(float(examined.time_s[number])))
                    view = photographer.take(number, pose, times)
                recorder.add(number, pose, view, camera)
            with times.measure("write"):
                about: dict[str, Any] = {"camera": camera.as_dict(), "seed": job.seed}
                if scanned is not None:
                    about["provenance"] = asdict(scanned.provenance)
                if examined is not None:
                    about |= {"kind": examined.kind, "rate_hz": job.rate_hz, "phases": list(Phase)}
                    about["motion"] = job.motion
                    recorder.add_moments(examined)
                recorder.finish(photographer, about)
        with times.measure("write"):
            shutil.rmtree(job.folder / job.name, ignore_errors=True)
            partial.replace(job.folder / job.name)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise RecordingError(
            f"{job.folder / job.name} cannot be written: {error}.",
            "Make room or choose another folder, then run the same command again.",
        ) from error
    return dict(times.seconds)


def _route(
    job: Job, tube: Tube, crest: CrestLabels, rng: np.random.Generator, motion: Moving | None
) -> tuple[NDArray[np.float64], Examination | None]:
    """Poses (n, 4, 4), and the examination they belong to if they are of one."""
    if job.path == "examination":
        seconds = job.frames / job.rate_hz
        clip = ExaminationOptions.draw(rng, seconds, job.rate_hz, job.share, tube)
        examined = examination(tube, crest.inside, rng, clip, motion)
        return examined.poses, examined
    options = PathOptions(
        job.frames, *job.share, wobble_frames=1.0, deflection=float(rng.uniform(0.25, 0.6))
    )
    return camera_path(tube, rng, options), None


@cache
def _rehearse(caster: str) -> None:
    """Label one view of a small tube: kernels are loaded, or compiled, once a process."""
    z, theta = np.meshgrid(np.arange(0.0, 60.0, 2.0), np.arange(24) * np.pi / 12, indexing="ij")
    radius = 15.0 - 6.0 * np.exp(-(((z - 30.0) / 3.0) ** 2))
    wall = np.stack([radius * np.cos(theta), radius * np.sin(theta), z], axis=-1).reshape(-1, 3)
    a = np.arange(len(wall) - 24)
    b = a // 24 * 24 + (a + 1) % 24
    faces = np.concatenate([np.stack([a, a + 24, b], 1), np.stack([b, a + 24, b + 24], 1)])
    line = np.linspace([0.0, 0.0, 0.0], [0.0, 0.0, 60.0], 31)
    feature = np.zeros(len(wall), np.uint8)
    tube = Tube(wall, faces, line, np.full(31, 15.0), feature, AnalyticFolds.none(len(wall)))
    pose = np.eye(4)
    pose[2, 3] = 5.0
    Photographer(tube, label_crests(tube), Fisheye.colonoscope(32, 1.2), caster=caster).take(
        0, pose, StageTimes()
    )


class Photographer:
    """A labelled tube and a camera: takes views and keeps account of what was seen."""

    def __init__(
        self,
        tube: Tube,
        crest: CrestLabels,
        camera: Camera,
        occlusion: OcclusionOptions = OcclusionOptions(),  # noqa: B008
        caster: str = DEFAULT,
    ) -> None:
        self.tube, self.crest = tube, crest
        self.coverage = Coverage.none(len(tube.faces))
        self._camera = camera
        self._scene = Scene(tube, caster)
        self._occlusion = occlusion
        self._labels = np.where(
            tube.is_never_fold, _FEATURE + tube.feature.astype(np.int64), crest.fold
        ).astype(np.uint16)
        self._beyond_mm = crest.beyond_mm.astype(np.float32)

    def move(self, vertices: Floats) -> None:
        """Put the wall's vertices (n, 3) in mm here; labels go with them."""
        self._scene.move(vertices)

    def take(self, number: int, pose: NDArray[np.float64], times: StageTimes) -> View:
        """The view from `pose`."""
        return self.look(number, pose, times)[0]

    def take_clear(
        self, number: int, pose: NDArray[np.float64], times: StageTimes
    ) -> tuple[NDArray[np.float64], View]:
        """The view from `pose`, or from a little nearer to the centreline where that is blocked."""
        with times.measure("rays"):
            pose, hits = self._look_clear(pose)
        return pose, self._label(number, pose, hits, times)

    def look(self, number: int, pose: NDArray[np.float64], times: StageTimes) -> tuple[View, Hits]:
        """As `take`, with the hits, from which other labels of the same pixels can be read."""
        with times.measure("rays"):
            hits = self._scene.look(pose, self._camera)
        return self._label(number, pose, hits, times), hits

    def _label(self, number: int, pose: NDArray[np.float64], hits: Hits, times: StageTimes) -> View:
        with times.measure("labels"):
            normal = self._scene.normals(hits, pose, self._camera)
            self.coverage.add(number, hits, incidence(normal, hits, self._camera))
            label = hits.label(self._labels)
            feature = np.where(label > _FEATURE, label - _FEATURE, 0).astype(np.uint8)
            is_crest = (hits.interpolate(self._beyond_mm) < 0) & (feature == Feature.NONE)
            crest = hits.image(np.where(is_crest, label, 0).astype(np.uint16))
            distance = hits.image(hits.distance)
            flags, instances = annotate(
                distance, crest, hits.image(feature), self._camera, self._occlusion
            )
        return View(distance, hits.image(normal), flags, instances)

    def clear_of_wall(self, pose: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pull the tip towards the centreline until nothing is closer than the tip's own size.

        It jumps: for scattered views, never for video.
        """
        return self._look_clear(pose)[0]

    def _look_clear(self, pose: NDArray[np.float64]) -> tuple[NDArray[np.float64], Hits]:
        hits = self._scene.look(pose, self._camera)
        for _ in range(6):
            if nearest_mm(hits, self._camera) >= NEAREST_WALL_MM:
                break
            eye = pose[:3, 3]
            gaps = np.linalg.norm(self.tube.centreline - eye, axis=1)
            pose = pose.copy()
            pose[:3, 3] = eye + 0.5 * (self.tube.centreline[int(np.argmin(gaps))] - eye)
            hits = self._scene.look(pose, self._camera)
        return pose, hits


class _Recorder:
    """Writes a sequence's files, frame by frame."""

    def __init__(self, job: Job, folder: Path, count: int, times: StageTimes) -> None:
        self._job, self._folder, self._times = job, folder, times
        self._count = count
        self._files: dict[str, ArrayFile] = {}
        self._look: Look | None = None
        """Of a whole video; None: every picture has its own."""
        if job.pictures != "none":
            (folder / "image").mkdir()
            if job.path == "examination":
                self._look = draw_look(job.pictures, np.random.default_rng([job.seed, 99]))

    def add(self, number: int, pose: NDArray[np.float64], view: View, camera: Camera) -> None:
        """Keep one view, and draw its picture."""
        with self._times.measure("write"):
            distance = np.round(view.distance_mm / DISTANCE_UNIT_MM)
            self._append("distance", np.minimum(distance, 65535).astype(np.uint16))
            self._append("normal", np.round(view.normal * 127).astype(np.int8))
            self._append("flags", view.flags)
            self._append("instances", view.instances)
            self._append("poses", pose)
        if self._job.pictures == "none":
            return
        with self._times.measure("shade"):
            rng = np.random.default_rng([self._job.seed, 99, number])
            frame = GeometryFrame.of(view, pose, camera)
            look = self._look or draw_look(self._job.pictures, rng)
            rendering = look.render(frame, rng)
        with self._times.measure("write"):
            self._append("picture_flags", picture_flags(rendering, view.flags))
            path = self._folder / "image" / f"{number:06d}.png"
            image = cv2.cvtColor(rendering.image, cv2.COLOR_RGB2BGR)
            if not cv2.imwrite(str(path), image, _FAST_PNG):
                raise OSError(f"{path.name} was not written")

    def _append(self, name: str, part: NDArray[Any]) -> None:
        if name not in self._files:
            self._files[name] = ArrayFile(self._folder / f"{name}.npy", self._count)
        self._files[name].append(part)

    def close(self) -> None:
        """Close what is open."""
        for file in self._files.values():
            file.close()

    def add_moments(self, examined: Examination) -> None:
        """Say when and in which phase each frame was taken."""
        np.save(self._folder / "times.npy", examined.time_s)
        np.save(self._folder / "phases.npy", examined.phase)
        np.save(self._folder / "along.npy", examined.along_mm.astype(np.float32))

    def finish(self, photographer: Photographer, about: dict[str, Any]) -> None:
        """Write what is told of the whole sequence."""
        self.close()
        coverage = photographer.coverage
        coverage.save(self._folder / "coverage.npz")
        behind = wall_behind(photographer.tube, photographer.crest.inside, coverage)
        (self._folder / "folds.json").write_text(json.dumps([asdict(each) for each in behind]))
        mesh = self._job.mesh
        about |= {"frames": self._job.frames, "anatomy": mesh.name if mesh else self._job.anatomy}
        about["segments"] = [span.as_dict() for span in photographer.tube.segments]
        (self._folder / "sequence.json").write_text(json.dumps(about, indent=1))


def picture_flags(rendering: Rendering, flags: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Labels (H, W) that hold in a picture, where a tool may cover a fold."""
    shown = (
        rendering.fold * np.uint8(Flag.FOLD)
        | rendering.edge * np.uint8(Flag.EDGE)
        | rendering.valid * np.uint8(Flag.VALID)
        | rendering.hard * np.uint8(Flag.HARD)
    ).astype(np.uint8)
    kept = flags & np.uint8(Flag.CREST | Flag.POLYP | Flag.FLUID | Flag.VALVE)
    return np.asarray(shown | np.where(rendering.valid, kept, 0), np.uint8)
