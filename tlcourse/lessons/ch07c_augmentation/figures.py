"""The explorer of lesson 07c: a policy, its strength, and what the pictures look like then."""

from collections.abc import Mapping

import ipywidgets
import numpy as np
import torch
from IPython.display import display

from tlcourse import plots
from tlcourse.data import ImageSet
from tlcourse.lessons.ch07c_augmentation import policies
from tlcourse.teaching import widgets


def policy_explorer(train: ImageSet, gains: Mapping, seed: int = 0) -> ipywidgets.VBox:
    """Return menus for a policy and its strength, with changed pictures and the measured gain.

    Parameters
    ----------
    train : ImageSet
        A few pictures, such as one a class.
    gains : dict of str to array_like, shape (seeds,)
        Accuracy with the policy minus accuracy without, at the strength that was chosen for it.
    seed : int
        Of the copies.
    """

    def draw(policy, strength):
        display(changed(train, policy, strength, seed))
        gain = 100 * np.mean(gains[policy])
        print(f"{policy}, at its chosen strength: {gain:+.1f} points at 5 labels a class")

    return widgets.explorer(
        draw,
        policy=widgets.menu("policy", gains),
        strength=widgets.stops("strength", (0.25, 0.5, 1.0, 2.0), 1.0),
    )


def changed(train: ImageSet, name: str, strength: float, seed: int = 0):
    """Return a figure: the pictures as they are, and two rows of changed copies."""
    transform = policies.policy(name, strength)
    banks = [policies.copies(train, transform, seed + k, n=1, group=2) for k in range(2)]
    rows = [train.images, *(images[len(train) :] for images, _ in banks)]
    return plots.image_grid(torch.cat(rows).clamp(0, 1).cpu(), columns=len(train))
