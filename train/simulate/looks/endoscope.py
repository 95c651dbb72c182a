"""What differs between endoscopes, whatever the light: lamps, film of mucus, tone, sensor."""

from __future__ import annotations

import numpy as np

from train.simulate.light import Film, Lamps
from train.simulate.sensor import Exposure, Processor


def draw_lamps(rng: np.random.Generator) -> Lamps:
    """Two, on both sides of the lens."""
    turn, apart = rng.uniform(0, np.pi), rng.uniform(1.5, 4.0)
    side = apart * np.array([np.cos(turn), np.sin(turn), 0.0])
    balance = rng.uniform(0.35, 0.65)
    return Lamps(
        np.stack([side, -side]), np.array([balance, 1 - balance]), float(rng.uniform(0.6, 2.8))
    )


def draw_film(rng: np.random.Generator) -> Film:
    """From almost dry to dripping."""
    return Film(
        alpha=float(np.exp(rng.uniform(np.log(0.022), np.log(0.07)))),
        f0=rng.uniform(0.02, 0.035),
        wet_from=rng.uniform(-2.5, 1.2),
        relief=rng.uniform(0.9, 2.4),
        dull_alpha=rng.uniform(0.25, 0.5),
    )


def draw_exposure(rng: np.random.Generator) -> Exposure:
    """As bright as real frames are, each processor in its own tone."""
    red, green, blue = np.exp(rng.normal(0, 0.03, 3))
    return Exposure(
        middle=0.135 * float(np.exp(rng.normal(0, 0.3))),
        bright=0.58 * float(np.exp(rng.normal(0, 0.3))),
        unsteady=0.04,
        knee=rng.uniform(0.5, 0.9),
        gamma=rng.uniform(2.0, 2.4),
        contrast=rng.uniform(1.0, 1.3),
        balance=(float(red), float(green), float(blue)),
    )


def draw_processor(rng: np.random.Generator) -> Processor:
    """Sharp or soft, clean or noisy."""
    return Processor(
        blur_px=rng.uniform(0.1, 0.8),
        bloom=rng.uniform(0.0, 0.6),
        motion=0.1,
        noise=rng.uniform(0.003, 0.018),
        chroma_px=rng.uniform(0.4, 1.2),
        sharpen=rng.uniform(0.1, 1.1),
        sharpen_px=rng.uniform(0.7, 1.5),
        quality=int(rng.integers(60, 97)) if rng.random() < 0.7 else 0,
    )
