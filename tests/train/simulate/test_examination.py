"""Examinations of real meshes: steady, inside, and what each phase promises."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from engine.errors import RecipeError
from tests.train.simulate.solids import scan
from train.simulate.anatomy import ColonShape, grow_colon
from train.simulate.camera import Pinhole
from train.simulate.clearance import Wall
from train.simulate.examination import KINDS, Examination, ExaminationOptions, can_be, examination
from train.simulate.lumen import Axis
from train.simulate.manoeuvres import FASTEST_BEND_RAD_S, FASTEST_MM_S, TOUCH_MM
from train.simulate.mesh import read_colon
from train.simulate.rays import Scene
from train.simulate.steering import Phase
from train.simulate.tube import Segment, SegmentSpan, Tube

SECONDS = 7.0
CLIPS = [kind for kind in KINDS if kind != "whole"]


@pytest.fixture(scope="module")
def tube() -> Tube:
    rng = np.random.default_rng(4)
    shape = replace(ColonShape.of(Segment.DESCENDING, rng, length=200.0), stalked=0.0)
    # As one read from a file, which says nothing of segments: every phase is possible.
    return replace(grow_colon(rng, shape, step_mm=0.6), segments=())


@pytest.fixture(scope="module")
def narrow(tube: Tube) -> Tube:
    """The same colon with its lumen drawn in to 60 % over a few centimetres, as in spasm."""
    axis = Axis(tube.centreline)
    along, across = axis.place(tube.vertices)
    centre, frames = axis.at(along)
    share = 1 - 0.4 * np.exp(-(((along - 100) / 25) ** 2))
    drawn_in = across * share
    moved = np.stack([drawn_in.real, drawn_in.imag], axis=1)
    # What does not lie across the axis stays as it is.
    rest = np.einsum("nc,nc->n", tube.vertices - centre, frames[:, :, 2])
    vertices = (
        centre + np.einsum("nck,nk->nc", frames[:, :, :2], moved) + rest[:, None] * frames[:, :, 2]
    )
    return Tube(vertices, tube.faces, tube.centreline, tube.radius, tube.feature, tube.folds)


def examined(tube: Tube, kind: str, seed: int = 1, seconds: float | None = SECONDS) -> Examination:
    options = ExaminationOptions(kind, seconds)
    return examination(tube, tube.folds.arc, np.random.default_rng(seed), options)


def speeds(poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """mm/s and rad/s from frame to frame at 50 Hz."""
    turns = np.swapaxes(poses[:-1, :3, :3], 1, 2) @ poses[1:, :3, :3]
    steps = np.linalg.norm(np.diff(poses[:, :3, 3], axis=0), axis=1)
    return 50 * steps, 50 * Rotation.from_matrix(turns).magnitude()


def phases(found: Examination) -> list[Phase]:
    return [list(Phase)[index] for index in found.phase]


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_jumps(tube: Tube, kind: str) -> None:
    mm_s, rad_s = speeds(examined(tube, kind, seconds=None if kind == "whole" else SECONDS).poses)
    assert mm_s.max() < 1.8 * FASTEST_MM_S
    assert rad_s.max() < 2.0 * FASTEST_BEND_RAD_S


@pytest.mark.parametrize("kind", KINDS)
def test_speed_itself_changes_smoothly(tube: Tube, kind: str) -> None:
    poses = examined(tube, kind).poses
    change = np.linalg.norm(np.diff(poses[:, :3, 3], n=2, axis=0), axis=1) * 50
    assert change.max() < 16.0  # mm/s from one frame to the next


@pytest.mark.parametrize("lumen", ["tube", "narrow"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_tip_is_inside_and_clear_of_the_wall(
    lumen: str, kind: str, request: pytest.FixtureRequest
) -> None:
    tube: Tube = request.getfixturevalue(lumen)
    scene = Scene(tube)
    camera = Pinhole.wide(12, 12, np.pi / 2)
    found = examined(tube, kind)
    for pose in found.poses[::20]:
        for turn in (0.0, np.pi / 2, np.pi, 3 * np.pi / 2):
            looking = pose.copy()
            looking[:3, :3] = pose[:3, :3] @ Rotation.from_rotvec([0, turn, 0]).as_matrix()
            hits = scene.look(looking, camera)
            assert len(hits.pixel) > 0.98 * 12 * 12  # a pinhole is left where a colon ends
            assert hits.distance.min() > 0.6 * TOUCH_MM
            corners = tube.vertices[tube.faces[hits.face]]
            facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            rays = camera.rays().reshape(-1, 3)[hits.pixel] @ looking[:3, :3].T
            assert np.mean(np.einsum("nc,nc->n", facing, rays) < 0) > 0.99


def test_a_whole_examination_goes_in_around_out_and_looks_back(tube: Tube) -> None:
    found = examined(tube, "whole", seconds=None)
    order = list(dict.fromkeys(phases(found)))
    assert set(order) >= {Phase.INSERTION, Phase.CAECUM, Phase.WITHDRAWAL, Phase.RETROFLEXION}
    assert order.index(Phase.INSERTION) < order.index(Phase.CAECUM) < order.index(Phase.WITHDRAWAL)
    assert found.along_mm[[0, -1]] == pytest.approx([18, 18], abs=2)
    assert found.along_mm.max() > 0.85 * (len(tube.centreline) - 1)


def test_a_withdrawal_takes_six_minutes_or_more_for_a_metre_and_a_half(tube: Tube) -> None:
    found = examined(tube, "whole", seconds=None)
    out = np.isin(
        found.phase, [list(Phase).index(p) for p in Phase if p not in ("insertion", "caecum")]
    )
    out &= np.arange(len(out)) > np.argmax(found.along_mm)
    millimetres = np.ptp(found.along_mm[out])
    minutes = np.count_nonzero(out) / 50 / 60 * 1500 / millimetres
    assert 6.0 < minutes < 18.0


def test_an_insertion_is_faster_than_a_withdrawal(tube: Tube) -> None:
    found = examined(tube, "whole", seconds=None)
    pace = 50 * np.abs(np.gradient(found.along_mm))
    into, out = (
        np.median(pace[found.phase == list(Phase).index(phase)])
        for phase in (Phase.INSERTION, Phase.WITHDRAWAL)
    )
    assert 2.0 < out < 4.0
    assert into > 2 * out


def test_retroflexion_looks_at_where_the_shaft_comes_from(tube: Tube) -> None:
    found = examined(tube, "retroflexion", seconds=9.0)
    _, frames = Axis(tube.centreline).at(found.along_mm)
    angle = np.arccos(np.einsum("nc,nc->n", frames[:, :, 2], found.poses[:, :3, 2]))
    assert np.degrees(angle.max()) > 150


def test_a_look_back_goes_past_a_fold_and_bends_back(tube: Tube) -> None:
    found = examined(tube, "look-back")
    _, frames = Axis(tube.centreline).at(found.along_mm)
    backwards = np.einsum("nc,nc->n", frames[:, :, 2], found.poses[:, :3, 2]) < 0
    assert backwards.sum() > 50
    assert found.along_mm[backwards].mean() > found.along_mm[0] + 5


def test_contact_brings_the_lens_to_the_wall(tube: Tube) -> None:
    found = examined(tube, "contact")
    camera, scene = Pinhole.wide(24, 24, np.pi / 2), Scene(tube)
    touching = [
        scene.nearest_mm(pose, camera)
        for pose, phase in zip(found.poses, phases(found), strict=True)
        if phase is Phase.CONTACT
    ]
    assert min(touching) < 3.0


@pytest.mark.parametrize(
    ("segment", "phase", "is_possible"),
    [
        (Segment.RECTUM, Phase.RETROFLEXION, True), (Segment.RECTUM, Phase.CAECUM, False),
        (Segment.CAECUM, Phase.CAECUM, True), (Segment.CAECUM, Phase.RETROFLEXION, False),
        (Segment.SIGMOID, Phase.LOOK_BACK, True),
    ],
)  # fmt: skip
def test_a_phase_takes_place_in_its_segment(
    tube: Tube, segment: Segment, phase: Phase, is_possible: bool
) -> None:
    there = replace(tube, segments=(SegmentSpan(segment, 0.0, 200.0),))
    assert can_be(phase, there) is is_possible
    drawn = {
        ExaminationOptions.draw(np.random.default_rng(seed), 2.0, 50.0, (0.1, 0.9), there).kind
        for seed in range(80)
    }
    assert (phase in drawn) is is_possible


def test_the_same_state_gives_the_same_examination(tube: Tube) -> None:
    one, other = (examined(tube, "look-back", seed=8).poses for _ in range(2))
    assert np.array_equal(one, other)


def test_an_unknown_kind_is_refused(tube: Tube) -> None:
    with pytest.raises(RecipeError, match="look-back"):
        examined(tube, "lookback")


def test_a_colon_without_folds_can_be_examined(tube: Tube) -> None:
    options = ExaminationOptions("look-back", 3.0)
    none = np.zeros(len(tube.vertices), np.int64)
    found = examination(tube, none, np.random.default_rng(0), options)
    assert len(found.poses) == 150


def test_a_real_colon_is_examined_from_inside() -> None:
    tube = read_colon(scan("meshes_vrcaps/vrcaps_colon_mm_closed.ply")).tube
    found = examined(tube, "whole", seconds=None)
    gap, _ = Wall(tube.vertices, tube.faces).gap_mm(found.poses[::10, :3, 3])
    assert gap.min() > 0.9 * TOUCH_MM  # negative outside
    mm_s, rad_s = speeds(found.poses)
    assert mm_s.max() < 1.8 * FASTEST_MM_S
    assert rad_s.max() < 2.0 * FASTEST_BEND_RAD_S
    assert np.ptp(found.along_mm) > 0.9 * len(tube.centreline)
