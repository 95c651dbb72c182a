"""The truth of a video: written here by hand from the description of the format."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from engine.errors import SourceError, SourceNotFoundError
from engine.truth import Truth, truth_path

LABELS = np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000


def write(path: Path, leave_out: str = "", **changes: Any) -> Path:
    about = {
        "schema": 1, "video": {"width": 8, "height": 6, "rate_hz": 50},
        "labels": {"width": 4, "height": 3}, "phases": ["insertion", "look-back"], "folds": [4, 9],
    } | changes  # fmt: skip
    arrays = {
        "pts_s": np.array([0.0, 0.02, 0.06]),
        "phases": np.array([0, 1, 1], np.uint8),
        "poses": np.stack([np.eye(4) * k for k in (1, 2, 3)]),
        "seen_behind": np.array([[0, 0], [0.5, 0], [0.75, 1]], np.float32),
    }
    members = {"truth.json": json.dumps(about).encode()}
    for name, array in arrays.items():
        data = io.BytesIO()
        np.save(data, array)
        members[f"{name}.npy"] = data.getvalue()
    for number in range(3):
        members[f"labels/{number:06d}.png"] = cv2.imencode(".png", LABELS + number)[1].tobytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if name != leave_out:
                archive.writestr(name, content)
    return path


def test_truth_lies_beside_its_video() -> None:
    assert truth_path(Path("a/clip.mp4")) == Path("a/clip.truth.zip")


def test_a_frame_is_found_by_its_time(tmp_path: Path) -> None:
    with Truth(write(tmp_path / "clip.truth.zip")) as truth:
        found = truth.at(0.0201)
        assert found is not None
        assert (found.pts_s, found.phase, found.pose[0, 0]) == (0.02, "look-back", 2.0)
        assert np.array_equal(found.labels, LABELS + 1)
        assert found.seen_behind.tolist() == [0.5, 0.0]
        assert truth.folds == (4, 9)


def test_where_the_video_has_no_frame_nothing_is_true(tmp_path: Path) -> None:
    with Truth(write(tmp_path / "clip.truth.zip")) as truth:
        assert truth.at(0.04) is None
        assert truth.at(1.0) is None


def test_what_is_true_cannot_be_changed(tmp_path: Path) -> None:
    with Truth(write(tmp_path / "clip.truth.zip")) as truth:
        labels = truth.frame(0).labels
        with pytest.raises(ValueError, match="read-only"):
            labels[0, 0] = 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFoundError, match=r"clip\.truth\.zip"):
        Truth(tmp_path / "clip.truth.zip")


def test_another_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="layout 7"):
        Truth(write(tmp_path / "clip.truth.zip", schema=7))


@pytest.mark.parametrize("member", ["truth.json", "poses.npy"])
def test_a_file_with_a_part_missing_is_damaged(member: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="damaged"):
        Truth(write(tmp_path / "clip.truth.zip", leave_out=member))


def test_a_missing_label_image_is_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.truth.zip", leave_out="labels/000001.png")
    with Truth(path) as truth, pytest.raises(SourceError, match="damaged"):
        truth.frame(1)


def test_what_is_no_archive_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "clip.truth.zip"
    path.write_bytes(b"not a zip")
    with pytest.raises(SourceError, match="damaged"):
        Truth(path)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.truth.zip", leave_out="poses.npy")
    data = io.BytesIO()
    np.save(data, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("poses.npy", data.getvalue())
    with pytest.raises(SourceError, match="damaged"):
        Truth(path)
