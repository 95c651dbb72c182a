"""Sets: many jobs, interrupted, repeated, moved to a cluster."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import RecipeError, RecordingError
from tests.train.simulate.solids import hose, save
from train.simulate.dataset import SimulatedSet
from train.simulate.farm import MeshViews, SimulationRecipe, Workers, simulate, simulate_mesh

TINY = SimulationRecipe(seed=3, train=2, validation=0, test=0, frames=2, size=64)

_SCRIPT = """
import sys
from pathlib import Path
from train.simulate.farm import MeshViews, SimulationRecipe, Workers, simulate, simulate_mesh
simulate(SimulationRecipe(seed=3, train=4, validation=0, test=0, frames=2, size=64),
         Path(sys.argv[1]), Workers(1))
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_set_is_the_same_wherever_it_is_rendered(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    simulate(TINY, one, Workers(1))
    simulate(TINY, other, Workers(2))
    assert contents(one) == contents(other)


def test_a_killed_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _SCRIPT, str(tmp_path / "set")]
    run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    first = tmp_path / "set" / "train-000" / "sequence.json"
    give_up_s = time.monotonic() + 120
    while not first.exists():
        assert time.monotonic() < give_up_s
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    assert not (tmp_path / "set" / "manifest.json").exists()
    before = first.stat().st_mtime_ns
    subprocess.run(command, check=True, capture_output=True)
    assert first.stat().st_mtime_ns == before
    assert len(SimulatedSet(tmp_path / "set").frames("train")) == 8


def test_pictures_are_stored_with_the_labels_that_hold_in_them(tmp_path: Path) -> None:
    recipe = SimulationRecipe(
        seed=4, train=1, validation=0, test=0, frames=2, size=64, pictures="rich"
    )
    sequence = SimulatedSet(simulate(recipe, tmp_path, Workers(1))).sequence("train-000")
    picture = sequence.picture(1)
    assert picture is not None
    assert picture.image.shape == (64, 64, 3)
    assert picture.flags.shape == (64, 64)


@pytest.mark.parametrize("camera", ["endomapper", "pinhole"])
def test_every_camera_takes_rich_pictures(tmp_path: Path, camera: str) -> None:
    recipe = SimulationRecipe(
        train=1, validation=0, test=0, frames=1, size=64, camera=camera, pictures="rich"
    )
    sequence = SimulatedSet(simulate(recipe, tmp_path, Workers(1))).sequence("train-000")
    picture = sequence.picture(0)
    assert picture is not None
    assert picture.image.shape == (*sequence.view(0).flags.shape, 3)


def test_the_folder_of_another_recipe_is_left_alone(tmp_path: Path) -> None:
    simulate(SimulationRecipe(train=0, validation=0, test=0), tmp_path, Workers(1))
    with pytest.raises(RecipeError, match="another recipe"):
        simulate(TINY, tmp_path, Workers(1))


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RecordingError, match="cannot be used"):
        simulate(TINY, tmp_path / "file", Workers(1))


def test_a_scheduler_that_does_not_answer_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No Dask scheduler"):
        simulate(TINY, tmp_path, Workers(scheduler="tcp://127.0.0.1:9"))


def test_a_mesh_is_rendered_with_what_was_assumed_of_it(tmp_path: Path) -> None:
    mesh = save(hose(), tmp_path / "hose.ply")
    out = simulate_mesh(MeshViews(mesh, frames=4, share=(0.2, 0.8)), tmp_path / "set", Workers(1))
    rendered = SimulatedSet(out)
    assert len(rendered.frames("test")) == 4
    provenance = rendered.sequence("hose-0").about["provenance"]
    assert (provenance["unit"], provenance["is_unit_assumed"]) == ("mm", True)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    recipe = SimulationRecipe(train=1, validation=0, test=0, frames=40, size=64)
    script = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from engine.errors import RecordingError\n"
        "from train.simulate.render import Job, render_sequence\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "job = Job('train-000', 1, 40, 64, Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try:\n"
        "    render_sequence(job)\n"
        "except RecordingError as error:\n"
        "    sys.exit(0 if 'cannot be written' in str(error) else 3)\n"
        "sys.exit(4)\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(tmp_path)], stderr=subprocess.PIPE)
    assert run.returncode == 0, run.stderr.decode()
    assert list(tmp_path.iterdir()) == []
    simulate(recipe, tmp_path, Workers(1))
    assert len(SimulatedSet(tmp_path).frames("train")) == 40
