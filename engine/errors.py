"""Every error Haustra raises on purpose.

Each message says what happened, where, and what to do about it. Errors share the root
`HaustraError` and, where Python has a fitting builtin, are that builtin too, so that callers
may catch either.
"""

from __future__ import annotations


class HaustraError(Exception):
    """Root of all errors that are explained to the user instead of shown as a traceback.

    Args:
        what: what happened and where, one sentence.
        remedy: what the user can do about it, one sentence.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}".rstrip()

    def __reduce__(self) -> tuple[type[HaustraError], tuple[str, str]]:
        """Errors of worker processes arrive with their remedy."""
        return type(self), (self.what, self.remedy)


class SourceError(HaustraError):
    """A video, a folder of stills or a stream cannot be read."""


class SourceNotFoundError(SourceError, FileNotFoundError):
    """The named file or folder does not exist."""


class BundleError(HaustraError, ValueError):
    """A model bundle is missing, unreadable, altered, or meant for another program version."""


class BackendError(HaustraError, RuntimeError):
    """An inference back end cannot start or failed while running."""


class CacheError(HaustraError, OSError):
    """Something kept for later cannot be kept, or is not what this user kept."""


class RecordingError(HaustraError, OSError):
    """A result cannot be written."""


class RecipeError(HaustraError, ValueError):
    """A training or simulation recipe is malformed."""
