"""Write a simulated set in other people's layouts, or check a recording in one of them.

`export` writes every camera path of a set; the folds go into a subfolder beside the frames.
`check` reads a recording and tells whether its depth, poses and camera belong together.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import RecipeError

if TYPE_CHECKING:
    from train.simulate.layouts import Recording


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`export` SET -o DIR --as LAYOUT, or `check` DIR --as LAYOUT."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    export = actions.add_parser("export", help="write a set in another layout")
    export.add_argument("data", metavar="SET", type=Path, help="simulated set")
    export.add_argument("-o", "--out", type=Path, required=True, help="folder to write into")
    export.add_argument("--as", dest="layout", required=True, help="simcol3d or c3vd")
    export.add_argument("--split", help="train, validation or test; all unless told")
    export.add_argument("--style", default="plain", help="of pictures: plain, vrcaps, rich or nbi")
    export.add_argument("--seed", type=int, default=0, help="of tissue and light")
    export.add_argument("--height", type=int, help="pixels; as rendered unless told")
    check = actions.add_parser("check", help="read a recording and compare its frames")
    check.add_argument("folder", metavar="DIR", type=Path, help="one recording")
    check.add_argument(
        "--as", dest="layout", required=True, help="simcol3d, c3vd, vrcaps or endoslam"
    )
    check.add_argument("--unit-mm", type=float, help="length of one unit of a pose")
    check.add_argument("--white-mm", type=float, help="depth of the brightest grey")
    check.add_argument("--rate", type=float, metavar="HZ", help="frames a second")


def run(options: argparse.Namespace) -> None:
    """Export or check."""
    if options.action == "export":
        _export(options)
    else:
        _check(options)


def _export(options: argparse.Namespace) -> None:
    from train.simulate.dataset import SimulatedSet
    from train.simulate.layouts import ExportOptions, export_set

    if options.height is not None and options.height < 16:
        raise RecipeError(f"Pictures of {options.height} pixels.", "Ask for 16 or more.")
    chosen = ExportOptions(options.style, options.seed, options.height, options.split)
    folders = export_set(SimulatedSet(options.data), options.out, options.layout, chosen)
    print(f"Wrote {len(folders)} paths in the layout of {options.layout} to {options.out}")


def _check(options: argparse.Namespace) -> None:
    from train.simulate.layouts import ReadOptions, open_recording

    told = ReadOptions(unit_mm=options.unit_mm, white_mm=options.white_mm, rate_hz=options.rate)
    recording = open_recording(options.layout, options.folder, told)
    first = recording[0]
    height, width = first.image.shape[:2]
    print(f"{len(recording)} frames of {width}×{height}, {recording[0].name} first")
    for note in recording.notes:
        print(f"  {note}")
    if first.depth_mm is not None:
        known = first.depth_mm[first.depth_mm > 0]
        reach = f"{known.min():.1f} to {known.max():.1f} mm" if known.size else "none"
        print(f"  depth along z {reach}, known in {known.size / first.depth_mm.size:.0%} of it")
    _compare(recording)


def _compare(recording: Recording) -> None:
    """Print how well frames agree with the next ones."""
    from train.simulate.layouts.agreement import agreement

    step = max(1, (len(recording) - 1) // 8)
    for number in range(0, len(recording) - 1, step):
        one, other = recording[number], recording[number + 1]
        try:
            found = agreement(one, other)
        except RecipeError as error:
            print(f"  {one.name} to {other.name}: not compared. {error}")
            continue
        print(f"  {one.name} to {other.name}: {found.median:.2%} over {found.points} points")
