"""Light at the tip of the endoscope and what wet tissue makes of it: equations, and one kernel.

The lamps follow EndoMapper's photometric model (Azagra et al., Sci Data 2023; Batlle et al. 2022):
L = σ exp(−μ(1 − D·l)) / d² · albedo · BRDF · cos θ, times vignetting and gain, to the power 1/γ.
The film of mucus is a microfacet surface (Walter et al., EGSR 2007) with Schlick's Fresnel term.
Lengths are millimetres in camera coordinates; cosines are between unit vectors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from train.simulate.compiled import bare

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

NEAREST_MM = 1.5
"""Of a lamp to the wall: the glass in front of it."""
ENDOMAPPER_MU = 2.767
"""Spread of the light of the colonoscope that EndoMapper calibrated."""
WALL, RAISED, POOL = 0, 1, 2
"""What a pixel shows."""
SCRATCH = (5, 3)
"""Shape of what `illuminate` writes on beside its result."""


@bare
def spot(cosine: float, mu: float) -> float:
    """exp(−μ(1 − D·l)): how the light of a lamp fades off its axis."""
    return float(np.exp(np.float32(-mu * (1.0 - cosine))))


@bare
def inverse_square(distance_mm: float) -> float:
    """1 / d², with d no less than `NEAREST_MM`."""
    held = max(distance_mm, NEAREST_MM)
    return 1.0 / (held * held)


@bare
def vignette(cosine: float, power: float) -> float:
    """cosᵖ of the angle off the optical axis; p = 4 for a simple lens."""
    return float(np.float32(max(cosine, 0.0)) ** np.float32(power))


@bare
def wrapped(cosine: float, wrap: float) -> float:
    """Lambert's cosine for tissue that light passes through: (cos θ + w) / (1 + w), never < 0."""
    return max((cosine + wrap) / (1.0 + wrap), 0.0)


@bare
def distribution(cos_half: float, alpha: float) -> float:
    """D of GGX: α² / (π ((n·h)² (α² − 1) + 1)²)."""
    squared = alpha * alpha
    inner = cos_half * cos_half * (squared - 1.0) + 1.0
    return squared / (np.pi * inner * inner)


@bare
def shadowing(cosine: float, alpha: float) -> float:
    """G₁ of Smith for GGX: 2c / (c + √(α² + (1 − α²) c²)), in one direction."""
    squared = alpha * alpha
    return float(2.0 * cosine / (cosine + np.sqrt(squared + (1.0 - squared) * cosine * cosine)))


@bare
def fresnel(cosine: float, f0: float) -> float:
    """F of Schlick: F₀ + (1 − F₀)(1 − h·v)⁵."""
    turned = 1.0 - cosine
    squared = turned * turned
    return f0 + (1.0 - f0) * squared * squared * turned


@bare
def glint(cosines: tuple[float, float, float, float], alpha: float, f0: float) -> float:
    """D G F / (4 n·v), that is the BRDF times n·l; of n·l, n·v, n·h and h·v, the first two > 0."""
    to_light, to_eye, half, eye_half = cosines
    g = shadowing(to_light, alpha) * shadowing(to_eye, alpha)
    return distribution(half, alpha) * g * fresnel(eye_half, f0) / (4.0 * to_eye)


class Lamps(NamedTuple):
    """Spot lights beside the lens, all looking forward."""

    place_mm: Doubles
    """(n, 3)."""
    power: Doubles
    """(n,) σ."""
    mu: float


class Skin(NamedTuple):
    """Colours and relief of a mucosa; colours (3,) are linear RGB."""

    base: Doubles
    """Albedo."""
    mottling: Doubles
    """Change of log albedo with one deviation of the texture."""
    fine: Doubles
    """Absorbance of vessels near the surface."""
    broad: Doubles
    """And of those below."""
    stain: Doubles
    """Albedo of stool or mucus."""
    stain_from: float
    """Deviations of the texture above which there is some."""
    stain_slope: float
    """Cover with one deviation more: a tinge, or lumps."""
    raised: Doubles
    """Factor (3,) on the albedo of polyps."""
    pool: Doubles
    """Albedo of fluid that is deep enough."""
    wrap: Doubles
    """Of each colour; red goes deepest."""
    soften: Doubles
    """0..1, how far each colour ignores the relief."""
    relief: float
    """Spread (one sigma) of the slope of bumps."""


class Film(NamedTuple):
    """Mucus on top, mirror-like, and the duller tissue under it."""

    alpha: float
    f0: float
    wet_from: float
    """Deviations of the texture below which the wall is dry."""
    relief: float
    """Part of the bumps that shows through the film."""
    dull_alpha: float


class Optics(NamedTuple):
    """What the lens does to radiance, and light from wall to wall."""

    vignette: float
    bounce: float
    """Part of the light of the surroundings that arrives."""


@bare
def _albedo(skin: Skin, texture: Floats, kind: int, out: Doubles) -> float:
    """Writes the albedo (3,); returns how far a stain or fluid levels the relief, 0..1."""
    cover = min(max((texture[1] - skin.stain_from) * skin.stain_slope, 0.0), 0.9)
    if kind == POOL:
        cover = 0.0
    quiet = 0.35 if kind == RAISED else 1.0
    for c in range(3):
        exponent = skin.mottling[c] * texture[0]
        exponent -= quiet * (skin.fine[c] * texture[2] + skin.broad[c] * texture[3])
        colour = skin.base[c] * np.exp(np.float32(exponent))
        if kind == RAISED:
            colour *= skin.raised[c]
        if kind == POOL:
            colour = 0.5 * colour + 0.5 * skin.pool[c]
        out[c] = min(colour + cover * (skin.stain[c] - colour), 1.2)
    return 1.0 if kind == POOL else 0.6 * cover


@bare
def illuminate(
    view: tuple[Floats, Floats, Floats, NDArray[np.uint8]],
    maps: tuple[Floats, Floats],
    settings: tuple[Lamps, Skin, Film, Optics],
    radiance: Floats,
    scratch: Doubles,
) -> None:
    """Writes the linear radiance (H, W, 3) of a view, 0 where there is none.

    Args:
        view: depth (H, W), normal and rays (H, W, 3), kind (H, W) of `WALL`, `RAISED`, `POOL`.
        maps: texture (H, W, 7) of `Wall.on`; light of the surroundings (H, W).
        settings: lamps, skin, film, optics.
        radiance: to be written.
        scratch: of shape `SCRATCH`, of no meaning afterwards.
    """
    depth, normal, rays, kind = view
    texture, around = maps
    lamps, skin, film, optics = settings
    albedo, light, bumped, shiny = scratch[0], scratch[1], scratch[2], scratch[3]
    to_lamp = scratch[4]
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            out = radiance[row, column]
            out[:] = 0
            if depth[row, column] <= 0:
                continue
            n, ray = normal[row, column], rays[row, column]
            flat = _albedo(skin, texture[row, column], kind[row, column], albedo)
            _tilt(n, texture[row, column], (1 - flat) * skin.relief, bumped)
            _tilt(n, texture[row, column], (1 - flat) * skin.relief * film.relief, shiny)
            wet = min(max((texture[row, column, 1] - film.wet_from) * 0.8, 0.0), 1.0)
            if kind[row, column] == POOL:
                wet = 1.0
            for c in range(3):  # light from wall to wall has the walls' colour
                light[c] = optics.bounce * around[row, column] * skin.base[c]
            mirrored = 0.0
            for lamp in range(lamps.power.shape[0]):
                distance = 0.0
                for k in range(3):
                    to_lamp[k] = lamps.place_mm[lamp, k] - ray[k] * depth[row, column]
                    distance += to_lamp[k] * to_lamp[k]
                distance = np.sqrt(distance)
                to_lamp /= max(distance, 1e-6)
                arriving = lamps.power[lamp] * spot(-to_lamp[2], lamps.mu)
                arriving *= inverse_square(distance)
                smooth, rough = _dot(n, to_lamp), _dot(bumped, to_lamp)
                for c in range(3):
                    cosine = rough + skin.soften[c] * (smooth - rough)
                    light[c] += arriving * wrapped(cosine, skin.wrap[c])
                if wet > 0:
                    mirror = _mirror(shiny, ray, to_lamp, film.alpha, film.f0)
                    mirrored += np.pi * arriving * wet * mirror
                if wet < 1:
                    mirror = _mirror(bumped, ray, to_lamp, film.dull_alpha, 0.5 * film.f0)
                    mirrored += np.pi * arriving * (1 - wet) * mirror
            lens = vignette(ray[2], optics.vignette)
            for c in range(3):
                out[c] = lens * (albedo[c] * light[c] + mirrored)


@bare
def _tilt(normal: Floats, texture: Floats, amount: float, out: Doubles) -> None:
    """The normal of a bumpy wall: against the slope, by `amount`, of unit length."""
    length = 0.0
    for k in range(3):
        out[k] = normal[k] - amount * texture[4 + k]
        length += out[k] * out[k]
    out /= np.sqrt(max(length, 1e-9))


@bare
def _dot(a: Floats | Doubles, b: Doubles) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@bare
def _mirror(normal: Doubles, ray: Floats, to_lamp: Doubles, alpha: float, f0: float) -> float:
    """`glint` of a lamp; 0 for a surface turned away from lamp or eye."""
    to_light = _dot(normal, to_lamp)
    to_eye = -(normal[0] * ray[0] + normal[1] * ray[1] + normal[2] * ray[2])
    if to_light <= 0.02 or to_eye <= 0.02:
        return 0.0
    length = np.sqrt(max(2.0 - 2.0 * _dot(ray, to_lamp), 1e-9))  # of to_lamp - ray
    half = (to_light + to_eye) / length
    eye_half = min((1.0 - _dot(ray, to_lamp)) / length, 1.0)
    return glint((to_light, to_eye, min(half, 1.0), eye_half), alpha, f0)
