"""Motion of a hose along z, by hand."""

import numpy as np
import pytest

from train.simulate.motion import TIGHTEST, Breathing, Motion, Peristalsis
from train.simulate.tube import AnalyticFolds, Segment, SegmentSpan, Tube

STILL = Peristalsis(tightness=0.0, width_mm=20, distance_mm=160, speed_mm_s=10, offset_mm=0)
HELD = Breathing(reach_mm=0.0, forward=0.3, period_s=4.0)


@pytest.fixture(scope="module")
def hose() -> Tube:
    """A hose of 20 mm radius from z = 0 to 500 in the body's frame, a ring every 5 mm."""
    z, theta = np.arange(0.0, 501, 5), np.arange(24) * np.pi / 12
    x, y = (np.tile(20 * f(theta), (len(z), 1)) for f in (np.cos, np.sin))
    vertices = np.stack([x, y, np.repeat(z[:, None], 24, axis=1)], axis=-1).reshape(-1, 3)
    line = np.stack([np.zeros(501), np.zeros(501), np.arange(501.0)], axis=1)
    n = len(vertices)
    return Tube(
        vertices, np.zeros((0, 3), np.int64), line, np.full(501, 20.0), np.zeros(n, np.uint8),
        AnalyticFolds.none(n), (SegmentSpan(Segment.DESCENDING, 0.0, 500.0),),
    )  # fmt: skip


def test_at_strength_0_nothing_ever_moves(hose: Tube) -> None:
    motion = Motion.draw(np.random.default_rng(1), hose, strength=0.0)
    assert np.array_equal(motion.vertices(1.7), hose.vertices)
    assert np.array_equal(motion.centreline(1.7), hose.centreline)


def test_breathing_in_carries_what_is_below_the_diaphragm_down_and_to_the_front(
    hose: Tube,
) -> None:
    motion = Motion(hose, Breathing(reach_mm=10.0, forward=0.3, period_s=4.0), STILL)
    moved = motion.centreline(2.0) - hose.centreline
    assert moved[450] == pytest.approx([0, 3, -10])
    assert moved[260] == pytest.approx([0, 1.5, -5])  # half-way up: half as far
    assert moved[60] == pytest.approx([0, 0, 0])
    assert motion.centreline(4.0) == pytest.approx(hose.centreline)


def test_breathing_never_carries_anything_through_anything(hose: Tube) -> None:
    motion = Motion(hose, Breathing(reach_mm=16.0, forward=0.4, period_s=4.0), STILL)
    assert np.diff(motion.centreline(2.0)[:, 2]).min() > 0.9


def test_a_ring_takes_its_share_of_the_radius_and_travels(hose: Tube) -> None:
    rings = Peristalsis(tightness=0.4, width_mm=20, distance_mm=400, speed_mm_s=25, offset_mm=200)
    motion = Motion(hose, HELD, rings)
    radius = np.hypot(*motion.vertices(2.0)[:, :2].T).reshape(-1, 24)
    assert radius[50] == pytest.approx(np.full(24, 12.0))  # 200 + 2 · 25 = 250 mm
    assert radius[54] == pytest.approx(np.full(24, 20 * (1 - 0.4 / np.e)))  # one width away
    assert radius[10] == pytest.approx(np.full(24, 20.0), abs=0.1)


def test_the_lumen_never_collapses(hose: Tube) -> None:
    for seed in range(8):
        motion = Motion.draw(np.random.default_rng(seed), hose)
        for time_s in (0.0, 1.3, 7.9):
            across = motion.vertices(time_s) - np.repeat(motion.centreline(time_s)[::5], 24, axis=0)
            assert np.linalg.norm(across, axis=1).min() >= 20 * (1 - TIGHTEST) - 1e-6


def test_motion_is_smooth_in_time(hose: Tube) -> None:
    motion = Motion.draw(np.random.default_rng(3), hose)
    places = np.stack([motion.vertices(t) for t in np.arange(0, 2, 0.02)])
    assert np.linalg.norm(np.diff(places, axis=0), axis=2).max() < 1.2  # mm in 20 ms
    assert np.linalg.norm(np.diff(places, 2, axis=0), axis=2).max() < 0.1


def test_the_ends_stay_as_wide_as_they_are(hose: Tube) -> None:
    motion = Motion.draw(np.random.default_rng(3), hose)
    assert np.hypot(*motion.vertices(5.0)[:24, :2].T) == pytest.approx(np.full(24, 20.0))
