from __future__ import annotations

import numpy as np
import pytest

from engine.backends import open_backend
from engine.backends.agreement import DISAGREES, overlap, refuse_who_disagrees, tunnel
from engine.bundle import ModelBundle
from engine.errors import BackendError
from engine.timing import ManualClock
from resources import DEFAULT_BUNDLE
from tests.engine.backends.stand_ins import Timed


class Wrong(Timed):
    """Computes something else."""

    def infer(self, image: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(super().infer(image)[:, ::-1])


class Broken(Timed):
    def infer(self, image: np.ndarray) -> np.ndarray:
        raise BackendError("The card is gone.")


@pytest.fixture(scope="module")
def bundle() -> ModelBundle:
    return ModelBundle.open(DEFAULT_BUNDLE)


def named(bundle: ModelBundle, kind: type[Timed], name: str) -> Timed:
    return kind(open_backend(bundle, "openvino:fp32", 1), name, ManualClock(), 0.0)


def test_overlap_by_hand() -> None:
    one, other = np.array([True, True, False]), np.array([False, True, True])
    assert overlap(one, other) == pytest.approx(1 / 3)
    assert overlap(one & False, other & False) == 1.0


def test_the_bundled_network_sees_the_rings_of_the_tunnel(bundle: ModelBundle) -> None:
    found = open_backend(bundle, "openvino:fp32", 1).infer(tunnel(bundle.input.size))[0]
    assert 0.05 < (found >= bundle.threshold).mean() < 0.5


def test_who_finds_other_folds_is_refused(bundle: ModelBundle) -> None:
    backends = {
        "openvino:int8": named(bundle, Wrong, "openvino:int8"),
        "onnxruntime": named(bundle, Timed, "onnxruntime"),
        "openvino": named(bundle, Timed, "openvino"),
    }
    refusals: dict[str, str] = {}
    refuse_who_disagrees(backends, bundle, refusals)
    assert refusals == {"openvino:int8": DISAGREES}


def test_who_fails_is_refused_with_its_own_reason(bundle: ModelBundle) -> None:
    backends = {"onnxruntime": named(bundle, Broken, "onnxruntime")}
    refusals: dict[str, str] = {}
    refuse_who_disagrees(backends, bundle, refusals)
    assert refusals == {"onnxruntime": "The card is gone."}


@pytest.mark.parametrize("name", ["openvino", "openvino:int8"])
def test_the_bundle_in_every_precision_agrees_on_this_machine(
    bundle: ModelBundle, name: str
) -> None:
    exact = open_backend(bundle, "openvino:fp32", 1)
    refusals: dict[str, str] = {}
    backends = {"openvino:fp32": exact, name: open_backend(bundle, name, 1)}
    refuse_who_disagrees(backends, bundle, refusals)
    assert refusals == {}
