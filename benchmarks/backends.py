"""What a precision costs in pixels, and what keeping compiled networks saves at the start.

python benchmarks/backends.py [CLIP]

Half the precision is computed by ONNX Runtime from the bundle's float16 network, because a GPU
would compute the same arithmetic; bfloat16 (or int8) by OpenVINO as it runs in the application.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import resources
from engine.backends import InferenceBackend
from engine.backends.onnxruntime import OnnxRuntimeBackend
from engine.backends.openvino import OpenVinoBackend
from engine.bundle import MANIFEST, NETWORK, ModelBundle, Precision, seal_bundle
from engine.cache import UserCache
from engine.preprocess import Placement, find_field_of_view
from engine.sources import open_source
from engine.types import Image

_EVERY = 20
_STARTS = 5


def main(clip: str | None = None) -> None:
    """Print two tables."""
    bundle = ModelBundle.open(resources.DEFAULT_BUNDLE)
    grids = pictures(clip or str(resources.DEMO_CLIP), bundle.input.size)
    with tempfile.TemporaryDirectory() as folder:
        precisions(bundle, grids, Path(folder))
        starts(bundle, Path(folder))


def pictures(clip: str, size: int) -> list[Image]:
    """Every 20th frame's field of view, on the network's grid."""
    source, grids = open_source(clip), []
    while (frame := source.read()) is not None:
        if frame.index % _EVERY == 0:
            view = find_field_of_view(frame.image, None)
            grids.append(Placement.fit(view.box, size).image_to_grid(frame.image))
    source.close()
    return grids


def precisions(bundle: ModelBundle, grids: list[Image], folder: Path) -> None:
    """How far each precision strays from float32."""
    whole = OnnxRuntimeBackend(bundle)
    others: dict[str, InferenceBackend] = {
        "fp16, ONNX Runtime": OnnxRuntimeBackend(_half_in_place(bundle, folder / "half")),
        "as it runs, OpenVINO": OpenVinoBackend(bundle, cache=UserCache(folder / "cache")),
    }
    expected = [whole.infer(grid)[0] for grid in grids]
    print(f"{len(grids)} frames, threshold {bundle.threshold}")
    print("| against fp32 | pixels that change sides | largest difference |\n|---|---|---|")
    for name, backend in others.items():
        found = [backend.infer(grid)[0] for grid in grids]
        pairs = list(zip(found, expected, strict=True))
        flipped = np.mean([(a >= bundle.threshold) != (b >= bundle.threshold) for a, b in pairs])
        largest = max(float(np.abs(a - b).max()) for a, b in pairs)
        print(f"| {name} | {100 * flipped:.3f} % | {largest:.3f} |")


def starts(bundle: ModelBundle, folder: Path) -> None:
    """How long opening takes, with nothing kept and with everything kept; medians."""
    caches = iter(range(100))
    cold = _median_ms(lambda: OpenVinoBackend(bundle, cache=UserCache(folder / f"c{next(caches)}")))
    warm = _median_ms(lambda: OpenVinoBackend(bundle, cache=UserCache(folder / "cache")))
    print(f"OpenVINO opens in {cold:.0f} ms at the first start, {warm:.0f} ms afterwards")


def _half_in_place(bundle: ModelBundle, folder: Path) -> ModelBundle:
    """The bundle with its float16 network where the float32 one was."""
    manifest = json.loads((bundle.path / MANIFEST).read_text(encoding="utf-8"))
    manifest = {key: manifest[key] for key in manifest if key not in ("schema", "artefacts")}
    network = bundle.network(Precision.FP16).read_bytes()
    return seal_bundle(folder, manifest, {NETWORK: network})


def _median_ms(act: Callable[[], object]) -> float:
    times_s = []
    for _ in range(_STARTS):
        started_s = time.perf_counter()
        act()
        times_s.append(time.perf_counter() - started_s)
    return float(np.median(times_s)) * 1e3


if __name__ == "__main__":
    main(*sys.argv[1:])
