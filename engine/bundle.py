"""A model bundle: a folder with `manifest.json`, `model.onnx` and a model card.

JSON and ONNX only, never pickle. Every artefact's SHA-256 stands in the manifest and is checked
when the bundle is opened. The format is described in `docs/bundle-format.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path, PureWindowsPath
from types import MappingProxyType
from typing import Any, TypeVar

from engine.errors import BundleError

SCHEMA = 1
MANIFEST = "manifest.json"
NETWORK = "model.onnx"
HALF_NETWORK = "model-fp16.onnx"
INT8_NETWORK = "model-int8.onnx"
OUTPUT = "probability"
"""The network's output that is always read, float32 (1, channels, size, size)."""
DEPTH = "depth"
"""The output, where there is one, that says how far away the wall is, (1, 1, size, size).

Distance along the ray, mm in simulated colons; elsewhere only ratios count."""
CHANNELS = ("fold", "edge")
"""Of `OUTPUT`: probabilities of lying inside a haustral fold, and on a fold's occluding edge."""
SEAM = 0.3
"""Certainty of an edge at which folds are divided, in networks as they were trained."""
_REMEDY = "Install the program again, or build a bundle with haustra-train reproduce."

_Value = TypeVar("_Value")


class Precision(StrEnum):
    """What the numbers between input and output are."""

    FP32 = "fp32"
    BF16 = "bf16"
    """Computed from `model.onnx` by processors that can."""
    FP16 = "fp16"
    """`model-fp16.onnx`: the same network with half the bits."""
    INT8 = "int8"
    """`model-int8.onnx`: quantised, with its scales as QDQ nodes."""


NETWORKS: Mapping[Precision, str] = MappingProxyType(
    {
        Precision.FP32: NETWORK,
        Precision.BF16: NETWORK,
        Precision.FP16: HALF_NETWORK,
        Precision.INT8: INT8_NETWORK,
    }
)
"""The artefact that holds the network in a precision."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What the network takes: one uint8 RGB picture, normalised inside the graph."""

    name: str = "image"
    size: int = 256
    layout: str = "NHWC"
    dtype: str = "uint8"
    colour: str = "RGB"


@dataclass(frozen=True, slots=True)
class ModelBundle:
    """A checked bundle, ready for a back end."""

    path: Path
    name: str
    version: str
    input: InputSpec
    outputs: tuple[str, ...]
    """Its planes: `CHANNELS`, and `DEPTH` where it has one."""
    threshold: float
    """Of the fold probability, chosen on validation data only."""
    edge_threshold: float
    """Of the edge probability, for the best mask of edges."""
    seam_threshold: float
    """Of the edge probability: what is more surely edge may lie between two folds. Less certainty
    than a mask asks for, because one gap joins two folds."""
    metrics: Mapping[str, Any]
    """Measured results, as JSON."""
    provenance: Mapping[str, Any]
    """Data with their licences, recipe and code version, as JSON."""
    precisions: frozenset[Precision]
    """In which the network may be computed; `fp32` is always among them."""
    artefacts: Mapping[str, str]
    """SHA-256 by file name; only sealed files are ever read."""

    @property
    def onnx_path(self) -> Path:
        """The network."""
        return self.path / NETWORK

    @property
    def has_depth(self) -> bool:
        """Whether its network gives depth, too."""
        return DEPTH in self.outputs

    @property
    def digest(self) -> str:
        """SHA-256 of the network: the model's identity."""
        return self.artefacts[NETWORK]

    def network(self, precision: Precision) -> Path:
        """The network in `precision`.

        Raises:
            BundleError: the bundle does not have it, or forbids it.
        """
        if precision not in self.precisions:
            have = ", ".join(sorted(self.precisions))
            raise BundleError(
                f"{self.name} has no {precision} network.",
                f"It has {have}: name one of them, or none to let Haustra choose.",
            )
        return self.path / NETWORKS[precision]

    @classmethod
    def open(cls, path: Path | str) -> ModelBundle:
        """Read a bundle and verify every artefact.

        Raises:
            BundleError: missing, malformed, altered, or of another schema.
        """
        path = Path(path)
        content = _Content(path / MANIFEST, _read_manifest(path))
        bundle = cls(
            path=path,
            name=content.take("name", str),
            version=content.take("version", str),
            input=content.input_spec(),
            outputs=content.outputs(),
            threshold=content.threshold("threshold"),
            edge_threshold=content.threshold("edge_threshold"),
            seam_threshold=content.threshold("seam_threshold", SEAM),
            metrics=MappingProxyType(content.take("metrics", dict)),
            provenance=MappingProxyType(content.take("provenance", dict)),
            precisions=content.precisions(),
            artefacts=MappingProxyType(content.artefacts()),
        )
        _verify(bundle)
        return bundle


def seal_bundle(path: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> ModelBundle:
    """Write a bundle. Interrupted half way, it leaves one that does not open, never a wrong one.

    Args:
        path: folder of the bundle, made if needed.
        manifest: name, version, input, outputs, threshold, edge_threshold, metrics, provenance,
            `seam_threshold` where it is not 0.3, and `precisions` where not everything that could
            be computed may be.
        files: content by file name; `model.onnx` must be among them.

    Raises:
        BundleError: the manifest or a file's name breaks the format.
    """
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    whole = {"schema": SCHEMA, **manifest, "artefacts": hashes}
    try:
        text = json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BundleError(
            f"The manifest for {path} does not fit into JSON: {error}.",
            "Use finite numbers, texts, lists and mappings.",
        ) from error
    _Content(path / MANIFEST, whole).artefacts()
    path.mkdir(parents=True, exist_ok=True)
    (path / MANIFEST).unlink(missing_ok=True)
    for name, content in files.items():
        _write(path / name, content)
    _write(path / MANIFEST, text.encode())
    return ModelBundle.open(path)


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


class _Content:
    """Takes typed values out of a parsed manifest, or says which one is wrong."""

    def __init__(self, path: Path, values: dict[str, Any]) -> None:
        self._path = path
        self._values = values

    def wrong(self, what: str) -> BundleError:
        return BundleError(f"{self._path} {what}.", _REMEDY)

    def take(self, key: str, kind: type[_Value]) -> _Value:
        """The value under `key`, of exactly this kind."""
        if key not in self._values:
            raise self.wrong(f"lacks {key!r}")
        value = self._values[key]
        if type(value) is not kind:
            raise self.wrong(f"has a {key!r} that is no {kind.__name__}")
        return value

    def threshold(self, key: str, otherwise: float | None = None) -> float:
        """A value between 0 and 1; `otherwise` where it is not told."""
        if otherwise is not None and key not in self._values:
            return otherwise
        value = self.take(key, float)
        if not 0.0 < value < 1.0:
            raise self.wrong(f"has a {key!r} of {value}, which is not between 0 and 1")
        return value

    def input_spec(self) -> InputSpec:
        values = self.take("input", dict)
        size = values.get("size")
        if type(size) is not int or not 32 <= size <= 4096:
            raise self.wrong(f"has an input of size {size!r}, which is not in 32..4096")
        spec = InputSpec(size=size)
        if values != asdict(spec):
            raise self.wrong(f"wants the input {values}, where this program gives {asdict(spec)}")
        return spec

    def outputs(self) -> tuple[str, ...]:
        values = self.take("outputs", list)
        for known in (CHANNELS, (*CHANNELS, DEPTH)):
            if values == list(known):
                return known
        taken = f"{list(CHANNELS)}, with or without {DEPTH!r} behind"
        raise self.wrong(f"gives {values}, where this program takes {taken}")

    def precisions(self) -> frozenset[Precision]:
        """Those stated, or else all that the artefacts allow."""
        sealed = self.artefacts()
        possible = [precision for precision, file in NETWORKS.items() if file in sealed]
        stated = self.take("precisions", list) if "precisions" in self._values else possible
        for each in stated:
            if each not in possible:
                raise self.wrong(f"allows the precision {each!r}, which has no network here")
        if Precision.FP32 not in stated:
            raise self.wrong(f"does not allow {Precision.FP32}, to which everything falls back")
        return frozenset(Precision(each) for each in stated)

    def artefacts(self) -> dict[str, str]:
        values = self.take("artefacts", dict)
        if NETWORK not in values:
            raise self.wrong(f"names no {NETWORK}")
        for name, digest in values.items():
            if name in ("", ".", "..") or PureWindowsPath(name).name != name:
                raise self.wrong(f"names a file outside its folder: {name!r}")
            if not isinstance(digest, str):
                raise self.wrong(f"has no hash for {name!r}")
        return values


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        values = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(f"There is no model bundle at {path}.", _REMEDY) from error
    except OSError as error:
        raise BundleError(f"{path / MANIFEST} cannot be read: {error}.", _REMEDY) from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{path / MANIFEST} is not JSON: {error}.", _REMEDY) from error
    schema = values.get("schema") if isinstance(values, dict) else None
    if type(schema) is not int or schema != SCHEMA:
        raise BundleError(
            f"{path} has bundle schema {schema!r}; this program reads schema {SCHEMA}.",
            "Update the program, or build the bundle again.",
        )
    return dict(values)


def _verify(bundle: ModelBundle) -> None:
    for name, expected in bundle.artefacts.items():
        try:
            with (bundle.path / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BundleError(f"{bundle.path / name} cannot be read: {error}.", _REMEDY) from error
        if found != expected:
            raise BundleError(f"{bundle.path / name} was altered: its hash differs.", _REMEDY)
