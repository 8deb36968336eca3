"""Draws of few labels: some pictures of every class, nested from budget to budget."""

import numpy as np

from tlcourse.data.sets import ImageSet


def few_labels(pool: ImageSet, per_class: int, seed: int) -> ImageSet:
    """Draw `per_class` pictures of every class at random, without replacement.

    Draws are nested: for one seed, the pictures drawn at 2 a class contain those at 1 a class, so
    that a label-efficiency curve changes because labels are added, not because they are swapped.

    Parameters
    ----------
    pool : ImageSet
        What may be drawn; validation and test pictures are never in it.
    per_class : int
        Pictures a class, at least 1.
    seed : int
        Same seed, same draw.

    Returns
    -------
    ImageSet
        ``per_class * len(pool.names)`` pictures, ordered by class.

    Raises
    ------
    ValueError
        If `per_class` is below 1 or a class has fewer pictures than that.
    """
    return pool.subset(few_rows(pool, per_class, seed))


def few_rows(pool: ImageSet, per_class: int, seed: int) -> np.ndarray:
    """Return the positions in `pool` of the pictures that `few_labels` draws."""
    labels = pool.labels.cpu().numpy()
    return draw_rows(labels, per_class, seed, dict(enumerate(pool.names)))


def draw_rows(labels, per_class: int, seed: int, names: dict | None = None) -> np.ndarray:
    """Return the positions of `per_class` rows of every class, ordered by class; draws are nested.

    Parameters
    ----------
    labels : array_like, shape (n,)
    per_class, seed : int
        As in `few_labels`.
    names : dict, optional
        Label to name, for classes that must all be there; by default those that occur.

    Raises
    ------
    ValueError
        If `per_class` is below 1 or a class has fewer rows than that.
    """
    if per_class < 1:
        raise ValueError(f"per_class is {per_class}: draw at least 1 of a class.")
    rng, labels, chosen = np.random.default_rng(seed), np.asarray(labels), []
    for k, name in (names or {k: k for k in np.unique(labels).tolist()}).items():
        members = np.flatnonzero(labels == k)
        if len(members) < per_class:
            raise ValueError(
                f"class {name!r} has {len(members)} examples, fewer than the {per_class} asked "
                "for: lower per_class or use a larger pool."
            )
        chosen.append(rng.permutation(members)[:per_class])
    return np.concatenate(chosen)
