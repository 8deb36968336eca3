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


WRONG = [
    ("match_covariance", mean_forgotten, "target's mean is missing"),
    ("match_covariance", not_centred, "not centred"),
    ("match_covariance", only_spreads, "whole covariance"),
    ("match_covariance", penalty_forgotten, "penalty is missing"),
    ("match_covariance", target_moved, "values of shape"),
]
