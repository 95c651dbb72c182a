"""How long folds keep their track in the table that `haustra overlay --table` wrote.

haustra overlay CLIP -o folds.mp4 --table folds.json
python benchmarks/tracks.py folds.json
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path


def main(path: str) -> None:
    """Print every track that lasts: frames, first and last, mean area and score."""
    table = json.loads(Path(path).read_text(encoding="utf-8"))
    seen: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    frames = table["frames"]
    for number, frame in enumerate(frames):
        for fold in frame["folds"]:
            seen[fold["track"]].append((number, fold["area_px"], fold["score"]))
    empty = sum(not frame["folds"] for frame in frames)
    print(f"{len(frames)} frames, {empty} without a fold, {len(seen)} tracks")
    print(
        "| track | frames | first | last | mean area px | mean score |\n|---|---|---|---|---|---|"
    )
    for track, spots in sorted(seen.items(), key=lambda item: -len(item[1]))[:12]:
        area = sum(spot[1] for spot in spots) / len(spots)
        score = sum(spot[2] for spot in spots) / len(spots)
        first, last = spots[0][0], spots[-1][0]
        print(f"| {track} | {len(spots)} | {first} | {last} | {area:.0f} | {score:.2f} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
