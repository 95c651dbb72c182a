"""From waypoints to poses: by hand in a straight hose, by property on noise."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from tests.train.simulate.solids import as_tube, bend, hose
from train.simulate.clearance import Wall
from train.simulate.lumen import Axis, Lumen
from train.simulate.steering import Course, Phase, Waypoint, bent, steer


def wall_of(vertices: np.ndarray, mesh: trimesh.Trimesh) -> Wall:
    return Wall(vertices, np.asarray(mesh.faces)[:, ::-1])


def past_the_middle(rate_hz: int = 50) -> Course:
    """Eight seconds from 160 mm back to 80 mm, 12 mm off the axis."""
    off = 12.0 + 0j
    waypoints = [
        Waypoint(Phase.WITHDRAWAL, 0.0, 160.0, off_mm=off),
        Waypoint(Phase.WITHDRAWAL, 8.0, 80.0, off_mm=off),
    ]
    return Course.through(waypoints, 8 * rate_hz, rate_hz)


STRAIGHT = np.linspace([0, 0, 0], [0, 0, 240.0], 241)


def test_an_unbent_tip_looks_along_the_axis() -> None:
    course = Course.through([Waypoint(Phase.INSERTION, 0.0, 100.0)], 3, 50.0)
    poses = steer(course, Lumen(as_tube(hose())))
    assert poses[:, :3, 3] == pytest.approx(np.tile([0, 0, 100.0], (3, 1)))
    assert poses[:, :3, 2] == pytest.approx(np.tile([0, 0, 1.0], (3, 1)))


@pytest.mark.parametrize(("angle", "forward"), [(0.0, (1, 0, 0)), (np.pi / 2, (0, 1, 0))])
def test_a_right_angle_bends_the_view_to_where_it_aims(
    angle: float, forward: tuple[float, float, float]
) -> None:
    aim = np.array([np.pi / 2 * np.exp(1j * angle)])
    assert bent(aim, np.zeros(1))[0, :, 2] == pytest.approx(forward, abs=1e-12)


def test_retroflexion_looks_backwards() -> None:
    assert bent(np.array([np.pi + 0j]), np.zeros(1))[0, :, 2] == pytest.approx((0, 0, -1))


def test_roll_turns_the_picture_and_not_the_view() -> None:
    turned = bent(np.array([0.3 + 0.2j]), np.array([0.7]))[0]
    assert turned[:, 2] == pytest.approx(bent(np.array([0.3 + 0.2j]), np.zeros(1))[0, :, 2])


def test_the_course_goes_from_waypoint_to_waypoint() -> None:
    waypoints = [
        Waypoint(Phase.INSERTION, 0.0, 10.0), Waypoint(Phase.INSERTION, 2.0, 30.0),
        Waypoint(Phase.CAECUM, 2.0, 30.0),
    ]  # fmt: skip
    course = Course.through(waypoints, 200, 50.0)
    assert course.along_mm[[0, 50, 199]] == pytest.approx([10, 20, 30], abs=1.0)
    assert [list(Phase)[i] for i in course.phase[[0, 98, 102]]] == [
        "insertion",
        "insertion",
        "caecum",
    ]


def test_the_rate_changes_how_often_one_looks_and_not_what_happens() -> None:
    waypoints = [Waypoint(Phase.WITHDRAWAL, 0.0, 90.0), Waypoint(Phase.WITHDRAWAL, 4.0, 80.0, 0.5j)]
    fast, slow = (
        Course.through(waypoints, 4 * rate, rate).unsteady(np.random.default_rng(1))
        for rate in (50, 25)
    )
    assert fast.aim[::2] == pytest.approx(slow.aim)
    assert fast.along_mm[::2] == pytest.approx(slow.along_mm)


def test_a_narrow_place_is_foreseen() -> None:
    wide, narrow = 20.0, 8.0
    mesh = hose(radius=1.0).subdivide().subdivide()
    z = mesh.vertices[:, 2]
    radius = wide - (wide - narrow) * np.exp(-(((z - 120) / 6) ** 2))
    mesh.vertices *= np.stack([radius, radius, np.ones_like(z)], axis=1)
    poses = steer(past_the_middle(), Lumen(as_tube(mesh)))
    off = np.hypot(poses[:, 0, 3], poses[:, 1, 3])
    assert off[[0, -1]] == pytest.approx([12, 12], abs=0.1)
    assert off.min() < narrow - 2.9
    assert wall_of(mesh.vertices, mesh).gap_mm(poses[:, :3, 3])[0].min() > 2.9
    assert np.abs(np.diff(off)).max() * 50 < 30  # mm/s across the axis


def test_the_axis_of_a_bend_keeps_to_the_bend() -> None:
    arc = np.linspace(0, 360 / 80, 361)
    line = 80.0 * np.stack([np.cos(arc), np.zeros_like(arc), np.sin(arc)], axis=1)
    axis = Axis(line)
    centre, frames = axis.at(np.array([0.0, 100.0, 250.0]))
    assert np.linalg.norm(centre, axis=1) == pytest.approx([80, 80, 80], abs=0.05)
    assert np.linalg.det(frames) == pytest.approx([1, 1, 1])


def test_points_are_placed_where_they_are() -> None:
    along, across = Axis(STRAIGHT).place(np.array([[3.0, 4.0, 120.0]]))
    assert along == pytest.approx([120.0], abs=0.3)
    assert np.abs(across) == pytest.approx([5.0])


def test_a_bent_hose_is_no_wall_to_its_own_axis() -> None:
    mesh = bend()
    arc = np.linspace(0.0, 4.5, 361)
    line = 80.0 * np.stack([np.cos(arc), np.zeros_like(arc), np.sin(arc)], axis=1)
    course = Course.through(
        [Waypoint(Phase.INSERTION, 0.0, 20.0), Waypoint(Phase.INSERTION, 10.0, 300.0)], 500, 50.0
    )
    poses = steer(course, Lumen(replace(as_tube(mesh), centreline=line)))
    assert wall_of(mesh.vertices, mesh).gap_mm(poses[:, :3, 3])[0].min() > 13.0


def test_a_tip_does_not_go_where_it_has_no_room() -> None:
    mesh = hose(radius=1.0).subdivide().subdivide()
    z = mesh.vertices[:, 2]
    radius = 20.0 - 19.0 * np.exp(-(((z - 40) / 10) ** 2))
    mesh.vertices *= np.stack([radius, radius, np.ones_like(z)], axis=1)
    first, last = Lumen(as_tube(mesh)).passable_mm(18.0)
    assert 40 < first < 48
    assert last == pytest.approx(222, abs=1)


class Swaying:
    """A hose that sways to the side as a whole and is drawn in to less than half in its middle."""

    def __init__(self, mesh: trimesh.Trimesh) -> None:
        self._rest = np.asarray(mesh.vertices)

    def vertices(self, time_s: float) -> np.ndarray:
        near = np.exp(-(((self._rest[:, 2] - 120) / 25) ** 2))
        share = 1 - 0.6 * near * np.sin(np.pi * time_s / 8) ** 2
        drawn_in = self._rest * np.stack([share, share, np.ones_like(share)], axis=1)
        return np.asarray(drawn_in + np.array([self.sway_mm(time_s), 0, 0]))

    def centreline(self, time_s: float) -> np.ndarray:
        return np.asarray(STRAIGHT + np.array([self.sway_mm(time_s), 0, 0]))

    @staticmethod
    def sway_mm(time_s: float) -> float:
        return 9.0 * float(np.sin(2 * np.pi * 0.25 * time_s))


def test_the_tip_moves_with_the_colon_and_gives_way_where_it_clenches() -> None:
    mesh = hose(radius=20.0).subdivide()
    motion, course = Swaying(mesh), past_the_middle(rate_hz=20)
    poses = steer(course, Lumen(as_tube(mesh), motion))
    off = poses[:, 0, 3] - [motion.sway_mm(time) for time in course.time_s]
    assert off[[0, -1]] == pytest.approx([12, 12], abs=0.1)
    assert off.min() < 20 * 0.4 - 2.5
    for pose, time in list(zip(poses, course.time_s, strict=True))[::10]:
        assert wall_of(motion.vertices(time), mesh).gap_mm(pose[None, :3, 3])[0] > 2.5
    assert np.abs(np.diff(poses[:, :3, 3], axis=0)).max() * 20 < 40
