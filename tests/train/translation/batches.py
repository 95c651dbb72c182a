"""Small random batches with every field a translator may ask for."""

import torch

from train.translation import Batch


def random_batch(count: int = 2, size: int = 64, seed: int = 1) -> Batch:
    draw = torch.Generator().manual_seed(seed)
    shape = (count, size, size)

    def pictures() -> torch.Tensor:
        return torch.rand(count, 3, size, size, generator=draw) * 2 - 1

    normal = torch.randn(count, 3, size, size, generator=draw)
    instances = torch.randint(0, 3, shape, generator=draw, dtype=torch.int32)
    seen = torch.ones(shape, dtype=torch.bool)
    seen[:, :4] = False
    return Batch(
        simulated=pictures(),
        real=pictures(),
        seen=seen,
        seen_real=torch.ones(shape, dtype=torch.bool),
        depth_mm=5 + 60 * torch.rand(shape, generator=draw),
        normal=normal / normal.norm(dim=1, keepdim=True),
        fold=instances > 0,
        edge=torch.rand(shape, generator=draw) < 0.05,
        instances=instances,
    )
