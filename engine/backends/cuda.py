"""The little of NVIDIA's driver that running a plan needs, called through ctypes.

The driver's own library comes with every NVIDIA card, so nothing has to be installed for this.
A `Lane` is one network's way through the GPU: pinned memory on this side, memory on that side,
a stream between, and, once everything has run, a graph that repeats network and answers in one
call. The picture comes before, from here or from elsewhere in the GPU's memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import BackendError

_DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
_MANAGEMENT = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_CAPTURE_THREAD_LOCAL = 1
_WAIT_BLOCKED = 4
"""Threads that wait for the card sleep; they do not spin."""
_REMEDIES = {
    2: "Close other programs that use the GPU, or choose another back end: --backend openvino",
    35: "Update the NVIDIA driver.",
    100: "Check that the card is seated and the driver runs: nvidia-smi",
    803: "Update the NVIDIA driver, then start the computer again.",
    804: "Update the NVIDIA driver: it is older than this card.",
}
_OTHERWISE = "Start the program again; if that does not help, --backend openvino"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA card."""

    index: int
    name: str
    capability: tuple[int, int]
    """Compute capability, (8, 9) for 8.9."""
    driver: str
    """Version of the driver."""
    cuda: int
    """Newest CUDA the driver knows, 13000 for 13.0."""


class Driver:
    """Calls into the driver's library; every failure becomes a `BackendError` with a remedy."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self.call("cuInit", 0)

    def call(self, name: str, *arguments: Any) -> None:
        """Call `name`, which gives 0 where it succeeds.

        Raises:
            BackendError: it gave something else.
        """
        code = int(getattr(self._library, name)(*arguments))
        if code:
            raise BackendError(
                f"The GPU refused {name}: {self._reason(code)}.", _REMEDIES.get(code, _OTHERWISE)
            )

    def _reason(self, code: int) -> str:
        text = ctypes.c_char_p()
        self._library.cuGetErrorString(code, ctypes.byref(text))
        return text.value.decode() if text.value else f"error {code}"

    def number(self, name: str, *arguments: Any) -> int:
        """What a call that gives one int leaves in its first argument."""
        value = ctypes.c_int()
        self.call(name, ctypes.byref(value), *arguments)
        return value.value

    def handle(self, name: str, *arguments: Any) -> int:
        """What a call that gives one pointer or handle leaves in its first argument."""
        value = ctypes.c_void_p()
        self.call(name, ctypes.byref(value), *arguments)
        return value.value or 0


@cache
def open_driver() -> Driver:
    """The driver of this computer.

    Raises:
        BackendError: there is none, or it does not start.
    """
    try:
        library = ctypes.CDLL(_DRIVER)
    except OSError as error:
        raise BackendError(
            "There is no NVIDIA driver on this computer.",
            "TensorRT needs an NVIDIA GPU with its driver; the other back ends do without.",
        ) from error
    return Driver(library)


def find_gpus(driver: Driver, version: str | None = None) -> tuple[Gpu, ...]:
    """Every card the driver knows.

    Args:
        driver: of this computer.
        version: of the driver; asked of NVIDIA's management library unless told.
    """
    cuda = driver.number("cuDriverGetVersion")
    version = version or _driver_version() or f"for CUDA {cuda // 1000}.{cuda % 1000 // 10}"
    cards = []
    for index in range(driver.number("cuDeviceGetCount")):
        device = ctypes.c_int(driver.number("cuDeviceGet", index))
        name = ctypes.create_string_buffer(256)
        driver.call("cuDeviceGetName", name, 256, device)
        capability = (
            driver.number("cuDeviceGetAttribute", _CAPABILITY_MAJOR, device),
            driver.number("cuDeviceGetAttribute", _CAPABILITY_MINOR, device),
        )
        cards.append(Gpu(index, name.value.decode(), capability, version, cuda))
    return tuple(cards)


def first_gpu(driver: Driver) -> Gpu:
    """The card that is used.

    Raises:
        BackendError: there is none.
    """
    cards = find_gpus(driver)
    if not cards:
        raise BackendError("The NVIDIA driver sees no GPU.", _REMEDIES[100])
    return cards[0]


def _driver_version() -> str | None:
    """Such as 580.95.05; None where the management library is missing."""
    text = ctypes.create_string_buffer(80)
    try:
        library = ctypes.CDLL(_MANAGEMENT)
        if library.nvmlInit_v2() or library.nvmlSystemGetDriverVersion(text, 80):
            return None
    except (OSError, AttributeError):
        return None
    return text.value.decode()


class Lane:
    """One picture to the GPU and its answers back, in memory that is taken once.

    Opened on any thread; each call makes the card's context current for the thread it comes from.

    Args:
        driver, gpu: where.
        takes: shape of the uint8 picture.
        gives: shapes of the float32 answers, by name.
    """

    def __init__(
        self,
        driver: Driver,
        gpu: Gpu,
        takes: tuple[int, ...],
        gives: Mapping[str, tuple[int, ...]],
    ) -> None:
        self._driver = driver
        self._undo: list[Callable[[], None]] = []
        self._graph: ctypes.c_void_p | None = None
        self.answers: dict[str, NDArray[np.float32]] = {}
        """To the last picture, by name; overwritten by the next."""
        self.output_addresses: dict[str, int] = {}
        try:
            device = ctypes.c_int(driver.number("cuDeviceGet", gpu.index))
            # FFmpeg shares the card's context only where it waits so; where it is in use already,
            # it stays as it is, and pictures that NVDEC decodes go through main memory.
            with contextlib.suppress(BackendError):
                driver.call("cuDevicePrimaryCtxSetFlags_v2", device, _WAIT_BLOCKED)
            self._context = ctypes.c_void_p(driver.handle("cuDevicePrimaryCtxRetain", device))
            self._undo.append(lambda: driver.call("cuDevicePrimaryCtxRelease_v2", device))
            self._enter()
            self.stream = driver.handle("cuStreamCreate", 1)
            self._stream = ctypes.c_void_p(self.stream)
            self._undo.append(lambda: driver.call("cuStreamDestroy_v2", self._stream))
            self._picture, self.input_address = self._buffers(np.dtype(np.uint8), takes)
            for name, shape in gives.items():
                here, there = self._buffers(np.dtype(np.float32), shape)
                self.answers[name], self.output_addresses[name] = here, there
        except BackendError:
            self.close()
            raise

    def run(
        self, picture: NDArray[np.uint8], enqueue: Callable[[int], None]
    ) -> Mapping[str, NDArray[np.float32]]:
        """The answers to `picture`, by name; overwritten by the next call.

        Args:
            picture: of the shape the lane takes.
            enqueue: puts the network's work on the stream whose handle it is given.
        """
        self._enter()
        here = self._picture
        np.copyto(here, picture)
        self._take("cuMemcpyHtoDAsync_v2", here.ctypes.data)
        return self._answer(enqueue)

    def run_from(
        self, address: int, enqueue: Callable[[int], None]
    ) -> Mapping[str, NDArray[np.float32]]:
        """The same for a picture that lies complete at `address` in the card's memory."""
        self._enter()
        self._take("cuMemcpyDtoDAsync_v2", address)
        return self._answer(enqueue)

    def _take(self, copy: str, address: int) -> None:
        """Queue the copy of the picture to where the network takes it from."""
        self._driver.call(
            copy,
            ctypes.c_void_p(self.input_address),
            ctypes.c_void_p(address),
            ctypes.c_size_t(self._picture.nbytes),
            self._stream,
        )

    def _answer(self, enqueue: Callable[[int], None]) -> Mapping[str, NDArray[np.float32]]:
        if self._graph is not None:
            self._driver.call("cuGraphLaunch", self._graph, self._stream)
        else:
            self._enqueue_all(enqueue)
        self._driver.call("cuStreamSynchronize", self._stream)
        return self.answers

    def capture(self, enqueue: Callable[[int], None]) -> bool:
        """Record network and answers as one graph; False, and as before, where that is impossible.

        What a network does only once (choosing kernels, taking memory) cannot be recorded, so
        `run` comes before.
        """
        self._enter()
        graph, runnable = ctypes.c_void_p(), ctypes.c_void_p()
        call = self._driver.call
        try:
            call("cuStreamBeginCapture_v2", self._stream, _CAPTURE_THREAD_LOCAL)
            try:
                self._enqueue_all(enqueue)
            finally:
                call("cuStreamEndCapture", self._stream, ctypes.byref(graph))
            no_flags = ctypes.c_ulonglong(0)
            call("cuGraphInstantiateWithFlags", ctypes.byref(runnable), graph, no_flags)
        except BackendError:
            return False
        finally:
            if graph.value:
                call("cuGraphDestroy", graph)
        self._graph = runnable
        self._undo.append(lambda: call("cuGraphExecDestroy", runnable))
        return True

    def close(self) -> None:
        """Give everything back, in reverse order. May be called more than once."""
        self._graph = None
        while self._undo:
            # A card that failed refuses this too; its driver cleans up when the program ends.
            with contextlib.suppress(BackendError):
                self._enter()
                self._undo.pop()()

    def _enter(self) -> None:
        self._driver.call("cuCtxSetCurrent", self._context)

    def _enqueue_all(self, enqueue: Callable[[int], None]) -> None:
        enqueue(self.stream)
        for name, answer in self.answers.items():
            self._driver.call(
                "cuMemcpyDtoHAsync_v2",
                ctypes.c_void_p(answer.ctypes.data),
                ctypes.c_void_p(self.output_addresses[name]),
                ctypes.c_size_t(answer.nbytes),
                self._stream,
            )

    def _buffers(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> tuple[NDArray[Any], int]:
        """Pinned memory here as an array, and the address of as much memory on the card."""
        count = int(np.prod(shape))
        size = ctypes.c_size_t(count * dtype.itemsize)
        here = self._driver.handle("cuMemHostAlloc", size, 0)
        self._undo.append(lambda: self._driver.call("cuMemFreeHost", ctypes.c_void_p(here)))
        there = self._driver.handle("cuMemAlloc_v2", size)
        self._undo.append(lambda: self._driver.call("cuMemFree_v2", ctypes.c_void_p(there)))
        memory = (ctypes.c_ubyte * size.value).from_address(here)
        return np.ctypeslib.as_array(memory).view(dtype).reshape(shape), there
