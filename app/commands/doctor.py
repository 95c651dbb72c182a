"""`haustra doctor`: what this installation can do, what it lacks, and what to do about it.

Exit code 0: everything needed works (what is optional may be missing). 2: something needed does
not, so that a script may rely on it.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from app.checkup import Checkup, check_up

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_TITLES = {
    "versions": "Versions",
    "processor": "Processor",
    "model": "Model",
    "backends": "Back ends",
    "decoders": "Decoders",
    "gpu": "GPU",
    "display": "Display",
    "demo": "Demo clip",
}


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `doctor`."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what works here, what is missing and what to do",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="for programs: one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the checkup; 0 where everything needed works, else 2."""
    checkup = check_up()
    print(as_json(checkup) if args.json else as_text(checkup))
    return 0 if checkup.is_fit else 2


def as_json(checkup: Checkup) -> str:
    """One object: `ok`, `problems[]` (`what`, `remedy`, `is_blocking`), then facts by topic."""
    problems = [
        {"what": problem.what, "remedy": problem.remedy, "is_blocking": problem.is_blocking}
        for problem in checkup.problems
    ]
    facts = {topic: dict(finding.facts) for topic, finding in checkup.findings.items()}
    return json.dumps({"ok": checkup.is_fit, "problems": problems, **facts}, indent=2)


def as_text(checkup: Checkup) -> str:
    """A table of topics, then what is missing and what to do."""
    width = max(map(len, _TITLES.values())) + 2
    rows = []
    for topic, finding in checkup.findings.items():
        labels = [_TITLES.get(topic, topic), *[""] * len(finding.lines)]
        rows += [
            f"{label:<{width}}{line}" for label, line in zip(labels, finding.lines, strict=False)
        ]
    return "\n".join([*rows, "", *_conclusion(checkup)])


def _conclusion(checkup: Checkup) -> list[str]:
    verdict = (
        "Everything Haustra needs works here."
        if checkup.is_fit
        else "Haustra cannot work here as it is."
    )
    advice = [
        f"{'!' if problem.is_blocking else '-'} {problem.what} {problem.remedy}"
        for problem in checkup.problems
    ]
    return [verdict, *advice]
