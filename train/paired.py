"""Two networks on the same frames: how often chance alone sets them as far apart.

Whole sequences are exchanged, never frames: frames of one sequence resemble each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

EXACT_UP_TO = 16
"""Sequences of which all exchanges are tried; of more, `DRAWS` by chance."""
DRAWS = 100_000


def sign_flip_p(differences: Sequence[float], *, seed: int = 0) -> float:
    """How often a mean as far from 0 arises when either network may have made either result.

    Two-sided, Fisher's randomisation test: each sequence's difference keeps its size and takes
    either sign. With n sequences it cannot fall below 2 / 2^n: six for p < 0.05. NaN (a sequence
    that shows nothing) is left out; without any difference left p is 1.
    """
    known = np.array([value for value in differences if not np.isnan(value)])
    if not len(known):
        return 1.0
    limit = abs(known.sum()) * (1 - 1e-9)
    if len(known) <= EXACT_UP_TO:
        bits = np.arange(2 ** len(known))[:, None] >> np.arange(len(known)) & 1
        return float((np.abs((2 * bits - 1) @ known) >= limit).mean())
    signs = np.random.default_rng(seed).integers(0, 2, (DRAWS, len(known)), np.int8) * 2 - 1
    # The result itself is one of the possible ones: Phipson & Smyth 2010.
    return float((1 + (np.abs(signs @ known) >= limit).sum()) / (1 + DRAWS))


def holm(p_values: Sequence[float]) -> list[float]:
    """The same p-values adjusted for there being several, by Holm 1979, in their order."""
    count, reached = len(p_values), 0.0
    adjusted = [0.0] * count
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        reached = max(reached, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = reached
    return adjusted
