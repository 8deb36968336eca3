"""Does it travel? The headline methods on digits that nobody chose anything for: MNIST, USPS, SEMEION.

Nothing is tuned again: settings are those of lesson 01, chosen on other targets. The three sets are shown as
they are: the digits of USPS and SEMEION fill their pictures, ours and MNIST's leave a margin.
"""

from functools import cache

import torch

from tlcourse import data, experiment, models, plots
from tlcourse.data import ImageSet, Splits
from tlcourse.league.blocks import LIVE, Block, Row
from tlcourse.lessons.ch01_concepts import measure, transfer
from tlcourse.verdicts import Table

METHODS = (
    "SVM on pixels",
    "CNN from scratch + augmentation",
    "frozen features + logistic regression",
    "fine-tuning",
)
TARGETS = {
    "MNIST": data.mnist_splits,
    "USPS": data.usps_splits,
    "SEMEION": data.semeion_splits,
}
BUDGETS = (2, 5, 20)  # labels a class
PICTURES = 2000  # of MNIST's 10,000 test digits, so that what is stored stays small


@cache
def target(name: str) -> Splits:
    """Return one of `TARGETS`; of MNIST's test set the first 2,000 pictures of a fixed shuffle."""
    splits = TARGETS[name]()
    return splits._replace(test=first(splits.test)) if name == "MNIST" else splits


def first(test: ImageSet, n: int = PICTURES) -> ImageSet:
    """Return `n` pictures, the same each time."""
    return test.subset(torch.randperm(len(test), generator=torch.Generator().manual_seed(0))[:n])


def part(name: str, per_class: int, method: str) -> str:
    """Return the name under which a result is stored."""
    return f"{name}, {per_class} labels: {method}"


PARTS = {part(t, k, m): (t, k, m) for t in TARGETS for k in BUDGETS for m in METHODS}


def read(seed: int, which: str) -> dict:
    """Learn one of `PARTS` from one draw of labels, and say which test pictures are read correctly."""
    name, per_class, method = PARTS[which]
    learned = transfer.learn(
        target(name), transfer.chosen_settings(BUDGETS), per_class, seed, [method]
    )
    return {which: measure.right(learned[method], target(name).test)}


BLOCK = Block(51, 10, tuple(PARTS), read, [transfer.SETTINGS, models.WEIGHTS / "letters.pt"])


def row(name: str, per_class: int, method: str, seeds: int = LIVE) -> Row:
    """Compute two seeds of one result again, where the data are; see `data.usps_splits` where not."""
    return BLOCK.again(part(name, per_class, method), seeds)


def intervals() -> dict[str, dict[str, list]]:
    """Return by data set and method one ``(low, mean, high)`` for each of `BUDGETS`, from the store.

    95 % intervals over seeds and test pictures.
    """
    stored = BLOCK.results()
    return {
        name: {
            m: [experiment.two_way_interval(stored[part(name, k, m)]) for k in BUDGETS]
            for m in METHODS
        }
        for name in TARGETS
    }


def figure(title: str | None = None):
    """Plot what is stored: accuracy against labels a class, one panel a data set."""
    return plots.label_efficiency_on(BUDGETS, intervals(), title)


def table() -> Table:
    """Return what is stored as a table: data set and labels a class, and each method's accuracy."""
    stored = BLOCK.results()
    rows = [
        [name, str(k), *(BLOCK.share(stored[part(name, k, m)]) for m in METHODS)]
        for name in TARGETS
        for k in BUDGETS
    ]
    note = f"{BLOCK.n} seeds; 95 % intervals over seeds and test pictures; nothing retuned"
    return Table([["digits of", "labels a class", *METHODS], *rows], note)
