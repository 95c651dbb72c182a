"""Pictures a second of the depth-consistent CycleGAN: our step against the reference's.

    python benchmarks/translation.py [--size 128] [--width 32] [--blocks 6] [--batch 4] [--rounds 3]

The reference's is what the released code does: float32, one pair a step, contiguous, not compiled;
its depth network is not frozen, and looks at three more pictures a step whose depth nobody uses.
Ours has the same terms and networks: bfloat16, several pairs a step, channels last, the depth
network frozen and run once; compiled where asked for (`--compile`: minutes of waiting on a
processor). Both take turns in one process (`--batch 1 --float32` shows what is
left without them). Weights are random, which changes no time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

from train.depth.anything import DepthAnythingEstimator
from train.depth.colon import ColonEstimator
from train.networks.colon_depth import build_colon_depth
from train.networks.depth_anything import SIZES, DepthAnything
from train.translation import Batch
from train.translation.cyclegan import CycleOptions, DepthCycleGAN, DepthCycleOptions

CRITICS: dict[str, Callable[[], ColonEstimator | DepthAnythingEstimator]] = {
    "colon": lambda: ColonEstimator(build_colon_depth(pretrained=False)),
    "depth-anything": lambda: DepthAnythingEstimator(DepthAnything(SIZES["vits"], "v1")),
}


class ReferenceStep(DepthCycleGAN):
    """The same terms, with the depth passes that the released code wastes."""

    def generator_terms(
        self, batch: Batch, translated: Tensor, simulated_like: Tensor
    ) -> dict[str, Tensor]:
        """Depth of further pictures, with everything kept for a way back that is never gone."""
        unused = [self._depth.open()(each)
                  for each in (batch.real, simulated_like, batch.simulated)]  # fmt: skip
        terms = super().generator_terms(batch, translated, simulated_like)
        del unused
        return terms


class Steps:
    """One translator that learns from one batch again and again."""

    def __init__(self, translator: DepthCycleGAN, batch: Batch, *, is_short: bool) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._translator = translator.to(self.device).train()
        self._batch, self._is_short = batch.to(self.device), is_short

    def __call__(self) -> None:
        """One step."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._is_short):
            self._translator.step(self._batch, self._descend)

    def _descend(self, optimiser: Optimizer, loss: Tensor) -> None:
        optimiser.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, enabled=False):
            loss.float().backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def cost_s(self) -> float:
        """Of one pair of pictures: processor time, or the clock's where a GPU works."""
        is_gpu = self.device.type == "cuda"
        clock = time.perf_counter if is_gpu else time.process_time
        started_s = clock()
        self()
        if is_gpu:
            torch.cuda.synchronize()
        return (clock() - started_s) / len(self._batch.simulated)


def reference(options: argparse.Namespace, critic: str) -> Steps:
    """As the released code does it."""
    depth = CRITICS[critic]().requires_grad_(True)
    translator = ReferenceStep(_settings(options), depth)
    return Steps(translator, _batch(1, options.size), is_short=False)


def ours(options: argparse.Namespace, critic: str) -> Steps:
    """As `train.translation.training` does it."""
    depth = CRITICS[critic]()
    translator = DepthCycleGAN(_settings(options), depth)
    for weight in translator.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    if options.compile:
        for network in translator.children():
            network.compile()
    batch = _batch(options.batch, options.size, torch.channels_last)
    return Steps(translator, batch, is_short=not options.float32)


def _settings(options: argparse.Namespace) -> DepthCycleOptions:
    return DepthCycleOptions(CycleOptions(options.width, options.blocks))


def _batch(count: int, size: int, layout: torch.memory_format = torch.contiguous_format) -> Batch:
    def pictures() -> Tensor:
        return (torch.rand(count, 3, size, size) * 2 - 1).contiguous(memory_format=layout)

    everywhere = torch.ones(count, size, size, dtype=torch.bool)
    return Batch(
        simulated=pictures(), real=pictures(), seen=everywhere, seen_real=everywhere,
        depth_mm=5 + 60 * torch.rand(count, size, size), normal=pictures(), rays=pictures(),
        fold=everywhere, edge=everywhere, instances=everywhere.int(),
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=int, default=128, help="the paper's: 256")
    parser.add_argument("--width", type=int, default=32, help="the paper's: 64")
    parser.add_argument("--blocks", type=int, default=6, help="the paper's: 9")
    parser.add_argument("--batch", type=int, default=4, help="pairs a step, ours")
    parser.add_argument("--rounds", type=int, default=3, help="steps that are timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--float32", action="store_true", help="ours too")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"Generator {options.width} wide, {options.blocks} blocks, {options.size}x{options.size}")
    print(
        f"{options.threads} thread(s), load {os.getloadavg()[0]:.1f}, torch {torch.__version__}\n"
    )
    print("| depth network | reference, pairs/s | ours, pairs/s | ours / reference |")
    print("|---|---|---|---|")
    for critic in CRITICS:
        sides = reference(options, critic), ours(options, critic)
        for side in sides:
            side()
        costs = [[side.cost_s() for side in sides] for _ in range(options.rounds)]
        theirs_s, ours_s = (statistics.median(column) for column in zip(*costs, strict=True))
        print(f"| {critic} | {1 / theirs_s:.2f} | {1 / ours_s:.2f} | {theirs_s / ours_s:.2f} |")


if __name__ == "__main__":
    main()
