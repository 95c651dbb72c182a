"""`haustra devices`: the capture devices of this machine, and how to open each.

Formats, sizes and rates are told on Linux; on Windows and macOS names only.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from engine.sources.device import list_devices

if TYPE_CHECKING:
    from engine.sources.v4l2 import CaptureDevice

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `devices`."""
    parser = subparsers.add_parser(
        "devices",
        help="list capture devices, with what they can do and how to open them",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON array")
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Print what there is; 0, also where there is nothing. Raises HaustraError."""
    devices = list_devices()
    print(
        json.dumps([as_json(device) for device in devices], indent=2)
        if asked.json
        else as_text(devices)
    )
    return 0


def as_json(device: CaptureDevice) -> dict[str, Any]:
    """Plain values."""
    return {
        "address": device.address,
        "name": device.name,
        "problem": device.problem,
        "modes": [
            {
                "format": mode.format,
                "width": mode.width,
                "height": mode.height,
                "rates_hz": list(mode.rates_hz),
            }
            for mode in device.modes
        ],
    }


def as_text(devices: list[CaptureDevice]) -> str:
    """Each device with its modes, and a way to open it."""
    if not devices:
        return "There is no capture device."
    lines: list[str] = []
    for device in devices:
        lines.append(f"{device.name}: haustra '{device.address}'")
        if device.problem is not None:
            lines.append(f"  cannot be asked: {device.problem}")
        lines += [f"  {mode}" for mode in device.modes]
    example = next(((each, each.modes[0]) for each in devices if each.modes), None)
    if example is not None:
        device, mode = example
        lines += ["", f"With a mode: haustra '{device.address_in(mode)}'"]
    return "\n".join(lines)
