"""What the window shows is what was decoded: pixel by pixel, except where folds are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.session import Session
from app.widgets.video_view import EDGE_PX, STROKE_PX, OverlayLook, VideoView
from engine.analyser import open_analyser
from engine.sources import open_source
from engine.types import FoldInstance, Frame, Mask
from tests.app.pictures import PATIENCE_MS, pixels
from tests.clips import B_FRAMES, TEN_BIT, UNEVEN, Clip, write_clip
from tests.fakes import brightness_bundle

_REACH_PX = STROKE_PX / 2 + EDGE_PX + 1 + 0.75
"""How far from an outline its stroke, its dark edge and their smoothing reach; and how far the
line that this test draws on whole pixels lies off."""
CLIPS = {
    "B-frames": B_FRAMES,
    "10 bit": TEN_BIT,
    "variable rate": UNEVEN,
    "large": Clip((642, 480)),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return brightness_bundle(tmp_path_factory.mktemp("bundle")).path


class Screening:
    """A real session whose pictures go to a view of their own size, 1:1."""

    def __init__(self, path: Path, bundle: Path, qtbot: QtBot) -> None:
        self.decoded = _every_frame(path)
        self.view = VideoView()
        qtbot.addWidget(self.view)
        height, width = self.decoded[0].image.shape[:2]
        self.view.setMinimumSize(1, 1)
        self.view.resize(width, height)
        self.session = Session(open_source, partial(open_analyser, bundle, "openvino"))
        self.session.open(path)
        assert self.session.wait_until_open(PATIENCE_MS / 1e3)
        self.session.pause()
        self._qtbot = qtbot

    def show(self, frame: Frame) -> None:
        """Step to a frame and wait for its folds."""
        self.session.seek(frame.pts_s)

        def is_there() -> bool:
            screen = self.session.tick()
            self.view.show_picture(screen.frame, screen.analysis, screen.tracked)
            analysis = self.view.analysis
            return analysis is not None and analysis.frame.pts_s == frame.pts_s

        self._qtbot.waitUntil(is_there, timeout=PATIENCE_MS)

    @property
    def folds(self) -> tuple[FoldInstance, ...]:
        assert self.view.analysis is not None
        return self.view.analysis.folds


Open = Callable[[str], Screening]


@pytest.fixture
def screen(tmp_path: Path, bundle: Path, qtbot: QtBot) -> Iterator[Open]:
    opened: list[Screening] = []

    def make(name: str) -> Screening:
        path = write_clip(tmp_path / f"{name}.mkv", CLIPS[name])
        opened.append(Screening(path, bundle, qtbot))
        return opened[-1]

    yield make
    for each in opened:
        assert each.session.close()


def _every_frame(path: Path) -> list[Frame]:
    source = open_source(path)
    frames = []
    while (frame := source.read()) is not None:
        frames.append(frame)
    return frames


def _drawable(shape: tuple[int, ...], folds: tuple[FoldInstance, ...], *, is_filled: bool) -> Mask:
    """(H, W), true where a fold may change the picture."""
    margin = 8  # outlines run along the rim of the picture, or just outside
    drawn = np.zeros((shape[0] + 2 * margin, shape[1] + 2 * margin), np.uint8)
    inside = np.zeros_like(drawn)
    for fold in folds:
        lines = [np.round((line + margin) * 16).astype(np.int32) for line in fold.outlines]
        cv2.polylines(drawn, lines, True, 1, 1, cv2.LINE_8, 4)
        if is_filled:
            cv2.fillPoly(inside, lines, 1, cv2.LINE_8, 4)
    near = cv2.distanceTransform(1 - drawn, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= _REACH_PX
    allowed = near | (inside > 0)
    return np.asarray(allowed[margin:-margin, margin:-margin])


@pytest.mark.parametrize("name", CLIPS)
def test_with_the_overlay_off_every_pixel_is_the_decoded_one(screen: Open, name: str) -> None:
    screening = screen(name)
    screening.view.set_look(OverlayLook(is_on=False))
    for frame in screening.decoded[::4]:
        screening.show(frame)
        assert len(screening.folds) > 0
        assert np.array_equal(pixels(screening.view), frame.image)


@pytest.mark.parametrize("is_filled", [True, False])
@pytest.mark.parametrize("name", CLIPS)
def test_with_the_overlay_on_pixels_differ_only_where_folds_are_drawn(
    screen: Open, name: str, is_filled: bool
) -> None:
    screening = screen(name)
    screening.view.set_look(OverlayLook(is_filled=is_filled))
    for frame in screening.decoded[::6]:
        screening.show(frame)
        changed = (pixels(screening.view) != frame.image).any(axis=2)
        drawable = _drawable(changed.shape, screening.folds, is_filled=is_filled)
        assert changed.any()
        assert not (changed & ~drawable).any()
