"""From a file to a tube the simulator can label and fly through."""

import logging
from pathlib import Path

import nibabel
import numpy as np
import pytest

from engine.errors import RecipeError
from tests.train.simulate.solids import box, hose, save, scan
from train.simulate.curvature import lumen_frame
from train.simulate.mesh import read_colon, read_tube


def write_axis(folder: Path, shift: float = 0.0) -> None:
    rows = "\n".join(f"{shift} 0 {z} 20" for z in range(10, 231, 2))
    (folder / "colon_centreline.txt").write_text(rows)


def test_faces_of_the_tube_look_at_its_centreline(tmp_path: Path) -> None:
    tube = read_tube(save(hose(), tmp_path / "colon.ply"))
    a, b, c = (tube.vertices[tube.faces[:, k]] for k in range(3))
    inward = lumen_frame(tube)[1][tube.faces[:, 0]]
    side = np.abs((a + b + c)[:, 2] / 3 - 120) < 80
    assert (np.sum(np.cross(b - a, c - a) * inward, axis=1)[side] > 0).all()


def test_its_radius_is_that_of_the_hose(tmp_path: Path) -> None:
    tube = read_tube(save(hose(radius=20.0), tmp_path / "colon.ply"))
    assert np.median(tube.radius) == pytest.approx(20.0, abs=0.6)


def test_nothing_of_a_scan_is_known_to_be_a_polyp_or_fold(tmp_path: Path) -> None:
    tube = read_tube(save(hose(), tmp_path / "colon.ply"))
    assert not tube.is_polyp.any()
    assert not tube.folds.region(0.1).any()


def test_a_centreline_beside_the_mesh_is_used(tmp_path: Path) -> None:
    write_axis(tmp_path)
    colon = read_colon(save(hose(), tmp_path / "colon.ply"))
    assert colon.provenance.centreline == "colon_centreline.txt"
    assert colon.provenance.crossings == 0
    assert np.abs(colon.tube.centreline[:, :2]).max() < 1e-9


def test_a_centreline_is_found_where_there_is_none(tmp_path: Path) -> None:
    colon = read_colon(save(hose(), tmp_path / "colon.ply"))
    assert colon.provenance.centreline == "found"
    assert colon.provenance.missed == 0


def test_a_centreline_of_another_place_is_refused(tmp_path: Path) -> None:
    write_axis(tmp_path, shift=300.0)
    with pytest.raises(RecipeError, match="Only 0% of the centreline"):
        read_colon(save(hose(), tmp_path / "colon.ply"))


@pytest.mark.parametrize(("unit", "mm"), [("mm", 1.0), ("cm", 10.0), ("m", 1000.0)])
def test_the_unit_is_known_by_the_size(unit: str, mm: float, tmp_path: Path) -> None:
    mesh = hose()
    mesh.apply_scale(1 / mm)
    colon = read_colon(save(mesh, tmp_path / "colon.ply"))
    assert (colon.provenance.unit, colon.provenance.is_unit_assumed) == (unit, True)
    assert np.ptp(colon.tube.vertices[:, 2]) == pytest.approx(240, rel=1e-5)


@pytest.mark.parametrize("scale", [0.1, 5.0, 1e6, 1e-6])
def test_a_size_of_no_colon_is_refused(scale: float, tmp_path: Path) -> None:
    mesh = hose(240, 14)
    mesh.apply_scale(scale if scale != 0.1 else 0.02)
    with pytest.raises(RecipeError, match="no adult colon"):
        read_colon(save(mesh, tmp_path / "colon.ply"))


def test_a_unit_that_is_told_is_taken(tmp_path: Path) -> None:
    colon = read_colon(save(hose(90, 4), tmp_path / "colon.ply"), unit="mm")
    assert not colon.provenance.is_unit_assumed
    assert colon.provenance.radius_mm == pytest.approx(4.0, abs=0.5)


def test_a_unit_nobody_knows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Unknown unit 'inch'"):
        read_colon(save(hose(), tmp_path / "colon.ply"), unit="inch")


def test_a_volume_becomes_a_tube(tmp_path: Path) -> None:
    x, y, z = np.ogrid[:30, :30, :100]
    labels = ((x - 15) ** 2 + (y - 15) ** 2 <= 64) & (z > 5) & (z < 95)
    path = tmp_path / "colon.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels.astype(np.uint8), np.diag([2.0, 2, 2, 1])), path)
    colon = read_colon(path)
    assert np.abs(colon.tube.centreline[:, :2] - 30).max() < 2.0
    assert not colon.provenance.is_unit_assumed


def test_a_volume_of_the_wrong_spacing_is_refused(tmp_path: Path) -> None:
    labels = np.pad(np.ones((20, 20, 120), np.uint8), 2)
    path = tmp_path / "colon.nii"
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([0.1, 0.1, 0.1, 1])), path)
    with pytest.raises(RecipeError, match="size of a colon"):
        read_colon(path)


def test_an_open_gutter_is_refused(tmp_path: Path) -> None:
    mesh = hose(is_open=True)
    gutter = np.array(mesh.faces)[mesh.triangles_center[:, 0] < 10]
    mesh.faces = gutter
    with pytest.raises(RecipeError, match=r"opening 24\d mm wide"):
        read_colon(save(mesh, tmp_path / "colon.ply"))


def test_an_open_box_is_refused(tmp_path: Path) -> None:
    mesh = box(80, 80, 80)
    mesh.faces = np.array(mesh.faces)[mesh.triangles_center[:, 2] < 79.9]
    with pytest.raises(RecipeError, match="not a tube"):
        read_colon(save(mesh, tmp_path / "colon.ply"))


def test_what_was_assumed_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "train.simulate.mesh"):
        read_tube(save(hose(is_open=True), tmp_path / "colon.ply"))
    assert "colon.ply: in mm (assumed by size); centreline found" in caplog.text
    assert "2 openings closed" in caplog.text


def test_a_given_centreline_that_jumps_through_the_wall_is_told() -> None:
    colon = read_colon(scan("meshes_ctcolon/ct_B_mm.ply"))
    assert colon.provenance.crossings > 0
    assert "through the wall" in colon.provenance.sentence()


@pytest.mark.parametrize(
    "name", ["SBU_F_Intestine_Large.glb", "SBU_M_Intestine_Large.glb", "hubmap_M_merged_mm.ply"]
)
def test_a_colon_put_together_from_segments_is_refused(name: str) -> None:
    with pytest.raises(RecipeError, match=r"parts|join more than two faces"):
        read_colon(scan(f"meshes_hubmap/{name}"))
