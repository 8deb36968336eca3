"""Test pictures that all seeds share: intervals as if seeds and pictures, or people, were drawn anew."""

import numpy as np

from tlcourse.experiment.effects import Difference, finite, student


def two_way(ours, baseline, level: float = 0.95, groups=None) -> Difference:
    """Compare two methods on test pictures that all seeds share, as if those too were drawn anew.

    An interval over seeds alone shrinks to nothing with their number, while the luck of the one test
    set stays: with thirty seeds it covered the truth in 36 of 100 simulated experiments, not in 95.
    Here seeds and pictures each add their own variance.

    Parameters
    ----------
    ours, baseline : array_like of bool, shape (seeds, pictures)
        Which test pictures each run labels correctly: at least two seeds and two pictures.
    level : float
        See `interval`.
    groups : array_like, shape (pictures,), optional
        Who made each picture. Pictures of one person resemble one another, so it is people that would be
        drawn anew: see `by_group`.

    Returns
    -------
    Difference

    Notes
    -----
    With m_s the mean of seed s, m_i that of picture i, and v_r the variance of what is left: the
    seeds add var(m_s) / S, the pictures var(m_i) / I - v_r / (S I), at least 0. Degrees of freedom:
    Satterthwaite (1946), "An approximate distribution of estimates of variance components",
    Biometrics Bulletin 2(6). Where no two values differ, the interval is the mean itself.
    """
    ours, baseline = np.asarray(ours, dtype=float), np.asarray(baseline, dtype=float)
    if ours.ndim != 2 or ours.shape != baseline.shape or min(ours.shape) < 2:
        raise ValueError(
            f"shapes {ours.shape} and {baseline.shape}: pass right or wrong for each seed and each "
            "picture, two of both at least, the same for both methods."
        )
    d = finite(ours - baseline)
    n, by_seed, mean = len(d), d.mean(axis=1), float(d.mean())
    half = half_width(ours, baseline, n, level, groups)
    return Difference(mean, mean - half, mean + half, int((by_seed > 0).sum()), n)


def by_group(d: np.ndarray, groups) -> np.ndarray:
    """Return one column a group, so that a mean over columns is the mean over all pictures.

    A group of n_g pictures counts n_g times the number of groups over the number of pictures: the
    linear form of a ratio of totals, as for clusters of unequal size.

    Parameters
    ----------
    d : array, shape (seeds, pictures)
    groups : array_like, shape (pictures,)
        At least two different ones.

    Returns
    -------
    array, shape (seeds, groups)

    References
    ----------
    Cochran (1977), "Sampling Techniques", section 9A.1 (clusters of unequal size).
    """
    _, group = np.unique(np.asarray(groups), return_inverse=True)
    if group.shape != d.shape[1:] or group.max() < 1:
        raise ValueError(
            f"{len(group)} groups for {d.shape[1]} pictures: give one a picture, two different ones "
            "at least."
        )
    member = np.eye(group.max() + 1)[group]
    mean = d.mean(axis=1, keepdims=True)
    return mean + (d - mean) @ member * member.shape[1] / len(group)


def two_way_interval(right, level: float = 0.95, groups=None) -> tuple[float, float, float]:
    """Return the interval of one method's accuracy, as if seeds and test pictures were drawn anew.

    As `two_way`, for one method instead of the difference of two: it also covers the luck of the test
    set, which all methods share. So two such intervals may overlap where `two_way` tells them apart.

    Parameters
    ----------
    right : array_like of bool, shape (seeds, pictures)
        Which test pictures each run labels correctly: at least two seeds and two pictures.
    level : float
        See `interval`.
    groups : array_like, shape (pictures,), optional
        As in `two_way`.

    Returns
    -------
    low, mean, high : float
    """
    found = two_way(right, np.zeros_like(right), level, groups)
    return found.low, found.mean, found.high


def half_width(ours, baseline, seeds: int, level: float = 0.95, groups=None) -> float:
    """Return the half-width of `two_way` that is to be expected of another number of seeds.

    Parameters
    ----------
    ours, baseline : array_like, shape (n, pictures) or (n,)
        Of the seeds to estimate from; without pictures, only seeds vary.
    seeds : int
        For how many seeds; with those that were seen, the half-width is that of `two_way`.
    level : float
        See `interval`.
    groups : array_like, shape (pictures,), optional
        As in `two_way`.
    """
    d = np.asarray(ours, dtype=float) - np.asarray(baseline, dtype=float)
    if d.ndim == 1:
        return student([(seeds - 1, d.var(ddof=1) / seeds)], level)
    if groups is not None:
        d = by_group(d, groups)
    n, pictures = d.shape
    by_seed, by_picture = d.mean(axis=1), d.mean(axis=0)
    rest = d - by_seed[:, None] - by_picture + d.mean()
    noise = (rest**2).sum() / ((n - 1) * (pictures - 1))
    of_pictures = max(by_picture.var(ddof=1) / pictures - noise / (n * pictures), 0.0)
    return student([(seeds - 1, by_seed.var(ddof=1) / seeds), (pictures - 1, of_pictures)], level)
