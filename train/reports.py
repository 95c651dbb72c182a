"""What was measured, on disk: a table for people, figures for programs, pictures beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.errors import RecordingError
from engine.types import Image
from train.sheets import save_picture


def write_report(
    folder: Path,
    name: str,
    table: str,
    figures: Any,
    pictures: Mapping[str, Image] | None = None,
    *,
    lines: str = "",
) -> None:
    """Write `name`.md, `name`.json and pictures by file name; no file is ever half-written.

    `lines`, where there are any, are the table once more, as CSV.

    Raises:
        RecordingError: the folder cannot be written.
    """
    texts = {f"{name}.json": json.dumps(figures, indent=1), f"{name}.md": table + "\n"}
    if lines:
        texts[f"{name}.csv"] = lines
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            partial = folder / f"{file}.partial"
            partial.write_text(text, encoding="utf-8")
            partial.replace(folder / file)
    except OSError as error:
        raise RecordingError(
            f"{folder} cannot be written: {error}.", "Choose another folder."
        ) from error
    for file, image in (pictures or {}).items():
        save_picture(folder / file, image)
