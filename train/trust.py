"""Fits the model of `engine.trust`, and says how well it tells good pictures from disturbed ones.

Good are simulated pictures and, where there are any, real views; bad are the same pictures under
every disturbance of `train.disturbances`. Fitted on training colons and training frames, measured
on test colons and test frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.preprocess import Placement, find_field_of_view
from engine.trust import FARTHEST, NAMES, TrustModel, View, measure_signs
from engine.types import Image
from train.disturbances import DISTURBANCES, by_another_endoscope, disturbed
from train.logistic import fit_logistic
from train.real import Half, read_image, views
from train.reports import write_report
from train.sampling import evenly_spread
from train.simulate.appearance import shade
from train.simulate.dataset import SimulatedSet
from train.structure import separation

SignRows = NDArray[np.float64]
"""(pictures, signs)."""
GOOD = "good"
_LOW = 0.5
"""Trust below which a picture counts as not to be trusted."""
_STEADIER = 1.0
"""Ridge on the weights, in pictures."""
_SEED = 11


def area_under_curve(good: NDArray[np.float64], bad: NDArray[np.float64]) -> float:
    """How often a good picture is trusted more than a bad one; ties count half."""
    is_good = np.arange(len(good) + len(bad)) < len(good)
    return (1 + separation(np.concatenate([good, bad]), is_good)) / 2


def fit_trust(rows: Mapping[str, SignRows]) -> TrustModel:
    """Logistic regression on signs and their squares.

    Args:
        rows: signs of good pictures (`GOOD`) and of each disturbance. Good and bad weigh the same
            together, and so does each disturbance among the bad.
    """
    good, bad = rows[GOOD], [each for name, each in rows.items() if name != GOOD]
    usual, spread = good.mean(0), np.maximum(good.std(0), 1e-3)
    inputs = _inputs(np.concatenate([good, *bad]), usual, spread)
    is_good = np.zeros(len(inputs))
    is_good[: len(good)] = 1
    shares = [np.full(len(each), 0.5 / len(bad) / len(each)) for each in bad]
    weights = np.concatenate([np.full(len(good), 0.5 / len(good)), *shares]) * len(inputs)
    ridge = np.full(inputs.shape[1], _STEADIER)
    ridge[-1] = 1e-9
    found = fit_logistic(inputs, weights, weights * is_good, ridge)
    count = good.shape[1]
    return TrustModel(
        usual=_constants(usual),
        spread=_constants(spread),
        linear=_constants(found[:count]),
        square=_constants(found[count:-1]),
        bias=round(float(found[-1]), 4),
    )


def _constants(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(each) for each in np.round(values, 4))


def _inputs(
    rows: SignRows, usual: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    away = np.clip((rows - usual) / spread, -FARTHEST, FARTHEST)
    return np.hstack([away, away**2, np.ones((len(rows), 1))])


def sign_rows(
    images: Sequence[Image], size: int, *, is_varied: bool = False
) -> dict[str, SignRows]:
    """Signs of pictures of any size, as they are and under every disturbance, on a grid.

    Every second one is seen by another endoscope first where `is_varied`: tone and softness of a
    recorder must not count as disturbance.
    """
    rng = np.random.default_rng(_SEED)
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (GOOD, *DISTURBANCES)}
    for number, image in enumerate(images):
        grid, inside = _on_grid(image, size)
        if is_varied and number % 2:
            grid = by_another_endoscope(grid, rng) * inside[..., None]
        view = View.of(inside)
        for name in (GOOD, *DISTURBANCES):
            each = grid if name == GOOD else disturbed(grid, inside, name, rng)
            signs = measure_signs(each, view)
            if signs is not None:
                found[name].append(signs)
    return {name: np.array(rows).reshape(-1, len(NAMES)) for name, rows in found.items()}


def _on_grid(image: Image, size: int) -> tuple[Image, NDArray[np.uint8]]:
    """A picture and where its field of view is, placed as the program does."""
    seen = find_field_of_view(image)
    placement = Placement.fit(seen.box, size)
    covered = placement.image_to_grid(seen.mask.view(np.uint8) * np.uint8(255))
    inside = (covered > 127).view(np.uint8)
    return placement.image_to_grid(image) * inside[..., None], inside


@dataclass(frozen=True, slots=True)
class Told:
    """How one kind of picture is told from good ones of the same set."""

    pictures: str
    name: str
    count: int
    area: float | None
    """Under the curve; None of good pictures."""
    low: float
    """Share of pictures with a trust below one half."""

    def row(self) -> str:
        """Markdown."""
        area = "" if self.area is None else f"{self.area:.3f}"
        return f"| {self.pictures} | {self.name} | {self.count} | {area} | {self.low:.2f} |"


def tell_apart(model: TrustModel, pictures: str, rows: Mapping[str, SignRows]) -> list[Told]:
    """How well every disturbance is told from the good pictures of one set."""
    trusts = {name: np.array([model.trust(each) for each in kind]) for name, kind in rows.items()}
    good = trusts[GOOD]
    return [
        Told(
            pictures,
            name,
            len(trust),
            None if name == GOOD else area_under_curve(good, trust),
            float((trust < _LOW).mean()),
        )
        for name, trust in trusts.items()
    ]


@dataclass(frozen=True, slots=True)
class TrustReport:
    """A fitted model and what it tells apart."""

    model: TrustModel
    told: tuple[Told, ...]

    def table(self) -> str:
        """Markdown."""
        head = ["| pictures | shown | count | AUC | trust < 0.5 |", "|---|---|---|---|---|"]
        return "\n".join([*head, *(each.row() for each in self.told)])

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"signs": list(NAMES)}


def report_trust(simulated: Path, real: Path | None, count: int) -> TrustReport:
    """Fit on what may be trained on, measure on the rest.

    Args:
        simulated: a set with training and test colons.
        real: folder of the real frames, if there are any.
        count: pictures of each kind and half, at most.
    """
    data = SimulatedSet(simulated)
    size = data.sequence(data.splits["train"][0]).arrays["distance"].shape[1]
    learnt = [_simulated(data, "train", count), _real(real, Half.TRAINING, count)]
    measured = {
        "simulated": _simulated(data, "test", count),
        "real": _real(real, Half.TEST, count),
    }
    rows = [sign_rows(images, size, is_varied=True) for images in learnt if images]
    model = fit_trust({name: np.concatenate([each[name] for each in rows]) for name in rows[0]})
    told = [
        each
        for name, images in measured.items()
        if images
        for each in tell_apart(model, name, sign_rows(images, size))
    ]
    return TrustReport(model, tuple(told))


def write_trust(report: TrustReport, folder: Path) -> None:
    """trust.json and trust.md.

    Raises:
        RecordingError: the folder cannot be written.
    """
    write_report(folder, "trust", report.table(), report.as_dict())


def _simulated(data: SimulatedSet, split: str, count: int) -> list[Image]:
    frames = data.frames(split)
    return [
        shade(data.frame(*frames[at]), np.random.default_rng([_SEED, at])).image
        for at in evenly_spread(len(frames), count)
    ]


def _real(real: Path | None, half: Half, count: int) -> list[Image]:
    frames = [] if real is None else views(real, half)
    return [read_image(frames[at].path) for at in evenly_spread(len(frames), count)]
