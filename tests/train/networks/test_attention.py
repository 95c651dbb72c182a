from __future__ import annotations

import torch

from train.networks.attention import Mlp, SelfAttention, drop_path


def test_attention_is_the_softmax_of_scaled_products() -> None:
    torch.manual_seed(2)
    layer, tokens = SelfAttention(8, 2), torch.randn(1, 3, 8)
    query, key, value = layer.qkv(tokens)[0].split(8, dim=1)
    heads = [
        ((query[:, h] @ key[:, h].T) / 2).softmax(1) @ value[:, h]
        for h in (slice(0, 4), slice(4, 8))
    ]
    wanted = layer.proj(torch.cat(heads, 1))
    assert torch.allclose(layer(tokens)[0], wanted, atol=1e-6)


def test_nothing_is_dropped_after_training() -> None:
    change = torch.ones(4, 2)
    assert drop_path(change, 0.5, False) is change
    assert drop_path(change, 0.0, True) is change


def test_whole_rows_are_dropped_and_the_rest_makes_up_for_them() -> None:
    torch.manual_seed(1)
    found = drop_path(torch.ones(4000, 2), 0.25, True)
    assert torch.equal(found[:, 0], found[:, 1])
    assert set(found.unique().tolist()) == {0.0, float(torch.tensor(1 / 0.75))}
    assert abs(float(found.mean()) - 1) < 0.03


def test_an_mlp_has_no_dropout_unless_told() -> None:
    torch.manual_seed(1)
    layer, tokens = Mlp(4).train(), torch.randn(1, 2, 4)
    assert torch.equal(layer(tokens), layer(tokens))
    layer = Mlp(4, 0.5).train()
    assert not torch.equal(layer(tokens), layer(tokens))
