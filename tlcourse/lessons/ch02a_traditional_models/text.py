"""Chapter 2, text: count words, average word vectors, or both; then a linear classifier.

A representation turns texts into rows of numbers. It may learn from unlabelled *training* text; the
classifier on top learns from the few labelled documents.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from tlcourse import experiment
from tlcourse.data import Splits, few_labels
from tlcourse.data.cache import data_folder
from tlcourse.data.corpus import TextSet
from tlcourse.data.docstrings import WORD
from tlcourse.lessons.ch02a_traditional_models import embeddings

# Chosen on the validation documents of the package task, at 5 and 20 labels a class.
EMBEDDING = {"size": 12_000, "window": 10, "n_dims": 100}
DOMAINS = ("books", "dvd", "electronics", "kitchen_and_housewares")


# ── representations ─────────────────────────────────────────────────────────────────────────


def tfidf(unlabelled: Sequence[str]) -> Callable:
    """Return ``represent(texts)``: TF-IDF rows of length 1, shape (n, words), sparse.

    Which words exist, and how rare each is, comes from the unlabelled texts. So the counts get the
    same free text as the word vectors, and differ only in what they make of it.
    """
    # Function words cost the count up to 2 points on the validation documents; SIF lowers them too.
    counter = TfidfVectorizer(
        token_pattern=r"\S+", sublinear_tf=True, min_df=2, stop_words="english"
    )
    return counter.fit(unlabelled).transform


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
        [sparse.csr_array(first(texts)), sparse.csr_array(second(texts))]
    ).tocsr()


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
    parts = (documents.pool, documents.validation, documents.test)
    return Splits(*(Represented(how(p.texts) if len(p.texts) else None, p.labels, p.names)
                    for p in parts))  # fmt: skip


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


def accuracy(space: Splits, make, C: float, per_class: int, seed: int, side: str = "test") -> float:
    """Draw labels, learn from them, and return the accuracy on one side of the split."""
    train, other = few_labels(space.pool, per_class, seed), getattr(space, side)
    return float(make(C).fit(train.X, train.labels).score(other.X, other.labels))


def choose(task: dict[str, Splits], budgets: Sequence[int], seeds: Sequence[int]) -> dict:
    """Choose C for each method and budget by mean validation accuracy over `seeds`.

    The seeds must not be those of the report.

    Returns
    -------
    dict
        ``(method, per_class)`` to C.
    """
    cells = [(m, k) for m in METHODS for k in budgets]

    def run(seed):
        return [
            [accuracy(task[METHODS[m][0]], METHODS[m][1], C, k, seed, "validation")
             for C in CANDIDATES]
            for m, k in cells
        ]  # fmt: skip

    scores = np.mean(experiment.repeat(run, seeds, "choosing C"), axis=0)
    return {cell: CANDIDATES[i] for cell, i in zip(cells, scores.argmax(axis=1), strict=True)}


def compare(
    task: dict[str, Splits], chosen: dict, budgets: Sequence[int], seeds, methods=tuple(METHODS)
) -> dict[str, np.ndarray]:
    """Return each method's test accuracy, shape (seeds, budgets); all see the same labels."""

    def run(seed):
        return [
            [accuracy(task[METHODS[m][0]], METHODS[m][1], chosen[m, k], k, seed) for k in budgets]
            for m in methods
        ]

    results = np.array(experiment.repeat(run, seeds, "drawing labels"))
    return {m: results[:, i] for i, m in enumerate(methods)}


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


def glove(path: Path | None = None) -> embeddings.Embeddings:
    """Read GloVe word vectors (Pennington, Socher and Manning 2014, doi:10.3115/v1/D14-1162).

    Parameters
    ----------
    path : pathlib.Path, optional
        A JSON file ``{word: [numbers]}``; by default the first one in the folder ``glove`` of
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
    path = path or next(iter(sorted((data_folder() / "glove").glob("*.json"))), None)
    if path is None or not path.exists():
        raise FileNotFoundError(
            "no GloVe vectors: put a JSON file {word: [numbers]} into the folder glove of "
            "TLCOURSE_DATA."
        )
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        vectors = np.array(list(table.values()), dtype=np.float32)
    except (ValueError, AttributeError, TypeError) as error:
        raise ValueError(f"{path.name} is damaged: copy it again, as JSON {{word: [numbers]}}.") from error  # fmt: skip
    if vectors.ndim != 2 or not vectors.size or not np.isfinite(vectors).all():
        raise ValueError(f"{path.name} has another format: every word needs as many numbers.")
    vocabulary = embeddings.Vocabulary(
        [embeddings.UNKNOWN, *table], np.array([0] + [1] * len(table))
    )
    return embeddings.Embeddings(vocabulary, np.pad(vectors, ((1, 0), (0, 0))))


def reviews(domain: str, folder: Path | None = None) -> TextSet:
    """Read the reviews of one product domain (Blitzer, Dredze and Pereira 2007, ACL, P07-1056).

    Parameters
    ----------
    domain : str
        One of `DOMAINS`.
    folder : pathlib.Path, optional
        By default ``amazon_reviews`` in `tlcourse.data.cache.data_folder`. A file a domain: UTF-8, a
        header ``label<tab>text``, the label ``positive`` or ``negative``, quotes literal.

    Returns
    -------
    TextSet
        Lower-case words; label 1 is positive.

    Raises
    ------
    FileNotFoundError
        If the file is not there.
    ValueError
        If the domain is unknown, or the file damaged or in another format.
    """
    if domain not in DOMAINS:
        raise ValueError(f"unknown domain {domain!r}: take one of {', '.join(DOMAINS)}.")
    path = (folder or data_folder() / "amazon_reviews") / f"{domain}.tsv"
    if not path.exists():
        raise FileNotFoundError(
            f"no {path.name}: put the reviews (label, tab, text) into the folder amazon_reviews of "
            "TLCOURSE_DATA."
        )
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path.name} is no UTF-8 text: copy it again.") from error
    names = ["negative", "positive"]
    if rows[:1] != [["label", "text"]] or len(rows) < 2:
        raise ValueError(f"{path.name} has another format: begin with the line label, tab, text.")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or row[0] not in names:
            raise ValueError(
                f"line {number} of {path.name} is damaged: write positive or negative, tab, text."
            )
    texts = [" ".join(WORD.findall(text.lower())) for _, text in rows[1:]]
    return TextSet(texts, torch.tensor([names.index(label) for label, _ in rows[1:]]), names)


def books_to_kitchen(source: TextSet, target: TextSet, words, budgets, seed: int, C=0.3) -> dict:
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
        X, many, unseen = how(source.texts), how(pool.texts), how(test.texts)
        drawn = Represented(many, pool.labels, pool.names)
        alone = _svm(C).fit(X, source.labels).score(unseen, test.labels)
        found[f"{name}, books only"] = [alone] * len(budgets)
        for label, start in (("kitchen only", 0), ("both", len(source))):
            found[f"{name}, {label}"] = []
            for k in budgets:
                few = few_labels(drawn, k, seed)
                rows = sparse.vstack([X[:start], few.X])
                labels = np.concatenate([source.labels[:start], few.labels])
                score = _svm(C).fit(rows, labels).score(unseen, test.labels)
                found[f"{name}, {label}"].append(score)
    return found
