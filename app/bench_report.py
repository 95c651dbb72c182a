"""What `haustra bench` measured: for programs, for reading, and as a chart."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from engine.benchmark import Measurement
from engine.benchmark.naive import NaiveMeasurement
from engine.benchmark.soak import Soak
from engine.timing import Percentiles

_WIDTH, _ROW, _LEFT, _TOP = 760, 34, 150, 56
_END_TO_END = "end to end"


@dataclass(frozen=True, slots=True)
class BenchReport:
    """Everything that was measured; what was not is None."""

    source: Mapping[str, Any]
    model: Mapping[str, Any]
    paced: Measurement | None = None
    flat_out: Measurement | None = None
    alone_fps: Mapping[str, float] | None = None
    """Of each stage with the machine to itself."""
    naive: NaiveMeasurement | None = None
    soak: Soak | None = None

    @property
    def versus_slowest(self) -> float | None:
        """Flat out, end to end, to the slowest stage alone."""
        if self.flat_out is None or not self.alone_fps:
            return None
        return self.flat_out.fps / min(self.alone_fps.values())

    @property
    def versus_naive(self) -> tuple[float, float] | None:
        """How much faster than the naive way: by the clock, and by processor time for a frame."""
        if self.flat_out is None or self.naive is None:
            return None
        naive_ms = self.naive.usage.processor_s * 1e3 / self.naive.frames
        return self.flat_out.fps / self.naive.fps, naive_ms / self.flat_out.processor_ms

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        ratio = self.versus_naive
        return {
            "machine": machine(),
            "source": dict(self.source),
            "model": dict(self.model),
            "paced": None if self.paced is None else self.paced.to_json(),
            "flat_out": None if self.flat_out is None else self.flat_out.to_json(),
            "alone_fps": _rounded(self.alone_fps),
            "versus_slowest": self.versus_slowest and round(self.versus_slowest, 3),
            "naive": None if self.naive is None else {"fps": round(self.naive.fps, 2)},
            "versus_naive": None
            if ratio is None
            else {"fps": round(ratio[0], 2), "processor": round(ratio[1], 2)},
            "soak": None if self.soak is None else self.soak.to_json(),
        }

    def to_markdown(self) -> str:
        """Tables and sentences."""
        parts = [_heading(self)]
        for name, measured in (("Paced", self.paced), ("Flat out", self.flat_out)):
            if measured is not None:
                parts.append(f"## {name}\n\n{_summary(measured)}\n\n{_table(measured)}")
        if self.alone_fps is not None and self.versus_slowest is not None:
            stages = ", ".join(f"{name} {fps:.0f}" for name, fps in self.alone_fps.items())
            parts.append(
                f"Stages alone, frames a second: {stages}. "
                f"End to end is {self.versus_slowest:.2f} of the slowest."
            )
        if self.naive is not None and self.versus_naive is not None:
            by_clock, by_processor = self.versus_naive
            parts.append(
                f"Naive: {self.naive.fps:.1f} frames a second; ours is {by_clock:.1f} times as "
                f"fast, with {by_processor:.1f} times less processor time for a frame."
            )
        if self.soak is not None:
            parts.append(_soak_text(self.soak))
        return "\n\n".join(parts) + "\n"

    def to_svg(self) -> str:
        """A chart of the paced run's stages and latency: median, 95th and 99th percentile."""
        measured = self.paced or self.flat_out
        return "" if measured is None else _chart(_rows(measured))


def machine() -> dict[str, Any]:
    """On what this was measured; no names of people or hosts."""
    return {
        "system": platform.system(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def _heading(report: BenchReport) -> str:
    source, model = report.source, report.model
    return (
        f"# {source['name']}, {source['width']}x{source['height']}\n\n"
        f"{source['decoder']} · {model['name']} · {machine()['cores']} cores"
    )


def _summary(measured: Measurement) -> str:
    codes = "no frame code" if measured.mismatched is None else f"{measured.mismatched} mismatched"
    memory = measured.usage.memory_mib
    parts = [
        f"{measured.fps:.1f} pictures a second",
        f"{measured.frames} frames in {len(measured.runs)} runs",
        f"{100 * measured.analysed:.1f} % analysed",
        f"{measured.dropped} dropped",
        codes,
        f"{measured.processor_ms:.1f} ms of processor time a frame",
        f"{measured.usage.cores:.2f} cores busy",
    ]
    parts += [] if memory is None else [f"{memory:.0f} MiB"]
    parts += [] if measured.usage.gpu is None else [measured.usage.gpu]
    runs = ", ".join(f"{run.fps:.1f}" for run in measured.runs)
    return ", ".join(parts) + f". Single runs: {runs} a second."


def _rows(measured: Measurement) -> dict[str, Percentiles]:
    rows = dict(measured.stages_ms)
    if measured.latency_ms is not None:
        rows[_END_TO_END] = measured.latency_ms
    return rows


def _table(measured: Measurement) -> str:
    lines = ["| ms | mean | p50 | p95 | p99 | p99.9 | max |", "|---|---|---|---|---|---|---|"]
    for name, spread in _rows(measured).items():
        values = (spread.mean, spread.p50, spread.p95, spread.p99, spread.p999, spread.max)
        lines.append(f"| {name} | " + " | ".join(f"{value:.1f}" for value in values) + " |")
    return "\n".join(lines)


def _soak_text(soak: Soak) -> str:
    memory = "memory is not told by this system"
    if soak.memory_mib:
        memory = (
            f"memory {soak.memory_mib[0]:.0f} MiB after the first tenth, "
            f"{soak.memory_mib[-1]:.0f} MiB at the end ({100 * soak.memory_drift:+.2f} %)"
        )
    return (
        f"Soak of {soak.frames} frames: {memory}; p99 of the last tenth "
        f"{soak.p99_ratio:.2f} of the first's."
    )


def _chart(rows: Mapping[str, Percentiles]) -> str:
    """Bars to the median, lines to the 95th and marks at the 99th percentile."""
    top_ms = max(spread.p99 for spread in rows.values()) * 1.1 or 1.0
    scale = (_WIDTH - _LEFT - 80) / top_ms
    height = _TOP + _ROW * len(rows) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="16" y="28" font-size="15">Milliseconds: median (bar), 95 % (line), '
        "99 % (mark)</text>",
    ]
    for number, (name, spread) in enumerate(rows.items()):
        y = _TOP + _ROW * number
        bar, line, mark = (spread.p50 * scale, spread.p95 * scale, spread.p99 * scale)
        colour = "#0b6fa4" if name == _END_TO_END else "#7f9fb3"
        middle = y + 11
        parts += [
            f'<text x="{_LEFT - 10}" y="{y + 16}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{bar:.1f}" height="22" fill="{colour}"/>',
            f'<line x1="{_LEFT}" y1="{middle}" x2="{_LEFT + line:.1f}" y2="{middle}" '
            'stroke="#222" stroke-width="2"/>',
            f'<line x1="{_LEFT + mark:.1f}" y1="{y}" x2="{_LEFT + mark:.1f}" y2="{y + 22}" '
            'stroke="#b3261e" stroke-width="3"/>',
            f'<text x="{_LEFT + mark + 8:.1f}" y="{y + 16}">{spread.p50:.1f} / '
            f"{spread.p99:.1f}</text>",
        ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rounded(values: Mapping[str, float] | None) -> dict[str, float] | None:
    return None if values is None else {name: round(value, 1) for name, value in values.items()}
