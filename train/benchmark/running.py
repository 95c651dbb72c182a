"""Runs a benchmark cell by cell: a row with a seed on a test set. Goes on where it stopped.

OUT/cells/ROW/seed-N/TEST.npz   scores of every picture
OUT/benchmark.md .csv .json     the table; written after every run
OUT/folds-TEST.jpg              folds in the colour of the true fold that they match
OUT/calibration-TEST.png        what is said of pixels, and what is
OUT/sheets/ROW-TEST.jpg         truth, and what was found

Beside these, what `train.benchmark.preparation` makes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from engine.errors import RecipeError
from engine.types import Image
from train.benchmark.bundles import BundleChoice, BundleSegmenter
from train.benchmark.colouring import comparison, sheet
from train.benchmark.figures import Measured, measured
from train.benchmark.measuring import Asked, Measure, measure
from train.benchmark.preparation import Workshop, slug
from train.benchmark.recipe import Row
from train.benchmark.report import Report
from train.benchmark.scores import Scores
from train.benchmark.test_sets import LabelledSet, TestSettings, open_test_set
from train.calibration import reliability_chart

Found = dict[tuple[str, str], list[Scores]]
"""(test, row) → scores, one a seed."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One recipe at work."""

    workshop: Workshop
    foreign: Path | None
    """Where test sets lie that are not the benchmark's own."""

    def run(self) -> Report:
        """Every cell that can be filled, and the table.

        Raises:
            RecipeError: pictures to learn from are missing, or no test set is there.
            RecordingError: the folder cannot be written.
        """
        tests, left_out = self._tests()
        if not tests:
            raise RecipeError(
                f"No test set is there: {'; '.join(left_out.values())}.", "Name them: --tests DIR."
            )
        found: Found = {}
        settings = self.workshop.recipe.settings
        for seed in range(1, settings.seeds + 1):
            # Seeds outside: a whole table is there early, and grows surer.
            for row in self.workshop.recipe.rows:
                if seed > 1 and isinstance(row.training, BundleChoice):
                    continue  # It is what it is.
                for test, scores in self._cells(row, seed, tests):
                    found.setdefault((test, row.name), []).append(scores)
                report = self._report(found, left_out)
                # Pictures are of the first seed.
                report.write(self.workshop.out, self._pictures(found) if seed == 1 else {})
        return report

    def _tests(self) -> tuple[list[TestSettings], dict[str, str]]:
        """Those that are there; why the others are not."""
        tests, left_out = [], {}
        for test in self.workshop.recipe.tests:
            if self._folder(test).exists():
                # What cannot be read must not be found out after days of training.
                _ = self._opened(test).sequences[0][0]
                tests.append(test)
            else:
                left_out[test.name] = f"There is no folder {test.folder}."
        return tests, left_out

    def _opened(self, test: TestSettings) -> LabelledSet:
        return open_test_set(replace(test, folder=str(self._folder(test))))

    def _folder(self, test: TestSettings) -> Path:
        """Of our own sets, which are made if need be; else where foreign ones lie."""
        own, workshop = Path(test.folder), self.workshop
        if own == Path("simulated"):
            return workshop.simulated
        if own.parent == Path("translated") and own.name in workshop.recipe.translations:
            return workshop.translated(own.name)
        return (self.foreign or workshop.out) / own

    def _cells(
        self, row: Row, seed: int, tests: list[TestSettings]
    ) -> Iterator[tuple[str, Scores]]:
        segmenter = self.workshop.segmenter(row, seed)
        try:
            for test in tests:
                file = self._file(row, seed, test)
                yield test.name, self._cell(segmenter, test, file)
        finally:
            if isinstance(segmenter, BundleSegmenter):
                segmenter.close()

    def _file(self, row: Row, seed: int, test: TestSettings) -> Path:
        cells = self.workshop.out / "cells"
        return cells / slug(row.name) / f"seed-{seed}" / f"{slug(test.name)}.npz"

    def _cell(self, segmenter: Asked, test: TestSettings, file: Path) -> Scores:
        told = [segmenter.origin, asdict(segmenter.dividing), asdict(test)]
        fingerprint = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        if file.exists():
            scores = Scores.open(file)
            if scores.fingerprint == fingerprint:
                return scores
        self.workshop.say(f"measure {file.parent.parent.name} {file.parent.name} on {test.name}")
        size = self.workshop.recipe.settings.simulate.size
        how = Measure(size, test.frames, test.edges)
        scores = measure(segmenter, self._opened(test), how, fingerprint)
        scores.save(file)
        return scores

    def _report(self, found: Found, left_out: dict[str, str]) -> Report:
        table: dict[str, dict[str, Measured]] = {}
        against = self.workshop.recipe.against
        for (test, row), runs in found.items():
            other = None if row == against else found.get((test, against))
            table.setdefault(test, {})[row] = measured(runs, other)
        return Report(self.workshop.recipe, table, left_out)

    def _pictures(self, found: Found) -> dict[str, Image]:
        """By file name: the first seed's."""
        shown = {key: runs[0].shown for key, runs in found.items()}
        tests = dict.fromkeys(test for test, _ in found)
        drawn: dict[str, Image] = {}
        for test in tests:
            rows = [row for kept, row in found if kept == test]
            drawn[f"folds-{slug(test)}.jpg"] = comparison({row: shown[test, row] for row in rows})
            said = {row: found[test, row][0].reliability.sum(0) for row in rows}
            if any(each.any() for each in said.values()):
                drawn[f"calibration-{slug(test)}.png"] = reliability_chart(said)
        sheets = {
            f"sheets/{slug(row)}-{slug(test)}.jpg": sheet(each)
            for (test, row), each in shown.items()
        }
        return drawn | sheets
