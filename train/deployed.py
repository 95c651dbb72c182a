"""A trained network as the engine runs it: from bytes to probabilities, and perhaps depth."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from engine.bundle import CHANNELS, DEPTH, NETWORK, OUTPUT

_NEAREST, _FARTHEST = -4.0, 8.0
"""Logarithms of 0.02 and 3000 mm: what a float16 can say, and far beyond any colon."""


class Deployed(nn.Module):
    """What the bundle holds: (1, size, size, 3) uint8 RGB → `probability`, and `depth` if any.

    Args:
        network: (1, 3, size, size) → (1, 2 or 3, size, size): logits of fold and edge, and the
            logarithm of depth.
        has_depth: whether it gives that third plane.
    """

    def __init__(self, network: nn.Module, *, has_depth: bool) -> None:
        super().__init__()
        self.network = network
        self._has_depth = has_depth

    def forward(self, image: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Scaling, sigmoid and exponential are inside the graph."""
        # Made float first: TensorRT does nothing else to bytes.
        planes: Tensor = self.network(image.float().permute(0, 3, 1, 2))
        if not self._has_depth:
            return planes.sigmoid()
        depth = planes[:, 2:].clamp(_NEAREST, _FARTHEST).exp()
        return planes[:, :2].sigmoid(), depth


@torch.no_grad()
def planes_of(network: nn.Module) -> tuple[str, ...]:
    """Names of a network's planes."""
    count = int(network.eval()(torch.zeros(1, 3, 64, 64)).shape[1])
    return (*CHANNELS, DEPTH)[:count]


def to_onnx(network: nn.Module, size: int) -> bytes:
    """The network as ONNX: from `image` to `probability`, and `depth` where it gives that."""
    planes = planes_of(network)
    deployed = Deployed(network, has_depth=DEPTH in planes).eval().cpu()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        path = Path(folder) / NETWORK
        warnings.simplefilter("ignore")  # torch announces its other exporter
        torch.onnx.export(
            deployed,
            (torch.zeros(1, size, size, 3, dtype=torch.uint8),),
            path,
            input_names=["image"],
            output_names=[OUTPUT, *planes[2:]],
            opset_version=17,
            dynamo=False,
        )
        return path.read_bytes()
