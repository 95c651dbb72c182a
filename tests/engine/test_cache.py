"""Only what this user sealed here comes back."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.cache import UserCache, cache_folder
from engine.errors import CacheError


@pytest.fixture
def cache(tmp_path: Path) -> UserCache:
    return UserCache(tmp_path / "cache")


def entries(cache: UserCache) -> list[Path]:
    return sorted(cache.folder.glob("*.sealed"))


def test_what_was_kept_comes_back(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"content")
    assert cache.read("plan", "this GPU") == b"content"


def test_nothing_was_kept_for_something_else(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"content")
    assert cache.read("plan", "another GPU") is None
    assert cache.read("measurement", "this GPU") is None


def test_a_folder_that_does_not_exist_holds_nothing(cache: UserCache) -> None:
    assert cache.read("plan", "this GPU") is None
    assert not cache.folder.exists()


def test_the_newest_content_wins_and_leaves_one_file(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"old")
    cache.write("plan", "this GPU", b"new")
    assert cache.read("plan", "this GPU") == b"new"
    assert len(list(cache.folder.iterdir())) == 2  # entry and key


@pytest.mark.parametrize("at", [0, 20, 60, -1])
def test_a_damaged_entry_is_refused(cache: UserCache, at: int) -> None:
    cache.write("plan", "this GPU", b"content" * 9)
    (path,) = entries(cache)
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    with pytest.raises(CacheError, match="damaged"):
        cache.read("plan", "this GPU")


@pytest.mark.parametrize("length", [0, 10, 40, 60])
def test_a_shortened_entry_is_refused(cache: UserCache, length: int) -> None:
    cache.write("plan", "this GPU", b"content" * 9)
    (path,) = entries(cache)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(CacheError, match="damaged"):
        cache.read("plan", "this GPU")


def test_an_entry_sealed_elsewhere_is_refused(cache: UserCache, tmp_path: Path) -> None:
    foreign = UserCache(tmp_path / "elsewhere")
    foreign.write("plan", "this GPU", b"content")
    cache.write("plan", "something else", b"content")
    shutil.copy2(entries(foreign)[0], cache.folder)
    with pytest.raises(CacheError, match="not made here"):
        cache.read("plan", "this GPU")


def test_an_entry_under_the_name_of_another_is_refused(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"content")
    (first,) = entries(cache)
    cache.write("plan", "another GPU", b"other")
    (second,) = set(entries(cache)) - {first}
    second.replace(first)
    with pytest.raises(CacheError, match="damaged"):
        cache.read("plan", "this GPU")


def test_without_its_key_nothing_is_believed(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"content")
    (cache.folder / "seal.key").unlink()
    with pytest.raises(CacheError, match="not made here"):
        cache.read("plan", "this GPU")


def test_a_key_that_others_can_read_is_replaced(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"content")
    key = cache.folder / "seal.key"
    known = key.read_bytes()
    key.chmod(0o644)
    cache.write("plan", "this GPU", b"content")
    assert key.read_bytes() != known
    assert key.stat().st_mode & 0o077 == 0
    assert cache.read("plan", "this GPU") == b"content"


def test_only_the_user_may_enter(cache: UserCache) -> None:
    cache.folder.mkdir(mode=0o755)
    cache.write("plan", "this GPU", b"content")
    assert cache.folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in cache.folder.iterdir())


def test_an_entry_that_others_can_write_is_refused(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"content")
    entries(cache)[0].chmod(0o666)
    with pytest.raises(CacheError, match="open to other users"):
        cache.read("plan", "this GPU")


def test_a_link_is_not_followed(cache: UserCache, tmp_path: Path) -> None:
    cache.write("plan", "this GPU", b"content")
    (path,) = entries(cache)
    path.rename(tmp_path / "moved")
    path.symlink_to(tmp_path / "moved")
    with pytest.raises(CacheError, match="cannot be read"):
        cache.read("plan", "this GPU")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CacheError, match="HAUSTRA_CACHE"):
        UserCache(tmp_path / "file" / "cache").write("plan", "this GPU", b"content")


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_told(cache: UserCache) -> None:
    cache.prepare().chmod(0o500)
    with pytest.raises(CacheError, match="cannot be written"):
        cache.write("plan", "this GPU", b"content")
    cache.folder.chmod(0o700)


def test_a_library_finds_its_files_again(cache: UserCache) -> None:
    (cache.open_folder("openvino") / "blob").write_bytes(b"compiled")
    cache.seal_folder("openvino")
    assert (cache.open_folder("openvino") / "blob").read_bytes() == b"compiled"


@pytest.mark.parametrize("name", ["blob", "another"])
def test_a_folder_in_which_somebody_wrote_is_emptied(cache: UserCache, name: str) -> None:
    folder = cache.open_folder("openvino")
    (folder / "blob").write_bytes(b"compiled")
    cache.seal_folder("openvino")
    (folder / name).write_bytes(b"foreign")
    assert list(cache.open_folder("openvino").iterdir()) == []


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_told_and_leaves_nothing_half_written(cache: UserCache) -> None:
    cache.write("plan", "this GPU", b"old")
    before = sorted(cache.folder.iterdir())
    with largest_file(4096), pytest.raises(CacheError, match="cannot be written"):
        cache.write("plan", "this GPU", b"new" * 9999)
    assert sorted(cache.folder.iterdir()) == before
    assert cache.read("plan", "this GPU") == b"old"


@pytest.mark.parametrize(
    ("environment", "system", "end"),
    [
        ({"HAUSTRA_CACHE": "/named/here", "XDG_CACHE_HOME": "/x"}, "linux", "/named/here"),
        ({"XDG_CACHE_HOME": "/x"}, "linux", "/x/haustra"),
        ({}, "linux", "/.cache/haustra"),
        ({}, "darwin", "/Library/Caches/haustra"),
        ({"LOCALAPPDATA": "/u/Local"}, "win32", "/u/Local/haustra/Cache"),
    ],
)
def test_every_system_has_its_place(environment: dict[str, str], system: str, end: str) -> None:
    assert cache_folder(environment, system).as_posix().endswith(end)
