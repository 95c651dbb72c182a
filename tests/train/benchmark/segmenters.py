"""Segmenters that need no training: what is brighter than a grey level is fold."""

import torch
from torch import Tensor, nn

from train.segmentation.product import Segmenter


class Brightness(nn.Module):
    """Logits from how bright a picture is; the second channel never speaks up."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(float(level)))

    def forward(self, image: Tensor) -> Tensor:
        logits = (image.mean(1, keepdim=True) - self.level) / 10
        return torch.cat([logits, torch.full_like(logits, -20.0)], 1)


def brighter_than(level: float, threshold: float = 0.5) -> Segmenter:
    return Segmenter(Brightness(level), threshold)
