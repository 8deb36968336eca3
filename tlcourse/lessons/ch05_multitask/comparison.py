"""Nine ways to learn class, slant and centre together, compared on equal terms."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from tlcourse.data import ImageSet, Splits, development_targets, few_rows
from tlcourse.lessons.ch05_multitask import rules, tasks, training
from tlcourse.settings import choose, choosing_seeds, store, stored

SETTINGS = Path(__file__).with_suffix(".json")
TRAINING_PICTURES = 300
METHODS = {
    "class alone": rules.plain_sum,
    "plain sum": rules.plain_sum,
    "variance scaling": rules.plain_sum,
    "normalised gradients": rules.normalised,
    "uncertainty": rules.uncertainty,
    "DWA": rules.average_change,
    "GradNorm": rules.gradnorm,
    "PCGrad": rules.pcgrad,
    "IMTL-G": rules.equal_projections,
}
RATES = [{"lr": lr} for lr in (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)]


def _with(knob, values):
    return [rate | {knob: value} for rate in RATES[1:4] for value in values]


# Six settings a method, so that none is tuned with more care than another.
CANDIDATES = dict.fromkeys(METHODS, RATES) | {
    "uncertainty": _with("rate", (0.1, 0.3)),
    "DWA": _with("temperature", (0.5, 2.0)),
    "GradNorm": _with("alpha", (0.5, 1.5)),
}


def learn(target: Splits, method: str, seeds: Sequence[int], settings: dict, watch=False):
    """Train one of `METHODS` on class, slant and centre of 300 pictures a seed."""
    if method not in METHODS:
        raise ValueError(f"unknown method {method!r}: take one of {', '.join(METHODS)}.")
    pool, asked = target.pool, tasks.digit_tasks(target.pool, target.pool)
    if method == "class alone":
        asked = asked[:1]
    elif method == "variance scaling":
        asked = tasks.scaled(asked)
    rows = training.drawn(len(pool), TRAINING_PICTURES, seeds).to(pool.images.device)
    x, rule = tasks.pixels(pool.images), METHODS[method]
    return training.train(x, asked, rows, seeds, rule, watch=watch, **settings)


def measured(target: Splits, trained: training.Trained, part: ImageSet) -> dict:
    """Return the scores on `part` for every task that was trained, as `training.scores` does."""
    asked = [t for t in tasks.digit_tasks(part, target.pool) if t.name in trained.network.heads]
    return training.scores(trained.network, tasks.pixels(part.images), asked)


def few_main_labels(target: Splits, per_class: int, seeds: Sequence[int]) -> tuple:
    """Return a training set in which few pictures have a digit label, all have three answers.

    Every picture occurs twice, with and without its digit. A run's rows repeat its labelled pictures,
    so that half of each batch has a digit label.

    Returns
    -------
    x, tasks, rows
        As `training.train` takes them.
    labelled : torch.Tensor of int64, shape (runs, 10 * per_class)
        The few pictures' numbers.
    """
    pool, n = target.pool, len(target.pool)
    digit = torch.cat([pool.labels, torch.full_like(pool.labels, tasks.UNKNOWN)])
    asked = [tasks.Task("class", digit, 10)]
    asked += [tasks.Task(t.name, t.targets.repeat(2), 2) for t in tasks.group_tasks(pool)]
    labelled = torch.stack([torch.as_tensor(few_rows(pool, per_class, s)) for s in seeds])
    without = (n + torch.arange(n)).expand(len(seeds), n)
    rows = torch.cat([labelled.repeat(1, n // labelled.shape[1]), without], 1)
    return tasks.pixels(pool.images).repeat(2, 1), asked, rows, labelled


def validate(method: str, seed: int, settings: dict, targets=development_targets) -> float:
    """Return the validation accuracy of the class, by which every method's settings are chosen.

    So every method gets its best chance at what the lesson claims about it. It is measured on a seed's
    development targets with enough pictures.
    """

    def on(target):
        trained = learn(target, method, [seed], settings)
        return measured(target, trained, target.validation)["class"].item()

    return np.mean([on(target) for target in targets(seed, TRAINING_PICTURES // 10)])


def chosen_settings() -> dict[str, dict]:
    """Return what ``python -m tlcourse choose multitask`` chose, by method."""
    return stored(SETTINGS)


def main() -> None:
    """Choose all settings on seeds that no report uses, and write them down."""
    chosen = {}
    for method, candidates in CANDIDATES.items():

        def scores(seed, method=method, candidates=candidates):
            return [validate(method, seed, settings) for settings in candidates]

        chosen[method] = choose(candidates, scores, choosing_seeds(), method)
    store(SETTINGS, chosen)
