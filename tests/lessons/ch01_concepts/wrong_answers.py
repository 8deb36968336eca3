"""Typical wrong answers to every exercise, each with words of the message that names its mistake."""

import copy
import math

import numpy as np
import torch
from lessons.ch01_concepts import right_answers
from lessons.ch01_concepts.right_answers import draw_by_choice, features, interval
from scipy import stats
from torch import nn

# ── balanced_draw ───────────────────────────────────────────────────────────────────────────


def unbalanced(labels, per_class, seed):
    size = per_class * (labels.max() + 1)
    if per_class > np.bincount(labels).min():
        raise ValueError("too few")
    return np.random.default_rng(seed).choice(len(labels), size, replace=False)


def with_replacement(labels, per_class, seed):
    rng = np.random.default_rng(seed)
    classes = range(labels.max() + 1)
    return np.concatenate([rng.choice(np.flatnonzero(labels == k), per_class) for k in classes])


def first_ones(labels, per_class, seed):
    if per_class > np.bincount(labels).min():
        raise ValueError("too few")
    classes = range(labels.max() + 1)
    return np.concatenate([np.flatnonzero(labels == k)[:per_class] for k in classes])


def inside_each_class(labels, per_class, seed):
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.choice(n, per_class, replace=False) for n in np.bincount(labels)],
    )


def same_places(labels, per_class, seed):
    classes = range(labels.max() + 1)
    return np.concatenate(
        [
            np.random.default_rng(seed).choice(
                np.flatnonzero(labels == k), per_class, replace=False
            )
            for k in classes
        ]
    )


def no_seed(labels, per_class, seed):
    return draw_by_choice(labels, per_class, None)


def too_few_goes_unnoticed(labels, per_class, seed):
    rng = np.random.default_rng(seed)
    classes = range(labels.max() + 1)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(labels == k))[:per_class] for k in classes]
    )


def wrong_error(labels, per_class, seed):
    if per_class > np.bincount(labels).min():
        raise KeyError("too few")
    return draw_by_choice(labels, per_class, seed)


def the_labels(labels, per_class, seed):
    return labels[draw_by_choice(labels, per_class, seed)]


def a_mask(labels, per_class, seed):
    mask = np.zeros(len(labels), dtype=bool)
    mask[draw_by_choice(labels, per_class, seed)] = True
    return mask


def floats(labels, per_class, seed):
    return draw_by_choice(labels, per_class, seed).astype(float)


def per_class_in_all(labels, per_class, seed):
    return np.random.default_rng(seed).choice(len(labels), per_class, replace=False)


def one_missing(labels, per_class, seed):
    return draw_by_choice(labels, per_class, seed)[1:]


def counted_from_one(labels, per_class, seed):
    return draw_by_choice(labels, per_class, seed) + len(labels)


def never_the_last(labels, per_class, seed):
    rng = np.random.default_rng(seed)
    if per_class > np.bincount(labels).min():
        raise ValueError("too few")
    drawn = []
    for k in range(labels.max() + 1):
        mine = np.flatnonzero(labels == k)
        drawn.append(rng.choice(mine[: max(per_class, 4)], per_class, replace=False))
    return np.concatenate(drawn)


def sorts_its_input(labels, per_class, seed):
    labels.sort()
    return draw_by_choice(labels, per_class, seed)


# ── freeze ──────────────────────────────────────────────────────────────────────────────────


def only_requires_grad(module):
    module.requires_grad_(False)


def requires_grad_and_eval(module):
    module.requires_grad_(False)
    module.eval()


def only_eval(module):
    module.eval()
    module.train = lambda mode=True: module


def a_copy(module):
    frozen = copy.deepcopy(module)
    frozen.requires_grad_(False)
    frozen.train = lambda mode=True: frozen
    return frozen.eval()


def only_top_level(module):
    module.requires_grad_(False)
    for layer in module.children():
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            layer.eval()
            layer.train = lambda mode=True: None


def only_batchnorm2d(module):
    module.requires_grad_(False)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eval()
            layer.train = lambda mode=True: None


def not_the_norms_weights(module):
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            layer.requires_grad_(False)
    module.eval()
    module.train = lambda mode=True: module


def attribute_of_the_module(module):
    module.requires_grad = False  # a plain new attribute: nothing is frozen


def momentum_zero(module):
    module.requires_grad_(False)
    for layer in module.modules():
        if hasattr(layer, "momentum"):
            layer.momentum = 0.0


def no_tracking(module):
    module.requires_grad_(False)
    for layer in module.modules():
        if hasattr(layer, "track_running_stats"):
            layer.track_running_stats = False


def gradients_off(module):
    torch.set_grad_enabled(False)


def hook_that_returns(module):
    module.requires_grad_(False)
    for layer in module.modules():
        if hasattr(layer, "running_mean"):
            layer.register_forward_pre_hook(lambda layer, inputs: layer.eval())


def without_norms(module):
    module.requires_grad_(False)
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if "BatchNorm" in type(child).__name__:
                setattr(parent, name, nn.Identity())


# ── paired_interval ─────────────────────────────────────────────────────────────────────────


def around(ours, baseline, half):
    mean = (ours - baseline).mean()
    return mean - half, mean, mean + half


def unpaired(ours, baseline):
    n = len(ours)
    spread = np.sqrt((ours.var(ddof=1) + baseline.var(ddof=1)) / n)
    return around(ours, baseline, stats.t.ppf(0.975, 2 * n - 2) * spread)


def ddof_0(ours, baseline):
    n = len(ours)
    spread = (ours - baseline).std() / np.sqrt(n)
    return around(ours, baseline, stats.t.ppf(0.975, n - 1) * spread)


def normal(ours, baseline):
    spread = (ours - baseline).std(ddof=1) / np.sqrt(len(ours))
    return around(ours, baseline, stats.norm.ppf(0.975) * spread)


def normal_and_ddof_0(ours, baseline):
    return around(ours, baseline, 1.96 * (ours - baseline).std() / np.sqrt(len(ours)))


def swapped(ours, baseline):
    return interval(baseline, ours)


def standard_deviation(ours, baseline):
    n = len(ours)
    return around(ours, baseline, stats.t.ppf(0.975, n - 1) * (ours - baseline).std(ddof=1))


def level_90(ours, baseline):
    n = len(ours)
    spread = (ours - baseline).std(ddof=1) / np.sqrt(n)
    return around(ours, baseline, stats.t.ppf(0.95, n - 1) * spread)


def n_degrees_of_freedom(ours, baseline):
    n = len(ours)
    spread = (ours - baseline).std(ddof=1) / np.sqrt(n)
    return around(ours, baseline, stats.t.ppf(0.975, n) * spread)


def mean_first(ours, baseline):
    low, mean, high = interval(ours, baseline)
    return mean, low, high


def rounded(ours, baseline):
    return np.round(interval(ours, baseline), 4)


def median(ours, baseline):
    low, _, high = interval(ours, baseline)
    return low, np.median(ours - baseline), high


def percentiles(ours, baseline):
    d = ours - baseline
    return np.percentile(d, 2.5), d.mean(), np.percentile(d, 97.5)


def range_of_differences(ours, baseline):
    d = ours - baseline
    return d.min(), d.mean(), d.max()


def only_the_ends(ours, baseline):
    low, _, high = interval(ours, baseline)
    return low, high


def one_of_the_means(ours, baseline):
    low, _, high = interval(ours, baseline)
    return low, ours.mean(), high


def ten_times(ours, baseline):
    low, mean, high = interval(ours, baseline)
    return mean - 10 * (mean - low), mean, mean + 10 * (high - mean)


# ── labels_to_match ─────────────────────────────────────────────────────────────────────────


def over_budgets(budgets, accuracy, target):
    if accuracy.max() < target:
        return math.inf
    i = np.argmax(accuracy >= target)
    return np.interp(target, accuracy[max(0, i - 1) : i + 1], budgets[max(0, i - 1) : i + 1])


def first_that_is_enough(budgets, accuracy, target):
    enough = budgets[accuracy >= target]
    return enough[0] if len(enough) else math.inf


def last_when_never(budgets, accuracy, target):
    return np.exp(np.interp(target, accuracy, np.log(budgets)))


def none_when_never(budgets, accuracy, target):
    if accuracy.max() >= target:
        return last_when_never(budgets, accuracy, target)


def nan_when_never(budgets, accuracy, target):
    return np.exp(np.interp(target, accuracy, np.log(budgets), right=np.nan))


def interp_over_a_dip(budgets, accuracy, target):
    if accuracy.max() < target:
        return math.inf
    return last_when_never(budgets, accuracy, target)


def last_crossing(budgets, accuracy, target):
    if accuracy[0] >= target and (accuracy >= target).all():
        return budgets[0]
    if accuracy[-1] < target:
        return math.inf
    i = np.flatnonzero(accuracy < target).max() + 1
    return last_when_never(budgets[i - 1 : i + 1], accuracy[i - 1 : i + 1], target)


def below_the_first(budgets, accuracy, target):
    slope = np.log(budgets[1] / budgets[0]) / (accuracy[1] - accuracy[0])
    if accuracy[0] >= target:
        return budgets[0] * np.exp(slope * (target - accuracy[0]))
    return interp_over_a_dip(budgets, accuracy, target)


def nonsense_number(budgets, accuracy, target):
    if accuracy[0] >= target or accuracy.max() < target:
        return interp_over_a_dip(budgets, accuracy, target)
    return 3.21


# ── diagnose ────────────────────────────────────────────────────────────────────────────────


def only_gradients(before, after):
    names = [name for name in before if not torch.equal(before[name], after[name])]
    return "weights moved" if names else "nothing moved"


def norms_by_layer(before, after):
    norms = {name.rpartition(".")[0] for name in before if name.endswith("running_mean")}
    names = [name for name in before if not torch.equal(before[name], after[name])]
    statistics = any(name.rpartition(".")[0] in norms for name in names)
    weights = any(name.rpartition(".")[0] not in norms for name in names)
    words = ["nothing moved", "weights moved", "statistics moved", "both moved"]
    return words[weights + 2 * statistics]


def only_the_mean(before, after):
    names = [name for name in before if not torch.equal(before[name], after[name])]
    statistics = any(name.endswith("running_mean") for name in names)
    weights = any(name.endswith(("weight", "bias")) for name in names)
    words = ["nothing moved", "weights moved", "statistics moved", "both moved"]
    return words[weights + 2 * statistics]


def by_identity(before, after):
    return "both moved" if any(before[n] is not after[n] for n in before) else "nothing moved"


def by_dict_equality(before, after):
    return "nothing moved" if before == after else "both moved"


def other_words(before, after):
    return "Nothing moved." if all(torch.equal(before[n], after[n]) for n in before) else "moved"


# ── linear_probe_features ───────────────────────────────────────────────────────────────────


@torch.no_grad()
def train_mode(backbone, images, batch_size):
    return torch.cat([backbone(batch) for batch in images.split(batch_size)])


def with_gradient(backbone, images, batch_size):
    was = backbone.training
    backbone.eval()
    result = torch.cat([backbone(batch) for batch in images.split(batch_size)])
    backbone.train(was)
    return result


def all_at_once(backbone, images, batch_size):
    return features(backbone, images, len(images))


def one_by_one(backbone, images, batch_size):
    return features(backbone, images, 1)


def drops_the_last(backbone, images, batch_size):
    return features(backbone, images[: len(images) // batch_size * batch_size], batch_size)


def shuffled(backbone, images, batch_size):
    return features(backbone, images[torch.randperm(len(images))], batch_size)


@torch.no_grad()
def stays_in_eval(backbone, images, batch_size):
    backbone.eval()
    return torch.cat([backbone(batch) for batch in images.split(batch_size)])


def a_list(backbone, images, batch_size):
    return list(features(backbone, images, batch_size).split(batch_size))


def averaged(backbone, images, batch_size):
    return features(backbone, images, batch_size).mean(1, keepdim=True)


def halved(backbone, images, batch_size):
    return features(backbone, images, batch_size) / 2


def pixels(backbone, images, batch_size):
    return images.flatten(1)


def leaves_gradients_off(backbone, images, batch_size):
    torch.set_grad_enabled(False)
    return features(backbone, images, batch_size)


def resets_the_norms(backbone, images, batch_size):
    result = features(backbone, images, batch_size)
    for layer in backbone.modules():
        if hasattr(layer, "reset_running_stats"):
            layer.reset_running_stats()
    return result


def attached_again(backbone, images, batch_size):
    return features(backbone, images, batch_size).requires_grad_()


def a_block(labels, per_class, seed):
    rng, taken = np.random.default_rng(seed), []
    for k in range(labels.max() + 1):
        mine = np.flatnonzero(labels == k)
        if len(mine) < per_class:
            raise ValueError("too few")
        taken.append(np.roll(mine, rng.integers(len(mine)))[:per_class])
    return np.concatenate(taken)


def moved_by(size):
    """A diagnosis that compares one number of each entry."""

    def diagnose(before, after):
        kept = {k: before[k] if size(before[k]) == size(after[k]) else after[k] for k in before}
        return right_answers.diagnose(before, kept)

    return diagnose


by_means = moved_by(lambda value: value.double().mean())
by_lengths = moved_by(lambda value: value.double().norm())
by_sorting = moved_by(lambda value: value.ravel().sort().values.tolist())


def leaves_after_a_while(module):
    right_answers.freeze_by_overriding_train(module)
    module.train = lambda mode=True: torch.nn.Module.train(module, mode)


def frozen_head_too(module):
    right_answers.freeze_by_overriding_train(module)
    module.register_forward_hook(lambda layer, inputs, output: output.detach() * 0)


def last_batch_only(backbone, images, batch_size):
    return features(backbone, images[-batch_size:], batch_size)


@torch.no_grad()
def forward_in_train_mode(backbone, images, batch_size):
    return torch.cat([backbone.forward(batch) for batch in images.split(batch_size)])


def percent(ours, baseline):
    return tuple(100 * np.array(interval(ours, baseline)))


def scipy_normal(ours, baseline):
    d = ours - baseline
    half = stats.norm.ppf(0.975) * d.std(ddof=1) / np.sqrt(len(d))
    return d.mean() - half, d.mean(), d.mean() + half


def in_decades(budgets, accuracy, target):
    return np.log10(right_answers.labels_by_loop(budgets, accuracy, target))


WRONG = [
    ("balanced_draw", unbalanced, "draw inside each class"),
    ("balanced_draw", with_replacement, "is drawn twice: draw without replacement"),
    ("balanced_draw", first_ones, "all give the same draw"),
    ("balanced_draw", inside_each_class, "positions inside each class"),
    ("balanced_draw", same_places, "make the generator once"),
    ("balanced_draw", no_seed, "two draws with seed="),
    ("balanced_draw", too_few_goes_unnoticed, "raise ValueError there"),
    ("balanced_draw", wrong_error, "must raise ValueError, but"),
    ("balanced_draw", the_labels, "return their positions"),
    ("balanced_draw", a_mask, "np.flatnonzero(mask)"),
    ("balanced_draw", floats, "return whole numbers, type int"),
    ("balanced_draw", per_class_in_all, "is meant for EACH class"),
    ("balanced_draw", one_missing, "positions: return an array of"),
    ("balanced_draw", counted_from_one, "lies outside 0 …"),
    ("balanced_draw", never_the_last, "the same chance"),
    ("balanced_draw", sorts_its_input, "changed its input"),
    ("freeze", only_requires_grad, "which requires_grad does not stop"),
    ("freeze", requires_grad_and_eval, "the loop called model.train(), which undid your eval()"),
    ("freeze", only_eval, "set requires_grad to False, as"),
    ("freeze", a_copy, "change the given module in place"),
    ("freeze", only_top_level, "module.modules() reaches every one"),
    ("freeze", only_batchnorm2d, "BatchNorm1d as well as BatchNorm2d"),
    ("freeze", not_the_norms_weights, "for every weight, BatchNorm's own too"),
    ("freeze", attribute_of_the_module, "module.requires_grad_(False)"),
    ("freeze", momentum_zero, "went on counting"),
    ("freeze", no_tracking, "BatchNorm normalises by the batch"),
    ("freeze", gradients_off, "so the head cannot learn"),
    ("freeze", hook_that_returns, "a pre-hook must return None"),
    ("freeze", without_norms, "keep its weights"),
    ("paired_interval", unpaired, "the interval is unpaired"),
    ("paired_interval", ddof_0, "np.std divides by n unless you give ddof=1"),
    ("paired_interval", normal, "1.96 belongs to the normal distribution"),
    ("paired_interval", normal_and_ddof_0, "ddof=1; also, 1.96 belongs to"),
    ("paired_interval", swapped, "the sign is swapped"),
    ("paired_interval", standard_deviation, "not divided by √n"),
    ("paired_interval", level_90, "gives a 90 % interval"),
    ("paired_interval", n_degrees_of_freedom, "degrees of freedom"),
    ("paired_interval", mean_first, "return (low, mean, high)"),
    ("paired_interval", rounded, "rounded to 4 decimals"),
    ("paired_interval", median, "is the median of the differences"),
    ("paired_interval", percentiles, "percentiles say where single differences lie"),
    ("paired_interval", range_of_differences, "a t interval is symmetric"),
    ("paired_interval", only_the_ends, "three numbers (low, mean, high)"),
    ("paired_interval", one_of_the_means, "the mean of ours - baseline is another"),
    ("paired_interval", ten_times, "t quantile times standard error"),
    ("labels_to_match", over_budgets, "interpolate over their logarithms"),
    ("labels_to_match", first_that_is_enough, "the first budget that is enough"),
    ("labels_to_match", last_when_never, "the target is never reached: return math.inf"),
    ("labels_to_match", none_when_never, "returned None: does it end with a `return` line?"),
    ("labels_to_match", nan_when_never, "you returned NaN"),
    ("labels_to_match", interp_over_a_dip, "the curve has a dip"),
    ("labels_to_match", last_crossing, "you return where the target stays reached"),
    ("labels_to_match", below_the_first, "the first budget already reaches the target"),
    ("labels_to_match", nonsense_number, "and you returned 3.21"),
    ("diagnose", only_gradients, "buffers that no optimiser touches"),
    ("diagnose", norms_by_layer, "is a weight, in BatchNorm too"),
    ("diagnose", only_the_mean, "moved, and you said"),
    ("diagnose", by_identity, "compare with torch.equal"),
    ("diagnose", by_dict_equality, "raised RuntimeError: Boolean value of Tensor"),
    ("diagnose", other_words, "return one of nothing moved"),
    ("linear_probe_features", train_mode, "ran in train mode, and '1.running_mean' moved"),
    ("linear_probe_features", with_gradient, "gradients were recorded"),
    ("linear_probe_features", all_at_once, "more than batch_size="),
    ("linear_probe_features", one_by_one, "at a time, which makes"),
    ("linear_probe_features", drops_the_last, "the last, shorter batch"),
    ("linear_probe_features", shuffled, "do not shuffle"),
    ("linear_probe_features", stays_in_eval, "put that mode back"),
    ("linear_probe_features", a_list, "join them with torch.cat"),
    ("linear_probe_features", averaged, "return features of shape"),
    ("linear_probe_features", halved, "return them unchanged"),
    ("linear_probe_features", pixels, "never calls the backbone"),
    ("linear_probe_features", leaves_gradients_off, "left gradients switched off"),
    ("linear_probe_features", resets_the_norms, "changed: leave it as it was"),
    ("linear_probe_features", attached_again, "the features still carry gradients"),
    ("balanced_draw", a_block, "of the 28 pairs that a class of 8 can give"),
    ("diagnose", by_means, "and you said 'nothing moved'"),
    ("diagnose", by_lengths, "moved, and you said"),
    ("diagnose", by_sorting, "moved, and you said"),
    ("freeze", leaves_after_a_while, "moved"),
    ("freeze", frozen_head_too, "from those of the pretrained module"),
    ("linear_probe_features", last_batch_only, "return features of shape"),
    ("linear_probe_features", forward_in_train_mode, "ran in train mode"),
    ("paired_interval", percent, "and you returned"),
    ("paired_interval", scipy_normal, "take Student's t"),
    ("labels_to_match", in_decades, "and you returned"),
]
