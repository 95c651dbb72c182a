"""Arrays that grow on disk."""

from pathlib import Path

import numpy as np
import pytest

from train.simulate.array_file import ArrayFile


@pytest.mark.parametrize("parts", [np.arange(24, dtype=np.int8).reshape(4, 3, 2), np.eye(3)])
def test_parts_are_read_back_as_one_array(tmp_path: Path, parts: np.ndarray) -> None:
    with ArrayFile(tmp_path / "a.npy", len(parts)) as file:
        for part in parts:
            file.append(part)
    found = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert found.dtype == parts.dtype
    assert np.array_equal(found, parts)


def test_it_is_what_numpy_would_have_saved(tmp_path: Path) -> None:
    parts = np.random.default_rng(0).random((5, 7))
    np.save(tmp_path / "whole.npy", parts)
    with ArrayFile(tmp_path / "a.npy", 5) as file:
        for part in parts:
            file.append(part)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()


def test_a_part_of_another_shape_is_refused(tmp_path: Path) -> None:
    with ArrayFile(tmp_path / "a.npy", 2) as file:
        file.append(np.zeros(3))
        with pytest.raises(ValueError, match="unlike"):
            file.append(np.zeros(4))


def test_one_part_too_many_is_refused(tmp_path: Path) -> None:
    with ArrayFile(tmp_path / "a.npy", 1) as file:
        file.append(np.zeros(3))
        with pytest.raises(ValueError, match="unlike"):
            file.append(np.zeros(3))
