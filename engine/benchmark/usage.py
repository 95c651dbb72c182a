"""What this process costs the machine: processor time, memory, graphics card."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

_STATM = Path("/proc/self/statm")
_QUERY = "--query-gpu=name,utilization.gpu,memory.used"


@dataclass(frozen=True, slots=True)
class Usage:
    """Of the processor between two moments, and of memory at the second."""

    elapsed_s: float
    processor_s: float
    """Of all threads together."""
    memory_mib: float | None
    """Resident; None where this system does not tell."""
    gpu: str | None = None
    """Name, load and memory of the graphics cards; None where there are none."""

    @property
    def cores(self) -> float:
        """How many were busy on average."""
        return self.processor_s / self.elapsed_s if self.elapsed_s > 0 else 0.0


class UsageMeter:
    """Begins to count when it is made."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()
        self._processor_s = time.process_time()

    def read(self, *, with_gpu: bool = False) -> Usage:
        """What was used since the beginning."""
        return Usage(
            time.monotonic() - self._started_s,
            time.process_time() - self._processor_s,
            memory_mib(),
            _gpu() if with_gpu else None,
        )


def memory_mib() -> float | None:
    """Resident memory of this process; its peak where the system tells only that."""
    if _STATM.exists():
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
    if sys.platform == "win32":
        return None
    import resource

    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**20


def _gpu() -> str | None:
    """As `nvidia-smi` describes them, where it is installed."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        done = subprocess.run(
            [tool, _QUERY, "--format=csv,noheader"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return "; ".join(done.stdout.strip().splitlines()) or None if done.returncode == 0 else None
