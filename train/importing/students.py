"""The network of a sealed bundle, opened again so that training can go on from it.

Export folds every norm into the convolution before it. Here each norm is put back: with the mean
and variance of what it is given on some pictures, and the gain and shift that undo them, the
network says what the bundle says and learns as one that was never folded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from engine.bundle import ModelBundle
from engine.errors import BundleError, RecipeError
from train.data import to_network
from train.importing import Imported, Told, one_file
from train.networks.student import FoldStudent, build_student
from train.sampling import evenly_spread
from train.simulate.appearance import drawn
from train.simulate.dataset import SimulatedSet

_PICTURES = 64
_SIDE = 64
"""Of the picture that is sent through to see the order of the layers, px."""

Convolution = tuple[Tensor, Tensor | None]
"""Weight and bias."""


def import_student(files: Sequence[Path], told: Told) -> Imported:
    """`model.onnx` of a bundle → weights of the network called `student`.

    Raises:
        RecipeError: another network, or no simulated set was named.
    """
    path = one_file(files)
    if told.data is None:
        raise RecipeError("Norms are measured on simulated pictures.", "Name a set: --data SET.")
    network = build_student(pretrained=False).eval()
    unfold(network, read_convolutions(path), path.name)
    pictures = simulated_pictures(SimulatedSet(told.data), _PICTURES)
    renew_norms(network, pictures)
    return Imported(network.state_dict(), {"bundle": _bundle_of(path)})


def _bundle_of(path: Path) -> str:
    """Name and version of the bundle that a network lies in; "" where it lies elsewhere."""
    try:
        bundle = ModelBundle.open(path.parent)
    except BundleError:
        return ""
    return f"{bundle.name} {bundle.version}"


def read_convolutions(path: Path) -> list[Convolution]:
    """Weights and biases of the learned convolutions of an ONNX file, in the order they run.

    Raises:
        RecipeError: not an ONNX file.
    """
    try:
        graph = onnx.load(path).graph
    except Exception as error:
        raise RecipeError(f"{path} is not an ONNX file: {error}.", "Name a bundle's.") from error
    tensors = {each.name: torch.from_numpy(numpy_helper.to_array(each).copy())
               for each in graph.initializer}  # fmt: skip
    return [
        (tensors[node.input[1]], tensors[node.input[2]] if len(node.input) > 2 else None)
        for node in graph.node
        if node.op_type == "Conv" and node.input[1] in tensors
    ]


def unfold(network: FoldStudent, convolutions: Sequence[Convolution], origin: str) -> None:
    """Fill a network with convolutions that hold the norms behind them.

    Norms become the identity but for a shift, the bias.

    Raises:
        RecipeError: number or shapes are another network's; `origin` says whose.
    """
    layers = list(_in_order(network))
    if len(layers) != len(convolutions):
        raise RecipeError(
            f"{origin} has {len(convolutions)} convolutions, the student {len(layers)}.",
            "Only a student's float32 network can be opened again.",
        )
    for (convolution, norm), (weight, bias) in zip(layers, convolutions, strict=True):
        if convolution is network.head and weight.shape[0] * 4 == convolution.out_channels:
            # Bundles before 0.3 gave one value for four pixels.
            weight = weight.repeat_interleave(4, 0)
            bias = None if bias is None else bias.repeat_interleave(4)
        _fill(convolution, norm, weight, bias, origin)


@torch.no_grad()
def _fill(
    convolution: nn.Conv2d,
    norm: nn.BatchNorm2d | None,
    weight: Tensor,
    bias: Tensor | None,
    origin: str,
) -> None:
    if weight.shape != convolution.weight.shape or bias is None:
        raise RecipeError(
            f"{origin}: a convolution has {tuple(weight.shape)}, the student's "
            f"{tuple(convolution.weight.shape)}.",
            "Only a student's float32 network can be opened again.",
        )
    convolution.weight.copy_(weight)
    if norm is None:
        assert convolution.bias is not None
        convolution.bias.copy_(bias)
        return
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.zero_()
    norm.running_var.fill_(1 - norm.eps)
    norm.weight.fill_(1)
    norm.bias.copy_(bias)


@torch.no_grad()
def _in_order(network: nn.Module) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """The convolutions of a network as they run, each with the norm right behind it."""
    ran: list[nn.Module] = []
    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.BatchNorm2d)]
    hooks = [each.register_forward_hook(lambda layer, *_: ran.append(layer)) for each in layers]
    network(torch.zeros(1, 3, _SIDE, _SIDE))
    for hook in hooks:
        hook.remove()
    for layer, following in zip(ran, [*ran[1:], None], strict=True):
        if isinstance(layer, nn.Conv2d):
            yield layer, following if isinstance(following, nn.BatchNorm2d) else None


@torch.no_grad()
def renew_norms(network: nn.Module, pictures: Tensor) -> None:
    """Give every norm the statistics of what it meets on (N, H, W, 3) bytes; answers stay.

    Of a norm γ(x − μ)/√(σ² + ε) + β only new μ and σ² are taken; γ and β change so that it
    computes the same.
    """
    met: dict[nn.BatchNorm2d, list[Tensor]] = {}
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]

    def meet(norm: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        (values,) = given
        moments = torch.stack([values.mean((0, 2, 3)), values.square().mean((0, 2, 3))])
        met.setdefault(norm, []).append(moments)

    hooks = [each.register_forward_pre_hook(meet) for each in norms]
    network.eval()
    for part in torch.split(pictures, 8):
        network(to_network(part, torch.device("cpu")))
    for hook in hooks:
        hook.remove()
    for norm, moments in met.items():
        mean, square = torch.stack(moments).mean(0)
        _take(norm, mean, (square - mean.square()).clamp_min(1e-6))


def _take(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor) -> None:
    assert norm.running_mean is not None and norm.running_var is not None
    slope = norm.weight / (norm.running_var + norm.eps).sqrt()
    norm.bias.add_(slope * (mean - norm.running_mean))
    norm.weight.copy_(slope * (variance + norm.eps).sqrt())
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)


def simulated_pictures(data: SimulatedSet, count: int) -> Tensor:
    """(N, H, W, 3) bytes: training pictures of a set in the rich look."""
    frames = data.frames("train")
    chosen = [frames[number] for number in evenly_spread(len(frames), count)]
    images = [drawn(data, at, np.random.default_rng([3, number]), "rich").image
              for number, at in enumerate(chosen)]  # fmt: skip
    return torch.from_numpy(np.stack(images))
