"""The glaring style: rich, but the lamps lean to one side, so that the wall there blows out.

In real frames an over-exposed sheet is mostly smooth wall at the rim of the view, often on one side
only. In `rich` two thirds of such light lie on folds, and a network trained on that alone takes it
for a fold (`docs/experiments.md`). A style of its own leaves what is measured in `rich` as it was.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from train.simulate.dataset import GeometryFrame
from train.simulate.light import Lamps, Optics
from train.simulate.looks.mucosa import MucosaLook
from train.simulate.looks.rich import draw_rich
from train.simulate.sensor import Exposure, Processor

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaningLook(MucosaLook):
    """Tissue under lamps that light one side of the view more than the other."""

    lean: Doubles
    """(3,) in camera coordinates, across the view: `leaned`."""

    def radiance(self, frame: GeometryFrame) -> Floats:
        """As of any mucosa, times how much light goes that way."""
        return MucosaLook.radiance(self, frame) * leaned(frame.rays, self.lean)[..., None]


def leaned(rays: Floats, lean: Doubles) -> Floats:
    """exp(ray · lean) (H, W): the share of light that goes along rays (H, W, 3) of unit length."""
    return np.exp(rays @ lean.astype(np.float32))


def draw_glaring(rng: np.random.Generator) -> LeaningLook:
    """A rich look whose lamps, exposure and lens let the wall on one side blow out."""
    look = draw_rich(rng)
    lamps = one_sided(look.lamps, rng)
    stronger = lamps.place_mm[0] / np.linalg.norm(lamps.place_mm[0])
    look = replace(
        look,
        lamps=lamps,
        optics=Optics(vignette=rng.uniform(0.0, 0.3), bounce=look.optics.bounce),
        exposure=led_by_lumen(look.exposure, rng),
        processor=flooded(look.processor, rng),
    )
    kept = {each.name: getattr(look, each.name) for each in fields(look)}
    return LeaningLook(**kept, lean=rng.uniform(0.5, 2.0) * stronger)


def one_sided(lamps: Lamps, rng: np.random.Generator) -> Lamps:
    """Further from the lens, wide, and the first, on any side, stronger than the second."""
    strong = rng.uniform(0.7, 1.0)
    place = lamps.place_mm * (rng.choice((-1, 1)) * rng.uniform(1.5, 2.5))
    return Lamps(place, np.array([strong, 1 - strong]), float(rng.uniform(0.0, 0.8)))


def led_by_lumen(exposure: Exposure, rng: np.random.Generator) -> Exposure:
    """The aims times one factor, 0.74 to 1.35, and a lower knee."""
    more = float(np.exp(rng.uniform(-0.3, 0.3)))
    return replace(
        exposure,
        middle=more * exposure.middle,
        bright=more * exposure.bright,
        knee=rng.uniform(0.35, 0.7),
    )


def flooded(processor: Processor, rng: np.random.Generator) -> Processor:
    """Light beyond white spills far, and into the other colours."""
    return replace(processor, bloom=rng.uniform(0.3, 1.0), bleach=rng.uniform(0.05, 0.3))
