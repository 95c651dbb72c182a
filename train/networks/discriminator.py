"""PatchGAN: judges every 70x70 patch of a picture (Isola et al. 2017, arXiv:1611.07004)."""

from __future__ import annotations

from torch import Tensor, nn

from train.networks.generator import BlurDown, initialise, instance_norm


class PatchDiscriminator(nn.Module):
    """(B, 3, H, W) → scores (B, 1, H/8 - 2, W/8 - 2); 256² gives 30².

    Args:
        width: channels of the first layer (ndf).
        is_antialiased: blurred sampling as in CUT.
    """

    def __init__(self, width: int = 64, *, is_antialiased: bool = False) -> None:
        super().__init__()
        layers = [*_halving(3, width, is_antialiased, is_normalised=False)]
        layers += _halving(width, 2 * width, is_antialiased)
        layers += _halving(2 * width, 4 * width, is_antialiased)
        layers += [
            nn.Conv2d(4 * width, 8 * width, 4, padding=1), instance_norm(8 * width),
            nn.LeakyReLU(0.2, True), nn.Conv2d(8 * width, 1, 4, padding=1),
        ]  # fmt: skip
        self.model = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Higher is more real."""
        found: Tensor = self.model(x)
        return found


def _halving(
    inputs: int, outputs: int, is_antialiased: bool, *, is_normalised: bool = True
) -> list[nn.Module]:
    norm = [instance_norm(outputs)] if is_normalised else []
    if is_antialiased:
        convolution = nn.Conv2d(inputs, outputs, 4, padding=1)
        return [convolution, *norm, nn.LeakyReLU(0.2, True), BlurDown(outputs)]
    return [
        nn.Conv2d(inputs, outputs, 4, stride=2, padding=1), *norm, nn.LeakyReLU(0.2, True),
    ]  # fmt: skip
