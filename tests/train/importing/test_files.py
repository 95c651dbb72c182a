"""What comes from outside is read, or refused, and never run."""

from __future__ import annotations

import argparse
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.errors import RecipeError
from train.importing.files import (
    read_arrays,
    read_pickle,
    read_state,
    without_prefix,
    without_statistics,
)


class Armed:
    """Makes a folder when it is unpickled the ordinary way."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("is_legacy", [False, True], ids=["zip", "legacy"])
def test_a_pickle_with_code_is_refused_and_its_code_is_not_run(
    tmp_path: Path, is_legacy: bool
) -> None:
    path, harm = tmp_path / "model.pth", tmp_path / "harm"
    content = {"state_dict": {"weight": torch.zeros(1)}, "extra": Armed(harm)}
    torch.save(content, path, _use_new_zipfile_serialization=not is_legacy)
    with pytest.raises(RecipeError, match=r"would run \w+\.mkdir\. Nothing was run"):
        read_pickle(path)
    assert not harm.exists()
    # The file is as dangerous as it looks: opened carelessly, it acts.
    pickle.loads(pickle.dumps(Armed(harm)))
    assert harm.exists()


def test_a_bare_pickle_with_code_is_refused_and_its_code_is_not_run(tmp_path: Path) -> None:
    path, harm = tmp_path / "embeddings.pt", tmp_path / "harm"
    path.write_bytes(pickle.dumps(Armed(harm)))
    with pytest.raises(RecipeError):
        read_pickle(path)
    assert not harm.exists()


def test_arrays_with_objects_are_refused_and_their_code_is_not_run(tmp_path: Path) -> None:
    path, harm = tmp_path / "weights.npz", tmp_path / "harm"
    np.savez(path, kernel=np.array([Armed(harm)], dtype=object))
    with pytest.raises(RecipeError, match="allow_pickle=False"):
        read_arrays(path)
    assert not harm.exists()


@pytest.mark.parametrize("is_legacy", [False, True], ids=["zip", "legacy"])
@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.95])
def test_a_truncated_file_is_refused(tmp_path: Path, is_legacy: bool, kept: float) -> None:
    path = tmp_path / "model.pth"
    content = {"weight": torch.zeros(4000)}
    torch.save(content, path, _use_new_zipfile_serialization=not is_legacy)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
    with pytest.raises(RecipeError, match="cut short, damaged or of another format"):
        read_state(path)


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_truncated_arrays_are_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, kernel=np.zeros(1000))
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(RecipeError, match="cut short"):
        read_arrays(path)


@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
def test_an_absent_file_is_explained(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match="There is no file"):
        read_state(tmp_path / name)


def test_absent_arrays_are_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="There is no file"):
        read_arrays(tmp_path / "a.npz")


def test_an_archive_of_other_things_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    torch.save({"weight": torch.zeros(1)}, path)
    with pytest.raises(RecipeError, match="is no array"):
        read_arrays(path)


def test_records_of_a_training_run_are_let_through(tmp_path: Path) -> None:
    path = tmp_path / "run.pth"
    state = {"module.weight": torch.ones(2)}
    torch.save(
        {
            "teacher": state, "args": argparse.Namespace(rate=0.1),
            "loss": np.float64(0.5), "epoch": np.int64(3),
        },
        path,
    )  # fmt: skip
    assert read_state(path, ("teacher",))["weight"].tolist() == [1, 1]


@pytest.mark.parametrize("content", [[torch.zeros(1)], {}, torch.zeros(1), {"a": 1}])
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "model.pth"
    torch.save(content, path)
    with pytest.raises(RecipeError, match="no tensors"):
        read_state(path)


def test_a_prefix_goes_only_where_all_names_have_it() -> None:
    one = torch.zeros(1)
    assert set(without_prefix({"module.a": one, "module.b": one}, "module.")) == {"a", "b"}
    assert set(without_prefix({"module.a": one, "b": one}, "module.")) == {"module.a", "b"}


def test_statistics_of_instance_norms_go() -> None:
    one = torch.zeros(1)
    names = ["a.weight", "a.running_mean", "a.running_var", "a.num_batches_tracked"]
    assert set(without_statistics(dict.fromkeys(names, one))) == {"a.weight"}
