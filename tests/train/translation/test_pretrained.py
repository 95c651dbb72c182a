from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.errors import RecipeError
from train.networks.adain import Vgg, VggDecoder
from train.translation.pretrained import RANDOM, open_parts
from train.weights import save_weights


def written(path: Path, kind: str, **networks: nn.Module) -> str:
    """A file as an import writes it."""
    state: dict[str, Tensor] = {}
    for part, network in networks.items():
        state |= {f"{part}.{name}": value for name, value in network.state_dict().items()}
    return str(save_weights(path, state, {"kind": kind}))


def test_a_network_may_be_shorter_than_the_file(tmp_path: Path) -> None:
    whole, short = Vgg(2, layers=53), Vgg(2)
    file = written(tmp_path / "a.safetensors", "adain", vgg=whole)
    open_parts({"vgg": short}, file, ("adain",), ("vgg",))
    assert torch.equal(short.state_dict()["29.weight"], whole.state_dict()["29.weight"])


def test_what_is_not_needed_may_be_absent(tmp_path: Path) -> None:
    decoder = VggDecoder(2)
    before = decoder.state_dict()["1.weight"].clone()
    file = written(tmp_path / "a.safetensors", "adain", vgg=Vgg(2))
    open_parts({"vgg": Vgg(2), "decoder": decoder}, file, ("stytr2", "adain"), ("vgg",))
    assert torch.equal(decoder.state_dict()["1.weight"], before)


def test_what_is_there_is_loaded_though_not_needed(tmp_path: Path) -> None:
    decoder, other = VggDecoder(2), VggDecoder(2)
    file = written(tmp_path / "a.safetensors", "adain", vgg=Vgg(2), decoder=other)
    open_parts({"vgg": Vgg(2), "decoder": decoder}, file, ("adain",), ("vgg",))
    assert torch.equal(decoder.state_dict()["1.weight"], other.state_dict()["1.weight"])


@pytest.mark.parametrize("case", ["none", "absent", "damaged", "other kind", "other size", "part"])
def test_weights_that_do_not_fit_are_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / "a.safetensors"
    if case == "damaged":
        path.write_bytes(b"no weights at all")
    if case.startswith("other"):
        written(path, "adain" if case == "other size" else "cut", vgg=Vgg(4))
    if case == "part":
        written(path, "adain", decoder=VggDecoder(2))
    message = {
        "none": "names no file",
        "other kind": "'cut'",
        "other size": "of another shape",
        "part": "missing",
    }.get(case, "can be read")
    with pytest.raises(RecipeError, match=message):
        open_parts({"vgg": Vgg(2)}, "" if case == "none" else str(path), ("adain",), ("vgg",))


def test_random_weights_are_left_alone() -> None:
    vgg = Vgg(2)
    before = vgg.state_dict()["29.weight"].clone()
    open_parts({"vgg": vgg}, RANDOM, ("adain",), ("vgg",))
    assert torch.equal(vgg.state_dict()["29.weight"], before)
