"""The list of licences names everything that is installed."""

from __future__ import annotations

import pytest

from installer.licences import OUT, canonical, closure, licence_of
from tests.installer.stand_ins import ROOT

PINNED = [
    canonical(line.split("==")[0])
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if "==" in line and not line.startswith("#")
]


@pytest.mark.parametrize("name", PINNED)
def test_every_pinned_package_is_listed(name: str) -> None:
    assert f"| {name} |" in OUT.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PINNED)
def test_every_pinned_package_states_a_licence(name: str) -> None:
    assert licence_of(name) not in ("not stated", "UNKNOWN")


def test_the_application_brings_no_torch() -> None:
    assert "torch" not in closure()


def test_what_a_dependency_needs_is_listed_too() -> None:
    assert "shiboken6" in closure()
