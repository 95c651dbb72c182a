"""Every kind, on checkpoints with the published names and shapes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

from engine.errors import RecipeError
from tests.train.importing.checkpoints import numbered, saved, shapes_on_meta, tensors
from train.__main__ import main
from train.importing import KINDS, Told, import_checkpoint
from train.importing.depth import import_depth_anything, import_dispresnet, import_poseresnet
from train.importing.generators import import_cut, import_generator, import_patchgan
from train.importing.munit import import_i2i, import_munit
from train.importing.segmenters import import_endofm, import_transunet, mapped
from train.importing.stylisers import import_adain, import_stytr2
from train.networks.adain import Vgg, VggDecoder
from train.networks.depth_anything import SIZES, DepthAnything
from train.networks.discriminator import PatchDiscriminator
from train.networks.dispresnet import DispResNet, PoseResNet
from train.networks.endofm import EndoFMTransUNet
from train.networks.generator import Generator
from train.networks.munit import MunitGenerator, MunitShape
from train.networks.stytr2 import PatchEmbedding, StyleTransformer
from train.networks.transunet import TransUNet
from train.translation.pretrained import open_parts
from train.weights import fill, read_weights

NOTHING = Told()


def munit(*, is_styled: bool = True, bottleneck: int = 0) -> dict[str, tuple[int, ...]]:
    shape = MunitShape(style=8 if is_styled else 0, bottleneck=bottleneck)
    return shapes_on_meta(MunitGenerator, shape)


def vgg() -> dict[str, tuple[int, ...]]:
    return shapes_on_meta(Vgg, layers=53)


def test_a_generator_is_imported_with_its_origin_and_loads(tmp_path: Path) -> None:
    state = numbered(shapes_on_meta(Generator, 8, 2))
    source = saved(tmp_path / "latest_net_G.pth", {f"module.{n}": t for n, t in state.items()})
    out = tmp_path / "g.safetensors"
    import_checkpoint("cyclegan", [source], out)
    found, about = read_weights(out, "cyclegan")
    assert about["source"] == "latest_net_G.pth"
    assert about["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (about["width"], about["blocks"]) == ("8", "2")
    network = Generator(8, 2)
    fill(network, found, "g")
    assert torch.equal(network.state_dict()["model.4.weight"], state["model.4.weight"])


def test_statistics_of_old_generators_are_dropped(tmp_path: Path) -> None:
    shapes = shapes_on_meta(Generator, 80)
    old = {**shapes, "model.2.running_mean": (80,), "model.2.running_var": (80,)}
    found = import_generator([saved(tmp_path / "latest_net_G_AC.pth", tensors(old))], NOTHING)
    assert set(found.state) == set(shapes)
    assert found.about["width"] == "80"


def test_a_generator_of_cut_is_none_of_cyclegan(tmp_path: Path) -> None:
    path = saved(tmp_path / "g.pth", tensors(shapes_on_meta(Generator, 64, is_antialiased=True)))
    assert len(import_cut([path], NOTHING).state) == 52
    with pytest.raises(RecipeError, match=r"unexpected:\n  model\.7\.filt"):
        import_generator([path], NOTHING)


@pytest.mark.parametrize("is_antialiased", [False, True])
def test_a_discriminator_of_either_kind_is_imported(tmp_path: Path, is_antialiased: bool) -> None:
    shapes = shapes_on_meta(PatchDiscriminator, 64, is_antialiased=is_antialiased)
    path = saved(tmp_path / "latest_net_D.pth", tensors(shapes))
    assert set(import_patchgan([path], NOTHING).state) == set(shapes)


def test_both_generators_of_munit_are_imported(tmp_path: Path) -> None:
    path = saved(tmp_path / "gen_01000000.pt", {"a": tensors(munit()), "b": tensors(munit())})
    found = import_munit([path], NOTHING)
    assert len(found.state) == 2 * 82
    assert "a.mlp.model.2.fc.bias" in found.state


def test_statistics_of_munit_may_be_missing_or_too_many(tmp_path: Path) -> None:
    lacking = {name: shape for name, shape in munit().items() if "running" not in name}
    surplus = {**munit(), "enc_content.model.0.norm.running_mean": (64,)}
    path = saved(tmp_path / "gen.pt", {"a": tensors(lacking), "b": tensors(surplus)})
    found = import_munit([path], NOTHING).state
    assert len(found) == 2 * 82
    assert found["a.dec.model.0.model.0.model.0.norm.running_var"].eq(1).all()


def test_either_side_of_i2i_may_do_without_a_style(tmp_path: Path) -> None:
    sides = {
        "a": tensors(munit(is_styled=False, bottleneck=8)),
        "b": tensors(munit(bottleneck=8)),
    }
    found = import_i2i([saved(tmp_path / "gen.pt", sides)], NOTHING)
    assert dict(found.about) == {"a": "style-less", "b": "styled"}
    assert len(found.state) == 52 + 86


def test_munit_wants_both_generators(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="generators a and b"):
        import_munit([saved(tmp_path / "gen.pt", {"a": tensors(munit())})], NOTHING)


def test_files_of_adain_are_told_apart_by_what_is_in_them(tmp_path: Path) -> None:
    encoder = saved(tmp_path / "one.pth", tensors(vgg()))
    decoder = saved(tmp_path / "two.pth", tensors(shapes_on_meta(VggDecoder)))
    found = import_adain([decoder, encoder], NOTHING).state
    assert len(found) == 34 + 18
    assert found["vgg.51.weight"].shape == (512, 512, 3, 3)


def test_adain_may_be_its_encoder_alone_and_a_translator_opens_it(tmp_path: Path) -> None:
    source, out = tmp_path / "vgg_normalised.pth", tmp_path / "adain.safetensors"
    narrow = shapes_on_meta(Vgg, layers=53)
    import_checkpoint("adain", [saved(source, tensors(narrow))], out)
    network = Vgg(layers=31)
    open_parts({"vgg": network}, str(out), ("adain",), needed=("vgg",))
    assert not network[29].weight.any()
    with pytest.raises(RecipeError, match="18 missing"):
        open_parts({"decoder": VggDecoder()}, str(out), ("adain",), needed=("decoder",))


def stytr2_files(folder: Path) -> list[Path]:
    tables = [vgg(), *map(shapes_on_meta, (VggDecoder, StyleTransformer, PatchEmbedding))]
    return [saved(folder / f"{n}.pth", tensors(table)) for n, table in enumerate(tables)]


def test_stytr2_is_four_files(tmp_path: Path) -> None:
    assert len(import_stytr2(stytr2_files(tmp_path), NOTHING).state) == 34 + 18 + 130 + 2


def test_a_missing_part_of_stytr2_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No file holds the embedding"):
        import_stytr2(stytr2_files(tmp_path)[:3], NOTHING)


def test_a_part_that_comes_twice_is_named(tmp_path: Path) -> None:
    files = stytr2_files(tmp_path)
    with pytest.raises(RecipeError, match="are both the vgg"):
        import_stytr2([*files, files[0]], NOTHING)


@pytest.mark.parametrize("depth", [18, 50])
@pytest.mark.parametrize("has_classifier", [True, False])
def test_dispresnet_is_imported_with_or_without_the_unused_classifier(
    tmp_path: Path, depth: int, has_classifier: bool
) -> None:
    shapes = shapes_on_meta(DispResNet, depth)
    kept = {name: each for name, each in shapes.items() if has_classifier or ".fc." not in name}
    path = saved(tmp_path / "d.pth.tar", {"epoch": 3, "state_dict": tensors(kept)})
    found = import_dispresnet([path], NOTHING)
    assert set(found.state) == set(shapes)
    assert found.about["depth"] == str(depth)


def test_poseresnet_is_no_dispresnet(tmp_path: Path) -> None:
    path = saved(tmp_path / "p.pth.tar", {"state_dict": tensors(shapes_on_meta(PoseResNet))})
    assert len(import_poseresnet([path], NOTHING).state) == 130
    with pytest.raises(RecipeError, match=r"conv1\.weight \(64, 6, 7, 7\) instead of"):
        import_dispresnet([path], NOTHING)


@pytest.fixture(scope="module")
def vits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shapes = shapes_on_meta(DepthAnything, SIZES["vits"], "v1")
    return saved(tmp_path_factory.mktemp("da") / "depth_anything_vits14.pth", tensors(shapes))


def test_depth_anything_keeps_the_version_it_was_told(vits: Path) -> None:
    found = import_depth_anything([vits], Told("v1"))
    assert dict(found.about) == {"version": "v1", "size": "vits"}
    assert len(found.state) == 239


@pytest.mark.parametrize("version", [None, "v3"])
def test_depth_anything_must_be_told_its_version(vits: Path, version: str | None) -> None:
    with pytest.raises(RecipeError, match="--version: v1 or v2"):
        import_depth_anything([vits], Told(version))


@pytest.mark.parametrize(
    "name", ["depth_anything_v2_vits.pth", "depth_anything_v2_metric_hypersim_vits.pth"]
)
def test_a_name_that_contradicts_is_believed(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecipeError, match=name):
        import_depth_anything([tmp_path / name], Told("v1"))


def googles_arrays() -> dict[str, np.ndarray[Any, Any]]:
    """Names and shapes of R50+ViT-B_16.npz; a repeated zero takes no room."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv_root/kernel": (7, 7, 3, 64), "gn_root/scale": (1, 1, 1, 64),
        "gn_root/bias": (1, 1, 1, 64), "embedding/kernel": (1, 1, 1024, 768),
        "embedding/bias": (768,), "Transformer/posembed_input/pos_embedding": (1, 197, 768),
        "Transformer/encoder_norm/scale": (768,), "Transformer/encoder_norm/bias": (768,),
    }  # fmt: skip
    for stage, units in enumerate((3, 4, 9), 1):
        middle, outputs = 32 * 2**stage, 128 * 2**stage
        for unit in range(1, units + 1):
            inputs = outputs if unit > 1 else (64 if stage == 1 else outputs // 2)
            at = f"block{stage}/unit{unit}"
            shapes[f"{at}/conv1/kernel"] = (1, 1, inputs, middle)
            shapes[f"{at}/conv2/kernel"] = (3, 3, middle, middle)
            shapes[f"{at}/conv3/kernel"] = (1, 1, middle, outputs)
            norms = {"gn1": middle, "gn2": middle, "gn3": outputs}
            if unit == 1:
                shapes[f"{at}/conv_proj/kernel"] = (1, 1, inputs, outputs)
                norms["gn_proj"] = outputs
            for norm, channels in norms.items():
                shapes |= {f"{at}/{norm}/{each}": (1, 1, 1, channels) for each in ("scale", "bias")}
    for block in range(12):
        at = f"Transformer/encoderblock_{block}"
        for norm in ("LayerNorm_0", "LayerNorm_2"):
            shapes |= {f"{at}/{norm}/{each}": (768,) for each in ("scale", "bias")}
        for name in ("query", "key", "value"):
            shapes[f"{at}/MultiHeadDotProductAttention_1/{name}/kernel"] = (768, 12, 64)
            shapes[f"{at}/MultiHeadDotProductAttention_1/{name}/bias"] = (12, 64)
        shapes[f"{at}/MultiHeadDotProductAttention_1/out/kernel"] = (12, 64, 768)
        shapes[f"{at}/MultiHeadDotProductAttention_1/out/bias"] = (768,)
        for layer, (inputs, outputs) in enumerate(((768, 3072), (3072, 768))):
            shapes[f"{at}/MlpBlock_3/Dense_{layer}/kernel"] = (inputs, outputs)
            shapes[f"{at}/MlpBlock_3/Dense_{layer}/bias"] = (outputs,)
    return {name: np.broadcast_to(np.float32(0), shape) for name, shape in shapes.items()}


def test_googles_arrays_fill_every_tensor_of_the_transformer_once() -> None:
    found = [(target, array.shape) for _, target, array in mapped(googles_arrays())]
    wanted = shapes_on_meta(TransUNet)
    prefix = "transformer."
    assert len(found) == len(dict(found))
    assert dict(found) == {
        name.removeprefix(prefix): shape
        for name, shape in wanted.items()
        if name.startswith(prefix)
    }


def turned(name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    ((_, _, found),) = mapped({name: array})
    return found


def test_filters_and_maps_are_turned_as_pytorch_has_them() -> None:
    rng = np.random.default_rng(1)
    filters = rng.random((3, 3, 2, 5))
    assert turned("block1/unit1/conv2/kernel", filters)[4, 1, 2, 0] == filters[2, 0, 1, 4]
    at = "Transformer/encoderblock_7/MultiHeadDotProductAttention_1"
    into, out = rng.random((6, 2, 3)), rng.random((2, 3, 6))
    assert turned(f"{at}/query/kernel", into)[1 * 3 + 2, 5] == into[5, 1, 2]
    assert turned(f"{at}/out/kernel", out)[5, 1 * 3 + 2] == out[1, 2, 5]
    dense = rng.random((4, 8))
    name = "Transformer/encoderblock_7/MlpBlock_3/Dense_0/kernel"
    assert turned(name, dense)[7, 3] == dense[3, 7]


def test_the_place_of_the_class_token_goes() -> None:
    places = np.arange(5.0).reshape(1, 5, 1)
    found = turned("Transformer/posembed_input/pos_embedding", places)
    assert found[0, :, 0].tolist() == [1, 2, 3, 4]


def test_arrays_that_lack_most_are_reported_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "R50+ViT-B_16.npz"
    name = "Transformer/posembed_input/pos_embedding"
    np.savez(path, **{name: np.zeros((1, 197, 768), np.float32), "odd/kernel": np.zeros(2)})
    with pytest.raises(RecipeError) as refused:
        import_transunet([path], NOTHING)
    assert "missing:\n" in str(refused.value)
    assert "  encoder.layer.11.ffn.fc2.bias" in str(refused.value)
    assert "1 unexpected:\n  odd/kernel" in str(refused.value)


def endofm_backbone(more: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    encoder = shapes_on_meta(EndoFMTransUNet)
    start = "transformer.encoder."
    renamed = {"layer.": "blocks.", "encoder_norm.": "norm."}
    shapes: dict[str, tuple[int, ...]] = dict(more)
    for name, shape in encoder.items():
        if name.startswith(start):
            own = name.removeprefix(start)
            for ours, theirs in renamed.items():
                own = own.replace(ours, theirs, 1) if own.startswith(ours) else own
            shapes[own] = shape
    return {f"backbone.{name}": each for name, each in tensors(shapes).items()}


OWN = {
    "pos_embed": (1, 197, 768), "time_embed": (1, 8, 768),
    "patch_embed.proj.weight": (768, 3, 16, 16), "patch_embed.proj.bias": (768,),
    "head.weight": (400, 768), "head.bias": (400,),
}  # fmt: skip


def test_endofm_fills_243_tensors_and_throws_6_away(tmp_path: Path) -> None:
    teacher = endofm_backbone(OWN)
    assert len(teacher) == 249
    projection = {"head.mlp.0.weight": torch.zeros(1)}
    path = saved(tmp_path / "endo_fm.pth", {"teacher": {**teacher, **projection}, "epoch": 30})
    found = import_endofm([path], NOTHING)
    assert found.about["filled"] == "243"
    assert set(found.about["discarded"].split(", ")) == set(OWN)
    encoder = shapes_on_meta(EndoFMTransUNet)
    assert all(f"transformer.encoder.{name}" in encoder for name in found.state)


def test_endofm_with_a_block_too_few_is_refused(tmp_path: Path) -> None:
    teacher = endofm_backbone(OWN)
    lacking = {name: each for name, each in teacher.items() if ".blocks.11." not in name}
    path = saved(tmp_path / "endo_fm.pth", {"teacher": lacking})
    with pytest.raises(RecipeError, match="20 missing"):
        import_endofm([path], NOTHING)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_refuses_the_weights_of_another_network(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path / "other.pth", {"fc.weight": torch.zeros(2, 2)})
    with pytest.raises(RecipeError):
        import_checkpoint(kind, [path], tmp_path / "out.safetensors", Told("v1"))
    assert not (tmp_path / "out.safetensors").exists()


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="Choose of: cyclegan"):
        import_checkpoint("nosuch", [], tmp_path / "out.safetensors")


def test_an_output_that_looks_like_a_pickle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"Name it \*\.safetensors"):
        import_checkpoint("cyclegan", [], tmp_path / "out.pth")


def test_two_files_for_a_kind_of_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="2 files were named"):
        import_checkpoint("cyclegan", [tmp_path, tmp_path], tmp_path / "out.safetensors")


def test_the_written_file_is_told_from_other_kinds(tmp_path: Path) -> None:
    source = saved(tmp_path / "d.pth", tensors(shapes_on_meta(PatchDiscriminator, 4)))
    out = tmp_path / "d.safetensors"
    import_checkpoint("patchgan", [source], out)
    with safe_open(out, "pt") as file:
        assert file.metadata()["kind"] == "patchgan"
    with pytest.raises(RecipeError, match="'patchgan', not of 'cut'"):
        read_weights(out, "cut")


def test_the_verb_prints_what_it_wrote_and_ends_with_two_otherwise(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = saved(tmp_path / "d.pth", tensors(shapes_on_meta(PatchDiscriminator, 4)))
    out = tmp_path / "d.safetensors"
    assert main(["import", "patchgan", str(source), "-o", str(out)]) == 0
    assert capsys.readouterr().out.startswith("10 tensors, ")
    assert main(["import", "cyclegan", str(source), "-o", str(out)]) == 2
    assert "haustra-train: d.pth has no convolution" in capsys.readouterr().err
