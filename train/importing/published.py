"""Names and shapes of published networks, as their authors' classes have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Table = dict[str, tuple[int, ...]]

_AFTER_VGG = (2, 5, 9, 12, 16, 19, 22, 25, 29, 32, 35, 38, 42, 45, 48, 51)
_VGG_CHANNELS = (64, 64, 128, 128, 256, 256, 256, 256, *[512] * 8)


def linear(name: str, *shape: int) -> Table:
    """Weight and bias of a linear map or a convolution; outputs first."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def merged(tables: Iterable[Table]) -> Table:
    """All in one."""
    return {name: shape for table in tables for name, shape in table.items()}


def vgg() -> Table:
    """VGG-19 as AdaIN normalised it: a 1×1 convolution first, then sixteen of 3×3."""
    found, before = linear("0", 3, 3, 1, 1), 3
    for index, channels in zip(_AFTER_VGG, _VGG_CHANNELS, strict=True):
        found |= linear(str(index), channels, before, 3, 3)
        before = channels
    return found


def vgg_decoder() -> Table:
    """AdaIN's decoder, which StyTR2 uses too."""
    layers = (
        (1, 512, 256), (5, 256, 256), (8, 256, 256), (11, 256, 256), (14, 256, 128),
        (18, 128, 128), (21, 128, 64), (25, 64, 64), (28, 64, 3),
    )  # fmt: skip
    return merged(linear(str(at), outputs, inputs, 3, 3) for at, inputs, outputs in layers)


def stytr2_transformer() -> Table:
    """Two encoders, a decoder, and the convolution of the content-aware positions."""
    found: Table = {}
    for encoder in ("encoder_c", "encoder_s"):
        for number in range(3):
            found |= _stytr2_layer(f"{encoder}.layers.{number}", ("self_attn",))
    for number in range(3):
        found |= _stytr2_layer(f"decoder.layers.{number}", ("self_attn", "multihead_attn"))
    return found | linear("decoder.norm", 512) | linear("new_ps", 512, 512, 1, 1)


def stytr2_embedding() -> Table:
    """One token per 8×8 px."""
    return linear("proj", 512, 3, 8, 8)


def munit(*, is_styled: bool = True, has_bottleneck: bool = False) -> Table:
    """MUNIT's generator; I2I's has a bottleneck of 8 channels and may do without a style."""
    found: Table = {}
    if is_styled:
        found |= _convolutions("enc_style.model", (0, 1, 2, 3, 4), _STYLE)
        found |= linear("enc_style.model.6", 8, 256, 1, 1)
    found |= _convolutions("enc_content.model", (0, 1, 2), _STYLE[:3])
    found |= _residuals("enc_content.model.3", has_buffers=False)
    first = 0
    if has_bottleneck:
        found |= linear("enc_content.model.4.conv", 8, 256, 3, 3)
        found |= linear("dec.model.0.conv", 256, 8, 3, 3)
        first = 1
    found |= _residuals(f"dec.model.{first}", has_buffers=is_styled)
    for at, outputs in ((first + 2, 128), (first + 4, 64)):
        found |= linear(f"dec.model.{at}.conv", outputs, 2 * outputs, 5, 5)
        found |= {f"dec.model.{at}.norm.{name}": (outputs,) for name in ("gamma", "beta")}
    found |= linear(f"dec.model.{first + 5}.conv", 3, 64, 7, 7)
    if is_styled:
        found |= linear("mlp.model.0.fc", 256, 8) | linear("mlp.model.1.fc", 256, 256)
        found |= linear("mlp.model.2.fc", 4096, 256)
    return found


_STYLE = ((64, 3, 7, 7), (128, 64, 4, 4), (256, 128, 4, 4), (256, 256, 4, 4), (256, 256, 4, 4))


def _convolutions(name: str, numbers: Sequence[int], shapes: Sequence[tuple[int, ...]]) -> Table:
    return merged(
        linear(f"{name}.{at}.conv", *shape) for at, shape in zip(numbers, shapes, strict=True)
    )


def _residuals(name: str, *, has_buffers: bool) -> Table:
    found: Table = {}
    for block in range(4):
        for layer in range(2):
            at = f"{name}.model.{block}.model.{layer}"
            found |= linear(f"{at}.conv", 256, 256, 3, 3)
            if has_buffers:
                found |= {f"{at}.norm.{each}": (256,) for each in ("running_mean", "running_var")}
    return found


def _stytr2_layer(name: str, attentions: Sequence[str]) -> Table:
    found: Table = {}
    for attention in attentions:
        found |= {f"{name}.{attention}.in_proj_weight": (1536, 512)}
        found |= {f"{name}.{attention}.in_proj_bias": (1536,)}
        found |= linear(f"{name}.{attention}.out_proj", 512, 512)
    found |= linear(f"{name}.linear1", 2048, 512) | linear(f"{name}.linear2", 512, 2048)
    return found | merged(linear(f"{name}.norm{n + 1}", 512) for n in range(1 + len(attentions)))
