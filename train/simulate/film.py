"""A simulated examination as a video, with what is true in it beside it.

One colon, one look, one camera path (`train.simulate.examination`). `engine.truth` reads the file
of folds, poses, phases and coverage that lies beside the video.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.recorder import OverlayVideo
from engine.sources import SourceInfo
from engine.truth import truth_path
from train.simulate.anatomy import grow_colon
from train.simulate.camera import Fisheye
from train.simulate.coverage import faces_behind, seen_behind
from train.simulate.curvature import label_crests
from train.simulate.dataset import GeometryFrame, View
from train.simulate.examination import ExaminationOptions, examination
from train.simulate.looks.rich import expose, lit_tissue
from train.simulate.render import Photographer, StageTimes
from train.simulate.truth_file import TruthFile


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """What to film. The same options give the same pictures."""

    kind: str = "withdrawal"
    """`whole`, or a phase of an examination."""
    seconds: float | None = 12.0
    """None: as long as it takes."""
    rate_hz: int = 50
    size: int = 640
    """Width; the height is 540/640 of it."""
    start: float | None = None
    """Share of the centreline; drawn when None."""
    anatomy_seed: int = 11
    look_seed: int = 33
    """Tissue and light."""
    tone_seed: int = 10
    """Exposure and colour balance."""
    path_seed: int = 3

    @property
    def height(self) -> int:
        """Pixels; even, as video wants it."""
        return round(self.size * 540 / 640 / 2) * 2


@dataclass(frozen=True, slots=True)
class Shot:
    """One frame of a film."""

    time_s: float
    picture: NDArray[np.uint8]
    """(H, W, 3) RGB."""
    instances: NDArray[np.uint16]
    """(H, W) fold at every pixel that shows something."""


class Film:
    """A colon, ready to be filmed once.

    Raises:
        RecipeError: unknown kind.
    """

    def __init__(self, options: FilmOptions) -> None:
        self._options = options
        tube = grow_colon(np.random.default_rng(options.anatomy_seed))
        crest = label_crests(tube)
        clip = ExaminationOptions(options.kind, options.seconds, options.start, options.rate_hz)
        path_rng = np.random.default_rng(options.path_seed)
        self.examined = examination(tube, crest.inside, path_rng, clip)
        self._walls = faces_behind(tube, crest.inside)
        self._camera = Fisheye.colonoscope(options.size, float(np.radians(68)))
        self._photographer = Photographer(tube, crest, self._camera)

    def __len__(self) -> int:
        return len(self.examined.time_s)

    def shots(self) -> Iterator[Shot]:
        """Every frame, in order."""
        height = self._options.height
        top = (self._options.size - height) // 2
        octagon = _octagon(self._options.size, height)
        grain = np.random.default_rng(self._options.look_seed)
        for number, pose in enumerate(self.examined.poses):
            view = self._photographer.take(number, pose, StageTimes())
            picture = self._picture(view, pose, grain)[top : top + height]
            shown = np.where(octagon[..., None], picture, 0.01)
            yield Shot(
                float(self.examined.time_s[number]),
                (shown * 255 + 0.5).astype(np.uint8),
                view.instances[top : top + height] * octagon,
            )

    def seen_behind(self) -> tuple[list[int], NDArray[np.float32]]:
        """Folds (k), and the share (n, k) of the wall behind each seen in the shots so far."""
        return seen_behind(self._walls, self._photographer.coverage, len(self))

    def _picture(
        self, view: View, pose: NDArray[np.float64], grain: np.random.Generator
    ) -> NDArray[np.float32]:
        frame = GeometryFrame.of(view, pose, self._camera)
        # One look: every frame draws the same tissue, light and tone again.
        linear = lit_tissue(frame, np.random.default_rng(self._options.look_seed))
        picture = expose(linear, frame.valid, np.random.default_rng(self._options.tone_seed))
        picture = np.asarray(cv2.GaussianBlur(np.clip(picture, 0, 1), (0, 0), 0.9), np.float32)
        noise = grain.standard_normal((*picture.shape[:2], 1), dtype=np.float32)
        return np.clip(picture + 0.008 * noise, 0, 1)


def _octagon(width: int, height: int) -> NDArray[np.bool_]:
    mask = np.zeros((height, width), np.uint8)
    cut = round(0.2 * height)
    right, bottom = width - 6, height - 5
    corners = [
        (cut, 4), (width - cut, 4), (right, cut), (right, height - cut),
        (width - cut, bottom), (cut, bottom), (6, height - cut), (6, cut),
    ]  # fmt: skip
    cv2.fillPoly(mask, [np.array(corners, np.int32)], 1)
    return mask.astype(bool)


def save_film(path: Path, options: FilmOptions) -> Path:
    """Render and encode a film (H.264, MP4), and write its truth beside it.

    Raises:
        RecipeError: unknown kind.
        RecordingError: nothing can be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    film = Film(options)
    info = SourceInfo(
        name=path.name,
        width=options.size,
        height=options.height,
        duration_s=len(film) / options.rate_hz,
        frame_rate_hz=float(options.rate_hz),
        frame_count=len(film),
        is_live=False,
        decoder="simulated",
        time_base=Fraction(1, options.rate_hz),
    )
    with TruthFile(truth_path(path)) as truth, OverlayVideo(path, info, quality=25) as video:
        for shot in tqdm(film.shots(), total=len(film), unit="frame"):
            video.write_image(shot.picture, shot.time_s)
            truth.add(shot.instances)
        about = {
            "video": {"width": options.size, "height": options.height, "rate_hz": options.rate_hz},
            "kind": options.kind,
            "anatomy_seed": options.anatomy_seed,
        }
        truth.finish(film.examined, film.seen_behind(), about)
    return path
