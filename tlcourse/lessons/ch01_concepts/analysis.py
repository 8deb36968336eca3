"""Chapter 1, further: robustness, learning curves, and what each block of a backbone knows."""

from dataclasses import replace
from functools import partial

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from tlcourse import models, training
from tlcourse.data import ImageSet, Splits, few_labels
from tlcourse.data.perturb import corrupt
from tlcourse.lessons.ch01_concepts.transfer import METHODS, accuracy, fit_estimator

NETWORKS = ("CNN from scratch", "CNN from scratch + augmentation", "fine-tuning")  # with steps


def robustness(
    learned: dict, test: ImageSet, seed: int, damage: dict[str, tuple]
) -> dict[tuple[str, str], np.ndarray]:
    """Test what was learned from clean pictures on damaged ones.

    Parameters
    ----------
    learned : dict
        From `transfer.learn`.
    damage : dict
        Kind of corruption to its severities; see `tlcourse.data.perturb.corrupt`.

    Returns
    -------
    dict
        ``(method, kind)`` to the accuracy at each severity.
    """
    found = {}
    for kind, severities in damage.items():
        damaged = [corrupt(test.images, kind, severity, seed) for severity in severities]
        tests = [replace(test, images=images) for images in damaged]
        for method, predict in learned.items():
            found[method, kind] = np.array([accuracy(predict, part) for part in tests])
    return found


def learning_curves(
    target: Splits, settings: dict, per_class: int, seed: int, looks, methods=NETWORKS
) -> dict[str, np.ndarray]:
    """Return the test accuracy of trained networks after the same steps.

    Parameters
    ----------
    target, settings, per_class, seed
        As in `transfer.learn`.
    looks : sequence of int
        After which optimisation steps to look, rising; training ends at the last. Looking changes
        nothing: with more looks, the other values stay the same.
    methods : sequence of str
        Of `NETWORKS`.

    Returns
    -------
    dict
        Method to one accuracy a look.
    """
    train = few_labels(target.pool, per_class, seed)
    curves = {}
    for method in methods:
        watch = training.Validation(target.test.images, target.test.labels)

        def look(step, model, watch=watch):
            if step in looks:
                models.reestimate_batchnorm(model, train.images)  # as at the end of training
                watch(step, model)

        chosen = settings[method][per_class] | {"steps": max(looks)}
        METHODS[method](train, seed, **chosen, hook=look, every=1)
        curves[method] = np.array(watch.scores)
    return curves


def steps_needed(target: Splits, settings: dict, per_class, seed, method, goal, limit) -> int:
    """Return after how many steps a network's test accuracy first reaches `goal`, looking at each.

    Training stops there. A network that does not get there within `limit` steps counts as `limit`.
    """
    train = few_labels(target.pool, per_class, seed)

    def look(step, model):
        models.reestimate_batchnorm(model, train.images)  # as at the end of training
        if training.accuracy(model, target.test.images, target.test.labels) < goal:
            return False
        needed.append(step)
        return True

    needed: list[int] = []
    chosen = settings[method][per_class] | {"steps": limit}
    METHODS[method](train, seed, **chosen, hook=look, every=1)
    return needed[0] if needed else limit


@torch.no_grad()
def block_features(backbone: models.SmallCNN, images: torch.Tensor, depth: int) -> np.ndarray:
    """Return 256 features, whatever the depth they are read at.

    Blocks differ in how many numbers they put out, and a longer vector helps a linear probe by
    itself. So every depth is projected at random to 256 numbers: such a projection nearly keeps
    distances (Johnson and Lindenstrauss 1984) and learns nothing.

    Parameters
    ----------
    depth : int
        Number of blocks passed; 0 reads the pixels.

    Returns
    -------
    numpy.ndarray, shape (n, 256)
    """
    backbone.eval()
    maps = backbone.maps(images, depth).flatten(1).cpu().numpy()
    directions = np.random.default_rng(depth).standard_normal((maps.shape[1], backbone.n_features))
    # Rows of one length, so that the probe's penalty means the same at every depth.
    return 16 * normalize(maps @ directions)


def depth_accuracies(backbone: models.SmallCNN, train: ImageSet, test: ImageSet) -> np.ndarray:
    """Return the accuracy of a linear probe on the pixels and after each block, shape (5,)."""
    found = []
    for depth in range(len(backbone.blocks) + 1):
        represent = partial(block_features, backbone, depth=depth)
        probe = LogisticRegression(max_iter=1000)
        found.append(accuracy(fit_estimator(probe, represent, train), test))
    return np.array(found)
