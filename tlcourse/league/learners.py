"""How the methods of lessons 02b to 07c learn our digits: ``learn(train, seed) -> predict``.

Each calls the lesson's own code with the lesson's own stored settings; ``predict(images) -> labels``.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch.func import functional_call, vmap

from tlcourse import models, settings, training
from tlcourse.data import ImageSet, digits, printed_digits
from tlcourse.data.perturb import perturb
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch02b_pictures import finetuning
from tlcourse.lessons.ch04_regularization import comparison as regularizing
from tlcourse.lessons.ch05_multitask import tasks
from tlcourse.lessons.ch05_multitask import training as multitask
from tlcourse.lessons.ch06_maml import episodes, maml
from tlcourse.lessons.ch07b_scaling import scaling
from tlcourse.lessons.ch07c_augmentation import comparison as augmenting

LABELS = 5  # a class
MULTITASK_LR = 0.01  # as in lesson 05
PRINT_STEPS = 400  # on printed digits: more than lesson 07b has time for
PRINT_STRENGTH = 1.0  # of their perturbation, as in the pretraining of the backbones


# ── lessons 01, 02b, 04, 07c: as they are there ─────────────────────────────────────────────


def as_in_lesson_01(name: str, train: ImageSet, seed: int) -> Callable:
    """Learn with one of `transfer.METHODS` and its stored settings."""
    chosen = transfer.chosen_settings([LABELS])[name][LABELS]
    return transfer.METHODS[name](train, seed, **chosen)


def as_in_lesson_02b(name: str, train: ImageSet, seed: int) -> Callable:
    """Fine-tune with one of `finetuning.RECIPES` and its stored settings."""
    chosen = finetuning.chosen_settings()["recipes"][name][LABELS]
    return finetuning.RECIPES[name](train, seed, **chosen)


def best_pair() -> dict:
    """Return lesson 04's stored best two regularisers for clean labels, as settings of its `learn`."""
    return regularizing.recipes(settings.stored(regularizing.SETTINGS)["clean"])["best pair"]


def regularized(train: ImageSet, seed: int) -> Callable:
    """Fine-tune with the best pair of regularisers of lesson 04."""
    return partial(training.predict, regularizing.learn(train, seed, **best_pair()))


def with_copies(name: str, train: ImageSet, seed: int) -> Callable:
    """Learn with one of lesson 07c's methods, from the pictures and affine copies of them."""
    chosen = augmenting.chosen_settings()[name]["affine"][LABELS]
    return augmenting.learn_one(name, "affine", train, seed, **chosen)


def small_network(train: ImageSet, seed: int) -> Callable:
    """Train lesson 07c's network of one hidden layer from random weights, with affine copies."""
    chosen = augmenting.chosen_settings()[augmenting.SCRATCH]["affine"][LABELS]
    bank = augmenting.bank(train, seed, "affine", chosen["strength"])
    network = augmenting.learn([bank], [seed], lr=chosen["lr"])

    @torch.no_grad()
    def predict(images):
        return network(images.flatten(1))["class"][0].argmax(-1)

    return predict


# ── fine-tuning with augmentation ───────────────────────────────────────────────────────────


def fine_tune_augmented(
    train: ImageSet, seed: int, lr: float = 5e-3, strength: float = 0.5, steps: int = 100
) -> Callable:
    """Fine-tune on randomly perturbed copies, as lesson 01's network from scratch with augmentation."""
    augment = partial(perturb, strength=strength, coarse=0.0)
    return transfer.fine_tune(train, seed, lr, steps, augment=augment)


# ── lesson 05: features of three yes-or-no tasks ────────────────────────────────────────────


def others(pool: ImageSet, train: ImageSet) -> torch.Tensor:
    """Return the positions in `pool` of the pictures that are not in `train`."""
    same = (pool.images.flatten(1)[:, None] == train.images.flatten(1)).all(-1)
    return (~same.any(1)).nonzero()[:, 0]


def multitask_features(train: ImageSet, seed: int) -> Callable:
    """Read the features of a network that learned three yes-or-no questions about other digits.

    Is it odd, has it a loop, is it 5 or more? All other pictures of the pool come with these answers,
    which together tell six groups of digits apart: no other method is given as much.
    """
    pool = digits().pool
    rows, asked = others(pool, train)[None], tasks.group_tasks(pool)
    network = multitask.train(
        tasks.pixels(pool.images), asked, rows, [seed], lr=MULTITASK_LR
    ).network

    @torch.no_grad()
    def represent(images):
        return network.features(tasks.pixels(images))[0].numpy()

    return transfer.fit_estimator(LogisticRegression(max_iter=1000), represent, train)


# ── lesson 06: meta-trained networks ────────────────────────────────────────────────────────


def one_by_one(model, weights: dict, support: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Return a network's outputs for the support set and one picture, for each of the pictures.

    BatchNorm normalises with what is shown together, so each picture stands alone with the support
    set: no test picture helps to read another.

    Returns
    -------
    torch.Tensor, shape (n, len(support) + 1, d)
        The picture comes last.
    """

    def together(image):
        return functional_call(model, weights, (torch.cat([support, image[None]]),))

    with torch.no_grad():
        return torch.cat([vmap(together)(part) for part in images.split(50)])


def adapted(train: ImageSet, seed: int, steps: int = episodes.STEPS, lr: float = episodes.LR):
    """Adapt lesson 06's network of second-order MAML to all classes at once.

    It was meta-trained for five classes: here each class starts from the mean of its five heads.
    """
    weights = episodes.load("maml-second-order")
    for name in ("head.weight", "head.bias"):
        mean = weights[name].mean(1, keepdim=True)
        weights[name] = mean.repeat_interleave(len(train.names), 1)
    model, support = episodes.network(len(train.names)), (train.images[None], train.labels[None])
    fast = maml.adapt(model, weights, support, F.cross_entropy, steps, lr)
    fast = {name: w[0].detach() for name, w in fast.items()}
    return lambda images: one_by_one(model, fast, train.images, images)[:, -1].argmax(-1)


def nearest_prototype(train: ImageSet, seed: int) -> Callable:
    """Name each picture after the nearest class mean of features of lesson 06's ProtoNet."""
    model, weights = episodes.network(), episodes.load("protonet")
    body = {n.removeprefix("body."): w[0] for n, w in weights.items() if n.startswith("body.")}

    def predict(images):
        features = one_by_one(model.body, body, train.images, images)
        support, query, labels = features[:, :-1], features[:, -1:], train.labels
        labels = labels.expand(len(images), -1)
        scores = episodes.centroid_scores(support, labels, query, len(train.names))
        return scores[:, 0].argmax(-1)

    return predict


def nearest_centroid(train: ImageSet, seed: int) -> Callable:
    """Name each picture after the class mean of frozen features at the smallest angle; see lesson 06."""
    backbone, labels = models.load_backbone("letters"), train.labels[None]

    def represent(images):
        return torch.from_numpy(models.features(backbone, images))[None]

    def predict(images):
        parts = represent(train.images), labels, represent(images)
        return episodes.cosine_scores(*parts, len(train.names))[0].argmax(-1)

    return predict


# ── lesson 07b: print aligned with handwriting ──────────────────────────────────────────────


def print_and_coral(train: ImageSet, seed: int) -> Callable:
    """Learn from printed digits alone, and move their features to those of the handwritten pool."""
    printed = printed_digits()
    model, seen = scaling.train_on_print(printed, PRINT_STRENGTH, seed, PRINT_STEPS)
    return scaling.coral_reader(model, seen, printed.labels.repeat(2), digits().pool.images)
