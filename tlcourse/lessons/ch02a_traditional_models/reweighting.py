"""Lesson 02a: two classic ways to make labelled source rows serve another distribution."""

from collections.abc import Callable

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression


def density_ratio(source, target) -> np.ndarray:
    """Estimate p_target(x) / p_source(x) at each source row, scaled to mean 1.

    A logistic regression learns to tell target rows from source rows. By Bayes' rule its odds are
    the ratio of the densities, times a constant.

    Parameters
    ----------
    source, target : array_like, shapes (n, d) and (m, d)
        Inputs only: no label is needed.

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    ValueError
        If the two tables differ in width, or one is empty.

    References
    ----------
    Bickel, Brückner and Scheffer (2009), "Discriminative learning under covariate shift", JMLR 10,
    section 4; Sugiyama, Suzuki and Kanamori (2012), "Density ratio estimation in machine learning",
    chapter 4.
    """
    source, target = np.asarray(source, dtype=float), np.asarray(target, dtype=float)
    if source.ndim != 2 or source.shape[1:] != target.shape[1:] or not source.size * target.size:
        raise ValueError(
            f"source {source.shape} and target {target.shape}: pass two tables with the same columns."
        )
    is_target = np.repeat([0, 1], [len(source), len(target)])
    model = LogisticRegression(max_iter=2000).fit(np.concatenate([source, target]), is_target)
    odds = np.exp(model.decision_function(source))
    return odds / odds.mean()


def effective_rows(weights) -> float:
    """Return how many rows of equal weight would give an average the same variance.

    Kish (1965), "Survey sampling": the square of the sum over the sum of squares. Weights of few
    large numbers throw most of the source away.
    """
    weights = np.asarray(weights, dtype=float)
    if weights.size == 0 or (weights < 0).any() or not weights.any():
        raise ValueError("weights must be 0 or more, and not all 0.")
    return float(weights.sum() ** 2 / (weights**2).sum())


def tradaboost(source, target, base, rounds: int = 20) -> Callable:
    """Boost on the target's errors, and *lower* the weight of source rows that are misjudged.

    Parameters
    ----------
    source, target : tuple (X, y)
        X of shape (n, d), y of 0s and 1s.
    base : scikit-learn classifier
        Takes ``sample_weight``; a fresh copy is fitted in each round.
    rounds : int
        At least 2; the second half of them votes.

    Returns
    -------
    callable
        ``predict(X)``, labels of shape (n,).

    Raises
    ------
    ValueError
        If a label is neither 0 nor 1, or there are too few rounds.

    References
    ----------
    Dai, Yang, Xue and Yu (2007), "Boosting for transfer learning", ICML, algorithm 1,
    doi:10.1145/1273496.1273521.
    """
    X, y = (np.concatenate(parts) for parts in zip(source, target, strict=True))
    if not np.isin(y, (0, 1)).all():
        raise ValueError("TrAdaBoost tells two classes apart: pass labels 0 and 1.")
    if rounds < 2:
        raise ValueError(f"{rounds} rounds: take at least 2, because only the second half votes.")
    n, weights = len(source[0]), np.ones(len(y))
    lower = 1 / (1 + np.sqrt(2 * np.log(n) / rounds))  # factor of a misjudged source row
    models, votes = [], []
    for _ in range(rounds):
        weights = weights / weights.sum()
        models.append(clone(base).fit(X, y, sample_weight=weights))
        wrong = models[-1].predict(X) != y
        error = weights[n:] @ wrong[n:] / weights[n:].sum()
        # The paper asks for an error below 1/2; without any error its factor would be infinite.
        raised = 1 / np.clip(error, 0.01, 0.49) - 1
        weights = weights * np.where(wrong, np.repeat([lower, raised], [n, len(y) - n]), 1)
        votes.append(np.log(raised))
    late = slice(rounds // 2, None)

    def predict(inputs):
        said = np.array([model.predict(inputs) for model in models[late]])
        return (votes[late] @ (said - 0.5) >= 0).astype(int)

    return predict
