"""Numbers by hand."""

from __future__ import annotations

import pytest

from train.sampling import evenly_spread


@pytest.mark.parametrize(
    ("of", "count", "expected"),
    [(9, 3, [0, 4, 8]), (3, 3, [0, 1, 2]), (3, 7, [0, 1, 2]), (5, 1, [0]), (4, 0, []), (0, 3, [])],
)
def test_from_the_first_to_the_last_each_once(of: int, count: int, expected: list[int]) -> None:
    assert evenly_spread(of, count) == expected
