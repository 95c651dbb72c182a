"""What holds G(x) to x, one term at a time."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tests.train.translation.batches import random_batch
from train.losses.depth import DepthPrediction
from train.translation import Batch
from train.translation.depth_term import DepthOptions
from train.translation.structured import (
    ContrastOptions,
    MotionOptions,
    SpreadOptions,
    Structured,
    StructuredOptions,
    StructureOptions,
)

TINY = StructuredOptions(
    width=4, content_blocks=1, style_blocks=1, judge_width=4,
    contrast=ContrastOptions(patches=32), structure=StructureOptions(label_width=4),
    depth=DepthOptions(weight=0.0),
)  # fmt: skip


class Brightness:
    """A depth network of one line: what is bright is near."""

    def __call__(self, pictures: Tensor) -> DepthPrediction:
        return DepthPrediction(1.1 + pictures.mean(1), is_inverse=True)


def ring() -> Batch:
    """A dark tube with one bright fold, whose edge is known."""
    batch = random_batch()
    fold = torch.zeros_like(batch.fold)
    fold[:, 30:34] = True
    edge = torch.zeros_like(fold)
    edge[:, 33] = True
    picture = torch.where(fold, 0.2, -0.6)[:, None].expand(-1, 3, -1, -1).contiguous()
    seen = torch.ones_like(fold)
    return replace(batch, simulated=picture, fold=fold, edge=edge, seen=seen)


@pytest.fixture(scope="module")
def ours() -> Structured:
    torch.manual_seed(0)
    return Structured(TINY, critic=Brightness())


def reached(ours: Structured, term: Tensor) -> set[str]:
    ours.zero_grad(set_to_none=True)
    term.backward()
    return {
        name.split(".")[0]
        for name, weight in ours.named_parameters()
        if weight.grad is not None and weight.grad.any()
    }


def test_a_picture_that_is_left_as_it_is_has_lost_and_invented_nothing(ours: Structured) -> None:
    batch = ring()
    terms = ours.structure_terms(batch, batch.simulated)
    assert terms["lost edges"].item() == pytest.approx(0, abs=1e-5)
    assert terms["invented edges"] == 0


def test_a_fold_that_is_painted_over_is_lost(ours: Structured) -> None:
    batch = ring()
    terms = ours.structure_terms(batch, torch.full_like(batch.simulated, -0.6))
    assert terms["lost edges"] > 1
    assert terms["invented edges"] == 0


def test_a_fold_where_there_is_none_is_invented(ours: Structured) -> None:
    batch = ring()
    painted = batch.simulated.clone()
    painted[:, :, 10:14] = 0.2
    terms = ours.structure_terms(batch, painted)
    assert terms["lost edges"].item() == pytest.approx(0, abs=1e-5)
    assert terms["invented edges"] > 0.1


def test_another_colour_and_exposure_cost_nothing(ours: Structured) -> None:
    batch = ring()
    level = (batch.simulated + 1) / 2 + 0.05
    brighter = 2 * (1.3 * level - 0.05) - 1
    brighter = brighter + torch.tensor([0.1, 0.0, -0.1])[:, None, None]
    terms = ours.structure_terms(batch, brighter)
    assert terms["lost edges"].item() == pytest.approx(0, abs=1e-4)
    assert terms["invented edges"].item() == pytest.approx(0, abs=1e-4)


def test_every_structure_term_reaches_the_generator() -> None:
    torch.manual_seed(0)
    options = replace(TINY, depth=DepthOptions(weight=1.0))
    ours = Structured(options, critic=Brightness())
    batch = ring()
    for name in ("NCE", "lost edges", "label", "depth"):
        translated = ours.translate(batch.simulated)
        assert "generator" in reached(ours, ours.structure_terms(batch, translated)[name]), name


@pytest.mark.parametrize(
    ("options", "absent"),
    [
        (replace(TINY, contrast=ContrastOptions(weight=0.0)), {"NCE"}),
        (replace(TINY, structure=StructureOptions(0.0, 0.0)), {"lost edges", "invented edges"}),
        (replace(TINY, structure=StructureOptions(label=0.0)), {"label"}),
        (replace(TINY, identity=0.0, style=0.0), {"identity", "style"}),
    ],
)
def test_a_weight_of_zero_leaves_a_term_out(options: StructuredOptions, absent: set[str]) -> None:
    terms = Structured(options).step(random_batch(), lambda optimiser, loss: None)
    assert {"GAN", "judge"} <= set(terms)
    assert not absent & set(terms)


def test_the_outline_of_the_view_does_not_reach_the_judge(ours: Structured) -> None:
    """Real and translated pictures are judged where both are seen."""
    heard: list[Tensor] = []
    handle = ours.judge.register_forward_pre_hook(lambda judge, inputs: heard.append(inputs[0]))
    batch = random_batch()
    narrow = torch.zeros_like(batch.seen)
    narrow[:, 20:40, 20:40] = True
    ours.step(replace(batch, seen_real=narrow), lambda optimiser, loss: None)
    handle.remove()
    assert len(heard) == 3
    assert all((pictures[:, :, :20] == -1).all() for pictures in heard)


def test_codes_and_examples_choose_the_style(ours: Structured) -> None:
    batch = random_batch()
    default = ours.translate(batch.simulated)
    assert not torch.equal(ours.translate(batch.simulated, torch.ones(2, 8)), default)
    example = ours.translate(batch.simulated, batch.real)
    assert torch.equal(example, ours.translate(batch.simulated, ours.encoder(batch.real)))


def test_what_moves_with_the_wall_is_steady_and_a_pattern_on_the_glass_is_not(
    ours: Structured, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = torch.Generator().manual_seed(3)
    glass = torch.rand(3, 64, 64, generator=draw)
    batch, code = ring(), torch.zeros(2, 8)
    options = replace(TINY, style=0.0, motion=MotionOptions(weight=1.0))
    monkeypatch.setattr(ours, "_options", options)

    def unsteady(translate: Callable[[Tensor], Tensor]) -> float:
        monkeypatch.setattr(ours.generator, "forward", lambda x, codes: translate(x))
        torch.manual_seed(5)
        return ours.style_terms(batch, translate(batch.simulated), code)["motion"].item()

    assert unsteady(lambda x: 0.5 * x - 0.2) == pytest.approx(0, abs=1e-4)
    assert unsteady(lambda x: 0.5 * x + glass) > 0.1


def test_styles_that_look_alike_are_asked_to_differ(
    ours: Structured, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, code = ring(), torch.zeros(2, 8)
    options = replace(TINY, style=0.0, spread=SpreadOptions(weight=2.0, least=0.1))
    monkeypatch.setattr(ours, "_options", options)

    def asked(translate: Callable[[Tensor, Tensor], Tensor]) -> float:
        monkeypatch.setattr(ours.generator, "forward", translate)
        torch.manual_seed(5)
        translated = translate(batch.simulated, code)
        return ours.style_terms(batch, translated, code)["spread"].item()

    torch.manual_seed(5)
    apart = torch.randn(2, 8).abs().mean().item()
    assert asked(lambda x, codes: x) == pytest.approx(0.2 * apart)
    assert asked(lambda x, codes: x + codes.mean(1)[:, None, None, None]) < 0.2 * apart
    assert asked(lambda x, codes: x + codes.abs().mean(1)[:, None, None, None]) == 0


def test_terms_of_motion_and_spread_reach_the_generator() -> None:
    torch.manual_seed(0)
    spread = SpreadOptions(weight=1.0, least=10.0)
    options = replace(TINY, motion=MotionOptions(weight=1.0), spread=spread)
    ours = Structured(options)
    batch, code = random_batch(), torch.zeros(2, 8)
    for name in ("motion", "spread"):
        translated = ours.generator(batch.simulated, code)
        assert "generator" in reached(ours, ours.style_terms(batch, translated, code)[name]), name
