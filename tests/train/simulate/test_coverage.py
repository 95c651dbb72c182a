"""What was seen of a straight tube with one ring."""

from pathlib import Path

import numpy as np
import pytest

from tests.train.simulate.test_curvature import ring, tube_with
from train.simulate.coverage import Coverage, WallBehind, faces_behind, seen_behind, wall_behind
from train.simulate.hits import Hits


def hits(faces: list[int], distances: list[float]) -> Hits:
    face = np.array(faces, np.int32)
    none = np.zeros((len(face), 3))
    return Hits(
        (1, len(face)), np.arange(len(face)), face, none.astype(np.int32),
        none.astype(np.float32), np.array(distances, np.float32),
    )  # fmt: skip


def test_the_first_frame_the_nearest_and_the_best_angle_are_kept() -> None:
    coverage = Coverage.none(4)
    coverage.add(0, hits([1, 1, 2], [20, 18, 30]), np.array([0.3, 0.2, 0.9], np.float32))
    coverage.add(5, hits([2, 3], [12, 40]), np.array([0.5, 0.1], np.float32))
    assert coverage.first_seen.tolist() == [-1, 0, 0, 5]
    assert coverage.nearest_mm.tolist() == [np.inf, 18, 12, 40]
    assert coverage.best_cosine == pytest.approx([0, 0.3, 0.9, 0.1])


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    coverage = Coverage.none(3)
    coverage.save(tmp_path / "coverage.npz")
    assert np.load(tmp_path / "coverage.npz")["first_seen"].tolist() == [-1, -1, -1]


def test_behind_a_ring_lies_the_wall_of_greater_arc_length() -> None:
    tube = tube_with(ring)
    folds = (np.abs(tube.vertices[:, 2] - 45) < 2).astype(np.int64)
    coverage = Coverage.none(len(tube.faces))
    middle = tube.vertices[tube.faces].mean(axis=1)
    coverage.first_seen[middle[:, 2] < 45] = 0
    behind = wall_behind(tube, folds, coverage)
    assert [each.clock for each in behind] == list(range(1, 13))
    assert max(each.seen_share for each in behind) < 0.1
    # A twelfth of 2π · 20 mm · 15 mm, and more because the ring's own flank belongs to it.
    assert min(each.area_mm2 for each in behind) > 2 * np.pi * 20 * 15 / 12 * 0.9


def test_half_of_what_lies_behind_is_half() -> None:
    tube = tube_with(ring)
    folds = (np.abs(tube.vertices[:, 2] - 45) < 2).astype(np.int64)
    coverage = Coverage.none(len(tube.faces))
    middle = tube.vertices[tube.faces].mean(axis=1)
    coverage.first_seen[middle[:, 0] > 0] = 0
    shares = [each.seen_share for each in wall_behind(tube, folds, coverage)]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.03)


def test_what_was_seen_behind_a_fold_grows_with_the_frames() -> None:
    walls = [
        WallBehind(7, 1, np.array([0, 1]), np.array([3.0, 1.0])),
        WallBehind(7, 2, np.array([2]), np.array([4.0])),
        WallBehind(9, 2, np.array([3]), np.array([5.0])),
    ]
    coverage = Coverage.none(4)
    coverage.first_seen[:3] = [0, 2, 1]
    folds, share = seen_behind(walls, coverage, 4)
    assert folds == [7, 9]
    assert share[:, 0] == pytest.approx([3 / 8, 7 / 8, 1, 1])
    assert share[:, 1].tolist() == [0, 0, 0, 0]


def test_in_the_end_as_much_was_seen_as_the_sectors_say() -> None:
    tube = tube_with(ring)
    folds = (np.abs(tube.vertices[:, 2] - 45) < 2).astype(np.int64)
    coverage = Coverage.none(len(tube.faces))
    coverage.first_seen[::3] = 5
    sectors = wall_behind(tube, folds, coverage)
    seen = sum(each.area_mm2 * each.seen_share for each in sectors)
    _, share = seen_behind(faces_behind(tube, folds), coverage, 6)
    assert share[-1, 0] == pytest.approx(seen / sum(each.area_mm2 for each in sectors), abs=1e-3)
    assert share[4, 0] == 0


def test_many_pixels_of_many_frames_add_up_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    coverage, nearest = Coverage.none(50), np.full(50, np.inf, np.float32)
    best, first = np.zeros(50, np.float32), np.full(50, -1)
    for number in range(4):
        face = rng.integers(0, 50, 40).astype(np.int32)
        distance, cosine = rng.random((2, 40), np.float32)
        coverage.add(number, hits(face.tolist(), distance.tolist()), cosine)
        np.minimum.at(nearest, face, distance)
        np.maximum.at(best, face, cosine)
        first[face[first[face] < 0]] = number
    assert np.array_equal(coverage.nearest_mm, nearest)
    assert np.array_equal(coverage.best_cosine, best)
    assert np.array_equal(coverage.first_seen, first)
