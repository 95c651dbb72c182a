"""What an analyser is made of: stages, each of which can have a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from engine.types import Frame, TrackedFolds


class Stage(Protocol):
    """One step of an analysis. Has one thread to itself; is called in presentation order."""

    @property
    def name(self) -> str:
        """One word, for status and thread."""
        ...

    def __call__(self, item: Any, /) -> Any:
        """A frame, or what the stage before made of it; the last stage returns an `Analysis`."""
        ...

    def reset(self) -> None:
        """Forget earlier frames; the next one does not follow them."""
        ...


class Analyse(Protocol):
    """An analyser, as those who run it see it."""

    @property
    def stages(self) -> Sequence[Stage]:
        """At least one."""
        ...

    def foreseen(self, frame: Frame) -> TrackedFolds | None:
        """The folds found last, moved to where they should be in `frame`; from any thread.

        None where that cannot be told.
        """
        ...
