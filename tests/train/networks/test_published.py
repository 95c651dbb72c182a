"""The published segmenters as `build_network` gives them: counts, range of pictures, weights."""

from pathlib import Path

import pytest
import torch

from engine.errors import RecipeError
from train.networks import build_network
from train.networks.published import LITTLE, open_public
from train.networks.transunet import TransUNet
from train.weights import save_weights

PICTURE = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(2)) * 255


@pytest.mark.parametrize(
    ("name", "entries", "elements"),
    [("transunet", 409, 105_278_955), ("endofm-transunet", 458, 140_733_675)],
)
def test_large_ones_are_the_published_ones(name: str, entries: int, elements: int) -> None:
    with torch.device("meta"):
        network = build_network(name)
        assert network(torch.zeros(1, 3, 256, 256)).shape == (1, 2, 256, 256)
    state = network.state_dict()
    assert (len(state), sum(each.numel() for each in state.values())) == (entries, elements)


def test_pictures_are_brought_to_the_range_of_public_weights() -> None:
    network = build_network("little-transunet").eval()
    inner = TransUNet(LITTLE).eval()
    inner.load_state_dict(
        {name.removeprefix("network."): each for name, each in network.state_dict().items()}
    )
    with torch.no_grad():
        assert torch.equal(network(PICTURE), inner(PICTURE / 127.5 - 1))


def test_pictures_of_a_batch_keep_to_themselves() -> None:
    network = build_network("little-endofm-transunet").eval()
    for block in network.network.transformer.encoder.layer:
        torch.nn.init.normal_(block.temporal_fc.weight, std=1.0)
    with torch.no_grad():
        together = network(torch.cat([PICTURE, 255 - PICTURE]))
        assert torch.allclose(together[:1], network(PICTURE), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("little-transunet", "transunet"), ("little-endofm-transunet", "endofm")],
)
def test_public_weights_fill_their_part(name: str, kind: str, tmp_path: Path) -> None:
    source = build_network(name)
    part = source.network.transformer
    part = part.encoder if kind == "endofm" else part
    file = save_weights(tmp_path / "public.safetensors", part.state_dict(), {"kind": kind})
    found = build_network(name, weights=str(file))
    for (label, one), (_, other) in zip(
        found.network.transformer.encoder.state_dict().items(),
        source.network.transformer.encoder.state_dict().items(),
        strict=True,
    ):
        assert torch.equal(one, other), label


def test_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    file = save_weights(tmp_path / "a.safetensors", {"x": torch.zeros(1)}, {"kind": "adain"})
    with pytest.raises(RecipeError, match="adain"):
        build_network("little-transunet", weights=str(file))


def test_a_network_without_public_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Identity takes no public weights"):
        open_public(torch.nn.Identity(), tmp_path / "any.safetensors")


def test_weights_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"any\.safetensors holds no weights"):
        build_network("student", pretrained=False, weights=str(tmp_path / "any.safetensors"))
