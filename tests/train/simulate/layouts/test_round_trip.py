"""What is written in another layout is read back the same, whatever that layout does to it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.errors import RecipeError, RecordingError
from train.simulate.appearance import shade
from train.simulate.camera import Camera, Pinhole
from train.simulate.dataset import Flag, SimulatedSet
from train.simulate.layouts import WRITERS, ExportOptions, Recording, export_set, open_recording
from train.simulate.layouts.agreement import agreement
from train.simulate.layouts.files import write_picture
from train.simulate.layouts.fold_labels import read_folds
from train.simulate.layouts.walk import Walk

STEP_MM = {"simcol3d": 200 / 65280, "c3vd": 100 / 65535}
RANGE_MM = {"simcol3d": 200.0, "c3vd": 100.0}
layouts = pytest.mark.parametrize("layout", sorted(WRITERS))


def written(layout: str, simulated: SimulatedSet, out: Path) -> Recording:
    """Export a set of one path and open it."""
    return open_recording(layout, export_set(simulated, out, layout)[0])


@layouts
def test_every_frame_is_there(layout: str, pinhole_set: SimulatedSet, tmp_path: Path) -> None:
    assert len(list(written(layout, pinhole_set, tmp_path))) == 3


@layouts
def test_depth_comes_back_within_a_step(
    layout: str, pinhole_set: SimulatedSet, tmp_path: Path
) -> None:
    for number, frame in enumerate(written(layout, pinhole_set, tmp_path)):
        rendered = pinhole_set.frame("tube", number)
        along_z = rendered.depth_mm * rendered.rays[..., 2]
        assert frame.depth_mm is not None
        reached = along_z < RANGE_MM[layout]
        assert frame.depth_mm[reached] == pytest.approx(
            along_z[reached], abs=0.51 * STEP_MM[layout]
        )


@layouts
def test_distance_along_the_ray_comes_back_too(
    layout: str, pinhole_set: SimulatedSet, tmp_path: Path
) -> None:
    frame = written(layout, pinhole_set, tmp_path)[1]
    assert frame.distance_mm() == pytest.approx(pinhole_set.frame("tube", 1).depth_mm, abs=0.01)


@layouts
def test_poses_come_back(layout: str, pinhole_set: SimulatedSet, tmp_path: Path) -> None:
    poses = [frame.pose for frame in written(layout, pinhole_set, tmp_path)]
    assert np.stack(poses) == pytest.approx(pinhole_set.sequence("tube").arrays["poses"], abs=1e-6)  # type: ignore[arg-type]


@layouts
def test_pictures_come_back_unchanged(
    layout: str, pinhole_set: SimulatedSet, tmp_path: Path
) -> None:
    frame = written(layout, pinhole_set, tmp_path)[2]
    shown = shade(pinhole_set.frame("tube", 2), np.random.default_rng(0), "plain")
    assert np.array_equal(frame.image, shown.image)


@layouts
def test_the_camera_comes_back(layout: str, pinhole_set: SimulatedSet, tmp_path: Path) -> None:
    camera = written(layout, pinhole_set, tmp_path).camera
    assert camera is not None
    assert camera.rays() == pytest.approx(pinhole_set.sequence("tube").camera.rays(), abs=1e-9)


@layouts
def test_folds_come_back_from_the_subfolder(
    layout: str, pinhole_set: SimulatedSet, tmp_path: Path
) -> None:
    folder = written(layout, pinhole_set, tmp_path).files[0].image.parent
    labels, rendered = read_folds(folder, 1), pinhole_set.frame("tube", 1)
    assert rendered.fold.any() and rendered.edge.any()
    assert np.array_equal(labels.fold, rendered.fold)
    assert np.array_equal(labels.edge, rendered.edge)
    assert np.array_equal(labels.instances, rendered.instances)


@layouts
def test_written_frames_agree_with_each_other(
    layout: str, pinhole_set: SimulatedSet, tmp_path: Path
) -> None:
    recording = written(layout, pinhole_set, tmp_path)
    assert agreement(recording[0], recording[2]).median < 0.01


@layouts
def test_a_fisheye_is_written_so_that_its_frames_agree(
    layout: str, fisheye_set: SimulatedSet, tmp_path: Path
) -> None:
    recording = written(layout, fisheye_set, tmp_path)
    assert agreement(recording[0], recording[2]).median < 0.01


def test_simcol3d_is_written_through_a_pinhole(fisheye_set: SimulatedSet, tmp_path: Path) -> None:
    camera = written("simcol3d", fisheye_set, tmp_path).camera
    assert isinstance(camera, Pinhole)
    assert camera.fx == pytest.approx(227.6 / 475 * 96)


@layouts
def test_the_height_can_be_chosen(layout: str, pinhole_set: SimulatedSet, tmp_path: Path) -> None:
    folder = export_set(pinhole_set, tmp_path, layout, ExportOptions(height=72))[0]
    assert open_recording(layout, folder)[0].image.shape == (72, 96, 3)


@layouts
def test_the_tiny_set_of_rings_is_written(layout: str, tiny_set: Path, tmp_path: Path) -> None:
    folders = export_set(SimulatedSet(tiny_set), tmp_path, layout, ExportOptions(split="test"))
    assert [len(open_recording(layout, folder)) for folder in folders] == [3, 3]


def test_a_sets_own_pictures_are_used_with_their_labels(
    tube_set: Callable[[Path, Camera], SimulatedSet], tmp_path: Path
) -> None:
    simulated = tube_set(tmp_path, Pinhole(20, 16, 12.0, 12.0, 9.5, 7.5))
    (tmp_path / "tube/image").mkdir()
    own = np.random.default_rng(1).integers(0, 255, (16, 20, 3), np.uint8)
    for number in range(3):
        write_picture(tmp_path / f"tube/image/{number:06d}.png", own)
    flags = np.zeros((3, 16, 20), np.uint8)
    flags[:, :8] = Flag.VALID
    np.save(tmp_path / "tube/picture_flags.npy", flags)
    frame = next(iter(Walk(simulated, "tube")))
    assert np.array_equal(frame.image, own)
    assert (frame.depth_mm > 0).sum() == 8 * 20 and not frame.fold.any()


def test_one_path_has_one_look(fisheye_set: SimulatedSet) -> None:
    one, other = (next(iter(Walk(fisheye_set, "tube", "rich", 5))).image for _ in range(2))
    assert np.array_equal(one, other)


@layouts
def test_nothing_is_written_over(layout: str, pinhole_set: SimulatedSet, tmp_path: Path) -> None:
    export_set(pinhole_set, tmp_path, layout)
    with pytest.raises(RecordingError, match="exists already"):
        export_set(pinhole_set, tmp_path, layout)


def test_a_folder_that_cannot_be_written_is_explained(
    pinhole_set: SimulatedSet, tmp_path: Path
) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(RecordingError, match="cannot be written"):
        export_set(pinhole_set, tmp_path / "out", "c3vd")


def test_an_unknown_layout_is_refused_with_the_known_ones(
    pinhole_set: SimulatedSet, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match="simcol3d, c3vd"):
        export_set(pinhole_set, tmp_path, "kitti")


def test_an_unknown_split_is_refused(pinhole_set: SimulatedSet, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="validation"):
        export_set(pinhole_set, tmp_path, "c3vd", ExportOptions(split="tset"))


def test_an_unknown_style_is_refused(pinhole_set: SimulatedSet, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="plain, "):
        export_set(pinhole_set, tmp_path, "c3vd", ExportOptions(style="oil"))
