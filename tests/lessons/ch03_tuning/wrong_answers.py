"""Typical wrong answers to the exercises of chapter 3, with words of the message."""

import math

import numpy as np
from lessons.ch03_tuning.right_answers import (
    improvement_in_one_line,
    match_by_loop,
    mean_by_solving,
    optimism_by_index,
)
from scipy.stats import norm


def a_position(errors, target):
    return match_by_loop(errors, target) - 1


def never_is_the_last(errors, target):
    found = match_by_loop(errors, target)
    return len(errors) if found == math.inf else found


def how_many(errors, target):
    return int((errors <= target).sum())


def for_maximising(mean, std, best):
    return improvement_in_one_line(-mean, std, -best)


def without_density(mean, std, best):
    return (best - mean) * norm.cdf((best - mean) / std)


def probability(mean, std, best):
    return norm.cdf((best - mean) / std)


def without_uncertainty(mean, std, best):
    return np.maximum(best - mean, 0)


def kernel(a, b, factor=2):
    return np.exp(-((a[:, None] - b) ** 2) / factor)


def noiseless(x, y, places, noise):
    return kernel(places, x) @ np.linalg.solve(kernel(x, x), y)


def noise_squared(x, y, places, noise):
    return kernel(places, x) @ np.linalg.solve(kernel(x, x) + noise**2 * np.eye(len(x)), y)


def noise_everywhere(x, y, places, noise):
    return kernel(places, x) @ np.linalg.solve(kernel(x, x) + noise, y)


def weighted_sum(x, y, places, noise):
    return kernel(places, x) @ y


def best_of_the_test(validation, test):
    return validation.max(axis=1).mean() - test.max(axis=1).mean()


def of_all_candidates(validation, test):
    return (validation - test).mean()


def swapped(validation, test):
    return -optimism_by_index(validation, test)


def chosen_by_test(validation, test):
    rows, chosen = np.arange(len(test)), test.argmax(axis=1)
    return (validation[rows, chosen] - test[rows, chosen]).mean()


def best_of_all(errors, target):
    return np.argmin(errors) + 1 if errors.min() <= target else np.inf


def counted_from_the_end(errors, target):
    reached = np.flatnonzero(errors[::-1] <= target)
    return reached[0] + 1 if len(reached) else np.inf


def without_cdf(mean, std, best):
    return std * np.exp(-(((best - mean) / std) ** 2) / 2)


def noise_as_deviation(x, y, places, noise):
    return mean_by_solving(x, y, places, np.sqrt(noise))


def of_medians(validation, test):
    return optimism_by_index(validation, test) + 0.001


WRONG = [
    ("trials_to_match", a_position, "add 1"),
    ("trials_to_match", never_is_the_last, "math.inf"),
    ("trials_to_match", how_many, "first"),
    ("expected_improvement", for_maximising, "maximising"),
    ("expected_improvement", without_density, "part of the spread"),
    ("expected_improvement", probability, "probability"),
    ("expected_improvement", without_uncertainty, "uncertainty"),
    ("process_mean", noiseless, "noise is missing"),
    ("process_mean", noise_squared, "do not square"),
    ("process_mean", noise_everywhere, "diagonal of K only"),
    ("process_mean", weighted_sum, "K is missing"),
    ("optimism_of_best", best_of_the_test, "best test score"),
    ("optimism_of_best", of_all_candidates, "all candidates"),
    ("optimism_of_best", swapped, "sign is swapped"),
    ("optimism_of_best", chosen_by_test, "chose by the test"),
    ("trials_to_match", best_of_all, "the best trial of all"),
    ("trials_to_match", counted_from_the_end, "and you returned"),
    ("expected_improvement", without_cdf, "at ["),
    ("process_mean", noise_as_deviation, "and you returned"),
    ("optimism_of_best", of_medians, "and you returned"),
]
