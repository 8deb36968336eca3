"""What keeps a network from learning its few labels by heart: decay, L2-SP, mixup, softer labels.

Each of them is one number, its strength; at strength 0 it is switched off. So each can be tried alone or
with any other.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy


def adam_step(weights, gradient, state: dict, lr: float, weight_decay=0.0, decoupled=False):
    """Return the weights after one step of Adam, with weight decay in one of two places.

    Parameters
    ----------
    weights, gradient : torch.Tensor, same shape
    state : dict
        Empty before the first step; changed in place.
    lr, weight_decay : float
    decoupled : bool
        False puts ``weight_decay * weights`` into the gradient (L2, ``torch.optim.Adam``); True
        shrinks the weights beside the step (``torch.optim.AdamW``).

    Returns
    -------
    torch.Tensor

    References
    ----------
    Kingma and Ba (2015), "Adam", arXiv:1412.6980, Algorithm 1; Loshchilov and Hutter (2019),
    "Decoupled weight decay regularization", arXiv:1711.05101, Algorithm 2.
    """
    if decoupled:
        weights = weights * (1 - lr * weight_decay)
    else:
        gradient = gradient + weight_decay * weights
    t = state["t"] = state.get("t", 0) + 1
    mean = state["mean"] = 0.9 * state.get("mean", 0) + 0.1 * gradient
    square = state["square"] = 0.999 * state.get("square", 0) + 0.001 * gradient**2
    mean, square = mean / (1 - 0.9**t), square / (1 - 0.999**t)
    return weights - lr * mean / (square.sqrt() + 1e-8)


def l2sp(model: nn.Module, start: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return half the squared distance of a model's weights from a starting point.

    Weights that have no starting point, such as those of a new head, are pulled to 0.

    Parameters
    ----------
    model : nn.Module
    start : dict of str to torch.Tensor
        Name of a parameter to its pretrained value.

    Returns
    -------
    torch.Tensor
        A scalar; its gradient is the difference from the starting point.

    References
    ----------
    Li, Grandvalet and Davoine (2018), "Explicit inductive bias for transfer learning with
    convolutional networks", arXiv:1802.01483, equation 3 with alpha = beta.
    """
    moves = (p - start[n] if n in start else p for n, p in model.named_parameters())
    return sum(move.square().sum() for move in moves) / 2


def mixup(images: torch.Tensor, alpha: float, generator: np.random.Generator):
    """Blend each picture of a batch with another one of the batch.

    Returns
    -------
    images : torch.Tensor
        ``share * images + (1 - share) * images[partner]``.
    partner : torch.Tensor, shape (n,), int64
    share : float
        Drawn from Beta(alpha, alpha), one for the batch.

    References
    ----------
    Zhang et al. (2018), "mixup: beyond empirical risk minimization", arXiv:1710.09412, section 2.
    """
    if not alpha > 0:
        raise ValueError(f"alpha is {alpha}: mixup needs a number above 0.")
    share = float(generator.beta(alpha, alpha))
    partner = torch.from_numpy(generator.permutation(len(images))).to(images.device)
    return share * images + (1 - share) * images[partner], partner, share


def objective(start: dict, pull=0.0, smoothing=0.0, blend=0.0, seed: int = 0) -> Callable:
    """Return a loss for `training.fit`: cross-entropy with up to three regularisers.

    Parameters
    ----------
    start : dict of str to torch.Tensor
        See `l2sp`.
    pull : float
        Factor of the L2-SP penalty.
    smoothing : float
        Share of each label that is spread over all classes (Szegedy et al. 2016, section 7).
    blend : float
        Mixup's alpha.
    """
    generator = np.random.default_rng([seed, 5])

    def loss(model, images, labels):
        error = partial(cross_entropy, label_smoothing=smoothing)
        if blend:
            images, partner, share = mixup(images, blend, generator)
        scores = model(images)
        found = error(scores, labels)
        if blend:
            found = share * found + (1 - share) * error(scores, labels[partner])
        return found + pull * l2sp(model, start) if pull else found

    return loss
