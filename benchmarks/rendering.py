"""Frames a second of whole simulated sets, files written, and what each stage costs.

    python benchmarks/rendering.py [--frames 56] [--colons 4]

For plain and rich pictures, in one process (processor time by stage) and in two (pace by the
clock). A first small set compiles what is not yet kept on disk and is not counted.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from train.simulate.farm import SimulationRecipe, Workers, simulate
from train.simulate.render import Job, render_sequence


def stages(pictures: str, frames: int, out: Path) -> dict[str, float]:
    """Milliseconds of one processor a frame, by stage, of one colon in this process."""
    costs = render_sequence(Job("one", 7, frames, 256, out, pictures=pictures))
    return {stage: 1e3 * seconds / frames for stage, seconds in costs.items()}


def pace(recipe: SimulationRecipe, out: Path, processes: int) -> float:
    """Frames a second by the clock, the start of the processes included."""
    started_s = time.perf_counter()
    simulate(recipe, out, Workers(processes))
    return recipe.train * recipe.frames / (time.perf_counter() - started_s)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=56, help="of a colon")
    parser.add_argument("--colons", type=int, default=4)
    options = parser.parse_args()
    names: list[str] = []
    for pictures in ("plain", "rich"):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            simulate(SimulationRecipe(train=2, validation=0, test=0, frames=2, pictures=pictures),
                     out / "warm", Workers(2))  # fmt: skip
            render_sequence(Job("warm", 3, 1, 256, out, pictures=pictures))
            costs = stages(pictures, options.frames, out)
            recipe = SimulationRecipe(
                seed=9, train=options.colons, validation=0, test=0, frames=options.frames,
                pictures=pictures,
            )  # fmt: skip
            paces = [pace(recipe, out / f"set{count}", count) for count in (1, 2)]
        if not names:
            names = list(costs)
            print(f"\n{options.colons} colons of {options.frames} frames; load "
                  f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")  # fmt: skip
            print(f"| pictures | one process, frames/s | two | {' | '.join(names)} | sum, ms |")
            print("|---" * (len(names) + 4) + "|")
        cells = " | ".join(f"{costs[name]:.1f}" for name in names)
        total = sum(costs.values())
        print(f"| {pictures} | {paces[0]:.1f} | {paces[1]:.1f} | {cells} | {total:.1f} |")


if __name__ == "__main__":
    main()
