"""The table of a benchmark: for people as the paper prints it, and for programs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.types import Image
from train.benchmark.figures import EDGE_FIGURES, FIGURES, Measured
from train.benchmark.recipe import BenchmarkRecipe, Row
from train.metrics import Interval
from train.paired import holm
from train.reports import write_report

_PERCENT = 100
_NOTHING = "–"

Table = Mapping[str, Mapping[str, Measured]]
"""Test set → row → figures."""


@dataclass(frozen=True, slots=True)
class Report:
    """Every figure of a benchmark."""

    recipe: BenchmarkRecipe
    table: Table
    left_out: Mapping[str, str]
    """Test set or row → why it is not there."""

    def text(self) -> str:
        """Markdown: the paper's table, then one table a test set."""
        parts = [self._about(), *self._summary()]
        for test, rows in self.table.items():
            parts += ["", f"### {test}", "", self._described(rows), "", *self._details(rows)]
        return "\n".join(parts)

    def _about(self) -> str:
        told = [
            f"Label: {self.recipe.settings.label}. A row's seeds share one translator."
            " IoU in percent, mean ± standard deviation over the pictures that show a fold. A"
            " pixel is fold from a threshold on that validation pictures like those of training"
            " chose; test pictures chose nothing.",
            *(f"Left out: {name}. {why}" for name, why in self.left_out.items()),
            "",
        ]
        return "\n".join(told)

    def _summary(self) -> Iterator[str]:
        tests = list(self.table)
        yield _line(["row", "model", "pictures", "translation", *tests])
        yield "|---" * (4 + len(tests)) + "|"
        for row in self.recipe.rows:
            cells = [_in_short(self.table[test].get(row.name)) for test in tests]
            yield _line([*_described(row), *cells])

    def _described(self, rows: Mapping[str, Measured]) -> str:
        one = next(iter(rows.values()))
        return (
            f"{one.frames} pictures of {one.sequences} sequences. Intervals: 95 %, bootstrap over"
            f" sequences. Δ: IoU less that of “{self.recipe.against}” on the same pictures; p by"
            " exchange of whole sequences, by Holm's method adjusted for the number of rows."
        )

    def _details(self, rows: Mapping[str, Measured]) -> Iterator[str]:
        yield _line(
            ["row", *FIGURES, "AP50", "AP50:95", *EDGE_FIGURES, "Δ IoU", "p", "IoU of each seed",
             "thresholds"]
        )  # fmt: skip
        yield "|---" * (len(FIGURES) + len(EDGE_FIGURES) + 7) + "|"
        adjusted = _adjusted(rows)
        for name, found in rows.items():
            yield _line([
                name, *(_interval(each) for each in found.figures),
                *(_number(each) for each in (found.ap50, found.ap, *found.edges)),
                _signed(found.difference), adjusted.get(name, _NOTHING),
                " ".join(_number(each) for each in found.seeds),
                " ".join(f"{each:.2f}" for each in found.thresholds),
            ])  # fmt: skip

    def lines(self) -> str:
        """CSV: a line for each row on each test set."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        ends = ("", ", low", ", high")
        writer.writerow([
            "test", "row", "model", "pictures", "translation", "seeds", "frames", "sequences",
            *(f"{figure}{end}" for figure in FIGURES for end in ends), "IoU deviation", "AP50",
            "AP50:95", *EDGE_FIGURES, *(f"IoU difference{end}" for end in ends), "p",
        ])  # fmt: skip
        described = {row.name: _described(row) for row in self.recipe.rows}
        for test, rows in self.table.items():
            for name, found in rows.items():
                writer.writerow([
                    test, *described[name], len(found.seeds), found.frames, found.sequences,
                    *(_plain(each) for each in _numbers(found)),
                ])  # fmt: skip
        return text.getvalue()

    def as_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN: None is not known."""
        told = {
            test: {name: asdict(found) for name, found in rows.items()}
            for test, rows in self.table.items()
        }
        return {
            "left_out": dict(self.left_out), "tests": _known(told),
            "table": self.text(),
        }  # fmt: skip

    def write(self, folder: Path, pictures: Mapping[str, Image]) -> None:
        """benchmark.md, .csv and .json, and pictures by file name.

        Raises:
            RecordingError: the folder cannot be written.
        """
        write_report(folder, "benchmark", self.text(), self.as_dict(), pictures, lines=self.lines())


def _described(row: Row) -> list[str]:
    return [row.name, row.model, row.pictures or _NOTHING, row.translation or _NOTHING]


def _in_short(found: Measured | None) -> str:
    """As the paper prints it; where no folds are known, what was called fold."""
    if found is None:
        return _NOTHING
    overlap, called = found.figures[0].value, found.figures[-1].value
    if not math.isnan(overlap):
        return f"{_PERCENT * overlap:.1f} ± {_PERCENT * found.deviation:.1f}"
    return _NOTHING if math.isnan(called) else f"{_PERCENT * called:.1f} % called"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _adjusted(rows: Mapping[str, Measured]) -> dict[str, str]:
    """Row → p, adjusted for there being several."""
    names = [name for name, found in rows.items() if found.difference is not None]
    values = holm([rows[name].p for name in names])
    return {name: f"{value:.3f}" for name, value in zip(names, values, strict=True)}


def _numbers(found: Measured) -> Iterator[float]:
    unknown = Interval(math.nan, math.nan, math.nan)
    for each in found.figures:
        yield from (each.value, each.low, each.high)
    yield from (found.deviation, found.ap50, found.ap, *found.edges)
    difference = found.difference or unknown
    yield from (difference.value, difference.low, difference.high, found.p)


def _plain(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.5g}"


def _number(value: float) -> str:
    return _NOTHING if math.isnan(value) else f"{value:.3f}"


def _interval(figure: Interval) -> str:
    return _NOTHING if math.isnan(figure.value) else str(figure)


def _signed(figure: Interval | None) -> str:
    if figure is None or math.isnan(figure.value):
        return _NOTHING
    if math.isnan(figure.low):
        return f"{figure.value:+.3f}"
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"


def _known(value: Any) -> Any:
    """The same without NaN."""
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value
