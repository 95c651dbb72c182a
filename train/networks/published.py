"""TransUNet and EndoFM-TransUNet among the networks that `train.networks` builds.

Public weights want pictures in [-1, 1] and speak of two classes, of which only the difference
matters; here both channels are asked for: fold region and fold edge. `little` ones are the same
networks with fewer channels, for processors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

from engine.errors import RecipeError
from train.networks.endofm import EndoFMTransUNet
from train.networks.transunet import PUBLISHED, TransUNet, TransUNetOptions
from train.weights import fill, read_weights

LITTLE = TransUNetOptions(
    width=96, blocks=4, heads=4, stem=16, units=(1, 1, 2), entry=96, decoder=(64, 32, 24, 16)
)


class Standardised(nn.Module):
    """(B, 3, H, W), values 0..255 → what a network says of the same in [-1, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Logits (B, n, H, W): fold region and, where n = 2, fold edge."""
        logits: Tensor = self.network(image / 127.5 - 1)
        return logits


class Published(Standardised):
    """A network with public weights; H and W multiples of 16."""

    def __init__(self, network: nn.Module, part: nn.Module, kind: str) -> None:
        """`part` of the network is what public weights of a `kind` fill."""
        super().__init__(network)
        self._part, self._kind = (part,), kind  # A tuple, or its weights would count twice.

    def load_public(self, path: Path) -> None:
        """Fill what `haustra-train import` wrote.

        Raises:
            RecipeError: no such file, of another kind, or tensors that do not fit.
        """
        state, _ = read_weights(path, self._kind)
        fill(self._part[0], state, path.name)


def build_transunet(*, pretrained: bool = True) -> Published:
    """105 million weights. None travel with the package: `pretrained` changes nothing."""
    return _transunet(PUBLISHED)


def build_endofm_transunet(*, pretrained: bool = True) -> Published:
    """141 million weights; pictures of a batch keep to themselves. `pretrained` as above."""
    return _endofm_transunet(PUBLISHED)


def build_little_transunet(*, pretrained: bool = True) -> Published:
    """For processors. `pretrained` as above."""
    return _transunet(LITTLE)


def build_little_endofm_transunet(*, pretrained: bool = True) -> Published:
    """For processors. `pretrained` as above."""
    return _endofm_transunet(LITTLE)


def _transunet(options: TransUNetOptions) -> Published:
    network = TransUNet(options)
    return Published(network, network.transformer, "transunet")


def _endofm_transunet(options: TransUNetOptions) -> Published:
    network = EndoFMTransUNet(options, "clip")
    return Published(network, network.transformer.encoder, "endofm")


@runtime_checkable
class TakesWeights(Protocol):
    """A network that can start from a file by `haustra-train import`."""

    def load_public(self, path: Path) -> None:
        """Fill it."""
        ...


def open_public(network: nn.Module, weights: Path) -> None:
    """Start a network from weights that were imported.

    Raises:
        RecipeError: this network takes none, or not these.
    """
    if not isinstance(network, TakesWeights):
        raise RecipeError(
            f"{type(network).__name__} takes no public weights.", "Leave network.weights away."
        )
    network.load_public(weights)
