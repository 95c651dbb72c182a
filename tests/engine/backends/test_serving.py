"""What serves goes on serving while something better is made ready, and after a failure."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import resources
from engine.backends import CardBackend, InferenceBackend, open_backend
from engine.backends.plans import BuildProgress
from engine.backends.serving import Candidate, Serving
from engine.bundle import ModelBundle, Precision
from engine.card import CardGrid
from engine.errors import BackendError
from tests.engine.backends.stand_ins import WAIT_S, Failing, Gated, Wrapped
from tests.fakes import brightness_bundle

SIZE = 64
PICTURE = np.full((SIZE, SIZE, 3), 200, np.uint8)

Open = Callable[[], InferenceBackend]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> ModelBundle:
    return brightness_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def real(bundle: ModelBundle) -> Iterator[Open]:
    """Opens real back ends, as many as a test wants."""
    opened: list[InferenceBackend] = []

    def open_one() -> InferenceBackend:
        opened.append(open_backend(bundle, "openvino", threads=1))
        return opened[-1]

    yield open_one
    for backend in opened:
        backend.close()


def settled(serving: Serving) -> Serving:
    assert serving.wait_until_settled(WAIT_S)
    return serving


def test_the_better_one_serves_from_the_next_picture_on(real: Open) -> None:
    better = Wrapped(real(), "better")
    serving = Serving(Wrapped(real(), "first"), SIZE, better=Candidate("better", lambda: better))
    settled(serving)
    assert serving.name == "first"
    serving.infer(PICTURE)
    assert serving.name == "better"
    assert serving.reason == "ready since; first served meanwhile"


def test_it_never_changes_in_the_middle_of_a_picture(real: Open) -> None:
    first, may_open = Gated(real(), "first"), threading.Event()
    served: list[str] = []

    class Better(Wrapped):
        def infer(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
            served.append(self.name)
            return super().infer(image)

    def open_better() -> InferenceBackend:
        assert may_open.wait(WAIT_S)
        return Better(real(), "better")

    serving = Serving(first, SIZE, better=Candidate("better", open_better))
    worker = threading.Thread(target=serving.infer, args=(PICTURE,))
    worker.start()
    assert first.is_busy.wait(WAIT_S)
    may_open.set()
    settled(serving)
    assert serving.name == "first"
    first.may_finish.set()
    worker.join(WAIT_S)
    assert (serving.name, served) == ("first", [])
    serving.infer(PICTURE)
    assert (serving.name, served) == ("better", ["better"])


def test_pictures_are_served_while_a_real_plan_is_built(bundle: ModelBundle, real: Open) -> None:
    from engine.backends.tensorrt import compile_plan, load_library, load_plan

    try:
        library = load_library()
    except BackendError as error:
        pytest.skip(error.what)
    if library.flavour != "tensorrt_rtx":
        pytest.skip(f"{library.title} builds nothing without a GPU")
    shipped = ModelBundle.open(resources.DEFAULT_BUNDLE)
    built: list[int] = []

    def build() -> InferenceBackend:
        plan = compile_plan(library, shipped, Precision.FP16, (8, 9)).plan
        built.append(len(plan))
        load_plan(library, plan)  # as far as it goes without the GPU the plan is for
        raise BackendError("Here is a GPU; this test is about the time before.")

    serving = Serving(real(), SIZE, better=Candidate("tensorrt", build))
    pictures = 0
    while not serving.wait_until_settled(0.0):
        serving.infer(PICTURE)
        pictures += 1
    assert built
    assert pictures > 0
    assert serving.name == "openvino"
    assert serving.note is not None
    assert "tensorrt does not take over" in serving.note
    serving.infer(PICTURE)


def test_the_next_one_takes_the_picture_that_failed(real: Open) -> None:
    failing = Failing(real(), "gpu", at=1)
    others = [Candidate("openvino", real)]
    serving = Serving(failing, SIZE, others=others)
    expected = serving.infer(PICTURE)
    assert np.array_equal(serving.infer(PICTURE), expected)
    assert serving.name == "openvino"
    assert serving.note is not None
    assert "gpu lost its device." in serving.note
    assert failing.is_closed


def test_another_that_does_not_open_is_passed_over(real: Open) -> None:
    def refuse() -> InferenceBackend:
        raise BackendError("Not here.")

    others = [Candidate("absent", refuse), Candidate("openvino", real)]
    serving = Serving(Failing(real(), "gpu"), SIZE, others=others)
    serving.infer(PICTURE)
    assert serving.name == "openvino"


def test_what_served_before_steps_in_when_the_better_one_fails(real: Open) -> None:
    better = Failing(real(), "gpu", at=1)
    serving = Serving(Wrapped(real(), "first"), SIZE, better=Candidate("gpu", lambda: better))
    settled(serving)
    serving.infer(PICTURE)
    assert serving.name == "gpu"
    serving.infer(PICTURE)
    assert serving.name == "first"


def test_without_another_the_failure_is_told(real: Open) -> None:
    with pytest.raises(BackendError, match="lost its device"):
        Serving(Failing(real(), "gpu"), SIZE).infer(PICTURE)


def test_a_wrong_picture_is_no_failure_of_the_back_end(real: Open) -> None:
    serving = Serving(Wrapped(real(), "first"), SIZE, others=[Candidate("openvino", real)])
    with pytest.raises(BackendError, match="takes"):
        serving.infer(PICTURE[:32])
    assert serving.name == "first"


def test_closing_stops_what_is_being_prepared(real: Open) -> None:
    progress, late = BuildProgress(), Wrapped(real(), "late")
    cancelled = threading.Event()

    def cancel() -> None:
        progress.cancel()
        cancelled.set()

    def open_late() -> InferenceBackend:
        assert cancelled.wait(WAIT_S)
        return late

    first = Wrapped(real(), "first")
    serving = Serving(first, SIZE, better=Candidate("late", open_late, cancel))
    serving.close()
    settled(serving)
    assert progress.is_cancelled
    assert first.is_closed
    assert late.is_closed


def test_closing_also_closes_what_stands_by(real: Open) -> None:
    first, better = Wrapped(real(), "first"), Wrapped(real(), "better")
    serving = Serving(first, SIZE, better=Candidate("better", lambda: better))
    settled(serving).infer(PICTURE)
    serving.close()
    serving.close()
    assert first.is_closed
    assert better.is_closed


def test_one_that_is_asked_for_takes_over_with_its_own_reason(real: Open) -> None:
    first, asked = Wrapped(real(), "first"), Wrapped(real(), "asked")
    serving = Serving(first, SIZE)
    serving.change_to(Candidate("asked", lambda: asked, reason=lambda: "as asked"))
    settled(serving).infer(PICTURE)
    assert (serving.name, serving.reason) == ("asked", "as asked")
    assert [each.name for each in serving.standing_by] == ["first"]
    serving.close()
    assert first.is_closed
    assert asked.is_closed


def test_one_that_served_before_takes_over_again_without_being_opened(real: Open) -> None:
    first = Wrapped(real(), "first")
    serving = Serving(first, SIZE)
    serving.change_to(Candidate("second", lambda: Wrapped(real(), "second")))
    settled(serving).infer(PICTURE)

    def open_again() -> InferenceBackend:
        raise AssertionError("it is open")

    serving.change_to(Candidate("first", open_again))
    settled(serving).infer(PICTURE)
    assert serving.name == "first"
    assert [each.name for each in serving.standing_by] == ["second"]
    assert not first.is_closed


def test_one_opened_anew_under_the_same_name_replaces_the_one_before(real: Open) -> None:
    before, anew = Wrapped(real(), "same"), Wrapped(real(), "same")
    serving = Serving(before, SIZE)
    serving.change_to(Candidate("auto", lambda: anew))
    settled(serving).infer(PICTURE)
    assert before.is_closed
    assert serving.standing_by == ()
    serving.infer(PICTURE)


def test_asking_for_another_gives_up_what_is_being_prepared(real: Open) -> None:
    is_cancelled, late = threading.Event(), Wrapped(real(), "late")

    def open_late() -> InferenceBackend:
        assert is_cancelled.wait(WAIT_S)
        return late

    serving = Serving(real(), SIZE, better=Candidate("late", open_late, is_cancelled.set))
    serving.change_to(Candidate("asked", lambda: Wrapped(real(), "asked")))
    settled(serving).infer(PICTURE)
    assert serving.name == "asked"
    assert late.is_closed


def test_what_serves_meanwhile_is_said_until_the_other_is_ready(real: Open) -> None:
    may_open = threading.Event()

    def open_it() -> InferenceBackend:
        assert may_open.wait(WAIT_S)
        return Wrapped(real(), "asked")

    serving = Serving(Wrapped(real(), "first"), SIZE, reason="the only one")
    serving.change_to(Candidate("asked", open_it, reason=lambda: "as asked"))
    serving.infer(PICTURE)
    assert serving.reason == "first, until asked is ready"
    may_open.set()
    settled(serving).infer(PICTURE)
    assert serving.reason == "as asked"


def test_one_that_does_not_open_leaves_what_serves_and_says_why(real: Open) -> None:
    def refuse() -> InferenceBackend:
        raise BackendError("It is not installed.", "Install it.")

    serving = Serving(Wrapped(real(), "first"), SIZE, reason="the only one")
    serving.change_to(Candidate("asked", refuse, reason=lambda: "as asked"))
    settled(serving).infer(PICTURE)
    assert (serving.name, serving.reason) == ("first", "first, since asked does not open")
    assert serving.note == "asked does not take over. It is not installed. Install it."


def test_a_closed_one_prepares_nothing_more(real: Open) -> None:
    serving = Serving(real(), SIZE)
    serving.close()

    def open_it() -> InferenceBackend:
        raise AssertionError("it is closed")

    serving.change_to(Candidate("asked", open_it))
    assert serving.wait_until_settled(WAIT_S)
    assert serving.note is None


def test_an_error_nobody_foresaw_leaves_the_pictures_alone(real: Open) -> None:
    def explode() -> InferenceBackend:
        raise ZeroDivisionError("of all things")

    serving = settled(Serving(real(), SIZE, better=Candidate("gpu", explode)))
    serving.infer(PICTURE)
    assert serving.note is not None
    assert "of all things" in serving.note


class OnCard(Wrapped):
    """Takes pictures from the card, and fails where it is told to."""

    takes_card = True
    is_broken = False
    from_card = 0

    def infer_on_card(self, grid: CardGrid) -> NDArray[np.float32]:
        if self.is_broken:
            raise BackendError(f"{self.name} lost its device.", "Open it again.")
        self.from_card += 1
        return self.infer(grid.cells.numpy())


def on_card(picture: NDArray[np.uint8] = PICTURE) -> CardGrid:
    """There all black, so that what lies here can be told from it."""
    return CardGrid(torch.zeros(picture.shape, dtype=torch.uint8), picture)


def test_a_picture_on_the_card_goes_to_one_that_takes_it(real: Open) -> None:
    first = OnCard(real(), "first")
    serving = Serving(first, SIZE)
    assert isinstance(serving, CardBackend)
    assert serving.takes_card
    assert (serving.infer_on_card(on_card()) == first.infer(np.zeros_like(PICTURE))).all()
    assert first.from_card == 1


def test_the_next_one_takes_the_picture_that_failed_on_the_card_from_here(real: Open) -> None:
    first, second = OnCard(real(), "first"), Wrapped(real(), "second")
    first.is_broken = True
    serving = Serving(first, SIZE, others=[Candidate("second", lambda: second)])
    assert (serving.infer_on_card(on_card()) == second.infer(PICTURE)).all()
    assert (serving.name, serving.takes_card) == ("second", False)


def test_a_change_to_one_that_takes_nothing_from_the_card_loses_no_picture(real: Open) -> None:
    other = Wrapped(real(), "other")
    serving = Serving(OnCard(real(), "first"), SIZE)
    serving.change_to(Candidate("other", lambda: other))
    settled(serving)
    assert serving.takes_card
    assert (serving.infer_on_card(on_card()) == other.infer(PICTURE)).all()


def test_a_wrong_picture_on_the_card_is_no_failure_of_the_back_end(real: Open) -> None:
    serving = Serving(OnCard(real(), "first"), SIZE, others=[Candidate("second", real)])
    with pytest.raises(BackendError, match="cells"):
        serving.infer_on_card(on_card(PICTURE[:8, :8]))
    assert serving.name == "first"
