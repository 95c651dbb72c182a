"""Label volumes: from voxels to a wall in scanner coordinates."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.errors import RecipeError
from tests.train.simulate.solids import scan
from train.simulate.surface import mend
from train.simulate.volume import is_volume, read_volume

# Sagittal voxels of 2 × 2 × 3 mm with a mirrored first axis, as scanners write them.
AFFINE = np.array([[-2.0, 0, 0, 100], [0, 2, 0, -50], [0, 0, 3, 7], [0, 0, 0, 1]])


def cylinder() -> NDArray[np.uint8]:
    """A cylinder of 10 voxels' radius and 60 voxels' length along the last axis."""
    x, y, z = np.ogrid[:40, :40, :80]
    inside = ((x - 20) ** 2 + (y - 20) ** 2 <= 100) & (z >= 10) & (z < 70)
    return inside.astype(np.uint8)


def save(labels: NDArray[np.generic], path: Path) -> Path:
    image = nibabel.Nifti1Image(labels, AFFINE)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.nii", True), ("a.b.NII.GZ", True), ("a.gz", False), ("a.ply", False)],
)
def test_volumes_are_known_by_their_names(name: str, expected: bool) -> None:
    assert is_volume(Path(name)) is expected


@pytest.mark.parametrize("name", ["colon.nii", "colon.nii.gz"])
def test_the_wall_lies_where_the_affine_says(name: str, tmp_path: Path) -> None:
    wall = read_volume(save(cylinder(), tmp_path / name))
    # Voxels 10 to 30 in x and y, 10 to 69 in z, each reaching half a voxel beyond its middle.
    assert wall.vertices.min(axis=0) == pytest.approx([100 - 61, -50 + 19, 7 + 28.5], abs=1.5)
    assert wall.vertices.max(axis=0) == pytest.approx([100 - 19, -50 + 61, 7 + 208.5], abs=1.5)


def test_smoothing_keeps_the_volume(tmp_path: Path) -> None:
    wall = mend(read_volume(save(cylinder(), tmp_path / "colon.nii")))
    assert -wall.volume == pytest.approx(cylinder().sum() * 12, rel=0.02)


def test_smoothing_takes_the_steps_away(tmp_path: Path) -> None:
    wall = read_volume(save(cylinder(), tmp_path / "colon.nii"))
    middle = wall.vertices[np.abs(wall.vertices[:, 2] - 120) < 60]
    radius = np.hypot(middle[:, 0] - 60, middle[:, 1] + 10)
    assert radius.std() < 0.4


def test_a_lumen_that_touches_the_border_is_closed_there(tmp_path: Path) -> None:
    wall = mend(read_volume(save(cylinder()[:, :, 10:70], tmp_path / "colon.nii")))
    assert wall.widest_hole == 0


def test_a_last_axis_of_one_is_no_axis(tmp_path: Path) -> None:
    assert len(read_volume(save(cylinder()[..., None], tmp_path / "colon.nii")).faces) > 1000


def test_metres_in_the_header_are_heeded(tmp_path: Path) -> None:
    path, affine = tmp_path / "colon.nii", AFFINE / 1000
    affine[3, 3] = 1
    image = nibabel.Nifti1Image(cylinder(), affine)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, path)
    assert read_volume(path).extent == pytest.approx(180, abs=2)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (np.zeros((9, 9, 9), np.uint8), "no foreground"),
        (np.zeros((0, 9, 9), np.uint8), "no foreground"),
        (cylinder() + np.uint8(1) * (cylinder() > 0) * (np.arange(80) > 40), r"2 values \(1, 2\)"),
        (np.linspace(-1000, 400, 8000, dtype=np.float32).reshape(20, 20, 20), "not the scan"),
        (np.full((9, 9, 9), np.nan, np.float32), "not the scan"),
        (np.ones((9, 9), np.uint8), "2 dimensions"),
        (np.ones((9, 9, 9, 3), np.uint8), "4 dimensions"),
    ],
    ids=["empty", "no voxels", "two labels", "scan", "nan", "slice", "series"],
)
def test_what_is_no_label_volume_is_refused(
    labels: NDArray[np.generic], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(RecipeError, match=reason):
        read_volume(save(labels, tmp_path / "colon.nii"))


def test_a_volume_without_spacing_is_refused(tmp_path: Path) -> None:
    path, flat = tmp_path / "colon.nii", AFFINE.copy()
    flat[2, 2] = 0
    image = nibabel.Nifti1Image(cylinder(), None)
    image.header.set_sform(flat, code=1)
    nibabel.save(image, path)
    with pytest.raises(RecipeError, match="affine is singular"):
        read_volume(path)


@pytest.mark.parametrize("name", ["colon.nii", "colon.nii.gz"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5])
def test_a_volume_that_is_cut_short_is_refused(name: str, share: float, tmp_path: Path) -> None:
    path = save(cylinder(), tmp_path / name)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecipeError, match=name):
        read_volume(path)


@pytest.mark.parametrize("name", ["colon.nii", "colon.nii.gz"])
def test_a_file_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(RecipeError, match=name):
        read_volume(path)


def test_a_missing_volume_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="does not exist"):
        read_volume(tmp_path / "colon.nii")


def test_the_wall_of_a_scan_encloses_what_was_labelled() -> None:
    path = scan("meshes_ctcolon/ct_A_seg.nii.gz")
    image = nibabel.load(path)
    labelled = (np.asanyarray(image.dataobj) > 0).sum() * abs(np.linalg.det(image.affine[:3, :3]))
    assert -mend(read_volume(path)).volume == pytest.approx(labelled, rel=0.01)
