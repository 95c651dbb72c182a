"""Widgets are tested in the program's own look."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from app.theme import apply_theme


@pytest.fixture(autouse=True)
def themed(qapp: QApplication) -> None:
    apply_theme(qapp)
