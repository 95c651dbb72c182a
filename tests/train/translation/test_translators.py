"""One tester that every translator in the table passes, on tiny networks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from engine.errors import RecipeError
from tests.train.translation.batches import random_batch
from tests.train.translation.tiny_diffusion import WIDTH, write_tiny_diffusion
from train.translation import TRANSLATORS, FindsFolds, Translator, build_translator
from train.translation.product import open_product, save_product
from train.translation.recipe import TranslationRecipe

TINY: dict[str, Mapping[str, Any]] = {
    "cyclegan": {"width": 8, "blocks": 1},
    "cut": {"width": 4, "blocks": 1, "patches": 16},
    "fastcut": {"width": 4, "blocks": 1, "patches": 16},
    "munit": {"width": 4, "blocks": 1},
    "i2i": {"munit": {"width": 4, "blocks": 1}},
    "adain": {"width": 4, "weights": "random"},
    "stytr2": {"width": 2, "hidden": 8, "layers": 1, "weights": "random"},
    "spigan": {"width": 4, "blocks": 1, "head_width": 4},
    "foldit": {"width": 4, "blocks": 1, "judge_width": 4},
    "structured": {
        "width": 4,
        "content_blocks": 1,
        "style_blocks": 1,
        "judge_width": 4,
        "contrast": {"patches": 16},
        "structure": {"label_width": 4},
        "depth": {"weight": 0.0},
    },
}
"""Options that make each small."""


@pytest.fixture(params=[*sorted(TINY), "inst"], scope="module")
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def options(name: str, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    if name != "inst":
        return TINY[name]
    pytest.importorskip("diffusers", reason="the extra `inst` is not installed")
    folder = write_tiny_diffusion(tmp_path_factory.mktemp("diffusion"))
    return {"folder": str(folder), "width": WIDTH, "heads": 2, "head_width": 4, "steps": 2}


def descend(optimiser: Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def half_way(optimiser: Optimizer, loss: Tensor) -> None:
    """As the trainer does it: forward in half precision, the rest in single."""
    with torch.autocast("cpu", enabled=False):
        descend(optimiser, loss.float())


@pytest.fixture
def translator(name: str, options: Mapping[str, Any]) -> Translator:
    torch.manual_seed(0)
    found = build_translator(name, options)
    found.prepare()
    return found


def test_a_translation_keeps_size_and_range(translator: Translator) -> None:
    batch = random_batch()
    translated = translator.eval().translate(batch.simulated)
    assert translated.shape == batch.simulated.shape
    assert translated.abs().max() <= 1


def test_the_default_style_is_always_the_same(translator: Translator) -> None:
    pictures = random_batch().simulated
    one, other = (translator.eval().translate(pictures) for _ in range(2))
    assert torch.equal(one, other)


def test_a_style_drawn_at_random_is_one_that_it_translates_in(translator: Translator) -> None:
    batch = random_batch()
    translator.train().step(batch, descend)
    styles = translator.random_styles(2, torch.Generator().manual_seed(3))
    if styles is None:
        pytest.skip("knows one style")
    assert translator.eval().translate(batch.simulated, styles).shape == batch.simulated.shape
    assert not torch.equal(styles[0], styles[1])


def test_a_step_moves_the_product_and_tells_finite_terms(translator: Translator) -> None:
    before = {name: value.clone() for name, value in translator.product.state_dict().items()}
    terms = translator.train().step(random_batch(), descend)
    assert terms
    assert all(torch.isfinite(term) and not term.requires_grad for term in terms.values())
    after = translator.product.state_dict()
    assert any(not torch.equal(after[name], value) for name, value in before.items())


def test_a_step_may_be_taken_in_half_precision(translator: Translator) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        terms = translator.train().step(random_batch(), half_way)
    assert all(torch.isfinite(term) for term in terms.values())


def test_a_state_dict_brings_everything_back(
    name: str, translator: Translator, options: Mapping[str, Any]
) -> None:
    translator.train().step(random_batch(), descend)
    other = build_translator(name, options)
    other.load_state_dict(translator.state_dict())
    pictures = random_batch(seed=5).simulated
    assert torch.equal(other.eval().translate(pictures), translator.eval().translate(pictures))


def test_a_product_is_opened_as_it_was_saved(
    name: str, translator: Translator, options: Mapping[str, Any], tmp_path: Path
) -> None:
    recipe = TranslationRecipe(name="tiny", translator=name, options=options)
    translator.train().step(random_batch(), descend)
    opened, about = open_product(save_product(tmp_path, translator, recipe, 1))
    pictures = random_batch(seed=5).simulated
    assert about.translator == name
    # Written in half precision.
    expected = translator.eval().translate(pictures)
    assert torch.allclose(opened.translate(pictures), expected, atol=0.05)


@pytest.mark.parametrize("kind", ["foldit", "spigan"])
def test_one_that_finds_folds_finds_the_same_when_opened_again(kind: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    translator = build_translator(kind, TINY[kind])
    translator.train().step(random_batch(), descend)
    recipe = TranslationRecipe(name="tiny", translator=kind, options=TINY[kind])
    opened, _ = open_product(save_product(tmp_path, translator, recipe, 1))
    assert isinstance(translator, FindsFolds) and isinstance(opened, FindsFolds)
    pictures = random_batch().real
    with torch.no_grad():
        expected = translator.eval().segmenter(pictures).sigmoid()
        found = opened.segmenter(pictures).sigmoid()
    assert found.shape == (2, 1, 64, 64)
    assert (found - expected).abs().mean() < 0.02


def test_pictures_for_people_have_titles_and_one_size(translator: Translator) -> None:
    shown = translator.eval().shown(random_batch())
    assert next(iter(shown)) == "simulated"
    assert {tuple(pictures.shape) for pictures in shown.values()} == {(2, 3, 64, 64)}


def test_the_rate_ends_at_zero(translator: Translator) -> None:
    assert translator.rate(0.0) == 1.0
    assert translator.rate(1.0) == 0.0


def test_an_unknown_translator_lists_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="cyclegan"):
        build_translator("cycelgan")


def test_an_unknown_option_is_told_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="blocks"):
        build_translator("cyclegan", {"bloks": 3})


def test_no_translator_is_left_out() -> None:
    # The depth-consistent one is CycleGAN with a critic: `test_cyclegan`.
    assert {*TINY, "inst", "depth-cyclegan"} == set(TRANSLATORS)
