"""Published counts, who answers for which term, and red by hand."""

import pytest
import torch
from torch import Tensor

from tests.train.translation.batches import random_batch
from train.translation.foldit import Foldit, FolditOptions, Redness, grey, painted

GENERATORS = {"to_grey", "to_real", "paint_real", "paint_grey"}


@pytest.fixture(scope="module")
def foldit() -> Foldit:
    torch.manual_seed(0)
    return Foldit(FolditOptions(width=4, blocks=1, judge_width=4))


def terms(foldit: Foldit) -> dict[str, Tensor]:
    batch = random_batch()
    return foldit.generator_terms(batch, foldit._made(batch))


def reached(foldit: Foldit, term: Tensor) -> set[str]:
    """Names of the generators that a term has gradients for."""
    foldit.zero_grad(set_to_none=True)
    term.backward(retain_graph=True)
    weights = [(name, each) for name, each in foldit.named_parameters() if each.grad is not None]
    return {name.split(".")[0] for name, weight in weights if weight.grad.any()} & GENERATORS


def test_entries_and_elements_are_the_published_ones() -> None:
    with torch.device("meta"):
        foldit = Foldit()
    for name in GENERATORS:
        state = getattr(foldit, name).state_dict()
        assert (len(state), sum(each.numel() for each in state.values())) == (48, 17_770_883)
    for judge in foldit.judges.values():
        state = judge.state_dict()
        assert (len(state), sum(each.numel() for each in state.values())) == (10, 2_764_737)


def test_both_ways_of_a_transitive_term_learn(foldit: Foldit) -> None:
    found = terms(foldit)
    assert reached(foldit, found["transitive grey"]) == {"paint_grey", "to_real", "paint_real"}
    assert reached(foldit, found["transitive real"]) == {"paint_real", "to_grey", "paint_grey"}


def test_truth_teaches_the_painter_of_what_is_simulated_alone(foldit: Foldit) -> None:
    assert reached(foldit, terms(foldit)["truth"]) == {"paint_grey"}


def test_each_judge_answers_for_one_generator(foldit: Foldit) -> None:
    found = terms(foldit)
    assert {name: reached(foldit, found[f"GAN {name}"]) for name in foldit.judges} == {
        "grey": {"to_grey"},
        "real": {"to_real"},
        "painted real": {"paint_real"},
        "painted grey": {"paint_grey"},
    }


def test_a_painter_that_makes_no_mistake_pays_nothing(foldit: Foldit) -> None:
    batch = random_batch()
    made = foldit._made(batch) | {"painted grey": painted(grey(batch.simulated), batch.fold)}
    assert foldit.generator_terms(batch, made)["truth"] == 0


def test_grey_is_luminance() -> None:
    red = torch.tensor([1.0, -1.0, -1.0]).reshape(1, 3, 1, 1)
    assert grey(red).flatten().tolist() == pytest.approx([0.299 - 0.587 - 0.114] * 3)


def test_folds_are_painted_red_and_read_again() -> None:
    shown = torch.full((1, 3, 1, 2), 0.0)
    fold = torch.tensor([[[True, False]]])
    picture = painted(shown, fold)
    assert picture[0, :, 0, 0].tolist() == [0, -1, -1]
    assert picture[0, :, 0, 1].tolist() == [0, 0, 0]
    assert Redness()(picture).sigmoid().flatten().tolist() == pytest.approx([1, 0], abs=1e-3)


def test_redness_is_the_share_of_red_that_no_other_colour_has() -> None:
    # R 0.5, G 0.3, B 0.2 of one: (0.5 - 0.3) / 0.5.
    picture = torch.tensor([0.0, -0.4, -0.6]).reshape(1, 3, 1, 1)
    assert Redness()(picture).sigmoid().item() == pytest.approx(0.4, abs=1e-5)


def test_black_has_no_colour() -> None:
    # R 1/255 beside nothing: 1 / 24, not 1.
    picture = torch.tensor([2 / 255 - 1, -1.0, -1.0]).reshape(1, 3, 1, 1)
    assert Redness()(picture).sigmoid().item() == pytest.approx(1 / 24, abs=1e-4)
