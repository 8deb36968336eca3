"""Right answers to the exercises of lesson 7a, in more than one style."""

import numpy as np
import torch
from scipy.stats import median_abs_deviation
from sklearn.impute import SimpleImputer

from tlcourse.lessons.ch07a_cleaning.wrong_labels import suspicious


def gaps_with_numpy(train, new):
    middle, holed = np.nanmedian(train, axis=0), np.isnan(train).any(axis=0)
    return tuple(
        np.column_stack([np.where(np.isnan(rows), middle, rows), np.isnan(rows)[:, holed]])
        for rows in (train, new)
    )


def gaps_with_sklearn(train, new):
    filling = SimpleImputer(strategy="median", add_indicator=True).fit(train)
    return filling.transform(train), filling.transform(new)


def gaps_column_by_column(train, new):
    holes = [np.isnan(train), np.isnan(new)]
    train, new = train.copy(), new.copy()
    for j in range(train.shape[1]):
        middle = np.median(train[~holes[0][:, j], j])
        train[holes[0][:, j], j] = middle
        new[holes[1][:, j], j] = middle
    named = holes[0].any(axis=0)
    return np.hstack([train, holes[0][:, named]]), np.hstack([new, holes[1][:, named]])


def far_with_numpy(train, new, limit):
    middle = np.median(train, axis=0)
    mad = np.median(np.abs(train - middle), axis=0)
    return 0.6745 * np.abs(new - middle) > limit * mad


def far_with_scipy(train, new, limit):
    mad = median_abs_deviation(train, axis=0)
    distance = np.abs(new - np.median(train, axis=0))
    return np.where(mad == 0, distance > 0, distance > limit * mad / 0.6745)


def far_with_torch(train, new, limit):
    middle = torch.quantile(torch.tensor(train), 0.5, dim=0)
    mad = torch.quantile((torch.tensor(train) - middle).abs(), 0.5, dim=0)
    return 0.6745 * (torch.tensor(new) - middle).abs() > limit * mad


def labels_by_the_library(probabilities, labels):
    return suspicious(probabilities, labels)


def labels_with_masks(probabilities, labels):
    k = probabilities.shape[1]
    own = labels[:, None] == np.arange(k)
    thresholds = (probabilities * own).sum(axis=0) / own.sum(axis=0)
    credible = np.ma.masked_less(probabilities, thresholds)
    return credible.count(axis=1).astype(bool) & (credible.argmax(axis=1) != labels)


def labels_by_rows(probabilities, labels):
    thresholds = [probabilities[labels == j, j].mean() for j in range(probabilities.shape[1])]
    found = []
    for row, label in zip(probabilities, labels, strict=True):
        credible = {j: p for j, p in enumerate(row) if p >= thresholds[j]}
        found.append(bool(credible) and max(credible, key=credible.get) != label)
    return np.array(found)


RIGHT = [
    ("fill_gaps", gaps_with_numpy),
    ("fill_gaps", gaps_with_sklearn),
    ("fill_gaps", gaps_column_by_column),
    ("far_out", far_with_numpy),
    ("far_out", far_with_scipy),
    ("far_out", far_with_torch),
    ("suspicious_labels", labels_by_the_library),
    ("suspicious_labels", labels_with_masks),
    ("suspicious_labels", labels_by_rows),
]
