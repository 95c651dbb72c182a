"""Scattered views along the lumen, for sets of single frames (`examination` makes video)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from train.simulate.folds import carried_across
from train.simulate.tube import Floats, Tube


@dataclass(frozen=True, slots=True)
class PathOptions:
    """How the tip moves. Lengths in mm, angles in radians."""

    frames: int
    first: float = 0.2
    """Start, as a share of the centreline."""
    last: float = 0.8
    """End, as a share of the centreline; smaller than `first` for a withdrawal."""
    off_axis: float = 0.45
    """Largest distance from the centreline, as a share of the lumen's radius."""
    deflection: float = 0.45
    """Spread (one sigma) of the angle between view and centreline."""
    wobble_frames: float = 8.0
    """Frames over which the wobble changes: small for scattered views, large for video."""
    roll: float = 0.3


def _wobble(rng: np.random.Generator, options: PathOptions, channels: int) -> Floats:
    knots = int(np.ceil(options.frames / options.wobble_frames)) + 4
    spline = CubicSpline(np.arange(knots), rng.standard_normal((knots, channels)))
    return np.asarray(spline(1 + np.arange(options.frames) / options.wobble_frames))


def camera_path(tube: Tube, rng: np.random.Generator, options: PathOptions) -> NDArray[np.float64]:
    """Poses (n, 4, 4), camera to world, mm: x right, y down, z forward.

    The camera looks along the direction of travel of an insertion (towards growing arc length)
    or, with one chance in two, back; a withdrawal moves backwards while looking forward.
    """
    share = np.linspace(options.first, options.last, options.frames)
    place = share * (len(tube.centreline) - 1)
    along = np.arange(len(tube.centreline))
    smooth = CubicSpline(along[::8], tube.centreline[::8])
    centre, tangent = smooth(place), smooth(place, 1)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    radius = np.interp(place, along, tube.radius)

    wobble = _wobble(rng, options, 5)
    side = np.cross(tangent, carried_across(tangent))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    up = np.cross(side, tangent)
    off = np.tanh(wobble[:, :2] * 0.8) * options.off_axis * radius[:, None]
    eye = centre + off[:, :1] * side + off[:, 1:2] * up

    yaw, pitch = (wobble[:, 2:4] * options.deflection).T
    roll = wobble[:, 4] * options.roll + rng.uniform(0, 2 * np.pi)
    bearing = np.hypot(yaw, pitch)
    bent = np.minimum(bearing, 1.45) / np.maximum(bearing, 1e-9)
    yaw, pitch = yaw * bent, pitch * bent
    bearing = np.hypot(yaw, pitch)
    spread = np.where(bearing > 1e-9, np.sin(bearing) / np.maximum(bearing, 1e-9), 1.0)
    forward = (
        np.cos(bearing)[:, None] * tangent
        + (spread * yaw)[:, None] * side
        + (spread * pitch)[:, None] * up
    )
    right = np.cross(forward, up)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    down = np.cross(forward, right)
    x = np.cos(roll)[:, None] * right + np.sin(roll)[:, None] * down
    y = np.cross(forward, x)

    poses = np.tile(np.eye(4), (options.frames, 1, 1))
    poses[:, :3, 0], poses[:, :3, 1], poses[:, :3, 2], poses[:, :3, 3] = x, y, forward, eye
    return poses
