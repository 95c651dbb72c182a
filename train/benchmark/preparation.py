"""What a benchmark's cells need, made once: the simulated set, translated ones, trained segmenters.

OUT/simulated            the simulated set
OUT/translators/NAME     a run of `train.translation.training` each
OUT/translated/NAME      the simulated set by that translator
OUT/runs/ROW/seed-N      a run of `train.segmentation.training`, or of translation where the row is
                         a translator that finds folds; threshold.json there

What is finished is not done again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn

from engine.errors import RecipeError
from train.benchmark.bundles import BundleChoice, BundleSegmenter
from train.benchmark.measuring import Asked
from train.benchmark.recipe import REAL, BenchmarkRecipe, Row
from train.networks.published import Standardised
from train.real import Half, RealFrame, RealKind
from train.segmentation.product import Segmenter, open_segmenter
from train.segmentation.recipe import DrawingSettings, Pictures, SegmentationRecipe
from train.segmentation.samples import Views
from train.segmentation.training import PRODUCT as SEGMENTER
from train.segmentation.training import SegmentationPlaces, SegmentationTrainer, origin
from train.segmentation.validation import validated
from train.simulate.dataset import Label, SimulatedSet, is_finished
from train.simulate.farm import simulate
from train.translation import FindsFolds
from train.translation.apply import Application, translate_set
from train.translation.bank import Batches, real_bank, simulated_bank
from train.translation.folders import real_folder
from train.translation.product import open_product
from train.translation.recipe import TranslationRecipe
from train.translation.training import PRODUCT as TRANSLATOR
from train.translation.training import TranslationTrainer, described

Say = Callable[[str], None]
THRESHOLD = "threshold.json"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Makes what is asked for, unless it is there."""

    recipe: BenchmarkRecipe
    out: Path
    real: Path | None
    """Real frames without labels."""
    say: Say

    @property
    def simulated(self) -> Path:
        """The simulated set."""
        folder = self.out / "simulated"
        if not is_finished(folder):
            self.say("simulate")
            simulate(self.recipe.settings.simulate, folder)
        return folder

    def translated(self, name: str) -> Path:
        """The simulated set in the look of one translator.

        Raises:
            RecipeError: there are no real frames to learn it from.
        """
        folder = self.out / "translated" / name
        if is_finished(folder):
            return folder
        run = self.out / "translators" / name
        self._train_translator(self.recipe.translations[name], run, self._real_frames())
        return translate_set(Application(self.simulated, run / TRANSLATOR, folder))

    def segmenter(self, row: Row, seed: int) -> Asked:
        """A row's segmenter, trained with one seed, and its threshold.

        Raises:
            RecipeError: something to learn from is missing.
            BundleError: a bundle is not there, or damaged.
        """
        if isinstance(row.training, BundleChoice):
            return BundleSegmenter(row.training)
        run = self.out / "runs" / slug(row.name) / f"seed-{seed}"
        if isinstance(row.training, SegmentationRecipe):
            return self._network(row, replace(row.training, seed=seed), run)
        return self._painter(row, replace(row.training, seed=seed), run)

    def _network(self, row: Row, recipe: SegmentationRecipe, run: Path) -> Segmenter:
        product = run / SEGMENTER
        if product.exists():
            made = open_segmenter(product)
            if made.origin == origin(recipe):
                return made
        self.say(f"train {row.name}, seed {recipe.seed}")
        translated = self.translated(row.translation) if row.needs_translation else None
        places = SegmentationPlaces(self.simulated, run, translated, self.real)
        return SegmentationTrainer(recipe, places, self.say).run()

    def _painter(self, row: Row, recipe: TranslationRecipe, run: Path) -> Segmenter:
        """A translator that finds folds; its threshold comes from the pictures nearest to its own:
        translated ones where the row has a translation, else simulated ones."""
        if not (run / TRANSLATOR / "weights.safetensors").exists():
            self.say(f"train {row.name}, seed {recipe.seed}")
            self._train_translator(recipe, run, self._unlabelled(row))
        translator, _ = open_product(run / TRANSLATOR)
        assert isinstance(translator, FindsFolds)  # The recipe was refused otherwise.
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        network = Standardised(translator.segmenter).eval().to(device)
        return self._with_threshold(row, network, run / THRESHOLD, _told(recipe))

    def _with_threshold(self, row: Row, network: nn.Module, file: Path, about: str) -> Segmenter:
        if file.exists():
            return Segmenter(network, float(json.loads(file.read_text())), origin=about)
        settings = self.recipe.settings
        chosen = Pictures.TRANSLATED if row.translation else Pictures.SIMULATED
        drawing = DrawingSettings(pictures=chosen.value, label=settings.label)
        translated = self.translated(row.translation) if row.translation else None
        views = Views.of(drawing, "validation", self.simulated, translated)
        threshold = validated(Segmenter(network, 0.5), views).threshold
        file.write_text(json.dumps(threshold))
        return Segmenter(network, threshold, origin=about)

    def _train_translator(
        self, recipe: TranslationRecipe, run: Path, real: Sequence[RealFrame]
    ) -> None:
        pictures = recipe.pictures
        data = SimulatedSet(self.simulated, Label(self.recipe.settings.label))
        simulated = simulated_bank(data, pictures.split, pictures.style, pictures.load_size)
        bank = real_bank(real, pictures.load_size)
        self.say(f"translator {recipe.name}")
        TranslationTrainer(recipe, Batches.of(recipe, simulated, bank), run, self.say).run()

    def _unlabelled(self, row: Row) -> list[RealFrame]:
        """Pictures that a translator that finds folds takes for real ones."""
        if row.pictures == REAL:
            return self._real_frames()
        sets = {
            Pictures.SIMULATED: [self.simulated],
            Pictures.TRANSLATED: [self.translated(row.translation)],
            Pictures.PAIRED: [self.simulated, self.translated(row.translation)],
        }[Pictures(row.pictures)]
        return [frame for folder in sets for frame in training_pictures(SimulatedSet(folder))]

    def _real_frames(self) -> list[RealFrame]:
        if self.real is None:
            raise RecipeError("There are no real frames to learn from.", "Name them: --real DIR.")
        return real_folder(self.real)


def _told(recipe: TranslationRecipe) -> str:
    told = described(recipe) | {"budget": asdict(recipe.budget)}
    return json.dumps(told, sort_keys=True)


def training_pictures(data: SimulatedSet) -> list[RealFrame]:
    """The pictures that a set keeps of its training views, as pictures without labels."""
    return [
        RealFrame(
            data.folder / name / "image" / f"{number:06d}.png", RealKind.UNLABELLED, Half.TRAINING
        )
        for name, number in data.frames("train")
    ]


def slug(name: str) -> str:
    """A name as a folder."""
    return "-".join("".join(c if c.isalnum() else " " for c in name).split())
