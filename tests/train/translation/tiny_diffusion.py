"""A diffusion model of a few thousand weights, on disk as the library keeps a large one."""

from pathlib import Path

import torch

WIDTH = 16
"""Of CLIP's embeddings, here and in the options of the translator."""


def write_tiny_diffusion(folder: Path) -> Path:
    """Random weights, always the same."""
    import diffusers
    import transformers

    torch.manual_seed(0)
    unet = diffusers.UNet2DConditionModel(
        sample_size=8, block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4,
        cross_attention_dim=WIDTH, attention_head_dim=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip
    kind = ("DownEncoderBlock2D",) * 2, ("UpDecoderBlock2D",) * 2
    vae = diffusers.AutoencoderKL(
        down_block_types=kind[0], up_block_types=kind[1], block_out_channels=(8, 8),
        norm_num_groups=4, layers_per_block=1,
    )  # fmt: skip
    sizes = {
        "hidden_size": WIDTH, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "projection_dim": WIDTH,
    }  # fmt: skip
    text = transformers.CLIPTextModel(
        transformers.CLIPTextConfig(
            **sizes, vocab_size=300, max_position_embeddings=8, bos_token_id=298, eos_token_id=299
        )
    )
    vision = transformers.CLIPVisionModelWithProjection(
        transformers.CLIPVisionConfig(**sizes, image_size=32, patch_size=16)
    )
    scheduler = diffusers.DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip
    parts = {
        "unet": unet, "vae": vae, "text_encoder": text, "image_encoder": vision,
        "scheduler": scheduler,
    }  # fmt: skip
    for name, part in parts.items():
        part.save_pretrained(folder / name)
    return folder
