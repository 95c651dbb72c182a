"""Centrelines found in shapes whose middle is known, and read from files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from engine.errors import RecipeError
from tests.train.simulate.solids import bend, box, hose, scan
from train.simulate.anatomy import ColonShape, grow_colon
from train.simulate.centreline import (
    Course,
    centreline_file,
    count_crossings,
    find_centreline,
    read_centreline,
    space_evenly,
    write_centreline,
)
from train.simulate.surface import Surface, mend, read_surface

ROWS = "\n".join(f"{x} 0 5 12.5" for x in range(0, 100, 2))


def wall(mesh: trimesh.Trimesh) -> Surface:
    return mend(Surface("colon.ply", np.array(mesh.vertices), np.array(mesh.faces)))


@pytest.fixture(scope="module")
def straight() -> Course:
    return find_centreline(wall(hose(240, 20)))


@pytest.fixture(scope="module")
def bent() -> Course:
    return find_centreline(wall(bend(360, 80)))


def test_the_centreline_of_a_hose_is_its_axis(straight: Course) -> None:
    assert np.abs(straight.points[:, :2]).max() < 1.5


def test_it_reaches_from_end_to_end(straight: Course) -> None:
    z = straight.points[:, 2]
    assert z.min() < 30
    assert z.max() > 210


def test_it_starts_at_the_lower_end(straight: Course) -> None:
    assert straight.points[0, 2] < straight.points[-1, 2]


def test_its_points_are_a_millimetre_apart(straight: Course) -> None:
    steps = np.linalg.norm(np.diff(straight.points, axis=0), axis=1)
    assert steps == pytest.approx(1.0, abs=0.01)


def test_it_misses_nothing_of_a_hose(straight: Course) -> None:
    assert straight.missed == 0


def test_it_follows_a_bend(bent: Course) -> None:
    reach = np.hypot(bent.points[:, 0], bent.points[:, 2])
    # A shortest path leans to the inside of the bend, by less than a quarter of the radius here.
    assert np.abs(reach - 80).max() < 4.0


def test_its_length_is_that_of_the_arc_between_the_ends(bent: Course) -> None:
    x, _, z = bent.points.T
    angle = np.unwrap(np.arctan2(z, x))
    assert len(bent.points) == pytest.approx(80 * np.ptp(angle), rel=0.03)


def test_it_finds_the_middle_of_a_colon_with_folds() -> None:
    rng = np.random.default_rng(4)
    colon = grow_colon(rng, ColonShape.draw(rng, length=200.0), step_mm=1.0)
    found = find_centreline(mend(Surface("colon.ply", colon.vertices, colon.faces))).points
    assert np.median(cKDTree(colon.centreline).query(found)[0]) < 5.0
    assert cKDTree(found).query(colon.centreline)[0].max() < 30.0


@pytest.mark.parametrize(
    ("solid", "reason"),
    [
        (lambda: trimesh.creation.icosphere(subdivisions=3, radius=30), "not a tube"),
        (lambda: box(80, 80, 80), "not a tube"),
        (lambda: box(200, 200, 14), "not a single tube"),
        (lambda: trimesh.creation.torus(major_radius=70, minor_radius=20), "not a single tube"),
    ],
    ids=["sphere", "cube", "plate", "ring"],
)
def test_what_is_not_a_tube_is_refused(solid: Callable[[], trimesh.Trimesh], reason: str) -> None:
    with pytest.raises(RecipeError, match=reason):
        find_centreline(wall(solid()))


def test_a_hose_through_itself_is_refused() -> None:
    mesh = hose(400, 18)
    x, y, z = np.array(mesh.vertices).T
    angle = z / 45  # More than a full turn: the end runs through the beginning.
    mesh.vertices = np.stack([(45 + x) * np.cos(angle), y, (45 + x) * np.sin(angle)], axis=1)
    with pytest.raises(RecipeError, match="no single lumen"):
        find_centreline(wall(mesh))


def test_a_wall_too_large_for_a_grid_is_refused() -> None:
    with pytest.raises(RecipeError, match="too large for a colon"):
        find_centreline(wall(bend(360, 80)).scaled(10.0))


def test_a_line_along_the_axis_never_crosses_the_wall() -> None:
    line = np.linspace([0, 0, 10], [0, 0, 230], 50)
    assert count_crossings(wall(hose()), line) == 0


def test_a_line_out_and_in_again_crosses_twice() -> None:
    line = np.array([[1.0, 2, 50], [60, 2, 50], [60, 2, 90], [1, 2, 91]])
    assert count_crossings(wall(hose()), line) == 2


def test_even_spacing_keeps_a_straight_line_straight() -> None:
    points = space_evenly(np.array([[0.0, 0, 0], [1, 0, 0], [4, 0, 0], [10, 0, 0]]), 2.0)
    assert points[:, 0] == pytest.approx([0, 2, 4, 6, 8])


def test_repeated_points_do_not_disturb_the_spacing() -> None:
    points = space_evenly(np.array([[0.0, 0, 0], [0, 0, 0], [3, 0, 0], [5, 0, 0]]), 1.0)
    assert points[:, 0] == pytest.approx([0, 1, 2, 3, 4])


@pytest.mark.parametrize(
    "name",
    ["colon_centreline.txt", "colon_centerline_xyzr_mm.txt", "colon_mm_centreline.txt"],
)
def test_a_file_beside_the_mesh_is_found(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(ROWS)
    assert centreline_file(tmp_path / "colon_mm.ply") == tmp_path / name
    assert read_centreline(tmp_path / name)[:, 2] == pytest.approx(5)


def test_a_volume_with_two_endings_has_its_file_too(tmp_path: Path) -> None:
    (tmp_path / "colon_centreline.csv").write_text(ROWS.replace(" ", ","))
    lines = centreline_file(tmp_path / "colon.nii.gz")
    assert lines is not None
    assert read_centreline(lines)[:, 2] == pytest.approx(5)


def test_a_name_with_brackets_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "colon[1]_centreline.txt").write_text(ROWS)
    assert centreline_file(tmp_path / "colon[1].ply") is not None


def test_without_a_file_there_is_no_line(tmp_path: Path) -> None:
    assert centreline_file(tmp_path / "colon.ply") is None


def test_a_line_is_read_as_it_was_written(tmp_path: Path) -> None:
    points = space_evenly(np.array([[0.0, 0, 5], [60, 0, 5], [120, 0, 5]]), 1.0)
    write_centreline(tmp_path / "new" / "line.txt", points)
    read = read_centreline(tmp_path / "new" / "line.txt")
    assert cKDTree(points).query(read[5:-5])[0].max() < 0.6


@pytest.mark.parametrize(
    "text", ["", "1 2 3\n4 5 6\n", "1 2\n" * 30, "a b c\n", "1 2 nan\n" * 30, "1 2 3\n4 5\n"]
)
def test_a_file_that_is_no_centreline_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "colon_centreline.txt").write_text(text)
    with pytest.raises(RecipeError, match=r"colon_centreline\.txt"):
        read_centreline(tmp_path / "colon_centreline.txt")


@pytest.mark.parametrize(
    ("name", "length_mm"),
    [("meshes_ctcolon/ct_A_mm.ply", 1326), ("meshes_vrcaps/vrcaps_colon_mm.ply", 1531)],
)
def test_a_scanned_colon_is_passed_from_end_to_end(name: str, length_mm: float) -> None:
    course = find_centreline(mend(read_surface(scan(name))))
    assert len(course.points) == pytest.approx(length_mm, rel=0.05)
    assert course.missed < 0.01


def test_a_scan_whose_loops_are_joined_is_passed_all_the_same() -> None:
    course = find_centreline(mend(read_surface(scan("meshes_ctcolon/ct_B_mm.ply"))))
    assert len(course.points) == pytest.approx(2670, rel=0.05)
    assert course.missed < 0.01
