"""A few of many, always the same ones."""

from __future__ import annotations

import numpy as np


def evenly_spread(of: int, count: int) -> list[int]:
    """Up to `count` numbers of 0 .. `of` - 1, from the first to the last, each once."""
    return np.unique(np.linspace(0, of - 1, count).astype(int)).tolist() if of else []
