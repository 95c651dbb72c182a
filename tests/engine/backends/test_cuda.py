"""What the driver says, and what becomes of its refusals; a stand-in takes its calls."""

from __future__ import annotations

import pytest

from engine.backends import cuda
from engine.backends.cuda import Driver, Gpu, Lane, find_gpus, first_gpu
from engine.errors import BackendError
from tests.engine.backends.stand_in_gpu import StandInLibrary

SIZE = 32


@pytest.fixture
def driver() -> Driver:
    return Driver(StandInLibrary())


@pytest.fixture
def gpu(driver: Driver) -> Gpu:
    return first_gpu(driver)


def test_a_card_is_described_by_its_driver(driver: Driver) -> None:
    (card,) = find_gpus(driver, version="580.95.05")
    assert card == Gpu(0, "NVIDIA GeForce RTX 4060", (8, 9), "580.95.05", 13000)


def test_without_the_management_library_the_driver_is_known_by_its_cuda(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "_MANAGEMENT", "libnvml-that-is-not-here.so")
    assert find_gpus(driver)[0].driver == "for CUDA 13.0"


def test_a_driver_without_a_card_says_so() -> None:
    with pytest.raises(BackendError, match="sees no GPU"):
        first_gpu(Driver(StandInLibrary(cards=0)))


def test_a_driver_that_does_not_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    library = StandInLibrary()
    monkeypatch.setattr(library, "cuInit", lambda flags: 100)
    with pytest.raises(BackendError, match=r"no CUDA-capable device.*nvidia-smi"):
        Driver(library)


def test_a_card_without_memory_is_told_and_nothing_is_kept(gpu: Gpu) -> None:
    library = StandInLibrary(memory=SIZE)
    with pytest.raises(BackendError, match=r"out of memory.*Close other programs"):
        Lane(Driver(library), gpu, (1, SIZE, SIZE, 3), {"maps": (1, 2, SIZE, SIZE)})
    assert (library.held, library.taken) == ([], {})
