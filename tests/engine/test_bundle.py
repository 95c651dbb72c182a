"""Bundles: what opens and what is refused."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from engine.bundle import MANIFEST, InputSpec, ModelBundle, Precision, seal_bundle
from engine.errors import BundleError

DESCRIPTION: dict[str, Any] = {
    "name": "tiny",
    "version": "1",
    "input": asdict(InputSpec(size=64)),
    "outputs": ["fold", "edge"],
    "threshold": 0.4,
    "edge_threshold": 0.5,
    "metrics": {"iou": 0.62},
    "provenance": {"recipe": "by hand"},
}
FILES = {"model.onnx": b"network", "MODEL_CARD.md": b"card"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return seal_bundle(tmp_path / "tiny", DESCRIPTION, FILES).path


def rewrite(folder: Path, changes: dict[str, object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


def test_a_sealed_bundle_opens_as_it_was_sealed(folder: Path) -> None:
    bundle = ModelBundle.open(folder)
    described = {key: getattr(bundle, key) for key in DESCRIPTION}
    described |= {"input": asdict(bundle.input), "outputs": list(bundle.outputs)}
    assert described == DESCRIPTION


def test_folds_are_divided_at_the_certainty_that_the_manifest_tells(tmp_path: Path) -> None:
    told = DESCRIPTION | {"seam_threshold": 0.12}
    assert seal_bundle(tmp_path / "told", told, FILES).seam_threshold == 0.12
    assert seal_bundle(tmp_path / "untold", DESCRIPTION, FILES).seam_threshold == 0.3


def test_a_bundle_may_have_depth_as_its_third_plane(tmp_path: Path) -> None:
    deep = DESCRIPTION | {"outputs": ["fold", "edge", "depth"]}
    assert seal_bundle(tmp_path / "deep", deep, FILES).has_depth
    assert not seal_bundle(tmp_path / "flat", DESCRIPTION, FILES).has_depth


def test_a_sealed_bundle_names_the_hash_of_every_file(folder: Path) -> None:
    assert set(ModelBundle.open(folder).artefacts) == set(FILES)


def test_the_identity_of_a_model_is_its_network_s_hash(folder: Path) -> None:
    # sha256sum of the seven bytes "network".
    known = "3009be769fb8f956e8413ee9f3e0836e34968bc40457d0a10c549d2edcf00cc1"
    assert ModelBundle.open(folder).digest == known


def test_sealing_leaves_nothing_else_behind(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {MANIFEST, *FILES}


def test_sealing_again_replaces_what_was_there(folder: Path) -> None:
    seal_bundle(folder, DESCRIPTION | {"version": "2"}, {"model.onnx": b"better"})
    assert ModelBundle.open(folder).version == "2"


@pytest.mark.parametrize("name", list(FILES))
def test_an_altered_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"another")
    with pytest.raises(BundleError, match=f"{name} was altered"):
        ModelBundle.open(folder)


@pytest.mark.parametrize("name", list(FILES))
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(BundleError, match=f"{name} cannot be read"):
        ModelBundle.open(folder)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"no model bundle at .*nowhere"):
        ModelBundle.open(tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder_is_refused(folder: Path) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        ModelBundle.open(folder / "model.onnx")


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, b"\xff\xfe\x00".decode("latin-1")])
def test_a_manifest_that_is_not_json_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(BundleError, match="is not JSON"):
        ModelBundle.open(folder)


@pytest.mark.parametrize("text", ["[]", "null", "3", '"bundle"', "{}", '{"schema": true}'])
def test_json_that_is_no_manifest_is_refused(folder: Path, text: str) -> None:
    (folder / MANIFEST).write_text(text)
    with pytest.raises(BundleError, match="this program reads schema 1"):
        ModelBundle.open(folder)


@pytest.mark.parametrize("key", list(DESCRIPTION))
def test_a_manifest_that_lacks_a_field_names_it(folder: Path, key: str) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    del manifest[key]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=f"lacks '{key}'"):
        ModelBundle.open(folder)


@pytest.mark.parametrize("key", list(DESCRIPTION))
def test_a_field_of_another_kind_is_named(folder: Path, key: str) -> None:
    rewrite(folder, {key: None})
    with pytest.raises(BundleError, match=key):
        ModelBundle.open(folder)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"schema": 99}, "schema 99"),
        ({"threshold": 1.5}, "not between 0 and 1"),
        ({"threshold": float("nan")}, "not between 0 and 1"),
        ({"input": asdict(InputSpec()) | {"layout": "NCHW"}}, "NCHW"),
        ({"input": asdict(InputSpec()) | {"size": "64"}}, "size '64'"),
        ({"input": asdict(InputSpec()) | {"size": 0}}, "size 0"),
        ({"input": asdict(InputSpec()) | {"mean": 0.5}}, "mean"),
        ({"outputs": ["edge", "fold"]}, "gives"),
        ({"artefacts": {}}, "names no model.onnx"),
        ({"artefacts": {"model.onnx": 7}}, "no hash"),
    ],
)
def test_a_manifest_that_asks_for_something_else_is_refused(
    folder: Path, changes: dict[str, object], complaint: str
) -> None:
    rewrite(folder, changes)
    with pytest.raises(BundleError, match=complaint):
        ModelBundle.open(folder)


@pytest.mark.parametrize(
    "name", ["../outside", "/etc/hostname", "a/b", "..", "C:model", "..\\outside", ""]
)
def test_a_file_outside_the_folder_is_refused(folder: Path, name: str) -> None:
    rewrite(folder, {"artefacts": {"model.onnx": "0", name: "0"}})
    with pytest.raises(BundleError, match="outside its folder"):
        ModelBundle.open(folder)


def test_nothing_is_written_outside_the_folder(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="outside its folder"):
        seal_bundle(tmp_path / "tiny", DESCRIPTION, FILES | {"../outside": b""})
    assert not (tmp_path / "outside").exists()


def test_a_description_that_is_not_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="does not fit into JSON"):
        seal_bundle(tmp_path / "tiny", DESCRIPTION | {"metrics": {"iou": float("nan")}}, FILES)


def test_a_bundle_may_be_computed_in_what_it_has_networks_for(folder: Path) -> None:
    assert ModelBundle.open(folder).precisions == {"fp32", "bf16"}


def test_a_half_network_is_found_by_its_precision(tmp_path: Path) -> None:
    files = FILES | {"model-fp16.onnx": b"half"}
    bundle = seal_bundle(tmp_path / "tiny", DESCRIPTION, files)
    assert bundle.network(Precision.FP16).read_bytes() == b"half"


def test_a_precision_may_be_forbidden(tmp_path: Path) -> None:
    bundle = seal_bundle(tmp_path / "tiny", DESCRIPTION | {"precisions": ["fp32"]}, FILES)
    with pytest.raises(BundleError, match="has no bf16 network"):
        bundle.network(Precision.BF16)


@pytest.mark.parametrize(
    "stated", [["fp32", "fp16"], ["fp32", "fp99"], ["bf16"], [["fp32"]], "fp32"]
)
def test_precisions_without_a_network_are_refused(folder: Path, stated: object) -> None:
    rewrite(folder, {"precisions": stated})
    with pytest.raises(BundleError, match="precision"):
        ModelBundle.open(folder)
