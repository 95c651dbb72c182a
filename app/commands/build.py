"""`haustra build`: compile a model for the NVIDIA GPU of this computer, ahead of the first use.

The plan is kept in a folder that only you can enter (HAUSTRA_CACHE names another one), sealed with
a key of yours, and built again when model, TensorRT, GPU or driver change. Plans never travel:
with --capability a build for other GPUs is only tried, on any computer, and thrown away.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import resources
from app.progress import describe_build

if TYPE_CHECKING:
    from engine.backends.plans import BuildProgress
    from engine.bundle import ModelBundle, Precision

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

PLANNED = "tensorrt"
_REFRESH_S = 0.1
_Made = TypeVar("_Made")


def add_parser(subparsers: Subparsers) -> None:
    """Add the verb `build`."""
    parser = subparsers.add_parser(
        "build",
        help="compile a model for this computer's GPU",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("bundle", nargs="?", type=Path, metavar="BUNDLE", help="the shipped one")
    parser.add_argument("--backend", default=PLANNED, metavar="NAME", help=f"({PLANNED})")
    parser.add_argument(
        "--precision", metavar="P", help="fp32, fp16 or int8, kept as this model's own (the best)"
    )
    parser.add_argument(
        "--capability", metavar="C[,C...]", help="try a build for other GPUs: 8.6,8.9,12.0"
    )
    parser.set_defaults(run=run)


def run(asked: argparse.Namespace) -> int:
    """Build, say what came of it; 0. Raises HaustraError."""
    from engine.backends import check_name
    from engine.backends.plans import parse_capability
    from engine.bundle import ModelBundle
    from engine.errors import BackendError

    check_name(asked.backend)
    if asked.backend != PLANNED:
        raise BackendError(
            f"{asked.backend} has nothing to build.",
            f"It starts at once; only {PLANNED} has plans.",
        )
    precision = parse_precision(asked.precision)
    bundle = ModelBundle.open(asked.bundle or resources.DEFAULT_BUNDLE)
    if asked.capability is None:
        build_here(bundle, precision)
        return 0
    for text in asked.capability.split(","):
        try_for(bundle, precision, parse_capability(text.strip()))
    return 0


def parse_precision(text: str | None) -> Precision | None:
    """The precision of that name.

    Raises:
        BackendError: there is none.
    """
    from engine.bundle import Precision
    from engine.errors import BackendError

    try:
        return None if text is None else Precision(text.lower())
    except ValueError as error:
        known = ", ".join(Precision)
        raise BackendError(f"There is no precision {text!r}.", f"Known: {known}.") from error


def say_precision(bundle: ModelBundle, asked: Precision | None) -> Precision:
    """The precision that is built; says so where it is not the fast one and nobody asked."""
    from engine.backends.tensorrt import choose_precision
    from engine.bundle import Precision

    chosen = choose_precision(bundle, asked)
    if asked is None and chosen is Precision.FP32:
        print(
            f"haustra: {bundle.name} has no float16 network, so the plan computes in fp32.",
            file=sys.stderr,
        )
    return chosen


def build_here(bundle: ModelBundle, precision: Precision | None) -> None:
    """Build for the GPU of this computer, run it once, and keep it."""
    from engine.backends.plans import remember_precision
    from engine.backends.tensorrt import TensorRtBackend
    from engine.cache import UserCache
    from engine.errors import CacheError

    cache, started_s = UserCache(), time.monotonic()
    # Not what an earlier build was told: each build decides anew.
    chosen = say_precision(bundle, precision)
    backend = watch(
        lambda progress: TensorRtBackend(bundle, precision=chosen, progress=progress, cache=cache)
    )
    backend.close()
    took_s = time.monotonic() - started_s
    print(f"{bundle.name} {bundle.version}: {backend.description}, ready in {took_s:.1f} s")
    if backend.note is not None:
        print(f"haustra: {backend.note}", file=sys.stderr)
    with contextlib.suppress(CacheError):  # then the plan was not kept either, and that was told
        remember_precision(cache, bundle.digest, precision)
        print(f"kept in {cache.folder}")


def try_for(bundle: ModelBundle, precision: Precision | None, capability: tuple[int, int]) -> None:
    """Build for other GPUs, say how it went, keep nothing."""
    from engine.backends.tensorrt import compile_plan, load_library

    library = load_library()
    chosen = say_precision(bundle, precision)
    started_s = time.monotonic()
    built = watch(lambda progress: compile_plan(library, bundle, chosen, capability, progress))
    took_s = time.monotonic() - started_s
    print(
        f"{bundle.name} {bundle.version}: {library.title}, {chosen}, capability "
        f"{capability[0]}.{capability[1]}: builds in {took_s:.1f} s, "
        f"{len(built.plan) / 1e6:.1f} MB; not kept"
    )


def watch(build: Callable[[BuildProgress], _Made], out: TextIO | None = None) -> _Made:
    """Run `build` on a thread and show how far it is; Ctrl+C has it stop, and waits for that."""
    from engine.backends.plans import BuildProgress

    progress = BuildProgress()
    out = sys.stderr if out is None else out
    is_shown = out.isatty()
    with ThreadPoolExecutor(1, "build") as pool:
        future = pool.submit(build, progress)
        try:
            while not wait([future], _REFRESH_S).done:
                if is_shown:
                    line = describe_build(progress.fraction, progress.left_s, progress.phase)
                    out.write(f"\r\x1b[K{line}")
                    out.flush()
        except KeyboardInterrupt:
            progress.cancel()
            raise
        finally:
            if is_shown:
                out.write("\r\x1b[K")
                out.flush()
    return future.result()
