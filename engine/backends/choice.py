"""Which back end: the fastest that works here, measured once and remembered.

Every back end that opens runs the network on a few pictures; one that finds other folds than
float32 there is refused (`agreement`). The result is kept for this model on
this machine: other libraries, another driver, processor or GPU, and it is measured again. OpenVINO
takes part in its precisions, because not every processor that can compute in one is fast at it;
TensorRT once its plan is built; the window has it built beside the one that serves.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

import numpy as np

from engine.backends import (
    AUTOMATIC,
    BACKENDS,
    DEFAULT_BACKEND,
    InferenceBackend,
    open_backend,
    share_of_cores,
)
from engine.backends.agreement import refuse_who_disagrees
from engine.backends.plans import BuildProgress
from engine.backends.serving import Candidate, Serving
from engine.bundle import ModelBundle, Precision
from engine.cache import UserCache
from engine.errors import BackendError, CacheError, HaustraError
from engine.timing import Clock, SystemClock

NO_PLAN = "Its plan is not built yet; haustra build does it."
"""Why TensorRT did not take part."""
AS_ASKED = "as asked"
_PLANNED = "tensorrt"
_WARM_UP_RUNS = 3
_RUNS = 15
_LONGEST_S = 1.0
_MARGIN = 0.9
"""Another than the default must need less than this part of its time: less is noise."""
_PACKAGES = (
    "haustra", "openvino", "onnxruntime", "onnxruntime-gpu", "onnxruntime-directml",
    "tensorrt", "tensorrt-rtx", "tensorrt-rtx-cu13-bindings",
)  # fmt: skip

OpenNamed = Callable[[ModelBundle, str, int | None], InferenceBackend]


@dataclass(frozen=True, slots=True)
class Choice:
    """What was measured, and which back end follows from it."""

    times_ms: Mapping[str, float]
    """Of one picture, by name; only of those that work."""
    refusals: Mapping[str, str]
    """Why the others do not take part, by name."""
    is_remembered: bool = False
    note: str | None = None
    """What the user should know about it."""

    @property
    def name(self) -> str:
        """The fastest; the default one where the difference is small."""
        fastest = min(self.times_ms, key=lambda name: self.times_ms[name])
        default_ms = self.times_ms.get(DEFAULT_BACKEND)
        if default_ms is not None and self.times_ms[fastest] > _MARGIN * default_ms:
            return DEFAULT_BACKEND
        return fastest

    @property
    def order(self) -> tuple[str, ...]:
        """All that work: the chosen one, then the others from fast to slow."""
        others = sorted(self.times_ms, key=lambda name: self.times_ms[name])
        return (self.name, *(name for name in others if name != self.name))

    @property
    def text(self) -> str:
        """`fastest of openvino 4.1 ms, onnxruntime 6.3 ms`."""
        timed = ", ".join(f"{name} {self.times_ms[name]:.1f} ms" for name in self.order)
        if len(self.times_ms) == 1:
            return f"the only one that works: {timed}"
        is_fastest = self.times_ms[self.name] == min(self.times_ms.values())
        return f"{'fastest' if is_fastest else 'as fast as any'} of {timed}"


@dataclass(frozen=True, slots=True)
class Choosing:
    """What a choice needs from outside; tests give their own."""

    cache: UserCache = field(default_factory=UserCache)
    clock: Clock = field(default_factory=SystemClock)
    open: OpenNamed = open_backend
    builds_plan: bool = False
    """Build a missing plan meanwhile, and change over to it: for live pictures. Files are
    computed by one back end from the first frame to the last."""


def open_automatic(
    bundle: ModelBundle, threads: int | None = None, choosing: Choosing | None = None
) -> Serving:
    """Open the fastest back end; the others stand by, and a missing plan is built meanwhile.

    Raises:
        BackendError: none works.
    """
    choosing = choosing or Choosing()
    choice = choose(bundle, threads, choosing)
    candidates = [
        Candidate(name, lambda name=name: choosing.open(bundle, name, threads))  # type: ignore[misc]
        for name in choice.order
    ]
    failures = []
    while candidates:
        candidate = candidates.pop(0)
        try:
            first = candidate.open()
        except HaustraError as error:
            failures.append(error)
            continue
        return Serving(
            first,
            bundle.input.size,
            better=(
                _plan_to_build(bundle, choice.times_ms[candidate.name], choosing)
                if choosing.builds_plan
                else None
            ),
            others=candidates,
            reason=choice.text,
            note=choice.note,
        )
    raise failures[0]


def open_as_asked(
    bundle: ModelBundle, name: str, threads: int | None = None, choosing: Choosing | None = None
) -> Serving:
    """Open the back end `name`; the others stand by.

    Raises:
        BackendError: it cannot be opened.
    """
    choosing = choosing or Choosing()
    others = [each for each in BACKENDS if each != name]
    return Serving(
        choosing.open(bundle, name, threads),
        bundle.input.size,
        others=[asked_for(bundle, each, threads, choosing) for each in others],
        reason=AS_ASKED,
    )


def asked_for(
    bundle: ModelBundle, name: str, threads: int | None = None, choosing: Choosing | None = None
) -> Candidate:
    """The back end `name`, or the fastest, to take over while pictures go on (`Serving`)."""
    choosing = choosing or Choosing()
    if name == _PLANNED:
        progress = BuildProgress(choosing.clock)
        return Candidate(
            name, lambda: _planned(bundle, choosing, progress), progress.cancel, lambda: AS_ASKED
        )
    if name != AUTOMATIC:
        return Candidate(
            name, lambda: choosing.open(bundle, name, threads), reason=lambda: AS_ASKED
        )
    reasons: list[str] = []

    def open_fastest() -> InferenceBackend:
        choice = choose(bundle, threads, choosing)
        reasons.append(choice.text)
        return choosing.open(bundle, choice.name, threads)

    return Candidate("the fastest", open_fastest, reason=lambda: reasons[-1])


def choose(bundle: ModelBundle, threads: int | None, choosing: Choosing) -> Choice:
    """The choice remembered for this model and machine, or measured now.

    Raises:
        BackendError: no back end works.
    """
    about = json.dumps(
        {
            "model": dict(bundle.artefacts),
            "precisions": sorted(bundle.precisions),
            "threads": threads or share_of_cores(),
            "machine": fingerprint(),
            "plan": _has_plan(bundle, choosing.cache),
        },
        sort_keys=True,
    )
    remembered = _recall(choosing.cache, about)
    if remembered is not None:
        return remembered
    measured = measure_all(bundle, threads, choosing)
    if not measured.times_ms:
        reasons = " ".join(f"{name}: {why}" for name, why in measured.refusals.items())
        raise BackendError(f"No back end works. {reasons}", "haustra doctor says what to do.")
    try:
        content = {"times_ms": dict(measured.times_ms), "refusals": dict(measured.refusals)}
        choosing.cache.write("choice", about, json.dumps(content).encode())
    except CacheError as error:
        return replace(measured, note=f"{error} Every start measures the back ends anew.")
    return measured


def measure_all(bundle: ModelBundle, threads: int | None, choosing: Choosing) -> Choice:
    """Try every back end on this bundle; one that would build a plan first does not count."""
    refusals: dict[str, str] = {}
    opened: dict[str, InferenceBackend] = {}
    for name in takes_part(bundle):
        try:
            if name == _PLANNED and not _plan_is_kept(bundle, choosing.cache):
                refusals[name] = NO_PLAN
                continue
            opened[name] = choosing.open(bundle, name, threads)
        except HaustraError as error:
            refusals[name] = str(error)
    try:
        refuse_who_disagrees(opened, bundle, refusals)
        times_ms = race(opened, bundle.input.size, choosing.clock, refusals)
    finally:
        for backend in opened.values():
            backend.close()
    return Choice(MappingProxyType(times_ms), MappingProxyType(refusals))


def takes_part(bundle: ModelBundle) -> tuple[str, ...]:
    """Names to measure: the back ends, and OpenVINO in precisions it would not take itself."""
    others = [Precision.INT8] if Precision.INT8 in bundle.precisions else []
    if Precision.BF16 in bundle.precisions:
        others.append(Precision.FP32)
    return (*BACKENDS, *(f"{DEFAULT_BACKEND}:{each}" for each in others))


def picture_ms(backend: InferenceBackend, size: int, clock: Clock) -> float:
    """How long one picture takes one back end, measured as in a race.

    Raises:
        BackendError: it fails.
    """
    refusals: dict[str, str] = {}
    found = race({backend.name: backend}, size, clock, refusals)
    if refusals:
        raise BackendError(refusals[backend.name])
    return found[backend.name]


def race(
    backends: Mapping[str, InferenceBackend], size: int, clock: Clock, refusals: dict[str, str]
) -> dict[str, float]:
    """How long one picture takes each, ms; who fails goes to `refusals` and takes no further part.

    The shortest of several times, since other work only adds to it; by turns, so that a moment in
    which the machine is busy meets all of them.
    """
    image = np.random.default_rng(0).integers(0, 256, (size, size, 3), np.uint8)
    times_s: dict[str, list[float]] = {name: [] for name in backends}
    for turn in range(_WARM_UP_RUNS + _RUNS):
        for name, backend in backends.items():
            if name in refusals or sum(times_s[name]) >= _LONGEST_S:
                continue
            started_s = clock.now_s()
            try:
                backend.infer(image)
            except BackendError as error:
                refusals[name] = str(error)
                continue
            if turn >= _WARM_UP_RUNS:
                times_s[name].append(clock.now_s() - started_s)
    return {
        name: min(times) * 1e3 for name, times in times_s.items() if times and name not in refusals
    }


def fingerprint() -> dict[str, object]:
    """What a measurement depends on, besides the model."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "packages": versions,
        "gpus": _gpus(),
    }


def _plan_to_build(bundle: ModelBundle, to_beat_ms: float, choosing: Choosing) -> Candidate | None:
    """TensorRT, where only its plan is missing."""
    if _has_plan(bundle, choosing.cache) is not False:
        return None
    progress = BuildProgress(choosing.clock)

    def build() -> InferenceBackend:
        opened = _planned(bundle, choosing, progress)
        took_ms = picture_ms(opened, bundle.input.size, choosing.clock)
        if took_ms < to_beat_ms:
            return opened
        opened.close()
        raise BackendError(f"It takes {took_ms:.1f} ms, what serves takes {to_beat_ms:.1f} ms.")

    return Candidate(_PLANNED, build, progress.cancel)


def _planned(bundle: ModelBundle, choosing: Choosing, progress: BuildProgress) -> InferenceBackend:
    """TensorRT, after its plan has been built where it is missing."""
    from engine.backends.tensorrt import TensorRtBackend

    return TensorRtBackend(bundle, progress=progress, cache=choosing.cache)


def _has_plan(bundle: ModelBundle, cache: UserCache) -> bool | None:
    """Whether TensorRT's plan is kept; None where it could not be used anyway."""
    try:
        return _plan_is_kept(bundle, cache)
    except HaustraError:
        return None


def _plan_is_kept(bundle: ModelBundle, cache: UserCache) -> bool:
    from engine.backends.tensorrt import is_plan_kept

    return is_plan_kept(bundle, cache)


def _recall(cache: UserCache, about: str) -> Choice | None:
    try:
        kept = cache.read("choice", about)
    except CacheError:
        return None
    if kept is None:
        return None
    content = json.loads(kept)
    return Choice(
        MappingProxyType(content["times_ms"]),
        MappingProxyType(content["refusals"]),
        is_remembered=True,
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _gpus() -> list[str]:
    from engine.backends.cuda import find_gpus, open_driver

    try:
        cards = find_gpus(open_driver())
    except BackendError:
        return []
    return [f"{card.name} {card.capability} {card.driver}" for card in cards]
