"""Lesson 07b: a source that moves like its target."""

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import as_array, explain


def verify_match_covariance(student, rng) -> None:
    """Compare with whitening and colouring in the eigenbasis; recognise each step left out."""
    d, penalty = 3, float(rng.uniform(0.2, 1))
    source = rng.normal(size=(30, d)) @ rng.normal(size=(d, d)) + rng.normal(0, 3, d)
    target = rng.normal(size=(20, d)) @ rng.normal(size=(d, d)) + rng.normal(0, 3, d)
    what = f"an array of shape {source.shape}"
    found = as_array(student(source.copy(), target.copy(), penalty), source.shape, what)
    s, t = (np.cov(rows.T) + penalty * np.eye(d) for rows in (source, target))
    whiten, colour = power(s, -0.5), power(t, 0.5)
    mean, aim = source.mean(axis=0), target.mean(axis=0)
    moved = (source - mean) @ whiten @ colour
    bare = (source - mean) @ power(np.cov(source.T), -0.5) @ power(np.cov(target.T), 0.5)
    known = {
        **_matches_of_mistakes(source, mean, aim, s, t),
        **_other_roots(source - mean, aim, s, t),
        "the penalty is missing: add it to the diagonal of both covariances": bare + aim,
    }
    explain(student, found, moved + aim, known)


def _matches_of_mistakes(source, mean, aim, s, t) -> dict[str, np.ndarray]:
    """Return sentences on mistakes, and what comes out when they are made."""
    whiten, colour = power(s, -0.5), power(t, 0.5)
    centred = source - mean
    moved = centred @ whiten @ colour
    return {
        "the target's mean is missing: add it at the end": moved,
        "the source's mean was added again: add the target's": moved + mean,
        "the rows were not centred: subtract the source's mean first": source @ whiten @ colour
        + aim,
        "the order is swapped: whiten with the source first, then colour with the target": (
            centred @ colour @ whiten + aim
        ),
        "the source is whitened, and not coloured": centred @ whiten + aim,
        "whitening lacks: multiply by the source covariance to the power -1/2": (
            centred @ colour + aim
        ),
        "source and target are swapped: whiten by the source, colour by the target": (
            centred @ power(t, -0.5) @ power(s, 0.5) + aim
        ),
        "only spreads were matched: take the whole covariance": (
            centred / np.sqrt(np.diag(s)) * np.sqrt(np.diag(t)) + aim
        ),
    }


def _other_roots(centred, aim, s, t) -> dict[str, np.ndarray]:
    """Return what comes out when a power of a matrix is taken in another way."""
    return {
        "these are Cholesky factors, which match the covariance in another way: take powers of C": (
            centred @ np.linalg.inv(np.linalg.cholesky(s)).T @ np.linalg.cholesky(t).T + aim
        ),
        "a power lacks its last factor: it is (V * w**p) @ V.T": (
            centred @ half_power(s, -0.5) @ half_power(t, 0.5) + aim
        ),
        "the roots are missing: C_s to the power -1/2, C_t to the power 1/2": (
            centred @ np.linalg.inv(s) @ t + aim
        ),
    }


def power(matrix, exponent) -> np.ndarray:
    """Return a power of a symmetric positive matrix, one eigenvector at a time."""
    values, vectors = np.linalg.eigh(matrix)
    return sum(v**exponent * np.outer(u, u) for v, u in zip(values, vectors.T, strict=True))


def half_power(matrix, exponent) -> np.ndarray:
    """Return what comes out when the eigenvectors are not turned back."""
    values, vectors = np.linalg.eigh(matrix)
    return vectors * values**exponent


MATCH_COVARIANCE = Exercise(
    name="match_covariance",
    level=3,
    minutes=15,
    goal="Let the columns of the source move together as those of the target do: CORAL.",
    given=(
        "`source`, a float array (n, d), and `target`, (m, d), both with d ≥ 2; `penalty`, a "
        "positive float."
    ),
    returns=(
        "a float array (n, d), correct to 1e-6: the source rows minus their mean, times C_s to the "
        "power -1/2, times C_t to the power 1/2, plus the target's mean. C_s and C_t are the "
        "covariances (divided by the number of rows minus 1), with `penalty` added to the diagonal."
    ),
    example=(
        "`match_covariance(source, target, 1e-9)` returns rows with the mean and the covariance of "
        "`target`."
    ),
    hints=(
        "`np.cov(source.T) + penalty * np.eye(source.shape[1])` is C_s.",
        "`w, V = np.linalg.eigh(C)`: then `(V * w**p) @ V.T` is C to the power p.",
        "Multiply from the right, whitening first: `(source - mean) @ whiten @ colour`.",
    ),
    verify=verify_match_covariance,
)

EXERCISES = (MATCH_COVARIANCE,)
