"""What the user chose last time, kept as JSON in the user's configuration folder."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QStandardPaths

from app.notices import Notice
from engine.backends import AUTOMATIC


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. Every field has a default and a plain JSON type."""

    overlay_on: bool = True
    filled: bool = True
    opacity: float = 1.0
    """Of the whole overlay, 0..1."""
    fades: bool = True
    """Folds are faint while pictures are hard to judge."""
    low_latency: bool = False
    """The newest picture at once, with folds moved along, instead of each with its own."""
    record_raw: bool = True
    """Record the pictures as they came."""
    record_overlay: bool = False
    """Record the pictures with their folds."""
    record_folder: str = ""
    """Empty: the user's folder for films."""
    last_folder: str = ""
    """Where the open dialog starts."""
    backend: str = AUTOMATIC
    """Inference back end by name, or the fastest that works here."""
    was_greeted: bool = False
    """The first-start notice has been closed."""
    window_width: int = 1280
    window_height: int = 800

    def checked(self) -> Settings:
        """The same with every number inside its range."""
        return replace(
            self,
            opacity=min(1.0, max(0.0, self.opacity)),
            window_width=min(16384, max(640, self.window_width)),
            window_height=min(16384, max(400, self.window_height)),
        )


def default_path() -> Path:
    """Where this user's settings live."""
    location = QStandardPaths.StandardLocation.GenericConfigLocation
    return Path(QStandardPaths.writableLocation(location)) / "haustra" / "settings.json"


def films_folder() -> Path:
    """Where recordings go unless told: the user's own folder for films."""
    location = QStandardPaths.StandardLocation.MoviesLocation
    return Path(QStandardPaths.writableLocation(location)) / "Haustra"


def load_settings(path: Path) -> tuple[Settings, Notice | None]:
    """Read `path`. A missing file gives the defaults; a damaged one too, with a notice."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return _from_json(stored).checked(), None
    except FileNotFoundError:
        return Settings(), None
    except (OSError, ValueError, TypeError) as error:
        return Settings(), Notice(
            f"The settings in {path} cannot be read ({error}).",
            "Default settings are used, and saved when the window closes.",
        )


def save_settings(settings: Settings, path: Path) -> Notice | None:
    """Write `path` whole or not at all; a notice where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(settings), file, indent=2)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        return Notice(
            f"The settings cannot be saved in {path.parent} ({error.strerror}).",
            "They hold until the window is closed.",
        )
    return None


def _from_json(stored: Any) -> Settings:
    if not isinstance(stored, dict):
        raise TypeError("not a JSON object")
    known: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name not in stored:
            continue
        value, default = stored[field.name], field.default
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            raise TypeError(f"{field.name} has the wrong type")
        known[field.name] = value
    return Settings(**known)
