"""Typical wrong answers to the exercises of lesson 7a, with words of the message."""

import numpy as np
from lessons.ch07a_cleaning.right_answers import far_with_numpy, gaps_with_numpy, labels_with_masks

# ── fill_gaps ───────────────────────────────────────────────────────────────────────────────


def stack(rows, middle, holed):
    return np.column_stack([np.where(np.isnan(rows), middle, rows), np.isnan(rows)[:, holed]])


def means(train, new):
    holed = np.isnan(train).any(axis=0)
    return tuple(stack(rows, np.nanmean(train, axis=0), holed) for rows in (train, new))


def each_its_own(train, new):
    holed = np.isnan(train).any(axis=0)
    return tuple(stack(rows, np.nanmedian(rows, axis=0), holed) for rows in (train, new))


def both_together(train, new):
    middle = np.nanmedian(np.vstack([train, new]), axis=0)
    holed = np.isnan(train).any(axis=0)
    return tuple(stack(rows, middle, holed) for rows in (train, new))


def no_indicator(train, new):
    d = train.shape[1]
    return tuple(rows[:, :d] for rows in gaps_with_numpy(train, new))


def an_indicator_for_all(train, new):
    everywhere = np.ones(train.shape[1], dtype=bool)
    return tuple(stack(rows, np.nanmedian(train, axis=0), everywhere) for rows in (train, new))


def gaps_of_either_table(train, new):
    middle, holed = np.nanmedian(train, axis=0), np.isnan(np.vstack([train, new])).any(axis=0)
    return tuple(stack(rows, middle, holed) for rows in (train, new))


def upside_down(train, new):
    d = train.shape[1]
    return tuple(np.hstack([t[:, :d], 1 - t[:, d:]]) for t in gaps_with_numpy(train, new))


def indicators_first(train, new):
    d = train.shape[1]
    return tuple(np.hstack([t[:, d:], t[:, :d]]) for t in gaps_with_numpy(train, new))


def drops_rows(train, new):
    filled, new = gaps_with_numpy(train, new)
    return filled[~np.isnan(train).any(axis=1)], new


def only_training_gaps(train, new):
    train, _ = gaps_with_numpy(train, new)
    return train, new


def one_table(train, new):
    return gaps_with_numpy(train, new)[0]


# ── far_out ─────────────────────────────────────────────────────────────────────────────────


def three_sigma(train, new, limit):
    return np.abs(new - train.mean(axis=0)) > limit * train.std(axis=0)


def by_their_own(train, new, limit):
    return far_with_numpy(new, new, limit)


def no_factor(train, new, limit):
    return far_with_numpy(train, new, 0.6745 * limit)


def factor_upside_down(train, new, limit):
    return far_with_numpy(train, new, 0.6745**2 * limit)


def one_side(train, new, limit):
    return far_with_numpy(train, new, limit) & (new > np.median(train, axis=0))


def flat_columns_pass(train, new, limit):
    mad = np.median(np.abs(train - np.median(train, axis=0)), axis=0)
    return far_with_numpy(train, new, limit) & (mad > 0)


def flat_columns_are_far(train, new, limit):
    middle = np.median(train, axis=0)
    mad = np.median(np.abs(train - middle), axis=0)
    return 0.6745 * np.abs(new - middle) >= limit * mad


def mean_distance(train, new, limit):
    middle = np.median(train, axis=0)
    return 0.6745 * np.abs(new - middle) > limit * np.abs(train - middle).mean(axis=0)


def zeros_and_ones(train, new, limit):
    return far_with_numpy(train, new, limit).astype(int)


def whole_rows(train, new, limit):
    return far_with_numpy(train, new, limit).any(axis=1, keepdims=True)


# ── suspicious_labels ───────────────────────────────────────────────────────────────────────


def thresholds(p, labels):
    return np.array([p[labels == j, j].mean() for j in range(p.shape[1])])


def disagrees(p, labels):
    return p.argmax(axis=1) != labels


def low_self_confidence(p, labels):
    return p[np.arange(len(p)), labels] < thresholds(p, labels)[labels]


def one_threshold(p, labels):
    credible = p >= p[np.arange(len(p)), labels].mean()
    return credible.any(axis=1) & (np.where(credible, p, -1).argmax(axis=1) != labels)


def mean_over_all_rows(p, labels):
    return np.where(p >= p.mean(axis=0), p, -1).argmax(axis=1) != labels


def any_other_credible(p, labels):
    return ((p >= thresholds(p, labels)) & (np.arange(p.shape[1]) != labels[:, None])).any(axis=1)


def nobody_credible_is_class_0(p, labels):
    return np.where(p >= thresholds(p, labels), p, -1).argmax(axis=1) != labels


def swapped(p, labels):
    return ~labels_with_masks(p, labels)


def row_numbers(p, labels):
    return np.flatnonzero(labels_with_masks(p, labels))


def as_numbers(p, labels):
    return labels_with_masks(p, labels) * 1.0


def tables_swapped(train, new):
    return gaps_with_numpy(train, new)[::-1]


def zeros_in_gaps(train, new):
    holed = np.isnan(train).any(axis=0)
    return tuple(stack(rows, 0.0, holed) for rows in (train, new))


def strictly_credible(p, labels):
    credible = p > thresholds(p, labels)
    return credible.any(axis=1) & (np.where(credible, p, -1).argmax(axis=1) != labels)


def nobody_suspicious(p, labels):
    return np.zeros(len(p), dtype=bool)


def twice_the_limit(train, new, limit):
    return far_with_numpy(train, new, 2 * limit)


WRONG = [
    ("fill_gaps", means, "fill in the median"),
    ("fill_gaps", each_its_own, "new rows get the median of the training rows"),
    ("fill_gaps", both_together, "nothing may be learned from new rows"),
    ("fill_gaps", no_indicator, "the indicators are missing"),
    ("fill_gaps", an_indicator_for_all, "every column got an indicator"),
    (
        "fill_gaps",
        gaps_of_either_table,
        "one indicator for each column that has gaps in *training*",
    ),
    ("fill_gaps", upside_down, "the indicators are upside down"),
    ("fill_gaps", indicators_first, "put them behind the columns"),
    ("fill_gaps", drops_rows, "keep every row"),
    ("fill_gaps", only_training_gaps, "there are gaps left"),
    ("fill_gaps", one_table, "return two arrays"),
    ("far_out", three_sigma, "which outliers move"),
    ("far_out", by_their_own, "use that of the training rows"),
    ("far_out", no_factor, "the factor is missing"),
    ("far_out", factor_upside_down, "divide"),
    ("far_out", one_side, "very small ones are outliers too"),
    ("far_out", flat_columns_pass, "a column with MAD 0 needs care"),
    ("far_out", flat_columns_are_far, "equal to the median is never far out"),
    ("far_out", mean_distance, "the MAD is their median"),
    ("far_out", zeros_and_ones, "return True or False a cell"),
    ("far_out", whole_rows, "one boolean a new cell"),
    ("suspicious_labels", disagrees, "ask that it reach its threshold"),
    ("suspicious_labels", low_self_confidence, "some other class must be credible"),
    ("suspicious_labels", one_threshold, "not fair to those predicted with less confidence"),
    ("suspicious_labels", mean_over_all_rows, "not over all"),
    ("suspicious_labels", any_other_credible, "several credible classes"),
    ("suspicious_labels", nobody_credible_is_class_0, "without any credible class"),
    ("suspicious_labels", swapped, "True means suspicious"),
    ("suspicious_labels", row_numbers, "one boolean a row"),
    ("suspicious_labels", as_numbers, "return True or False a row"),
    ("fill_gaps", tables_swapped, "the two tables are swapped"),
    ("fill_gaps", zeros_in_gaps, "and you returned 0"),
    ("far_out", twice_the_limit, "it should be True, and you returned False"),
    ("suspicious_labels", strictly_credible, "compare with >="),
    ("suspicious_labels", nobody_suspicious, "it should be True, and you returned False"),
]
