"""The whole path of InST on a tiny diffusion model, loaded as a large one is."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.errors import RecipeError
from tests.train.translation.batches import random_batch
from tests.train.translation.tiny_diffusion import WIDTH, write_tiny_diffusion
from train.translation.diffusion import Diffusion
from train.translation.inst import Inst, InstOptions, MeanSight

pytest.importorskip("diffusers", reason="the extra `inst` is not installed")
BATCH = random_batch(count=2, size=32)


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> InstOptions:
    folder = write_tiny_diffusion(tmp_path_factory.mktemp("diffusion"))
    return InstOptions(folder=str(folder), width=WIDTH, heads=2, head_width=4, steps=4)


@pytest.fixture(scope="module")
def model(options: InstOptions) -> Diffusion:
    return Diffusion.open(options.folder)


def inst(options: InstOptions) -> Inst:
    torch.manual_seed(0)
    return Inst(options).eval()


def test_the_placeholder_is_replaced_and_nothing_before_it(model: Diffusion) -> None:
    one, other = (model.spoken(torch.full((1, WIDTH), value), 1) for value in (0.0, 1.0))
    # The text encoder looks back only: the start does not know the word.
    assert torch.allclose(one[:, 0], other[:, 0])
    assert not torch.allclose(one[:, 1:], other[:, 1:])


def test_a_replacement_does_not_stay(model: Diffusion) -> None:
    before = model.spoken(None, 1)
    model.spoken(torch.ones(1, WIDTH), 1)
    assert torch.equal(model.spoken(None, 1), before)


def test_without_strength_a_picture_only_passes_the_autoencoder(
    options: InstOptions, model: Diffusion
) -> None:
    found = inst(replace(options, strength=0.0)).translate(BATCH.simulated)
    expected = model.shown(model.compressed(BATCH.simulated)).clamp(-1, 1)
    assert torch.allclose(found, expected, atol=1e-5)


def test_without_guidance_the_word_does_not_matter_behind_the_inversion(
    options: InstOptions, model: Diffusion
) -> None:
    """Guidance 0 leaves the free prediction; strong guidance pulls the two styles apart."""

    def apart(guidance: float) -> float:
        translator = inst(replace(options, guidance=guidance, strength=1.0))
        content = model.compressed(BATCH.simulated)
        words = (torch.full((2, WIDTH), value) for value in (0.0, 2.0))
        one, other = (translator._denoised(model, content, model.spoken(word, 2)) for word in words)
        return float((one - other).abs().mean())

    assert apart(20.0) > 2 * apart(0.0)


def test_a_latent_is_noised_to_the_time_that_strength_says(
    options: InstOptions, model: Diffusion
) -> None:
    times: list[float] = []
    handle = model.unet.register_forward_pre_hook(
        lambda unet, inputs: times.append(float(inputs[1].max()))
    )
    translator = inst(replace(options, strength=0.5))
    content = model.compressed(BATCH.simulated)
    translator._denoised(model, content, model.spoken(None, 2))
    handle.remove()
    # 4 steps: 751, 501, 251, 1. Half of them, the first one also for the inversion.
    assert times == [251, 251, 251, 1, 1]


def test_examples_give_their_look_and_what_clip_sees_is_enough(
    options: InstOptions, model: Diffusion
) -> None:
    translator = inst(options)
    found = translator.translate(BATCH.simulated, BATCH.real)
    assert torch.allclose(found, translator.translate(BATCH.simulated, model.seen(BATCH.real)))


def test_the_attention_alone_learns(options: InstOptions) -> None:
    translator = inst(options)
    losses: list[torch.Tensor] = []
    translator.train().step(BATCH, lambda optimiser, loss: losses.append(loss))
    losses[0].backward()
    assert all(weight.grad is not None for weight in translator.attention.net.parameters())
    model = translator._opened[0]
    assert all(weight.grad is None for weight in model.unet.parameters())
    assert not any("unet" in name for name in translator.state_dict())


def test_the_default_style_is_the_mean_of_what_was_seen() -> None:
    default = MeanSight(2)
    default.gather(torch.tensor([[1.0, 0.0], [3.0, 0.0]]))
    default.gather(torch.tensor([[8.0, 3.0]]))
    assert default.mean.tolist() == [4.0, 1.0]


def test_sizes_need_not_be_multiples(options: InstOptions) -> None:
    assert inst(options).translate(BATCH.simulated[..., :30, :27]).shape == (2, 3, 30, 27)


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="holds no diffusion model"):
        Inst(InstOptions(folder=str(tmp_path))).prepare()
    with pytest.raises(RecipeError, match="empty"):
        Inst(InstOptions()).prepare()


def test_a_pickle_is_not_read(options: InstOptions, tmp_path: Path) -> None:
    for part in Path(options.folder).iterdir():
        (tmp_path / part.name).mkdir()
        for file in part.iterdir():
            name = file.name.replace("safetensors", "bin")
            (tmp_path / part.name / name).write_bytes(file.read_bytes())
    with pytest.raises(RecipeError, match="holds no diffusion model"):
        Diffusion.open(str(tmp_path))


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(RecipeError, match=r"haustra\[inst\]"):
        Diffusion.open("anywhere")
