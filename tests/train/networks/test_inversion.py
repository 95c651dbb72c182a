import torch

from train.networks.inversion import CrossAttention, StyleWord, prompt


def test_entries_have_the_authors_names_and_shapes() -> None:
    with torch.device("meta"):
        state = StyleWord().state_dict()
    shapes = {name: tuple(each.shape) for name, each in state.items()}
    attention = {
        "to_q.weight": (512, 768), "to_k.weight": (512, 768), "to_v.weight": (512, 768),
        "to_out.0.weight": (768, 512), "to_out.0.bias": (768,),
    }  # fmt: skip
    assert shapes == {
        **{f"attn1.{name}": shape for name, shape in attention.items()},
        **{f"attn2.{name}": shape for name, shape in attention.items()},
        "net.1.weight": (768, 768),
        "net.1.bias": (768,),
    }


def test_attention_to_one_place_is_what_is_there() -> None:
    attention = CrossAttention(6, 2, 4, 0.0)
    context = torch.rand(1, 1, 6)
    expected = attention.to_out(attention.to_v(context))
    assert torch.allclose(attention(torch.rand(1, 3, 6), context), expected.expand(1, 3, 6))


def test_attention_weighs_by_likeness() -> None:
    attention = CrossAttention(2, 1, 2, 0.0)
    for layer in (attention.to_q, attention.to_k, attention.to_v, attention.to_out[0]):
        layer.weight.data = torch.eye(2)
    torch.nn.init.zeros_(attention.to_out[0].bias)
    found = attention(torch.tensor([[[2.0**0.5, 0.0]]]), torch.eye(2)[None])
    # Scores (√2 / √2, 0): softmax e / (e + 1), 1 / (e + 1).
    share = torch.e / (torch.e + 1)
    assert torch.allclose(found, torch.tensor([[[share, 1 - share]]]))


def test_a_prompt_is_a_start_one_word_and_ends() -> None:
    assert prompt(300, 5, 265).tolist() == [298, 265, 299, 299, 299]
    assert prompt(300, 5, None).tolist() == [298, 299, 299, 299, 299]
