import torch

from train.networks.generator import Generator
from train.networks.styled import StyledGenerator, StyledShape

TINY = StyledShape(width=4, content_blocks=1, style_blocks=1)
PICTURES = torch.rand(2, 3, 32, 24, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_size_and_range_are_kept() -> None:
    found = StyledGenerator(TINY)(PICTURES, torch.zeros(2, 8))
    assert found.shape == PICTURES.shape
    assert found.abs().max() <= 1


def test_it_is_lighter_than_the_generator_of_cyclegan() -> None:
    with torch.device("meta"):
        ours, theirs = (
            sum(weight.numel() for weight in network.parameters())
            for network in (StyledGenerator(), Generator())
        )
    assert ours < 0.55 * theirs


def test_a_code_changes_the_look_but_not_the_content() -> None:
    torch.manual_seed(0)
    generator = StyledGenerator(TINY)
    one, other = (generator(PICTURES, torch.full((2, 8), value)) for value in (0.0, 3.0))
    assert not torch.allclose(one, other)
    features = generator.features(PICTURES, generator.taps)
    assert [each.shape[1] for each in features] == list(generator.channels)


def test_every_weight_has_a_gradient() -> None:
    torch.manual_seed(0)
    generator = StyledGenerator(TINY)
    generator(PICTURES, torch.randn(2, 8)).square().mean().backward()
    weights = {name: each for name, each in generator.named_parameters() if "weight" in name}
    assert all(each.grad is not None and each.grad.any() for each in weights.values())


def test_codes_matter_from_the_first_step() -> None:
    """Begun as small as the rest they changed a thirtieth of a grey level, and never mattered."""
    torch.manual_seed(0)
    generator = StyledGenerator(StyledShape(width=8, content_blocks=1, style_blocks=1))
    with torch.no_grad():
        one, other = (generator(PICTURES, torch.randn(2, 8)) for _ in range(2))
    assert 127.5 * (one - other).abs().mean() > 5
