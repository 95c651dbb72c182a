"""Pieces of folds on hand-drawn grids."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from engine.instances import InstanceOptions, label_folds, split_instances
from engine.joining import (
    Facing,
    JoiningOptions,
    Strips,
    find_facing,
    is_continued,
    join_interrupted,
    strips_at,
    turns,
)
from engine.preprocess import Placement
from engine.types import FoldMask, Frame, Image, Labels, Points

OPTIONS = JoiningOptions()
FLESH, STEEL = (180, 90, 70), (150, 150, 155)


def no_edge() -> np.ndarray:
    return np.zeros((256, 256), np.float32)


def arc(labels: Labels, number: int, degrees: tuple[int, int], **circle: int) -> None:
    """Part of a ring of radius 90 around the middle, 12 wide, clockwise from the right."""
    middle = circle.get("x", 128), circle.get("y", 128)
    radius = circle.get("radius", 90)
    part = np.zeros(labels.shape, np.uint8)
    cv2.ellipse(part, middle, (radius, radius), 0, *degrees, 1, circle.get("width", 12))
    labels[part > 0] = number


def two_arcs(gap_degrees: int) -> Labels:
    """A half ring with a gap at its top."""
    labels = np.zeros((256, 256), np.int32)
    arc(labels, 1, (190, 270 - gap_degrees // 2))
    arc(labels, 2, (270 + gap_degrees // 2, 350))
    return labels


def two_bars(gap: int) -> Labels:
    """A bar across the grid with a gap in its middle."""
    labels = np.zeros((256, 256), np.int32)
    labels[100:114, 20 : 128 - gap // 2] = 1
    labels[100:114, 128 + gap // 2 : 236] = 2
    return labels


def numbers(labels: Labels) -> list[int]:
    return [int(number) for number in np.unique(labels[labels > 0])]


def picture_with(colour: tuple[int, int, int], left: int, right: int) -> Image:
    """Flesh, and something upright across it."""
    picture = np.full((256, 256, 3), FLESH, np.uint8)
    picture[:, left:right] = colour
    return picture


def test_two_arcs_of_one_ring_with_a_short_gap_are_one() -> None:
    labels = two_arcs(10)
    joined = join_interrupted(labels, no_edge(), OPTIONS)
    assert numbers(joined) == [1]
    assert ((joined > 0) == (labels > 0)).all()


def test_three_pieces_of_one_ring_are_one() -> None:
    labels = np.zeros((256, 256), np.int32)
    for number, start in ((3, 180), (1, 235), (2, 290)):
        arc(labels, number, (start, start + 48))
    assert numbers(join_interrupted(labels, no_edge(), OPTIONS)) == [1]


@pytest.mark.parametrize(
    ("colour", "found"), [(STEEL, [1]), ((250, 245, 240), [1]), (FLESH, [1, 2])]
)
def test_a_long_gap_is_closed_where_the_picture_shows_a_tool_or_a_highlight(
    colour: tuple[int, int, int], found: list[int]
) -> None:
    picture = picture_with(colour, 108, 148)

    def colours(cells: Points) -> Image:
        x, y = cells.astype(int).T
        return np.asarray(picture[y, x])

    assert numbers(join_interrupted(two_bars(40), no_edge(), OPTIONS, colours)) == found


def test_a_long_gap_stays_where_no_picture_is_asked() -> None:
    assert numbers(join_interrupted(two_bars(40), no_edge(), OPTIONS)) == [1, 2]


def test_parallel_arcs_stay_two() -> None:
    labels = np.zeros((256, 256), np.int32)
    arc(labels, 1, (200, 340), radius=100)
    arc(labels, 2, (200, 340), radius=78)
    assert numbers(join_interrupted(labels, no_edge(), OPTIONS)) == [1, 2]


def test_arcs_end_to_end_that_bend_to_opposite_sides_stay_two() -> None:
    labels = np.zeros((256, 256), np.int32)
    arc(labels, 1, (180, 265), x=128, y=128, radius=60)
    arc(labels, 2, (180, 90), x=138, y=8, radius=60)
    ends = find_facing(np.ascontiguousarray(labels[3::6, 3::6], np.uint16), OPTIONS.short)
    assert ends is not None  # near each other, and not joined
    assert numbers(join_interrupted(labels, no_edge(), OPTIONS)) == [1, 2]


def test_a_corner_stays_two() -> None:
    labels = np.zeros((256, 256), np.int32)
    labels[40:52, 40:140] = 1
    labels[56:156, 140:152] = 2
    assert numbers(join_interrupted(labels, no_edge(), OPTIONS)) == [1, 2]


@pytest.mark.parametrize(("sureness", "found"), [(0.4, [1]), (0.9, [1, 2])])
def test_nothing_is_joined_across_a_strong_edge(sureness: float, found: list[int]) -> None:
    edge = no_edge()
    edge[:, 127:130] = sureness
    assert numbers(join_interrupted(two_arcs(10), edge, OPTIONS)) == found


def test_an_edge_along_a_fold_bars_nothing() -> None:
    edge = no_edge()
    edge[111:114] = 0.95
    assert numbers(join_interrupted(two_bars(10), edge, OPTIONS)) == [1]


def test_another_fold_between_keeps_them_apart() -> None:
    labels = two_bars(22)
    labels[40:220, 122:134] = 3
    assert numbers(join_interrupted(labels, no_edge(), OPTIONS)) == [1, 2, 3]


def test_one_piece_or_none_stays_as_it_is() -> None:
    labels = np.zeros((256, 256), np.int32)
    assert join_interrupted(labels, no_edge(), OPTIONS) is labels
    labels[100:114, 20:115] = 4
    assert join_interrupted(labels, no_edge(), OPTIONS) is labels


def test_gap_and_facing_ends_are_measured_in_cells() -> None:
    pieces = np.zeros((20, 20), np.uint16)
    pieces[5:8, :8] = 1
    pieces[5:8, 12:] = 7
    near = find_facing(pieces, 40.0)
    assert near is not None
    assert near.labels.tolist() == [[1], [7]]
    assert near.gap == pytest.approx([5 * 6], abs=6.1)
    assert near.ends[:, 0] == pytest.approx(np.array([[6 * 6 + 3, 39], [13 * 6 + 3, 39]]), abs=9)
    assert find_facing(pieces, 23.0) is None


def test_a_bar_is_a_strip_of_its_length_and_width() -> None:
    pieces = np.zeros((42, 42), np.uint16)
    pieces[10:13, 10:30] = 2
    near = Facing(np.array([[2], [2]]), np.zeros(1), np.full((2, 1, 2), (117.0, 69.0)))
    strips = strips_at(pieces, near, 500.0)
    assert strips.middle[:, 0] == pytest.approx(np.array([[120, 69], [120, 69]]))
    assert np.sin(strips.direction) == pytest.approx(0.0, abs=1e-9)
    # Three rows 6 apart have a variance of 6² · 2 / 3 = 24, as a strip has that is √(12 · 24) wide.
    assert strips.width == pytest.approx(np.sqrt(12 * 24))


def test_only_what_is_near_an_end_tells_the_direction() -> None:
    pieces = np.zeros((42, 42), np.uint16)
    pieces[10:12, 10:30] = pieces[10:40, 10:12] = 1
    near = Facing(np.ones((2, 1), int), np.zeros(1), np.full((2, 1, 2), (29 * 6 + 3, 66.0)))
    strips = strips_at(pieces, near, 60.0)
    assert np.sin(strips.direction) == pytest.approx(0.0, abs=0.05)


def strips(first: float, second: float) -> Strips:
    """Two strips, the second to the right of the first, in these directions."""
    middle = np.array([[[0.0, 0.0]], [[40.0, 0.0]]])
    return Strips(middle, np.array([[first], [second]]), np.full((2, 1), 10.0))


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (0.0, 0.0, True),
        (0.4, -0.4, True),  # tangents of a circle
        (0.3, 0.3, False),  # side by side, slanting
        (0.6, -0.6, False),  # turns too much
        (np.pi, np.pi - 0.1, True),  # a direction has no sense
        (np.pi / 2, np.pi / 2, False),
    ],
)
def test_pieces_continue_each_other_on_a_line_or_a_circle(
    first: float, second: float, found: bool
) -> None:
    assert is_continued(strips(first, second), OPTIONS).tolist() == [found]


def test_turns_are_taken_from_the_chord() -> None:
    turned = strips(0.3, np.pi - 0.2)
    assert turns(turned)[:, 0] == pytest.approx([0.3, -0.2])
    upright = replace(turned, middle=turned.middle[..., ::-1])
    assert turns(upright)[:, 0] == pytest.approx([0.3 - np.pi / 2, np.pi / 2 - 0.2])


def interrupted() -> np.ndarray:
    """A bar in two pieces."""
    region = np.full((256, 256), 0.02, np.float32)
    region[100:114, 20:120] = region[100:114, 132:230] = 0.9
    return region


def test_an_interrupted_fold_is_one_instance_with_an_outline_for_each_part() -> None:
    frame = Frame(0, 0.0, 0.0, np.full((256, 256, 3), FLESH, np.uint8))
    mask = FoldMask(frame, interrupted(), no_edge(), Placement.fit((0, 0, 256, 256), 256))
    (fold,) = split_instances(mask, InstanceOptions())
    assert fold.area_px == pytest.approx(14 * 198)
    assert (len(fold.parts), fold.holes) == (1, ())
    assert len(fold.outlines) == 2
    assert fold.contour[:, 0].max() < 121  # the longer part
    assert fold.parts[0][:, 0].min() > 130
    assert not fold.parts[0].flags.writeable


def test_without_joining_an_interrupted_fold_is_two() -> None:
    labels = label_folds(interrupted(), no_edge(), InstanceOptions(joining=None))
    assert len(numbers(labels)) == 2
