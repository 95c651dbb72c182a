"""Everything on the way through the GPU but the GPU: a stand-in takes the driver's calls."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from engine.backends.cuda import Driver, Gpu, first_gpu
from engine.backends.plan_runner import PlanRunner
from engine.bundle import ModelBundle
from engine.card import CardGrid
from engine.errors import BackendError
from tests.engine.backends.stand_in_gpu import StandInLibrary, StandInPlan, StandInRtxPlan
from tests.fakes import brightness_bundle

SIZE = 32
PICTURE = np.random.default_rng(4).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
EXPECTED = np.moveaxis(PICTURE[..., :2], 2, 0) / 255


@pytest.fixture
def library() -> StandInLibrary:
    return StandInLibrary()


@pytest.fixture
def driver(library: StandInLibrary) -> Driver:
    return Driver(library)


@pytest.fixture
def gpu(driver: Driver) -> Gpu:
    return first_gpu(driver)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return brightness_bundle(tmp_path_factory.mktemp("bundle"), SIZE)


@pytest.fixture
def runner(library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle) -> PlanRunner:
    return PlanRunner(StandInPlan(library, SIZE), bundle, driver, gpu)


def test_a_picture_comes_back_as_its_answer(runner: PlanRunner) -> None:
    assert runner.infer(PICTURE) == pytest.approx(EXPECTED, abs=1e-6)


def test_once_recorded_every_picture_is_one_launch(
    runner: PlanRunner, library: StandInLibrary
) -> None:
    assert runner.is_graph
    for shift in range(3):
        picture = np.roll(PICTURE, shift, axis=0)
        assert runner.infer(picture)[0] == pytest.approx(picture[..., 0] / 255, abs=1e-6)
    assert library.launches == 3


def test_what_cannot_be_recorded_runs_all_the_same(
    library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle
) -> None:
    library.can_record = False
    runner = PlanRunner(StandInPlan(library, SIZE), bundle, driver, gpu)
    assert not runner.is_graph
    assert runner.infer(PICTURE) == pytest.approx(EXPECTED, abs=1e-6)
    assert library.launches == 0


def test_a_picture_may_come_from_another_thread_than_the_plan(runner: PlanRunner) -> None:
    answers: list[np.ndarray] = []
    worker = threading.Thread(target=lambda: answers.append(runner.infer(PICTURE)))
    worker.start()
    worker.join()
    assert answers[0] == pytest.approx(EXPECTED, abs=1e-6)


def test_closing_gives_everything_back(runner: PlanRunner, library: StandInLibrary) -> None:
    runner.close()
    runner.close()
    assert (library.held, library.taken) == ([], {})


def test_a_network_that_does_not_fit_is_told(
    library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle
) -> None:
    with pytest.raises(BackendError, match="too little memory"):
        PlanRunner(StandInPlan(library, SIZE, fits=False), bundle, driver, gpu)


def test_a_network_that_fails_is_told_and_nothing_is_kept(
    library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle
) -> None:
    plan = StandInPlan(library, SIZE)
    plan.is_broken = True
    with pytest.raises(BackendError, match="failed on the GPU"):
        PlanRunner(plan, bundle, driver, gpu)
    assert (library.held, library.taken) == ([], {})


def test_a_card_that_is_gone_does_not_stop_the_closing(
    runner: PlanRunner, library: StandInLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "cuMemFree_v2", lambda address: 999)
    runner.close()
    assert library.held == []


def test_kernels_compiled_once_serve_the_next_start(
    library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle
) -> None:
    first, second = StandInRtxPlan(library, SIZE), StandInRtxPlan(library, SIZE)
    kernels = PlanRunner(first, bundle, driver, gpu).kernels()
    runner = PlanRunner(second, bundle, driver, gpu, kernels)
    assert runner.infer(PICTURE) == pytest.approx(EXPECTED, abs=1e-6)
    assert (first.compilations, second.compilations) == (1, 0)


def test_a_plan_that_holds_its_kernels_has_none_to_keep(runner: PlanRunner) -> None:
    assert runner.kernels() == b""


def test_without_depth_there_is_none(runner: PlanRunner) -> None:
    runner.infer(PICTURE)
    assert runner.depth() is None


def test_depth_is_that_of_the_last_picture(
    library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle
) -> None:
    deep = replace(bundle, outputs=("fold", "edge", "depth"))
    runner = PlanRunner(StandInPlan(library, SIZE), deep, driver, gpu)
    runner.infer(PICTURE[::-1])
    runner.infer(PICTURE)
    assert runner.depth() == pytest.approx(1 + PICTURE[..., 2] / 255, abs=1e-6)
    runner.close()
    assert (library.held, library.taken) == ([], {})


def on_card(picture: np.ndarray) -> CardGrid:
    return CardGrid(torch.from_numpy(picture), picture)


def test_a_picture_on_the_card_is_answered_like_one_from_here(
    runner: PlanRunner, library: StandInLibrary
) -> None:
    for shift in range(2):
        picture = np.roll(PICTURE, shift, axis=0)
        found = runner.infer_on_card(on_card(picture))
        assert (found == runner.infer(picture)).all()
    assert (library.from_card, library.launches) == (2, 4)


def test_a_picture_on_the_card_needs_no_graph(
    library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle
) -> None:
    library.can_record = False
    runner = PlanRunner(StandInPlan(library, SIZE), bundle, driver, gpu)
    grid = on_card(PICTURE)
    assert runner.infer_on_card(grid) == pytest.approx(EXPECTED, abs=1e-6)


def test_a_picture_on_the_card_of_another_size_is_refused(runner: PlanRunner) -> None:
    with pytest.raises(BackendError, match="32x32 cells, not 16x16"):
        runner.infer_on_card(on_card(PICTURE[:16, :16].copy()))


def test_the_context_is_one_that_ffmpeg_will_share(
    runner: PlanRunner, library: StandInLibrary
) -> None:
    blocking_sync = 4  # CU_CTX_SCHED_BLOCKING_SYNC; FFmpeg's cuda device refuses any other
    assert library.flags == blocking_sync


def test_a_context_in_use_already_is_taken_as_it_is(
    library: StandInLibrary, driver: Driver, gpu: Gpu, bundle: ModelBundle
) -> None:
    library.is_shared = True
    runner = PlanRunner(StandInPlan(library, SIZE), bundle, driver, gpu)
    assert runner.infer(PICTURE) == pytest.approx(EXPECTED, abs=1e-6)
