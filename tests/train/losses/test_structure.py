"""Steps by hand: a wall of two flat halves."""

import math

import pytest
import torch
from torch import Tensor

from train.losses.structure import flat_wall, invented_edges, log_brightness, lost_edges, steps

REACH = 2
ALL = torch.ones(1, 16, 16, dtype=torch.bool)


def halves(height: float) -> Tensor:
    """(1, 16, 16): 0 on the left, `height` on the right from column 8."""
    plane = torch.zeros(1, 16, 16)
    plane[..., 8:] = height
    return plane


def at_edge() -> Tensor:
    edge = torch.zeros(1, 16, 16, dtype=torch.bool)
    edge[..., 7:9] = True
    return edge


def test_brightness_is_a_logarithm() -> None:
    grey = torch.zeros(1, 3, 1, 1)
    assert log_brightness(grey).item() == pytest.approx(math.log(0.55))


def test_a_step_keeps_its_height_and_points_to_the_bright_side() -> None:
    # reach 2: squares of 3 centred 2 pixels away; at column 8 they cover 5..7 and 9..11.
    found = steps(halves(0.5), REACH)
    assert found.shape == (1, 2, 16, 16)
    assert found[0, :, 5, 8].tolist() == pytest.approx([0.5, 0.0])
    assert found[0, :, 5, 2].tolist() == pytest.approx([0.0, 0.0])


def test_below_is_positive() -> None:
    found = steps(halves(0.5).transpose(1, 2), REACH)
    assert found[0, :, 8, 5].tolist() == pytest.approx([0.0, 0.5])


def test_fine_texture_is_no_step() -> None:
    stripes = torch.tensor([0.0, 1.0, 0.0]).repeat(6)[:16].expand(1, 16, 16)
    assert steps(stripes, REACH)[..., 4:12].abs().max().item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("after", "expected"),
    # Kept, stronger, half as strong, gone, turned over.
    [(0.4, 0.0), (0.8, 0.0), (0.2, 0.5), (0.0, 1.0), (-0.4, 2.0)],
)
def test_an_edge_costs_what_it_has_lost(after: float, expected: float) -> None:
    # At columns 7 and 8 the step has its full height 2/3 and 1 times: sums of the ratio.
    before, now = (steps(halves(height), REACH) for height in (0.4, after))
    whole = before[:, 0].mul(at_edge()).sum().item() / at_edge().sum().item()
    found = lost_edges(before, now, at_edge()).item()
    assert found == pytest.approx(expected * whole, abs=1e-3)


def test_only_what_exceeds_the_margin_is_invented() -> None:
    flat = torch.zeros(1, 16, 16, dtype=torch.bool)
    flat[:, 5, 8] = True
    nothing = steps(halves(0.0), REACH)
    found = invented_edges(nothing, steps(halves(0.5), REACH), flat, 0.1)
    assert found.item() == pytest.approx(0.4, abs=1e-3)
    assert invented_edges(nothing, steps(halves(0.05), REACH), flat, 0.1) == 0
    assert invented_edges(steps(halves(0.5), REACH), steps(halves(0.5), REACH), flat, 0.1) == 0


def test_wall_is_flat_at_a_distance_from_every_fold() -> None:
    none = torch.zeros_like(ALL)
    fold = none.clone()
    fold[0, 0, 8] = True
    flat = flat_wall(fold, none, ALL, 1)
    assert flat[0, 0].tolist() == [not 6 <= column <= 10 for column in range(16)]
    assert flat[0, 3:].all()


def test_without_edges_nothing_is_lost() -> None:
    one = steps(halves(0.4), REACH).requires_grad_()
    term = lost_edges(steps(halves(0.4), REACH), one, torch.zeros_like(ALL))
    term.backward()
    assert term == 0
    assert one.grad is not None
    assert torch.isfinite(one.grad).all()
