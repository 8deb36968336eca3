"""Right answers to every exercise, in more than one style: a check must be fair to all."""

import math
import random

import numpy as np
import torch
from scipy import stats

from tlcourse import models


def draw_by_choice(labels, per_class, seed):
    rng = np.random.default_rng(seed)
    classes = range(labels.max() + 1)
    return np.concatenate(
        [rng.choice(np.flatnonzero(labels == k), per_class, replace=False) for k in classes]
    )


def draw_by_shuffling_all(labels, per_class, seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    taken = []
    for k in np.unique(labels):
        mine = [int(i) for i in order if labels[i] == k][:per_class]
        if len(mine) < per_class:
            raise ValueError(f"class {k} is too small")
        taken += mine
    return taken  # a list is as good as an array


def draw_with_torch(labels, per_class, seed):
    generator = torch.Generator().manual_seed(seed)
    taken = []
    for k in range(labels.max() + 1):
        mine = torch.from_numpy(np.flatnonzero(labels == k))
        if len(mine) < per_class:
            raise ValueError("too few")
        taken.append(mine[torch.randperm(len(mine), generator=generator)[:per_class]])
    return torch.cat(taken)


def draw_with_random(labels, per_class, seed):
    random.seed(seed)  # the global generator: poor style, a right answer all the same
    return np.array(
        [
            i
            for k in sorted(set(labels.tolist()))
            for i in random.sample(np.flatnonzero(labels == k).tolist(), per_class)
        ]
    )


def freeze_by_overriding_train(module):
    module.requires_grad_(False)
    module.eval()
    module.train = lambda mode=True: module


def freeze_by_overriding_each_norm(module):
    for weight in module.parameters():
        weight.requires_grad = False
    for layer in module.modules():
        if "BatchNorm" in type(layer).__name__:
            layer.eval()
            layer.train = lambda mode=True, layer=layer: layer
    return module


class FixedNorm(torch.nn.Module):
    """BatchNorm with fixed statistics, after torchvision.ops.FrozenBatchNorm2d."""

    def __init__(self, norm):
        super().__init__()
        self.eps = norm.eps
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, getattr(norm, name).detach().clone())

    def forward(self, x):
        shape = (1, -1) + (1,) * (x.ndim - 2)
        scale = self.weight / (self.running_var + self.eps).sqrt()
        shift = self.bias - self.running_mean * scale
        return x * scale.reshape(shape) + shift.reshape(shape)


def freeze_by_replacing(module):
    module.requires_grad_(False)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if "BatchNorm" in type(child).__name__:
                setattr(parent, name, FixedNorm(child))


def interval(ours, baseline):
    d = ours - baseline
    half = stats.t.ppf(0.975, len(d) - 1) * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean() - half, d.mean(), d.mean() + half


def interval_by_scipy(ours, baseline):
    d = ours - baseline
    low, high = stats.ttest_rel(ours, baseline).confidence_interval(0.95)
    return np.array([low, d.mean(), high])


def labels_by_loop(budgets, accuracy, target):
    for i, reached in enumerate(accuracy):
        if reached >= target and i == 0:
            return budgets[0]
        if reached >= target:
            two = slice(i - 1, i + 1)
            return 10 ** np.interp(target, accuracy[two], np.log10(budgets[two]))
    return math.inf


def labels_by_argmax(budgets, accuracy, target):
    if max(accuracy) < target:
        return float("inf")
    i = int(np.argmax(accuracy >= target))
    if i == 0:
        return torch.tensor(float(budgets[0]))
    slope = (accuracy[i] - accuracy[i - 1]) / np.log2(budgets[i] / budgets[i - 1])
    return budgets[i - 1] * 2 ** ((target - accuracy[i - 1]) / slope)


def diagnose(before, after):
    weights = statistics = False
    for name in before:
        if not torch.equal(before[name], after[name]):
            if name.split(".")[-1] in ("running_mean", "running_var", "num_batches_tracked"):
                statistics = True
            else:
                weights = True
    if weights and statistics:
        return "both moved"
    return "weights moved" if weights else "statistics moved" if statistics else "nothing moved"


def features(backbone, images, batch_size):
    was = backbone.training
    backbone.eval()
    with torch.no_grad():
        batches = [backbone(batch) for batch in torch.split(images, batch_size)]
    backbone.train(was)
    return torch.cat(batches)


@torch.inference_mode()
def features_by_slices(backbone, images, batch_size):
    modes = {layer: layer.training for layer in backbone.modules()}
    backbone.eval()
    rows = []
    for start in range(0, len(images), batch_size):
        rows.extend(backbone(images[start : start + batch_size]).numpy())
    for layer, mode in modes.items():
        layer.training = mode
    return np.array(rows)


def features_by_forward(backbone, images, batch_size):
    was = backbone.training
    try:
        with torch.inference_mode():
            parts = [backbone.eval().forward(batch) for batch in images.split(batch_size)]
    finally:
        backbone.train(was)
    return torch.cat(parts).tolist()


RIGHT = [
    ("balanced_draw", draw_by_choice),
    ("balanced_draw", draw_by_shuffling_all),
    ("balanced_draw", draw_with_torch),
    ("balanced_draw", draw_with_random),
    ("freeze", models.freeze),
    ("freeze", freeze_by_overriding_train),
    ("freeze", freeze_by_overriding_each_norm),
    ("freeze", freeze_by_replacing),
    ("paired_interval", interval),
    ("paired_interval", interval_by_scipy),
    ("labels_to_match", labels_by_loop),
    ("labels_to_match", labels_by_argmax),
    ("diagnose", diagnose),
    ("linear_probe_features", features),
    ("linear_probe_features", features_by_slices),
    ("linear_probe_features", features_by_forward),
]
