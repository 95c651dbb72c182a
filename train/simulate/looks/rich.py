"""Light, tissue and camera: from a geometry frame to a picture, drawn anew at every call.

The randomisation decides whether a network trained here finds anything in real video
(`docs/experiments.md`), so everything that varies between endoscopes and patients varies here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.simulate import artefacts
from train.simulate.appearance import Rendering
from train.simulate.dataset import GeometryFrame
from train.simulate.tissue import sample, tissues

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RichLook:
    """White light, everything randomised."""

    seed: int

    def render(self, frame: GeometryFrame, rng: np.random.Generator) -> Rendering:
        """Tissue, light and tone by the look's seed, the rest by `rng`."""
        height, width = frame.valid.shape
        look = np.random.default_rng(self.seed)
        if height == width:
            return _shade_rich(frame, look, rng)
        # Lens, tools and masks are drawn on a square; another shape is cut out of its middle.
        side = max(height, width)
        top, left = (side - height) // 2, (side - width) // 2
        square = _shade_rich(_padded(frame, side, top, left), look, rng)
        inside = np.s_[top : top + height, left : left + width]
        return Rendering(*(getattr(square, name)[inside] for name in Rendering.__slots__))


def draw_rich(rng: np.random.Generator) -> RichLook:
    """Another patient, another endoscope."""
    return RichLook(int(rng.integers(1 << 62)))


def _padded(frame: GeometryFrame, side: int, top: int, left: int) -> GeometryFrame:
    """The frame in the middle of a larger one of which nothing more is known."""
    height, width = frame.valid.shape
    pad = ((top, side - height - top), (left, side - width - left))
    images = {
        each.name: np.pad(
            getattr(frame, each.name), (*pad, (0, 0))[: getattr(frame, each.name).ndim]
        )
        for each in fields(frame)
        if each.name != "rotation"
    }
    return replace(frame, **images)


def _shade_rich(
    frame: GeometryFrame, look: np.random.Generator, rng: np.random.Generator
) -> Rendering:
    linear = expose(lit_tissue(frame, look), frame.valid, look)
    picture = artefacts.lens(linear, rng)
    hard = frame.polyp.copy()
    picture = artefacts.glare(picture, rng)
    picture, bubbles = artefacts.bubbles(picture, rng)
    picture, tool = artefacts.tool(picture, rng)
    hard |= tool | bubbles
    picture = artefacts.sensor(np.clip(picture, 0, 1), rng)
    view = artefacts.field_of_view(frame.valid.shape[0], rng)
    image = artefacts.surround(picture, view, rng)
    image = artefacts.compress(image, rng)
    valid = frame.valid & view
    return Rendering(
        image=image,
        fold=frame.fold & valid & ~tool,
        edge=frame.edge & valid & ~tool,
        valid=valid,
        hard=hard & valid,
    )


def _base_colour(rng: np.random.Generator) -> Floats:
    """Linear albedo of mucosa, (3,): salmon to pale, sometimes as in NBI or LCI."""
    kind = rng.random()
    if kind < 0.10:  # narrow band: brown-green to grey-cyan, little red
        return np.array(
            [rng.uniform(0.25, 0.5), rng.uniform(0.28, 0.5), rng.uniform(0.22, 0.45)], np.float32
        )
    if kind < 0.16:  # linked colour: violet-pink
        return np.array(
            [rng.uniform(0.55, 0.85), rng.uniform(0.25, 0.45), rng.uniform(0.35, 0.55)], np.float32
        )
    red = rng.uniform(0.55, 0.95)
    green = red * rng.uniform(0.28, 0.72)
    return np.array([red, green, green * rng.uniform(0.5, 1.05)], np.float32)


def _dot(a: Floats, b: Floats) -> Floats:
    """(H, W) products of (H, W, 3) vectors; einsum is ten times faster than a sum over axis 2."""
    return np.asarray(np.einsum("ijk,ijk->ij", a, b))


def _length(vectors: Floats) -> Floats:
    return np.sqrt(_dot(vectors, vectors))


def lit_tissue(frame: GeometryFrame, rng: np.random.Generator) -> Floats:
    """Linear radiance (H, W, 3), unscaled."""
    normal_world = frame.normal @ frame.rotation.T
    tiles = tissues()
    texture = sample(
        tiles[int(rng.integers(len(tiles)))], frame.position, normal_world, rng.uniform(22, 70)
    )
    mottling, vessels, bump, stain = np.moveaxis(texture, 2, 0)
    albedo = _albedo(rng, mottling, vessels, stain)
    # Vessels and mottling of one patch stay where they are; only polyps look different.
    tint = np.exp(rng.normal(0, 0.14, 3)).astype(np.float32)
    if frame.polyp.any():
        albedo = np.where(frame.polyp[..., None], albedo * tint, albedo)

    strength = rng.uniform(0.1, 1.2)
    slope_y, slope_x = np.gradient(cv2.GaussianBlur(bump, (0, 0), 0.8))
    near = np.clip(30.0 / np.maximum(frame.depth_mm, 4.0), 0, 3)
    bumped = frame.normal.copy()
    bumped[..., 0] -= strength * slope_x * near * 0.5
    bumped[..., 1] -= strength * slope_y * near * 0.5
    bumped /= _length(bumped)[..., None] + 1e-6

    points = frame.rays * np.maximum(frame.depth_mm, 1.0)[..., None]
    falloff, beam = rng.uniform(1.1, 2.2), rng.uniform(0.2, 3.0)
    wrap, soft = rng.uniform(0.0, 0.45), rng.uniform(0.15, 0.9)
    shininess, gloss = float(np.exp(rng.uniform(2.8, 6.2))), float(np.exp(rng.uniform(-3.5, 0.6)))
    diffuse = np.zeros(frame.depth_mm.shape, np.float32)
    specular = np.zeros_like(diffuse)
    spread, turn = rng.uniform(0.5, 4.5), rng.uniform(0, np.pi)
    balance = rng.uniform(0.35, 0.65)
    for side, power in ((1, balance), (-1, 1 - balance)):
        lamp = side * spread * np.array([np.cos(turn), np.sin(turn), 0.0])
        to_light = lamp.astype(np.float32) - points
        distance = _length(to_light)
        to_light /= distance[..., None] + 1e-6
        cosine = _dot(soft * bumped + (1 - soft) * frame.normal, to_light)
        intensity = (
            power
            * np.clip(-to_light[..., 2], 0.02, 1) ** beam
            / (np.maximum(distance, 2.0) ** falloff)
        )
        diffuse += intensity * np.clip((cosine + wrap) / (1 + wrap), 0, 1)
        half = to_light - frame.rays
        half /= _length(half)[..., None] + 1e-6
        lobe = np.clip(_dot(bumped, half), 0, 1) ** shininess
        specular += intensity * lobe * gloss * np.sqrt(shininess) * 0.25
    ambient = rng.uniform(0.0, 0.25) * cv2.GaussianBlur(diffuse, (0, 0), rng.uniform(8, 30))
    linear = albedo * diffuse[..., None] + albedo**2 * ambient[..., None] + specular[..., None]
    return np.asarray(linear, np.float32)


def _albedo(rng: np.random.Generator, mottling: Floats, vessels: Floats, stain: Floats) -> Floats:
    """(H, W, 3) linear albedo with mottling, vessels and, sometimes, stool or mucus stains."""
    base = _base_colour(rng)
    amount = rng.uniform(0.0, 0.22) * (0.4 + 0.6 * rng.random(3)).astype(np.float32)
    albedo: Any = base * np.exp(mottling[..., None] * amount)
    blood = np.array([0.45, 0.85, 0.75], np.float32) * rng.uniform(0.2, 1.0)
    albedo = albedo * (1 - np.clip(vessels[..., None] * blood, 0, 0.9) * rng.uniform(0.2, 1.0))
    if rng.random() < 0.25:
        colours = np.array([[0.5, 0.42, 0.12], [0.35, 0.25, 0.1], [0.7, 0.68, 0.5]], np.float32)
        level = rng.uniform(0.9, 2.3)
        cover = np.clip((stain - level) * rng.uniform(1, 5), 0, rng.uniform(0.4, 1.0))[..., None]
        albedo = albedo * (1 - cover) + cover * colours[int(rng.integers(3))]
    return np.asarray(np.clip(albedo, 0.01, 1.2), np.float32)


def expose(linear: Floats, valid: Bools, rng: np.random.Generator) -> Floats:
    """Auto-exposure to a drawn brightness, tone curve, display range 0..1+."""
    luminance = linear.mean(axis=2)
    measured = luminance[valid] if valid.any() else luminance.ravel()
    middle = np.quantile(measured, rng.uniform(0.45, 0.85)) + 1e-9
    exposed = linear / middle * rng.uniform(0.12, 0.6)
    if rng.random() < 0.5:  # shoulder instead of hard clipping
        exposed = exposed * (1 + exposed / 9.0) / (1 + exposed * 0.55)
    gamma = rng.uniform(1.5, 2.6)
    display = np.clip(exposed, 0, None) ** (1 / gamma)
    gain = np.exp(rng.normal(0, 0.09, 3)).astype(np.float32)
    lift = rng.uniform(-0.02, 0.05)
    contrast = rng.uniform(0.85, 1.2)
    return np.asarray((display * gain - 0.5) * contrast + 0.5 + lift, np.float32)
