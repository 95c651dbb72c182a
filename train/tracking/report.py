"""The table of a study: trackers beside each other, with intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from train.metrics import Interval, bootstrap_items
from train.reports import write_report
from train.tracking.following import Followed, Mean

MEASURES: Mapping[str, Callable[[Followed], float]] = {
    "HOTA": lambda each: each.scores.hota.hota,
    "DetA": lambda each: each.scores.hota.detection,
    "AssA": lambda each: each.scores.hota.associated,
    "IDF1": lambda each: each.scores.identity.idf1,
    "switches": lambda each: 100 * each.scores.clear.switches / each.scores.clear.truths,
    "fragments": lambda each: 100 * each.scores.clear.fragmentations / each.scores.clear.truths,
    "MOTA": lambda each: each.scores.clear.mota,
    "mTC": lambda each: each.consistency.value,
    "IoU": lambda each: each.iou.value,
}
"""Switches and fragmentations are per 100 true folds in view (one fold in one frame counts one)."""


def _sum(sequences: Sequence[Followed]) -> Followed:
    return reduce(Followed.__add__, sequences)


def _measures(sequences: Sequence[Followed]) -> list[float]:
    total = _sum(sequences)
    return [measure(total) for measure in MEASURES.values()]


@dataclass(frozen=True, slots=True)
class Row:
    """One tracker on one kind of input, by sequence."""

    given: str
    tracker: str
    sequences: tuple[Followed, ...]

    def measured(self) -> dict[str, Interval]:
        """Every measure with its 95 % bootstrap interval over sequences."""
        intervals = bootstrap_items(
            self.sequences,
            _measures,
        )
        return dict(zip(MEASURES, intervals, strict=True))

    @property
    def total(self) -> Followed:
        """Of all sequences."""
        return _sum(self.sequences)


@dataclass(frozen=True, slots=True)
class Report:
    """All rows, and how steady the truth itself is."""

    rows: tuple[Row, ...]
    truth: Mean
    """mTC of the true masks: what a perfect model would reach."""
    frames: int
    _measured: list[dict[str, Interval]] = field(default_factory=list)

    def measured(self) -> list[dict[str, Interval]]:
        """Of each row, taken once."""
        if not self._measured:
            self._measured.extend(row.measured() for row in self.rows)
        return self._measured

    def table(self) -> str:
        """Markdown; intervals are 95 % bootstrap over sequences."""
        count = len(self.rows[0].sequences)
        head = ["folds from", "tracker", *MEASURES, "ms a frame"]
        lines = [
            f"{count} sequences, {self.frames} frames; switches and fragments per 100 true folds "
            f"in view; mTC of the true masks {self.truth.value:.3f}.",
            "",
            f"| {' | '.join(head)} |",
            "|" + "---|" * len(head),
        ]
        for row, measured in zip(self.rows, self.measured(), strict=True):
            cells = [row.given, row.tracker, *map(str, measured.values())]
            lines.append(f"| {' | '.join(cells)} | {row.total.took_ms.value:.2f} |")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = [
            {
                "folds from": row.given,
                "tracker": row.tracker,
                "ms a frame": row.total.took_ms.value,
                "switches": row.total.scores.clear.switches,
                "fragmentations": row.total.scores.clear.fragmentations,
                "true folds in view": row.total.scores.clear.truths,
            }
            | {
                name: {end: _known(getattr(each, end)) for end in ("value", "low", "high")}
                for name, each in measured.items()
                if name not in ("switches", "fragments")
            }
            for row, measured in zip(self.rows, self.measured(), strict=True)
        ]
        return {"frames": self.frames, "mTC of truth": _known(self.truth.value), "rows": rows}

    def write(self, folder: Path) -> None:
        """tracking.json and tracking.md.

        Raises:
            RecordingError: the folder cannot be written.
        """
        write_report(folder, "tracking", self.table(), self.as_dict())


def _known(value: float) -> float | None:
    """JSON knows no NaN."""
    return None if math.isnan(value) else value
