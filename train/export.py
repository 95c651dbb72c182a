"""From a trained network to a sealed bundle: ONNX, threshold, parity, model card."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.backends import InferenceBackend, open_backend
from engine.bundle import HALF_NETWORK, MANIFEST, NETWORK, InputSpec, ModelBundle, seal_bundle
from engine.errors import BackendError, BundleError
from engine.types import Image
from train.card import model_card
from train.checkpoints import load_checkpoint
from train.half_precision import to_half
from train.loop import CHECKPOINT
from train.networks import build_network
from train.recipe import Recipe
from train.simulate.appearance import drawn
from train.simulate.dataset import SimulatedSet
from train.validation import Validation, probabilities, validate

CARD = "MODEL_CARD.md"
_LARGEST_EXACT_DIFFERENCE = 1e-3
_LARGEST_FLIPPED_SHARE = 0.02
_LARGEST_ROUNDING = 0.02
"""Of a probability. A network that has learned little stands at its threshold everywhere, where
rounding alone changes sides."""
_PARITY_FRAMES = 24


class Deployed(nn.Module):
    """What the bundle holds: (1, size, size, 3) uint8 RGB → (1, 2, size, size) probabilities."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Scaling and sigmoid are inside the graph."""
        # Made float first: TensorRT does nothing else to bytes.
        logits: Tensor = self.network(image.float().permute(0, 3, 1, 2))
        return logits[:, :2].sigmoid()


def to_onnx(network: nn.Module, size: int) -> bytes:
    """The network as ONNX: input `image`, output `probability`."""
    deployed = Deployed(network).eval().cpu()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / NETWORK
        warnings.simplefilter("ignore")  # torch announces its other exporter
        torch.onnx.export(
            deployed,
            (torch.zeros(1, size, size, 3, dtype=torch.uint8),),
            path,
            input_names=["image"],
            output_names=["probability"],
            opset_version=17,
            dynamo=False,
        )
        return path.read_bytes()


@dataclass(frozen=True, slots=True)
class Parity:
    """How far a back end strays from torch."""

    backend: str
    largest_difference: float
    flipped_share: float
    """Part of the pixels that change sides of the threshold."""

    @property
    def is_other(self) -> bool:
        """More than rounding: another network, or a broken one."""
        is_far = self.largest_difference > _LARGEST_ROUNDING
        return is_far and self.flipped_share > _LARGEST_FLIPPED_SHARE


def compare(
    network: nn.Module, backend: InferenceBackend, images: list[Image], threshold: float
) -> Parity:
    """Run both on the same pictures."""
    largest, flipped = 0.0, 0.0
    for image in images:
        expected = probabilities(network, image, torch.device("cpu"))
        found = backend.infer(image)
        largest = max(largest, float(np.abs(found - expected).max()))
        flipped += float(((found[0] >= threshold) != (expected[0] >= threshold)).mean())
    return Parity(backend.description, largest, flipped / len(images))


def load_trained(run: Path, recipe: Recipe) -> nn.Module:
    """The averaged network of a run, ready to infer.

    Raises:
        RecipeError: no checkpoint.
        BundleError: the checkpoint is of another network.
    """
    network = build_network(recipe.network.name, pretrained=False)
    state = load_checkpoint(run / CHECKPOINT)
    try:
        network.load_state_dict(state["teacher"])
    except (KeyError, RuntimeError) as error:
        raise BundleError(
            f"{run / CHECKPOINT} is not of the network {recipe.network.name!r}.",
            "Export with the recipe it was trained with.",
        ) from error
    return network.eval()


def export_bundle(recipe: Recipe, run: Path, simulated: Path, out: Path) -> ModelBundle:
    """Choose thresholds on the validation colons, write ONNX, seal, prove parity.

    Raises:
        BackendError: a back end disagrees with torch.
    """
    network = load_trained(run, recipe)
    found = validate(network, simulated, recipe, torch.device("cpu"))
    manifest = _manifest(recipe, run, found)
    onnx = to_onnx(network, recipe.simulate.size)
    bundle = _seal(out, manifest, onnx)
    images = parity_images(recipe, simulated)
    checks = [
        _checked(network, bundle, name, images)
        for name in ("onnxruntime", "openvino")
        if name != "onnxruntime" or _has_onnxruntime()
    ]
    if _has_onnxruntime():
        checks.append(_checked_half(network, onnx, manifest, images))
    manifest["provenance"]["parity"] = [asdict(check) for check in checks]
    return _seal(out, manifest, onnx)


def with_evaluation(bundle: ModelBundle, figures: Mapping[str, Any], command: str) -> ModelBundle:
    """Seal the bundle again with measured figures in manifest and card."""
    manifest = json.loads((bundle.path / MANIFEST).read_text(encoding="utf-8"))
    manifest["metrics"] |= {"evaluation": dict(figures), "command": command}
    for key in ("schema", "artefacts"):
        manifest.pop(key)
    return _seal(bundle.path, manifest, bundle.onnx_path.read_bytes())


def parity_images(recipe: Recipe, simulated: Path) -> list[Image]:
    """Validation pictures."""
    data = SimulatedSet(simulated)
    frames = data.frames("validation")
    chosen = np.unique(np.linspace(0, len(frames) - 1, _PARITY_FRAMES).astype(int))
    rng = np.random.default_rng(recipe.seed)
    return [drawn(data, frames[index], rng, recipe.data.style).image for index in chosen]


def _checked(
    network: nn.Module, bundle: ModelBundle, backend_name: str, images: list[Image]
) -> Parity:
    backend = open_backend(bundle, backend_name, threads=2)
    try:
        parity = compare(network, backend, images, bundle.threshold)
    finally:
        backend.close()
    is_exact = backend_name == "onnxruntime"
    if parity.is_other or (is_exact and parity.largest_difference > _LARGEST_EXACT_DIFFERENCE):
        raise BackendError(f"The exported network differs from the trained one: {parity}.")
    return parity


def _checked_half(
    network: nn.Module, onnx: bytes, manifest: Mapping[str, Any], images: list[Image]
) -> Parity:
    """The half network in the place of the whole one, on ONNX Runtime, which computes as told."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = seal_bundle(Path(folder), manifest, {NETWORK: to_half(onnx)})
        backend = open_backend(bundle, "onnxruntime", threads=2)
        try:
            parity = compare(network, backend, images, bundle.threshold)
        finally:
            backend.close()
    if parity.is_other:
        raise BackendError(f"The half network differs from the trained one: {parity}.")
    return replace(parity, backend="ONNX Runtime, processor, fp16")


def _has_onnxruntime() -> bool:
    return find_spec("onnxruntime") is not None


def _manifest(recipe: Recipe, run: Path, found: Validation) -> dict[str, Any]:
    state = load_checkpoint(run / CHECKPOINT)
    return {
        "name": "haustra-folds",
        "version": recipe.version,
        "input": asdict(InputSpec(size=recipe.simulate.size)),
        "outputs": ["fold", "edge"],
        "threshold": found.threshold,
        "edge_threshold": found.edge_threshold,
        "metrics": {"validation": found.summary()},
        "provenance": {
            "recipe": asdict(recipe),
            "steps": state["step"],
            "real_steps": state["real_steps"],
            "minutes": round(state["elapsed_s"] / 60, 1),
            "threshold_from": "procedural validation colons, never trained on",
            "sealed": datetime.now(UTC).date().isoformat(),
        },
    }


def _seal(out: Path, manifest: dict[str, Any], onnx: bytes) -> ModelBundle:
    card = model_card(manifest).encode()
    return seal_bundle(out, manifest, {NETWORK: onnx, HALF_NETWORK: to_half(onnx), CARD: card})
