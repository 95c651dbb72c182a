"""From a trained network to a sealed bundle: calibration, ONNX, thresholds, parity, model card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.bundle import (
    CHANNELS,
    HALF_NETWORK,
    INT8_NETWORK,
    MANIFEST,
    NETWORK,
    SEAM,
    InputSpec,
    ModelBundle,
    seal_bundle,
)
from engine.errors import BackendError, BundleError
from train.card import model_card
from train.checkpoints import load_checkpoint
from train.deployed import planes_of, to_onnx
from train.half_precision import to_half
from train.loop import CHECKPOINT
from train.networks import build_network
from train.parity import Parity, Reference, measure, real_pictures, refer, simulated_pictures
from train.platt import calibrate, rescaled
from train.quantisation import to_int8
from train.real import Half
from train.recipe import Recipe
from train.validation import Validation, validate

CARD = "MODEL_CARD.md"
MOST_LOST_POINTS = 0.5
"""Of IoU, on simulated pictures: an int8 network that loses more is left out."""
_LARGEST_EXACT_DIFFERENCE = 1e-3
_PARITY_FRAMES = 48
_SCALE_FRAMES = 48
"""Pictures of each kind, real ones half as many, on which int8 scales are measured."""


@dataclass(frozen=True, slots=True)
class ExportPlaces:
    """Where an export reads and writes."""

    run: Path
    simulated: Path
    out: Path
    real: Path | None = None
    """Real frames; without them scales and parity come from simulated ones alone."""


def export_bundle(recipe: Recipe, places: ExportPlaces, *, with_int8: bool = True) -> ModelBundle:
    """Calibrate, choose thresholds, write every precision, prove parity, seal.

    Args:
        recipe: that the network was trained with.
        places: files.
        with_int8: quantise, too; what loses too much is left out all the same.

    Raises:
        BackendError: a back end disagrees with torch.
    """
    trained = load_trained(places.run, recipe)
    calibration = calibrate(trained, places.simulated, recipe)
    network = rescaled(trained, calibration.scalings)
    found = validate(network, places.simulated, recipe, torch.device("cpu"))
    manifest = _manifest(recipe, places.run, found)
    manifest["outputs"] = list(planes_of(network))
    manifest["metrics"]["calibration"] = calibration.summary()
    # Folds were divided well at this certainty before the edges were scaled.
    manifest["seam_threshold"] = calibration.scalings[CHANNELS.index("edge")].of(SEAM)
    networks = _networks(network, recipe, places, with_int8=with_int8)
    bundle = _seal(places.out, manifest, networks)
    checks = _prove(network, bundle, _references(network, recipe, places))
    manifest["provenance"]["parity"] = [asdict(check) for check in checks]
    if _loses_too_much(checks):
        networks.pop(INT8_NETWORK)
        (places.out / INT8_NETWORK).unlink()
        manifest["provenance"]["left_out"] = (
            f"int8 loses more than {MOST_LOST_POINTS} points and is not part of this bundle."
        )
    return _seal(places.out, manifest, networks)


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


def with_evaluation(bundle: ModelBundle, figures: Mapping[str, Any], command: str) -> ModelBundle:
    """Seal the bundle again with measured figures in manifest and card."""
    manifest = json.loads((bundle.path / MANIFEST).read_text(encoding="utf-8"))
    manifest["metrics"] |= {"evaluation": dict(figures), "command": command}
    for key in ("schema", "artefacts"):
        manifest.pop(key)
    kept = [name for name in bundle.artefacts if name != CARD]
    return _seal(bundle.path, manifest, {name: (bundle.path / name).read_bytes() for name in kept})


def _networks(
    network: nn.Module, recipe: Recipe, places: ExportPlaces, *, with_int8: bool
) -> dict[str, bytes]:
    """The network in every precision that has a file, by file name."""
    size = recipe.simulate.size
    whole = to_onnx(network, size)
    networks = {NETWORK: whole, HALF_NETWORK: to_half(whole)}
    if with_int8:
        pictures, _ = simulated_pictures(recipe, places.simulated, "train", _SCALE_FRAMES)
        pictures += real_pictures(places.real, Half.TRAINING, size, _SCALE_FRAMES // 2)
        networks[INT8_NETWORK] = to_int8(whole, pictures)
    return networks


def _references(network: nn.Module, recipe: Recipe, places: ExportPlaces) -> list[Reference]:
    images, truths = simulated_pictures(recipe, places.simulated, "validation", _PARITY_FRAMES)
    references = [refer(network, "simulated", images, truths)]
    real = real_pictures(places.real, Half.TEST, recipe.simulate.size, _PARITY_FRAMES)
    if real:
        references.append(refer(network, "real", real))
    return references


def _prove(
    network: nn.Module, bundle: ModelBundle, references: Sequence[Reference]
) -> list[Parity]:
    """Compare every back end and precision that runs here with torch.

    Raises:
        BackendError: one of them, other than int8, gives more than rounding.
    """
    names = ["openvino", "openvino:fp32"]
    if find_spec("onnxruntime") is not None:  # it computes as told, float16 too
        names += ["onnxruntime", "onnxruntime:fp16"]
    checks = [check for name in names for check in measure(bundle, name, references)]
    for check in checks:
        is_exact = check.backend.startswith("ONNX Runtime") and ", fp32" in check.backend
        if check.is_other or (is_exact and check.largest_difference > _LARGEST_EXACT_DIFFERENCE):
            raise BackendError(f"The exported network differs from the trained one: {check}.")
    if INT8_NETWORK in bundle.artefacts:
        checks += measure(bundle, "openvino:int8", references)
    return checks


def _loses_too_much(checks: Sequence[Parity]) -> bool:
    """Whether int8 was measured, and is not worth having."""
    lost = [each.lost_points for each in checks if ", int8" in each.backend]
    # Written so that NaN, where no picture shows a fold, is too much.
    return any(each is not None and not each <= MOST_LOST_POINTS for each in lost)


def _manifest(recipe: Recipe, run: Path, found: Validation) -> dict[str, Any]:
    state = load_checkpoint(run / CHECKPOINT)
    return {
        "name": "haustra-folds",
        "version": recipe.version,
        "input": asdict(InputSpec(size=recipe.simulate.size)),
        "threshold": found.threshold,
        "edge_threshold": found.edge_threshold,
        "metrics": {"validation": found.summary()},
        "provenance": {
            "recipe": _published(asdict(recipe)),
            "began": state.get("began", ""),
            "steps": state["step"],
            "real_steps": state["real_steps"],
            "minutes": round(state["elapsed_s"] / 60, 1),
            "threshold_from": "procedural validation colons, never trained on",
            "sealed": datetime.now(UTC).date().isoformat(),
        },
    }


def _published(recipe: dict[str, Any]) -> dict[str, Any]:
    """A recipe without the folders of this machine."""
    for table, key in (("network", "weights"), ("tutor", "segmenter")):
        recipe[table][key] = Path(recipe[table][key]).name
    return recipe


def _seal(out: Path, manifest: dict[str, Any], networks: Mapping[str, bytes]) -> ModelBundle:
    return seal_bundle(out, manifest, {**networks, CARD: model_card(manifest).encode()})
