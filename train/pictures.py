"""Sets of pictures to be compared: simulated and real ones, all placed as the product places them.

A simulated picture goes through the same search for the field of view as a real frame. Otherwise
borders, not tissue, would tell the sets apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from engine.errors import RecipeError
from engine.preprocess import Placement, find_field_of_view
from engine.types import Image, Mask
from train.data import to_network
from train.networks.efficientnet import FEATURE_CHANNELS, build_efficientnet_lite0
from train.real import SUFFIXES, Half, RealFrame, RealKind, place_frame
from train.sampling import evenly_spread
from train.simulate.appearance import shade
from train.simulate.dataset import SimulatedSet

YARDSTICKS = {"CVC-ClinicDB": "cvc_clinicdb", "BKAI-NeoPolyp": "bkai_neopolyp"}
"""Sets that may be measured against but never trained on: name → folder under the real frames."""

_NEIGHBOURS = 20
"""Stills whose numbers share a multiple of this are taken to be one patient's."""
_BATCH = 8
FEWEST_BLOCKS = 4


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Pictures of one origin on the network's grid."""

    name: str
    images: Image
    """(n, H, W, 3) RGB, black outside the field of view."""
    valid: NDArray[np.bool_]
    """(n, H, W), inside the field of view."""
    blocks: NDArray[np.int64]
    """(n,), equal for pictures of one colon or, as far as names tell, of one patient."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def size(self) -> int:
        """Side of the grid."""
        return int(self.images.shape[1])


def place_picture(image: Image, size: int) -> tuple[Image, Mask]:
    """(size, size, 3) picture and (size, size) field of view, as `train.real.place_frame` does."""
    view = find_field_of_view(image)
    placement = Placement.fit(view.box, size)
    inside = np.repeat(view.mask[..., None] * np.uint8(255), 3, axis=2)
    valid = placement.image_to_grid(inside)[..., 0] > 127
    placed = placement.image_to_grid(image)
    placed[~valid] = 0
    return placed, valid


def simulated_pictures(data: SimulatedSet, style: str, count: int, seed: int) -> PictureSet:
    """`count` frames spread evenly over all colons of a set, shaded in one style.

    Raises:
        RecipeError: the set has no frames, or of too few colons.
    """
    frames = [frame for split in data.splits for frame in data.frames(split)]
    if len({sequence for sequence, _ in frames}) < FEWEST_BLOCKS:
        raise RecipeError(
            f"{data.folder} holds fewer than {FEWEST_BLOCKS} colons.", "Simulate a larger set."
        )
    chosen = evenly_spread(len(frames), count)

    def placed() -> Iterator[tuple[Image, Mask]]:
        for index in chosen:
            rng = np.random.default_rng([seed, index])
            image = shade(data.frame(*frames[index]), rng, style).image
            yield place_picture(image, image.shape[0])

    return _gathered(f"simulated, {style}", placed(), [frames[index][0] for index in chosen])


def real_pictures(name: str, frames: Sequence[RealFrame], size: int) -> PictureSet:
    """Real frames on a grid of `size`."""
    placed = (place_frame(frame, size) for frame in frames)
    pairs = ((frame.image, frame.valid) for frame in placed)
    return _gathered(name, pairs, [block_of(frame.path) for frame in frames])


def _gathered(name: str, placed: Iterator[tuple[Image, Mask]], blocks: Sequence[str]) -> PictureSet:
    pairs = list(tqdm(placed, total=len(blocks), desc=name, unit="picture"))
    numbers = np.unique(np.array(blocks), return_inverse=True)[1]
    images, valid = (np.stack(arrays) for arrays in zip(*pairs, strict=True))
    return PictureSet(name, images, valid, numbers.astype(np.int64))


def block_of(path: Path) -> str:
    """Which stills belong together: the numbered sequence, else neighbours by running number."""
    sequence = re.match(r"(\d+)_endocv\d+_positive_", path.stem)
    if sequence:
        return f"{path.parent.parent.name} sequence {sequence[1]}"
    number = re.search(r"\d+$", path.stem)
    if number is None:
        return f"{path.parent.parent.name} {path.stem}"
    neighbours = int(number[0]) // _NEIGHBOURS
    return f"{path.parent.parent.name} {path.stem[: number.start()]} {neighbours}"


def yardstick_frames(real: Path, folder: str) -> list[RealFrame]:
    """Stills of a set that is only ever measured against; empty where absent."""
    images = real / folder / "images"
    if not images.is_dir():
        return []
    paths = sorted(path for path in images.iterdir() if path.suffix.lower() in SUFFIXES)
    masks = [real / folder / "polyp_masks" / f"{path.stem}.png" for path in paths]
    return [
        RealFrame(path, RealKind.POLYP, Half.TEST, mask)
        if mask.exists()
        else RealFrame(path, RealKind.UNLABELLED, Half.TEST)
        for path, mask in zip(paths, masks, strict=True)
    ]


def draw_frames(
    frames: Sequence[RealFrame], count: int, rng: np.random.Generator
) -> list[RealFrame]:
    """At most `count` frames at random, without replacement."""
    chosen = rng.permutation(len(frames))[:count]
    return [frames[index] for index in chosen]


def disjoint_halves(
    frames: Sequence[RealFrame], rng: np.random.Generator
) -> tuple[list[RealFrame], list[RealFrame]]:
    """Two halves without a patient, as far as names tell, in both."""
    blocks = sorted({block_of(frame.path) for frame in frames})
    order = rng.permutation(len(blocks))
    first = {blocks[index] for index in order[: len(blocks) // 2]}
    halves: tuple[list[RealFrame], list[RealFrame]] = ([], [])
    for frame in frames:
        halves[block_of(frame.path) not in first].append(frame)
    return halves


class DeepFeatures:
    """Average of the deepest feature map of the ImageNet encoder, in evaluation mode."""

    def __init__(self, *, pretrained: bool = True) -> None:
        self._encoder = build_efficientnet_lite0(pretrained=pretrained).eval()

    @torch.no_grad()
    def __call__(self, images: Image, name: str = "") -> NDArray[np.float64]:
        """(n, H, W, 3), sides multiples of 32 → (n, 320)."""
        found = []
        for start in tqdm(range(0, len(images), _BATCH), desc=f"features, {name}", unit="batch"):
            batch = torch.from_numpy(images[start : start + _BATCH])
            deepest = self._encoder(to_network(batch, torch.device("cpu")))[-1]
            found.append(deepest.mean(dim=(2, 3)).double().numpy())
        return np.concatenate(found) if found else np.empty((0, FEATURE_CHANNELS[-1]))
