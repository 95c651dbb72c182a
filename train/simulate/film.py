"""A simulated examination as a video, with what is true in it beside it.

One colon, one look, one camera path (`train.simulate.examination`). `engine.truth` reads the file
of folds, poses, phases and coverage that lies beside the video.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from engine.recorder import OverlayVideo
from engine.sources import SourceInfo
from engine.truth import truth_path
from engine.types import Image
from train.sheets import save_picture
from train.simulate.anatomy import ColonShape, draw_shape, grow_colon
from train.simulate.camera import Fisheye
from train.simulate.coverage import faces_behind, seen_behind
from train.simulate.curvature import label_crests
from train.simulate.dataset import GeometryFrame
from train.simulate.examination import SEGMENT_OF, ExaminationOptions, examination
from train.simulate.itinerary import draw_itinerary, typical_frames
from train.simulate.looks.mucosa import MucosaLook
from train.simulate.looks.rich import draw_rich
from train.simulate.motion import Motion
from train.simulate.render import Photographer, StageTimes
from train.simulate.screen import Outline, Screen
from train.simulate.steering import Phase
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
    anatomy: str = "stretch"
    """Of colon, or a `whole` one: a whole examination of that takes a quarter of an hour."""
    motion: bool = False
    """It breathes and clenches."""
    anatomy_seed: int = 11
    look_seed: int = 33
    """Of patient and endoscope."""
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
        anatomy_rng = np.random.default_rng(options.anatomy_seed)
        tube = self.tube = grow_colon(anatomy_rng, _shape(options, anatomy_rng))
        crest = label_crests(tube)
        clip = ExaminationOptions(options.kind, options.seconds, options.start, options.rate_hz)
        path_rng = np.random.default_rng(options.path_seed)
        self._motion = Motion.draw(path_rng, tube) if options.motion else None
        self.examined = examination(tube, crest.inside, path_rng, clip, self._motion)
        self._walls = faces_behind(tube, crest.inside)
        self._camera = Fisheye.colonoscope(options.size, float(np.radians(68)))
        self._photographer = Photographer(tube, crest, self._camera)
        self._look = film_look(options)

    def __len__(self) -> int:
        return len(self.examined.time_s)

    def shots(self) -> Iterator[Shot]:
        """Every frame, in order."""
        height = self._options.height
        top = (self._options.size - height) // 2
        inside = np.s_[top : top + height]
        for number, pose in enumerate(self.examined.poses):
            if self._motion is not None:
                time_s = float(self.examined.time_s[number])
                self._photographer.move(self._motion.vertices(time_s))
            view = self._photographer.take(number, pose, StageTimes())
            frame = GeometryFrame.of(view, pose, self._camera)
            rng = np.random.default_rng([self._options.look_seed, number])
            shown = self._look.render(frame, rng)
            yield Shot(
                float(self.examined.time_s[number]),
                shown.image[inside],
                (view.instances * shown.valid)[inside],
            )

    def seen_behind(self) -> tuple[list[int], NDArray[np.float32]]:
        """Folds (k), and the share (n, k) of the wall behind each seen in the shots so far."""
        return seen_behind(self._walls, self._photographer.coverage, len(self))


def _shape(options: FilmOptions, rng: np.random.Generator) -> ColonShape:
    """A colon, or a stretch of one where what is filmed can be seen."""
    for phase, segment in SEGMENT_OF.items():
        if options.kind == phase and options.anatomy == "stretch":
            return ColonShape.of(segment, rng)
    return draw_shape(options.anatomy, rng)


def film_look(options: FilmOptions) -> MucosaLook:
    """A rich look with nothing before the lens, in an octagon as wide and as high as the film."""
    drawn = draw_rich(np.random.default_rng(options.look_seed))
    outline = Outline(options.size / options.height, (0.17, 0.2))
    file = replace(drawn.processor, motion=0.0, quality=0)
    return replace(drawn, covers=(), screen=Screen(outline), processor=file)


def save_film(path: Path, options: FilmOptions, itinerary: Path | None = None) -> Path:
    """Render and encode a film (H.264, MP4), and write its truth beside it.

    Args:
        path: of the video.
        options: what to film.
        itinerary: of a picture of the way, a view of each phase below it.

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
        typical = {frame: phase for phase, frame in typical_frames(film.examined).items()}
        views: dict[Phase, Image] = {}
        for number, shot in enumerate(tqdm(film.shots(), total=len(film), unit="frame")):
            video.write_image(shot.picture, shot.time_s)
            truth.add(shot.instances)
            if number in typical:
                views[typical[number]] = shot.picture
        about = {
            "video": {"width": options.size, "height": options.height, "rate_hz": options.rate_hz},
            "kind": options.kind,
            "anatomy_seed": options.anatomy_seed,
        }
        truth.finish(film.examined, film.seen_behind(), about)
    if itinerary is not None:
        save_picture(itinerary, draw_itinerary(film.tube, film.examined, views))
    return path
