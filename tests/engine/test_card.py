"""From a decoder's planes to the grid, held against OpenCV's way; on tensors in main memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import av
import cv2
import numpy as np
import pytest
import torch
from av.video.reformatter import Interpolation

from engine.card import CardFront, CardPicture, Colours
from engine.errors import BackendError
from engine.preprocess import Placement
from engine.sources.on_card import colours_of
from engine.sources.pattern import Pattern
from engine.types import Image
from tests.clips import Clip, write_clip

SIZE = (320, 240)
GRID = 96
BT601, BT709 = (0.299, 0.114), (0.2126, 0.0722)
CROPS = [(0, 0, 320, 240), (41, 3, 239, 231), (40, 21, 250, 203), (7, 8, 41, 36)]
INSIDE = np.full((GRID, GRID, 3), 255, np.uint8)


def scene(number: int) -> Image:
    """Folds, a saturated patch and white text: edges that clip."""
    image = Pattern("pattern:320x240").draw(number).copy()
    image[100:130, 150:180] = (250, 20, 30)
    cv2.putText(image, "12:00", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return image


@pytest.fixture(scope="module", params=["yuv420p", "yuvj420p"], ids=["limited", "full"])
def decoded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One frame as FFmpeg decodes it from a file, luma and chroma in limited or full range."""
    clip = Clip(size=SIZE, pixels=request.param, ticks=range(1))
    path = write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", clip, scene)
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def as_nv12(raw: Any) -> Any:
    """The same luma and chroma, chroma side by side, as a card writes them."""
    planes = raw.reformat(format="nv12")
    planes.colorspace, planes.color_range = raw.colorspace, raw.color_range
    return planes


def kept(raw: Any) -> CardPicture:
    planes = as_nv12(raw)
    return CardPicture.of(planes.planes[0], planes.planes[1], colours_of(planes))


def exact_rgb(picture: CardPicture) -> Image:
    """(H, W, 3) in double precision, each chroma sample for its four pixels."""
    red, blue, is_full = picture.colours.red, picture.colours.blue, picture.colours.is_full
    luma = picture.luma.numpy().astype(np.float64)
    chroma = picture.chroma.numpy().astype(np.float64).repeat(2, 0).repeat(2, 1) - 128
    if not is_full:
        luma, chroma = (luma - 16) * 255 / 219, chroma * 255 / 224
    r = luma + 2 * (1 - red) * chroma[..., 1]
    b = luma + 2 * (1 - blue) * chroma[..., 0]
    g = (luma - red * r - blue * b) / (1 - red - blue)
    return np.stack([r, g, b], axis=2).round().clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("colours", "code", "rgb"),
    [
        (Colours(*BT601, is_full=False), (235, 128, 128), (255, 255, 255)),
        (Colours(*BT601, is_full=False), (16, 128, 128), (0, 0, 0)),
        # Pure red by BT.601: 16 + 219 · 0.299; 128 - 112 · 0.299 / 0.886; 128 + 112.
        (Colours(*BT601, is_full=False), (81.481, 90.203, 240), (255, 0, 0)),
        # Pure red by BT.709: 16 + 219 · 0.2126; 128 - 112 · 0.2126 / 0.9278; 128 + 112.
        (Colours(*BT709, is_full=False), (62.559, 102.336, 240), (255, 0, 0)),
        # Pure blue, full range: 255 · 0.114; 128 + 127.5; 128 - 127.5 · 0.114 / 0.701.
        (Colours(*BT601, is_full=True), (29.07, 255.5, 107.265), (0, 0, 255)),
    ],
)
def test_colours_are_those_of_the_recommendations(
    colours: Colours, code: tuple[float, ...], rgb: tuple[float, ...]
) -> None:
    turn, shift = colours.matrix()
    assert turn @ np.array(code) + shift == pytest.approx(rgb, abs=0.01)


@pytest.mark.parametrize("space", [1, 2, 5])
@pytest.mark.parametrize("crop", CROPS)
def test_the_grid_is_within_two_levels_of_placing_the_exact_picture(
    decoded: Any, crop: tuple[int, int, int, int], space: int
) -> None:
    decoded.colorspace = space
    picture, placement = kept(decoded), Placement.fit(crop, GRID)
    grid = CardFront()(picture, placement, INSIDE).here
    expected = placement.image_to_grid(exact_rgb(picture))
    assert np.abs(grid.astype(int) - expected).max() <= 2


@pytest.mark.parametrize("space", [1, 2, 5])
@pytest.mark.parametrize("crop", CROPS)
def test_the_grid_is_that_of_the_processors_way(
    decoded: Any, crop: tuple[int, int, int, int], space: int
) -> None:
    """FFmpeg's own conversion is up to three levels from exact, so a few cells are further off."""
    decoded.colorspace = space
    shown = decoded.reformat(format="rgb24", interpolation=Interpolation.FAST_BILINEAR)
    placement = Placement.fit(crop, GRID)
    grid = CardFront()(kept(decoded), placement, INSIDE).here
    apart = np.abs(grid.astype(int) - placement.image_to_grid(shown.to_ndarray()))
    assert apart.max() <= 4
    assert apart.mean() <= 1.1
    assert (apart > 2).mean() < 0.01


def test_planes_are_shared_not_copied(decoded: Any) -> None:
    planes = as_nv12(decoded)
    picture = CardPicture.of(planes.planes[0], planes.planes[1], colours_of(planes))
    assert picture.luma.data_ptr() == planes.planes[0].buffer_ptr
    assert picture.chroma.data_ptr() == planes.planes[1].buffer_ptr
    assert picture.size == (240, 320)


def test_a_picture_outlives_its_decoder(decoded: Any) -> None:
    expected = np.asarray(as_nv12(decoded).to_ndarray()[: SIZE[1]])
    assert (kept(decoded).luma.numpy() == expected).all()


def test_outside_the_field_of_view_the_grid_is_black(decoded: Any) -> None:
    inside = np.zeros_like(INSIDE)
    inside[20:60, 30:70] = 255
    grid = CardFront()(kept(decoded), Placement.fit(CROPS[0], GRID), inside).here
    assert grid[20:60, 30:70].any()
    assert not grid[inside == 0].any()


def test_another_view_or_range_is_placed_as_by_a_new_front(decoded: Any) -> None:
    front, picture = CardFront(), kept(decoded)
    other = replace(picture.colours, is_full=not picture.colours.is_full)
    for crop in CROPS[:2]:
        for shown in (picture, replace(picture, colours=other), picture):
            placement = Placement.fit(crop, GRID)
            found = front(shown, placement, INSIDE).here
            expected = CardFront()(shown, placement, INSIDE).here
            assert (found == expected).all()


def test_a_card_that_fails_is_told_with_a_remedy(decoded: Any) -> None:
    picture = kept(decoded)
    torn = replace(picture, chroma=torch.zeros(3, 3, 2, dtype=torch.uint8))
    with pytest.raises(BackendError, match="cannot place pictures") as failure:
        CardFront()(torn, Placement.fit(CROPS[0], GRID), INSIDE)
    assert "--decoder off" in str(failure.value)


def test_the_grid_lies_as_the_network_takes_it(decoded: Any) -> None:
    grid = CardFront()(kept(decoded), Placement.fit(CROPS[1], GRID), INSIDE)
    assert grid.cells.is_contiguous()
    assert (grid.cells.dtype, tuple(grid.cells.shape)) == (torch.uint8, (GRID, GRID, 3))
    assert (grid.here == grid.cells.numpy()).all()


def test_the_engine_does_without_torch_until_a_card_decodes() -> None:
    program = "import engine.analyser, engine.sources.file, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
