"""Ten thousand random seeks, steps, speeds, pauses and loops; everything shown is checked.

python -m benchmarks.random_operations [COUNT] [SEED]
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.random_operations import CLIPS, Operator


def main(count: int = 10_000, seed: int = 0) -> int:
    """Print a row for every file; 1 if anything disagreed."""
    share = -(-count // len(CLIPS))
    wrong = 0
    print("| file | operations | looks | with own folds | tracked | awaited seeks | wrong | s |")
    print("|---|---|---|---|---|---|---|---|")
    for name in CLIPS:
        started_s = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="haustra-") as folder:
            done = Operator(name, Path(folder), seed).run(share)
        failed = sum(done.wrong.values())
        wrong += failed
        print(
            f"| {name} | {share} | {done.looks} | {done.matched} | {done.tracked} | {done.seeks} "
            f"| {failed} | {time.monotonic() - started_s:.0f} |",
            flush=True,
        )
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
