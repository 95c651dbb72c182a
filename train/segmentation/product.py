"""A trained segmenter on disk: one safetensors file that says what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.instances import InstanceOptions
from engine.types import Image, Probability
from train.data import to_network
from train.networks import build_network
from train.weights import fill, read_weights, save_weights

KIND = "segmenter"
_REMEDY = "Train it: haustra-train segment RECIPE."


@dataclass(frozen=True)
class Segmenter:
    """A network and the threshold chosen for it; (size, size, 3) pictures 0..255."""

    network: nn.Module
    threshold: float
    """A pixel is fold where its probability is at least this."""
    has_edges: bool = False
    """Whether the network learned its second channel."""
    edge_threshold: float = 0.5
    """The same of edges, where learned."""
    origin: str = ""
    """How it was trained, as JSON."""

    @property
    def dividing(self) -> InstanceOptions:
        """How its masks are divided into folds."""
        return InstanceOptions(self.threshold)

    @torch.no_grad()
    def __call__(self, images: list[Image]) -> Probability:
        """(B, 2, H, W) of B pictures of one size: fold, edge; edges are 0 where not learned."""
        device = next(self.network.parameters()).device
        stacked = torch.stack([torch.from_numpy(image) for image in images])
        logits: Tensor = self.network(to_network(stacked, device)).float()
        found: Probability = logits[:, :2].sigmoid().cpu().numpy()
        if found.shape[1] == 1:
            found = found.repeat(2, axis=1)
        if not self.has_edges:
            found[:, 1] = 0
        return found


def save_segmenter(path: Path, segmenter: Segmenter, name: str) -> Path:
    """Write the network called `name`.

    Raises:
        RecordingError: nothing can be written there.
    """
    about = {
        "kind": KIND,
        "network": name,
        "origin": segmenter.origin,
        "threshold": f"{segmenter.threshold:.4f}",
        "edges": str(int(segmenter.has_edges)),
        "edge_threshold": f"{segmenter.edge_threshold:.4f}",
    }
    return save_weights(path, segmenter.network.state_dict(), about)


def open_segmenter(path: Path) -> Segmenter:
    """Read it, ready to be asked.

    Raises:
        RecipeError: no such file, or one of another kind.
    """
    state, about = read_weights(path, KIND, _REMEDY)
    network = build_network(about["network"], pretrained=False)
    fill(network, state, path.name)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return Segmenter(
        network=network.eval().to(device),
        threshold=float(about["threshold"]),
        has_edges=about["edges"] == "1",
        edge_threshold=float(about["edge_threshold"]),
        origin=about["origin"],
    )
