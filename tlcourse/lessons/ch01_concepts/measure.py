"""Lesson 01: what its claims measure. A part is a function of the seed.

It returns measurements by name: right or wrong for each of the 997 test digits, or one number. The names
are those that ``claims.toml`` uses.
"""

from dataclasses import replace
from functools import cache, partial
from inspect import signature

import numpy as np
from sklearn.linear_model import LogisticRegression

from tlcourse import data, models, settings, training
from tlcourse.data.perturb import corrupt
from tlcourse.lessons.ch01_concepts import pretrain, sources, transfer
from tlcourse.lessons.ch01_concepts.sources import PROBE, SOURCES, TUNED, TURNED
from tlcourse.verdicts import Care

BUDGETS = (2, 5, 20)  # labels a class
SHIFTS = (1, 2, 3)  # pixels
GOAL, LOOKS = 0.90, 100  # learning speed: the accuracy to reach, and the steps it may take
RESTS_ON = [
    transfer.SETTINGS,
    sources.SETTINGS,
    *(models.WEIGHTS / f"{source}.pt" for source in SOURCES),
]
CONDITIONS = {"clean": lambda x: x, "grey paper": lambda x: 0.4 + 0.6 * x}
SCRATCH, STRONG = "CNN from scratch", "CNN from scratch + augmentation"


@cache
def target() -> data.Splits:
    """Return our digits: labels are drawn from 800, and 997 are tested on."""
    return data.digits()


def groups() -> np.ndarray:
    """Return about who wrote each test picture: digits of one hand resemble one another."""
    return target().test.groups.numpy()


def right(predict, test: data.ImageSet) -> np.ndarray:
    """Return which test pictures get their own label, shape (n,)."""
    return (predict(test.images).cpu() == test.labels.cpu()).numpy()


def with_labels(per_class: int, seed: int) -> dict[str, np.ndarray]:
    """Learn with all six methods from one draw of labels; at the largest budget, also test on moved digits."""
    learned = transfer.learn(target(), transfer.chosen_settings(), per_class, seed)
    test = target().test
    found = {f"{per_class} labels: {m}": right(p, test) for m, p in learned.items()}
    if per_class == max(BUDGETS):
        for pixels in SHIFTS:
            moved = replace(test, images=corrupt(test.images, "shift", pixels, seed))
            found |= {f"moved {pixels} px: {m}": right(p, moved) for m, p in learned.items()}
    return found


def steps_needed(target: data.Splits, settings: dict, per_class, seed, method, goal, limit) -> int:
    """Return after how many steps a network's test accuracy first reaches `goal`, looking at each.

    Training stops there. A network that does not get there within `limit` steps counts as `limit`.
    """
    train = data.few_labels(target.pool, per_class, seed)

    def look(step, model):
        models.reestimate_batchnorm(model, train.images)  # as at the end of training
        if training.accuracy(model, target.test.images, target.test.labels) < goal:
            return False
        needed.append(step)
        return True

    needed: list[int] = []
    chosen = settings[method][per_class] | {"steps": limit}
    transfer.METHODS[method](train, seed, **chosen, hook=look, every=1)
    return needed[0] if needed else limit


def speed(seed: int) -> dict[str, float]:
    """Count optimisation steps until accuracy first reaches .90, with 20 labels a class.

    A training that never gets there counts as the last step, a lower bound.
    """
    chosen = transfer.chosen_settings()
    return {
        f"steps to .90: {m}": steps_needed(target(), chosen, 20, seed, m, GOAL, LOOKS)
        for m in (SCRATCH, TUNED)
    }


def from_sources(seed: int) -> dict[str, np.ndarray]:
    """Transfer from three sources, frozen and fine-tuned, with 5 labels a class; and turn the target black on white.

    Each source has the settings that were chosen for it.
    """
    train, chosen = data.few_labels(target().pool, 5, seed), settings.stored(sources.SETTINGS)
    found = {}
    for source in SOURCES:
        for way, method in (("frozen", PROBE), ("fine-tuned", TUNED)):
            learn = partial(transfer.METHODS[method], source=source, **chosen[source][method])
            found[f"{source}, {way}"] = right(learn(train, seed), target().test)
    black, test = (sources.black_on_white(part) for part in (train, target().test))
    predict = transfer.frozen_features(black, seed, source="inverted", **chosen[TURNED][PROBE])
    return found | {TURNED: right(predict, test)}


def grey_paper(seed: int) -> dict[str, np.ndarray]:
    """Read clean digits and digits on grey paper with BatchNorm as it is, or estimated again without labels.

    The head always learned from clean pictures and fixed statistics, from 5 labels a class.
    """
    train, truth = data.few_labels(target().pool, 5, seed), target().test.labels.numpy()
    fixed, found = models.load_backbone("letters"), {}
    head = LogisticRegression(max_iter=1000, **transfer.chosen_settings()[PROBE][5])
    head.fit(models.features(fixed, train.images), train.labels)
    for name, change in CONDITIONS.items():
        again = models.load_backbone("letters")
        models.reestimate_batchnorm(again, change(target().pool.images))
        images = change(target().test.images)
        for way, net in (("fixed", fixed), ("again", again)):
            found[f"{name}, {way}"] = head.predict(models.features(net, images)) == truth
    return found


PARTS = {f"{k} labels": partial(with_labels, k) for k in BUDGETS}
PARTS |= {"speed": speed, "sources": from_sources, "grey paper": grey_paper}


def care_of(method: str, labels: int) -> Care:
    """Read what a method is given off the code that trains it, beside its labels a class."""
    choices = {
        name: p.default for name, p in signature(transfer.METHODS[method]).parameters.items()
    }
    shown = pretrain.STEPS * pretrain.BATCH if choices.get("source") == "letters" else 0
    tried = len(transfer.CANDIDATES[method])
    return Care(labels, tried, choices.get("steps", 0), "strength" in choices, shown)


def care() -> dict[str, Care]:
    """Return what each measured method was given, by measurement."""
    found = {f"{k} labels: {m}": care_of(m, k) for k in BUDGETS for m in transfer.METHODS}
    found |= {f"moved {p} px: {m}": care_of(m, 20) for p in SHIFTS for m in transfer.METHODS}
    looked = partial(replace, steps=LOOKS)
    found |= {f"steps to .90: {m}": looked(care_of(m, 20)) for m in (SCRATCH, TUNED)}
    for source in SOURCES:
        ways = {"frozen": PROBE, "fine-tuned": TUNED}
        found |= {f"{source}, {way}": care_of(method, 5) for way, method in ways.items()}
    probes = [f"{name}, {way}" for name in CONDITIONS for way in ("fixed", "again")]
    return found | dict.fromkeys([*probes, TURNED], care_of(PROBE, 5))
