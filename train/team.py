"""Processes that train one network together, as torchrun starts them.

Each draws its own pictures; gradients are averaged and all take the same step. What a network
gathers without gradients, such as batch statistics, is the first process's in what is saved.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True, slots=True)
class Team:
    """The processes that train together."""

    rank: int = 0
    size: int = 1

    @classmethod
    def of_this_process(cls) -> Team:
        """As torchrun says; alone without it. Joins the others."""
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return cls()
        if not dist.is_initialized():
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return cls(dist.get_rank(), size)

    def average(self, weights: list[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.size == 1:
            return
        for weight in weights:
            if weight.grad is not None:
                dist.all_reduce(weight.grad)
                weight.grad /= self.size

    def agreed(self, value: float, device: torch.device) -> float:
        """The first process's value: clocks differ, and all must stop at the same step."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=device)
        dist.broadcast(shared, src=0)
        return float(shared)

    def device(self) -> torch.device:
        """A GPU of its own for every process of a machine, where there are some."""
        if not torch.cuda.is_available():
            return torch.device("cpu")
        return torch.device("cuda", self.rank % torch.cuda.device_count())

    def dice(self, seed: int, step: int) -> int:
        """A seed for one step of this process."""
        return (seed * 1_000_003 + step * self.size + self.rank) % 2**63


ALONE = Team()
