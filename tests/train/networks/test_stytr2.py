"""Counts and shapes of the public checkpoints, and who looks at whom."""

import pytest
import torch
from torch import nn

from train.networks.stytr2 import DecoderLayer, PatchEmbedding, StyleTransformer, StytrShape

TINY = StytrShape(width=16, heads=2, hidden=8, layers=1)
with torch.device("meta"):
    FULL, EMBEDDING = StyleTransformer(), PatchEmbedding()


@pytest.mark.parametrize(
    ("network", "entries", "elements"),
    [(FULL, 130, 31_790_080), (EMBEDDING, 2, 98_816)],
    ids=["transformer", "embedding"],
)
def test_entries_and_elements_are_the_published_ones(
    network: nn.Module, entries: int, elements: int
) -> None:
    state = network.state_dict()
    assert (len(state), sum(each.numel() for each in state.values())) == (entries, elements)


def test_entries_have_the_published_names() -> None:
    state = FULL.state_dict()
    shapes = {
        "encoder_c.layers.0.self_attn.in_proj_weight": (1536, 512),
        "encoder_s.layers.2.linear1.weight": (2048, 512),
        "decoder.layers.1.multihead_attn.out_proj.weight": (512, 512),
        "decoder.layers.2.norm3.bias": (512,),
        "decoder.norm.weight": (512,),
        "new_ps.weight": (512, 512, 1, 1),
    }
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_content_keeps_its_size_and_a_style_may_have_another() -> None:
    found = StyleTransformer(TINY)(torch.rand(2, 16, 3, 5), torch.rand(2, 16, 4, 4))
    assert found.shape == (2, 16, 3, 5)


def test_the_order_of_the_styles_patches_does_not_matter() -> None:
    transformer = StyleTransformer(TINY).eval()
    content, style = torch.rand(1, 16, 3, 3), torch.rand(1, 16, 4, 4)
    found = transformer(content, style)
    assert torch.allclose(transformer(content, style.flip(2, 3)), found, atol=1e-5)


def test_what_a_decoder_asks_is_answered_by_the_style_alone() -> None:
    """With one patch of style every question has the same answer, whatever the content is."""
    torch.manual_seed(0)
    layer = DecoderLayer(TINY).eval()
    attention = layer.self_attn
    style = torch.rand(1, 1, 16)
    answers = [
        attention(torch.rand(1, 4, 16), style, style, need_weights=False)[0] for _ in range(2)
    ]
    assert torch.allclose(*answers)
    content = torch.rand(1, 4, 16)
    changed = torch.cat([content[:, :1], torch.rand(1, 3, 16)], dim=1)
    position = torch.zeros(1, 4, 16)
    one, other = (layer(each, style, position)[:, 0] for each in (content, changed))
    # No patch of the content has looked at another.
    assert torch.allclose(one, other)


def test_positions_come_from_the_content() -> None:
    transformer = StyleTransformer(TINY)
    flat = transformer.positions(torch.ones(1, 16, 6, 6))
    assert torch.allclose(flat, flat[..., :1, :1].expand_as(flat), atol=1e-5)
    assert transformer.positions(torch.rand(1, 16, 6, 6)).std((2, 3)).min() > 0
