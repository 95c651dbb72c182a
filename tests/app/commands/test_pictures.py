from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from app.commands.pictures import SHOTS, add_parser, take_pictures
from app.session import Session
from app.theme import apply_theme
from engine.errors import SourceError
from engine.sources import open_source
from tests.app.pictures import find_square

_CLIP = "pattern:320x180@50,frames=200"


def _take(qapp: QApplication, source: str, folder: Path) -> list[Path]:
    apply_theme(qapp)
    session = Session(open_source, find_square)
    return take_pictures(session, source, folder, 1.0)


def test_every_picture_is_written_in_its_size(qapp: QApplication, tmp_path: Path) -> None:
    paths = _take(qapp, _CLIP, tmp_path / "pictures")
    sizes = [(QImage(str(path)).width(), QImage(str(path)).height()) for path in paths]
    assert sizes == [(shot.width, shot.height) for shot in SHOTS]


def test_no_unfinished_file_stays_behind(qapp: QApplication, tmp_path: Path) -> None:
    _take(qapp, _CLIP, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(shot.name for shot in SHOTS)


def test_a_source_that_does_not_open_is_an_error(qapp: QApplication, tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        _take(qapp, str(tmp_path / "none.mp4"), tmp_path)


def test_the_verb_takes_the_folder_for_the_pictures() -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    assert parser.parse_args(["pictures", "-o", "there"]).output == Path("there")
