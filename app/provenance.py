"""What results were made of: program, source and model, as the first entries of every table."""

from __future__ import annotations

from typing import Any

from engine.analyser import Analyser
from engine.sources import SourceInfo


def provenance(info: SourceInfo, analyser: Analyser | None) -> dict[str, Any]:
    """JSON values; `model` is null where there is none."""
    from app.__main__ import version

    return {
        "program": f"haustra {version()}",
        "notice": "Research and training. Not for diagnosis.",
        "source": {
            "name": info.name,
            "width": info.width,
            "height": info.height,
            "frame_rate_hz": info.frame_rate_hz,
            "time_base": str(info.time_base),
            "start_pts": info.start_pts,
        },
        "model": None if analyser is None else analyser.provenance,
        "units": {
            "pts_s": "seconds from the first frame",
            "contour": "x, y in frame pixels, pixel centres at whole numbers",
            "parts": "further contours of a fold that something lies across",
            "area_px": "frame pixels",
            "score": "mean probability inside, 0..1",
            "track": "1, 2, ...: the same fold over time; 0 untracked",
        },
    }
