"""What an evaluation of translators found: a table for people, the same for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from train.metrics import Interval
from train.reports import write_report
from train.translation.closeness import Distances
from train.translation.judges import FIGURES
from train.translation.manner import MANNERS


@dataclass(frozen=True, slots=True)
class Row:
    """One translator, over all its seeds; or real pictures."""

    name: str
    structure: tuple[Interval, ...]
    """`FIGURES`; none for real pictures."""
    change: tuple[Interval, ...]
    """Of the same scenes, less those of the row `against`."""
    realism: Distances
    manner: tuple[Interval | None, ...] = (None,) * len(MANNERS)
    """`MANNERS`; None where it cannot be told."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All figures."""

    rows: tuple[Row, ...]
    runs: tuple[Row, ...]
    """Each seed by itself, where a row has several; without change."""
    scenes: int
    colons: int
    real: Mapping[str, int]
    """Pictures of each real set."""
    judges: Mapping[str, str]
    against: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Row → why it has no translator."""
    frames: Sequence[Mapping[str, Any]] = field(default=())
    """The figures of every picture."""

    def table(self) -> str:
        """Markdown."""
        seeds = " Means over seeds; of KID and FID the widest interval." if self.runs else ""
        told = [
            f"{self.scenes} scenes of {self.colons} colons. Segmenter: {self.judges['segmenter']}.",
            f"Depth network: {self.judges['depth']}. Intervals: 95 %, bootstrap over colons or",
            "patients. KID and FID in EfficientNet-Lite0 features, to "
            + (", ".join(f"{name} ({count})" for name, count in self.real.items()) or "nothing")
            + f".{seeds}",
            *(f"Left out: {name}. {why}" for name, why in self.left_out.items()),
        ]
        compared = [row for row in self.rows if row.change and row.name != self.against]
        return "\n".join([
            *told, "", *_header(["pictures", *self._titles()]),
            *(f"| {row.name} | {' | '.join(self._cells(row))} |" for row in self.rows),
            "", f"The same scenes, less {self.against}:", "", *_header(["pictures", *FIGURES]),
            *(f"| {row.name} | {' | '.join(map(_signed, row.change))} |" for row in compared),
        ])  # fmt: skip

    def lines(self) -> str:
        """CSV: a line for each row and each seed; value, low and high of every figure."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["pictures", *(f"{title}{end}" for title in self._titles()
                                       for end in ("", ", low", ", high"))])  # fmt: skip
        for row in (*self.rows, *self.runs):
            writer.writerow([row.name, *(each for figure in self._figures(row)
                                         for each in _numbers(figure))])  # fmt: skip
        return text.getvalue()

    def _titles(self) -> list[str]:
        distances = [f"{kind}, {name}" for name in self.real for kind in ("KID", "FID")]
        return [*FIGURES, *distances, *(MANNERS[place] for place in self._told())]

    def _told(self) -> list[int]:
        """Places in `MANNERS` of those that a row has."""
        return [place for place in range(len(MANNERS))
                if any(row.manner[place] is not None for row in self.rows)]  # fmt: skip

    def _figures(self, row: Row) -> list[Interval | None]:
        """As titled; None where unknown."""
        structure = row.structure or (None,) * len(FIGURES)
        distances = (row.realism.get(name, (None, None)) for name in self.real)
        return [
            *structure, *(each for pair in distances for each in pair),
            *(row.manner[place] for place in self._told()),
        ]  # fmt: skip

    def _cells(self, row: Row) -> list[str]:
        """KID and FID are large, and so are grey levels: one digit will do."""
        return [
            "–" if figure is None
            else str(figure) if place < len(FIGURES)
            else f"{figure.value:.1f} [{figure.low:.1f}, {figure.high:.1f}]"
            for place, figure in enumerate(self._figures(row))
        ]  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        """For JSON, table included."""
        return asdict(self) | {"table": self.table()}

    def write(self, folder: Path) -> None:
        """translation.md, .csv and .json.

        Raises:
            RecordingError: the folder cannot be written.
        """
        write_report(folder, "translation", self.table(), self.as_dict(), lines=self.lines())


def _header(titles: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]


def _numbers(figure: Interval | None) -> tuple[str, str, str]:
    if figure is None:
        return "", "", ""
    return f"{figure.value:.5g}", f"{figure.low:.5g}", f"{figure.high:.5g}"


def _signed(figure: Interval) -> str:
    return f"{figure.value:+.3f} [{figure.low:+.3f}, {figure.high:+.3f}]"
