"""Faulty meshes: what is mended, and what is refused with a reason."""

from pathlib import Path

import numpy as np
import pytest
import trimesh

from engine.errors import RecipeError
from tests.train.simulate.solids import box, hose, save
from train.simulate.surface import Surface, mend, read_surface


def surface(mesh: trimesh.Trimesh) -> Surface:
    return Surface("colon.ply", np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int64))


@pytest.mark.parametrize("kind", ["ply", "obj", "stl", "glb"])
def test_every_format_gives_the_same_wall(kind: str, tmp_path: Path) -> None:
    mended = mend(read_surface(save(hose(), tmp_path / f"colon.{kind}")))
    assert len(mended.faces) == len(hose().faces)
    assert mended.volume == pytest.approx(-hose().volume, rel=1e-5)


def test_names_in_another_encoding_do_not_matter(tmp_path: Path) -> None:
    path = save(hose(), tmp_path / "colon.obj")
    path.write_bytes("o Größe\nmtllib nowhere.mtl\n".encode("latin-1") + path.read_bytes())
    assert len(read_surface(path).faces) == len(hose().faces)


def test_the_parts_of_a_scene_are_joined(tmp_path: Path) -> None:
    whole = hose()
    half = len(whole.faces) // 2
    parts = [whole.submesh([range(half)], append=True), whole.submesh([range(half, 2 * half)])[0]]
    path = tmp_path / "colon.glb"
    trimesh.Scene(parts).export(path)
    assert len(mend(read_surface(path)).faces) == len(whole.faces)


def test_area_and_volume_are_those_of_the_box() -> None:
    block = surface(box(100, 30, 20))
    assert block.area == pytest.approx(2 * (3000 + 2000 + 600))
    assert block.volume == pytest.approx(60_000)


def test_volume_does_not_depend_on_the_place() -> None:
    mesh = box(100, 30, 20)
    mesh.apply_translation([1e5, -1e5, 1e5])
    assert surface(mesh).volume == pytest.approx(60_000, rel=1e-6)


def test_faces_look_into_the_lumen() -> None:
    mended = mend(surface(hose()))
    assert mended.volume < 0
    assert mended.repairs == ("faces turned to look into the lumen",)


def test_a_wall_that_already_looks_inwards_stays_as_it_is() -> None:
    mesh = hose()
    mesh.invert()
    mended = mend(surface(mesh))
    assert mended.volume < 0
    assert mended.repairs == ()


def test_faces_that_look_either_way_are_turned_to_one_side() -> None:
    mesh = hose()
    faces = np.array(mesh.faces)
    faces[::3] = faces[::3, ::-1]
    mended = mend(Surface("colon.ply", np.array(mesh.vertices), faces))
    assert mended.volume == pytest.approx(-hose().volume)


def test_triangles_that_share_no_points_are_sewn_together() -> None:
    mesh = hose()
    corners = np.array(mesh.triangles).reshape(-1, 3)
    loose = Surface("colon.stl", corners, np.arange(len(corners)).reshape(-1, 3))
    assert len(mend(loose).vertices) == len(mesh.vertices)


def test_repeated_and_degenerate_faces_go() -> None:
    mesh = hose()
    extra = np.concatenate([mesh.faces, mesh.faces[:7, [1, 2, 0]], [[5, 5, 9], [4, 4, 4]]])
    mended = mend(Surface("colon.ply", np.array(mesh.vertices), extra))
    assert len(mended.faces) == len(mesh.faces)
    assert mended.repairs[0] == "9 degenerate or repeated faces dropped"


def test_a_wall_drawn_on_both_sides_is_kept_once() -> None:
    mesh = hose()
    both = np.concatenate([mesh.faces, mesh.faces[:, ::-1]])
    assert len(mend(Surface("colon.ply", np.array(mesh.vertices), both)).faces) == len(mesh.faces)


def test_two_faces_back_to_back_both_go() -> None:
    mesh = hose()
    flap = np.array([[0, 7, 12], [0, 12, 7]])
    mended = mend(Surface("c.ply", np.array(mesh.vertices), np.concatenate([mesh.faces, flap])))
    assert len(mended.faces) == len(mesh.faces)


def test_loose_parts_are_dropped() -> None:
    bubble = trimesh.creation.icosphere(subdivisions=2, radius=4.0)
    mended = mend(surface(trimesh.util.concatenate([hose(), bubble])))
    assert len(mended.vertices) == len(hose().vertices)
    assert "1 loose parts dropped" in mended.repairs[0]


def test_open_ends_are_closed_and_measured() -> None:
    mended = mend(surface(hose(is_open=True)))
    assert mended.volume == pytest.approx(-hose().volume)
    assert mended.widest_hole == pytest.approx(np.hypot(40, 40))
    assert mended.repairs[0] == "2 openings closed"


def test_a_missing_triangle_is_filled() -> None:
    mesh = hose()
    mended = mend(Surface("colon.ply", np.array(mesh.vertices), np.array(mesh.faces)[1:]))
    assert mended.volume == pytest.approx(-hose().volume)


def test_a_ring_has_one_handle_and_a_hose_none() -> None:
    ring = trimesh.creation.torus(major_radius=60, minor_radius=15)
    assert mend(surface(ring)).handles == 1
    assert mend(surface(hose())).handles == 0


def test_scaling_takes_the_opening_along() -> None:
    mended = mend(surface(hose(is_open=True))).scaled(10.0)
    assert mended.extent == pytest.approx(2400)
    assert mended.widest_hole == pytest.approx(10 * np.hypot(40, 40))


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e30])
def test_points_that_are_not_finite_are_refused(number: float) -> None:
    mesh = hose()
    vertices = np.array(mesh.vertices)
    vertices[3, 1] = number
    with pytest.raises(RecipeError, match=r"colon\.ply has points without finite coordinates"):
        mend(Surface("colon.ply", vertices, np.array(mesh.faces)))


def test_a_handful_of_triangles_is_refused() -> None:
    with pytest.raises(RecipeError, match="only 12 proper triangles"):
        mend(surface(trimesh.creation.box()))


def test_triangles_without_any_extent_are_refused() -> None:
    faces = np.arange(600).reshape(-1, 3)
    with pytest.raises(RecipeError, match="only 0 proper triangles"):
        mend(Surface("colon.ply", np.ones((600, 3)), faces))


def test_a_cloud_of_parts_is_refused() -> None:
    parts = [hose(60, 5) for _ in range(4)]
    for k, part in enumerate(parts):
        part.apply_translation([40 * k, 0, 0])
    with pytest.raises(RecipeError, match="4 parts; the largest holds 25%"):
        mend(surface(trimesh.util.concatenate(parts)))


def test_a_wall_that_branches_is_refused() -> None:
    mesh = hose()
    n, ring = len(mesh.vertices), np.arange(24)
    fins = np.stack([ring, ring + 24, n + ring], axis=1)
    vertices = np.concatenate([mesh.vertices, 1.5 * mesh.vertices[:24]])
    with pytest.raises(RecipeError, match=r"24 edges .* join more than two faces"):
        mend(Surface("colon.ply", vertices, np.concatenate([mesh.faces, fins])))


def test_a_wall_with_one_side_is_refused() -> None:
    turn = np.arange(80) * np.pi / 40
    rim = np.array([-8.0, 8.0])[None, :] * np.stack([np.cos(turn / 2)] * 2, axis=1)
    lift = np.array([-8.0, 8.0])[None, :] * np.stack([np.sin(turn / 2)] * 2, axis=1)
    x, y = (60 + rim) * np.cos(turn)[:, None], (60 + rim) * np.sin(turn)[:, None]
    vertices = np.stack([x, y, lift], axis=-1).reshape(-1, 3)
    a = 2 * np.arange(79)
    faces = np.concatenate([np.stack([a, a + 1, a + 2], 1), np.stack([a + 1, a + 3, a + 2], 1)])
    # After one turn the left rim meets the right one.
    faces = np.concatenate([faces, [[158, 159, 1], [159, 0, 1]]])
    with pytest.raises(RecipeError, match="Möbius"):
        mend(Surface("colon.ply", vertices, faces))


@pytest.mark.parametrize("kind", ["ply", "obj", "stl", "glb"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5])
def test_a_file_that_is_cut_short_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    path = save(hose(), tmp_path / f"colon.{kind}")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RecipeError, match=f"colon.{kind}"):
        mend(read_surface(path))


@pytest.mark.parametrize("kind", ["ply", "obj", "stl", "glb"])
def test_a_file_of_something_else_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"colon.{kind}"
    path.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(RecipeError, match=f"colon.{kind}"):
        read_surface(path)


def test_a_cloud_of_points_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "colon.ply"
    trimesh.PointCloud(hose().vertices).export(path)
    with pytest.raises(RecipeError, match=r"colon\.ply"):
        read_surface(path)


@pytest.mark.parametrize(("name", "reason"), [("colon.blend", "no mesh"), ("colon.ply", "exist")])
def test_a_file_of_no_use_is_refused(name: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=reason):
        read_surface(tmp_path / name)
