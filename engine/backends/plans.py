"""TensorRT plans as files: what a plan belongs to, where it is kept, how far its build is.

A plan is code for one GPU, made by one version of TensorRT. It is built on the computer it runs
on, kept under the user's seal, and built again when anything it belongs to differs. Nothing here
imports TensorRT; engine.backends.tensorrt does.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass

from engine.bundle import Precision
from engine.cache import UserCache
from engine.errors import BackendError, CacheError
from engine.timing import Clock, SystemClock

_LEAST_FRACTION = 0.02
"""Before that, time left is a guess."""


@dataclass(frozen=True, slots=True)
class PlanKey:
    """Everything a plan belongs to."""

    model: str
    """SHA-256 of the network it was built from."""
    precision: Precision
    flavour: str
    """`tensorrt` or `tensorrt_rtx`."""
    version: str
    """Of TensorRT."""
    gpu: str
    capability: tuple[int, int]
    driver: str

    def about(self) -> str:
        """All of it, as one line that differs when anything does."""
        return json.dumps(asdict(self), sort_keys=True)

    def tuning(self) -> str:
        """What kernel timings belong to: the same GPU and TensorRT, for any network."""
        fields = asdict(self)
        return json.dumps({k: fields[k] for k in sorted(fields) if k not in ("model", "precision")})


@dataclass(frozen=True, slots=True)
class Built:
    """What a build gives."""

    plan: bytes
    timings: bytes
    """Measured kernels, so that the next build measures less; empty where there are none."""


@dataclass(frozen=True, slots=True)
class FoundPlan:
    """A plan to run."""

    content: bytes
    is_new: bool
    """Built just now."""
    note: str | None
    """What the user should know: why it was built again, or why it is not kept."""


def find_plan(key: PlanKey, cache: UserCache) -> bytes | None:
    """The plan kept for `key`; None where there is none.

    Raises:
        CacheError: there is one, but not by this user, or it was damaged.
    """
    return cache.read("plan", key.about())


def find_or_build(key: PlanKey, cache: UserCache, build: Callable[[bytes], Built]) -> FoundPlan:
    """The plan for `key`, built where there is none to trust, and kept where that is possible.

    Args:
        key: what it must belong to.
        cache: of this user.
        build: given earlier kernel timings (or nothing), makes the plan.

    Raises:
        BackendError: the build failed or was cancelled; nothing is kept then.
    """
    notes: list[str] = []
    try:
        kept = find_plan(key, cache)
        if kept is not None:
            return FoundPlan(kept, is_new=False, note=None)
    except CacheError as error:
        notes.append(f"The plan was built again. {error.what}")
    built = build(_timings(key, cache))
    try:
        cache.write("plan", key.about(), built.plan)
        if built.timings:
            cache.write("timings", key.tuning(), built.timings)
    except CacheError as error:
        notes.append(f"The plan is not kept. {error}")
    return FoundPlan(built.plan, is_new=True, note=" ".join(notes) or None)


def find_kernels(key: PlanKey, cache: UserCache) -> bytes:
    """Kernels that were compiled when this plan ran before; empty where there are none."""
    try:
        return cache.read("kernels", key.about()) or b""
    except CacheError:
        return b""


def keep_kernels(key: PlanKey, cache: UserCache, earlier: bytes, now: bytes) -> None:
    """Keep kernels where there are more than `earlier`; without room the next start compiles."""
    if now and now != earlier:
        with contextlib.suppress(CacheError):
            cache.write("kernels", key.about(), now)


def remember_precision(cache: UserCache, model: str, precision: Precision | None) -> None:
    """From now on run this model (SHA-256) in `precision`; None: in what Haustra chooses.

    Raises:
        CacheError: that cannot be written down.
    """
    cache.write("precision", model, (precision or "").encode())


def remembered_precision(cache: UserCache, model: str) -> Precision | None:
    """What `remember_precision` was told."""
    try:
        told = cache.read("precision", model)
    except CacheError:
        return None
    return Precision(told.decode()) if told else None


def _timings(key: PlanKey, cache: UserCache) -> bytes:
    try:
        return cache.read("timings", key.tuning()) or b""
    except CacheError:
        return b""


def parse_capability(text: str) -> tuple[int, int]:
    """(8, 9) from `8.9`, `89` or `sm89`.

    Raises:
        BackendError: that is no compute capability.
    """
    digits = text.lower().removeprefix("sm").removeprefix("_").replace(".", "")
    if not digits.isdecimal() or not 2 <= len(digits) <= 3:
        raise BackendError(
            f"{text!r} is no compute capability.", "It looks like 8.9; nvidia-smi tells a card's."
        )
    return int(digits[:-1]), int(digits[-1])


@dataclass(slots=True)
class _Phase:
    parent: str | None
    steps: int
    done: int = 0


class BuildProgress:
    """How far a build is. The builder's threads tell it, any thread reads it or cancels."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._phases: dict[str, _Phase] = {}
        self._started_s = self._clock.now_s()
        self._fraction = 0.0
        self._cancelled = threading.Event()

    # The builder tells

    def start_phase(self, name: str, parent: str | None, steps: int) -> None:
        """A phase of `steps` steps begins inside another, or as the whole."""
        with self._lock:
            self._phases[name] = _Phase(parent, max(1, steps))

    def finish_step(self, name: str, step: int) -> bool:
        """Step number `step` (from 0) is over; False where the build shall stop."""
        with self._lock:
            phase = self._phases.get(name)
            if phase is not None:
                phase.done = max(phase.done, min(step + 1, phase.steps))
                self._note()
        return not self._cancelled.is_set()

    def finish_phase(self, name: str) -> None:
        """All steps of a phase are over."""
        with self._lock:
            phase = self._phases.pop(name, None)
            is_whole = phase is not None and phase.parent is None
            if is_whole and not self._cancelled.is_set():
                self._fraction = 1.0

    # Others read

    @property
    def fraction(self) -> float:
        """Of the steps, 0..1; never goes back."""
        with self._lock:
            return self._fraction

    @property
    def phase(self) -> str:
        """What is under way, in TensorRT's words."""
        with self._lock:
            return next(reversed(self._phases), "")

    @property
    def left_s(self) -> float | None:
        """Seconds it still takes if it goes on like this; None while nobody can know."""
        with self._lock:
            done, elapsed_s = self._fraction, self._clock.now_s() - self._started_s
        return None if done < _LEAST_FRACTION else elapsed_s * (1.0 - done) / done

    def cancel(self) -> None:
        """Stop at the next step."""
        self._cancelled.set()

    @property
    def is_cancelled(self) -> bool:
        """`cancel` was called."""
        return self._cancelled.is_set()

    def _note(self) -> None:
        tops = [name for name, phase in self._phases.items() if phase.parent not in self._phases]
        if tops:
            self._fraction = max(self._fraction, min(1.0, self._done(tops[0])))

    def _done(self, name: str) -> float:
        phase = self._phases[name]
        inside = [self._done(child) for child, its in self._phases.items() if its.parent == name]
        return min(1.0, (phase.done + max(inside, default=0.0)) / phase.steps)
