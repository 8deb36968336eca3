"""Importance weights and TrAdaBoost, against slow and obvious versions."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from tlcourse.lessons.ch02a_traditional_models.reweighting import (
    density_ratio,
    effective_rows,
    tradaboost,
)


def test_density_ratio_is_the_odds_of_a_classifier_that_tells_target_from_source():
    rng = np.random.default_rng(0)
    source, target = rng.normal(0, 1, (60, 2)), rng.normal(0.5, 1, (40, 2))
    side = [0] * 60 + [1] * 40
    p = LogisticRegression(max_iter=2000).fit(np.vstack([source, target]), side)
    odds = [one / zero for zero, one in p.predict_proba(source)]
    mean = sum(odds) / len(odds)
    assert np.allclose(density_ratio(source, target), [o / mean for o in odds])


def test_density_ratio_finds_the_true_ratio_of_two_normal_densities():
    """With equal variances the log ratio is linear, so a logistic regression can be right."""
    rng = np.random.default_rng(1)
    source, target = rng.normal(0, 1, (20_000, 1)), rng.normal(1, 1, (20_000, 1))
    true = np.exp(source[:, 0] - 0.5)
    assert np.allclose(density_ratio(source, target), true / true.mean(), rtol=0.2)


def test_density_ratio_needs_two_tables_of_equal_width():
    for pair in (([[1.0]], [[1.0, 2.0]]), ([1.0], [2.0]), ([[1.0]], np.zeros((0, 1)))):
        with pytest.raises(ValueError, match="pass two tables with the same columns"):
            density_ratio(*pair)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
def test_effective_rows_lie_between_one_and_all(weights):
    assert 1 - 1e-9 <= effective_rows(weights) <= len(weights) + 1e-9


def test_effective_rows_count_equal_weights_fully_and_a_single_large_one_once():
    assert effective_rows([2, 2, 2]) == pytest.approx(3)
    assert effective_rows([0, 5, 0]) == pytest.approx(1)
    for no_weights in ([], [0, 0], [1, -1]):
        with pytest.raises(ValueError, match="0 or more, and not all 0"):
            effective_rows(no_weights)


# ── TrAdaBoost ──────────────────────────────────────────────────────────────────────────────


def tradaboost_slowly(source, target, depth, rounds, inputs):
    """Dai et al. (2007), algorithm 1, one row at a time, with products as the paper writes them."""
    X, y = np.vstack([source[0], target[0]]), [*source[1], *target[1]]
    n, m = len(source[1]), len(target[1])
    w = [1.0] * (n + m)
    beta = 1 / (1 + math.sqrt(2 * math.log(n) / rounds))
    models, betas = [], []
    for _ in range(rounds):
        total = sum(w)
        w = [value / total for value in w]
        model = DecisionTreeClassifier(max_depth=depth, random_state=0)
        model.fit(X, y, sample_weight=w)
        said = model.predict(X)
        error = sum(w[i] * abs(said[i] - y[i]) for i in range(n, n + m)) / sum(w[n:])
        error = min(max(error, 0.01), 0.49)
        beta_t = error / (1 - error)
        for i in range(n):
            w[i] *= beta ** abs(said[i] - y[i])
        for i in range(n, n + m):
            w[i] *= beta_t ** -abs(said[i] - y[i])
        models.append(model)
        betas.append(beta_t)
    result = []
    for row in inputs:
        left = right = 1.0
        for model, beta_t in list(zip(models, betas, strict=True))[rounds // 2 :]:
            left *= beta_t ** -float(model.predict(row[None])[0])
            right *= beta_t**-0.5
        result.append(int(left >= right))
    return result


def problem(seed, n=60, m=14):
    rng = np.random.default_rng(seed)
    X, T, new = rng.normal(size=(n, 3)), rng.normal(size=(m, 3)), rng.normal(size=(50, 3))
    return (X, (X[:, 0] + X[:, 1] > 0.8).astype(int)), (T, (T[:, 0] + T[:, 1] > 0).astype(int)), new


def test_tradaboost_does_what_the_paper_writes():
    for seed, (depth, rounds) in product(range(3), [(1, 2), (1, 7), (2, 10)]):
        source, target, new = problem(seed)
        base = DecisionTreeClassifier(max_depth=depth, random_state=0)
        fast = tradaboost(source, target, base, rounds)(new)
        slow = tradaboost_slowly(source, target, depth, rounds, new)
        assert fast.tolist() == slow, (seed, depth, rounds)


def test_tradaboost_refuses_other_labels_and_a_single_round():
    source, target, _ = problem(0)
    with pytest.raises(ValueError, match="labels 0 and 1"):
        tradaboost((source[0], source[1] + 1), target, DecisionTreeClassifier())
    with pytest.raises(ValueError, match="1 rounds: take at least 2"):
        tradaboost(source, target, DecisionTreeClassifier(), rounds=1)
