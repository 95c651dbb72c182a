"""Other people's folders, written here."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.errors import RecipeError
from train.translation.folders import folder_bank, open_simulated, real_folder
from train.translation.recipe import PictureSettings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("image", "depth", "label"):
        (tmp_path / name).mkdir()
    for number, stem in enumerate(("b", "a")):
        cv2.imwrite(
            str(tmp_path / "image" / f"{stem}.png"), np.full((40, 40, 3), 50 + number, np.uint8)
        )
        np.save(tmp_path / "depth" / f"{stem}.npy", np.full((40, 40), 10.0 + number))
        label = np.zeros((40, 40), np.uint8)
        label[:20] = number + 1
        cv2.imwrite(str(tmp_path / "label" / f"{stem}.png"), label)
    return tmp_path


def test_pairs_are_made_by_name(folder: Path) -> None:
    bank = folder_bank(folder, 64, 0.0)
    # "a" comes first, and is the second that was written.
    assert bank.image[:, 0, 0, 0].tolist() == [51, 50]
    assert bank.depth_mm[:, 0, 0].tolist() == [11, 10]
    assert bank.instances[:, 0, 0].tolist() == [2, 1]
    assert bank.fold[0].float().mean().item() == pytest.approx(0.5)


def test_sixteen_bit_depth_has_the_unit_that_is_told(folder: Path) -> None:
    for path in (folder / "depth").iterdir():
        path.unlink()
        cv2.imwrite(str(path.with_suffix(".png")), np.full((40, 40), 1234, np.uint16))
    assert folder_bank(folder, 64, 0.01).depth_mm[0, 0, 0].item() == pytest.approx(12.34, abs=0.01)
    with pytest.raises(RecipeError, match="depth_unit_mm"):
        folder_bank(folder, 64, 0.0)


def test_a_picture_without_depth_is_named(folder: Path) -> None:
    (folder / "depth" / "a.npy").unlink()
    with pytest.raises(RecipeError, match="a has no partner"):
        folder_bank(folder, 64, 0.0)


def test_sizes_must_agree(folder: Path) -> None:
    np.save(folder / "depth" / "a.npy", np.ones((30, 40)))
    with pytest.raises(RecipeError, match="differ in size"):
        folder_bank(folder, 64, 0.0)


@pytest.mark.parametrize("content", [b"no numbers", b""])
def test_depth_that_cannot_be_read_is_named(folder: Path, content: bytes) -> None:
    (folder / "depth" / "a.npy").write_bytes(content)
    with pytest.raises(RecipeError, match=r"a\.npy"):
        folder_bank(folder, 64, 0.0)


def test_depth_that_is_not_finite_is_refused(folder: Path) -> None:
    np.save(folder / "depth" / "a.npy", np.full((40, 40), np.nan))
    with pytest.raises(RecipeError, match="finite"):
        folder_bank(folder, 64, 0.0)


def test_foldits_renderings_know_their_folds_and_no_depth(tmp_path: Path) -> None:
    for domain in "BC":
        (tmp_path / f"train{domain}").mkdir()
    grey = np.full((40, 40, 3), 90, np.uint8)
    painted = grey.copy()
    painted[10:20, :, :2] = 0  # OpenCV's order: blue and green.
    cv2.imwrite(str(tmp_path / "trainB" / "a.png"), grey)
    cv2.imwrite(str(tmp_path / "trainC" / "a.png"), painted)
    bank = open_simulated(tmp_path, PictureSettings(size=64, load_size=80))
    assert bank.image.shape == (1, 80, 80, 3)
    assert bank.fold[0, 20:40].all() and bank.fold.float().mean().item() == pytest.approx(0.25)
    assert bank.seen.all() and not bank.depth_mm.any()


def test_a_folder_and_a_set_are_told_apart(folder: Path, tiny_set: Path) -> None:
    pictures = PictureSettings(style="plain", size=64, load_size=64)
    assert len(open_simulated(folder, pictures)) == 2
    assert len(open_simulated(tiny_set, pictures)) == 6


def test_any_folder_of_pictures_is_real(folder: Path, tmp_path: Path) -> None:
    assert len(real_folder(folder / "image")) == 2
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match="no pictures"):
        real_folder(tmp_path / "empty")
