"""Stable Diffusion 1.x as InST uses it, from a folder in the layout of the diffusers library.

FOLDER/unet, vae, text_encoder, scheduler     of the pipeline
FOLDER/image_encoder                          CLIP's vision network with its projection

Only safetensors are read, nothing is fetched. The library is an extra: pip install haustra[inst].
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import RecipeError
from train.networks.inversion import prompt
from train.translation import frozen

_PLACEHOLDER = 265
"""The number of "*" in CLIP's vocabulary."""
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)


PARTS = ("unet", "vae", "text_encoder", "image_encoder", "scheduler")
"""What the folder must hold."""


@dataclass(frozen=True, slots=True)
class Diffusion:
    """Fixed networks; every picture is (B, 3, H, W) in [-1, 1]."""

    unet: Any
    vae: Any
    text: Any
    vision: Any
    scheduler: Any

    @classmethod
    def open(cls, folder: str) -> Diffusion:
        """From a folder on this machine.

        Raises:
            RecipeError: the library is missing, or the folder holds no such networks.
        """
        try:
            from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
            from transformers import CLIPTextModel, CLIPVisionModelWithProjection
        except ImportError as error:
            raise RecipeError(
                f"InST needs the diffusers library: {error}.", "pip install haustra[inst]"
            ) from error
        at = Path(folder)
        given = {"use_safetensors": True, "local_files_only": True}
        # Its way of saving memory needs yet another library.
        sparing = {**given, "low_cpu_mem_usage": False}
        try:
            missing = [part for part in PARTS if not any((at / part).glob("*.json"))]
            if missing or not folder:
                raise ValueError(f"{missing[0] if missing else PARTS[0]} is missing")
            networks = (
                UNet2DConditionModel.from_pretrained(at / "unet", **sparing),
                AutoencoderKL.from_pretrained(at / "vae", **sparing),
                CLIPTextModel.from_pretrained(at / "text_encoder", **given),
                CLIPVisionModelWithProjection.from_pretrained(at / "image_encoder", **given),
            )
            scheduler = DDIMScheduler.from_pretrained(at / "scheduler", local_files_only=True)
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"{folder or 'options.folder, which is empty,'} holds no diffusion model: {error}.",
                "Save a Stable Diffusion 1.x pipeline there with diffusers, as safetensors, and"
                " CLIP's vision network as image_encoder.",
            ) from error
        unet, vae, text, vision = (frozen(network) for network in networks)
        return cls(unet, vae, text, vision, scheduler)

    def to(self, device: torch.device) -> Diffusion:
        """Move the networks; cheap if they are there."""
        for network in (self.unet, self.vae, self.text, self.vision):
            network.to(device)
        return self

    def seen(self, pictures: Tensor) -> Tensor:
        """What CLIP sees: (B, k)."""
        size = self.vision.config.image_size
        small = functional.interpolate(pictures, (size, size), mode="bicubic", antialias=True)
        mean, deviation = (
            torch.tensor(each, device=pictures.device)[:, None, None]
            for each in (_CLIP_MEAN, _CLIP_DEVIATION)
        )
        found: Tensor = self.vision(((small + 1) / 2 - mean) / deviation).image_embeds
        return found

    def spoken(self, words: Tensor | None, count: int) -> Tensor:
        """The condition (count, 77, k) of a prompt that is one word (count, k), or of no prompt."""
        config = self.text.config
        placeholder = None if words is None else _PLACEHOLDER
        tokens = prompt(config.vocab_size, config.max_position_embeddings, placeholder)
        tokens = tokens.to(self.text.device).expand(count, -1)

        def replaced(layer: nn.Module, inputs: Any, embedded: Tensor) -> Tensor:
            if words is None:
                return embedded
            return torch.cat([embedded[:, :1], words[:, None], embedded[:, 2:]], dim=1)

        hook = self.text.get_input_embeddings().register_forward_hook(replaced)
        try:
            condition: Tensor = self.text(tokens).last_hidden_state
        finally:
            hook.remove()
        return condition

    def compressed(self, pictures: Tensor) -> Tensor:
        """Latents (B, 4, H/8, W/8), scaled as the U-Net wants them; the mean, not a sample."""
        mean = self.vae.encode(pictures).latent_dist.mean
        latents: Tensor = mean * self.vae.config.scaling_factor
        return latents

    def shown(self, latents: Tensor) -> Tensor:
        """Pictures of latents."""
        pictures: Tensor = self.vae.decode(latents / self.vae.config.scaling_factor).sample
        return pictures

    def noise_in(self, latents: Tensor, time: Tensor, condition: Tensor) -> Tensor:
        """ε: what the U-Net takes for noise."""
        found: Tensor = self.unet(latents, time, encoder_hidden_states=condition).sample
        return found

    @property
    def multiple(self) -> int:
        """Pictures must be multiples of this each way: both networks halve several times."""
        halvings = len(self.vae.config.block_out_channels) + len(
            self.unet.config.block_out_channels
        )
        return int(2 ** (halvings - 2))
