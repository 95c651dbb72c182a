from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.errors import RecipeError, RecordingError
from train.weights import Difference, fill, read_weights, save_weights

FOUND = {"a": (1,), "b": (2, 2), "c": (3,)}
WANTED = {"a": (1,), "b": (2, 3), "d": (4,)}


def test_a_difference_names_what_is_missing_unexpected_and_misshapen() -> None:
    difference = Difference.between(FOUND, WANTED)
    assert difference.missing == ("d",)
    assert difference.unexpected == ("c",)
    assert difference.misshapen == ("b (2, 2) instead of (2, 3)",)
    assert difference.report().splitlines() == [
        "1 missing:", "  d", "1 unexpected:", "  c",
        "1 of another shape:", "  b (2, 2) instead of (2, 3)",
    ]  # fmt: skip


def test_no_difference_is_none() -> None:
    assert not Difference.between(FOUND, FOUND)


def test_a_message_counts_what_it_does_not_name() -> None:
    difference = Difference.between({}, {str(n): (1,) for n in range(11)})
    assert str(difference).startswith("11 missing: 0, 1,")
    assert str(difference).endswith("7 and 3 more")


def test_weights_come_back_with_what_is_written_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "new" / "w.safetensors"
    shared = torch.arange(6.0)
    save_weights(path, {"a": shared[:2], "b": shared}, {"kind": "k", "more": "m"})
    state, about = read_weights(path, "k")
    assert state["a"].tolist() == [0, 1]
    assert about == {"kind": "k", "more": "m"}
    assert [each.name for each in path.parent.iterdir()] == ["w.safetensors"]


def test_weights_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = save_weights(tmp_path / "w.safetensors", {"a": torch.zeros(1)}, {"kind": "k"})
    with pytest.raises(RecipeError, match="'k', not of 'other'"):
        read_weights(path, "other")


@pytest.mark.parametrize("content", [b"", b"\x80\x04 not safetensors at all"])
def test_a_damaged_file_is_explained(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(RecipeError, match="no weights that can be read"):
        read_weights(path, "k")


def test_an_absent_file_is_explained(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="haustra-train import k FILE"):
        read_weights(tmp_path / "w.safetensors", "k")


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordingError, match="cannot be written"):
        save_weights(tmp_path / "file" / "w.safetensors", {}, {"kind": "k"})


def test_half_precision_becomes_the_networks_own() -> None:
    network = nn.Linear(1, 1)
    fill(network, {"weight": torch.ones(1, 1).half(), "bias": torch.zeros(1).half()}, "here")
    assert network.weight.dtype == torch.float32
    assert network.weight.item() == 1


def test_weights_that_do_not_fit_are_named() -> None:
    with pytest.raises(RecipeError, match="here does not fit Linear: 1 missing: bias"):
        fill(nn.Linear(1, 1), {"weight": torch.ones(1, 1)}, "here")
