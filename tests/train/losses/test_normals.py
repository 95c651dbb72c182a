"""Planes and steps whose normals are known."""

import pytest
import torch

from tests.train.translation.batches import pinhole_rays
from train.losses.normals import normal_disagreement, normals, one_surface

RAYS = pinhole_rays(1, 32)


def plane(normal: tuple[float, float, float], distance_mm: float = 20.0) -> torch.Tensor:
    """(1, 32, 32) depth along the rays to the plane n·p = -distance."""
    facing = (RAYS * torch.tensor(normal)[:, None, None]).sum(1)
    return -distance_mm / facing


@pytest.mark.parametrize("normal", [(0.0, 0.0, -1.0), (0.6, 0.0, -0.8), (0.0, -0.28, -0.96)])
@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_normals_of_a_plane_are_its_own_at_any_scale(
    normal: tuple[float, float, float], scale: float
) -> None:
    found = normals(scale * plane(normal), RAYS)
    assert torch.allclose(found[0, :, 1:-1, 1:-1].mean((1, 2)), torch.tensor(normal), atol=1e-3)


def test_disagreement_is_one_less_the_cosine_over_what_is_known() -> None:
    truth = torch.zeros(1, 3, 2, 2)
    truth[:, 2] = -1
    truth[0, :, 1, 1] = 0
    found = torch.tensor([0.6, 0.0, -0.8])[:, None, None].expand(1, 3, 2, 2)
    valid = torch.tensor([[[True, True], [False, True]]])
    assert normal_disagreement(found, truth, valid).item() == pytest.approx(0.2)
    assert normal_disagreement(truth, truth, valid).item() == 0
    assert normal_disagreement(-truth, truth, valid).item() == pytest.approx(2)


def test_a_pixel_at_a_step_of_depth_belongs_to_no_one_surface() -> None:
    depth = torch.full((1, 8, 8), 10.0)
    depth[:, :, 4:] = 20
    depth[0, 1, 1] = 0
    whole = one_surface(depth, torch.ones(1, 8, 8, dtype=torch.bool))[0]
    assert whole[4].tolist() == [False, True, True, False, False, True, True, False]
    assert not whole[:3, :3].any()


def test_rougher_depth_turns_normals_and_can_be_smoothed_by_gradients() -> None:
    draw = torch.Generator().manual_seed(1)
    depth = plane((0.0, 0.0, -1.0)) + 0.2 * torch.randn(1, 32, 32, generator=draw)
    depth.requires_grad_(True)
    truth = normals(plane((0.0, 0.0, -1.0)), RAYS)
    everywhere = torch.ones(1, 32, 32, dtype=torch.bool)
    before = normal_disagreement(normals(depth, RAYS), truth, everywhere)
    before.backward()  # type: ignore[no-untyped-call]
    assert depth.grad is not None
    smoother = (depth - 2 * depth.grad / depth.grad.abs().max() * 0.1).detach()
    assert normal_disagreement(normals(smoother, RAYS), truth, everywhere) < before
