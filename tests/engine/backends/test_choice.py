"""The fastest that works is chosen once for a model on a machine. Time moves by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.backends import AUTOMATIC, BACKENDS, InferenceBackend, open_backend
from engine.backends.choice import (
    NO_PLAN,
    Choice,
    Choosing,
    asked_for,
    choose,
    fingerprint,
    open_as_asked,
    open_automatic,
    picture_ms,
    race,
    takes_part,
)
from engine.bundle import InputSpec, ModelBundle, Precision
from engine.cache import UserCache
from engine.errors import BackendError
from engine.timing import ManualClock
from tests.engine.backends.stand_ins import Timed
from tests.fakes import brightness_bundle


class Bench:
    """Opens a real back end under every name, each as slow as the test wants."""

    def __init__(self, folder: Path, times_ms: dict[str, float]) -> None:
        self.bundle = brightness_bundle(folder / "bundle")
        self.times_ms = times_ms
        self.opened: list[str] = []
        self.clock = ManualClock()
        self.choosing = Choosing(UserCache(folder / "cache"), self.clock, self.open)

    def open(self, bundle: ModelBundle, name: str, threads: int | None) -> InferenceBackend:
        self.opened.append(name)
        if name not in self.times_ms:
            raise BackendError(f"{name} is not here.", "Install it.")
        inner = open_backend(bundle, "openvino", 1)
        return Timed(inner, name, self.clock, self.times_ms[name] / 1e3)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, {"openvino": 8.0, "onnxruntime": 4.0})


def test_the_fastest_is_chosen(bench: Bench) -> None:
    choice = choose(bench.bundle, 1, bench.choosing)
    assert choice.name == "onnxruntime"
    assert choice.text == "fastest of onnxruntime 4.0 ms, openvino 8.0 ms"


def test_a_small_difference_leaves_the_default(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"openvino": 8.0, "onnxruntime": 7.5})
    choice = choose(bench.bundle, 1, bench.choosing)
    assert choice.order == ("openvino", "onnxruntime")
    assert choice.text.startswith("as fast as any of openvino")


def test_it_is_measured_once_and_remembered(bench: Bench) -> None:
    first = choose(bench.bundle, 1, bench.choosing)
    bench.opened.clear()
    second = choose(bench.bundle, 1, bench.choosing)
    assert bench.opened == []
    assert second == replace(first, is_remembered=True)


def test_another_number_of_threads_is_measured_anew(bench: Bench) -> None:
    choose(bench.bundle, 1, bench.choosing)
    bench.opened.clear()
    assert not choose(bench.bundle, 2, bench.choosing).is_remembered


def test_another_machine_is_measured_anew(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(bench.bundle, 1, bench.choosing)
    monkeypatch.setattr("engine.backends.choice.fingerprint", lambda: {"processor": "another"})
    assert not choose(bench.bundle, 1, bench.choosing).is_remembered


def test_a_damaged_memory_is_measured_anew(bench: Bench) -> None:
    choose(bench.bundle, 1, bench.choosing)
    (path,) = bench.choosing.cache.folder.glob("choice-*")
    path.write_bytes(b"onnxruntime")
    assert not choose(bench.bundle, 1, bench.choosing).is_remembered


def test_where_nothing_can_be_kept_it_is_measured_every_time(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    forgetful = replace(bench.choosing, cache=UserCache(tmp_path / "file" / "cache"))
    first = choose(bench.bundle, 1, forgetful)
    assert first.note is not None
    assert "Every start measures the back ends anew." in first.note
    assert not choose(bench.bundle, 1, forgetful).is_remembered


def test_one_that_is_not_here_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"openvino": 8.0})
    choice = choose(bench.bundle, 1, bench.choosing)
    assert "onnxruntime is not here." in choice.refusals["onnxruntime"]
    assert choice.text == "the only one that works: openvino 8.0 ms"


def test_where_none_works_every_reason_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {})
    with pytest.raises(BackendError, match=r"openvino is not here\..*onnxruntime is not here\."):
        choose(bench.bundle, 1, bench.choosing)


def test_the_chosen_one_serves_and_says_why(bench: Bench) -> None:
    serving = open_automatic(bench.bundle, 1, bench.choosing)
    assert serving.name == "onnxruntime"
    assert serving.reason == "fastest of onnxruntime 4.0 ms, openvino 8.0 ms"
    serving.close()


def test_a_remembered_one_that_is_gone_since_is_passed_over(bench: Bench) -> None:
    choose(bench.bundle, 1, bench.choosing)
    del bench.times_ms["onnxruntime"]
    serving = open_automatic(bench.bundle, 1, bench.choosing)
    assert serving.name == "openvino"
    serving.close()


def test_all_that_work_stand_by(bench: Bench) -> None:
    serving = open_automatic(bench.bundle, 1, bench.choosing)
    assert [candidate.name for candidate in serving.standing_by] == ["openvino"]
    serving.close()


def test_other_work_on_the_machine_does_not_count(bench: Bench) -> None:
    class Disturbed(Timed):
        """Most of its pictures wait for other programs."""

        pictures = 0

        def infer(self, image: np.ndarray) -> np.ndarray:
            self.pictures += 1
            bench.clock.advance(0.0 if self.pictures % 5 == 0 else 0.05)
            return super().infer(image)

    inner = open_backend(bench.bundle, "openvino", 1)
    backend = Disturbed(inner, "openvino", bench.clock, 8e-3)
    assert picture_ms(backend, 64, bench.clock) == pytest.approx(8.0)
    backend.close()


def test_a_slow_one_is_not_measured_for_long(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"openvino": 600.0})
    backend = bench.open(bench.bundle, "openvino", 1)
    picture_ms(backend, 64, bench.clock)
    # Three pictures to warm up, then two, which take longer than a second together.
    assert bench.clock.now_s() == pytest.approx(5 * 0.6)
    backend.close()


def test_a_machine_is_known_by_what_computes() -> None:
    assert set(fingerprint()) == {"system", "processor", "packages", "gpus"}
    assert fingerprint() == fingerprint()


def test_every_back_end_is_tried_or_says_why_not(tmp_path: Path) -> None:
    bundle = brightness_bundle(tmp_path / "bundle")
    choice = choose(bundle, 1, Choosing(UserCache(tmp_path / "cache")))
    assert {*choice.times_ms, *choice.refusals} == {*BACKENDS, "openvino:fp32"}


def test_a_bundle_whose_network_has_another_size_works_nowhere(tmp_path: Path) -> None:
    bundle = replace(brightness_bundle(tmp_path / "bundle"), input=InputSpec(size=128))
    with pytest.raises(BackendError, match="No back end works"):
        choose(bundle, 1, Choosing(UserCache(tmp_path / "cache")))


def test_a_choice_puts_the_chosen_one_first() -> None:
    times_ms = {"onnxruntime": 5.0, "tensorrt": 1.0, "openvino": 4.0}
    assert Choice(times_ms, {}).order == ("tensorrt", "openvino", "onnxruntime")


def test_only_live_pictures_have_a_plan_built_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.backends import tensorrt

    monkeypatch.setattr(tensorrt, "is_plan_kept", lambda bundle, cache: False)
    choice = choose(bench.bundle, 1, bench.choosing)
    assert choice.refusals["tensorrt"] == NO_PLAN
    for_a_file = open_automatic(bench.bundle, 1, bench.choosing)
    for_live = open_automatic(bench.bundle, 1, replace(bench.choosing, builds_plan=True))
    assert for_live.wait_until_settled(20.0)
    assert for_a_file.note is None
    # Here there is no GPU, or this bundle's plan is not built for it; in either case it is tried.
    assert for_live.note is not None or for_live.name != "onnxruntime"
    for_a_file.close()
    for_live.close()


def test_one_that_was_asked_for_serves_and_the_others_stand_by(bench: Bench) -> None:
    serving = open_as_asked(bench.bundle, "openvino", 1, bench.choosing)
    assert (serving.name, serving.reason) == ("openvino", "as asked")
    assert {each.name for each in serving.standing_by} == set(BACKENDS) - {"openvino"}
    serving.close()


def test_the_fastest_takes_over_again_where_it_is_asked_for(bench: Bench) -> None:
    serving = open_as_asked(bench.bundle, "openvino", 1, bench.choosing)
    serving.change_to(asked_for(bench.bundle, AUTOMATIC, 1, bench.choosing))
    assert serving.wait_until_settled(20.0)
    serving.infer(np.zeros((64, 64, 3), np.uint8))
    assert serving.name == "onnxruntime"
    assert serving.reason == "fastest of onnxruntime 4.0 ms, openvino 8.0 ms"
    serving.close()


def test_a_plan_that_is_asked_for_can_be_given_up(bench: Bench) -> None:
    candidate = asked_for(bench.bundle, "tensorrt", 1, bench.choosing)
    candidate.cancel()
    with pytest.raises(BackendError):
        candidate.open()


def test_openvino_takes_part_in_the_precisions_it_would_not_take_itself(tmp_path: Path) -> None:
    bundle = brightness_bundle(tmp_path)
    assert takes_part(bundle) == (*BACKENDS, "openvino:fp32")
    quantised = replace(bundle, precisions=frozenset({Precision.FP32, Precision.INT8}))
    assert takes_part(quantised) == (*BACKENDS, "openvino:int8")


def test_a_precision_that_is_faster_here_is_chosen(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"openvino": 8.0, "openvino:fp32": 5.0})
    chosen = open_automatic(bench.bundle, 1, bench.choosing)
    assert chosen.reason == "fastest of openvino:fp32 5.0 ms, openvino 8.0 ms"
    chosen.close()


def test_contenders_take_turns_so_that_a_busy_moment_meets_all(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"openvino": 8.0, "onnxruntime": 6.0})
    order: list[str] = []

    class Noted(Timed):
        def infer(self, image: np.ndarray) -> np.ndarray:
            order.append(self.name)
            return super().infer(image)

    contenders = {
        name: Noted(open_backend(bench.bundle, "openvino", 1), name, bench.clock, took_ms / 1e3)
        for name, took_ms in bench.times_ms.items()
    }
    found = race(contenders, 64, bench.clock, {})
    assert found == pytest.approx(bench.times_ms)
    assert order[:4] == ["openvino", "onnxruntime"] * 2


def test_who_fails_in_the_race_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path, {"openvino": 8.0, "onnxruntime": 6.0})

    class Broken(Timed):
        def infer(self, image: np.ndarray) -> np.ndarray:
            raise BackendError("The card is gone.")

    inner = open_backend(bench.bundle, "openvino", 1)
    contenders = {
        "openvino": Broken(inner, "openvino", bench.clock, 0.0),
        "onnxruntime": bench.open(bench.bundle, "onnxruntime", 1),
    }
    refusals: dict[str, str] = {}
    assert list(race(contenders, 64, bench.clock, refusals)) == ["onnxruntime"]
    assert refusals == {"openvino": "The card is gone."}
