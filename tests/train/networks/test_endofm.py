"""Counts of the public network, and who sees whom in each mode."""

import pytest
import torch

from train.networks.endofm import EndoFMTransUNet, SpaceTimeBlock
from train.networks.transunet import TransUNetOptions

SMALL = TransUNetOptions(classes=2, size=32, width=32, blocks=2, heads=2, stem=4, units=(1, 1, 1))


def differ(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Fresh decoders hardly pass on what they get: in double precision even that is seen."""
    change = float((one - other).abs().max())
    assert change < 1e-12 or change > 1e-8
    return change > 1e-8


def with_time(network: EndoFMTransUNet) -> EndoFMTransUNet:
    """As trained: fresh weights leave time out, because `temporal_fc` begins at zero."""
    for block in network.transformer.encoder.layer:
        torch.nn.init.normal_(block.temporal_fc.weight, std=1.0)
    return network.double().eval()


@pytest.fixture
def clips() -> EndoFMTransUNet:
    torch.manual_seed(1)
    return with_time(EndoFMTransUNet(SMALL, "clip"))


def test_entries_and_elements_are_the_published_ones() -> None:
    with torch.device("meta"):
        network = EndoFMTransUNet()
    state = network.state_dict()
    assert (len(state), sum(tensor.numel() for tensor in state.values())) == (458, 140_733_675)
    encoder = network.transformer.encoder.state_dict()
    assert (len(encoder), sum(each.numel() for each in encoder.values())) == (243, 120_510_720)


def test_layers_have_the_published_names() -> None:
    with torch.device("meta"):
        state = EndoFMTransUNet().state_dict()
    assert state["transformer.encoder.cls_token"].shape == (1, 1, 768)
    assert state["transformer.encoder.layer.11.temporal_attn.qkv.weight"].shape == (2304, 768)
    assert state["transformer.encoder.layer.0.temporal_fc.bias"].shape == (768,)
    assert state["transformer.encoder.layer.0.temporal_norm1.weight"].shape == (768,)


def test_time_begins_switched_off() -> None:
    block = SpaceTimeBlock(8, 2, 0.0)
    assert not block.temporal_fc.weight.any()


@torch.no_grad()
def test_single_pictures_keep_to_themselves(clips: EndoFMTransUNet) -> None:
    pictures = torch.randn(2, 3, 32, 32, dtype=torch.double)
    together = clips(pictures)
    assert together.shape == (2, 2, 32, 32)
    assert not differ(together[:1], clips(pictures[:1]))


@torch.no_grad()
def test_clips_keep_to_themselves_and_their_frames_do_not(clips: EndoFMTransUNet) -> None:
    two = torch.randn(2, 2, 3, 32, 32, dtype=torch.double)
    changed = two.clone()
    changed[1, 1] = torch.randn(3, 32, 32, dtype=torch.double)
    before, after = clips(two), clips(changed)
    assert not differ(before[0], after[0])
    assert differ(before[1, 0], after[1, 0])


@torch.no_grad()
def test_a_single_picture_is_a_clip_of_one_frame(clips: EndoFMTransUNet) -> None:
    picture = torch.randn(1, 3, 32, 32, dtype=torch.double)
    assert not differ(clips(picture), clips(picture[:, None])[:, 0])


@torch.no_grad()
def test_any_multiple_of_16_will_do(clips: EndoFMTransUNet) -> None:
    assert clips(torch.randn(1, 2, 3, 48, 64, dtype=torch.double)).shape == (1, 2, 2, 48, 64)


@torch.no_grad()
def test_the_reference_takes_pictures_of_a_batch_for_frames() -> None:
    torch.manual_seed(1)
    options = TransUNetOptions(size=224, width=32, blocks=1, heads=2, stem=4, units=(1, 1, 1))
    network = with_time(EndoFMTransUNet(options, "reference"))
    pictures = torch.randn(2, 3, 224, 224, dtype=torch.double)
    together, alone = network(pictures), network(pictures[:1])
    assert differ(together[:1], alone)
    network.mode = "clip"
    assert not differ(together, network(pictures[None])[0])


@pytest.mark.parametrize(
    ("mode", "shape"),
    [
        ("reference", (1, 3, 256, 256)),
        ("reference", (1, 1, 3, 224, 224)),
        ("clip", (1, 3, 40, 32)),
        ("clip", (3, 32, 32)),
    ],
)
def test_other_shapes_are_refused(mode: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"takes|no multiple"):
        EndoFMTransUNet(SMALL, mode)(torch.zeros(shape))


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown mode"):
        EndoFMTransUNet(SMALL, "video")


def test_frames_of_a_clip_are_seen_without_order(clips: EndoFMTransUNet) -> None:
    with torch.no_grad():
        clip = torch.randn(1, 3, 3, 32, 32, dtype=torch.double)
        assert not differ(clips(clip).flip(1), clips(clip.flip(1)))


def test_gradients_reach_every_weight_when_frames_are_dropped_at_random() -> None:
    torch.manual_seed(1)
    network = with_time(EndoFMTransUNet(SMALL)).train()
    network(torch.randn(2, 2, 3, 32, 32, dtype=torch.double)).square().mean().backward()
    assert [name for name, each in network.named_parameters() if each.grad is None] == []
