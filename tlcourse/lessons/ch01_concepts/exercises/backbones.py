"""Small random backbones for the exercises, and what moved in them."""

import torch
from torch import nn

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def random_backbone(rng, dropout: float = 0.0) -> nn.Sequential:
    """Return a small convolutional net with two or three BatchNorms, one of them nested."""
    torch.manual_seed(int(rng.integers(2**31)))
    width = int(rng.integers(3, 6))
    block = nn.Sequential(nn.Conv2d(width, width, 3), nn.BatchNorm2d(width), nn.ReLU())
    layers = [nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.ReLU(), nn.Dropout(dropout), block]
    layers += [nn.AdaptiveAvgPool2d(2), nn.Flatten()]
    if rng.random() < 0.5:
        layers.append(nn.BatchNorm1d(4 * width))
    backbone = nn.Sequential(*layers)
    backbone(1 + torch.randn(32, 1, 8, 8))  # gives the statistics something to remember
    return backbone


def is_statistic(name: str) -> bool:
    """Tell whether an entry of a state dict is one of BatchNorm's running statistics."""
    return name.endswith(STATISTICS)


def moved(before: dict, after: dict) -> list[str]:
    """Return the names of the entries that differ, compared number by number."""
    return [name for name in after if not torch.equal(before[name], after[name])]


def state(module: nn.Module) -> dict:
    """Return a copy of a module's weights and buffers."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}
