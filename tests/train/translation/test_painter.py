"""Pictures of any size go in and come out."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.train.translation.products import tiny_product
from train.simulate.appearance import Rendering
from train.translation import Translator
from train.translation.painter import Painter
from train.translation.product import open_product


def rendering(height: int, width: int, seed: int = 0) -> Rendering:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    valid = np.ones((height, width), bool)
    valid[:3] = False
    none = ~np.ones_like(valid)
    return Rendering(image, none, none, valid, none)


@pytest.fixture(scope="module")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Painter:
    return Painter.open(tiny_product(tmp_path_factory.mktemp("translator")))


class Negative(Translator):
    """Translates by turning pictures over; brighter by a style."""

    Options = int

    @property
    def product(self) -> nn.Module:
        return self

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {}

    def step(self, batch: object, descend: object) -> dict[str, Tensor]:
        return {}

    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        return -simulated if style is None else style[:, :, None, None].expand_as(simulated)

    def random_styles(self, count: int, dice: torch.Generator) -> Tensor:
        return torch.rand(count, 3, generator=dice) * 2 - 1


@pytest.fixture
def negative(painter: Painter) -> Painter:
    return Painter(Negative(), painter.about)


def test_values_are_rounded_to_the_nearest(negative: Painter) -> None:
    shown = rendering(16, 16)
    found = negative([shown])[0]
    assert np.array_equal(found[3:], 255 - shown.image[3:])


def test_what_lies_outside_the_view_stays(negative: Painter) -> None:
    shown = rendering(16, 16)
    assert np.array_equal(negative([shown])[0][:3], shown.image[:3])


@pytest.mark.parametrize("size", [(64, 64), (50, 67)])
def test_any_size_comes_back_as_it_went_in(painter: Painter, size: tuple[int, int]) -> None:
    found = painter([rendering(*size), rendering(*size, 1)])
    assert found.shape == (2, *size, 3)
    assert found.dtype == np.uint8


def test_padding_leaves_a_picture_of_a_good_size_alone(painter: Painter, tmp_path: Path) -> None:
    shown = rendering(32, 32)
    translator, _ = open_product(tiny_product(tmp_path))
    picture = torch.from_numpy(shown.image).permute(2, 0, 1)[None] / 127.5 - 1
    with torch.no_grad():
        wanted = (translator.translate(picture)[0].permute(1, 2, 0) + 1) * 127.5
    assert np.abs(painter([shown])[0][3:] - wanted.numpy()[3:]).max() <= 0.501


def test_each_picture_gets_its_style_whatever_the_batch(negative: Painter) -> None:
    styles = negative.styles(10, [1, 2])
    assert styles is not None
    found = negative([rendering(16, 16)] * 10, styles)
    wanted = ((styles + 1) * 127.5).round().numpy()
    assert np.array_equal(found[:, 8, 8], wanted)


def test_styles_depend_on_the_seed_alone(negative: Painter, painter: Painter) -> None:
    one, same, other = (negative.styles(2, seed) for seed in ([1, 2], [1, 2], [1, 3]))
    assert one is not None
    assert same is not None
    assert other is not None
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert painter.styles(2, [1]) is None
