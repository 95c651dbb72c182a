"""Identity over time, on moving shapes over a moving texture."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.tracker import Tracker, TrackerOptions, camera_motion, overlaps
from engine.types import FoldInstance, Frame

TEXTURE = cv2.GaussianBlur(
    np.random.default_rng(1).integers(0, 255, (400, 600, 3)).astype(np.uint8), (0, 0), 3
)
TEXTURE = cv2.normalize(TEXTURE, None, 0, 255, cv2.NORM_MINMAX)


def view(index: int, shift: int = 0, zoom: float = 1.0) -> Frame:
    picture = cv2.resize(TEXTURE[50:290, 100 + shift : 420 + shift], None, fx=zoom, fy=zoom)
    return Frame(index, index * 0.02, 0.0, picture[:240, :320])


def band(x: float, y: float, width: float = 120, score: float = 0.9) -> FoldInstance:
    corners = [(x, y), (x + width, y), (x + width, y + 14), (x, y + 14)]
    return FoldInstance(1, 0, np.array(corners, np.float32), width * 14, score)


def tracks(folds: tuple[FoldInstance, ...]) -> list[int]:
    return [fold.track for fold in folds]


def test_numbers_start_at_one() -> None:
    assert tracks(Tracker().update(view(0), (band(50, 40), band(50, 150)))) == [1, 2]


@pytest.mark.parametrize("speed", [0, 2, 6, 10])
def test_a_fold_keeps_its_number_while_the_camera_pans(speed: int) -> None:
    tracker = Tracker()
    found = [
        tracks(tracker.update(view(i, i * speed), (band(150 - i * speed, 100),))) for i in range(12)
    ]
    assert found == [[1]] * 12


def test_two_close_folds_are_not_swapped_by_their_order() -> None:
    tracker = Tracker()
    tracker.update(view(0), (band(50, 80), band(50, 100)))
    assert tracks(tracker.update(view(1), (band(50, 101), band(50, 81)))) == [2, 1]


def test_a_short_loss_does_not_change_the_number() -> None:
    tracker = Tracker()
    tracker.update(view(0), (band(150, 100),))
    for i in range(1, 10):
        tracker.update(view(i, i * 4), ())
    assert tracks(tracker.update(view(10, 40), (band(110, 100),))) == [1]


def test_after_a_long_loss_the_number_is_new() -> None:
    tracker = Tracker()
    tracker.update(view(0), (band(150, 100),))
    for i in range(1, 30):
        tracker.update(view(i), ())
    assert tracks(tracker.update(view(30), (band(150, 100),))) == [2]


def test_after_a_reset_numbers_are_not_given_again() -> None:
    tracker = Tracker()
    tracker.update(view(0), (band(50, 40),))
    tracker.reset()
    assert tracks(tracker.update(view(1), (band(50, 40),))) == [2]


def test_an_uncertain_fold_needs_a_past() -> None:
    tracker = Tracker(TrackerOptions(new_score=0.6))
    assert tracker.update(view(0), (band(50, 40, score=0.5),)) == ()
    tracker.update(view(1), (band(50, 40, score=0.7),))
    assert tracks(tracker.update(view(2), (band(50, 40, score=0.5),))) == [1]


def test_everything_but_the_track_stays_as_it_was() -> None:
    fold = band(50, 40)
    (tracked,) = Tracker().update(view(0), (fold,))
    assert replace(tracked, track=0) is not fold
    assert np.array_equal(tracked.contour, fold.contour)


def test_motion_of_a_shifted_picture_is_the_shift() -> None:
    grey = cv2.cvtColor(TEXTURE, cv2.COLOR_RGB2GRAY)
    motion = camera_motion(grey[40:200, 40:240], grey[37:197, 45:245])
    assert motion == pytest.approx(np.array([[1, 0, -5], [0, 1, 3]]), abs=0.15)


def test_motion_without_texture_is_none() -> None:
    flat = np.full((100, 100), 80, np.uint8)
    assert np.array_equal(camera_motion(flat, flat), np.eye(2, 3))


def test_overlap_by_hand() -> None:
    before = np.array([[1, 1, 2, 2]], np.int32)
    after = np.array([[1, 1, 1, 0]], np.int32)
    # Label 1: shared 2, union 3, smaller 2. Label 2: shared 1, union 4, smaller 2.
    expected = [[0.5 * 2 / 3 + 0.5], [0.5 / 4 + 0.5 / 2]]
    assert overlaps(before, after, (2, 1)) == pytest.approx(np.array(expected))
