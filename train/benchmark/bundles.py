"""A sealed bundle as a row of the table: by the program's own path, with its own thresholds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

import resources
from engine.backends import DEFAULT_BACKEND
from engine.bundle import ModelBundle
from engine.instances import InstanceOptions
from engine.types import Image, Probability
from train.evaluate import Evaluator

BUNDLE = "bundle"
"""In place of a network's name."""


@dataclass(frozen=True, slots=True)
class BundleChoice:
    """Which bundle: a folder, or the name of one that travels with the program."""

    bundle: str = "haustra-folds"

    @property
    def path(self) -> Path:
        """Of the folder."""
        shipped = resources.BUNDLES / self.bundle
        return shipped if shipped.is_dir() else Path(self.bundle)


@dataclass
class BundleSegmenter:
    """Asked like a network; it was trained elsewhere, on what its card tells."""

    choice: BundleChoice
    has_edges: bool = True
    _evaluator: Evaluator = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Raises BundleError: no bundle, or a damaged one."""
        self._evaluator = Evaluator(ModelBundle.open(self.choice.path), DEFAULT_BACKEND)

    @property
    def threshold(self) -> float:
        """Of folds, from the bundle."""
        return self._evaluator.bundle.threshold

    @property
    def edge_threshold(self) -> float:
        """Of edges, from the bundle."""
        return self._evaluator.bundle.edge_threshold

    @property
    def dividing(self) -> InstanceOptions:
        """As the program divides masks, with the bundle's own certainty of edges."""
        return self._evaluator.dividing

    @property
    def origin(self) -> str:
        """Name, version and hash."""
        bundle = self._evaluator.bundle
        return f"{bundle.name} {bundle.version} {bundle.digest}"

    def __call__(self, images: list[Image]) -> Probability:
        """(B, 2, H, W) of B pictures of one size: fold, edge."""
        return np.stack([self._evaluator.probability(image) for image in images])

    def close(self) -> None:
        """Give the back end back."""
        self._evaluator.close()
