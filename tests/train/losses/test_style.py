import pytest
import torch

from train.losses.style import content_loss, style_loss

# Means 2 and 4, deviations sqrt(2) and sqrt(18) of a sample.
ONE = torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)
OTHER = torch.tensor([1.0, 7.0]).reshape(1, 1, 1, 2)


def test_style_compares_means_and_deviations() -> None:
    expected = (4 - 2) ** 2 + (18**0.5 - 2**0.5) ** 2
    assert style_loss([ONE], [OTHER]).item() == pytest.approx(expected, rel=1e-4)


def test_style_adds_layers_up_and_does_not_ask_where() -> None:
    assert style_loss([ONE, OTHER], [ONE.flip(3), OTHER.flip(3)]).item() == pytest.approx(0)
    double = style_loss([ONE, ONE], [OTHER, OTHER])
    assert double.item() == pytest.approx(2 * style_loss([ONE], [OTHER]).item())


def test_content_compares_place_by_place() -> None:
    assert content_loss([ONE], [OTHER]).item() == pytest.approx(16 / 2)


def test_normalised_content_ignores_level_and_contrast() -> None:
    assert content_loss([ONE], [OTHER], is_normalised=True).item() == pytest.approx(0, abs=1e-5)
    # ±1/sqrt(2) against the same turned over: (2/sqrt(2))² = 2.
    turned = content_loss([ONE], [ONE.flip(3)], is_normalised=True)
    assert turned.item() == pytest.approx(2, rel=1e-4)
