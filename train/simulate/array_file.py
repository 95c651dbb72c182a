"""Arrays written to `.npy` files one part after the other: a set needs the memory of one frame."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


class ArrayFile:
    """A `.npy` file of `count` equal parts, appended in order.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path, count: int) -> None:
        self._path, self._count = path, count
        self._kind: tuple[np.dtype[Any], tuple[int, ...]] | None = None
        self._file: BinaryIO | None = None
        self._written = 0

    def append(self, part: NDArray[Any]) -> None:
        """Write one part; all have one shape and type.

        Raises:
            OSError: it cannot be written.
            ValueError: not like the parts before, or one too many.
        """
        part = np.ascontiguousarray(part)
        if self._file is None:
            self._kind = part.dtype, part.shape
            self._file = self._path.open("wb")
            np.lib.format.write_array_header_1_0(
                self._file,
                {
                    "descr": np.lib.format.dtype_to_descr(part.dtype),
                    "fortran_order": False,
                    "shape": (self._count, *part.shape),
                },
            )
        if self._kind != (part.dtype, part.shape) or self._written == self._count:
            raise ValueError(f"{self._path.name}: part {self._written} of {self._count} is unlike")
        self._file.write(part.data)
        self._written += 1

    def close(self) -> None:
        """Close the file; further calls do nothing.

        Raises:
            OSError: what was kept back cannot be written.
        """
        if self._file is not None:
            self._file.close()

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
