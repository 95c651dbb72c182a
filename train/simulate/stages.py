"""How fold labels come about, in seven pictures (after Fig. 2 of Tomasini et al. 2024).

a  the wall, half of it cut away
b  curvature towards the lumen, in the direction in which it is largest
c  that direction: blue around the circumference, yellow across it
d  convex and off the circumference: the bare crests
e  the crests, cleaned, divided into folds and widened to what one sees
f  a view from inside
g  the labels in that view: folds by colour, occluding edges white
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image
from train.sheets import contact_sheet
from train.simulate.appearance import shade
from train.simulate.camera import Fisheye, Pinhole
from train.simulate.curvature import CrestOptions, convexity, label_crests, lumen_frame
from train.simulate.dataset import Flag, GeometryFrame, View
from train.simulate.folds import tube_place
from train.simulate.rays import OcclusionOptions, Scene
from train.simulate.render import Photographer, StageTimes
from train.simulate.tube import Floats, Tube

_HALF_LENGTH_MM = 48.0
_TILE_PX = 400
_FROM_MM = 400.0
"""So far away that lines of sight are nearly parallel."""
_STROKES = 350
_STROKE_MM = 1.3
_VIEW_PX, _SHEET_COLUMNS = 192, 4
_INK, _PAPER = 235, 18
_WALL = (205, 150, 138)
_FLAT = (95, 95, 102)
_LEGEND = (
    "a  the wall, half of it cut away",
    "b  curvature towards the lumen",
    "c  its direction: around (blue) or across (yellow)",
    "d  bare crests: convex, and not around",
    "e  folds: cleaned, divided, widened",
    "f  a view from inside",
    "g  its labels; occluding edges white",
)


@dataclass(frozen=True, slots=True)
class _HalfPipe:
    """A stretch of wall with the near half cut away, seen from outside."""

    tube: Tube
    pose: NDArray[np.float64]
    """(4, 4) camera to world, mm."""
    camera: Pinhole

    @classmethod
    def around(cls, tube: Tube, at_mm: float) -> _HalfPipe:
        """The stretch around a place on the centreline, lying across the picture."""
        middle = int(np.clip(at_mm, _HALF_LENGTH_MM, len(tube.centreline) - 1 - _HALF_LENGTH_MM))
        ends = (int(middle - _HALF_LENGTH_MM), int(middle + _HALF_LENGTH_MM))
        line = tube.centreline[ends[0] : ends[1]]
        x = line[-1] - line[0]
        x /= np.linalg.norm(x)
        # The bend stays in the picture's plane: look along its axis.
        bow = line[len(line) // 2] - (line[0] + line[-1]) / 2
        y = bow - (bow @ x) * x
        y /= max(float(np.linalg.norm(y)), 1e-9)
        forward = np.cross(x, y)
        pose = np.eye(4)
        pose[:3, 0], pose[:3, 1], pose[:3, 2] = x, y, forward
        pose[:3, 3] = (line.min(axis=0) + line.max(axis=0)) / 2 - _FROM_MM * forward
        place = tube_place(tube)
        nearest = np.clip(np.round(place.along_mm).astype(int), 0, len(tube.centreline) - 1)
        behind = (tube.vertices - tube.centreline[nearest]) @ forward > 0
        kept = behind & (place.along_mm > ends[0]) & (place.along_mm < ends[1])
        faces = tube.faces[kept[tube.faces].all(axis=1)]
        field_rad = 2 * float(np.arctan(1.12 * _HALF_LENGTH_MM / _FROM_MM))
        camera = Pinhole.wide(_TILE_PX, _TILE_PX * 3 // 5, field_rad)
        return cls(replace(tube, faces=faces), pose, camera)

    def painted(self, colours: NDArray[np.uint8]) -> Image:
        """(H, W, 3): the wall in the colours (n, 3) of its vertices, lit from the camera."""
        scene = Scene(self.tube)
        hits = scene.look(self.pose, self.camera)
        facing = np.abs(scene.normals(hits, self.pose, self.camera)[:, 2:])
        channels = [hits.interpolate(colours[:, k].astype(np.float32)) for k in range(3)]
        lit = np.stack(channels, axis=1) * (0.2 + 0.8 * facing)
        return hits.image(np.clip(lit, 0, 255).astype(np.uint8), fill=np.uint8(_PAPER))

    def stroke(self, image: Image, direction: Floats, where: NDArray[np.bool_]) -> Image:
        """With the directions (n, 3) of some of the vertices `where` drawn as short lines."""
        used = np.unique(self.tube.faces)
        some = used[where[used]]
        some = some[:: max(1, len(some) // _STROKES)]
        ends = [
            self.camera.project(
                (self.tube.vertices[some] + sign * _STROKE_MM * direction[some] - self.pose[:3, 3])
                @ self.pose[:3, :3]
            )
            for sign in (-1.0, 1.0)
        ]
        lines = np.round(np.stack(ends, axis=1) * 8).astype(np.int32)
        drawn = image.copy()
        cv2.polylines(drawn, list(lines), False, (_INK,) * 3, 1, cv2.LINE_AA, 3)
        return np.asarray(drawn, np.uint8)


def label_stages(tube: Tube, at_mm: float, options: CrestOptions = CrestOptions()) -> Image:  # noqa: B008
    """(H, W, 3) RGB: the seven pictures of one stretch, lettered.

    Args:
        tube: the colon.
        at_mm: place on its centreline that is shown.
        options: of the crests.
    """
    curvature, direction = convexity(tube, options.radius_mm)
    tangent, inward = lumen_frame(tube)
    around = np.abs(np.sum(direction * np.cross(tangent, inward), axis=1))
    is_crest = (curvature > options.convex_above) & (around < options.circumferential_below)
    labels = label_crests(tube, options)
    half = _HalfPipe.around(tube, at_mm)
    plain = np.tile(np.array(_WALL, np.uint8), (len(tube.vertices), 1))
    convex = curvature / (4 * options.convex_above)
    turned = _ramp(1 - around, (70, 120, 255), (255, 215, 40))
    shown = np.clip(4 * convex, 0, 1)[:, None]
    directions = (shown * turned + (1 - shown) * np.array(_FLAT)).astype(np.uint8)
    outside = [
        half.painted(plain),
        half.painted(_ramp(convex, _FLAT, (255, 170, 60))),
        half.stroke(half.painted(directions), direction, convex > 0.15),
        half.painted(np.where(is_crest[:, None], np.array((245, 220, 60), np.uint8), plain)),
        half.painted(np.where(labels.inside[:, None] > 0, _fold_colours(labels.inside), plain)),
    ]
    return _sheet(outside, _inside(tube, at_mm, options))


def _inside(tube: Tube, at_mm: float, options: CrestOptions) -> list[Image]:
    """A view from within the same stretch, and its labels."""
    camera = Fisheye.colonoscope(_TILE_PX, float(np.radians(66)))
    photographer = Photographer(tube, label_crests(tube, options), camera)
    at = int(np.clip(at_mm - _HALF_LENGTH_MM, 0, len(tube.centreline) - 12))
    forward = tube.centreline[at + 10] - tube.centreline[at]
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, np.eye(3)[np.argmin(np.abs(forward))])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2] = right, np.cross(forward, right), forward
    pose[:3, 3] = tube.centreline[at]
    pose = photographer.clear_of_wall(pose)
    view = photographer.take(0, pose, StageTimes())
    frame = GeometryFrame.of(view, pose, camera)
    return [shade(frame, np.random.default_rng(0), "plain").image, labelled(view)]


def labelled(view: View) -> Image:
    """(H, W, 3) RGB: the wall in grey, folds by colour, occluding edges white."""
    grey = np.clip(-view.normal[..., 2:] * 150, 0, 255).repeat(3, axis=2)
    grey[view.fold] = 0.3 * grey[view.fold] + 0.7 * _fold_colours(view.instances[view.fold])
    grey[(view.flags & Flag.EDGE) > 0] = 255
    return np.asarray(grey, np.uint8)


def label_sheet(
    tube: Tube, poses: Floats, options: CrestOptions, occlusion: OcclusionOptions
) -> Image:
    """(H, W, 3) RGB: views from `poses` (n, 4, 4), plain on the left, labelled on the right."""
    camera = Fisheye.colonoscope(_VIEW_PX, float(np.radians(66)))
    photographer = Photographer(tube, label_crests(tube, options), camera, occlusion)
    tiles = []
    for number, asked in enumerate(poses):
        pose = photographer.clear_of_wall(asked)
        view = photographer.take(number, pose, StageTimes())
        frame = GeometryFrame.of(view, pose, camera)
        plain = shade(frame, np.random.default_rng(0), "plain").image
        tiles.append(np.concatenate([plain, labelled(view)], axis=1))
    return contact_sheet(tiles, _SHEET_COLUMNS)


def _ramp(
    share: Floats, low: tuple[int, int, int], high: tuple[int, int, int]
) -> NDArray[np.uint8]:
    """Colours (n, 3) between two, for shares (n,) of 0 to 1."""
    part = np.clip(share, 0, 1)[:, None]
    return np.asarray((1 - part) * np.array(low) + part * np.array(high), np.uint8)


def _fold_colours(fold: NDArray[np.integer]) -> NDArray[np.uint8]:
    """(n, 3), one colour a fold."""
    table = np.random.default_rng(4).integers(70, 256, (int(fold.max(initial=0)) + 1, 3))
    return np.asarray(table[fold], np.uint8)


def _sheet(outside: list[Image], inside: list[Image]) -> Image:
    """Cut-open walls in two columns on the left, views from inside on the right."""
    tall = outside[0].shape[0] * 3
    side = tall // 2
    tiles = [*outside, _legend(outside[0].shape)]
    lettered = [_lettered(tile, "abcde "[i]) for i, tile in enumerate(tiles)]
    columns = [np.concatenate(lettered[i::2], axis=0) for i in range(2)]
    views = [
        _lettered(cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA), letter)
        for view, letter in zip(inside, "fg", strict=True)
    ]
    return np.concatenate([*columns, np.concatenate(views, axis=0)[:tall]], axis=1)


def _legend(shape: tuple[int, ...]) -> Image:
    """What the letters stand for."""
    drawn = np.full(shape, _PAPER, np.uint8)
    for row, text in enumerate(_LEGEND):
        at = (14, 34 + 29 * row)
        cv2.putText(drawn, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.46, (_INK,) * 3, 1, cv2.LINE_AA)
    return drawn


def _lettered(image: NDArray[np.generic], letter: str) -> Image:
    drawn = np.ascontiguousarray(image, np.uint8)
    cv2.putText(drawn, letter, (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (_INK,) * 3, 2, cv2.LINE_AA)
    return drawn
