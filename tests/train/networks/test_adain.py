"""Counts and shapes of the public checkpoints; the norm by hand."""

import pytest
import torch

from train.networks.adain import (
    TAPS,
    Vgg,
    VggDecoder,
    adaptive_instance_norm,
    statistics,
)

with torch.device("meta"):
    FULL, DECODER = Vgg(layers=53), VggDecoder()


@pytest.mark.parametrize(
    ("network", "entries", "elements"),
    [(FULL, 34, 20_024_396), (DECODER, 18, 3_505_219)],
    ids=["vgg", "decoder"],
)
def test_entries_and_elements_are_the_published_ones(
    network: torch.nn.Module, entries: int, elements: int
) -> None:
    state = network.state_dict()
    assert (len(state), sum(each.numel() for each in state.values())) == (entries, elements)


def test_convolutions_have_the_published_numbers() -> None:
    numbers = [int(name.split(".")[0]) for name in FULL.state_dict() if name.endswith("weight")]
    expected = [0, 2, 5, 9, 12, 16, 19, 22, 25, 29, 32, 35, 38, 42, 45, 48, 51]
    assert numbers == expected
    numbers = [int(name.split(".")[0]) for name in DECODER.state_dict() if name.endswith("weight")]
    assert numbers == [1, 5, 8, 11, 14, 18, 21, 25, 28]


def test_taps_are_the_first_activations_of_each_stage() -> None:
    features = Vgg(2, 44).features(torch.rand(1, 3, 64, 48), TAPS)
    shapes = [tuple(each.shape[1:]) for each in features]
    assert shapes == [(2, 64, 48), (4, 32, 24), (8, 16, 12), (16, 8, 6), (16, 4, 3)]
    assert all((each >= 0).all() for each in features)


def test_a_shorter_encoder_is_a_part_of_the_longer() -> None:
    with torch.device("meta"):
        assert set(Vgg(layers=31).state_dict()) < set(FULL.state_dict())
        assert list(Vgg(layers=31).state_dict())[-1] == "29.bias"


def test_the_decoder_undoes_the_halvings() -> None:
    assert VggDecoder(2)(torch.rand(1, 16, 4, 6)).shape == (1, 3, 32, 48)


def test_statistics_are_those_of_a_sample() -> None:
    x = torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)
    assert statistics(x).flatten().tolist() == pytest.approx([2, 2**0.5], rel=1e-4)


def test_content_takes_on_the_statistics_of_the_style() -> None:
    x = torch.tensor([1.0, 3.0]).reshape(1, 1, 1, 2)
    found = adaptive_instance_norm(x, torch.tensor([[[10.0], [2.0]]]))
    # ±1/sqrt(2) · 2 + 10.
    assert found.flatten().tolist() == pytest.approx([10 - 2**0.5, 10 + 2**0.5], rel=1e-4)
