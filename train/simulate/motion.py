"""How a colon moves while it is looked at: breathing and peristalsis, as functions of time.

Breathing carries the bowel towards the feet and a little to the front, most below the diaphragm
(the flexures and the ends of the transverse colon), not at all in the pelvis. The map depends on
height alone and keeps every volume. Peristalsis: rings of contraction that travel along the colon;
each draws the wall towards the centreline by at most `TIGHTEST`, so that a lumen always stays.

Sources: the diaphragm moves some 10 to 20 mm in quiet breathing, 12 to 20 times a minute
(textbooks of physiology); propagating pressure waves travel at 22 ± 3 to 36 ± 5 mm/s (Cook et al.
2000, colon manometry, n = 11), and most activity propagates slower or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.simulate.folds import tube_place
from train.simulate.tube import Floats, Tube

TIGHTEST = 0.45
"""Of the radius that a contraction takes away at most."""
_PELVIS_MM, _DIAPHRAGM_MM = 90.0, 430.0
"""Heights above the anus between which breathing grows from nothing to its full reach."""


@dataclass(frozen=True, slots=True)
class Breathing:
    """Of one patient."""

    reach_mm: float
    """Towards the feet, right below the diaphragm."""
    forward: float
    """To the front, as a part of the way down."""
    period_s: float

    def lift(self, time_s: float) -> float:
        """0 (breathed out, as the colon was grown) to 1 (breathed in)."""
        return 0.5 - 0.5 * float(np.cos(2 * np.pi * time_s / self.period_s))


@dataclass(frozen=True, slots=True)
class Peristalsis:
    """Rings of contraction that follow each other at equal distances."""

    tightness: float
    """Of the radius that the middle of a ring takes away, at most `TIGHTEST`."""
    width_mm: float
    """From the middle of a ring to where a third of it is left."""
    distance_mm: float
    """From ring to ring, several widths."""
    speed_mm_s: float
    """Towards growing arc length; negative towards the anus, as most waves go."""
    offset_mm: float

    def squeeze(self, along_mm: Floats, time_s: float) -> Floats:
        """(n,) share of the radius that is taken away at arcs (n,)."""
        place = along_mm - self.offset_mm - self.speed_mm_s * time_s
        from_ring = (place + 0.5 * self.distance_mm) % self.distance_mm - 0.5 * self.distance_mm
        return np.asarray(self.tightness * np.exp(-((from_ring / self.width_mm) ** 2)))


class Motion:
    """A tube over time. At strength 0 it rests; the same draw moves the same way."""

    def __init__(self, tube: Tube, breathing: Breathing, peristalsis: Peristalsis) -> None:
        self._tube = tube
        self._breathing, self._peristalsis = breathing, peristalsis
        # A procedural colon stands in the body; of a scan the lowest place is taken for the anus.
        self._floor_mm = 0.0 if tube.segments else float(tube.vertices[:, 2].min())
        steps = np.linalg.norm(np.diff(tube.centreline, axis=0), axis=1)
        arc = np.concatenate([[0.0], np.cumsum(steps)])
        self._along = tube_place(tube).along_mm
        self._axis = np.stack(
            [np.interp(self._along, arc, tube.centreline[:, each]) for each in range(3)], axis=1
        )
        # Ends are tied to what lies beyond them.
        self._free = np.clip(np.minimum(self._along, arc[-1] - self._along) / 40.0, 0, 1)

    @classmethod
    def draw(cls, rng: np.random.Generator, tube: Tube, strength: float = 1.0) -> Motion:
        """A patient's breath and bowel; `strength` 0 keeps the colon still, 1 is lively."""
        breathing = Breathing(
            reach_mm=strength * rng.uniform(4.0, 16.0),
            forward=rng.uniform(0.1, 0.4),
            period_s=rng.uniform(3.0, 5.0),
        )
        width = rng.uniform(14.0, 26.0)
        peristalsis = Peristalsis(
            tightness=min(TIGHTEST, strength * rng.uniform(0.05, TIGHTEST)),
            width_mm=width,
            distance_mm=width * rng.uniform(5.0, 9.0),
            speed_mm_s=rng.choice([-1.0, -1.0, 1.0]) * rng.uniform(2.0, 30.0),
            offset_mm=rng.uniform(0.0, 200.0),
        )
        return cls(tube, breathing, peristalsis)

    def vertices(self, time_s: float) -> Floats:
        """(n, 3) mm."""
        squeeze = self._peristalsis.squeeze(self._along, time_s) * self._free
        drawn_in = self._tube.vertices + squeeze[:, None] * (self._axis - self._tube.vertices)
        return self._breathed(drawn_in, time_s)

    def centreline(self, time_s: float) -> Floats:
        """(k, 3) mm; rings close around it and leave it where it is."""
        return self._breathed(self._tube.centreline, time_s)

    def _breathed(self, points: Floats, time_s: float) -> Floats:
        above = (points[:, 2] - self._floor_mm - _PELVIS_MM) / (_DIAPHRAGM_MM - _PELVIS_MM)
        above = np.clip(above, 0, 1)
        share = above * above * (3 - 2 * above)
        way = self._breathing.reach_mm * self._breathing.lift(time_s) * share
        moved = points.copy()
        moved[:, 1] += self._breathing.forward * way
        moved[:, 2] -= way
        return moved
