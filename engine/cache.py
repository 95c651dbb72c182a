"""What Haustra keeps for its user between two starts: compiled networks and measurements.

Everything lies in one folder that only the user may enter. What is read back is handed to
libraries that trust it, so every entry is sealed with a key that lies in the same folder and
never leaves it: an entry from elsewhere, a damaged one, or one under a wrong name is refused
before anybody looks inside (docs/decisions/0008-plans-are-local.md).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from engine.errors import CacheError

ENVIRONMENT = "HAUSTRA_CACHE"
"""Names the folder; without it the system's own place for such things is used."""

_MAGIC = b"haustra sealed 1\n"
_SEAL_BYTES = 32
_KEY_FILE = "seal.key"
_OTHERS = 0o077
_HAS_OWNERS = hasattr(os, "getuid")
"""Windows keeps other users out of the profile folder by its own means."""


def cache_folder(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> Path:
    """Where this user's entries lie."""
    named = environment.get(ENVIRONMENT)
    if named:
        return Path(named)
    if system == "win32":
        local = environment.get("LOCALAPPDATA")
        root = Path(local) if local else Path.home() / "AppData" / "Local"
        return root / "haustra" / "Cache"
    if system == "darwin":
        return Path.home() / "Library" / "Caches" / "haustra"
    stated = environment.get("XDG_CACHE_HOME")
    return (Path(stated) if stated else Path.home() / ".cache") / "haustra"


class UserCache:
    """Sealed entries of one user.

    An entry has a name and a text `about` it: everything that must be the same for the entry to
    be of use (versions, devices, hashes). Both are under the seal.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder()

    def read(self, name: str, about: str) -> bytes | None:
        """The content kept under `name` for `about`; None where there is none.

        Raises:
            CacheError: there is one, but this user did not seal it, or it was damaged.
        """
        path = self._entry(name, about)
        try:
            whole = _read_own(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CacheError(f"{path} cannot be read: {error.strerror}.", _REMOVE) from error
        head = len(_MAGIC) + _SEAL_BYTES
        content = whole[head:]
        key = self._known_key()
        is_sealed = whole.startswith(_MAGIC) and key is not None
        if not is_sealed or not hmac.compare_digest(
            whole[len(_MAGIC) : head], _seal(key or b"", name, about, content)
        ):
            raise CacheError(f"{path} was damaged, or was not made here by you.", _REMOVE)
        return content

    def write(self, name: str, about: str, content: bytes) -> None:
        """Keep `content`, whole or not at all.

        Raises:
            CacheError: the folder is read-only, full, or another user's.
        """
        self.prepare()
        seal = _seal(self._key(), name, about, content)
        path = self._entry(name, about)
        try:
            _replace(path, _MAGIC + seal + content)
        except OSError as error:
            raise CacheError(f"{path} cannot be written: {error.strerror}.", _ROOM) from error

    def prepare(self) -> Path:
        """Make the folder, for this user only; returns it.

        Raises:
            CacheError: it cannot be made, or is another user's.
        """
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _HAS_OWNERS:
                found = self.folder.stat()
                if found.st_uid != os.getuid():
                    raise CacheError(f"{self.folder} belongs to another user.", _ROOM)
                if found.st_mode & _OTHERS:
                    self.folder.chmod(0o700)
        except CacheError:
            raise
        except OSError as error:
            raise CacheError(f"{self.folder} cannot be used: {error.strerror}.", _ROOM) from error
        return self.folder

    def open_folder(self, name: str) -> Path:
        """A folder for a library that writes files of its own, as `seal_folder` left it, or empty.

        Raises:
            CacheError: it cannot be written.
        """
        folder = self.prepare() / name
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not self._is_as_sealed(folder):
                for path in folder.iterdir():
                    path.unlink()
            # Libraries seldom say why they could not write, so that is tried before.
            _replace(folder / "probe", b"")
            (folder / "probe").unlink()
        except OSError as error:
            raise CacheError(f"{folder} cannot be written: {error.strerror}.", _ROOM) from error
        return folder

    def seal_folder(self, name: str) -> None:
        """Vouch for what lies in the folder now.

        Raises:
            CacheError: that cannot be written down.
        """
        self.write(f"{name}-folder", "", _content_of(self.folder / name))

    def _is_as_sealed(self, folder: Path) -> bool:
        try:
            return self.read(f"{folder.name}-folder", "") == _content_of(folder)
        except CacheError:
            return False

    def _entry(self, name: str, about: str) -> Path:
        return self.folder / f"{name}-{hashlib.sha256(about.encode()).hexdigest()[:32]}.sealed"

    def _known_key(self) -> bytes | None:
        """The key; None where there is none that only this user knows."""
        try:
            key = _read_own(self.folder / _KEY_FILE)
        except OSError:
            return None
        return key if len(key) == _SEAL_BYTES else None

    def _key(self) -> bytes:
        """The key, made where it is missing; then whatever was sealed before is worth nothing."""
        known = self._known_key()
        if known is not None:
            return known
        path = self.folder / _KEY_FILE
        try:
            _replace(path, secrets.token_bytes(_SEAL_BYTES))
        except OSError as error:
            raise CacheError(f"{path} cannot be written: {error.strerror}.", _ROOM) from error
        return path.read_bytes()


_REMOVE = "It is not used; it is made again."
_ROOM = f"Name another folder with {ENVIRONMENT}, or make room; meanwhile nothing is kept."


def _seal(key: bytes, name: str, about: str, content: bytes) -> bytes:
    """HMAC-SHA256 over the three parts; each length stands before its part."""
    seal = hmac.new(key, digestmod=hashlib.sha256)
    for part in (name.encode(), about.encode(), content):
        seal.update(len(part).to_bytes(8, "big"))
        seal.update(part)
    return seal.digest()


def _content_of(folder: Path) -> bytes:
    """SHA-256 and name of every file, a line each."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return "\n".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.name}" for path in files
    ).encode()


def _read_own(path: Path) -> bytes:
    """The bytes of a file that only this user may read or write. No link is followed.

    Raises:
        OSError: it is missing, or open to others.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if _HAS_OWNERS:
            found = os.fstat(file.fileno())
            if found.st_uid != os.getuid() or found.st_mode & _OTHERS:
                raise PermissionError(None, "it is open to other users")
        return file.read()


def _replace(path: Path, content: bytes) -> None:
    """Write under a temporary name (mode 0600), then rename."""
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".partial")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise
