"""Looks over an installation: what is here, what is missing, what to do about it.

Every probe stands alone and survives a library that is absent or cannot load, because that is
when a checkup is wanted. Nothing here shows anything; `haustra doctor` does.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import resources
from engine.errors import BundleError, HaustraError

if TYPE_CHECKING:
    from engine.backends.choice import Choice
    from engine.bundle import ModelBundle

Fact: TypeAlias = "str | int | float | bool | list[Fact] | dict[str, Fact] | None"

REQUIRED_PACKAGES = (
    "numpy",
    "scipy",
    "opencv-python-headless",
    "av",
    "openvino",
    "PySide6-Essentials",
    "pyqtgraph",
)
OPTIONAL_PACKAGES = ("onnxruntime", "tensorrt", "tensorrt-rtx", "torch")

_QT_PROBE = """
from PySide6.QtGui import QGuiApplication
application = QGuiApplication([])
size = application.primaryScreen().size()
print(f"{application.platformName()} {size.width()}x{size.height()}")
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to know about."""

    what: str
    remedy: str
    is_blocking: bool = False
    """Haustra, or its window on a machine with a display, cannot work until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one probe saw."""

    lines: tuple[str, ...]
    """For reading."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """For programs."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkup:
    """All findings by topic, in the order of `PROBES`."""

    findings: Mapping[str, Finding]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Of all findings, blocking ones first."""
        found = [problem for finding in self.findings.values() for problem in finding.problems]
        return tuple(sorted(found, key=lambda problem: not problem.is_blocking))

    @property
    def is_fit(self) -> bool:
        """Nothing that Haustra needs is broken."""
        return not any(problem.is_blocking for problem in self.problems)


def check_versions() -> Finding:
    """Haustra, Python and the packages, from their installed metadata."""
    required = {name: _version(name) for name in REQUIRED_PACKAGES}
    optional = {name: _version(name) for name in OPTIONAL_PACKAGES}
    missing = [name for name, version in required.items() if version is None]
    haustra = _version("haustra")
    system = f"{platform.system()} {platform.machine()}"
    here = {name: version for name, version in {**required, **optional}.items() if version}
    problems = [
        Problem(
            f"{name} is not installed.",
            "Run make demo, or: pip install -c constraints.txt .",
            is_blocking=True,
        )
        for name in missing
    ]
    return Finding(
        lines=(
            f"haustra {haustra or 'not installed'}, Python {platform.python_version()}, {system}",
            ", ".join(f"{name} {version}" for name, version in here.items()),
        ),
        facts={
            "haustra": haustra,
            "python": platform.python_version(),
            "system": system,
            "packages": {**required, **optional},
        },
        problems=tuple(problems),
    )


def check_processor() -> Finding:
    """Name, cores granted to this process, and what speeds inference up."""
    name, flags = _processor()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    abilities = {
        "bf16": bool(flags & {"avx512_bf16", "amx_bf16"}),
        "vnni": bool(flags & {"avx512_vnni", "avx_vnni"}),
    }
    known = ", ".join(f"{key} {'yes' if value else 'no'}" for key, value in abilities.items())
    return Finding(
        lines=(f"{name}, {cores} cores, {known if flags else 'abilities unknown'}",),
        facts={"name": name, "cores": cores, **(abilities if flags else {})},
    )


def check_model() -> Finding:
    """The bundled model: present, readable, unaltered."""
    from engine.bundle import ModelBundle

    bundle = ModelBundle.open(resources.DEFAULT_BUNDLE)
    precisions = ", ".join(sorted(bundle.precisions))
    return Finding(
        lines=(
            f"{bundle.name} {bundle.version}, unaltered",
            f"finds {', '.join(bundle.outputs)}; computes in {precisions}",
        ),
        facts={
            "name": bundle.name,
            "version": bundle.version,
            "is_intact": True,
            "outputs": list(bundle.outputs),
            "precisions": [str(each) for each in sorted(bundle.precisions)],
        },
    )


def check_backends() -> Finding:
    """Every inference back end, opened on the bundled model and run on a black picture."""
    from engine.backends.choice import takes_part
    from engine.bundle import ModelBundle

    try:
        bundle = ModelBundle.open(resources.DEFAULT_BUNDLE)
    except BundleError:
        return Finding(("not tried, for want of a model",))
    choice = _automatic_choice(bundle)
    states = {name: _state_of(bundle, name, choice) for name in takes_part(bundle)}
    working = [name for name, state in states.items() if state["works"]]
    lines = [
        f"{name}: {state['description']}, {state['infer_ms']} ms a picture"
        if state["works"]
        else f"{name}: not usable. {state['reason']}"
        for name, state in states.items()
    ]
    automatic = "none" if choice is None else _used(choice, working)
    lines.append(f"used unless one is named: {automatic}")
    problem = Problem(
        "No inference back end works, so no fold can be found.",
        "The reasons stand under back ends; most often: pip install -c constraints.txt .",
        is_blocking=True,
    )
    facts: dict[str, Fact] = {**states, "choice": automatic}
    return Finding(tuple(lines), facts, () if working else (problem,))


def check_decoders() -> Finding:
    """Video formats, and the hardware decoders that FFmpeg was built with, each tried."""
    from engine.sources.decoders import (
        FORMATS,
        decodable_formats,
        hardware_kinds,
        hardware_problem,
        keeping_problem,
    )

    formats = decodable_formats()
    tried = {kind: hardware_problem(kind) for kind in hardware_kinds()}
    working = [kind for kind, problem in tried.items() if problem is None]
    # The answer takes torch, seconds to import, and matters only where NVDEC works.
    kept = _where_pictures_stay(keeping_problem()) if "cuda" in working else None
    lacking = [name for name in FORMATS if name not in formats]
    problems = tuple(
        Problem(
            f"Video in {name} cannot be read.",
            "Install the av wheel from PyPI: it carries FFmpeg with all of them.",
            is_blocking=name == "h264",
        )
        for name in lacking
    )
    return Finding(
        lines=(
            "reads " + ", ".join(formats),
            f"decodes by {working[0]}, else by software" if working else "decodes by software",
            *(f"{kind}: not usable, {why}" for kind, why in tried.items() if why is not None),
            *([] if kept is None else [kept]),
        ),
        facts={
            "formats": [*formats],
            "lacking": [*lacking],
            "hardware": [*working],
            "kept": kept,
            "unusable": {kind: why for kind, why in tried.items() if why is not None},
        },
        problems=problems,
    )


def _where_pictures_stay(problem: str | None) -> str:
    if problem is None:
        return "cuda: pictures stay on the card for TensorRT"
    return f"cuda: pictures go through main memory, {problem}"


def check_gpu() -> Finding:
    """NVIDIA cards by their driver, and the devices that OpenVINO sees. None is needed."""
    cards = _nvidia_cards()
    devices = _openvino_devices()
    others = [device for device in devices if not device.startswith("CPU")]
    found = [*cards, *others]
    return Finding(
        lines=tuple(found) or ("none; the processor does the work",),
        facts={"nvidia": [*cards], "openvino": [*devices]},
    )


def check_display() -> Finding:
    """Whether a window could open, tried in a process of its own: Qt aborts where it cannot."""
    wanted = has_display()
    try:
        tried = subprocess.run(
            [sys.executable, "-c", _QT_PROBE], capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _no_window(wanted, str(error))
    if tried.returncode != 0:
        complaint = tried.stderr.strip().splitlines()
        return _no_window(wanted, next(filter(None, complaint), "Qt stopped without a word."))
    screen = tried.stdout.strip()
    return Finding((f"Qt opens windows on {screen}",), {"opens": True, "screen": screen})


def check_demo() -> Finding:
    """The clip that `haustra` opens when none is named."""
    clip: Path = resources.DEMO_CLIP
    if clip.is_file():
        return Finding((f"{clip.name} is here",), {"is_here": True})
    remedy = "Open a video of your own, or take the clip from the repository (resources/demo)."
    problem = Problem(f"The demo clip {clip.name} is missing.", remedy)
    return Finding((f"{clip.name} is missing",), {"is_here": False}, (problem,))


PROBES: Mapping[str, Callable[[], Finding]] = {
    "versions": check_versions,
    "processor": check_processor,
    "model": check_model,
    "backends": check_backends,
    "decoders": check_decoders,
    "gpu": check_gpu,
    "display": check_display,
    "demo": check_demo,
}


def check_up(probes: Mapping[str, Callable[[], Finding]] = PROBES) -> Checkup:
    """Run every probe; one that cannot run becomes a blocking problem."""
    return Checkup({topic: _survive(topic, probe) for topic, probe in probes.items()})


def has_display(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> bool:
    """Whether somebody could see a window. Only Linux can be without a display."""
    if not system.startswith("linux"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _survive(topic: str, probe: Callable[[], Finding]) -> Finding:
    try:
        return probe()
    except HaustraError as error:
        return _failed(error.what, error.remedy)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        return _failed(f"The check of {topic} failed: {error}", "Install again: make clean demo")


def _failed(what: str, remedy: str) -> Finding:
    return Finding((what,), {"error": what}, (Problem(what, remedy, is_blocking=True),))


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> tuple[str, frozenset[str]]:
    """Its name and the flags the kernel lists (Linux; elsewhere none)."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    pairs = (line.partition(":")[::2] for line in text.splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in pairs}
    return fields.get("model name", platform.machine()), frozenset(fields.get("flags", "").split())


def _state_of(bundle: ModelBundle, name: str, choice: Choice | None) -> dict[str, Fact]:
    """What trying it shows; TensorRT without its plan is not tried, for it would build first."""
    from engine.backends.choice import NO_PLAN

    if choice is not None and choice.refusals.get(name) == NO_PLAN:
        return {"works": False, "reason": NO_PLAN}
    return _try_backend(bundle, name)


def _try_backend(bundle: ModelBundle, name: str) -> dict[str, Fact]:
    import numpy as np

    from engine.backends import open_backend

    try:
        backend = open_backend(bundle, name)
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        return {"works": False, "reason": str(error)}
    size = bundle.input.size
    picture = np.zeros((size, size, 3), np.uint8)
    try:
        times_ms = [_timed_ms(lambda: backend.infer(picture)) for _ in range(9)]
    except RuntimeError as error:
        return {"works": False, "reason": str(error)}
    finally:
        backend.close()
    median_ms = round(sorted(times_ms)[len(times_ms) // 2], 1)
    return {"works": True, "description": backend.description, "infer_ms": median_ms}


def _automatic_choice(bundle: ModelBundle) -> Choice | None:
    """What `--backend auto` takes here; None where nothing works."""
    from engine.backends.choice import Choosing, choose

    try:
        return choose(bundle, None, Choosing())
    except HaustraError:
        return None


def _used(choice: Choice, working: Collection[str]) -> str:
    """The first of the choice that works still, with what was measured and when."""
    since = "measured earlier" if choice.is_remembered else "measured now"
    name = next((name for name in choice.order if name in working), "none")
    return f"{name}, {choice.text}, {since}"


def _timed_ms(act: Callable[[], object]) -> float:
    start_s = time.perf_counter()
    act()
    return (time.perf_counter() - start_s) * 1000


def _nvidia_cards() -> tuple[str, ...]:
    """Name, driver and memory of each card, or nothing where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    query = [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, timeout=15, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(line.strip() for line in told.stdout.splitlines() if line.strip())


def _openvino_devices() -> tuple[str, ...]:
    try:
        from engine.backends.openvino import devices
    except (ImportError, OSError):
        return ()
    return devices()


def _no_window(is_wanted: bool, reason: str) -> Finding:
    facts: dict[str, Fact] = {"opens": False, "reason": reason}
    if not is_wanted:
        problem = Problem(
            "There is no display, so the window cannot open.",
            "The headless verbs work: haustra overlay, haustra bench.",
        )
        return Finding(("none; headless verbs only",), facts, (problem,))
    problem = Problem(
        f"Qt cannot open a window: {reason}",
        "On Debian, as root: installer/packages.sh window",
        is_blocking=True,
    )
    return Finding((f"Qt cannot start: {reason}",), facts, (problem,))
