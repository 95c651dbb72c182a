"""Failures that a person saw on a contact sheet, noted in a small table and counted.

`tally.csv` has one line a frame: its number on the sheet, where the file lies, and what is wrong.

    frame,file,failures,note
    1,kvasir_seg/images/cju0roawv.jpg,highlight rim,glare at 4 o'clock
    2,bkai_neopolyp/images/00d827b8.jpg,none,
    3,cvc_clinicdb/images/17.jpg,,

`failures` names classes of `FAILURES` with blanks between them, or `none`; empty: not looked at.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binomtest

from engine.errors import RecipeError, RecordingError
from train.metrics import Interval

FAILURES: Mapping[str, str] = {
    "rim": "a near or over-exposed sheet at the rim is called fold",
    "highlight": "a highlight or a cluster of them is called fold",
    "tool": "a tool is called fold",
    "polyp": "a polyp, its stalk or its outline is called fold",
    "text": "burnt-in text, a bar or an inset is called fold",
    "false": "something else that is no fold is called fold",
    "shallow": "a shallow fold seen face-on is missed",
    "parallel": "dense parallel folds are missed",
    "far": "a dim far fold is missed",
    "missed": "another fold is missed",
    "broken": "one fold is found in pieces",
    "joined": "several folds are found as one",
}
"""Class → what is seen."""
NONE = "none"
"""Looked at, and nothing is wrong."""
_FIELDS = ("frame", "file", "failures", "note")


@dataclass(frozen=True, slots=True)
class TallyLine:
    """One frame of a contact sheet."""

    frame: int
    """Its number on the sheet, from 1."""
    file: str
    """Below the folder of the real frames, with slashes."""
    failures: frozenset[str] | None = None
    """None: not looked at."""
    note: str = ""


def write_tally(path: Path, files: Sequence[str]) -> None:
    """Write a table to be filled in; a table that exists may hold a person's work and stays.

    Raises:
        RecordingError: it exists, or cannot be written.
    """
    if path.exists():
        raise RecordingError(
            f"{path} exists; what was noted there would be lost.", "Choose another folder."
        )
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_FIELDS)
            writer.writerows([number, name, "", ""] for number, name in enumerate(files, 1))
        partial.replace(path)
    except OSError as error:
        raise RecordingError(f"{path} cannot be written: {error}.", "Choose another.") from error


def read_tally(path: Path) -> list[TallyLine]:
    """What was noted.

    Raises:
        RecipeError: not such a table, or a failure that is none of `FAILURES`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecipeError(f"{path} cannot be read: {error}.", "Name a tally.csv.") from error
    if not rows or not set(_FIELDS[:3]) <= set(rows[0]):
        raise RecipeError(
            f"{path} is no tally.", f"Its first line names {', '.join(_FIELDS)}; a frame a line."
        )
    return [_line(path, number, row) for number, row in enumerate(rows, 2)]


def _line(path: Path, number: int, row: Mapping[str | None, str | None]) -> TallyLine:
    named = frozenset((row["failures"] or "").lower().replace(",", " ").split())
    unknown = sorted(named - {*FAILURES, NONE})
    if unknown or (NONE in named and len(named) > 1):
        said = f"{unknown[0]!r} is no failure" if unknown else f"{NONE!r} beside a failure"
        raise RecipeError(
            f"{path}, line {number}: {said}.", f"Use {NONE}, or some of: {', '.join(FAILURES)}."
        )
    frame = (row["frame"] or "").strip()
    if not frame.isdigit():
        raise RecipeError(f"{path}, line {number}: frame {frame!r}.", "Give its number.")
    return TallyLine(
        int(frame), row["file"] or "", named - {NONE} if named else None, row.get("note") or ""
    )


@dataclass(frozen=True, slots=True)
class Count:
    """How many frames show one failure."""

    frames: int
    looked_at: int

    @property
    def share(self) -> Interval:
        """With its 95 % interval (Clopper & Pearson 1934)."""
        if not self.looked_at:
            return Interval(float("nan"), 0.0, 1.0)
        found = binomtest(self.frames, self.looked_at).proportion_ci(0.95, "exact")
        return Interval(self.frames / self.looked_at, float(found.low), float(found.high))


def counts(lines: Sequence[TallyLine]) -> dict[str, Count]:
    """By failure, and under `NONE` the frames without any."""
    seen = [line.failures for line in lines if line.failures is not None]
    found = {name: sum(name in failures for failures in seen) for name in FAILURES}
    found[NONE] = sum(not failures for failures in seen)
    return {name: Count(number, len(seen)) for name, number in found.items()}


def paired_p(first: Sequence[TallyLine], second: Sequence[TallyLine], failure: str) -> float:
    """That as many frames gain or lose a failure by chance (McNemar 1947, exact, two-sided).

    Only frames that were looked at in both count; NaN where there are none.
    """
    theirs = {line.file: line.failures for line in second if line.failures is not None}
    pairs = [
        (failure in line.failures, failure in theirs[line.file])
        for line in first
        if line.failures is not None and line.file in theirs
    ]
    if not pairs:
        return float("nan")
    gained, lost = pairs.count((False, True)), pairs.count((True, False))
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def tally_table(tallies: Mapping[str, Sequence[TallyLine]]) -> str:
    """Markdown: a row a failure, a column a tally; of two, also how surely they differ."""
    counted = [counts(lines) for lines in tallies.values()]
    cells = {
        seen: [f"{each[failure].frames}: {each[failure].share}" for each in counted]
        for failure, seen in {**FAILURES, NONE: "no failure"}.items()
    }
    cells["frames looked at"] = [
        f"{each[NONE].looked_at} of {len(lines)}"
        for each, lines in zip(counted, tallies.values(), strict=True)
    ]
    heads = list(tallies)
    if len(tallies) == 2:
        first, second = tallies.values()
        heads.append("p")
        values = [f"{paired_p(first, second, failure):.3f}" for failure in FAILURES]
        for row, value in zip(cells.values(), [*values, "", ""], strict=True):
            row.append(value)
    rows = [f"| {seen} | {' | '.join(row)} |" for seen, row in cells.items()]
    return "\n".join([f"| failure | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|", *rows])
