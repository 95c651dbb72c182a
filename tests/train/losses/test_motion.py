"""A pinhole camera of 40 px before a flat wall, where motion can be told by hand."""

import pytest
import torch
from torch import Tensor

from tests.train.translation.batches import pinhole_rays
from train.losses.motion import Movement, displacement, moved, still_seen

RAYS = pinhole_rays(1, 32)
WALL = 20 / RAYS[:, 2]
CENTRE = 16


def movement(
    way_mm: tuple[float, float, float] = (0, 0, 0), turn_rad: tuple[float, float, float] = (0, 0, 0)
) -> Movement:
    return Movement(torch.tensor([way_mm]).float(), torch.tensor([turn_rad]).float())


@pytest.mark.parametrize(
    ("tip", "expected"),
    [
        (movement(way_mm=(0.5, 0, 0)), (-1.0, 0.0)),  # -f·t / d = -40 · 0.5 / 20
        (movement(way_mm=(0, -0.25, 0)), (0.0, 0.5)),
        (movement(turn_rad=(0, 0.02, 0)), (-0.8, 0.0)),  # -f·ω
        (movement(turn_rad=(0.02, 0, 0)), (0.0, 0.8)),
        (movement(way_mm=(0, 0, 1)), (0.0, 0.0)),
    ],
)
def test_the_middle_of_the_picture_moves_as_calculated_by_hand(
    tip: Movement, expected: tuple[float, float]
) -> None:
    found, known = displacement(RAYS, WALL, tip)
    assert known.all()
    assert found[0, :, CENTRE, CENTRE].tolist() == pytest.approx(expected, abs=0.01)


def test_going_in_moves_everything_outwards_the_more_the_farther_out() -> None:
    found, _ = displacement(RAYS, WALL, movement(way_mm=(0, 0, 1)))
    # x·t / (d - t) = 8 · 1 / 19, to first order 8 / 20.
    assert found[0, 0, CENTRE, CENTRE + 8].item() == pytest.approx(0.4, abs=0.03)
    assert found[0, 1, CENTRE + 8, CENTRE].item() == pytest.approx(0.4, abs=0.03)
    assert found[0, 0, CENTRE, CENTRE - 8].item() == pytest.approx(-0.4, abs=0.03)


def test_what_is_unknown_or_too_near_does_not_move() -> None:
    depth = WALL.clone()
    depth[:, 0] = 0
    depth[:, 5] = 0.2
    found, known = displacement(RAYS, depth, movement(way_mm=(0.5, 0, 0)))
    assert not known[:, [0, 5]].any()
    assert not found[:, :, [0, 5]].any()
    nowhere = displacement(torch.zeros_like(RAYS), WALL, movement(way_mm=(0.5, 0, 0)))
    assert not nowhere[1].any()


def everywhere(right: float, down: float) -> Tensor:
    return torch.tensor([right, down])[None, :, None, None].expand(1, 2, 4, 6)


def test_pictures_move_right_and_down_by_what_they_are_told() -> None:
    picture = torch.arange(24.0).reshape(1, 1, 4, 6)
    assert torch.allclose(moved(picture, everywhere(0, 0)), picture, atol=1e-4)
    assert torch.allclose(moved(picture, everywhere(2, 0))[..., 2:], picture[..., :-2], atol=1e-4)
    assert torch.allclose(moved(picture, everywhere(0, 1))[..., 1:, :], picture[..., :-1, :])
    half = moved(picture, everywhere(0.5, 0))[0, 0, 0, 1:]
    assert half.tolist() == pytest.approx([0.5, 1.5, 2.5, 3.5, 4.5], abs=1e-4)


def test_what_comes_from_outside_the_picture_or_the_view_was_not_seen() -> None:
    seen = torch.ones(1, 4, 6, dtype=torch.bool)
    known = seen.clone()
    found = still_seen(seen, everywhere(2, 0), known)[0]
    assert found[1].tolist() == [False, False, False, True, True, True]
    seen[0, 1, 2] = False
    assert still_seen(seen, everywhere(1, 0), known)[0, 1].tolist() == [
        False, False, False, False, True, True,
    ]  # fmt: skip
