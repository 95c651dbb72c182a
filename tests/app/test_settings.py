from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.settings import Settings, default_path, load_settings, save_settings


def test_settings_come_back_as_they_were_saved(tmp_path: Path) -> None:
    chosen = Settings(overlay_on=False, filled=False, opacity=0.4, was_greeted=True)
    save_settings(chosen, tmp_path / "deep" / "settings.json")
    assert load_settings(tmp_path / "deep" / "settings.json") == (chosen, None)


def test_a_missing_file_gives_the_defaults_without_a_notice(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none.json") == (Settings(), None)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"\xff\xfe\x00", b'{"opacity": "much"}', b'{"overlay_on": 1}', b"null"],
)
def test_a_damaged_file_gives_the_defaults(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(damage)
    assert load_settings(path)[0] == Settings()


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{")
    notice = load_settings(path)[1]
    assert notice is not None
    assert str(path) in notice.what


def test_fields_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"filled": False, "invented_later": [1, 2]}))
    assert load_settings(path) == (Settings(filled=False), None)


@pytest.mark.parametrize(("stored", "used"), [(7, 1.0), (-1, 0.0), (0.3, 0.3)])
def test_an_opacity_out_of_range_is_clamped(tmp_path: Path, stored: float, used: float) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"opacity": stored}))
    assert load_settings(path)[0].opacity == used


def test_a_folder_that_cannot_be_made_is_told_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert save_settings(Settings(), tmp_path / "file" / "settings.json") is not None


def test_saving_leaves_no_other_file_behind(tmp_path: Path) -> None:
    save_settings(Settings(), tmp_path / "settings.json")
    save_settings(Settings(filled=False), tmp_path / "settings.json")
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_settings_live_in_the_users_configuration_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_path().name == "settings.json"
    assert default_path().parent.name == "haustra"
