from __future__ import annotations

import sys

import numpy as np
import pytest

from engine.benchmark.usage import Usage, UsageMeter, memory_mib


def test_work_costs_processor_time() -> None:
    meter = UsageMeter()
    np.linalg.svd(np.random.default_rng(0).random((200, 200)))
    used = meter.read()
    assert used.processor_s > 0
    assert used.elapsed_s > 0


def test_busy_cores_are_processor_time_over_time() -> None:
    assert Usage(elapsed_s=2.0, processor_s=3.0, memory_mib=None).cores == 1.5


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell the peak only")
def test_memory_grows_by_what_is_held() -> None:
    before = memory_mib()
    held = np.ones((64, 1024, 1024), np.uint8)
    after = memory_mib()
    assert before is not None
    assert after is not None
    assert after - before > 50
    assert held.any()
