"""Small networks: a backbone of four blocks, a linear head, and a freeze that really freezes."""

import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from tlcourse import runtime

WEIGHTS = Path(__file__).parent / "weights"


def block(inputs: int, outputs: int, pool: nn.Module) -> nn.Sequential:
    """Return convolution 3 × 3, batch normalisation, ReLU, and pooling.

    The maximum of what a ReLU lets through is what it lets through of the maximum: with max-pooling
    first, the same numbers cost a quarter of the ReLUs. For an average the order matters.
    """
    end = [pool, nn.ReLU()] if isinstance(pool, nn.MaxPool2d) else [nn.ReLU(), pool]
    convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), *end)


class SmallCNN(nn.Module):
    """A backbone of four convolution blocks, about 33,000 weights.

    16 × 16 pixels become maps of 16 × 8 × 8, 32 × 4 × 4, 32 × 4 × 4 and 64 × 2 × 2 numbers; the last
    one, flattened, is the feature vector.

    Attributes
    ----------
    blocks : nn.ModuleList
        The four blocks, lowest first.
    n_features : int
        Length of the feature vector, 256.
    """

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            [
                block(1, 16, nn.MaxPool2d(2)),
                block(16, 32, nn.MaxPool2d(2)),
                block(32, 32, nn.Identity()),
                block(32, 64, nn.AvgPool2d(2)),  # averages make steadier features than maxima
            ]
        )
        self.n_features = 64 * 2 * 2
        self.to(memory_format=torch.channels_last)  # same numbers, about a third faster on a CPU

    def maps(self, images: torch.Tensor, depth: int) -> torch.Tensor:
        """Return the feature maps after the first `depth` blocks; depth 0 gives the images."""
        for stage in self.blocks[:depth]:
            images = stage(images)
        return images

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the features, shape (n, 256), of images of shape (n, 1, 16, 16)."""
        return self.maps(images, len(self.blocks)).flatten(1)


def classifier(backbone, n_classes: int, seed: int | None = None) -> nn.Sequential:
    """Return `backbone` with a new linear head, as ``model.backbone`` and ``model.head``.

    Parameters
    ----------
    backbone : nn.Module, type or str
        A class, such as `SmallCNN`, is made anew, with random weights; a name, such as "letters", is
        that of a shipped backbone (see `load_backbone`).
    n_classes : int
    seed : int, optional
        Seeds every generator first, so that all new weights come from it, and what is drawn next too.
    """
    if seed is not None:
        runtime.seed_everything(seed)
    if isinstance(backbone, str):
        backbone = load_backbone(backbone)
    elif isinstance(backbone, type):
        backbone = backbone()
    head = nn.Linear(backbone.n_features, n_classes).to(next(backbone.parameters()).device)
    return nn.Sequential(OrderedDict(backbone=backbone, head=head))


# ── freezing ────────────────────────────────────────────────────────────────────────────────


def freeze(module: nn.Module) -> nn.Module:
    """Freeze `module` in place: neither its weights nor its BatchNorm statistics move.

    ``requires_grad = False`` alone is not enough. In train mode a BatchNorm layer normalises with
    the statistics of the batch, and moves its running mean and variance, with or without
    gradients; and every training loop calls ``model.train()``. So each frozen BatchNorm layer gets a
    hook that puts it back into evaluation mode before it is used. This is the meaning that Keras
    gives to ``layer.trainable = False``. Under a domain shift it can be the wrong choice: see the
    end of chapter 1.

    Returns
    -------
    nn.Module
        `module` itself.
    """
    module.requires_grad_(False)
    for layer in _batch_norms(module):
        if not hasattr(layer, "frozen"):
            layer.register_forward_pre_hook(_stay_in_eval)
        layer.frozen = True
    return module


def unfreeze(module: nn.Module) -> nn.Module:
    """Undo `freeze` in place: weights learn again, and BatchNorm obeys ``model.train()``."""
    module.requires_grad_(True)
    for layer in _batch_norms(module):
        if hasattr(layer, "frozen"):  # else `freeze` would believe that its hook is there already
            layer.frozen = False
    return module


def _batch_norms(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]


def _stay_in_eval(layer: nn.Module, inputs) -> None:
    if layer.frozen:
        layer.eval()


@torch.no_grad()
def reestimate_batchnorm(module: nn.Module, images: torch.Tensor) -> None:
    """Replace every BatchNorm statistic by that of `images`, which need no label.

    AdaBN: Li et al. 2017, "Revisiting batch normalization for practical domain adaptation",
    arXiv:1603.04779. One pass over all `images` as a single batch; the weights stay as they are.

    Raises
    ------
    ValueError
        If the module is frozen: its statistics are then meant to stay.
    """
    layers = _batch_norms(module)
    if any(getattr(layer, "frozen", False) for layer in layers):
        raise ValueError("this module is frozen: re-estimate its statistics before freeze().")
    before = [(layer.momentum, layer.training) for layer in layers]
    for layer in layers:
        layer.momentum = None  # None means: a plain average over the batches seen since the reset
        layer.reset_running_stats()
        layer.train()
    try:
        module(images)
    finally:
        for layer, (momentum, training) in zip(layers, before, strict=True):
            layer.momentum = momentum
            layer.train(training)


@torch.no_grad()
def features(backbone: torch.nn.Module, images: torch.Tensor) -> np.ndarray:
    """Return the frozen features of images as scikit-learn's X, shape (n, 256)."""
    backbone.eval()
    return torch.cat([backbone(part) for part in images.split(512)]).cpu().numpy()


# ── many small networks side by side ────────────────────────────────────────────────────────


class StackedNetwork(nn.Module):
    """One network a seed: shared hidden layers, and one linear head a name.

    Parameters
    ----------
    seeds : sequence of int
        Each run's weights depend on its own seed alone.
    inputs : int
        Numbers a picture.
    widths : dict of str to int
        Outputs of each head.
    hidden : int
        Units of each hidden layer.
    depth : int
        Hidden layers.
    """

    def __init__(self, seeds, inputs: int, widths: dict[str, int], hidden: int = 64, depth=2):
        super().__init__()
        draws = [torch.Generator().manual_seed(seed) for seed in seeds]

        def layer(into, out):
            weights = torch.stack([torch.randn(into, out, generator=d) for d in draws])
            weights *= (2 / into) ** 0.5
            both = weights, torch.zeros(len(draws), 1, out)
            return nn.ParameterList(map(nn.Parameter, both))

        inward = [inputs, *[hidden] * (depth - 1)]
        self.shared = nn.ModuleList([layer(into, hidden) for into in inward])
        self.heads = nn.ModuleDict({name: layer(hidden, out) for name, out in widths.items()})

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Return what all tasks share, (runs, n, hidden), of pictures (n, d) or (runs, n, d)."""
        for weights, bias in self.shared:
            x = torch.relu(x @ weights + bias)
        return x

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return every head's output, (runs, n, width)."""
        seen = self.features(x)
        return {name: seen @ weights + bias for name, (weights, bias) in self.heads.items()}


# ── shipped weights ─────────────────────────────────────────────────────────────────────────


def save_weights(module: nn.Module, path: Path) -> None:
    """Write the weights in half precision: half the size, and no accuracy lost that we measured."""
    half = {k: v.half() if v.is_floating_point() else v for k, v in module.state_dict().items()}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    torch.save(half, path)


def load_weights(path: Path, again: str, into: nn.Module | None = None) -> dict:
    """Return what a file of weights holds, half precision as float32; also put it into a network.

    Parameters
    ----------
    path : Path
    again : str
        The command of ``python -m tlcourse`` that makes the file again.
    into : nn.Module, optional
        Gets the weights.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If a check sum is wrong, or the file holds another network.
    """
    path = Path(path)
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.pt")))
        raise FileNotFoundError(
            f"no weights file {path.name}: choose one of {known}, or make it with "
            f"python -m tlcourse {again}."
        )
    try:
        with zipfile.ZipFile(path) as archive:  # torch.load would not verify the check sums
            if damaged := archive.testzip():
                raise ValueError(f"the check sum of {damaged} is wrong")
        # weights_only: a weights file holds tensors, and must never be able to run code.
        found = torch.load(path, map_location="cpu", weights_only=True)
        found = {name: _full(value) for name, value in found.items()}
        if into is not None:
            into.load_state_dict(found)
    except Exception as error:
        raise ValueError(
            f"the weights file {path.name} is damaged or holds another network: restore it, or make "
            f"it again with python -m tlcourse {again}."
        ) from error
    return found


def _full(value):
    half = torch.is_tensor(value) and value.dtype == torch.float16
    return value.float() if half else value


def load_backbone(source: str = "letters", path: Path | None = None) -> SmallCNN:
    """Return a shipped backbone, pretrained as ``python -m tlcourse pretrain`` does.

    Parameters
    ----------
    source : str
        Which source task: the name of a file in ``tlcourse/weights``.
    path : Path, optional
        Read this file instead.

    Raises
    ------
    FileNotFoundError
        For an unknown source.
    ValueError
        For a file that is damaged or holds another network.
    """
    backbone = SmallCNN()
    load_weights(path or WEIGHTS / f"{source}.pt", f"pretrain {source}", backbone)
    return backbone.eval()
