"""Lesson 02a, text: count words, average word vectors, or both; then a linear classifier.

A representation turns texts into rows of numbers. It may learn from unlabelled *training* text; the
classifier on top learns from the few labelled documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tlcourse import experiment, settings
from tlcourse.data import Splits, few_labels
from tlcourse.data.cache import data_folder
from tlcourse.data.corpus import TextSet
from tlcourse.lessons.ch02a_traditional_models import embeddings

# Chosen on the validation documents of the package task, at 5 and 20 labels a class.
EMBEDDING = {"size": 12_000, "window": 10, "n_dims": 100}


# ── representations ─────────────────────────────────────────────────────────────────────────


def tfidf(unlabelled: Sequence[str]) -> Callable:
    """Return ``represent(texts)``: TF-IDF rows of length 1, shape (n, words), sparse.

    Which words exist, and how rare each is, comes from the unlabelled texts. So the counts get the
    same free text as the word vectors, and differ only in what they make of it.
    """
    # Function words cost the count up to 2 points on the validation documents; SIF lowers them too.
    how = {"sublinear_tf": True, "min_df": 2, "stop_words": "english"}
    return TfidfVectorizer(token_pattern=r"\S+", **how).fit(unlabelled).transform


def pooled(words: embeddings.Embeddings, reference: Sequence[str]) -> Callable:
    """Return ``represent(texts)``: the mean word vector, centred, of length 1; shape (n, dims).

    Parameters
    ----------
    words : Embeddings
    reference : sequence of str
        Unlabelled training documents whose mean is subtracted.
    """
    weights = embeddings.sif_weights(words.vocabulary)
    centre = embeddings.pool(words, reference, weights)
    return lambda texts: embeddings.standardise(embeddings.pool(words, texts, weights), centre)


def counted_in(words: embeddings.Embeddings, texts: Sequence[str]) -> embeddings.Embeddings:
    """Return the same vectors, with word frequencies counted in these texts."""
    counts = np.zeros(len(words.vocabulary), dtype=np.int64)
    for text in texts:
        np.add.at(counts, words.vocabulary.encode(text), 1)
    return replace(words, vocabulary=replace(words.vocabulary, counts=counts))


def joined(first: Callable, second: Callable) -> Callable:
    """Return ``represent(texts)``: the columns of both."""
    return lambda texts: sparse.hstack(
        [sparse.csr_array(how(texts)) for how in (first, second)], format="csr"
    )


@dataclass(frozen=True)
class Represented:
    """Documents as rows of numbers; `tlcourse.data.few_labels` draws from it as from pictures.

    Attributes
    ----------
    X : array or sparse array, shape (n, features)
    labels : torch.Tensor, shape (n,), int64
    names : list of str
        One name a class.
    """

    X: np.ndarray | sparse.csr_array
    labels: torch.Tensor
    names: list[str]

    def subset(self, index) -> Represented:
        """Return the rows at `index`; class names stay."""
        return replace(self, X=self.X[index], labels=self.labels[index])


def represent(documents: Splits, how: Callable) -> Splits:
    """Return the splits of a task with every text represented, computed once for all seeds."""
    return Splits(
        *(Represented(how(p.texts) if p.texts else None, p.labels, p.names) for p in documents)
    )


def spaces(documents: Splits, unlabelled: Sequence[str], words=None) -> dict[str, Splits]:
    """Return the documents as word counts, as mean word vectors, and as both.

    Parameters
    ----------
    documents : Splits
        Of `TextSet`.
    unlabelled : sequence of str
        What TF-IDF and the word vectors may learn from.
    words : Embeddings, optional
        By default learned from `unlabelled`.
    """
    words = words or embeddings.learn(unlabelled, **EMBEDDING)
    counted, averaged = tfidf(unlabelled), pooled(words, documents.pool.texts)
    ways = {"TF-IDF": counted, "embeddings": averaged, "both": joined(counted, averaged)}
    return {name: represent(documents, way) for name, way in ways.items()}


# ── learning from few labels ────────────────────────────────────────────────────────────────


def _svm(C: float):
    return LinearSVC(C=C, random_state=0)


def _logistic(C: float):
    return LogisticRegression(C=C, max_iter=500, tol=1e-3)


METHODS = {
    "TF-IDF + SVM": ("TF-IDF", _svm),
    "TF-IDF + logistic regression": ("TF-IDF", _logistic),
    "embeddings + SVM": ("embeddings", _svm),
    "TF-IDF and embeddings + SVM": ("both", _svm),
}
CANDIDATES = (0.03, 0.1, 0.3, 1, 3)  # values of C, the same for every method


def accuracy(task: dict, method: str, C: float, per_class: int, seed: int, side="test") -> float:
    """Draw labels, learn from them, and return the accuracy on one side of the split."""
    name, make = METHODS[method]
    train, other = few_labels(task[name].pool, per_class, seed), getattr(task[name], side)
    return float(make(C).fit(train.X, train.labels).score(other.X, other.labels))


def choose(task: dict[str, Splits], budgets: Sequence[int], seeds: Sequence[int]) -> dict:
    """Choose C for each method and budget by mean validation accuracy over `seeds`.

    The seeds must not be those of the report.

    Returns
    -------
    dict
        ``(method, per_class)`` to C.
    """

    def candidates(method, k, seed):
        return [accuracy(task, method, C, k, seed, "validation") for C in CANDIDATES]

    return {
        (m, k): settings.choose(CANDIDATES, partial(candidates, m, k), seeds, "choosing C")
        for m in METHODS
        for k in budgets
    }


def compare(
    task: dict[str, Splits], chosen: dict, budgets: Sequence[int], seeds, methods=tuple(METHODS)
) -> dict[str, np.ndarray]:
    """Return each method's test accuracy, shape (seeds, budgets); all see the same labels."""

    def run(seed):
        return {m: [accuracy(task, m, chosen[m, k], k, seed) for k in budgets] for m in methods}

    return experiment.table(experiment.repeat(run, seeds, "drawing labels"))


def two_splits(documents: Splits, learn: int, C: float, seed: int) -> tuple[float, float]:
    """Fit TF-IDF + SVM on `learn` pool documents a class; test it in the same files and in others.

    Parameters
    ----------
    documents : Splits
        Of `Represented`; the pool has more than `learn` documents of every class.

    Returns
    -------
    float, float
        Accuracy on the rest of the pool (the same files), and on the test documents (other files).
    """
    pool, test = documents.pool, documents.test
    order = np.random.default_rng(seed).permutation(len(pool.labels))
    classes = [order[pool.labels.numpy()[order] == k] for k in range(len(pool.names))]
    if min(map(len, classes)) <= learn:
        raise ValueError(f"a class has {min(map(len, classes))} documents: learn from fewer.")
    train, held = (
        pool.subset(np.concatenate([rows[part] for rows in classes]))
        for part in (slice(learn), slice(learn, None))
    )
    model = _svm(C).fit(train.X, train.labels)
    return model.score(held.X, held.labels), model.score(test.X, test.labels)


# ── real data, where the reader has them ────────────────────────────────────────────────────


def glove() -> embeddings.Embeddings:
    """Read GloVe word vectors (Pennington, Socher and Manning 2014, doi:10.3115/v1/D14-1162).

    They are the first JSON file ``{word: [numbers]}`` in the folder ``glove`` of
    `tlcourse.data.cache.data_folder`.

    Returns
    -------
    Embeddings
        The file does not say how often each word occurs; `counted_in` does.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or has another format.
    """
    path = min((data_folder() / "glove").glob("*.json"), default=None)
    if path is None:
        raise FileNotFoundError(
            "no GloVe vectors: put a JSON file {word: [numbers]} into the folder glove of "
            "TLCOURSE_DATA."
        )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        vectors = np.array(list(table.values()), dtype=np.float32)
    except (ValueError, AttributeError, TypeError) as error:
        words = f"{path.name} is damaged: copy it again, as JSON {{word: [numbers]}}."
        raise ValueError(words) from error
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise ValueError(f"{path.name} has another format: every word needs as many numbers.")
    counts = np.array([0] + [1] * len(table))
    vocabulary = embeddings.Vocabulary([embeddings.UNKNOWN, *table], counts)
    return embeddings.Embeddings(vocabulary, np.pad(vectors, ((1, 0), (0, 0))))


def books_to_kitchen(source: TextSet, target: TextSet, words, budgets, seed: int) -> dict:
    """Judge kitchen reviews from book reviews, from few kitchen reviews, and from both.

    Half of the target, drawn by `seed`, is the test set. What is learned without labels comes from
    the source and the other half. C was chosen on another pair, dvd to electronics.

    Returns
    -------
    dict
        Name of the method to accuracies, one a budget.
    """
    order = np.random.default_rng(seed).permutation(len(target))
    pool, test = (target.subset(half) for half in np.array_split(order, 2))
    unlabelled = source.texts + pool.texts
    counted, averaged = tfidf(unlabelled), pooled(counted_in(words, unlabelled), unlabelled)
    ways = {"TF-IDF": counted, "TF-IDF + GloVe": joined(counted, averaged)}
    found = {}
    for name, how in ways.items():
        books, kitchen, unseen = (
            Represented(how(part.texts), part.labels, part.names) for part in (source, pool, test)
        )
        few = [few_labels(kitchen, k, seed) for k in budgets]
        rows = {
            "books only": [books] * len(budgets),
            "kitchen only": few,
            "both": [_stacked(books, part) for part in few],
        }
        for label, parts in rows.items():
            learned = [_svm(0.3).fit(part.X, part.labels) for part in parts]
            found[f"{name}, {label}"] = [svm.score(unseen.X, unseen.labels) for svm in learned]
    return found


def _stacked(one: Represented, other: Represented) -> Represented:
    labels = torch.cat([one.labels, other.labels])
    return Represented(sparse.vstack([one.X, other.X]), labels, one.names)
