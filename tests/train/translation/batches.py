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
        rays=pinhole_rays(count, size),
        fold=instances > 0,
        edge=torch.rand(shape, generator=draw) < 0.05,
        instances=instances,
    )


def pinhole_rays(count: int, size: int, focal_px: float = 40.0) -> torch.Tensor:
    """(count, 3, size, size) unit, the axis at the pixel (size / 2, size / 2)."""
    at = (torch.arange(size) - size / 2) / focal_px
    down, across = torch.meshgrid(at, at, indexing="ij")
    rays = torch.stack([across, down, torch.ones_like(down)])
    return (rays / rays.norm(dim=0)).expand(count, -1, -1, -1).contiguous()
