from __future__ import annotations

import sys

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from pytestqt.qtbot import QtBot

from app.widgets.video_view import FAINT, OverlayLook, VideoView
from engine.overlay import EDGE, colour_of
from engine.types import Frame, TrackedFolds, read_only
from tests.app.pictures import analysis_of, noise_frame, pixels, square

_HIDDEN = OverlayLook(is_on=False)
_OUTLINED = OverlayLook(is_filled=False)


@pytest.fixture
def view(qtbot: QtBot) -> VideoView:
    made = VideoView()
    qtbot.addWidget(made)
    made.resize(320, 240)
    return made


def test_with_the_overlay_off_the_picture_equals_the_decoded_one(view: VideoView) -> None:
    frame = noise_frame()
    view.set_look(_HIDDEN)
    view.show_picture(frame, analysis_of(frame, square(1, 50, 150)))
    assert np.array_equal(pixels(view), frame.image)


@pytest.mark.parametrize(("fades", "expected"), [(True, 0.8 * FAINT), (False, 0.8)])
def test_folds_are_faint_where_little_can_be_seen_unless_told_otherwise(
    view: VideoView, fades: bool, expected: float
) -> None:
    view.set_look(OverlayLook(opacity=0.8, fades=fades))
    assert view.overlay_opacity == 0.8
    view.set_clear(is_clear=False)
    assert view.overlay_opacity == pytest.approx(expected)


def test_rows_with_padding_are_shown_like_any_other(view: VideoView) -> None:
    padded = np.random.default_rng(1).integers(0, 256, (240, 336, 3), np.uint8)
    frame = Frame(0, 0.0, 0.0, read_only(padded[:, :320]))
    view.show_picture(frame, None)
    assert np.array_equal(pixels(view), frame.image)


def test_without_folds_the_picture_equals_the_decoded_one(view: VideoView) -> None:
    frame = noise_frame()
    view.show_picture(frame, analysis_of(frame))
    assert np.array_equal(pixels(view), frame.image)


def test_an_outline_changes_only_pixels_near_the_stroke(view: VideoView) -> None:
    frame = noise_frame()
    view.set_look(_OUTLINED)
    view.show_picture(frame, analysis_of(frame, square(1, 50, 150)))
    changed_y, changed_x = np.nonzero((pixels(view) != frame.image).any(axis=2))
    off_x = np.minimum(np.abs(changed_x - 50), np.abs(changed_x - 150))
    off_y = np.minimum(np.abs(changed_y - 50), np.abs(changed_y - 150))
    assert changed_x.size > 4 * 100
    assert np.minimum(off_x, off_y).max() <= 3


def test_a_stroke_has_the_colour_of_its_track(view: VideoView) -> None:
    frame = noise_frame()
    view.set_look(_OUTLINED)
    view.show_picture(frame, analysis_of(frame, square(3, 50, 150)))
    assert tuple(pixels(view)[50, 100]) == colour_of(3)


def test_a_fill_lets_at_least_three_quarters_of_the_picture_through(view: VideoView) -> None:
    image = read_only(np.zeros((240, 320, 3), np.uint8))
    frame = Frame(0, 0.0, 0.0, image)
    view.show_picture(frame, analysis_of(frame, square(1, 50, 150)))
    assert (pixels(view)[100, 100] <= 0.26 * np.array(colour_of(1))).all()


def test_half_opacity_paints_fainter_strokes(view: VideoView) -> None:
    frame = Frame(0, 0.0, 0.0, read_only(np.zeros((240, 320, 3), np.uint8)))
    view.set_look(OverlayLook(is_filled=False, opacity=0.5))
    view.show_picture(frame, analysis_of(frame, square(1, 50, 150)))
    # Half of the stroke over half of its dark edge over black.
    expected = 0.5 * np.array(colour_of(1)) + 0.25 * np.array(EDGE)
    assert np.allclose(pixels(view)[50, 100], expected, atol=3)


def test_folds_of_another_frame_are_never_painted(view: VideoView) -> None:
    frame, other = noise_frame(index=0), noise_frame(index=1)
    view.show_picture(frame, analysis_of(other, square(1, 50, 150)))
    assert np.array_equal(pixels(view), frame.image)


def test_folds_moved_to_this_frame_are_painted(view: VideoView) -> None:
    earlier, frame = noise_frame(index=0), noise_frame(index=1)
    view.show_picture(frame, None, TrackedFolds((square(3, 50, 150),), frame, earlier))
    assert tuple(pixels(view)[50, 100]) == colour_of(3)


def test_folds_moved_to_another_frame_are_never_painted(view: VideoView) -> None:
    earlier, frame = noise_frame(index=0), noise_frame(index=1)
    view.show_picture(frame, None, TrackedFolds((square(3, 50, 150),), earlier, earlier))
    assert np.array_equal(pixels(view), frame.image)


@pytest.mark.parametrize(
    ("width", "height"), [(641, 479), (1, 1), (3840, 2160), (200, 900), (1280, 720)]
)
def test_a_picture_of_any_size_is_centred_with_its_aspect_kept(
    view: VideoView, width: int, height: int
) -> None:
    view.show_picture(noise_frame(width, height), None)
    rect = view.picture_rect()
    assert rect.width() / rect.height() == pytest.approx(width / height, rel=0.02)
    assert abs(rect.center().x() - 160) <= 1
    assert abs(rect.center().y() - 120) <= 1


def test_a_fold_follows_the_picture_when_it_is_scaled(view: VideoView) -> None:
    frame = Frame(0, 0.0, 0.0, read_only(np.zeros((480, 640, 3), np.uint8)))
    view.set_look(_OUTLINED)
    view.show_picture(frame, analysis_of(frame, square(1, 100, 300)))
    assert tuple(pixels(view)[50, 100]) == colour_of(1)


def test_a_scaled_picture_has_the_colours_of_the_decoded_one(view: VideoView) -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, :320], image[:, 320:] = (200, 30, 90), (10, 220, 140)
    view.show_picture(Frame(0, 0.0, 0.0, read_only(image)), None)
    shown = pixels(view)
    assert tuple(shown[120, 80]) == (200, 30, 90)
    assert tuple(shown[120, 240]) == (10, 220, 140)


def test_a_scaled_picture_changes_with_the_frame(view: VideoView) -> None:
    for level in (50, 150):
        image = read_only(np.full((480, 640, 3), level, np.uint8))
        view.show_picture(Frame(level, 0.0, 0.0, image), None)
        assert tuple(pixels(view)[120, 80]) == (level, level, level)


def test_the_picture_is_not_copied(view: VideoView) -> None:
    frame = noise_frame()
    before = sys.getrefcount(frame)
    view.show_picture(frame, None)
    assert sys.getrefcount(frame) > before


def test_without_a_picture_the_message_stands_there(view: VideoView) -> None:
    view.set_message("Open a recording", "Ctrl+O")
    assert pixels(view).max() > 150


def test_a_painted_picture_is_logged_once(view: VideoView) -> None:
    view.show_picture(noise_frame(), None)
    pixels(view)
    pixels(view)
    assert view.log.series(1e12)[0].size + view.log.series(0.0)[0].size == 1


def test_a_dropped_file_is_reported(view: VideoView, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile("/somewhere/exam.mp4")])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    with qtbot.waitSignal(view.file_dropped, timeout=1000) as dropped:
        view.dropEvent(event)
    assert dropped.args == ["/somewhere/exam.mp4"]
