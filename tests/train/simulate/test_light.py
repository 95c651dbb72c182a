"""Every equation of light against numbers worked out by hand, and what the kernel makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from train.simulate.light import (
    POOL,
    RAISED,
    SCRATCH,
    WALL,
    Film,
    Floats,
    Lamps,
    Optics,
    Skin,
    distribution,
    fresnel,
    glint,
    illuminate,
    inverse_square,
    shadowing,
    spot,
    vignette,
    wrapped,
)


def test_a_spot_is_full_on_its_axis_and_fades_with_the_exponential_of_one_less_the_cosine() -> None:
    assert spot(1.0, 2.767) == 1.0
    assert spot(0.5, 2.767) == pytest.approx(0.250700, rel=1e-5)  # exp(-1.3835)


def test_light_falls_with_the_square_of_the_distance_down_to_the_glass() -> None:
    assert inverse_square(20.0) == pytest.approx(0.0025)
    assert inverse_square(0.1) == pytest.approx(1 / 1.5**2)


def test_a_simple_lens_loses_the_fourth_power_of_the_cosine() -> None:
    assert vignette(0.5, 4.0) == pytest.approx(0.0625)


def test_wrapped_light_reaches_around_the_edge_and_ends() -> None:
    assert wrapped(-0.2, 0.5) == pytest.approx(0.2)  # 0.3 / 1.5
    assert wrapped(-0.6, 0.5) == 0.0
    assert wrapped(0.7, 0.0) == 0.7


def test_the_distribution_of_facets_follows_ggx() -> None:
    assert distribution(1.0, 0.5) == pytest.approx(1.2732395)  # 0.25 / (pi 0.0625)
    assert distribution(0.8, 0.5) == pytest.approx(0.2942953)  # 0.25 / (pi 0.2704)


@pytest.mark.parametrize("alpha", [0.1, 0.5, 1.0])
def test_facets_cover_the_surface_exactly_once(alpha: float) -> None:
    edges = np.linspace(0, 1, 20_001)
    cosines = (edges[1:] + edges[:-1]) / 2
    covered = sum(distribution(c, alpha) * c for c in cosines) * 2 * np.pi / cosines.size
    assert covered == pytest.approx(1.0, abs=2e-3)


def test_facets_shadow_each_other_as_smith_says() -> None:
    assert shadowing(1.0, 0.3) == 1.0
    assert shadowing(0.5, 0.5) == pytest.approx(0.861002, rel=1e-5)  # 1 / (0.5 + sqrt(0.4375))


def test_grazing_light_is_mirrored_whole() -> None:
    assert fresnel(1.0, 0.02) == pytest.approx(0.02)
    assert fresnel(0.5, 0.02) == pytest.approx(0.050625)  # 0.02 + 0.98 / 32
    assert fresnel(0.0, 0.02) == pytest.approx(1.0)


def test_a_glint_is_the_product_of_the_three() -> None:
    assert glint((1.0, 1.0, 1.0, 1.0), 0.5, 0.02) == pytest.approx(0.00636620)  # 1.2732 0.02 / 4
    slanted = 0.2942953 * 0.861002**2 * 0.050625 / (4 * 0.5)
    assert glint((0.5, 0.5, 0.8, 0.5), 0.5, 0.02) == pytest.approx(slanted, rel=1e-5)


SKIN = Skin(
    base=np.array([0.8, 0.5, 0.4]), mottling=np.zeros(3), fine=np.array([0.0, 1.0, 1.0]),
    broad=np.zeros(3), stain=np.array([0.1, 0.1, 0.0]), stain_from=1.0,
    stain_slope=2.0, raised=np.full(3, 0.5),
    pool=np.array([0.2, 0.1, 0.0]), wrap=np.zeros(3), soften=np.zeros(3), relief=0.2,
)  # fmt: skip
MATT = Film(alpha=0.1, f0=0.0, wet_from=0.0, relief=1.0, dull_alpha=0.5)
WET = Film(alpha=0.1, f0=0.02, wet_from=-1.0, relief=1.0, dull_alpha=0.5)
ONE_LAMP = Lamps(np.zeros((1, 3)), np.ones(1), 0.0)


def lit(
    depth_mm: float = 20.0,
    kind: int = WALL,
    film: Film = MATT,
    texture: tuple[float, ...] = (0,) * 7,
) -> Floats:
    """Radiance (3,) of one pixel that looks straight at a wall."""
    ahead = np.array([[[0, 0, 1]]], np.float32)
    radiance = np.full((1, 1, 3), np.nan, np.float32)
    illuminate(
        (np.full((1, 1), depth_mm, np.float32), -ahead, ahead, np.full((1, 1), kind, np.uint8)),
        (np.array(texture, np.float32).reshape(1, 1, 7), np.zeros((1, 1), np.float32)),
        (ONE_LAMP, SKIN, film, Optics(1.0, 0.0)),
        radiance,
        np.empty(SCRATCH),
    )
    return radiance[0, 0]


def test_a_matt_wall_sends_its_albedo_over_the_square_of_the_distance() -> None:
    assert lit() == pytest.approx(SKIN.base / 400)
    assert lit(10.0) == pytest.approx(SKIN.base / 100)


def test_where_there_is_no_wall_there_is_no_light() -> None:
    assert not lit(0.0).any()


def test_a_wet_wall_adds_its_glint_in_white() -> None:
    wet = 0.8 * glint((1.0, 1.0, 1.0, 1.0), 0.1, 0.02)  # 0.8 for each deviation
    dull = 0.2 * glint((1.0, 1.0, 1.0, 1.0), 0.5, 0.01)
    assert lit(film=WET) - lit() == pytest.approx(np.full(3, np.pi * (wet + dull) / 400), rel=1e-4)


def test_a_vessel_takes_the_light_it_absorbs() -> None:
    vessel = lit(texture=(0, 0, 1, 0, 0, 0, 0))
    assert vessel == pytest.approx(SKIN.base / 400 * [1, np.exp(-1), np.exp(-1)], rel=1e-5)


def test_a_polyp_has_its_own_tint() -> None:
    assert lit(kind=RAISED) == pytest.approx(SKIN.base / 800)


def test_a_bump_turned_away_is_darker_but_a_pool_stays_level() -> None:
    slope = (0, 0, 0, 0, 3.0, 0, 0)
    assert lit(texture=slope) == pytest.approx(lit() / np.sqrt(1 + 0.6**2), rel=1e-5)
    assert lit(kind=POOL, texture=slope) == pytest.approx(lit(kind=POOL))


def test_a_stain_covers_at_most_nine_tenths() -> None:
    stained = lit(texture=(0, 5.0, 0, 0, 0, 0, 0))
    assert stained == pytest.approx((0.1 * SKIN.base + 0.9 * SKIN.stain) / 400, rel=1e-5)
