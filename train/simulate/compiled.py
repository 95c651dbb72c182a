"""Loops over pixels, faces and vertices as machine code (numba).

Compiled on first use and kept on disk beside the module, or in the user's cache where the package
cannot be written. No fast mathematics and no threads: the same bits wherever a job runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The same function as machine code, for arrays, numbers and named tuples of them."""
    return cast(Callable[P, R], numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def bare(function: Callable[P, R]) -> Callable[P, R]:
    """As `compiled`, for a kernel that makes no arrays.

    Without the bookkeeping of who holds which array, kernels that call kernels are three times
    faster.
    """
    options: Any = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
    return cast(Callable[P, R], numba.njit(**options)(function))
