"""From a frame to probabilities, with a network that says what is bright."""

from dataclasses import replace

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from engine.card import CardGrid
from engine.segmenter import Segmenter
from engine.sources.on_card import CardKeeper
from engine.types import Frame, Image

SIZE = 64


class Brightness:
    """A back end whose fold is what is red and whose edge is what is green. Keeps what it saw."""

    name = "brightness"
    description = "no network"

    def __init__(self) -> None:
        self.seen: list[Image] = []

    def infer(self, image: Image) -> NDArray[np.float32]:
        self.seen.append(image)
        return np.moveaxis(image[..., :2], 2, 0).astype(np.float32) / 255

    def depth(self) -> NDArray[np.float32]:
        return 1 + self.seen[-1][..., 2].astype(np.float32)

    def close(self) -> None: ...


def frame(image: Image, index: int = 0) -> Frame:
    return Frame(index, index * 0.02, 0.0, image)


def scene() -> Image:
    """A round picture with a red spot, on a black frame with white text."""
    image = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(image, (320, 240), 230, (60, 60, 60), -1)
    cv2.circle(image, (400, 200), 40, (255, 0, 0), -1)
    cv2.putText(image, "12:00:00", (5, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)
    return image


def test_a_fold_lies_where_the_placement_says() -> None:
    mask = Segmenter(Brightness(), SIZE)(frame(scene()))
    y, x = np.nonzero(mask.probability > 0.9)
    middle = mask.placement.points_to_frame(np.array([[x.mean(), y.mean()]], np.float32))
    assert middle[0] == pytest.approx([400, 200], abs=4)


def test_fold_and_edge_are_not_exchanged() -> None:
    image = scene()
    image[..., 1] = 0
    mask = Segmenter(Brightness(), SIZE)(frame(image))
    assert mask.edge.max() == 0


def test_depth_is_taken_only_where_it_is_asked_for() -> None:
    assert Segmenter(Brightness(), SIZE)(frame(scene())).depth is None


def test_depth_is_zero_outside_the_field_of_view_and_kept_inside() -> None:
    depth = Segmenter(Brightness(), SIZE, takes_depth=True)(frame(scene())).depth
    assert depth is not None
    assert depth[:4, :4].max() == 0
    assert depth[SIZE // 2, SIZE // 3] == 61
    assert not depth.flags.writeable


def test_a_flat_picture_with_a_spot_is_not_trusted() -> None:
    assert Segmenter(Brightness(), SIZE)(frame(scene())).trust < 0.1


def test_nothing_is_found_outside_the_field_of_view() -> None:
    mask = Segmenter(Brightness(), SIZE)(frame(scene()))
    assert mask.probability[:4, :4].max() == 0


def test_the_network_sees_black_outside_the_field_of_view() -> None:
    backend = Brightness()
    Segmenter(backend, SIZE)(frame(scene()))
    assert backend.seen[0][:4, :4].max() == 0


def test_an_unchanged_view_keeps_its_placement() -> None:
    segment = Segmenter(Brightness(), SIZE)
    first, second = segment(frame(scene())), segment(frame(scene(), 1))
    assert second.placement is first.placement


def test_a_dark_frame_is_placed_as_the_one_before() -> None:
    segment = Segmenter(Brightness(), SIZE)
    known = segment(frame(scene())).placement
    assert segment(frame(np.zeros((480, 640, 3), np.uint8), 1)).placement == known


def test_after_a_reset_the_view_is_found_anew() -> None:
    segment = Segmenter(Brightness(), SIZE)
    segment(frame(scene()))
    segment.reset()
    placement = segment(frame(np.zeros((480, 640, 3), np.uint8), 1)).placement
    assert (placement.crop_width, placement.crop_height) == (640, 480)


def test_the_answer_is_read_only() -> None:
    mask = Segmenter(Brightness(), SIZE)(frame(scene()))
    assert not (mask.probability.flags.writeable or mask.edge.flags.writeable)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (479, 641, 3), (2160, 3840, 3)])
def test_a_picture_of_any_size_is_taken(shape: tuple[int, int, int]) -> None:
    image = np.full(shape, 200, np.uint8)
    assert Segmenter(Brightness(), SIZE)(frame(image)).probability.shape == (SIZE, SIZE)


def test_a_settled_view_still_notices_within_four_frames_that_it_grew() -> None:
    segment = Segmenter(Brightness(), SIZE)
    narrow, wide = np.zeros((240, 320, 3), np.uint8), np.full((240, 320, 3), 120, np.uint8)
    narrow[60:180, 80:240] = 120
    for index in range(40):
        before = segment(Frame(index, index / 50, 0.0, narrow)).placement
    found = [segment(Frame(40 + i, 0.8 + i / 50, 0.0, wide)).placement for i in range(4)]
    assert before.crop_width < 200
    assert found[-1].crop_width == 320


def test_a_settled_view_of_another_size_is_looked_for_at_once() -> None:
    segment = Segmenter(Brightness(), SIZE)
    for index in range(40):
        segment(Frame(index, index / 50, 0.0, np.full((240, 320, 3), 120, np.uint8)))
    other = segment(Frame(40, 0.8, 0.0, np.full((120, 160, 3), 120, np.uint8)))
    assert other.placement.crop_width == 160


class BrightnessOnCard(Brightness):
    """Takes pictures from the card, too, and counts them."""

    takes_card = True

    def __init__(self) -> None:
        super().__init__()
        self.from_card = 0

    def infer_on_card(self, grid: CardGrid) -> NDArray[np.float32]:
        self.from_card += 1
        return self.infer(grid.cells.numpy())


def frame_on_card(index: int = 0) -> Frame:
    """The scene as it comes from a card's decoder, in its memory and here."""
    planes = av.VideoFrame.from_ndarray(scene(), "rgb24").reformat(format="nv12")
    image = planes.to_ndarray(format="rgb24")
    on_card = CardKeeper()(planes, image)
    assert on_card is not None
    return Frame(index, index * 0.02, 0.0, image, on_card)


def test_a_picture_on_the_card_is_segmented_as_the_one_here() -> None:
    there, here = BrightnessOnCard(), Brightness()
    found, expected = (Segmenter(each, SIZE)(frame_on_card()) for each in (there, here))
    assert (there.from_card, found.placement) == (1, expected.placement)
    assert found.probability == pytest.approx(expected.probability, abs=6 / 255)
    assert not there.seen[0][(here.seen[0] == 0).all(axis=2)].any()


def test_a_back_end_that_takes_nothing_from_the_card_gets_the_picture_here() -> None:
    backend = BrightnessOnCard()
    backend.takes_card = False
    mask = Segmenter(backend, SIZE)(frame_on_card())
    assert backend.from_card == 0
    assert mask.probability.max() > 0.9


def test_a_card_that_fails_is_told_and_the_processor_goes_on() -> None:
    backend = BrightnessOnCard()
    segment = Segmenter(backend, SIZE)
    whole = frame_on_card()
    assert whole.on_card is not None
    torn = replace(whole.on_card, chroma=whole.on_card.chroma[:3])
    mask = segment(replace(whole, on_card=torn))
    assert mask.probability.max() > 0.9
    assert "The processor places them." in (segment.note or "")
    segment(frame_on_card(1))
    assert backend.from_card == 0
