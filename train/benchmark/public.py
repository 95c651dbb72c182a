"""Our own benchmark: colons that nobody trained on, with exact labels, in three looks each.

    procedural   16 colons of the generator, with numbers of no recipe; scattered views
    video        4 pieces of examinations of such colons, 50 frames a second
    ct-a, ct-b   two patients' colons from CT; vrcaps: the colon of VR-Caps, from CT too

Geometry and labels are stored once; `plain` and `rich` pictures are drawn from fixed seeds when a
set is opened, and translated ones are made by whatever translator is named. Meshes are other
people's and do not travel along: sets of those that are not there are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine.errors import RecipeError
from engine.types import Image
from train.benchmark.colouring import coloured
from train.sampling import evenly_spread
from train.sheets import contact_sheet, save_picture
from train.simulate.appearance import STORED, drawn
from train.simulate.dataset import SimulatedSet, is_finished
from train.simulate.farm import MeshViews, SimulationRecipe, Workers, simulate, simulate_mesh
from train.translation.apply import Application, translate_set

STYLES = ("plain", "rich")
_SHEET_ROWS, _SHEET_SEED = 8, 4711
_EDGE = (255, 255, 0)


@dataclass(frozen=True, slots=True)
class Scan:
    """A colon from CT."""

    mesh: str
    """Below the folder of meshes."""
    share: tuple[float, float]
    """Part of the centreline that is visited."""
    is_line_found: bool = False
    """Whatever lies beside the mesh."""
    frames: int = 96


COLONS: Mapping[str, SimulationRecipe] = {
    "procedural": SimulationRecipe(seed=90_001, train=0, validation=0, test=16, frames=24),
    "video": SimulationRecipe(
        seed=90_002, train=0, validation=0, test=4, frames=50, path="examination"
    ),
}
SCANS: Mapping[str, Scan] = {
    # Behind 70 % of its way thin folds are torn.
    "ct-a": Scan("meshes_ctcolon/ct_A_mm.ply", (0.02, 0.7)),
    # The centreline that comes with it takes short cuts where loops are joined.
    "ct-b": Scan("meshes_ctcolon/ct_B_mm.ply", (0.02, 0.98), is_line_found=True),
    "vrcaps": Scan("meshes_vrcaps/vrcaps_colon_mm_closed.ply", (0.03, 0.97)),
}


@dataclass(frozen=True, slots=True)
class PublicPlaces:
    """Where everything lies."""

    out: Path
    meshes: Path | None = None
    translator: Path | None = None
    """A trained one; None: no translated pictures."""
    workers: Workers = field(default_factory=Workers)


@dataclass(frozen=True, slots=True)
class PublicBenchmark:
    """What to make; the defaults are the benchmark, others are for trying out."""

    colons: Mapping[str, SimulationRecipe] = field(default_factory=lambda: COLONS)
    scans: Mapping[str, Scan] = field(default_factory=lambda: SCANS)

    def make(self, places: PublicPlaces, say: Callable[[str], None]) -> Path:
        """Render, translate and draw what is not there yet; returns the folder.

        Raises:
            RecipeError: a mesh or the translator cannot be used.
            RecordingError: the folder cannot be written.
        """
        made = {}
        for name, recipe in self.colons.items():
            made[name] = places.out / name
            if not is_finished(made[name]):
                say(f"render {name}")
                simulate(recipe, made[name], places.workers)
        for name, scan in self.scans.items():
            mesh = None if places.meshes is None else places.meshes / scan.mesh
            if not is_finished(places.out / name):
                if mesh is None or not mesh.exists():
                    say(f"{name} is left out: no {scan.mesh}")
                    continue
                say(f"render {name}")
                views = MeshViews(mesh, scan.frames, scan.share, is_line_found=scan.is_line_found)
                simulate_mesh(views, places.out / name, places.workers)
            made[name] = places.out / name
        translated = _translate(made, places, say)
        for name, folder in made.items():
            picture = view_sheet(SimulatedSet(folder), translated.get(name))
            save_picture(places.out / "sheets" / f"{name}.jpg", picture)
        return places.out


def _translate(
    made: Mapping[str, Path], places: PublicPlaces, say: Callable[[str], None]
) -> dict[str, SimulatedSet]:
    if places.translator is None:
        return {}
    translated = {}
    for name, folder in made.items():
        out = places.out / "translated" / name
        if not is_finished(out):
            say(f"translate {name}")
            translate_set(Application(folder, places.translator, out))
        translated[name] = SimulatedSet(out)
    return translated


def view_sheet(data: SimulatedSet, translated: SimulatedSet | None = None) -> Image:
    """A row a view, evenly from all sequences: plain, rich, translated, and its labels.

    Every fold has its colour, edges are yellow; what has no colour and is bright is no fold.
    """
    frames = data.frames("test")
    if not frames:
        raise RecipeError(f"{data.folder} has no test frames.", "Render it anew.")
    chosen = evenly_spread(len(frames), _SHEET_ROWS)
    tiles: list[Image] = []
    for number in chosen:
        at = frames[number]
        row = [drawn(data, at, _generator(number), style).image for style in STYLES]
        if translated is not None:
            row.append(drawn(translated, at, _generator(number), STORED).image)
        tiles += [*row, _labels(data, at, row[0])]
    return contact_sheet(tiles, len(tiles) // len(chosen))


def _generator(number: int) -> np.random.Generator:
    return np.random.default_rng([_SHEET_SEED, int(number)])


def _labels(data: SimulatedSet, at: tuple[str, int], plain: Image) -> Image:
    geometry = data.frame(*at)
    # Folds without a name get a number of their own, to be seen.
    labels = np.where(geometry.fold, geometry.instances.astype(np.int32) + 1, 0)
    shown = coloured(plain, labels, {n: n for n in np.unique(labels).tolist() if n > 1})
    shown[geometry.edge] = _EDGE
    return shown
