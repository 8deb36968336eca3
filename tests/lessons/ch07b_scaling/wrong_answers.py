"""Typical wrong answers to the exercises of lesson 07b, with words of the message."""

import numpy as np
from lessons.ch07b_scaling.right_answers import coral_with_eigh


def mean_forgotten(source, target, penalty):
    return coral_with_eigh(source, target, penalty) - target.mean(axis=0)


def not_centred(source, target, penalty):
    moved = coral_with_eigh(source, target, penalty)
    s, t = (np.cov(rows.T) + penalty * np.eye(rows.shape[1]) for rows in (source, target))
    (a, A), (b, B) = np.linalg.eigh(s), np.linalg.eigh(t)
    return moved + source.mean(axis=0) @ (A * a**-0.5) @ A.T @ (B * b**0.5) @ B.T


def only_spreads(source, target, penalty):
    scale = np.sqrt((target.var(axis=0, ddof=1) + penalty) / (source.var(axis=0, ddof=1) + penalty))
    return (source - source.mean(axis=0)) * scale + target.mean(axis=0)


def penalty_forgotten(source, target, penalty):
    return coral_with_eigh(source, target, 0.0)


def target_moved(source, target, penalty):
    return coral_with_eigh(target, source, penalty)


def by_cholesky(source, target, penalty):
    s, t = (
        np.linalg.cholesky(np.cov(rows.T) + penalty * np.eye(rows.shape[1]))
        for rows in (source, target)
    )
    return (source - source.mean(axis=0)) @ np.linalg.inv(s).T @ t.T + target.mean(axis=0)


def not_turned_back(source, target, penalty):
    moved = source - source.mean(axis=0)
    for rows, power in ((source, -0.5), (target, 0.5)):
        values, vectors = np.linalg.eigh(np.cov(rows.T) + penalty * np.eye(rows.shape[1]))
        moved = moved @ (vectors * values**power)
    return moved + target.mean(axis=0)


def divided_by_n(source, target, penalty):
    s, t = len(source), len(target)
    scale = np.sqrt((t - 1) / t / ((s - 1) / s))
    middle = target.mean(axis=0)
    return (coral_with_eigh(source, target, penalty) - middle) * scale + middle


WRONG = [
    ("match_covariance", mean_forgotten, "target's mean is missing"),
    ("match_covariance", not_centred, "not centred"),
    ("match_covariance", only_spreads, "whole covariance"),
    ("match_covariance", penalty_forgotten, "penalty is missing"),
    ("match_covariance", target_moved, "values of shape"),
    ("match_covariance", by_cholesky, "Cholesky factors"),
    ("match_covariance", not_turned_back, "(V * w**p) @ V.T"),
    ("match_covariance", divided_by_n, "at ["),
]
