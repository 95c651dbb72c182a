"""InST: the style of a picture as a word for a diffusion model.

real ── CLIP ──▶ attention ──▶ "*" ──▶ text encoder ──┐
simulated ── VAE ──▶ latent ── noise, found again ──▶ DDIM ──▶ VAE ──▶ translated

Zhang et al. 2023 (arXiv:2211.13203), for Stable Diffusion 1.x from `options.folder`
(`train.translation.diffusion`). Only the attention learns, from real pictures alone: their noise
must be foretold given their own word. Stochastic inversion keeps the structure: the latent is
noised to a time, and the model's own guess at that noise is where DDIM starts. Strength, guidance
and steps are the reference's; its optional exchange of latent statistics is left out. Its users
could not repeat its results from their own training, so expect little. The product is the attention
and the mean of all real pictures as default style: to translate, the folder must be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Adam, Optimizer

from train.networks.inversion import StyleWord
from train.translation import Batch, Descend, Translator
from train.translation.diffusion import Diffusion


@dataclass(frozen=True, slots=True)
class InstOptions:
    """The reference's defaults."""

    folder: str = ""
    """Of the diffusion model."""
    width: int = 768
    """Of CLIP's embeddings."""
    heads: int = 8
    head_width: int = 64
    strength: float = 0.6
    """How far towards noise a picture goes, 0 to 1."""
    guidance: float = 10.0
    steps: int = 50
    """Of DDIM, for the whole way from noise."""
    learning_rate: float = 1e-4


class MeanSight(nn.Module):
    """The mean of what CLIP saw so far (k), and of how many pictures."""

    mean: Tensor
    count: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def gather(self, seen: Tensor) -> None:
        """(B, k): take these in."""
        self.count += len(seen)
        self.mean += (seen - self.mean).sum(0) / self.count


class Inst(Translator):
    """A word for each style; the diffusion model is fixed and no part of the state dict."""

    Options: ClassVar[type] = InstOptions

    def __init__(self, options: InstOptions = InstOptions()) -> None:
        super().__init__()
        self._options = options
        self.attention = StyleWord(options.width, options.heads, options.head_width)
        self.default = MeanSight(options.width)
        self._optimisers = {"word": Adam(self.attention.parameters(), options.learning_rate)}
        self._opened: list[Diffusion] = []

    def prepare(self) -> None:
        """Open the diffusion model.

        Raises:
            RecipeError: there is none, or of another kind; the extra is not installed.
        """
        self._diffusion(torch.device("cpu"))

    def _diffusion(self, device: torch.device) -> Diffusion:
        if not self._opened:
            self._opened.append(Diffusion.open(self._options.folder))
        return self._opened[0].to(device)

    @property
    def product(self) -> nn.Module:
        """Attention and default style."""
        return nn.ModuleDict({"attention": self.attention, "default": self.default})

    def optimisers(self) -> Mapping[str, Optimizer]:
        """Adam, of the attention."""
        return self._optimisers

    def step(self, batch: Batch, descend: Descend) -> dict[str, Tensor]:
        """Noise in real pictures at any time is foretold, given their word."""
        model, count = self._diffusion(batch.real.device), len(batch.real)
        with torch.no_grad():
            seen = model.seen(batch.real)
            latents = model.compressed(_padded(batch.real, model.multiple))
        self.default.gather(seen)
        times = model.scheduler.config.num_train_timesteps
        time = torch.randint(times, (count,), device=latents.device)
        noise = torch.randn_like(latents)
        noised = model.scheduler.add_noise(latents, noise, time)
        condition = model.spoken(self.attention(seen), count)
        error = functional.mse_loss(model.noise_in(noised, time, condition), noise)
        descend(self._optimisers["word"], error)
        return {"noise": error.detach()}

    def rate(self, share: float) -> float:
        """Flat."""
        return 1.0 if share < 1 else 0.0

    @torch.no_grad()
    def translate(self, simulated: Tensor, style: Tensor | None = None) -> Tensor:
        """In the style of examples (B, 3, H, W), or of what CLIP sees in some (B, k)."""
        model, count = self._diffusion(simulated.device), len(simulated)
        seen = self.default.mean.expand(count, -1)
        if style is not None:
            seen = model.seen(style) if style.ndim == 4 else style
        condition = model.spoken(self.attention(seen), count)
        content = model.compressed(_padded(simulated, model.multiple))
        latents = self._denoised(model, content, condition)
        height, width = simulated.shape[2:]
        return model.shown(latents)[..., :height, :width].clamp(-1, 1)

    def _denoised(self, model: Diffusion, content: Tensor, condition: Tensor) -> Tensor:
        """Stochastic inversion of content latents, then DDIM from there."""
        options, scheduler = self._options, model.scheduler
        scheduler.set_timesteps(options.steps, device=content.device)
        taken = min(options.steps, int(options.strength * options.steps))
        times = scheduler.timesteps[options.steps - taken :]
        if not taken:
            return content
        first = times[:1].expand(len(content))
        noise = _fixed_noise(content)
        guess = model.noise_in(scheduler.add_noise(content, noise, first), first, condition)
        latents: Tensor = scheduler.add_noise(content, guess, first)
        plain = model.spoken(None, len(content))
        for time in times:
            given, free = (model.noise_in(latents, time, each) for each in (condition, plain))
            noise = free + options.guidance * (given - free)
            latents = scheduler.step(noise, time, latents).prev_sample
        return latents


def _fixed_noise(like: Tensor) -> Tensor:
    """N(0, 1), the same for every picture and every time."""
    dice = torch.Generator().manual_seed(0)
    return torch.randn(like.shape[1:], generator=dice).to(like).expand_as(like)


def _padded(pictures: Tensor, multiple: int) -> Tensor:
    """To multiples of a number, by the last rows and columns."""
    height, width = pictures.shape[2:]
    return functional.pad(pictures, (0, -width % multiple, 0, -height % multiple), mode="replicate")
