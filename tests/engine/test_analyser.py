"""The whole analysis of a frame."""

from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.analyser import Analyser, open_analyser
from engine.bundle import InputSpec, ModelBundle, seal_bundle
from engine.errors import BundleError
from engine.types import Frame, Image


class Brightness:
    """A back end whose fold is what is red. Counts how often it was closed."""

    name = "brightness"
    description = "no network"

    def __init__(self) -> None:
        self.closed = 0

    def infer(self, image: Image) -> NDArray[np.float32]:
        red = image[..., 0].astype(np.float32) / 255
        return np.stack([red, np.zeros_like(red)])

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def bundle(tmp_path: Path) -> ModelBundle:
    manifest = {
        "name": "tiny", "version": "3", "input": asdict(InputSpec(size=128)),
        "outputs": ["fold", "edge"], "threshold": 0.5, "edge_threshold": 0.5,
        "metrics": {}, "provenance": {},
    }  # fmt: skip
    return seal_bundle(tmp_path / "tiny", manifest, {"model.onnx": b"unused"})


@pytest.fixture
def backend() -> Brightness:
    return Brightness()


@pytest.fixture
def analyse(bundle: ModelBundle, backend: Brightness) -> Analyser:
    return Analyser(bundle, backend)


def frame(index: int, level: int = 250) -> Frame:
    """Two bands; the lower one as bright as told."""
    image = np.full((480, 640, 3), 60, np.uint8)
    cv2.rectangle(image, (100, 100), (500, 150), (250, 40, 40), -1)
    cv2.rectangle(image, (100, 300), (500, 330), (level, 40, 40), -1)
    return Frame(index, index * 0.04, 0.0, image)


def test_an_analysis_belongs_to_its_frame(analyse: Analyser) -> None:
    shown = frame(0)
    analysis = analyse(shown)
    assert analysis.frame is shown
    assert analysis.mask.frame is shown


def test_every_fold_is_found_and_numbered(analyse: Analyser) -> None:
    assert [fold.track for fold in analyse(frame(0)).folds] == [1, 2]


def test_a_fold_is_measured_in_pixels_of_the_frame(analyse: Analyser) -> None:
    largest = analyse(frame(0)).folds[0]
    assert largest.area_px == pytest.approx(401 * 51, rel=0.1)


def test_numbers_last_from_frame_to_frame(analyse: Analyser) -> None:
    found = [[fold.track for fold in analyse(frame(i)).folds] for i in range(5)]
    assert found == [[1, 2]] * 5


def test_an_uncertain_fold_is_shown_only_if_it_was_certain_before(analyse: Analyser) -> None:
    uncertain = round(0.55 * 255)
    counts = [len(analyse(frame(i, level)).folds) for i, level in
              enumerate([uncertain, 250, uncertain])]  # fmt: skip
    assert counts == [1, 2, 2]


def test_folds_that_are_moved_along_keep_the_trust_of_their_picture(analyse: Analyser) -> None:
    found = analyse(frame(0))
    foreseen = analyse.foreseen(frame(1))
    assert foreseen is not None
    assert foreseen.trust == found.trust < 1


def test_every_stage_is_timed(analyse: Analyser) -> None:
    timings_ms = analyse(frame(0)).timings_ms
    assert list(timings_ms) == ["segment", "instances", "track"]
    assert all(0 <= spent < 10_000 for spent in timings_ms.values())


def test_a_reset_forgets_the_folds(analyse: Analyser) -> None:
    analyse(frame(0))
    analyse.reset()
    assert {fold.track for fold in analyse(frame(0)).folds}.isdisjoint({1, 2})


def test_it_says_which_model_runs_on_what(analyse: Analyser) -> None:
    assert analyse.description == "tiny 3 · no network"


def test_closing_closes_the_back_end(analyse: Analyser, backend: Brightness) -> None:
    analyse.close()
    assert backend.closed == 1


def test_a_missing_bundle_is_explained(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model bundle"):
        open_analyser(tmp_path / "nowhere")
