"""Signs by hand, and pictures that everybody would trust or not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from engine.trust import NAMES, TRUST, Signs, TrustModel, View, measure_signs, roughness
from engine.types import Image

SIZE = 256
EVERYWHERE = np.ones((SIZE, SIZE), np.uint8)


def signs_of(image: Image, inside: np.ndarray = EVERYWHERE) -> dict[str, float]:
    found = measure_signs(image, View.of(inside))
    assert found is not None
    return dict(zip(NAMES, found.tolist(), strict=True))


def flat(red: int, green: int, blue: int) -> Image:
    image = np.empty((SIZE, SIZE, 3), np.uint8)
    image[...] = (red, green, blue)
    return image


def test_a_flat_picture_by_hand() -> None:
    found = signs_of(flat(149, 99, 49))
    # Grey 0.299 · 149 + 0.587 · 99 + 0.114 · 49 = 108.25, whole numbers only.
    expected = {
        "fineness": 0.0, "structure": 0.0, "detail": 0.0, "brightness": 108 / 255, "evenness": 0.0,
        "glare": 0.0, "darkness": 0.0, "red over green": np.log(150 / 100),
        "blue over green": np.log(50 / 100), "spread of red": 0.0, "spread of blue": 0.0,
    }  # fmt: skip
    assert found == pytest.approx(expected, abs=1e-5)


def test_halves_of_black_and_white_by_hand() -> None:
    image = flat(0, 0, 0)
    image[:, SIZE // 2 :] = 255
    found = signs_of(image)
    assert (found["glare"], found["darkness"]) == (0.5, 0.5)
    assert found["brightness"] == 0.5
    assert found["evenness"] == pytest.approx(np.log1p(127.5))


def test_the_roughness_of_one_bright_cell_by_hand() -> None:
    grey = np.zeros((8, 8), np.uint8)
    grey[4, 4] = 10
    # The Laplacian is -40 there and 10 beside it, mean 0: (1600 + 4 · 100) / 64 and 1.
    assert roughness(grey, np.ones((8, 8), np.uint8)) == pytest.approx(1 + 2000 / 64)


def test_blur_takes_the_fine_before_the_coarse() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    soft = cv2.GaussianBlur(image, (0, 0), 4).astype(np.uint8)
    assert signs_of(soft)["fineness"] < signs_of(image)["fineness"] - 1


def test_what_lies_outside_the_field_of_view_says_nothing() -> None:
    inside = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(inside, (128, 128), 100, 1, -1)
    rng = np.random.default_rng(2)
    image = rng.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    other = image.copy()
    other[inside == 0] = (255, 0, 0)
    assert signs_of(image, inside) == signs_of(other, inside)


def test_hardly_any_view_has_no_signs() -> None:
    inside = np.zeros((SIZE, SIZE), np.uint8)
    inside[:20, :20] = 1
    assert measure_signs(flat(1, 2, 3), View.of(inside)) is None


def test_the_model_by_hand() -> None:
    model = TrustModel((1.0, 0.0), (2.0, 1.0), (1.0, 0.0), (-0.5, 0.25), 0.1)
    # x = (2, -2): 0.1 + 2 - 0.5 · 4 + 0.25 · 4 = 1.1.
    assert model.trust(np.array([5.0, -2.0])) == pytest.approx(1 / (1 + np.exp(-1.1)))


def test_a_sign_far_away_counts_no_further_than_six_spreads() -> None:
    model = TrustModel((0.0,), (1.0,), (-1.0,), (0.0,), 0.0)
    assert model.trust(np.array([1e9])) == model.trust(np.array([6.0]))


def trust_in(image: Image) -> float:
    signs: Signs | None = measure_signs(image, View.of(EVERYWHERE))
    assert signs is not None
    return TRUST.trust(signs)


def bars() -> Image:
    image = flat(0, 0, 0)
    for at in range(8):
        image[:, at * 32 : at * 32 + 32] = [255 * (at >> bit & 1) for bit in range(3)]
    return image


@pytest.mark.parametrize(
    "picture", [lambda: flat(200, 60, 50), lambda: flat(0, 0, 0), lambda: flat(90, 90, 90), bars]
)
def test_what_shows_no_colon_is_not_trusted(picture: Callable[[], Image]) -> None:
    assert trust_in(picture()) < 0.05


def test_every_sign_has_its_constants() -> None:
    parts = (TRUST.usual, TRUST.spread, TRUST.linear, TRUST.square)
    assert {len(part) for part in parts} == {len(NAMES)}
