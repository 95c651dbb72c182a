"""What each precision of a bundle costs and what it changes, against float32 on the same pictures.

    python -m benchmarks.precisions SET [--real DATA] [--bundle BUNDLE] [--count N]

Pictures per second are of one picture after another on one thread, by turns so that a busy machine
slows all alike: read them as ratios. `ONEDNN_MAX_CPU_ISA=AVX2` (or AVX512_CORE_VNNI, ...) before
the command has OpenVINO compute as an older processor would.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

import resources
from engine.backends import InferenceBackend, open_backend
from engine.bundle import ModelBundle
from engine.errors import HaustraError
from engine.types import Image
from train.evaluate import label_of
from train.parity import Parity, Reference, compare, real_pictures, simulated_pictures
from train.real import Half
from train.recipe import DataSettings, Recipe

NAMES = ("openvino:fp32", "openvino:bf16", "openvino:int8", "onnxruntime:fp32", "onnxruntime:fp16")
_ROUNDS = 60


def open_all(bundle: ModelBundle) -> dict[str, InferenceBackend]:
    """Every one of `NAMES` that works here, the float32 one first."""
    opened: dict[str, InferenceBackend] = {}
    for name in NAMES:
        try:
            opened[name] = open_backend(bundle, name, threads=1)
        except HaustraError as error:
            print(f"{name}: {error}")
    return opened


def per_second(
    backends: Mapping[str, InferenceBackend], images: Sequence[Image]
) -> dict[str, float]:
    """Pictures a second by the median, by name."""
    took_s: dict[str, list[float]] = {name: [] for name in backends}
    for number in range(_ROUNDS):
        for name, backend in backends.items():
            started_s = time.perf_counter()
            backend.infer(images[number % len(images)])
            took_s[name].append(time.perf_counter() - started_s)
    return {name: 1 / float(np.median(times_s)) for name, times_s in took_s.items()}


def row(name: str, rate_hz: float, parities: Sequence[Parity]) -> str:
    """Markdown; the real pictures come second, if there are any."""
    simulated, *real = parities
    cells = [
        name,
        f"{rate_hz:.0f}",
        f"{simulated.lost_points:+.2f}",
        f"{simulated.flipped_share:.2%}",
        f"{real[0].flipped_share:.2%}" if real else "",
        f"{real[0].overlap:.3f}" if real else "",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What each precision costs and changes.")
    parser.add_argument("set", type=Path)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--bundle", type=Path, default=resources.DEFAULT_BUNDLE)
    parser.add_argument("--count", type=int, default=120, help="pictures of each kind")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    bundle = ModelBundle.open(arguments.bundle)
    recipe = Recipe("precisions", data=DataSettings(label=label_of(bundle)))
    images, truths = simulated_pictures(recipe, arguments.set, "test", arguments.count)
    kinds = [Reference("simulated", images, [], truths)]
    real = real_pictures(arguments.real, Half.TEST, bundle.input.size, arguments.count)
    if real:
        kinds.append(Reference("real", real, []))
    backends = open_all(bundle)
    whole = next(iter(backends.values()))
    references = [
        replace(kind, expected=[whole.infer(image) for image in kind.images]) for kind in kinds
    ]
    rates_hz = per_second(backends, images)
    print(
        f"{len(images)} simulated, {len(real)} real; {os.environ.get('ONEDNN_MAX_CPU_ISA', '')}\n"
    )
    print("| computed by | per s | IoU points lost | flipped | flipped, real | overlap, real |")
    print("|---|---|---|---|---|---|")
    for name, backend in backends.items():
        parities = [compare(each, backend, bundle.threshold) for each in references]
        print(row(name, rates_hz[name], parities))
        backend.close()


if __name__ == "__main__":
    main()
