import torch

from train.networks.unet import UNet


def test_any_size_is_kept() -> None:
    assert UNet(2, 4)(torch.rand(2, 3, 50, 37)).shape == (2, 2, 50, 37)


def test_gradients_reach_every_weight() -> None:
    torch.manual_seed(0)
    network = UNet(1, 4, levels=3)
    network(torch.rand(1, 3, 32, 32)).square().mean().backward()
    weights = {name: each for name, each in network.named_parameters() if name.endswith("weight")}
    assert all(each.grad is not None and each.grad.any() for each in weights.values())


def test_a_pixel_sees_far_and_fine() -> None:
    torch.manual_seed(0)
    picture = torch.rand(1, 3, 64, 64, requires_grad=True)
    UNet(1, 4)(picture)[0, 0, 32, 32].backward()
    assert picture.grad is not None
    reach = picture.grad.abs().sum((0, 1))
    assert reach[32, 32] > 0
    assert reach[32, 10] > 0
