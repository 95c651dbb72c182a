"""The procedural colon."""

from dataclasses import replace

import numpy as np
import pytest
import trimesh

from train.simulate.anatomy import ColonShape, draw_shape, grow_colon
from train.simulate.tube import Feature, Segment, Tube


@pytest.fixture(scope="module")
def tube() -> Tube:
    rng = np.random.default_rng(4)
    shape = ColonShape.of(Segment.TRANSVERSE, rng, length=160.0)
    folded = tuple(replace(segment, flat_share=0.0) for segment in shape.segments)
    return grow_colon(rng, replace(shape, segments=folded), step_mm=1.0)


@pytest.fixture(scope="module")
def whole() -> Tube:
    rng = np.random.default_rng(5)
    shape = replace(draw_shape("whole", rng), has_diverticula=True, pools=1.0, polyps=1.0)
    return grow_colon(rng, shape, step_mm=2.0)


def test_one_seed_gives_one_colon() -> None:
    one, other = (
        grow_colon(rng, ColonShape.draw(rng, length=80.0), step_mm=2.0)
        for rng in (np.random.default_rng(9), np.random.default_rng(9))
    )
    assert np.array_equal(one.vertices, other.vertices)
    assert np.array_equal(one.feature, other.feature)


def test_the_wall_stays_within_an_adult_lumen(tube: Tube) -> None:
    gaps = np.linalg.norm(tube.vertices[:, None] - tube.centreline[None, ::5], axis=2).min(axis=1)
    assert gaps.max() < 45.0


def test_faces_look_into_the_lumen(tube: Tube) -> None:
    a, b, c = (tube.vertices[tube.faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    middle = (a + b + c) / 3
    nearest = np.argmin(
        np.linalg.norm(middle[:, None] - tube.centreline[None, ::5], axis=2), axis=1
    )
    inward = tube.centreline[::5][nearest] - middle
    assert np.mean(np.sum(normal * inward, axis=1) > 0) > 0.9


def test_the_surface_is_closed_with_pouches_and_pools(whole: Tube) -> None:
    assert trimesh.Trimesh(whole.vertices, whole.faces, process=False).is_watertight


def test_folds_are_part_of_the_wall(tube: Tube) -> None:
    assert 2.0 < tube.folds.crest_mm.max() < 20.0
    assert tube.folds.share.max() == pytest.approx(1.0, abs=0.05)


def test_folds_are_numbered_and_narrow_as_more_of_their_height_is_asked_for(tube: Tube) -> None:
    low, high = (tube.folds.region(share) for share in (0.2, 0.6))
    assert len(np.unique(low)) > 5
    assert 0 < (high > 0).sum() < (low > 0).sum()
    assert np.array_equal(high[high > 0], low[high > 0])


def test_folds_rise_towards_the_lumen(tube: Tube) -> None:
    distance = np.min(
        np.linalg.norm(tube.vertices[:, None] - tube.centreline[None, ::2], axis=2), axis=1
    )
    on_crest = tube.folds.region(0.9, crest_mm=3.0) > 0
    assert distance[on_crest].mean() < 0.85 * distance[tube.folds.share < 0.05].mean()


def test_a_whole_colon_names_its_segments_from_end_to_end(whole: Tube) -> None:
    assert [span.segment for span in whole.segments] == list(Segment)
    assert whole.segments[0].first_mm == 0
    assert whole.segments[-1].last_mm == pytest.approx(len(whole.centreline) - 1)
    for one, following in zip(whole.segments, whole.segments[1:], strict=False):
        assert one.last_mm == following.first_mm


def test_a_whole_colon_has_every_landmark(whole: Tube) -> None:
    there = set(np.unique(whole.feature).tolist())
    assert {Feature.VALVE, Feature.APPENDIX, Feature.DIVERTICULUM, Feature.POLYP} <= there


def test_the_truth_knows_no_fold_on_a_landmark(whole: Tube) -> None:
    assert not whole.folds.arc[whole.is_never_fold].any()
    assert not whole.folds.share[whole.is_never_fold].any()


def test_three_folds_stand_in_the_rectum(whole: Tube) -> None:
    below = whole.vertices[:, 2] < whole.centreline[round(whole.segments[0].last_mm) - 25, 2]
    place = np.argmin(
        np.linalg.norm(whole.vertices[below, None] - whole.centreline[None, ::4], axis=2), axis=1
    )
    arcs = whole.folds.region(0.8, crest_mm=4.0)[below]
    middles = sorted(np.median(4 * place[arcs == arc]) for arc in np.unique(arcs) if arc)
    assert len(middles) == 3
    assert np.allclose(middles, (50, 80, 110), atol=14)


def test_a_stretch_around_a_segment_shows_it() -> None:
    for segment in Segment:
        rng = np.random.default_rng(1)
        shape = ColonShape.of(segment, rng, length=100.0)
        tube = grow_colon(rng, shape, step_mm=3.0)
        lengths = {span.segment: span.last_mm - span.first_mm for span in tube.segments}
        assert max(lengths, key=lambda each: lengths[each]) is segment
        assert len(tube.centreline) == pytest.approx(101, abs=1)


def test_stretches_of_a_set_cover_all_segments() -> None:
    middles = []
    for seed in range(120):
        shape = ColonShape.draw(np.random.default_rng(seed))
        first, last = shape.window
        ends = np.cumsum([each.length for each in shape.segments])
        middles += [int(np.searchsorted(ends, place)) for place in np.arange(first, last, 20)]
    share = np.bincount(middles, minlength=6) / len(middles)
    assert share.min() > 0.02
    assert share[3] < 0.5


def test_an_unknown_anatomy_is_refused() -> None:
    with pytest.raises(ValueError, match="stretch or whole"):
        draw_shape("half", np.random.default_rng(0))
