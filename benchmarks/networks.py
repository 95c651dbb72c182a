"""What each segmentation network costs: to learn, to run, to hold in memory.

    python benchmarks/networks.py [--size 256] [--batch 24] [--only NAME...] [--rounds 20]

Learning: pictures a second of whole steps (forward, Dice and cross-entropy, backward, AdamW), in
bfloat16 on a GPU. Running: milliseconds for one picture, on a GPU in float16 and recorded as a CUDA
graph, so that no time goes into starting kernels. Memory: the largest of a learning step, on a GPU.
On a processor both are float32, on one thread unless told. Weights are random: no time changes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from train.losses.segmentation import cross_entropy, dice
from train.networks import NETWORKS, build_network

_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Cost:
    """One row."""

    name: str
    millions: float
    """Of weights."""
    pictures_a_second: float
    latency_ms: float
    memory_mib: float | None
    """None on a processor."""

    def row(self) -> str:
        """Markdown."""
        memory = "" if self.memory_mib is None else f"{self.memory_mib:.0f}"
        return (
            f"| {self.name} | {self.millions:.1f} | {self.pictures_a_second:.1f} "
            f"| {self.latency_ms:.2f} | {memory} |"
        )


def learning_step(network: nn.Module, images: Tensor, truth: Tensor) -> Callable[[], None]:
    """One step of training, to be called again and again."""
    optimiser = torch.optim.AdamW(network.parameters())
    everywhere = torch.ones_like(truth)

    def step() -> None:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=images.is_cuda):
            logits = network(images)[:, 0]
        loss = dice(logits.float(), truth, everywhere)
        loss = loss + cross_entropy(logits.float(), truth, everywhere)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return step


def running(network: nn.Module, image: Tensor) -> Callable[[], None]:
    """One picture through the network; on a GPU a graph that is played back."""
    if not image.is_cuda:

        def run() -> None:
            with torch.inference_mode():
                network(image)

        return run
    network = network.half()
    given = image.half()
    aside = torch.cuda.Stream()
    with torch.inference_mode():
        with torch.cuda.stream(aside):  # Nothing may be set up while a graph is recorded.
            for _ in range(_WARM_UP):
                network(given)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            network(given)
    return graph.replay


def median_s(work: Callable[[], None], rounds: int, device: torch.device) -> float:
    """Seconds of the middle round."""
    times = []
    for number in range(_WARM_UP + rounds):
        began_s = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        if number >= _WARM_UP:
            times.append(time.perf_counter() - began_s)
    return statistics.median(times)


def cost_of(name: str, options: argparse.Namespace, device: torch.device) -> Cost:
    """Measure one network."""
    torch.manual_seed(1)
    network = build_network(name, pretrained=False).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    shape = (options.batch, 3, options.size, options.size)
    images = (torch.rand(shape, device=device) * 255).contiguous(memory_format=torch.channels_last)
    truth = (torch.rand(shape[0], *shape[2:], device=device) < 0.2).float()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    step_s = median_s(learning_step(network.train(), images, truth), options.rounds, device)
    memory = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else None
    latency_s = median_s(running(network.eval(), images[:1]), options.rounds, device)
    weights = sum(each.numel() for each in network.parameters())
    return Cost(name, weights / 1e6, options.batch / step_s, 1e3 * latency_s, memory)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=24, help="pictures a step")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1, help="of a processor")
    parser.add_argument("--only", nargs="+", choices=list(NETWORKS), default=list(NETWORKS))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    where = (
        torch.cuda.get_device_name() if device.type == "cuda" else f"{options.threads} thread(s)"
    )
    print(f"{where}, load {os.getloadavg()[0]:.1f}, torch {torch.__version__}, "
          f"{options.size}x{options.size}, {options.batch} pictures a step\n")  # fmt: skip
    print("| network | million weights | pictures/s, learning | ms a picture, running | MiB |")
    print("|---|---|---|---|---|")
    for name in options.only:
        print(cost_of(name, options, device).row(), flush=True)


if __name__ == "__main__":
    main()
