"""Identity over time, on moving shapes over a moving texture."""

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.tracker import Tracker, TrackerOptions, outline_around
from engine.types import FoldInstance, Frame

TEXTURE = cv2.GaussianBlur(
    np.random.default_rng(1).integers(0, 255, (400, 600, 3)).astype(np.uint8), (0, 0), 3
)
TEXTURE = cv2.normalize(TEXTURE, None, 0, 255, cv2.NORM_MINMAX)


def view(index: int, shift: int = 0, zoom: float = 1.0) -> Frame:
    picture = cv2.resize(TEXTURE[50:290, 100 + shift : 420 + shift], None, fx=zoom, fy=zoom)
    return Frame(index, index * 0.02, 0.0, picture[:240, :320])


def rectangle(x: float, y: float, width: float, height: float) -> np.ndarray:
    """A point every four pixels or so, as an outline from a mask has them."""
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height), (0, 0)], np.float32)
    sides = [np.linspace(a, b, 20, endpoint=False) for a, b in itertools.pairwise(corners)]
    return (np.concatenate(sides) + np.array([x, y])).astype(np.float32)


def band(x: float, y: float, width: float = 120, score: float = 0.9) -> FoldInstance:
    return FoldInstance(1, 0, rectangle(x, y, width, 14), width * 14, score)


def scaled(fold: FoldInstance, zoom: float) -> FoldInstance:
    return replace(fold, contour=fold.contour * np.float32(zoom), area_px=fold.area_px * zoom**2)


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


def blob_view(index: int) -> Frame:
    """A picture without texture, so that only the folds say what moves."""
    return Frame(index, index * 0.02, 0.0, np.full((240, 320, 3), 90, np.uint8))


def test_a_fold_keeps_its_number_while_the_camera_approaches() -> None:
    tracker = Tracker()
    found = []
    for i in range(12):
        zoom = 1.0 + 0.04 * i
        picture = cv2.resize(TEXTURE, None, fx=zoom, fy=zoom)[:240, :320]
        folds = (scaled(band(100, 40), zoom), scaled(band(100, 70), zoom))
        found.append(tracks(tracker.update(Frame(i, i * 0.02, 0.0, picture), folds)))
    assert found == [[1, 2]] * 12


def broad(x: float, y: float) -> FoldInstance:
    return FoldInstance(1, 0, rectangle(x, y, 120, 40), 120 * 40, 0.9)


def folds_view(index: int, *places: tuple[int, int]) -> Frame:
    """The texture with folds of other textures at `places` (x, y), later ones in front."""
    picture = TEXTURE[:240, :320] // 3
    for number, (x, y) in enumerate(places):
        piece = TEXTURE[200 + 60 * number :, 300:][:40, :120]
        picture[y : y + 40, x : x + 120] = 110 + 50 * number + piece // 4
    return Frame(index, index * 0.02, 0.0, picture)


def test_a_fold_that_another_one_hides_for_a_moment_keeps_its_number() -> None:
    tracker = Tracker()
    found = {}
    for i in range(20):
        y = 50 + 4 * min(i, 19 - i)  # the near one comes, covers the far one, and goes
        is_hidden = abs(y - 90) < 20
        folds = (broad(50, y),) if is_hidden else (broad(50, y), broad(50, 90))
        found[i] = tracks(tracker.update(folds_view(i, (50, 90), (50, y)), folds))
    assert [1] in found.values()
    assert all(numbers in ([1, 2], [1]) for numbers in found.values())


def test_two_folds_that_merge_and_part_again_keep_their_numbers() -> None:
    tracker = Tracker()
    apart = (band(20, 100, width=130), band(170, 100, width=90))
    merged = (band(20, 100, width=240),)
    seen = [apart] * 4 + [merged] * 4 + [apart] * 4
    found = [tracks(tracker.update(blob_view(i), folds)) for i, folds in enumerate(seen)]
    assert found == [[1, 2]] * 4 + [[1]] * 4 + [[1, 2]] * 4


def test_where_folds_merge_the_one_seen_most_gives_its_number() -> None:
    tracker = Tracker()
    known, larger = band(20, 100, width=90), band(130, 100, width=130)
    for i in range(5):
        tracker.update(blob_view(i), (known,))
    tracker.update(blob_view(5), (known, larger))
    assert tracks(tracker.update(blob_view(6), (band(20, 100, width=240),))) == [1]


def test_a_fold_that_comes_and_goes_in_parts_keeps_its_number_when_whole() -> None:
    tracker = Tracker()
    whole = (band(20, 100, width=240),)
    parts = (band(20, 100, width=90), band(130, 100, width=130))
    seen = [whole] * 4 + [parts] * 6 + [whole] * 3 + [parts] * 2 + [whole]
    found = [tracks(tracker.update(blob_view(i), folds)) for i, folds in enumerate(seen)]
    assert all(1 in numbers for numbers in found)
    assert found[-1] == [1]


def test_when_a_merger_lasted_the_larger_part_keeps_its_number() -> None:
    tracker = Tracker()
    smaller, larger = band(20, 100, width=100), band(130, 100, width=130)
    for i in range(5):
        tracker.update(blob_view(i), (smaller, larger))
    for i in range(5, 80):
        assert tracks(tracker.update(blob_view(i), (band(20, 100, width=240),))) == [2]
    assert tracks(tracker.update(blob_view(80), (smaller, larger)))[1] == 2


def test_parts_of_a_fold_share_its_number_for_a_moment_then_the_largest_keeps_it() -> None:
    tracker = Tracker()
    tracker.update(blob_view(0), (band(20, 100, width=240),))
    parts = (band(20, 100, width=110), band(142, 100, width=118))
    found = [tracks(tracker.update(blob_view(i), parts)) for i in range(1, 20)]
    assert found[:10] == [[1, 1]] * 10
    assert found[-1] == [2, 1]


def test_a_part_taken_for_a_fold_of_its_own_does_not_take_the_rest_from_the_fold() -> None:
    tracker = Tracker()
    for i in range(30):
        tracker.update(blob_view(i), (band(20, 100, width=240),))
    # For a moment a piece stands a little off: a new fold, it seems.
    tracker.update(blob_view(30), (band(20, 100, width=240), band(20, 116, width=120)))
    parts = (band(20, 102, width=150), band(190, 100, width=70))
    assert tracks(tracker.update(blob_view(31), parts)) == [1, 1]


def test_sparse_stills_are_followed_from_one_to_the_next() -> None:
    tracker = Tracker()
    for i in range(3):
        frame = Frame(i, float(i), 0.0, blob_view(0).image)
        assert tracks(tracker.update(frame, (band(50, 100 + 3 * i),))) == [1]


def test_the_same_video_gives_the_same_numbers() -> None:
    rng = np.random.default_rng(3)
    seen = [
        tuple(band(*rng.integers(0, 180, 2)) for _ in range(rng.integers(0, 6))) for _ in range(15)
    ]
    first, second = (
        [tracks(tracker.update(view(i, 2 * i), folds)) for i, folds in enumerate(seen)]
        for tracker in (Tracker(), Tracker())
    )
    assert first == second


@pytest.mark.parametrize("size", [(1, 1), (7, 300)])
def test_a_tiny_picture_is_no_problem(size: tuple[int, int]) -> None:
    frame = Frame(0, 0.0, 0.0, np.zeros((*size, 3), np.uint8))
    tracker = Tracker()
    tracker.update(frame, (band(0, 0),))
    assert tracks(tracker.update(frame, (band(0, 0),))) == [1]


def test_a_change_of_picture_size_is_no_problem() -> None:
    tracker = Tracker()
    tracker.update(view(0), (band(50, 40),))
    small = Frame(1, 0.02, 0.0, np.zeros((100, 60, 3), np.uint8))
    assert len(tracker.update(small, (band(5, 4),))) == 1


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
    for i in range(1, 60):
        tracker.update(view(i), ())
    assert tracks(tracker.update(view(60), (band(150, 100),))) == [2]


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


def test_a_new_fold_does_not_look_like_one_in_view() -> None:
    tracker = Tracker(TrackerOptions(memory_s=0.01))
    first, second = band(50, 20), band(50, 60)
    tracker.update(blob_view(0), (first, second))
    for index in range(1, 4):
        tracker.update(blob_view(10 * index), (first, second, band(50, 100)))
        tracker.update(blob_view(10 * index + 5), (first, second))
    # Numbers 3, 4 and 5 are gone; 6 and 7 would be painted like 1 and 2.
    assert tracks(tracker.update(blob_view(100), (first, second, band(50, 160)))) == [1, 2, 8]


def test_with_more_folds_than_colours_numbers_just_go_on() -> None:
    folds = tuple(band(50, 20 + 30 * i) for i in range(7))
    assert tracks(Tracker().update(blob_view(0), folds)) == [1, 2, 3, 4, 5, 6, 7]


def foreseen(tracker: Tracker, frame: Frame) -> tuple[FoldInstance, ...]:
    ahead = tracker.foreseen(frame)
    assert ahead is not None
    return ahead.folds


def test_what_is_foreseen_tells_in_which_frame_it_was_found() -> None:
    tracker, found, later = Tracker(), view(0), view(3)
    tracker.update(found, (band(50, 40),))
    ahead = tracker.foreseen(later)
    assert ahead is not None
    assert (ahead.frame, ahead.found_in) == (later, found)


def test_a_fold_is_foreseen_where_the_camera_has_carried_it() -> None:
    tracker = Tracker()
    for i in range(4):
        tracker.update(view(i, 4 * i), (band(150 - 4 * i, 100),))
    (fold,) = foreseen(tracker, view(5, 20))
    assert fold.track == 1
    assert fold.contour == pytest.approx(band(130, 100).contour, abs=1.0)


def test_a_fold_is_foreseen_where_it_moved_by_itself() -> None:
    tracker = Tracker()
    tracker.update(folds_view(0, (50, 60)), (broad(50, 60),))
    (fold,) = foreseen(tracker, folds_view(1, (50, 64)))
    assert fold.contour == pytest.approx(broad(50, 64).contour, abs=2.0)


def test_an_update_without_folds_foresees_none() -> None:
    tracker = Tracker()
    tracker.update(view(0), ())
    assert foreseen(tracker, view(1)) == ()


def test_a_ring_is_foreseen_with_its_hole_and_a_larger_area() -> None:
    tracker = Tracker()
    ring = replace(band(100, 60), holes=(band(110, 64, width=60).contour,))
    tracker.update(view(0), (ring,))
    closer = cv2.resize(TEXTURE[50:290, 100:420], None, fx=1.1, fy=1.1)[:240, :320]
    (fold,) = foreseen(tracker, Frame(1, 0.02, 0.0, closer))
    assert fold.area_px == pytest.approx(ring.area_px * 1.21, rel=0.02)
    assert fold.holes[0] == pytest.approx(ring.holes[0] * 1.1, abs=1.5)


def test_foreseeing_teaches_the_tracker_nothing() -> None:
    def numbers(is_asked: bool) -> list[list[int]]:
        tracker = Tracker()
        found = []
        for i in range(6):
            found.append(tracks(tracker.update(view(i, 6 * i), (band(150 - 6 * i, 100),))))
            if is_asked:
                tracker.foreseen(view(i + 40, 240))
        return found

    assert numbers(True) == numbers(False)


def test_nothing_is_foreseen_without_a_past_or_in_another_one() -> None:
    tracker = Tracker()
    assert tracker.foreseen(view(0)) is None
    tracker.update(view(5), (band(50, 40),))
    assert tracker.foreseen(view(4)) is None
    assert tracker.foreseen(Frame(6, 0.12, 0.0, np.zeros((100, 60, 3), np.uint8))) is None
    tracker.reset()
    assert tracker.foreseen(view(6)) is None


def broken_band(x: float, y: float) -> FoldInstance:
    """A band of two parts with a gap of 30 pixels."""
    fold = band(x, y, width=60)
    return replace(fold, parts=(rectangle(x + 90, y, 60, 14),), area_px=2 * fold.area_px)


def test_one_outline_goes_around_all_parts() -> None:
    around = outline_around(broken_band(100, 60))
    assert cv2.contourArea(around) == pytest.approx(2 * 60 * 14)
    assert (around.min(axis=0).tolist(), around.max(axis=0).tolist()) == ([100, 60], [250, 74])
    whole = band(100, 60)
    assert outline_around(whole) is whole.contour


def test_a_fold_that_is_interrupted_for_a_while_keeps_its_number() -> None:
    tracker = Tracker()
    for i in range(10):
        assert tracks(tracker.update(blob_view(i), (band(100, 60, width=150),))) == [1]
    for i in range(10, 30):
        assert tracks(tracker.update(blob_view(i), (broken_band(100, 60),))) == [1]
    for i in range(30, 40):
        assert tracks(tracker.update(blob_view(i), (band(100, 60, width=150),))) == [1]


def test_parts_are_carried_along() -> None:
    tracker = Tracker()
    tracker.update(view(0), (broken_band(100, 60),))
    (fold,) = foreseen(tracker, view(1, 4))
    assert fold.parts[0] == pytest.approx(broken_band(96, 60).parts[0], abs=1.5)
