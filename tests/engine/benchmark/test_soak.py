from __future__ import annotations

import pytest

from engine.benchmark.soak import Soak, again_and_again, soak
from engine.sources.pattern import Pattern
from tests.fakes import EasyAnalyser


def test_a_short_source_is_played_again_and_again() -> None:
    source, analyser = Pattern("pattern:128x64@50,frames=7"), EasyAnalyser()
    seen = [each.analysis.frame.index for each in again_and_again(source, analyser, 20)]
    assert seen == [n % 7 for n in range(20)]


def test_the_analyser_forgets_where_the_source_begins_again() -> None:
    source, analyser = Pattern("pattern:128x64@50,frames=5"), EasyAnalyser()
    list(again_and_again(source, analyser, 12))
    assert analyser.resets == [5, 10]


def test_a_soak_has_ten_tenths() -> None:
    told: list[None] = []
    source = Pattern("pattern:128x64@50,frames=7")
    done = soak(source, EasyAnalyser(), 50, lambda: told.append(None))
    assert (done.frames, len(done.p99_ms), len(told)) == (50, 10, 50)
    assert done.mismatched == 0


def test_drift_is_growth_after_the_first_tenth() -> None:
    done = Soak(100, (200.0, 201.0, 202.0), (30.0, 31.0, 33.0), 0)
    assert done.memory_drift == pytest.approx(0.01)
    assert done.p99_ratio == pytest.approx(1.1)
