"""Lesson 07a: gaps filled from training rows, outliers found, labels that nobody should trust."""

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array, describe, explain

# ── fill_gaps ───────────────────────────────────────────────────────────────────────────────


def verify_fill_gaps(student, rng) -> None:
    """Compare on columns with gaps in both tables, in one, in the other, and in none."""
    train, new = rng.gamma(1.0, 2.0, (9, 5)), 3 + rng.gamma(1.0, 2.0, (6, 5))
    order = rng.permutation(5)
    for column in order[:2]:  # gaps in the training table
        train[rng.permutation(9)[: int(rng.integers(1, 5))], column] = np.nan
    for column in order[1:3]:  # gaps in the new one: order[2] has none in training
        new[rng.permutation(6)[: int(rng.integers(1, 4))], column] = np.nan
    value = student(train.copy(), new.copy())
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Mistake(f"you returned {describe(value)}: return two arrays, (train, new).")
    for part in value:
        if isinstance(part, np.ndarray) and part.dtype.kind == "f" and np.isnan(part).any():
            raise Mistake("there are gaps left: a new row may have one where no training row has.")
    tables = [as_array(part, (-1, -1), "a table of numbers") for part in value]
    if len(tables[0]) == len(new) and len(tables[1]) == len(train):
        raise Mistake("the two tables are swapped: return (train, new).")
    for yours, right in zip(tables, fill_slowly(train, new), strict=True):
        _name_width(yours, right, train.shape[1])
    for yours, rows, right in zip(tables, (train, new), fill_slowly(train, new), strict=True):
        known = _known_fillings(train, new, rows, right)
        explain(student, yours, right, known, "known cells stay, gaps get the median")


def _known_fillings(train, new, rows, right) -> dict:
    """Return words to the result of each known mistake in one of the two tables."""
    d = train.shape[1]
    cells, flags = right[:, :d], right[:, d:]
    both = np.nanmedian(np.vstack([train, new]), axis=0)
    return {
        "the indicators are upside down: 1 means that the value was missing": np.column_stack(
            [cells, 1 - flags]
        ),
        "the indicators come first: put them behind the columns": np.column_stack([flags, cells]),
        "gaps got the mean: fill in the median": _filled(rows, np.nanmean(train, axis=0), flags),
        "gaps got the median of both tables together: nothing may be learned from new rows": (
            _filled(rows, both, flags)
        ),
        "each table got its own median: new rows get the median of the training rows": _filled(
            rows, np.nanmedian(rows, axis=0), flags
        ),
    }


def fill_slowly(train, new) -> list[np.ndarray]:
    """Return both tables, cell by cell, with an indicator for each column with gaps in training."""
    tables = []
    for rows in (train, new):
        filled = []
        for row in rows:
            cells, flags = [], []
            for column, cell in zip(train.T, row, strict=True):
                known = sorted(column[~np.isnan(column)])
                middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
                cells.append(middle if np.isnan(cell) else cell)
                if len(known) < len(column):
                    flags.append(float(np.isnan(cell)))
            filled.append(cells + flags)
        tables.append(np.array(filled))
    return tables


def _name_width(yours, right, d) -> None:
    """Raise Mistake unless the number of rows and columns is right."""
    if yours.shape == right.shape:
        return
    if len(yours) != len(right):
        raise Mistake(f"a table of {len(right)} rows came back with {len(yours)}: keep every row.")
    if yours.shape[1] == d:
        raise Mistake("the indicators are missing: one more column for each with gaps in training.")
    if yours.shape[1] == 2 * d:
        raise Mistake("every column got an indicator: only those with gaps in training get one.")
    raise Mistake(
        f"a table has {yours.shape[1]} columns instead of {right.shape[1]}: both tables get one "
        "indicator for each column that has gaps in *training*, and no other."
    )


def _filled(rows, values, flags) -> np.ndarray:
    return np.column_stack([np.where(np.isnan(rows), values, rows), flags])


FILL_GAPS = Exercise(
    name="fill_gaps",
    level=1,
    minutes=10,
    goal="Fill gaps without learning anything from new rows, and keep the news that a gap was there.",
    given=(
        "`train` and `new`, float arrays (n, d) and (m, d) with gaps (NaN); each column has at least "
        "one value in `train`."
    ),
    returns=(
        "two float arrays, `(train, new)`: each gap replaced by the median of its column in `train`; "
        "behind the d columns, for each column that has a gap in `train` and in their order, one "
        "column that is 1 where the value was missing and 0 elsewhere."
    ),
    example=(
        "`fill_gaps(np.array([[1.0], [np.nan], [3.0]]), np.array([[np.nan]]))` returns "
        "`[[1, 0], [2, 1], [3, 0]]` and `[[2, 1]]`."
    ),
    hints=(
        "`np.nanmedian(train, axis=0)` leaves gaps out; use the same numbers for both tables.",
        "`np.isnan(train).any(axis=0)` says which columns get an indicator.",
        "`np.where(np.isnan(rows), middle, rows)` fills; `np.column_stack` puts both side by side.",
    ),
    verify=verify_fill_gaps,
)

# ── far_out ─────────────────────────────────────────────────────────────────────────────────


def verify_far_out(student, rng) -> None:
    """Compare on outliers on both sides, on values equal to the median, and on a MAD of 0."""
    n, m, d = int(rng.integers(9, 14)), 200, 4
    train = rng.integers(-9, 10, (n, d)) + rng.choice([0.0, 30.0], (n, d), p=[0.8, 0.2])
    flat = int(rng.integers(d))
    train[:, flat] = 5
    train[0, flat] = 60
    limit = float(rng.choice([2.0, 3.0, 3.5]))
    middle = np.median(train, axis=0)
    spread = np.median(np.abs(train - middle), axis=0) / 0.6745
    new = middle + rng.uniform(-3 * limit, 3 * limit, (m, d)) * np.maximum(spread, 1)
    new[0] = middle
    yours = as_array(student(train.copy(), new.copy(), limit), (-1, -1), f"booleans ({m}, {d})")
    if yours.shape != (m, d):
        raise Mistake(f"you returned shape {yours.shape}: return one boolean a new cell, {m, d}.")
    if yours.dtype != bool:
        raise Mistake(f"you returned numbers of type {yours.dtype}: return True or False a cell.")
    explain(
        student,
        yours,
        far_out_slowly(train, new, limit),
        _known_rulers(train, new, limit),
        "compare 0.6745 · |value - median| with limit · MAD",
    )


def _known_rulers(train, new, limit) -> dict:
    """Return words to the result of each known mistake."""
    middle = np.median(train, axis=0)
    mad = np.median(np.abs(train - middle), axis=0)
    spread, far = mad / 0.6745, new - middle
    own = np.abs(new - np.median(new, axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        no_factor = np.abs(far) / mad > limit
    return {
        "you use the mean and the standard deviation, which outliers move: use the median": (
            np.abs(new - train.mean(axis=0)) > limit * train.std(axis=0)
        ),
        "you judge new rows by their own median: use that of the training rows": (
            0.6745 * own > limit * np.median(own, axis=0)
        ),
        "the factor is missing: the robust standard deviation is the MAD divided by 0.6745": (
            no_factor
        ),
        "you multiply the MAD by 0.6745: divide": np.abs(far) > limit * 0.6745**2 * spread,
        "only large values count: very small ones are outliers too": far > limit * spread,
        "a column with MAD 0 needs care: there, whatever differs from the median is far out": (
            (np.abs(far) > limit * spread) & (spread > 0)
        ),
        "a value equal to the median is never far out, also where the MAD is 0": (
            np.abs(far) >= limit * spread
        ),
        "you use the mean of the distances from the median: the MAD is their median": (
            np.abs(far) > limit * np.abs(train - middle).mean(axis=0) / 0.6745
        ),
    }


def far_out_slowly(train, new, limit) -> np.ndarray:
    """Return which new cells are far out, one at a time."""
    result = np.zeros(new.shape, dtype=bool)
    for j in range(train.shape[1]):
        middle = np.median(train[:, j])
        mad = np.median([abs(x - middle) for x in train[:, j]])
        for i in range(len(new)):
            distance = abs(new[i, j] - middle)
            result[i, j] = distance > 0 if mad == 0 else distance / (mad / 0.6745) > limit
    return result


FAR_OUT = Exercise(
    name="far_out",
    level=2,
    minutes=12,
    goal="Find outliers with a ruler that outliers cannot bend.",
    given=(
        "`train` and `new`, float arrays (n, d) and (m, d) without gaps, n ≥ 3; `limit`, a positive "
        "float. Some columns of `train` may be nearly constant."
    ),
    returns=(
        "a boolean array (m, d): True where the new value lies more than `limit` robust standard "
        "deviations from the median of its column in `train`. The robust standard deviation is the "
        "MAD, the median distance of the column's training values from their median, divided by "
        "0.6745. Where it is 0, whatever differs from the median is far out."
    ),
    example=(
        "`far_out(np.array([[0.0], [1.0], [2.0], [3.0], [4.0]]), np.array([[5.0], [9.0]]), 3.5)` "
        "returns `[[False], [True]]`."
    ),
    hints=(
        "`np.median(train, axis=0)` is the middle; the MAD is a second median, of the distances.",
        "Do not divide by the MAD: compare `0.6745 * distance` with `limit * mad`.",
    ),
    verify=verify_far_out,
)

# ── suspicious_labels ───────────────────────────────────────────────────────────────────────


def verify_suspicious_labels(student, rng) -> None:
    """Compare on unequal classes, over- and underconfident probabilities, and labels half wrong."""
    n, k = 150, int(rng.integers(3, 5))
    truth = rng.choice(k, n, p=np.arange(1, k + 1) / (k * (k + 1) / 2))
    truth[: 2 * k] = np.repeat(np.arange(k), 2)
    sharp = rng.uniform(1.0, 4.0, k)  # some classes are predicted with less confidence
    p = rng.dirichlet(np.ones(k), n) + sharp[truth, None] * np.eye(k)[truth] * rng.random((n, 1))
    p[::3] = rng.dirichlet(np.full(k, 90.0), len(p[::3]))  # the model is unsure of every third row
    p /= p.sum(axis=1, keepdims=True)
    labels = np.where(rng.random(n) < 0.3, rng.integers(k, size=n), truth)
    labels[:k] = np.arange(k)  # no class is empty
    # Every row labelled 0, and some others, give class 0 one half: they just reach its threshold.
    half = (labels == 0) | (rng.random(n) < 0.15)
    p[half, 1:] *= 0.5 / p[half, 1:].sum(axis=1, keepdims=True)
    p[half, 0] = 0.5
    yours = as_array(student(p.copy(), labels.copy()), (-1,), f"{n} booleans")
    if yours.shape != (n,):
        raise Mistake(f"you returned {len(yours)} values: return one boolean a row, {n}.")
    if yours.dtype != bool:
        raise Mistake(f"you returned numbers of type {yours.dtype}: return True or False a row.")
    explain(
        student,
        yours,
        suspicious_slowly(p, labels),
        _known_accusers(p, labels),
        "work out the thresholds first, then who is credible, row by row",
    )


def _known_accusers(p, labels) -> dict:
    """Return words to the result of each known mistake."""
    classes = np.arange(p.shape[1])
    own = p[np.arange(len(p)), labels]
    means = np.array([own[labels == j].mean() for j in classes])

    def accused(thresholds):
        return np.where(p >= thresholds, p, -1).argmax(axis=1) != labels

    return {
        "every row where the most probable class is another one is accused: ask that it reach its "
        "threshold": p.argmax(axis=1) != labels,
        "a low probability of the label alone accuses nobody: some other class must be credible": (
            own < means[labels]
        ),
        "one threshold for all classes is not fair to those predicted with less confidence": (
            accused(own.mean()) & (p >= own.mean()).any(axis=1)
        ),
        "the threshold of class j is the mean of column j over rows *labelled* j, not over all": (
            accused(p.mean(axis=0))
        ),
        "a label may be the most probable of several credible classes: then it is not suspicious": (
            ((p >= means) & (classes != labels[:, None])).any(axis=1)
        ),
        "a row without any credible class accuses nobody: argmax over nothing is 0": accused(means),
        "a class is credible when its probability reaches its threshold: compare with >=": (
            suspicious_slowly(p, labels, np.greater)
        ),
        "True and False are swapped: True means suspicious": ~suspicious_slowly(p, labels),
    }


def suspicious_slowly(p, labels, reaches=np.greater_equal) -> np.ndarray:
    """Return which labels are suspicious, one row at a time."""
    thresholds = []
    for j in range(p.shape[1]):
        own = [p[i, j] for i in range(len(p)) if labels[i] == j]
        thresholds.append(sum(own) / len(own))
    result = np.zeros(len(p), dtype=bool)
    for i, row in enumerate(p):
        credible = [j for j, x in enumerate(row) if reaches(x, thresholds[j])]
        if credible:
            result[i] = max(credible, key=lambda j: row[j]) != labels[i]
    return result


SUSPICIOUS_LABELS = Exercise(
    name="suspicious_labels",
    level=3,
    minutes=18,
    goal="Find labels that are probably wrong, by confident learning.",
    given=(
        "`probabilities`, a float array (n, classes) from a model that did not learn from these "
        "rows; `labels`, an int array (n,), column numbers; every class occurs."
    ),
    returns=(
        "a boolean array (n,). The threshold of class j is the mean probability of j over the rows "
        "labelled j. A class is credible for a row when its probability reaches its threshold. True "
        "where at least one class is credible and the most probable of the credible ones is not the "
        "label."
    ),
    example=(
        "`suspicious_labels(np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]]), np.array([0, 0, 1]))` "
        "returns `[False, False, False]`: 0.8 does not reach 0.9."
    ),
    hints=(
        "`p[labels == j, j].mean()` is the threshold of class j.",
        "`np.where(p >= thresholds, p, -1)` keeps credible classes; `argmax` finds the best.",
        "Where no class is credible, all entries are -1: such a row must come out False.",
    ),
    verify=verify_suspicious_labels,
)

EXERCISES = (FILL_GAPS, FAR_OUT, SUSPICIOUS_LABELS)
