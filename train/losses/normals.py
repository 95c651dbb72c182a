"""Normals of a depth map, and how far they turn from the true ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from train.losses.segmentation import weighted_mean

_STEEPEST = 0.2
"""Of ln(depth) between the neighbours of a pixel: beyond, two surfaces meet there, not one."""


def normals(depth: Tensor, rays: Tensor) -> Tensor:
    """(B, H, W) along rays (B, 3, H, W) → unit normals (B, 3, H, W), towards the camera.

    Cross product of central differences of depth · ray: any scale of depth gives the same.
    """
    down, across = torch.gradient(depth[:, None] * rays, dim=(2, 3))
    normal = functional.normalize(torch.linalg.cross(across, down, dim=1), dim=1, eps=1e-8)
    away = (normal * rays).sum(1, keepdim=True) > 0
    return torch.where(away, -normal, normal)


def one_surface(depth: Tensor, valid: Tensor) -> Tensor:
    """(B, H, W) bool: a pixel and all its eight neighbours are valid and of one surface.

    Args:
        depth: (B, H, W) true.
        valid: (B, H, W) bool.
    """
    known = valid & (depth > 0)
    whole = functional.max_pool2d((~known)[:, None].float(), 3, 1, 1)[:, 0] == 0
    whole[:, [0, -1]] = False
    whole[:, :, [0, -1]] = False
    slope = torch.stack(torch.gradient(depth.clamp_min(1e-6).log(), dim=(1, 2)))
    return whole & (2 * slope.abs().amax(0) < _STEEPEST)


def normal_disagreement(found: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """mean(1 - n·n*) over valid pixels: (B, 3, H, W) each, valid (B, H, W); 0 agrees, 2 opposes.

    Where the truth is no unit vector it is unknown and does not count.
    """
    known = valid & (truth.square().sum(1) > 0.25)
    return weighted_mean(1 - (found * truth).sum(1), known.float())
