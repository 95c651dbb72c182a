"""Small programs that stand in for the system's own, and the scripts run among them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def write_program(path: Path, body: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def run_script(
    script: Path, *arguments: str, programs: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `script` with `programs` first on the path and no display but what is given."""
    path = "/usr/bin:/bin" if programs is None else f"{programs}:/usr/bin:/bin"
    hidden = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHON", "VENV")
    kept: Mapping[str, str] = {k: v for k, v in os.environ.items() if k not in hidden}
    return subprocess.run(
        [script, *arguments],
        env={**kept, "PATH": path, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
