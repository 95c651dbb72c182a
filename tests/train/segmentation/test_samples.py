"""Epochs, pairs, and shares of several processes."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import RecipeError
from train.segmentation.recipe import DrawingSettings
from train.segmentation.samples import Views, ViewSamples
from train.team import Team


def views(pictures: str, simulated: Path, translated: Path | None = None) -> Views:
    return Views.of(DrawingSettings(pictures=pictures), "train", simulated, translated)


@pytest.fixture(scope="module")
def pairs(stored_set: Path, translated_set: Path) -> Views:
    return views("paired", stored_set, translated_set)


def test_a_pair_is_one_view_under_one_warp(pairs: Views) -> None:
    sample = ViewSamples(pairs, 2, 1, Team())[0]
    assert sample.images.shape == (2, 64, 64, 3)
    assert sample.labels.shape == (2, 4, 64, 64)
    assert torch.equal(sample.labels[0], sample.labels[1])
    grey, red = sample.images.float()
    assert torch.equal(grey[..., 0], grey[..., 2])
    assert (red[..., 0] > red[..., 2])[sample.labels[1, 2] > 0].float().mean() > 0.95


@pytest.mark.parametrize("pictures", ["simulated", "translated"])
def test_one_source_alone_gives_its_pictures(
    pictures: str, stored_set: Path, translated_set: Path
) -> None:
    sample = ViewSamples(views(pictures, stored_set, translated_set), 2, 1, Team())[0]
    is_grey = torch.equal(sample.images[..., 0], sample.images[..., 2])
    assert sample.images.shape[0] == 1
    assert is_grey == (pictures == "simulated")


class _Counted(Views):
    """Notes which views are asked for."""

    asked: list[int] = []  # noqa: RUF012

    def draw(self, number: int, rng: np.random.Generator) -> list[object]:  # type: ignore[override]
        self.asked.append(number)
        return super().draw(number, rng)


def test_an_epoch_shows_every_view_once_in_a_new_order(pairs: Views) -> None:
    counted = _Counted(pairs.sources, pairs.frames)
    counted.asked.clear()
    samples = ViewSamples(counted, 2, 1, Team())
    for number in range(12):
        samples[number]
    first, second = counted.asked[:6], counted.asked[6:]
    assert sorted(first) == sorted(second) == list(range(6))
    assert first != second


def test_processes_share_what_one_would_draw(pairs: Views) -> None:
    together = ViewSamples(pairs, 4, 1, Team())
    shares = [ViewSamples(pairs, 2, 1, Team(rank, 2)) for rank in range(2)]
    for step in range(2):
        drawn = [share[2 * step + place] for share in shares for place in range(2)]
        for place, sample in enumerate(drawn):
            assert torch.equal(sample.images, together[4 * step + place].images)


def test_a_worker_draws_the_same(pairs: Views) -> None:
    samples = ViewSamples(pairs, 2, 1, Team())
    sent = pickle.loads(pickle.dumps(samples))
    assert torch.equal(sent[3].images, samples[3].images)


def test_further_styles_are_paired_with_their_origin(
    stored_set: Path, translated_set: Path, tmp_path: Path
) -> None:
    styled = tmp_path / "styled"
    shutil.copytree(translated_set, styled)
    shutil.copytree(styled / "a", styled / "a-2")
    text = (styled / "manifest.json").read_text().replace('"a", "b"', '"a", "a-2"')
    (styled / "manifest.json").write_text(text)
    found = views("paired", stored_set, styled).frames
    assert found[3] == (("a", 0), ("a-2", 0))


def test_a_translation_of_another_set_is_refused(
    stored_set: Path, translated_set: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(translated_set, other)
    (other / "a").rename(other / "z")
    text = (other / "manifest.json").read_text().replace('"a", "b"', '"z"')
    (other / "manifest.json").write_text(text)
    with pytest.raises(RecipeError, match="z has no simulated one"):
        views("paired", stored_set, other)


def test_pairs_without_a_translated_set_are_refused(stored_set: Path) -> None:
    with pytest.raises(RecipeError, match="needs a translated set"):
        views("paired", stored_set)


def test_a_set_that_keeps_no_pictures_is_refused_when_drawn(tiny_set: Path) -> None:
    with pytest.raises(RecipeError, match="keeps no pictures"):
        ViewSamples(views("simulated", tiny_set), 2, 1, Team())[0]
