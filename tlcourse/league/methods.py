"""Every way of the course to read our digits from 5 labels a class, with what each is given.

A method is ``method(train, seed) -> predict``, with ``predict(images) -> labels``. All get the same 50
labelled pictures, or use none of them and say so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from inspect import signature
from pathlib import Path

from tlcourse import models, settings
from tlcourse.data import ImageSet
from tlcourse.league import learners
from tlcourse.league.learners import LABELS
from tlcourse.lessons.ch01_concepts import measure, pretrain, transfer
from tlcourse.lessons.ch02b_pictures import finetuning
from tlcourse.lessons.ch04_regularization import comparison as regularizing
from tlcourse.lessons.ch05_multitask import training as multitask
from tlcourse.lessons.ch06_maml import episodes
from tlcourse.lessons.ch07b_scaling import scaling
from tlcourse.lessons.ch07c_augmentation import comparison as augmenting
from tlcourse.verdicts import Care

SETTINGS = Path(__file__).with_suffix(".json")
SHOWN = pretrain.STEPS * pretrain.BATCH  # pictures that the backbone of the letters saw
# What these rooms choose themselves: of six candidates, as lesson 01 does.
CHOSEN = {"fine-tuning + augmentation": learners.fine_tune_augmented, "MAML": learners.adapted}
CANDIDATES = {
    "fine-tuning + augmentation": transfer.CANDIDATES["CNN from scratch + augmentation"],
    "MAML": [{"steps": steps, "lr": lr} for steps in (5, 10, 20) for lr in (0.1, 0.2)],
}


@dataclass(frozen=True)
class Method:
    """One way to read digits.

    Attributes
    ----------
    lesson : str
        Where it is explained.
    learn : callable
        ``learn(train, seed) -> predict``.
    care : callable
        Returns what it is given beside the labelled pictures, read off code and stored choices.
    beside : str
        What else it sees of our digits; empty for nothing.
    """

    lesson: str
    learn: Callable
    care: Callable[[], Care]
    beside: str = ""

    def __call__(self, train: ImageSet, seed: int) -> Callable:
        """Learn from a few labelled pictures; return ``predict(images) -> labels``."""
        return self.learn(train, seed)


# ── what each is given ──────────────────────────────────────────────────────────────────────


def usual(train: Callable, name: str):
    """Return what a function takes when it is not told otherwise."""
    return signature(train).parameters[name].default


def of_recipe(name: str) -> Care:
    """Lesson 02b: probing before tuning takes twice the steps once more, for the head alone."""
    steps, tried = usual(finetuning.RECIPES[name], "steps"), finetuning.CANDIDATES[name]
    return Care(
        LABELS, len(tried), 3 * steps if name == "probe, then tune" else steps, False, SHOWN
    )


def of_pair() -> Care:
    """Lesson 04: every strength of every regulariser was tried, then three pairs."""
    tried = sum(map(len, regularizing.CANDIDATES.values())) + 3
    augmented = "strength" in learners.best_pair()
    return Care(LABELS, tried, regularizing.TRAINING["steps"], augmented, SHOWN)


def of_copies(name: str) -> Care:
    """Lesson 07c, with affine copies."""
    steps = usual(augmenting.learn, "steps") if name == augmenting.SCRATCH else 0
    shown = SHOWN if name == "frozen features + logistic regression" else 0
    return Care(LABELS, len(augmenting.CANDIDATES[name][1]), steps, True, shown)


def of_augmented() -> Care:
    """Fine-tuning with augmentation."""
    steps = usual(learners.fine_tune_augmented, "steps")
    return Care(LABELS, len(CANDIDATES["fine-tuning + augmentation"]), steps, True, SHOWN)


def of_multitask() -> Care:
    """Lesson 05: its one rate; what was trained there was trained on other pictures of our digits."""
    return Care(
        LABELS, 1, 0, False, usual(multitask.train, "steps") * usual(multitask.train, "batch")
    )


def of_adapted() -> Care:
    """Lesson 06, MAML."""
    steps = settings.stored(SETTINGS)["MAML"]["steps"]
    return Care(LABELS, len(CANDIDATES["MAML"]), steps, False, episodes.pictures_shown("maml"))


def of_prototypes() -> Care:
    """Lesson 06, ProtoNet: nothing to choose, nothing to train."""
    return Care(LABELS, 1, 0, False, episodes.pictures_shown("protonet"))


def of_centroids() -> Care:
    """Lesson 06's simple baseline: nothing to choose, nothing to train."""
    return Care(LABELS, 1, 0, False, SHOWN)


def of_print() -> Care:
    """Lesson 07b: all its training is on printed digits, perturbed; no step on ours."""
    return Care(0, 1, 0, True, learners.PRINT_STEPS * scaling.BATCH)


# ── the methods ─────────────────────────────────────────────────────────────────────────────


def as_chosen(name: str, train: ImageSet, seed: int) -> Callable:
    """Learn with one of `CHOSEN` and what ``python -m tlcourse choose league`` chose for it."""
    return CHOSEN[name](train, seed, **settings.stored(SETTINGS)[name])


def _copies(name: str) -> Method:
    return Method("07c", partial(learners.with_copies, name), partial(of_copies, name))


METHODS = {
    name: Method(
        "01",
        partial(learners.as_in_lesson_01, name),
        partial(measure.care_of, name, LABELS),
    )
    for name in transfer.METHODS
}
METHODS |= {
    name: Method("02b", partial(learners.as_in_lesson_02b, name), partial(of_recipe, name))
    for name in finetuning.RECIPES
    if name not in ("feature extraction", "full fine-tuning")  # lesson 01 has them
}
METHODS |= {
    "fine-tuning + augmentation": Method(
        "07c", partial(as_chosen, "fine-tuning + augmentation"), of_augmented
    ),
    "fine-tuning + best pair of regularisers": Method("04", learners.regularized, of_pair),
    "multitask features + logistic regression": Method(
        "05",
        learners.multitask_features,
        of_multitask,
        "750 pictures with three yes-or-no answers each",
    ),
    "MAML": Method("06", partial(as_chosen, "MAML"), of_adapted),
    "ProtoNet": Method("06", learners.nearest_prototype, of_prototypes),
    "frozen features + nearest centroid": Method("06", learners.nearest_centroid, of_centroids),
    "print + CORAL": Method(
        "07b", learners.print_and_coral, of_print, "800 pictures without labels, and no label"
    ),
    "SVM on pixels + affine copies": _copies("SVM on pixels"),
    "frozen features + logistic regression + affine copies": _copies(
        "frozen features + logistic regression"
    ),
    "small network from scratch + affine copies": Method(
        "07c", learners.small_network, partial(of_copies, augmenting.SCRATCH)
    ),
}
RESTS_ON = [
    SETTINGS,
    transfer.SETTINGS,
    finetuning.SETTINGS,
    regularizing.SETTINGS,
    augmenting.SETTINGS,
    models.WEIGHTS / "letters.pt",
    episodes.WEIGHTS / "maml-second-order.pt",
    episodes.WEIGHTS / "protonet.pt",
]


def main() -> None:
    """Choose the settings of fine-tuning with augmentation and of MAML, and write them down."""
    seeds = settings.choosing_seeds()
    found = {
        name: transfer.choose(learn, CANDIDATES[name], LABELS, seeds)
        for name, learn in CHOSEN.items()
    }
    settings.store(SETTINGS, found)
