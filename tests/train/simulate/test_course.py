"""The course of the colon through the abdomen."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from train.simulate.course import WALL_REACH, Course, draw_course
from train.simulate.segments import RANGES, SEGMENTS, Profile, SegmentShape
from train.simulate.tube import Segment

SEEDS = range(6)


def drawn(seed: int) -> tuple[Course, tuple[SegmentShape, ...]]:
    rng = np.random.default_rng(seed)
    shapes = tuple(SegmentShape.draw(rng, RANGES[each], False) for each in SEGMENTS)
    return draw_course(rng, shapes), shapes


@pytest.fixture(scope="module", params=SEEDS)
def course(request: pytest.FixtureRequest) -> Course:
    return drawn(request.param)[0]


def at(course: Course, segment: Segment, share: float) -> np.ndarray:
    span = course.spans[SEGMENTS.index(segment)]
    return course.points[round(span.first_mm + share * (span.last_mm - span.first_mm))]


def test_segments_lie_where_they_lie_in_a_body(course: Course) -> None:
    left, *_ = at(course, Segment.DESCENDING, 0.5) - at(course, Segment.ASCENDING, 0.5)
    assert left > 150  # the descending colon is on the patient's left
    splenic, hepatic = (at(course, Segment.TRANSVERSE, end) for end in (0.0, 0.99))
    assert splenic[0] > 60 > -60 > hepatic[0]
    middle = at(course, Segment.TRANSVERSE, 0.5)
    assert middle[2] < min(splenic[2], hepatic[2]) - 30  # it sags
    assert middle[1] > 30  # in front
    assert at(course, Segment.CAECUM, 0.9)[2] < at(course, Segment.ASCENDING, 0.1)[2]
    assert at(course, Segment.RECTUM, 0.0)[2] < 20


def test_points_are_evenly_spaced(course: Course) -> None:
    steps = np.linalg.norm(np.diff(course.points, axis=0), axis=1)
    assert steps == pytest.approx(np.ones(len(steps)), abs=0.02)


def test_it_is_as_long_as_an_adult_colon(course: Course) -> None:
    assert 1097 < course.length_mm < 1959  # Utano et al. 2021


def test_a_lumen_within_its_room_never_meets_another_loop(course: Course) -> None:
    points, room = course.points[::5], course.room[::5]
    gap = cdist(points, points)
    place = 5.0 * np.arange(len(points))
    is_other = np.abs(place[:, None] - place[None]) > 2.2 * gap
    needed = np.maximum.outer(room, np.zeros_like(room)) * WALL_REACH
    assert (gap[is_other] >= (needed + needed.T)[is_other]).all()


def test_segments_are_about_as_long_as_they_were_drawn() -> None:
    course, shapes = drawn(3)
    lengths = np.array([span.last_mm - span.first_mm for span in course.spans])
    assert lengths == pytest.approx(np.array([shape.length for shape in shapes]), rel=0.25)


def test_no_two_colons_take_the_same_course() -> None:
    one, other = (drawn(seed)[0].points[600] for seed in (1, 2))
    assert np.linalg.norm(one - other) > 5


def test_values_blend_where_two_segments_meet() -> None:
    course, shapes = drawn(2)
    profile = Profile(shapes, course.spans)
    border = profile.span(Segment.DESCENDING).last_mm
    radii = [shapes[i].radius for i in (2, 3)]
    assert profile.at("radius", border) == pytest.approx(np.mean(radii), abs=0.6)
    assert profile.at("radius", border - 60) == pytest.approx(radii[0], abs=0.1)
    assert profile.at("radius", border + 60) == pytest.approx(radii[1], abs=0.1)
