"""One simulated view in every style, random styles in several looks.

python benchmarks/looks.py SET NUMBER docs/pictures/looks.jpg
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from train.sheets import contact_sheet, save_picture
from train.simulate.appearance import shade
from train.simulate.dataset import SimulatedSet

COLUMNS = 5
LOOKS = {"plain": 1, "vrcaps": 2, "nbi": 2, "rich": 5}


def main(folder: str, number: str, out: str) -> None:
    """Shade training frame `number` of a set."""
    data = SimulatedSet(Path(folder))
    frame = data.frame(*data.frames("train")[int(number)])
    tiles = [
        shade(frame, np.random.default_rng(seed), style).image
        for style, looks in LOOKS.items()
        for seed in range(1, looks + 1)
    ]
    save_picture(Path(out), contact_sheet(tiles, COLUMNS))


if __name__ == "__main__":
    main(*sys.argv[1:])
