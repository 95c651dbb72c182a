"""Two processes that train together, started as people start them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from train.translation.training import CHECKPOINT, LOG

RECIPE = """
translator = "cyclegan"
[pictures]
style = "plain"
size = 64
load_size = 64
[budget]
steps = 2
[options]
width = 4
blocks = 1
pool = 0
"""


def test_two_processes_take_one_step_together(tiny_set: Path, tmp_path: Path) -> None:
    recipe, real, run = tmp_path / "pair.toml", tmp_path / "real", tmp_path / "run"
    recipe.write_text(RECIPE)
    real.mkdir()
    draw = np.random.default_rng(3)
    for number in range(2):
        picture = draw.integers(60, 200, (64, 64, 3), dtype=np.uint8)
        cv2.imwrite(str(real / f"{number}.png"), picture)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2",
        "-m", "train", "translate", "train", str(recipe), "--simulated", str(tiny_set),
        "--real", str(real), "-o", str(run),
    ]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    # One of them wrote, and wrote once.
    steps = [json.loads(line)["step"] for line in (run / LOG).read_text().splitlines()]
    assert steps[-1] == 2
    assert sorted(steps) == steps
    state = torch.load(run / CHECKPOINT, weights_only=True)
    assert state["step"] == 2
