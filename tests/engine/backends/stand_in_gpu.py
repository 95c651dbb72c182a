"""A GPU made of ordinary memory: the driver's calls, and a network that is run by them.

Not a mock of our code: it stands where NVIDIA's library does, keeps its books (what is taken and
given back, which context is current, what was recorded), and refuses what the driver refuses.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

OUT_OF_MEMORY = 2
INVALID = 1
NO_DEVICE = 100
PRIMARY_CONTEXT_ACTIVE = 708
NOT_PERMITTED_WHILE_CAPTURING = 900


class StandInLibrary:
    """Calls of libcuda on host memory; one card, an RTX 4060.

    Args:
        cards: how many it sees.
        memory: bytes the card has.
    """

    def __init__(self, cards: int = 1, memory: int = 1 << 20) -> None:
        self.cards = cards
        self.free = memory
        self.taken: dict[int, Any] = {}
        self.held: list[str] = []
        self.launches = self.from_card = 0
        self.current = threading.local()
        self.recording: list[Callable[[], None]] | None = None
        self.recorded: list[Callable[[], None]] = []
        self.can_record = True
        self.flags = 0
        self.is_shared = False
        """Somebody else uses the card's context already."""

    # Start and devices

    def cuInit(self, flags: int) -> int:
        return 0

    def cuGetErrorString(self, code: int, text: Any) -> int:
        names = {OUT_OF_MEMORY: b"out of memory", NO_DEVICE: b"no CUDA-capable device is detected"}
        text._obj.value = names.get(code, b"unknown error")
        return 0

    def cuDriverGetVersion(self, version: Any) -> int:
        version._obj.value = 13000
        return 0

    def cuDeviceGetCount(self, count: Any) -> int:
        count._obj.value = self.cards
        return 0

    def cuDeviceGet(self, device: Any, index: int) -> int:
        device._obj.value = index
        return 0 if index < self.cards else INVALID

    def cuDeviceGetName(self, name: Any, length: int, device: Any) -> int:
        name.value = b"NVIDIA GeForce RTX 4060"
        return 0

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:
        value._obj.value = {75: 8, 76: 9}[attribute]
        return 0

    # What is held

    def _hold(self, handle: Any, kind: str) -> int:
        self.held.append(kind)
        handle._obj.value = len(self.held)
        return 0

    def _release(self, kind: str) -> int:
        self.held.remove(kind)
        return 0

    def cuDevicePrimaryCtxSetFlags_v2(self, device: Any, flags: int) -> int:
        if self.is_shared:
            return PRIMARY_CONTEXT_ACTIVE
        self.flags = flags
        return 0

    def cuDevicePrimaryCtxRetain(self, context: Any, device: Any) -> int:
        return self._hold(context, "context")

    def cuDevicePrimaryCtxRelease_v2(self, device: Any) -> int:
        return self._release("context")

    def cuCtxSetCurrent(self, context: Any) -> int:
        self.current.context = context.value
        return 0

    def cuStreamCreate(self, stream: Any, flags: int) -> int:
        return self._needs_context() or self._hold(stream, "stream")

    def cuStreamDestroy_v2(self, stream: Any) -> int:
        return self._release("stream")

    def _needs_context(self) -> int:
        return 0 if getattr(self.current, "context", None) else 201

    # Memory

    def _take(self, address: Any, size: Any, limit: int | None) -> int:
        if self._needs_context():
            return 201
        if limit is not None and size.value > limit:
            return OUT_OF_MEMORY
        memory = ctypes.create_string_buffer(size.value)
        address._obj.value = ctypes.addressof(memory)
        self.taken[address._obj.value] = memory
        return 0

    def cuMemHostAlloc(self, address: Any, size: Any, flags: int) -> int:
        return self._take(address, size, None)

    def cuMemAlloc_v2(self, address: Any, size: Any) -> int:
        code = self._take(address, size, self.free)
        self.free -= 0 if code else size.value
        return code

    def cuMemFreeHost(self, address: Any) -> int:
        del self.taken[address.value]
        return 0

    def cuMemFree_v2(self, address: Any) -> int:
        self.free += len(self.taken.pop(address.value))
        return 0

    # Work

    def submit(self, work: Callable[[], None]) -> int:
        """Do it at once, or only note it while recording."""
        if self._needs_context():
            return 201
        if self.recording is not None:
            self.recording.append(work)
        else:
            work()
        return 0

    def _copy(self, to: Any, source: Any, size: Any) -> int:
        return self.submit(lambda: ctypes.memmove(to.value, source.value, size.value) and None)

    def cuMemcpyHtoDAsync_v2(self, to: Any, source: Any, size: Any, stream: Any) -> int:
        return self._copy(to, source, size)

    def cuMemcpyDtoDAsync_v2(self, to: Any, source: Any, size: Any, stream: Any) -> int:
        self.from_card += 1
        return self._copy(to, source, size)

    def cuMemcpyDtoHAsync_v2(self, to: Any, source: Any, size: Any, stream: Any) -> int:
        return self._copy(to, source, size)

    def cuStreamSynchronize(self, stream: Any) -> int:
        return self._needs_context()

    def cuStreamBeginCapture_v2(self, stream: Any, mode: int) -> int:
        self.recording = []
        return 0

    def cuStreamEndCapture(self, stream: Any, graph: Any) -> int:
        self.recorded, self.recording = self.recording or [], None
        if not self.can_record:
            return NOT_PERMITTED_WHILE_CAPTURING
        return self._hold(graph, "graph")

    def cuGraphInstantiateWithFlags(self, runnable: Any, graph: Any, flags: Any) -> int:
        return self._hold(runnable, "runnable")

    def cuGraphDestroy(self, graph: Any) -> int:
        return self._release("graph")

    def cuGraphExecDestroy(self, runnable: Any) -> int:
        return self._release("runnable")

    def cuGraphLaunch(self, runnable: Any, stream: Any) -> int:
        self.launches += 1
        for work in self.recorded:
            work()
        return self._needs_context()


class StandInPlan:
    """A loaded plan whose network gives red and green over 255, and for depth 1 + blue over 255."""

    def __init__(self, library: StandInLibrary, size: int, *, fits: bool = True) -> None:
        self._library = library
        self._size = size
        self._fits = fits
        self._addresses: dict[str, int] = {}
        self.is_broken = False

    def create_execution_context(self) -> StandInPlan | None:
        return self if self._fits else None

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        return not self.is_broken and self._library.submit(self._compute) == 0

    def _compute(self) -> None:
        size = self._size
        count = size * size * 3
        taken = (ctypes.c_ubyte * count).from_address(self._addresses["image"])
        image = np.ctypeslib.as_array(taken).reshape(size, size, 3)
        maps = self._given("probability", 2)
        maps[...] = np.moveaxis(image[..., :2], 2, 0) / np.float32(255)
        if "depth" in self._addresses:
            self._given("depth", 1)[...] = 1 + image[..., 2] / np.float32(255)

    def _given(self, name: str, planes: int) -> Any:
        count = planes * self._size**2
        given = (ctypes.c_float * count).from_address(self._addresses[name])
        return np.ctypeslib.as_array(given).reshape(planes, self._size, self._size)


class StandInCompiled:
    """Kernels of TensorRT for RTX: what was compiled, kept from run to run."""

    def __init__(self) -> None:
        self.content = b""

    def deserialize(self, content: bytes) -> bool:
        self.content = content
        return True

    def serialize(self) -> bytes:
        return self.content


class StandInRtxPlan(StandInPlan):
    """Compiles its kernels at the first picture, unless it is given them."""

    def __init__(self, library: StandInLibrary, size: int) -> None:
        super().__init__(library, size)
        self.compilations = 0
        self._compiled = StandInCompiled()

    def create_runtime_config(self) -> StandInRtxPlan:
        return self

    def create_runtime_cache(self) -> StandInCompiled:
        return self._compiled

    def set_runtime_cache(self, compiled: StandInCompiled) -> bool:
        return compiled is self._compiled

    def create_execution_context(self, config: object = None) -> StandInRtxPlan:
        assert config is self
        return self

    def execute_async_v3(self, stream: int) -> bool:
        if not self._compiled.content:
            self.compilations += 1
            self._compiled.content = b"kernels"
        return super().execute_async_v3(stream)
