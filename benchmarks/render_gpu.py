"""Views a second by each caster on this machine: where there is a GPU, `warp` uses it.

    python benchmarks/render_gpu.py [--size 256] [--views 40]

One procedural colon, the same views for all; frames/s of the rays alone, of a view with its labels,
and the time to move every vertex. The best of three rounds, in wall time: a GPU works beside.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from collections.abc import Callable

import numpy as np

from engine.errors import RecipeError
from train.simulate.anatomy import grow_colon
from train.simulate.camera import Fisheye
from train.simulate.camera_path import PathOptions, camera_path
from train.simulate.casters import CASTERS, open_caster
from train.simulate.curvature import label_crests
from train.simulate.render import Photographer, StageTimes
from train.simulate.tube import Tube

_ROUNDS = 3


def best_s(work: Callable[[], object]) -> float:
    """Seconds of the fastest round; the first call, which compiles, does not count."""
    work()
    times = []
    for _ in range(_ROUNDS):
        started_s = time.perf_counter()
        work()
        times.append(time.perf_counter() - started_s)
    return min(times)


def row(name: str, tube: Tube, size: int, views: int) -> str:
    """One line of the table.

    Raises:
        RecipeError: what the caster needs is not installed.
    """
    camera = Fisheye.colonoscope(size, 1.2)
    rng = np.random.default_rng(0)
    poses = camera_path(tube, rng, PathOptions(views, 0.1, 0.9, wobble_frames=1.0))
    caster = open_caster(name, tube.vertices, tube.faces)
    rays_s = best_s(lambda: [caster.cast(pose, camera) for pose in poses]) / views
    move_s = best_s(lambda: caster.move(tube.vertices))
    photographer = Photographer(tube, label_crests(tube), camera, caster=name)
    times = StageTimes()
    labels_s = best_s(lambda: [photographer.take(0, pose, times) for pose in poses]) / views
    return f"| {name} | {1 / rays_s:.0f} | {1 / labels_s:.0f} | {1e3 * move_s:.1f} |"


def device() -> str:
    """What `warp` would compute on."""
    try:
        warp = importlib.import_module("warp")
    except ModuleNotFoundError:
        return "no warp"
    warp.config.log_level = warp.LOG_ERROR
    warp.init()
    return f"warp on {warp.get_preferred_device().name}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=256, help="pixels of a side")
    parser.add_argument("--views", type=int, default=40)
    options = parser.parse_args()
    tube = grow_colon(np.random.default_rng(5))
    print(f"{len(tube.faces)} faces, {options.size}x{options.size}, {device()}, "
          f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")  # fmt: skip
    print("| caster | rays, frames/s | labelled, frames/s | move, ms |\n|---|---|---|---|")
    for name in CASTERS:
        try:
            print(row(name, tube, options.size, options.views), flush=True)
        except RecipeError as error:
            print(f"| {name} | {error} | | |")


if __name__ == "__main__":
    main()
