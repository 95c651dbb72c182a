from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from train.depth.accuracy import KnownDepth, as_scaled_depth, errors, measure
from train.depth.sheet import coloured, depth_sheet
from train.losses.depth import DepthPrediction

TRUTH = torch.tensor([[10.0, 20.0], [40.0, 0.0]])


class Exact:
    """Depth written into the first channel, wrong by a factor: (value + 1) · 100."""

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        return DepthPrediction((pictures[:, 0] + 1) * 100, is_inverse=False)


def picture(depth: Tensor, group: str) -> KnownDepth:
    image = np.repeat(depth.numpy()[..., None], 3, axis=2).astype(np.uint8)
    return KnownDepth(image, depth, group)


def test_errors_are_those_of_known_pixels() -> None:
    found = torch.tensor([[10.0, 22.0], [20.0, 5.0]])
    relative, within, log_rmse = errors(found, TRUTH)
    assert relative == pytest.approx((0 + 0.1 + 0.5) / 3)
    assert within == pytest.approx(2 / 3)
    assert log_rmse == pytest.approx(np.sqrt((np.log(1.1) ** 2 + np.log(2) ** 2) / 3))


def test_depth_is_scaled_by_the_median_of_its_picture() -> None:
    scaled = as_scaled_depth(DepthPrediction(3 * TRUTH[None], False), TRUTH[None])
    assert torch.allclose(scaled[0][TRUTH > 0], TRUTH[TRUTH > 0])


def test_inverse_depth_is_aligned_in_scale_and_shift() -> None:
    inverse = torch.where(TRUTH > 0, 7 / TRUTH.clamp_min(1e-6) + 2, 0.0)
    aligned = as_scaled_depth(DepthPrediction(inverse[None], True), TRUTH[None])
    assert torch.allclose(aligned[0][TRUTH > 0], TRUTH[TRUTH > 0], rtol=1e-4)


def test_a_wrong_scale_alone_is_no_error_and_groups_are_counted() -> None:
    pictures = [picture(TRUTH, "a"), picture(2 * TRUTH, "a"), picture(TRUTH, "b")]
    found = measure(Exact(), pictures)
    assert [figure.value for figure in found.figures] == pytest.approx([0, 1, 0], abs=1e-5)
    assert (found.pictures, found.groups) == (3, 2)


def test_pictures_without_known_depth_do_not_count() -> None:
    found = measure(Exact(), [picture(TRUTH, "a"), picture(torch.zeros(2, 2), "b")])
    assert (found.pictures, found.groups) == (1, 1)


def test_near_is_bright_and_unknown_black() -> None:
    colours = coloured(TRUTH, TRUTH).astype(int).sum(2)
    assert colours[0, 0] > colours[0, 1] > colours[1, 0]
    assert colours[1, 1] == 0


@pytest.mark.parametrize(("count", "rows", "columns"), [(2, 2, 3), (5, 3, 6)])
def test_a_sheet_has_three_columns_a_picture(count: int, rows: int, columns: int) -> None:
    pictures = [picture(TRUTH, "a")] * count
    assert depth_sheet(Exact(), pictures).shape == (rows * 2, columns * 2, 3)
