"""A whole tiny set: rendered, read back, shaded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError
from train.simulate.annotation import annotate
from train.simulate.appearance import draw_look, shade
from train.simulate.camera import Pinhole
from train.simulate.dataset import Flag, GeometryFrame, Label, Sequence, SimulatedSet
from train.simulate.farm import SimulationRecipe, Workers, simulate
from train.simulate.steering import Phase
from train.simulate.tube import Feature, Segment

TINY = SimulationRecipe(seed=3, train=1, validation=1, test=0, frames=2, size=64)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> SimulatedSet:
    return SimulatedSet(simulate(TINY, tmp_path_factory.mktemp("set"), Workers(1)))


def test_every_frame_of_the_recipe_is_there(tiny: SimulatedSet) -> None:
    assert [len(tiny.frames(split)) for split in ("train", "validation", "test")] == [2, 2, 0]


def test_every_valid_pixel_has_a_depth_and_a_normal_towards_the_camera(tiny: SimulatedSet) -> None:
    frame = tiny.frame(*tiny.frames("train")[0])
    assert (frame.depth_mm[frame.valid] >= 2.4).all()
    assert (np.sum(frame.normal * frame.rays, axis=2)[frame.valid] < 0.05).all()


def test_labels_do_not_depend_on_the_number_of_workers(tiny: SimulatedSet, tmp_path: Path) -> None:
    simulate(TINY, tmp_path, Workers(2))
    for name in ("train-000", "validation-000"):
        ours, theirs = (folder / name / "flags.npy" for folder in (tiny.folder, tmp_path))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_second_run_renders_nothing_again(tiny: SimulatedSet) -> None:
    before = (tiny.folder / "train-000" / "flags.npy").stat().st_mtime_ns
    simulate(TINY, tiny.folder, Workers(1))
    assert (tiny.folder / "train-000" / "flags.npy").stat().st_mtime_ns == before


@pytest.mark.parametrize("style", ["plain", "rich"])
def test_one_state_of_the_generator_gives_one_picture(tiny: SimulatedSet, style: str) -> None:
    frame = tiny.frame(*tiny.frames("train")[1])
    one, other = (shade(frame, np.random.default_rng(5), style) for _ in range(2))
    assert np.array_equal(one.image, other.image)


def test_labels_lie_inside_the_field_of_view(tiny: SimulatedSet) -> None:
    frame = tiny.frame(*tiny.frames("train")[1])
    for seed in range(4):
        picture = shade(frame, np.random.default_rng(seed))
        assert not (picture.fold & ~picture.valid).any()


def test_the_labels_of_the_paper_are_the_crests_alone(tiny: SimulatedSet) -> None:
    at = tiny.frames("train")[1]
    ours, theirs = tiny.frame(*at), SimulatedSet(tiny.folder, Label.CURVATURE).frame(*at)
    assert np.array_equal(theirs.fold, ours.crest)
    assert not (theirs.edge & ~ours.crest).any()
    assert np.array_equal(theirs.instances, ours.instances * ours.crest)


def test_an_unfinished_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="simulate"):
        SimulatedSet(tmp_path)


@pytest.mark.parametrize(
    ("feature", "flag"),
    [
        (Feature.POLYP, Flag.POLYP), (Feature.FLUID, Flag.FLUID), (Feature.VALVE, Flag.VALVE),
        (Feature.DIVERTICULUM, Flag(0)),
    ],
)  # fmt: skip
def test_what_is_no_fold_is_flagged_as_what_it_is(feature: Feature, flag: Flag) -> None:
    camera = Pinhole.wide(16, 16, np.pi / 2)
    distance = np.full((16, 16), 30, np.float32)
    distance[:, 8:] = 60  # a depth jump: on bare wall the near side is a fold's edge
    there = np.full((16, 16), feature, np.uint8)
    flags, instances = annotate(distance, np.zeros((16, 16), np.uint16), there, camera)
    assert (flags == (Flag.VALID | flag)).all()
    assert not instances.any()


VIDEO = SimulationRecipe(
    seed=5,
    train=1,
    validation=0,
    test=0,
    frames=30,
    size=64,
    pictures="rich",
    path="examination",
)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Sequence:
    folder = simulate(VIDEO, tmp_path_factory.mktemp("video"), Workers(1))
    return SimulatedSet(folder).sequence("train-000")


def test_a_video_knows_when_and_in_which_phase_each_frame_was_taken(video: Sequence) -> None:
    moments = [video.moment(number) for number in range(len(video))]
    assert all(moment is not None and moment.phase in Phase for moment in moments)
    assert [moment.time_s for moment in moments if moment] == pytest.approx(np.arange(30) / 50)
    assert video.about["rate_hz"] == 50.0


def test_a_video_has_one_look_all_along(video: Sequence) -> None:
    look = draw_look("rich", np.random.default_rng([video.about["seed"], 99]))
    for number in range(0, len(video), 10):
        picture = video.picture(number)
        pose = np.asarray(video.arrays["poses"][number])
        frame = GeometryFrame.of(video.view(number), pose, video.camera)
        again = look.render(frame, np.random.default_rng([video.about["seed"], 99, number]))
        assert picture is not None
        # What is stored of a view is rounded.
        assert np.abs(again.image.astype(int) - picture.image).mean() < 4


def test_a_colon_in_motion_is_seen_from_inside(
    tmp_path: Path,
) -> None:
    moving = replace(VIDEO, frames=6, motion=True, pictures="none", rate_hz=4.0)
    rest = replace(moving, motion=False)
    one, other = (
        SimulatedSet(simulate(recipe, tmp_path / name, Workers(1))).sequence("train-000")
        for recipe, name in ((moving, "moving"), (rest, "rest"))
    )
    assert one.about["motion"] and not other.about["motion"]
    for number in range(len(one)):
        seen = (one.view(number).flags & Flag.VALID) > 0
        assert seen.mean() > 0.999 * one.camera.sees().mean()
    assert not np.array_equal(one.arrays["distance"], other.arrays["distance"])


def test_scattered_views_have_no_moment(tiny: SimulatedSet) -> None:
    assert tiny.sequence("train-000").moment(0) is None


def test_a_fold_keeps_its_number_while_the_tip_moves(video: Sequence) -> None:
    """A pixel's fold, carried to the next frame by depth and pose, has the number found there."""
    kept, met = 0, 0
    for number in range(len(video) - 1):
        view, following = video.view(number), video.view(number + 1)
        v, u = np.nonzero((view.flags & Flag.CREST) > 0)
        points = view.distance_mm[v, u, None] * video.camera.rays()[v, u]
        here, there = (np.asarray(video.arrays["poses"][i]) for i in (number, number + 1))
        world = points @ here[:3, :3].T + here[:3, 3]
        x, y = video.camera.project((world - there[:3, 3]) @ there[:3, :3]).round().astype(int).T
        inside = (x >= 0) & (x < 64) & (y >= 0) & (y < 64)
        one = view.instances[v[inside], u[inside]]
        other = following.instances[y[inside], x[inside]]
        met += int(np.count_nonzero(other))
        kept += int(np.count_nonzero((other > 0) & (one == other)))
    assert met > 500
    assert kept > 0.97 * met


def test_a_sequence_names_the_segments_of_its_colon(tiny: SimulatedSet) -> None:
    for name in tiny.splits["train"]:
        about = tiny.sequence(name).about
        assert about["anatomy"] == "stretch"
        arcs = [(span["first_mm"], span["last_mm"]) for span in about["segments"]]
        assert arcs[0][0] == 0
        assert arcs[-1][1] == pytest.approx(280, abs=1)
        assert {span["name"] for span in about["segments"]} <= {each.value for each in Segment}
