"""A model bundle: a folder with `manifest.json`, `model.onnx` and a model card.

JSON and ONNX only, never pickle. Every artefact's SHA-256 stands in the manifest and is checked
when the bundle is opened. The format is described in `docs/bundle-format.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import BundleError

SCHEMA = 1
MANIFEST = "manifest.json"
NETWORK = "model.onnx"
_REMEDY = "Install the program again, or build a bundle with haustra-train reproduce."


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
    threshold: float
    """Of the fold probability, chosen on validation data only."""
    edge_threshold: float
    metrics: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    artefacts: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 by file name."""

    @property
    def onnx_path(self) -> Path:
        """The network."""
        return self.path / NETWORK

    @property
    def digest(self) -> str:
        """SHA-256 of the network: the model's identity."""
        return self.artefacts[NETWORK]

    @classmethod
    def open(cls, path: Path | str) -> ModelBundle:
        """Read a bundle and verify every artefact.

        Raises:
            BundleError: missing, malformed, altered, or of another schema.
        """
        path = Path(path)
        manifest = _read_manifest(path)
        try:
            spec = InputSpec(**manifest["input"])
            bundle = cls(
                path=path,
                name=str(manifest["name"]),
                version=str(manifest["version"]),
                input=spec,
                outputs=tuple(manifest["outputs"]),
                threshold=_share(manifest["threshold"]),
                edge_threshold=_share(manifest["edge_threshold"]),
                metrics=dict(manifest.get("metrics", {})),
                provenance=dict(manifest.get("provenance", {})),
                artefacts={str(k): str(v) for k, v in manifest["artefacts"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{path / MANIFEST} is incomplete: {error}.", _REMEDY) from error
        if (spec.layout, spec.dtype, spec.colour) != ("NHWC", "uint8", "RGB") or spec.size < 32:
            raise BundleError(f"{path} wants an input this program cannot give: {spec}.", _REMEDY)
        _verify(bundle)
        return bundle


def seal_bundle(path: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> ModelBundle:
    """Write artefacts and a manifest that names their hashes; the manifest comes last.

    Args:
        path: folder of the bundle, made if needed.
        manifest: name, version, input, outputs, threshold, edge_threshold, metrics, provenance.
        files: content by file name; `model.onnx` must be among them.
    """
    path.mkdir(parents=True, exist_ok=True)
    (path / MANIFEST).unlink(missing_ok=True)
    for name, content in files.items():
        _write(path / name, content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    whole = {"schema": SCHEMA, **manifest, "artefacts": hashes}
    _write(path / MANIFEST, json.dumps(whole, indent=2, ensure_ascii=False).encode())
    return ModelBundle.open(path)


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(content)
    partial.replace(path)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BundleError(f"There is no model bundle at {path}.", _REMEDY) from error
    except (OSError, ValueError) as error:
        raise BundleError(f"{path / MANIFEST} cannot be read: {error}.", _REMEDY) from error
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        found = manifest.get("schema") if isinstance(manifest, dict) else None
        raise BundleError(
            f"{path} has bundle schema {found}; this program reads schema {SCHEMA}.", _REMEDY
        )
    return manifest


def _share(value: object) -> float:
    share = float(value)  # type: ignore[arg-type]
    if not 0 < share < 1:
        raise ValueError(f"threshold {share} is not between 0 and 1")
    return share


def _verify(bundle: ModelBundle) -> None:
    if NETWORK not in bundle.artefacts:
        raise BundleError(f"{bundle.path} names no {NETWORK}.", _REMEDY)
    for name, expected in bundle.artefacts.items():
        if Path(name).name != name:
            raise BundleError(f"{bundle.path} names a file outside itself: {name}.", _REMEDY)
        try:
            found = hashlib.sha256((bundle.path / name).read_bytes()).hexdigest()
        except OSError as error:
            raise BundleError(f"{bundle.path / name} cannot be read: {error}.", _REMEDY) from error
        if found != expected:
            raise BundleError(f"{bundle.path / name} was altered: its hash differs.", _REMEDY)
