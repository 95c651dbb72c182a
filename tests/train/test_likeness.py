from __future__ import annotations

import numpy as np
import pytest

from train.likeness import (
    colour_distance,
    discrepancy,
    drawn_blocks,
    even_directions,
    frechet_distance,
    gaussian_distance,
    kernel_distance,
    lab_pixels,
    mean_difference,
    moments,
    polynomial_kernel,
    radial_power,
    slopes,
    spectra,
)
from train.simulate.tissue import spectral_noise

RNG = np.random.default_rng(7)


def apart(values: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """One-dimensional features, each picture its own block."""
    return np.array(values, np.float64)[:, None], np.arange(len(values))


def mmd2(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> float:
    everything = [np.ones((1, blocks.size)) for _, blocks in (first, second)]
    return float(discrepancy(first, second)(*everything)[0])


def test_two_colours_are_as_far_apart_as_the_channels_say() -> None:
    found = colour_distance(np.full((5, 3), 10.0), np.tile([13.0, 6.0, 10.0], (7, 1)))
    assert (found.lightness, found.red_green, found.blue_yellow) == pytest.approx((3, 4, 0))


def test_moving_all_colours_by_five_is_a_joint_distance_of_five() -> None:
    found = colour_distance(np.full((5, 3), 10.0), np.tile([13.0, 6.0, 10.0], (7, 1)))
    assert found.joint == pytest.approx(5, rel=0.02)


def test_the_joint_distance_sees_what_no_channel_sees() -> None:
    """Grey and coloured halves swap partners: every channel by itself stays as it was."""
    first = np.array([[0.0, 0, 0], [10, 10, 0]])
    second = np.array([[0.0, 10, 0], [10, 0, 0]])
    found = colour_distance(first, second)
    assert found.lightness == found.red_green == 0 < found.joint


def test_the_order_of_pixels_does_not_matter() -> None:
    pixels = RNG.normal(size=(50, 3))
    assert colour_distance(pixels, pixels[::-1]).joint == pytest.approx(0, abs=1e-12)


def test_directions_are_unit_vectors_that_favour_no_axis() -> None:
    directions = even_directions(64)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1)
    assert np.abs(directions).mean(0) == pytest.approx([0.5, 0.5, 0.5], abs=0.01)


def test_white_has_lightness_one_hundred_and_no_colour() -> None:
    image = np.full((1, 8, 8, 3), 255, np.uint8)
    lab = lab_pixels(image, np.ones((1, 8, 8), bool))
    assert lab.reshape(-1, 3) == pytest.approx(np.tile([100, 0, 0], (lab.shape[1], 1)), abs=0.01)


def test_pixels_outside_the_field_of_view_do_not_count() -> None:
    image = np.full((1, 8, 8, 3), 255, np.uint8)
    valid = np.ones((1, 8, 8), bool)
    image[:, :4], valid[:, :4] = 0, False
    assert lab_pixels(image, valid)[..., 0].min() > 99


def test_a_wave_of_five_cycles_has_its_power_in_the_fifth_ring() -> None:
    wave = np.sin(2 * np.pi * 5 * np.arange(64) / 64)[None].repeat(64, 0)
    assert np.argmax(radial_power(wave)) == 4


def test_white_noise_of_unit_variance_has_power_one_in_every_ring() -> None:
    found = np.mean([radial_power(RNG.standard_normal((64, 64))) for _ in range(200)], axis=0)
    assert found[3:] == pytest.approx(np.ones(29), rel=0.1)


def test_a_flat_picture_has_no_power() -> None:
    assert radial_power(np.full((32, 32), 0.7)).max() < 1e-20


@pytest.mark.parametrize("fall", [0.0, 1.0, 1.5])
def test_power_falls_twice_as_steeply_as_amplitude(fall: float) -> None:
    rng = np.random.default_rng(1)
    noise = [radial_power(spectral_noise(rng, 128, fall).astype(float)) for _ in range(24)]
    assert slopes(np.log10(noise), 0.05, 0.4).mean() == pytest.approx(-2 * fall, abs=0.06)


def test_the_slope_of_a_power_law_is_its_exponent() -> None:
    log_power = -3 * np.log10(np.arange(1, 65))[None]
    assert slopes(log_power, 0.025, 0.375) == pytest.approx([-3])


def test_spectra_are_taken_from_the_centre_alone() -> None:
    image = np.full((1, 64, 64, 3), 100, np.uint8)
    noisy = image.copy()
    noisy[:, :16] = RNG.integers(0, 255, (1, 16, 64, 3))
    assert (spectra(image, 32) == spectra(noisy, 32)).all()


def test_the_kernel_is_the_cube_of_the_mean_product_and_one() -> None:
    assert polynomial_kernel(np.array([[1.0, 2]]), np.array([[3.0, 2.5]])) == pytest.approx(5**3)


def test_the_discrepancy_of_zeros_and_ones_is_seven() -> None:
    """1 within the zeros, 8 within the ones, 1 between: 1 + 8 - 2."""
    assert mmd2(apart([0, 0]), apart([1, 1])) == pytest.approx(7)


def test_pairs_from_one_block_are_left_out() -> None:
    """Of 1, 1, 0 the pair of ones (8) does not count; without blocks it is (8 + 1 + 1) / 3."""
    features = np.array([[1.0], [1.0], [0.0]])
    zeros = apart([0, 0])
    assert mmd2((features, np.array([0, 0, 1])), zeros) == pytest.approx(0)
    assert mmd2((features, np.arange(3)), zeros) == pytest.approx(7 / 3)


def test_a_picture_drawn_twice_makes_no_pair_with_itself() -> None:
    measure = discrepancy(apart([2, 0]), apart([0, 0]))
    assert measure(np.array([[2.0, 1.0]]), np.ones((1, 2))) == pytest.approx([0])


def test_shifted_gaussians_are_as_far_apart_as_in_closed_form() -> None:
    """N(0, 1) against N(m, 1): (m³ + 3m)² + 3m⁴ + 3m², which is 22 for m = 1."""
    rng = np.random.default_rng(3)
    first, second = rng.standard_normal((2, 3000))
    assert mmd2(apart(list(first)), apart(list(second + 1))) == pytest.approx(22, rel=0.1)


def test_two_draws_from_one_source_are_not_apart() -> None:
    rng = np.random.default_rng(4)
    draws = [(rng.standard_normal((200, 16)), np.arange(200)) for _ in range(2)]
    found = kernel_distance(*draws)
    assert found.measured.low < 0 < found.measured.high


def test_the_mean_of_subsets_is_the_figure_of_all_pictures() -> None:
    rng = np.random.default_rng(5)
    first = rng.standard_normal((120, 16)), np.arange(120)
    second = rng.standard_normal((120, 16)) + 0.5, np.arange(120)
    found = kernel_distance(first, second)
    assert found.subset_mean == pytest.approx(found.measured.value, rel=0.1)


def test_subsets_hold_at_most_half_of_the_smaller_set() -> None:
    rng = np.random.default_rng(6)
    first = rng.standard_normal((30, 4)), np.arange(30)
    second = rng.standard_normal((50, 4)), np.arange(50)
    assert kernel_distance(first, second).subset_pictures == 15


def test_a_draw_of_a_single_block_gives_no_figure() -> None:
    measure = discrepancy(apart([1, 0]), apart([0, 0]))
    assert np.isnan(measure(np.array([[2.0, 0.0]]), np.ones((1, 2)))).all()


def test_pictures_of_one_block_are_drawn_equally_often() -> None:
    drawn = drawn_blocks(np.array([4, 9, 4]), np.random.default_rng(0), 20)
    assert (drawn[:, 0] == drawn[:, 2]).all()
    assert (drawn[:, 0] + drawn[:, 1] == 2).all()


def test_the_difference_of_means_is_first_less_second() -> None:
    first = np.array([1.0, 2, 3]), np.arange(3)
    second = np.array([5.0, 5]), np.arange(2)
    found = mean_difference(first, second)
    assert found.value == -3
    assert -4 <= found.low < -3 < found.high <= -2


def test_alike_frames_of_one_block_do_not_narrow_the_interval() -> None:
    values = np.repeat([0.0, 1.0, 0.0, 1.0], 25)
    none = np.zeros(4), np.arange(4)
    honest = mean_difference((values, np.repeat(np.arange(4), 25)), none)
    naive = mean_difference((values, np.arange(100)), none)
    assert honest.high - honest.low > 3 * (naive.high - naive.low)


def test_frechet_distance_of_two_normal_distributions_by_hand() -> None:
    """In one dimension (m - m')² + (s - s')²; here 3² + (1 - 2)²."""
    one, other = (np.zeros(1), np.array([[1.0]])), (np.full(1, 3.0), np.array([[2.0]]))
    assert gaussian_distance(one, other) == pytest.approx(10.0)


def test_axes_that_do_not_agree_cost_something() -> None:
    """C = diag(1, 4) and C' = diag(4, 1): tr(C + C') = 10, and C·C' = 4·1 has a root of trace 4."""
    one, other = np.diag([1.0, 2.0]), np.diag([2.0, 1.0])
    assert gaussian_distance((np.zeros(2), one), (np.zeros(2), other)) == pytest.approx(2.0)


def test_moments_count_each_picture_as_often_as_it_was_drawn() -> None:
    mean, factor = moments(np.array([[0.0], [3.0], [9.0]]), np.array([2.0, 1.0, 0.0]))
    # 0, 0, 3: mean 1, variance (1 + 1 + 4) / 2.
    assert mean[0] == 1.0
    assert (factor.T @ factor)[0, 0] == pytest.approx(3.0)


def test_fid_is_zero_of_a_set_and_itself_and_grows_as_sets_part() -> None:
    rng = np.random.default_rng(5)
    features, blocks = rng.normal(size=(60, 4)), np.arange(60) // 3
    same = frechet_distance((features, blocks), (features, blocks))
    apart = frechet_distance((features, blocks), (features + 1, blocks))
    assert same.value == pytest.approx(0, abs=1e-9)
    assert apart.value == pytest.approx(4.0)
    assert apart.low < apart.value < apart.high
