"""Turn a public checkpoint into safetensors that our networks load.

Nothing in the file is run. Names and shapes must be exactly those published; what differs is
printed.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """KIND FILES... -o OUT.safetensors."""
    parser.add_argument(
        "kind",
        help="cyclegan, cut, foldit, patchgan, munit, i2i, adain, stytr2, dispresnet, poseresnet, "
        "depth-anything, transunet, endofm, or student (model.onnx of a bundle)",
    )
    parser.add_argument("files", type=Path, nargs="+", help="as published; several where it is so")
    parser.add_argument("-o", "--out", type=Path, required=True, help="the new .safetensors")
    parser.add_argument("--version", help="of Depth Anything: v1 or v2")
    parser.add_argument("--data", type=Path, help="of a student: a simulated set, to learn on")


def run(options: argparse.Namespace) -> None:
    """Import."""
    from train.importing import Told, import_checkpoint

    told = Told(version=options.version, data=options.data)
    imported = import_checkpoint(options.kind, options.files, options.out, told)
    count = sum(tensor.numel() for tensor in imported.state.values())
    print(f"{len(imported.state)} tensors, {count:,} numbers: {options.out}")
    for name, value in imported.about.items():
        print(f"  {name}: {value}")
