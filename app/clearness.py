"""Whether the pictures on screen can be judged: trust over time, so that no word flickers."""

from __future__ import annotations

import math

from engine.types import Analysis, TrackedFolds

_SETTLING_S = 0.3
_UNCLEAR, _CLEAR = 0.35, 0.6
_LONGEST_S = 0.5
"""After a longer gap, or a jump back, what went before says nothing."""


class Clearness:
    """Looks at what was found as it comes to the screen."""

    def __init__(self) -> None:
        self._pts_s: float | None = None
        self._mean = 1.0
        self._is_clear = True

    def look(self, found: Analysis | TrackedFolds | None) -> bool:
        """Whether pictures are clear by now; as before where there is nothing new to judge.

        The mean over the last 0.3 s must fall below 0.35 to say no, and rise above 0.6 to say yes.
        """
        if found is None or found.frame.pts_s == self._pts_s:
            return self._is_clear
        pts_s, before_s = found.frame.pts_s, self._pts_s
        self._pts_s = pts_s
        if before_s is None or not 0 < pts_s - before_s <= _LONGEST_S:
            self._mean = found.trust
            self._is_clear = self._mean >= (_UNCLEAR + _CLEAR) / 2
            return self._is_clear
        share = 1 - math.exp((before_s - pts_s) / _SETTLING_S)
        self._mean += share * (found.trust - self._mean)
        self._is_clear = self._mean >= (_UNCLEAR if self._is_clear else _CLEAR)
        return self._is_clear
