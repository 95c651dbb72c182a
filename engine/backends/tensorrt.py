"""TensorRT, or TensorRT for RTX, whichever is installed: builds plans and runs them on a GPU.

Plans are built here, on the computer that runs them, and kept by engine.backends.plans. Networks
are strongly typed: a plan computes in the precision of the ONNX file it was built from.
"""

from __future__ import annotations

import importlib
from collections import deque
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends.cuda import Gpu, first_gpu, open_driver
from engine.backends.plan_runner import PlanRunner, answers_of
from engine.backends.plans import (
    BuildProgress,
    Built,
    PlanKey,
    find_kernels,
    find_or_build,
    find_plan,
    keep_kernels,
    remembered_precision,
)
from engine.bundle import ModelBundle, Precision
from engine.cache import UserCache
from engine.card import CardGrid
from engine.errors import BackendError, CacheError
from engine.types import Image

FLAVOURS = {
    "tensorrt": "tensorrt",
    "tensorrt_rtx": "tensorrt_rtx",
    "tensorrt_rtx_bindings": "tensorrt_rtx",
}
"""Import name → flavour, in the order they are tried; the last is the second's bare wheel."""
_NAMES = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT for RTX"}
_REBUILD = "Install the bundle again, or choose another back end: --backend openvino"
_REMEDIES = {
    "memory": "Close other programs that use the GPU, or --backend openvino",
    "driver version is insufficient": "Update the NVIDIA driver; meanwhile --backend openvino",
    "no cuda-capable device": "Check that the card is seated and the driver runs: nvidia-smi",
}
"""By what TensorRT says, in small letters."""
_INSTALL = "pip install haustra[tensorrt-rtx] (GeForce, RTX) or haustra[tensorrt] (all GPUs)"


@dataclass(frozen=True, slots=True)
class Library:
    """The TensorRT that is installed."""

    module: ModuleType
    flavour: str
    version: str

    @property
    def title(self) -> str:
        """For people."""
        return f"{_NAMES[self.flavour]} {self.version}"


@cache
def load_library() -> Library:
    """Import whichever is installed.

    Raises:
        BackendError: neither is, or it does not load.
    """
    reasons = []
    for name, flavour in FLAVOURS.items():
        try:
            module = importlib.import_module(name)
        except (ImportError, OSError, RuntimeError) as error:
            reasons.append(str(error))
            continue
        return Library(module, flavour, str(module.__version__))
    raise BackendError(f"TensorRT is not installed: {'; '.join(reasons)}.", _INSTALL)


def choose_precision(bundle: ModelBundle, asked: Precision | None) -> Precision:
    """What is asked for, or half precision where the bundle has it.

    Raises:
        BundleError: the bundle has no such network.
        BackendError: TensorRT has no network file for that precision.
    """
    if asked is Precision.BF16:
        raise BackendError(
            "A plan has the precision of its ONNX file, and no file is bf16.", "Take fp16 or fp32."
        )
    if asked is not None:
        bundle.network(asked)
        return asked
    return Precision.FP16 if Precision.FP16 in bundle.precisions else Precision.FP32


def compile_plan(
    library: Library,
    bundle: ModelBundle,
    precision: Precision,
    capability: tuple[int, int],
    progress: BuildProgress | None = None,
    timings: bytes = b"",
) -> Built:
    """Build a plan. Needs no GPU with TensorRT for RTX.

    Raises:
        BackendError: the network does not parse, has other inputs than the bundle says, the GPU
            is not known to this TensorRT, or the build failed or was cancelled.
    """
    trt: Any = library.module
    progress = progress or BuildProgress()
    builder = _builder(library)
    network = builder.create_network(_strongly_typed(trt))
    _parse(trt, network, bundle, precision)
    config = builder.create_builder_config()
    config.progress_monitor = _monitor(trt, progress)
    _aim(library, config, capability)
    earlier = None
    if library.flavour == "tensorrt":  # TensorRT for RTX times nothing while it builds
        earlier = config.create_timing_cache(timings)
        config.set_timing_cache(earlier, ignore_mismatch=False)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        if progress.is_cancelled:
            raise BackendError("The build was cancelled; nothing was kept.")
        raise BackendError(f"{library.title} cannot build: {_complaints(trt)}.", _REBUILD)
    return Built(bytes(plan), bytes(earlier.serialize()) if earlier is not None else b"")


def plan_key(library: Library, gpu: Gpu, bundle: ModelBundle, precision: Precision) -> PlanKey:
    """What a plan for this network on this GPU belongs to."""
    return PlanKey(
        model=bundle.artefacts[bundle.network(precision).name],
        precision=precision,
        flavour=library.flavour,
        version=library.version,
        gpu=gpu.name,
        capability=gpu.capability,
        driver=gpu.driver,
    )


def load_plan(library: Library, plan: bytes) -> Any:
    """The network in a plan that this user built here, ready to run on the GPU.

    Raises:
        BackendError: there is no GPU, or its memory is full, or the plan does not fit it.
    """
    trt: Any = library.module
    _forget_complaints(trt)
    engine = trt.Runtime(_logger(trt)).deserialize_cuda_engine(plan)
    if engine is None:
        told = _complaints(trt)
        raise BackendError(f"{library.title} cannot run the plan: {told}.", remedy_for(told))
    return engine


def remedy_for(complaint: str) -> str:
    """What to do about something TensorRT complains of."""
    return next((do for said, do in _REMEDIES.items() if said in complaint.lower()), _REBUILD)


def check_driver(library: Library, gpu: Gpu) -> None:
    """Raises `BackendError` where the driver is too old for the TensorRT that is installed."""
    needed = _cuda_of(library)
    if gpu.cuda < needed:
        raise BackendError(
            f"The NVIDIA driver {gpu.driver} is too old: it knows CUDA {gpu.cuda // 1000}, and "
            f"{library.title} needs {needed // 1000}.",
            "Update the NVIDIA driver, or install a TensorRT for the older CUDA.",
        )


class TensorRtBackend:
    """One network as a plan on the first NVIDIA GPU."""

    name = "tensorrt"
    takes_card = True

    def __init__(
        self,
        bundle: ModelBundle,
        threads: int | None = None,
        *,
        precision: Precision | None = None,
        progress: BuildProgress | None = None,
        cache: UserCache | None = None,
    ) -> None:
        """Find or build the plan and load it. `threads` means nothing to a GPU."""
        library, driver = load_library(), open_driver()
        gpu = first_gpu(driver)
        check_driver(library, gpu)
        kept = cache or UserCache()
        chosen = choose_precision(bundle, precision or _told_precision(bundle, kept))
        key = plan_key(library, gpu, bundle, chosen)
        found = find_or_build(
            key,
            kept,
            lambda timings: compile_plan(
                library, bundle, chosen, gpu.capability, progress, timings
            ),
        )
        self.note = found.note
        earlier = find_kernels(key, kept)
        self._runner: PlanRunner | None = PlanRunner(
            load_plan(library, found.content), bundle, driver, gpu, earlier
        )
        keep_kernels(key, kept, earlier, self._runner.kernels())
        graph = ", CUDA graph" if self._runner.is_graph else ""
        self.description = f"{library.title}, {gpu.name}, {chosen}{graph}"

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities."""
        if self._runner is None:
            raise BackendError("This back end was closed.", "Open it again.")
        return self._runner.infer(image)

    def infer_on_card(self, grid: CardGrid) -> NDArray[np.float32]:
        """The same for a picture that is on the card already."""
        if self._runner is None:
            raise BackendError("This back end was closed.", "Open it again.")
        return self._runner.infer_on_card(grid)

    def depth(self) -> NDArray[np.float32] | None:
        """(size, size) depth in the picture inferred last; None where the network gives none."""
        return None if self._runner is None else self._runner.depth()

    def close(self) -> None:
        """Give the GPU's memory back."""
        if self._runner is not None:
            self._runner.close()
        self._runner = None


def is_plan_kept(bundle: ModelBundle, cache: UserCache) -> bool:
    """Whether `TensorRtBackend` would start without building.

    Raises:
        BackendError: it would not start at all: no TensorRT, no GPU, or too old a driver.
    """
    library = load_library()
    gpu = first_gpu(open_driver())
    check_driver(library, gpu)
    precision = choose_precision(bundle, _told_precision(bundle, cache))
    try:
        return find_plan(plan_key(library, gpu, bundle, precision), cache) is not None
    except CacheError:
        return False


def _told_precision(bundle: ModelBundle, cache: UserCache) -> Precision | None:
    """What `haustra build --precision` was told for this model, if the bundle still has it."""
    told = remembered_precision(cache, bundle.digest)
    return told if told in bundle.precisions else None


def _builder(library: Library) -> Any:
    trt: Any = library.module
    _forget_complaints(trt)
    try:
        return trt.Builder(_logger(trt))
    except (TypeError, RuntimeError) as error:
        raise BackendError(
            f"{library.title} does not start: {_complaints(trt)}.",
            "It needs an NVIDIA GPU and its driver; look at nvidia-smi.",
        ) from error


def _strongly_typed(trt: Any) -> int:
    """Makes a plan keep to the ONNX file's types; newer versions know nothing else."""
    flag = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if flag is None else 1 << int(flag)


def _parse(trt: Any, network: Any, bundle: ModelBundle, precision: Precision) -> None:
    """Read the bundle's network, and check that it is what the manifest says."""
    path = bundle.network(precision)
    parser = trt.OnnxParser(network, _logger(trt))
    if not parser.parse(path.read_bytes()):
        raise BackendError(f"TensorRT cannot load {path}: {_complaints(trt)}.", _REBUILD)
    size = bundle.input.size
    wanted = {bundle.input.name: (1, size, size, 3), **answers_of(bundle)}
    tensors = [network.get_input(at) for at in range(network.num_inputs)]
    tensors += [network.get_output(at) for at in range(network.num_outputs)]
    found = {tensor.name: tuple(tensor.shape) for tensor in tensors}
    for name, shape in wanted.items():
        if found.get(name) != shape:
            raise BackendError(
                f"{path} has {name} of shape {found.get(name)}, not {shape} as its manifest says.",
                _REBUILD,
            )


def _aim(library: Library, config: Any, capability: tuple[int, int]) -> None:
    """Build for GPUs of this compute capability."""
    if library.flavour == "tensorrt":
        return  # it measures on the GPU that is here, and can build for no other
    known: Any = library.module.ComputeCapability
    major, minor = capability
    target = getattr(known, f"SM{major}{minor}", None)
    if target is None:
        names = sorted(
            (int(name[2:]) for name in dir(known) if name.startswith("SM")),
        )
        raise BackendError(
            f"{library.title} does not know compute capability {major}.{minor}.",
            f"It knows {', '.join(f'{each / 10:.1f}' for each in names)}.",
        )
    config.num_compute_capabilities = 1
    config.set_compute_capability(target, 0)


def _cuda_of(library: Library) -> int:
    """The CUDA that the installed wheels were made for, 12000 or 13000."""
    prefix = library.flavour.replace("_", "-")
    names = {
        (each.metadata["Name"] or "").lower().replace("_", "-") for each in metadata.distributions()
    }
    ends = {name.rsplit("-cu", 1)[-1][:2] for name in names if name.startswith(f"{prefix}-cu")}
    return max((int(end) * 1000 for end in ends if end.isdecimal()), default=12000)


@cache
def _logger(trt: Any) -> Any:
    """One for the process, as TensorRT wants it; keeps the last complaints, prints nothing."""

    class Complaints(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.last: deque[str] = deque(maxlen=8)

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.last.append(message.strip())

    return Complaints()


def _forget_complaints(trt: Any) -> None:
    _logger(trt).last.clear()


def _complaints(trt: Any) -> str:
    """The first thing that TensorRT complained about, as one line without its full stop."""
    last = tuple(_logger(trt).last)
    return last[0].splitlines()[0].rstrip(".") if last else "it gives no reason"


def _monitor(trt: Any, progress: BuildProgress) -> Any:
    """Tells `progress` what TensorRT's builder does. Called from the builder's threads."""

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            progress.start_phase(name, parent, steps)

        def step_complete(self, name: str, step: int) -> bool:
            return progress.finish_step(name, step)

        def phase_finish(self, name: str) -> None:
            progress.finish_phase(name)

    return Monitor()
