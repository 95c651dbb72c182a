"""The contract of every caster: the same rays meet the same faces at the same distances."""

import sys
from functools import lru_cache

import numpy as np
import pytest
import trimesh

from engine.errors import RecipeError
from tests.train.simulate.solids import hose, save
from train.simulate.camera import Aperture, Camera, Fisheye, Pinhole
from train.simulate.casters import CASTERS, Caster, open_caster
from train.simulate.hits import Hits
from train.simulate.mesh import read_tube

REFERENCE = "embree"
CAMERAS = {
    "colonoscope": Fisheye.colonoscope(48, 1.36),
    "endomapper": Fisheye.endomapper(64, 48),
    "pinhole": Pinhole.wide(40, 32, 1.57),
    "wide pinhole": Pinhole(33, 21, 6.0, 6.0, 16.0, 10.0, Aperture.CIRCLE),
}

Mesh = tuple[np.ndarray, np.ndarray]


def box() -> Mesh:
    """Twelve faces around the camera, as large as the view; one side is open."""
    solid = trimesh.creation.box((20.0, 24.0, 30.0))
    return np.asarray(solid.vertices), np.asarray(solid.faces)[:-2]


def crumpled() -> Mesh:
    """Thousands of faces smaller than a pixel, some in front of others, some a hair away."""
    ball = trimesh.creation.icosphere(subdivisions=5, radius=20.0)
    rng = np.random.default_rng(0)
    radius = 1 + 0.4 * np.sin(5 * ball.vertices[:, :1]) * rng.uniform(
        0.9, 1, (len(ball.vertices), 1)
    )
    return np.asarray(ball.vertices * radius), np.asarray(ball.faces)


@pytest.fixture(scope="module")
def meshes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Mesh]:
    tube = read_tube(save(hose(), tmp_path_factory.mktemp("mesh") / "hose.ply"))
    centred = tube.vertices - tube.centreline[len(tube.centreline) // 2]
    return {"box": box(), "crumpled": crumpled(), "hose": (centred, tube.faces)}


def poses(count: int) -> list[np.ndarray]:
    """Off the middle, looking anywhere."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(count):
        pose = np.eye(4)
        pose[:3, :3] = np.linalg.qr(rng.standard_normal((3, 3)))[0]
        pose[:3, 0] *= np.sign(np.linalg.det(pose[:3, :3]))
        pose[:3, 3] = rng.uniform(-4, 4, 3)
        found.append(pose)
    return found


@lru_cache
def compared(name: str) -> str:
    """Skips where what a caster needs is not installed."""
    try:
        open_caster(name, *box())
    except RecipeError as error:
        pytest.skip(str(error))
    return name


def differing(one: Hits, other: Hits) -> int:
    """Pixels of which the casters tell different things."""
    faces = [hits.image(hits.face, -1) for hits in (one, other)]
    gap = np.abs(one.image(one.distance) - other.image(other.distance))
    is_same = (faces[0] == faces[1]) | (gap <= 1e-3)
    is_same &= (faces[0] < 0) == (faces[1] < 0)
    return int(np.count_nonzero(~is_same))


@pytest.mark.parametrize("mesh", ["box", "crumpled", "hose"])
@pytest.mark.parametrize("camera", CAMERAS)
@pytest.mark.parametrize("name", [name for name in CASTERS if name != REFERENCE])
def test_casters_agree(name: str, camera: str, mesh: str, meshes: dict[str, Mesh]) -> None:
    caster, reference = (open_caster(each, *meshes[mesh]) for each in (compared(name), REFERENCE))
    lens = CAMERAS[camera]
    pixels = differ = 0
    for pose in poses(12):
        differ += differing(caster.cast(pose, lens), reference.cast(pose, lens))
        pixels += int(np.count_nonzero(lens.sees()))
    assert differ <= pixels // 1000


@pytest.fixture(params=CASTERS)
def caster(request: pytest.FixtureRequest) -> Caster:
    return open_caster(compared(request.param), *box())


CAMERA: Camera = CAMERAS["colonoscope"]


def test_weights_put_a_hit_where_its_ray_and_distance_do(caster: Caster) -> None:
    vertices, _ = box()
    pose = poses(1)[0]
    hits = caster.cast(pose, CAMERA)
    rays = CAMERA.rays().reshape(-1, 3)[hits.pixel]
    by_ray = pose[:3, 3] + hits.distance[:, None] * (rays @ pose[:3, :3].T)
    by_face = np.einsum("nk,nkc->nc", hits.weights, vertices[hits.corners])
    assert by_face == pytest.approx(by_ray, abs=1e-3)
    assert (np.diff(hits.pixel) > 0).all()


def test_a_moved_mesh_is_met_where_it_is_now(caster: Caster) -> None:
    vertices, _ = box()
    before = caster.cast(np.eye(4), CAMERA)
    caster.move(2 * vertices)
    after = caster.cast(np.eye(4), CAMERA)
    assert after.distance == pytest.approx(2 * before.distance, rel=1e-5)


def test_nothing_is_met_beside_the_mesh(caster: Caster) -> None:
    pose = np.eye(4)
    pose[2, 3] = 500.0
    assert len(caster.cast(pose, CAMERA).pixel) == 0


def test_a_view_is_the_same_each_time(caster: Caster) -> None:
    pose = poses(3)[2]
    one, other = (caster.cast(pose, CAMERA) for _ in range(2))
    assert one.weights.tobytes() == other.weights.tobytes()
    assert one.face.tobytes() == other.face.tobytes()


def test_an_unknown_caster_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="raster, embree, warp"):
        open_caster("radiosity", *box())


def test_a_caster_that_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "warp", None)
    monkeypatch.delitem(sys.modules, "train.simulate.casters.warp", raising=False)
    with pytest.raises(RecipeError, match="needs warp, which is not installed"):
        open_caster("warp", *box())
