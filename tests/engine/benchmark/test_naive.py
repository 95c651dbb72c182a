from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.backends import InferenceBackend, open_backend
from engine.benchmark.naive import measure_naive, paint_naively
from engine.errors import SourceError
from tests.clips import Clip, write_clip
from tests.fakes import brightness_bundle


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> InferenceBackend:
    return open_backend(brightness_bundle(tmp_path_factory.mktemp("bundle")), "onnxruntime")


def test_bright_parts_are_tinted_and_dark_ones_left(backend: InferenceBackend) -> None:
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[:, 64:] = 200
    painted = paint_naively(picture, backend, 64, 0.5)
    assert tuple(painted[64, 10]) == (0, 0, 0)
    assert tuple(painted[64, 110]) == (173, 199, 213)


def test_every_frame_up_to_the_limit_is_painted(backend: InferenceBackend, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", Clip())
    assert measure_naive(clip, backend, 64, 0.5, 10).frames == 10
    assert measure_naive(clip, backend, 64, 0.5, 999).frames == 24


def test_what_opencv_cannot_read_is_told(backend: InferenceBackend, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(SourceError, match="OpenCV cannot read"):
        measure_naive(tmp_path / "text.mp4", backend, 64, 0.5, 10)
