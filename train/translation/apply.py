"""Translates a simulated set into a new one: pictures are new, geometry and labels stay.

OUT/translation.json      whose set this is, written first
OUT/manifest.json         the source's splits and `translation`; written last
OUT/<sequence>/           the source's files as hard links, image/ and picture_flags.npy new
OUT/<sequence>-2/ ...     the same in further styles, where several are asked for

Scattered views have a look and a style each, a video one all along. The same options give the same
bytes, whether or not the work was interrupted: what is finished is not done again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor
from tqdm import tqdm

from engine.errors import RecipeError, RecordingError
from train.sheets import save_picture
from train.simulate.appearance import STORED, Rendering, draw_look, drawn
from train.simulate.array_file import ArrayFile
from train.simulate.dataset import Sequence, SimulatedSet
from train.simulate.farm import write_manifest
from train.simulate.render import picture_flags
from train.translation.painter import Painter
from train.translation.product import fingerprint

_NOTE = "translation.json"
_NEW = ("image", "picture_flags.npy")
_AT_ONCE = 16
"""Frames in memory."""


@dataclass(frozen=True, slots=True)
class Application:
    """What to translate, by what, where to."""

    simulated: Path
    translator: Path
    out: Path
    styles: int = 1
    """Of every frame. One: the translator's own; more: drawn at random, if it knows several."""
    seed: int = 1
    """Of looks and styles."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One sequence in one style."""

    source: Sequence
    version: int
    """1, 2, ... up to the number of styles."""

    @property
    def name(self) -> str:
        name = self.source.folder.name
        return name if self.version == 1 else f"{name}-{self.version}"

    def seed(self, seed: int, *more: int) -> list[int]:
        """Depends on the sequence's name, not on its place in the set."""
        return [seed, self.version, *self.source.folder.name.encode(), *more]

    @property
    def is_video(self) -> bool:
        return "times" in self.source.arrays


def translate_set(application: Application) -> Path:
    """Translate every sequence that is not there yet; returns the folder of the new set.

    Raises:
        RecipeError: no set, no translator, or the folder holds another translation.
        RecordingError: the folder cannot be written.
    """
    if application.styles < 1:
        raise RecipeError(f"{application.styles} styles a frame.", "Ask for one or more.")
    data = SimulatedSet(application.simulated)
    painter = Painter.open(application.translator)
    if application.styles > 1 and _style(data, painter) == STORED and not painter.has_styles:
        raise RecipeError(
            f"{painter.about.translator} knows one style, and the pictures are given.",
            "Leave --styles away, or choose a translator with styles.",
        )
    told = _told(application, data, painter)
    _claim(application.out, told)
    splits = {
        split: [_Task(data.sequence(name), version) for name in names
                for version in range(1, application.styles + 1)]
        for split, names in data.splits.items()
    }  # fmt: skip
    tasks = [task for chosen in splits.values() for task in chosen]
    todo = [task for task in tasks if not (application.out / task.name).exists()]
    with tqdm(total=sum(len(task.source) for task in todo), unit="frame", desc="translate") as bar:
        for task in todo:
            _Translation(application, data, painter, task).write(bar)
    names = {split: [task.name for task in chosen] for split, chosen in splits.items()}
    kept = data.manifest.keys() - {"schema", "splits"}
    about = {name: data.manifest[name] for name in sorted(kept)}
    write_manifest(application.out, names, {**about, "translation": told})
    return application.out


def _told(application: Application, data: SimulatedSet, painter: Painter) -> dict[str, Any]:
    """What makes one translation the same as another."""
    return {
        "translator": asdict(painter.about),
        "weights": fingerprint(application.translator),
        "source": data.fingerprint,
        "style": _style(data, painter),
        "styles": application.styles,
        "seed": application.seed,
    }


def _style(data: SimulatedSet, painter: Painter) -> str:
    """The set's own pictures where it keeps some, else those that the translator learned from."""
    first = data.sequence(next(name for names in data.splits.values() for name in names))
    return STORED if "picture_flags" in first.arrays else painter.about.style


def _claim(out: Path, told: dict[str, Any]) -> None:
    """Note whose set this folder is, before anything is written into it."""
    note = out / _NOTE
    try:
        if not note.exists():
            out.mkdir(parents=True, exist_ok=True)
            note.write_text(json.dumps(told, indent=1), encoding="utf-8")
        theirs = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"{note} cannot be used: {error}.", "Choose another folder."
        ) from error
    if theirs != told:
        raise RecipeError(
            f"{out} holds another translation.", "Choose another folder, or delete it."
        )


@dataclass(frozen=True, slots=True)
class _Translation:
    """One sequence on its way to disk."""

    application: Application
    data: SimulatedSet
    painter: Painter
    task: _Task

    def write(self, bar: tqdm[Any]) -> None:
        """Under another name first, so that what has its name is whole."""
        folder = self.application.out / self.task.name
        partial = folder.with_name(f"{folder.name}.partial")
        try:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            for path in sorted(self.task.source.folder.iterdir()):
                if path.name not in _NEW and path.is_file():
                    _link(path, partial / path.name)
            self._paint(partial, bar)
            partial.replace(folder)
        except OSError as error:
            raise RecordingError(
                f"{folder} cannot be written: {error}.", "Choose a folder where there is room."
            ) from error

    def _paint(self, folder: Path, bar: tqdm[Any]) -> None:
        source = self.task.source
        styles = self._styles()
        with ArrayFile(folder / "picture_flags.npy", len(source)) as flags:
            renderings: list[Rendering] = []
            for number, rendering in enumerate(self._renderings()):
                flags.append(picture_flags(rendering, source.view(number).flags))
                renderings.append(rendering)
                if len(renderings) < _AT_ONCE and number + 1 < len(source):
                    continue
                first = number + 1 - len(renderings)
                chosen = None if styles is None else styles[first : number + 1]
                for offset, image in enumerate(self.painter(renderings, chosen)):
                    save_picture(folder / "image" / f"{first + offset:06d}.png", image)
                bar.update(len(renderings))
                renderings.clear()

    def _renderings(self) -> Iterator[Rendering]:
        """What is translated, frame by frame."""
        task, seed = self.task, self.application.seed
        style, name = _style(self.data, self.painter), task.source.folder.name
        is_one_look = task.is_video and style != STORED
        look = draw_look(style, np.random.default_rng(task.seed(seed))) if is_one_look else None
        for number in range(len(task.source)):
            rng = np.random.default_rng(task.seed(seed, number))
            if look is not None:
                yield look.render(self.data.frame(name, number), rng)
            else:
                yield drawn(self.data, (name, number), rng, style)

    def _styles(self) -> Tensor | None:
        """One a frame; of a video the same all along."""
        if self.application.styles == 1:
            return None
        count = 1 if self.task.is_video else len(self.task.source)
        styles = self.painter.styles(count, self.task.seed(self.application.seed))
        if styles is None or count == len(self.task.source):
            return styles
        return styles.expand(len(self.task.source), *styles.shape[1:])


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the disk knows no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
