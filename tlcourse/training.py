"""One plain training loop, and a hook that watches validation accuracy."""

import copy
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from tlcourse import models, runtime


def fit(
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    steps: int,
    *,
    lr: float = 2e-3,
    groups: list[dict] | None = None,
    batch_size: int = 64,
    weight_decay: float = 0.01,
    augment=None,
    loss=None,
    hook=None,
    every: int = 10,
    seed: int = 0,
    description: str | None = None,
) -> list[float]:
    """Train `model` in place with AdamW and a cosine learning rate.

    The budget is counted in optimisation steps, not epochs, so that methods with different
    numbers of labels do equal work. One epoch is ``len(labels) // batch_size`` steps.

    Parameters
    ----------
    model : nn.Module
        Maps images to scores of shape (n, classes). Frozen parameters are left alone.
    images : torch.Tensor, shape (n, 1, side, side)
    labels : torch.Tensor, shape (n,), int64
    steps : int
        Optimisation steps.
    lr : float
        Learning rate of the first step; it falls to 0 along half a cosine.
    groups : list of dict, optional
        Parameters with a learning rate of their own, as an optimiser of PyTorch takes them, such as
        ``[{"params": [...], "lr": 1e-4}]``; only these are trained. Without it, all that are not
        frozen, at `lr`.
    batch_size : int
        Pictures a step; all of them when there are fewer.
    weight_decay : float
        Decoupled weight decay (Loshchilov and Hutter 2019, arXiv:1711.05101).
    augment : callable, optional
        ``augment(images, generator)`` returns a changed copy of each batch.
    loss : callable, optional
        ``loss(model, images, labels)`` returns the number to make small; without it, the
        cross-entropy of the model's scores.
    hook : callable, optional
        ``hook(step, model)``, called after every `every` steps; training stops when it returns
        True. See `Validation`.
    every : int
        Steps between two calls of `hook`.
    seed : int
        Moves the order of the batches and the augmentation.
    description : str, optional
        Words for a progress bar; without them there is none.

    Returns
    -------
    list of float
        The loss of each step.

    Raises
    ------
    ValueError
        If there is no picture, no step, or nothing to train.
    """
    trained = groups or [{"params": [p for p in model.parameters() if p.requires_grad]}]
    if not any(group["params"] for group in trained):
        raise ValueError("every parameter is frozen: leave at least the head trainable.")
    if steps < 1 or len(labels) == 0:
        raise ValueError(f"{steps} steps on {len(labels)} pictures: both must be at least 1.")
    optimizer = torch.optim.AdamW(trained, lr=lr, weight_decay=weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    plan = batches(len(labels), batch_size, steps, generator)
    if description:
        plan = runtime.progress(plan, description, steps)
    losses = []
    model.train()
    for step, batch in enumerate(plan, start=1):
        batch = batch.to(labels.device)
        inputs = augment(images[batch], generator) if augment else images[batch]
        error = (loss or cross_entropy)(model, inputs, labels[batch])
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        schedule.step()
        losses.append(error.detach())  # read at the end: reading now would make a GPU wait
        if hook and step % every == 0:
            if hook(step, model):
                break
            model.train()
    return torch.stack(losses).tolist()


def cross_entropy(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of the model's scores: the usual loss of a classifier."""
    return nn.functional.cross_entropy(model(images), labels)


def batches(n: int, batch_size: int, steps: int, generator: torch.Generator):
    """Yield `steps` index tensors; each epoch goes through a fresh shuffle of the `n` pictures.

    All batches have the same size: what does not fill the last batch of an epoch is left out, and
    has its chance in the next shuffle.
    """
    size = min(n, batch_size)
    order = torch.randperm(n, generator=generator)
    at = 0
    for _ in range(steps):
        if at + size > n:
            order, at = torch.randperm(n, generator=generator), 0
        yield order[at : at + size]
        at += size


def predictor(
    model: nn.Module, images: torch.Tensor, labels: torch.Tensor, steps: int, **settings
) -> Callable:
    """Train a network as `fit` does, bring its BatchNorm up to date, and return how it labels pictures.

    BatchNorm's running averages lag behind weights that have just changed quickly: in short training
    that costs a network several points. One pass over the training pictures brings them up to date.

    Parameters
    ----------
    model, images, labels, steps, **settings
        As in `fit`. A `Validation` with patience as `hook` also restores the best weights.

    Returns
    -------
    callable
        ``predict(images) -> labels``.
    """
    fit(model, images, labels, steps, **settings)
    hook = settings.get("hook")
    if isinstance(hook, Validation) and hook.patience:
        hook.restore(model)
    models.reestimate_batchnorm(model, images)
    return partial(predict, model)


@torch.no_grad()
def predict(model: nn.Module, images: torch.Tensor, batch_size: int = 128) -> torch.Tensor:
    """Return the predicted class of each picture, shape (n,), in evaluation mode.

    Batches of 128 pictures stay in a core's cache: measured, they take two thirds of the time of 512.
    """
    model.eval()
    return torch.cat([model(part).argmax(1) for part in images.split(batch_size)])


def accuracy(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the fraction of pictures that `model` labels correctly, from 0 to 1."""
    return (predict(model, images) == labels).float().mean().item()


class Validation:
    """A hook for `fit`: records validation accuracy, and stops when it no longer rises.

    Parameters
    ----------
    images, labels : torch.Tensor
        Validation pictures, never used for training nor for the final report.
    patience : int, optional
        Stop after this many evaluations in a row without a new best (early stopping; Prechelt
        1998, "Early stopping – but when?"). Without it, the hook only records.

    Attributes
    ----------
    steps, scores : list
        When it was called, and the accuracy then.
    """

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, patience: int | None = None):
        self.images, self.labels, self.patience = images, labels, patience
        self.steps: list[int] = []
        self.scores: list[float] = []
        self.best_state = None

    def __call__(self, step: int, model: nn.Module) -> bool:
        """Record the accuracy after `step`; return whether to stop."""
        score = accuracy(model, self.images, self.labels)
        if not self.scores or score > max(self.scores):
            self.best_state = copy.deepcopy(model.state_dict())
        self.steps.append(step)
        self.scores.append(score)
        since_best = len(self.scores) - 1 - self.scores.index(max(self.scores))
        return self.patience is not None and since_best >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Give `model` the weights it had when its validation accuracy was highest."""
        if self.best_state is None:
            raise ValueError("nothing was recorded yet: pass this hook to fit() first.")
        model.load_state_dict(self.best_state)
