"""An examination on one picture: the colon as if of glass, the tip's way, a view of each phase."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.types import Image
from train.sheets import contact_sheet
from train.simulate.examination import Examination
from train.simulate.rays import vertex_normals
from train.simulate.steering import Phase
from train.simulate.tube import Floats, Tube

COLOURS: dict[Phase, tuple[int, int, int]] = {
    Phase.INSERTION: (86, 180, 233),
    Phase.CONTACT: (213, 94, 0),
    Phase.CAECUM: (0, 158, 115),
    Phase.WITHDRAWAL: (235, 235, 235),
    Phase.INSPECTION: (240, 228, 66),
    Phase.LOOK_BACK: (230, 159, 0),
    Phase.RETROFLEXION: (204, 121, 167),
}
"""Okabe & Ito 2008, told apart by colour-blind readers too; white for withdrawal."""
WIDTH_PX = 1120
_MARGIN_PX = 40
_TILE_PX = WIDTH_PX // len(Phase)
_FINE = 2
"""Drawn this much larger, then made small: smooth lines."""
_LOOK_MM = 14.0
_LOOK_EVERY_S = 1.0
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw_itinerary(tube: Tube, examined: Examination, views: dict[Phase, Image]) -> Image:
    """(H, 1120, 3) RGB: the way through the colon by phase, a stroke of the view every second.

    Args:
        tube: the colon.
        examined: the way.
        views: one picture of any size for each phase that is to be shown.
    """
    onto = _Sheet(tube)
    plan = onto.wall(tube)
    onto.way(plan, examined)
    size = (plan.shape[1] // _FINE, plan.shape[0] // _FINE)
    small = np.asarray(cv2.resize(plan, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.concatenate([small, contact_sheet(_tiles(views), len(Phase))])


def typical_frames(examined: Examination) -> dict[Phase, int]:
    """For each phase that occurs, the frame in the middle of its longest stay."""
    borders = np.flatnonzero(np.diff(examined.phase)) + 1
    stays = np.split(np.arange(len(examined.phase)), borders)
    longest: dict[Phase, NDArray[np.int64]] = {}
    for stay in stays:
        phase = list(Phase)[examined.phase[stay[0]]]
        if len(stay) > len(longest.get(phase, ())):
            longest[phase] = stay
    return {phase: int(stay[len(stay) // 2]) for phase, stay in longest.items()}


class _Sheet:
    """A plane on which the colon lies as flat as it can."""

    def __init__(self, tube: Tube) -> None:
        self._middle = tube.centreline.mean(axis=0)
        self._axes = np.linalg.svd(tube.centreline - self._middle, full_matrices=False)[2]
        flat = (tube.vertices - self._middle) @ self._axes[:2].T
        self._corner = flat.min(axis=0)
        room = WIDTH_PX - 2 * _MARGIN_PX
        self._scale = room / float(np.ptp(flat[:, 0]))
        height = float(np.ptp(flat[:, 1])) * self._scale + 2 * _MARGIN_PX
        self.shape = (round(height) * _FINE, WIDTH_PX * _FINE)

    def pixels(self, points: Floats) -> NDArray[np.int32]:
        """(n, 2) xy of points (n, 3)."""
        flat = (points - self._middle) @ self._axes[:2].T - self._corner
        return np.asarray(np.round((flat * self._scale + _MARGIN_PX) * _FINE), np.int32)

    def wall(self, tube: Tube) -> Image:
        """The wall as if of glass: bright where one looks along it."""
        normals = vertex_normals(tube.vertices, tube.faces)
        edge_on = 1 - np.abs(normals @ self._axes[2])
        x, y = self.pixels(tube.vertices).T
        glass = np.zeros(self.shape, np.float32)
        np.add.at(glass, (y, x), edge_on.astype(np.float32) ** 3)
        glass = np.asarray(cv2.GaussianBlur(glass, (0, 0), 1.2 * _FINE), np.float32)
        glass /= max(float(np.quantile(glass[glass > 0], 0.995)), 1e-9)
        tint = np.array([120, 105, 100]) * np.clip(glass, 0, 1)[..., None] ** 0.7
        return np.asarray(np.clip(18 + tint, 0, 255), np.uint8)

    def way(self, plan: Image, examined: Examination) -> None:
        """Draw the tip's way and where it looks."""
        tip = self.pixels(examined.poses[:, :3, 3])
        ahead = self.pixels(examined.poses[:, :3, 3] + _LOOK_MM * examined.poses[:, :3, 2])
        phases = list(Phase)
        step_s = float(examined.time_s[1] - examined.time_s[0]) if len(tip) > 1 else 1.0
        for i in range(0, len(tip), max(1, round(_LOOK_EVERY_S / step_s))):
            colour = tuple(int(0.75 * c) for c in COLOURS[phases[examined.phase[i]]])
            cv2.line(plan, tip[i].tolist(), ahead[i].tolist(), colour, 1, cv2.LINE_AA)
        for i in range(len(tip) - 1):
            colour = COLOURS[phases[examined.phase[i]]]
            cv2.line(plan, tip[i].tolist(), tip[i + 1].tolist(), colour, 2 * _FINE, cv2.LINE_AA)


def _tiles(views: dict[Phase, Image]) -> list[Image]:
    """A view of each phase, framed and named in its colour; dark where there is none."""
    tiles = []
    for phase, colour in COLOURS.items():
        tile = np.full((_TILE_PX, _TILE_PX, 3), 18, np.uint8)
        if phase in views:
            view = views[phase]
            height = round(view.shape[0] * _TILE_PX / view.shape[1])
            small = cv2.resize(view, (_TILE_PX, height), interpolation=cv2.INTER_AREA)
            rows = min(height, _TILE_PX - 20)
            tile[20 : 20 + rows] = small[:rows]
        cv2.putText(tile, phase.value, (6, 14), _FONT, 0.42, colour, 1, cv2.LINE_AA)
        cv2.rectangle(tile, (0, 0), (_TILE_PX - 1, _TILE_PX - 1), colour, 1)
        tiles.append(tile)
    return tiles
