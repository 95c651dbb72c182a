from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import RecipeError
from train.simulate.dataset import SimulatedSet
from train.translation.bank import Batches, RealBank, SimulatedBank, real_bank, simulated_bank


@pytest.fixture(scope="module")
def simulated(tiny_set: Path) -> SimulatedBank:
    return simulated_bank(SimulatedSet(tiny_set), "train", "plain", 72)


@pytest.fixture(scope="module")
def real() -> RealBank:
    draw = torch.Generator().manual_seed(2)
    image = torch.randint(0, 256, (5, 72, 72, 3), generator=draw, dtype=torch.uint8)
    return RealBank(image, torch.ones(5, 72, 72, dtype=torch.bool))


def test_a_bank_holds_every_frame_of_its_split(simulated: SimulatedBank) -> None:
    assert len(simulated) == 6
    assert simulated.image.shape == (6, 72, 72, 3)


def test_labels_and_depth_are_never_mixed_when_resized(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    small = simulated_bank(data, "train", "plain", 48)
    frame = data.frame(*data.frames("train")[0])
    assert set(small.depth_mm[0].unique().tolist()) <= set(
        torch.from_numpy(frame.depth_mm).half().unique().tolist()
    ) | {0.0}


def test_a_batch_depends_on_its_number_alone(simulated: SimulatedBank, real: RealBank) -> None:
    one, other = (Batches(simulated, real, size=64, count=2, seed=3) for _ in range(2))
    _ = one[0]
    assert torch.equal(one[4].simulated, other[4].simulated)
    assert not torch.equal(one[4].real, one[5].real)


def test_pictures_and_truth_are_cut_and_mirrored_alike(
    simulated: SimulatedBank, real: RealBank
) -> None:
    grey = simulated.image.float().mean(-1) / 127.5 - 1
    for number in range(8):
        batch = Batches(simulated, real, size=64, count=1, seed=3)[number]
        shown = batch.simulated[0].mean(0)
        places = [
            (at, top, left, turn)
            for at in range(len(simulated))
            for top in range(9)
            for left in range(9)
            for turn in (False, True)
            if torch.allclose(_cut(grey[at], top, left, turn), shown, atol=1e-5)
        ]
        assert places
        assert any(
            torch.equal(_cut(simulated.depth_mm[at], top, left, turn).float(), batch.depth_mm[0])
            and torch.equal(_cut(simulated.fold[at], top, left, turn), batch.fold[0])
            for at, top, left, turn in places
        )


def _cut(plane: torch.Tensor, top: int, left: int, turn: bool) -> torch.Tensor:
    cut = plane[top : top + 64, left : left + 64]
    return cut.flip(1) if turn else cut


def test_normals_of_a_mirrored_picture_point_the_other_way(
    simulated: SimulatedBank, real: RealBank
) -> None:
    right = torch.zeros_like(simulated.normal)
    right[..., 0] = 127
    bank = replace(simulated, normal=right)
    batches = Batches(bank, real, size=64, count=1, seed=3)
    signs = {float(batches[number].normal[0, 0].mean()) for number in range(12)}
    assert signs == {-1.0, 1.0}


def test_rays_are_those_of_the_resized_camera_and_turn_with_the_picture(
    tiny_set: Path, simulated: SimulatedBank, real: RealBank
) -> None:
    data = SimulatedSet(tiny_set)
    camera = data.sequence(data.splits["train"][0]).camera
    truth = torch.from_numpy(camera.resized(72, 72).rays().astype(np.float32))
    cuts = [truth[top : top + 64, left : left + 64] for top in range(9) for left in range(9)]
    mirror = torch.tensor([-1.0, 1, 1])
    places = [(cut, False) for cut in cuts] + [(cut.flip(1) * mirror, True) for cut in cuts]
    turned = set()
    for number in range(12):
        found = Batches(simulated, real, size=64, count=1, seed=3)[number].rays[0].permute(1, 2, 0)
        turned |= {is_turned for cut, is_turned in places if torch.equal(cut, found)}
    assert turned == {False, True}


def test_pictures_run_from_minus_one_to_one(simulated: SimulatedBank, real: RealBank) -> None:
    batch = Batches(simulated, real, size=64, count=3, seed=1)[0]
    assert batch.real.shape == (3, 3, 64, 64)
    assert batch.real.min() >= -1
    assert np.isclose(batch.real.max().item(), 1, atol=0.02)


def test_a_set_without_frames_of_a_split_is_refused(tiny_set: Path) -> None:
    data = SimulatedSet(tiny_set)
    data.splits["train"] = []
    with pytest.raises(RecipeError, match="no train frames"):
        simulated_bank(data, "train", "plain", 64)


def test_no_real_pictures_are_refused() -> None:
    with pytest.raises(RecipeError, match="no real pictures"):
        real_bank([], 64)
