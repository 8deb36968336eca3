"""The docstring corpus and the tasks made of it; reviews, where the reader has them."""

from itertools import combinations

import numpy as np
import pytest
import torch

from tlcourse import data
from tlcourse.data import corpus, docstrings


@pytest.fixture(scope="module")
def everything():
    return corpus.load()


@pytest.fixture(scope="module")
def task(everything):
    return corpus.package_documents(everything)


# ── the corpus ──────────────────────────────────────────────────────────────────────────────


def test_no_file_and_no_sentence_is_on_two_sides(everything):
    parts = [everything.part(name) for name in docstrings.SIDES]
    assert sum(map(len, parts)) == len(everything) == len(set(everything.texts))
    for one, other in combinations(parts, 2):
        assert not set(one.files) & set(other.files)
        assert not set(one.texts) & set(other.texts)
    with pytest.raises(ValueError, match="'dev': choose one of train, validation, test"):
        everything.part("dev")


def test_the_corpus_knows_package_submodule_and_file(everything):
    scipy = everything.where(everything.packages == "scipy")
    assert len(scipy) > 5000 and {"stats", "optimize", "signal"} <= set(scipy.submodules)
    assert all(everything.paths[f].startswith("scipy/") for f in set(scipy.files))
    assert not any("/tests/" in path for path in everything.paths)


def test_the_fingerprint_changes_with_a_word_and_with_the_order(everything):
    few = everything.where(np.arange(len(everything)) < 50)
    same, texts = few.where(np.ones(50, bool)), few.texts.copy()
    assert len(few.fingerprint) == 16 and few.fingerprint == same.fingerprint
    texts[3] += "s"
    changed = corpus.Corpus(texts, few.files, few.paths)
    turned = corpus.Corpus(few.texts[::-1], few.files[::-1], few.paths)
    assert few.fingerprint not in (changed.fingerprint, turned.fingerprint)


# ── documents ───────────────────────────────────────────────────────────────────────────────


def test_documents_are_balanced_and_of_their_own_side(everything, task):
    assert len(task.pool.names) >= 8
    for part, size, name in zip(task, (250, 60, 110), docstrings.SIDES, strict=True):
        assert (np.bincount(part.labels) == size).all(), name
        side = everything.part(name)
        whole = " ".join(side.texts[side.packages == task.pool.names[0]])
        assert all(text in whole for text in part.subset(part.labels == 0).texts), name
    for one, other in combinations(task, 2):
        assert not set(one.texts) & set(other.texts)


def test_no_name_gives_a_document_away(task):
    words = {word for part in task for text in part.texts for word in text.split()}
    assert not words & docstrings.ALIASES
    assert not [word for word in words if docstrings.NAME.search(word)]


def test_few_labels_draws_nested_from_documents(task):
    few, more = (data.few_labels(task.pool, k, seed=3) for k in (5, 20))
    assert set(few.texts) < set(more.texts) and len(few) == 5 * len(task.pool.names)
    assert data.few_labels(task.pool, 5, seed=4).texts != few.texts
    assert few.labels.dtype == torch.int64


def test_topics_of_one_package(everything):
    topics = corpus.topic_documents(everything, "scipy")
    assert len(topics.pool.names) >= 4 and len(topics.validation) == 0
    assert (np.bincount(topics.test.labels) == 40).all()


def test_packages_that_are_missing_make_fewer_classes_and_then_an_error(everything):
    some = everything.where(np.isin(everything.packages, ["scipy", "sympy"]))
    assert corpus.package_documents(some).test.names == ["scipy", "sympy"]
    one = some.where(some.packages == "scipy")
    with pytest.raises(ValueError, match="1 packages have .* documents: ask for fewer, or install"):
        corpus.package_documents(one)
    with pytest.raises(ValueError, match="0 packages"):
        corpus.package_documents(some, sizes=(10**6, 1, 1))


# ── reviews ─────────────────────────────────────────────────────────────────────────────────


def test_reviews_take_quotes_literally_and_a_bad_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    with pytest.raises(ValueError, match="unknown domain 'toys': take one of books"):
        corpus.reviews("toys")
    with pytest.raises(FileNotFoundError, match="no books.tsv: put the reviews"):
        corpus.reviews("books")
    path = tmp_path / "amazon_reviews" / "books.tsv"
    path.parent.mkdir()
    for content, words in {
        b"text\tlabel\n": "books.tsv has another format",
        b"label\ttext\n": "books.tsv has another format",
        b"": "books.tsv has another format",
        b"label\ttext\nmixed\tso so\n": "line 2 of books.tsv is damaged",
        b"label\ttext\npositive\tgood\nnegative\n": "line 3 of books.tsv is damaged",
        b"label\ttext\npositive\t\xff\xfe\n": "books.tsv is no UTF-8",
    }.items():
        path.write_bytes(content)
        with pytest.raises(ValueError, match=words):
            corpus.reviews("books")
    path.write_text('label\ttext\npositive\t"A good book\nnegative\tDull "plot" 7\n')
    found = corpus.reviews("books")
    assert found.texts == ["a good book", "dull plot"]
    assert found.labels.tolist() == [1, 0] and found.names == ["negative", "positive"]
