"""A simulated withdrawal as a video: one colon, one look, a smooth path."""

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
from train.simulate.anatomy import ColonShape, grow_colon
from train.simulate.camera import Fisheye
from train.simulate.curvature import label_crests
from train.simulate.dataset import GeometryFrame
from train.simulate.examination import ExaminationOptions, examination
from train.simulate.looks.rich import expose, lit_tissue
from train.simulate.render import Photographer, StageTimes


@dataclass(frozen=True, slots=True)
class FilmOptions:
    """What to film. The same options give the same pictures."""

    seconds: float = 12.0
    rate_hz: int = 50
    size: int = 640
    """Width; the height is 540/640 of it."""
    anatomy_seed: int = 11
    look_seed: int = 33
    """Tissue and light."""
    tone_seed: int = 10
    """Exposure and colour balance."""

    @property
    def height(self) -> int:
        """Pixels; even, as video wants it."""
        return round(self.size * 540 / 640 / 2) * 2

    path_seed: int = 3


def film(options: FilmOptions) -> Iterator[NDArray[np.uint8]]:
    """Pictures (H, W, 3) RGB of a slow withdrawal, in order."""
    rng = np.random.default_rng(options.anatomy_seed)
    shape = ColonShape(
        length=300.0, radius=21.0, radius_variation=0.12, triangularity=0.16, sacculation=0.12,
        fold_spacing=25.0, fold_height=9.5, fold_width=2.0, lean=0.25, alignment=0.45,
        flat_share=0.1, bend_radius=80.0, polyps=3, ridges=2, roughness=0.03,
    )  # fmt: skip
    tube = grow_colon(rng, shape)
    camera = Fisheye.colonoscope(options.size, float(np.radians(68)))
    crest = label_crests(tube)
    photographer = Photographer(tube, crest, camera)
    clip = ExaminationOptions("withdrawal", options.seconds, 0.72, options.rate_hz)
    height = options.height
    top = (options.size - height) // 2
    octagon = _octagon(options.size, height)
    grain = np.random.default_rng(options.look_seed)
    path_rng = np.random.default_rng(options.path_seed)
    examined = examination(tube, crest.inside, path_rng, clip)
    for number, pose in enumerate(examined.poses):
        view = photographer.take(number, pose, StageTimes())
        frame = GeometryFrame.of(view, pose, camera)
        # One look: every frame draws the same tissue, light and tone again.
        linear = lit_tissue(frame, np.random.default_rng(options.look_seed))
        picture = expose(linear, frame.valid, np.random.default_rng(options.tone_seed))
        picture = np.asarray(cv2.GaussianBlur(np.clip(picture, 0, 1), (0, 0), 0.9), np.float32)
        noise = grain.standard_normal((*picture.shape[:2], 1), dtype=np.float32)
        picture = np.clip(picture + 0.008 * noise, 0, 1)[top : top + height]
        yield (np.where(octagon[..., None], picture, 0.01) * 255 + 0.5).astype(np.uint8)


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
    """Render and encode a film (H.264, MP4).

    Raises:
        RecordingError: nothing can be written there.
    """
    frames = round(options.seconds * options.rate_hz)
    info = SourceInfo(
        name=path.name,
        width=options.size,
        height=options.height,
        duration_s=options.seconds,
        frame_rate_hz=float(options.rate_hz),
        frame_count=frames,
        is_live=False,
        decoder="simulated",
        time_base=Fraction(1, options.rate_hz),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with OverlayVideo(path, info, quality=25) as video:
        for number, picture in enumerate(tqdm(film(options), total=frames, unit="frame")):
            video.write_image(picture, number / options.rate_hz)
    return path
