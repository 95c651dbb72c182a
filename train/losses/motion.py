"""Where a pixel goes when the tip moves a little: the simulator knows depth and lens.

To first order, for any lens: a point p = d·r of the camera's coordinates is at p - t - ω × p after
the tip has moved by t and turned by ω. Its ray has changed by Δr, and the pixel that sees Δr more
lies J⁺Δr further, where J are the slopes of the rays over the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

_FARTHEST_PX = 16.0
"""Nothing that moves more is followed: it is too near."""


@dataclass(frozen=True, slots=True)
class Movement:
    """Of the tip, one a picture; camera coordinates."""

    way_mm: Tensor
    """t, (B, 3)."""
    turn_rad: Tensor
    """ω, (B, 3)."""


def displacement(rays: Tensor, depth_mm: Tensor, movement: Movement) -> tuple[Tensor, Tensor]:
    """(B, 2, H, W) px to the right and down, and where it is known (B, H, W).

    Args:
        rays: (B, 3, H, W) unit, zero where unknown.
        depth_mm: (B, H, W) along the rays, 0 where unknown.
        movement: of the tip.
    """
    point = depth_mm[:, None] * rays
    turn = movement.turn_rad[:, :, None, None].expand_as(point)
    moved = point - movement.way_mm[:, :, None, None] - torch.linalg.cross(turn, point, dim=1)
    change = functional.normalize(moved, dim=1, eps=1e-6) - rays
    down, across = torch.gradient(rays, dim=(2, 3))
    aa, ab, bb = ((a * b).sum(1) for a, b in ((across, across), (across, down), (down, down)))
    a, b = (across * change).sum(1), (down * change).sum(1)
    determinant = aa * bb - ab.square()
    known = (depth_mm > 0) & (determinant > 1e-12)
    safe = torch.where(known, determinant, 1.0)
    found = torch.stack([(bb * a - ab * b) / safe, (aa * b - ab * a) / safe], 1)
    known &= found.abs().amax(1) < _FARTHEST_PX
    return torch.where(known[:, None], found, 0.0), known


def moved(planes: Tensor, displaced: Tensor) -> Tensor:
    """(B, C, H, W) → the same where each pixel shows what has come to it, bilinear.

    Args:
        planes: before.
        displaced: (B, 2, H, W) px, of what is at a pixel after the movement.
    """
    height, width = planes.shape[2:]
    down, across = torch.meshgrid(
        torch.arange(height, device=planes.device), torch.arange(width, device=planes.device),
        indexing="ij",
    )  # fmt: skip
    x, y = across - displaced[:, 0], down - displaced[:, 1]
    place = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], -1)
    return functional.grid_sample(
        planes, place.to(planes.dtype), padding_mode="border", align_corners=True
    )


def still_seen(seen: Tensor, displaced: Tensor, known: Tensor) -> Tensor:
    """(B, H, W) bool: known, seen before and after, and what came there was in the picture."""
    height, width = seen.shape[1:]
    edge = torch.zeros_like(seen)
    edge[:, 1 : height - 1, 1 : width - 1] = True
    before = moved((seen & edge)[:, None].float(), displaced)[:, 0]
    return known & seen & (before > 0.999)
