"""The whole experiment: simulate → train → export → evaluate → seal.

RUN/simulated  RUN/ct  RUN/training  RUN/bundle  RUN/evaluation  RUN/real-sheets
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.bundle import MANIFEST, ModelBundle
from train.evaluate import EvaluationPlaces, evaluate
from train.export import ExportPlaces, export_bundle, with_evaluation
from train.loop import RunPlaces, Say, Trainer
from train.recipe import Recipe
from train.simulate.dataset import is_finished
from train.simulate.farm import MeshViews, simulate, simulate_mesh

CT_MESH = Path("meshes_ctcolon") / "ct_A_mm.ply"
CT_SHARE = (0.0, 0.7)
CT_FRAMES = 240


def reproduce(recipe: Recipe, out: Path, real: Path | None, say: Say) -> ModelBundle:
    """Everything a recipe asks for; called again it goes on where it stopped."""
    simulated = out / "simulated"
    if not is_finished(simulated):
        say("1/4 simulate")
        simulate(recipe.simulate, simulated)
    ct = _ct_set(out, real)
    say("2/4 train")
    training = out / "training"
    Trainer(recipe, RunPlaces(simulated, training, real), say).run()
    bundle_path = out / "bundle"
    if not (bundle_path / MANIFEST).exists():
        say("3/4 export")
        export_bundle(recipe, ExportPlaces(training, simulated, bundle_path, real))
    bundle = ModelBundle.open(bundle_path)
    if "evaluation" not in bundle.metrics:
        say("4/4 evaluate")
        found = evaluate(
            bundle,
            EvaluationPlaces(simulated, ct, real, out / "evaluation", out / "real-sheets"),
        )
        found.write(out / "evaluation")
        bundle = with_evaluation(
            bundle, found.as_dict(), f"haustra-train reproduce {recipe.name} -o RUN --real DATA"
        )
    say(_table(bundle.metrics))
    return bundle


def _ct_set(out: Path, real: Path | None) -> Path | None:
    if real is None or not (real / CT_MESH).exists():
        return None
    if not is_finished(out / "ct"):
        simulate_mesh(MeshViews(real / CT_MESH, CT_FRAMES, CT_SHARE), out / "ct")
    return out / "ct"


def _table(metrics: Mapping[str, Any]) -> str:
    return str(metrics["evaluation"]["table"])
