from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import torch

from train.data import Counting, Shares, SimulatedSamples, endless, to_network
from train.gallery import Gallery
from train.simulate.dataset import SimulatedSet


def samples_of(folder: Path, seed: int = 5) -> SimulatedSamples:
    return SimulatedSamples(Gallery(SimulatedSet(folder), "rich", seed), "train", seed)


def test_a_sample_depends_on_its_number_alone(tiny_set: Path) -> None:
    first, second = (samples_of(tiny_set) for _ in range(2))
    first[0]
    assert torch.equal(first[3].image, second[3].image)


def test_another_seed_draws_other_pictures(tiny_set: Path) -> None:
    one, other = (samples_of(tiny_set, seed)[3] for seed in (5, 6))
    assert not torch.equal(one.image, other.image)


def test_labels_are_four_planes_of_zeros_and_ones(tiny_set: Path) -> None:
    labels = samples_of(tiny_set)[0].labels
    assert labels.shape == (4, 64, 64)
    assert set(labels.unique().tolist()) <= {0, 1}


def test_distance_is_known_wherever_labels_count(tiny_set: Path) -> None:
    sample = samples_of(tiny_set)[1]
    valid = sample.labels[2] > 0
    assert sample.distance.shape == (64, 64)
    assert (sample.distance[valid] > 0).all()


def test_a_borrowing_sample_has_the_same_labels_in_other_colours(tiny_set: Path) -> None:
    gallery = Gallery(SimulatedSet(tiny_set), "rich", 5)
    lender = np.full((64, 64, 3), (40, 200, 40), np.uint8)
    plain = SimulatedSamples(gallery, "train", 5, lenders=[lender])[2]
    green = SimulatedSamples(gallery, "train", 5, Shares(borrowed=1.0), [lender])[2]
    assert green.image[..., 1].float().mean() > plain.image[..., 1].float().mean() + 20
    assert (green.labels.sum((1, 2)) > 0).tolist() == (plain.labels.sum((1, 2)) > 0).tolist()


def test_batches_go_on_where_a_run_stopped(tiny_set: Path) -> None:
    samples = samples_of(tiny_set)
    whole = list(islice(endless(samples, 2, 0, 0), 2))
    rest = next(endless(samples, 2, 2, 0))
    assert torch.equal(whole[1][0], rest[0])


def test_workers_draw_what_the_main_process_would(tiny_set: Path) -> None:
    samples = samples_of(tiny_set)
    assert torch.equal(next(endless(samples, 2, 0, 1))[0], next(endless(samples, 2, 0, 0))[0])


def test_numbers_count_on_without_end() -> None:
    assert list(islice(Counting(7), 3)) == [7, 8, 9]


def test_pictures_reach_the_network_as_floats_with_channels_first() -> None:
    picture = torch.full((1, 2, 3, 3), 200, dtype=torch.uint8)
    found = to_network(picture, torch.device("cpu"))
    assert (found.shape, found.dtype, found.max().item()) == ((1, 3, 2, 3), torch.float32, 200.0)


def test_processes_of_a_team_take_turns() -> None:
    first, second = (islice(Counting(10 + rank, 2), 3) for rank in range(2))
    assert [*first, *second] == [10, 12, 14, 11, 13, 15]


def test_straight_pictures_keep_every_pixel(tiny_set: Path) -> None:
    gallery = Gallery(SimulatedSet(tiny_set), "rich", 5)
    for number in range(6):
        straight = SimulatedSamples(gallery, "train", 5, Shares(straight=1.0))[number]
        at = gallery.data.frames("train")
        rng = np.random.default_rng([5, number])
        image, _ = gallery.draw(at[int(rng.integers(len(at)))], rng)
        assert np.array_equal(np.sort(straight.image.numpy().ravel()), np.sort(image.ravel()))
