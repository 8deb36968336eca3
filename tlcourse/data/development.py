"""Development targets: ten-class tasks on which settings are chosen, and which no claim reports.

A method's rate, strength or number of steps may not come from labels of the target that it is judged
on, beyond the few it is given. So each is chosen where those labels cost nothing: on alphabets that
people drew (Omniglot) and on a printed one (Georgian). Needs Omniglot under ``TLCOURSE_DATA``; what was
chosen is stored, so that nobody else does.
"""

import numpy as np
import torch

from tlcourse.data.handwritten import omniglot
from tlcourse.data.printed import georgian
from tlcourse.data.sets import ImageSet, Splits

WAYS = 10  # classes, as the digits have
PEOPLE = 20  # who each drew every character of an alphabet of Omniglot
IN_POOL = 12  # of them; the others are validated on


def development_targets(seed: int, per_class: int = 1) -> list[Splits]:
    """Return a hand-drawn target of ten classes and a printed one; which classes, the seed decides.

    Parameters
    ----------
    seed : int
        Draws one of six alphabets, ten of its characters and twelve of the twenty people for the pool;
        and ten Georgian letters.
    per_class : int
        Labels a class that will be drawn; above 12 only the printed target has enough.

    Returns
    -------
    list of Splits
        Pool and validation have 12 and 8 pictures a class, the printed ones 60 and 12; the test sets
        are empty: nothing is reported.

    Raises
    ------
    FileNotFoundError
        If Omniglot is missing; see `omniglot`.
    """
    rng = np.random.default_rng(seed)
    targets = [_drawn(rng)] if per_class <= IN_POOL else []
    return [*targets, _printed(rng)]


def _drawn(rng) -> Splits:
    everything = omniglot()
    alphabets = [name.split("/")[0] for name in everything.names]
    alphabet = rng.choice(sorted(set(alphabets)))
    characters = [k for k, name in enumerate(alphabets) if name == alphabet]
    some = _only(everything, rng.choice(characters, WAYS, replace=False))
    people = torch.from_numpy(rng.permutation(PEOPLE)[:IN_POOL] + 1)
    pool = torch.isin(some.groups, people)
    return Splits(some.subset(pool), some.subset(~pool), some.subset(torch.arange(0)))


def _printed(rng) -> Splits:
    target = georgian()
    letters = rng.choice(len(target.pool.names), WAYS, replace=False)
    pool, validation = (_only(part, letters) for part in (target.pool, target.validation))
    return Splits(pool, validation, pool.subset(torch.arange(0)))


def _only(pictures: ImageSet, classes) -> ImageSet:
    """Return the pictures of some classes, which get the numbers from 0 on."""
    classes = torch.as_tensor(np.sort(classes))
    rows = torch.isin(pictures.labels, classes)
    labels = torch.searchsorted(classes, pictures.labels[rows])
    names = [pictures.names[k] for k in classes]
    return ImageSet(pictures.images[rows], labels, names, pictures.groups[rows])
