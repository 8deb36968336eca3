"""Text as numbers, learning from few documents, and the readers of real data."""

import json
import os

import numpy as np
import pytest
import torch
from scipy import sparse

from tlcourse.data import Splits, cache, corpus
from tlcourse.lessons.ch02a_traditional_models import embeddings, text

TEXTS = ["a red cat sleeps", "a red dog barks", "stock prices rise", "stock prices fall"] * 3


def task():
    labels = torch.tensor([0, 0, 1, 1] * 3)
    part = corpus.TextSet(TEXTS, labels, ["animals", "money"])
    return Splits(part, part, part)


# ── representations ─────────────────────────────────────────────────────────────────────────


def test_tfidf_rows_have_length_one_and_know_only_the_unlabelled_words():
    how = text.tfidf(TEXTS)
    rows = how(["red red cat", "unheard words"]).toarray()
    assert np.linalg.norm(rows[0]) == pytest.approx(1) and not rows[1].any()


def test_pooled_subtracts_the_mean_of_the_reference():
    words = embeddings.Embeddings(
        embeddings.Vocabulary(["<unknown>", "a", "b"], np.array([0, 1, 1])),
        np.array([[0, 0], [1, 0], [0, 1]], dtype=np.float32),
    )
    rows = text.pooled(words, ["a", "b"])(["a", "b"])
    half = np.sqrt(0.5)
    assert np.allclose(rows, [[half, -half], [-half, half]], atol=1e-5)


def test_joined_puts_the_columns_side_by_side():
    how = text.joined(lambda t: np.ones((len(t), 2)), lambda t: sparse.eye_array(len(t)).tocsr())
    assert how(["x", "y"]).toarray().tolist() == [[1, 1, 1, 0], [1, 1, 0, 1]]


def test_counted_in_counts_words_and_keeps_vectors():
    words = embeddings.Embeddings(
        embeddings.Vocabulary(["<unknown>", "a", "b"], np.array([0, 1, 1])), np.eye(3)
    )
    counted = text.counted_in(words, ["a a c", "b"])
    assert counted.vocabulary.counts.tolist() == [1, 2, 1]
    assert counted.vectors is words.vectors


def test_spaces_hold_every_document_three_times():
    words = embeddings.learn(TEXTS, size=20, window=2, n_dims=3)
    found = text.spaces(task(), TEXTS, words)
    assert list(found) == ["TF-IDF", "embeddings", "both"]
    shapes = [splits.test.X.shape for splits in found.values()]
    assert shapes[1] == (12, 3) and shapes[2] == (12, shapes[0][1] + 3)


# ── few labels ──────────────────────────────────────────────────────────────────────────────


def test_an_easy_task_is_learned_from_one_label_of_each_class():
    words = embeddings.learn(TEXTS, size=20, window=2, n_dims=3)
    found = text.spaces(task(), TEXTS, words)
    chosen = text.choose(found, [1, 2], seeds=[7, 8])
    assert set(chosen) == {(m, k) for m in text.METHODS for k in (1, 2)}
    assert set(chosen.values()) <= set(text.CANDIDATES)
    accuracy = text.compare(found, chosen, [1, 2], seeds=[0, 1, 2])
    assert {a.shape for a in accuracy.values()} == {(3, 2)}
    assert accuracy["embeddings + SVM"][:, 1].min() == 1


def test_two_splits_need_documents_left_over():
    splits = text.represent(task(), text.tfidf(TEXTS))
    same, others = text.two_splits(splits, 4, C=1, seed=0)
    assert 0 <= same <= 1 and 0 <= others <= 1
    with pytest.raises(ValueError, match="a class has 6 documents: learn from fewer"):
        text.two_splits(splits, 6, C=1, seed=0)


# ── reading real data ───────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    (tmp_path / "glove").mkdir()
    (tmp_path / "amazon_reviews").mkdir()
    return tmp_path


def test_missing_files_say_how_to_get_them(folder):
    with pytest.raises(FileNotFoundError, match="no GloVe vectors: put a JSON file"):
        text.glove()
    with pytest.raises(FileNotFoundError, match="no books.tsv: put the reviews"):
        text.reviews("books")


@pytest.mark.parametrize(
    "content, words",
    [
        ('{"a": [1, 2', "is damaged"),
        ("[1, 2]", "is damaged"),
        ('{"a": [1, 2], "b": [1]}', "is damaged"),
        ('{"a": 1}', "another format"),
        ('{"a": [1, NaN]}', "another format"),
        ("{}", "another format"),
    ],
)
def test_a_bad_glove_file_is_named(folder, content, words):
    (folder / "glove" / "small.json").write_text(content)
    with pytest.raises(ValueError, match=f"small.json {words}|small.json has {words}"):
        text.glove()


def test_glove_keeps_every_vector(folder):
    (folder / "glove" / "small.json").write_text(json.dumps({"cat": [1, 2], "dog": [3, 4]}))
    words = text.glove()
    assert words.vocabulary.words == ["<unknown>", "cat", "dog"]
    assert words.vectors.tolist() == [[0, 0], [1, 2], [3, 4]]


def test_reviews_take_quotes_literally(folder):
    path = folder / "amazon_reviews" / "books.tsv"
    path.write_text('label\ttext\npositive\t"A good book\nnegative\tDull "plot" 7\n')
    found = text.reviews("books")
    assert found.texts == ["a good book", "dull plot"]
    assert found.labels.tolist() == [1, 0] and found.names == ["negative", "positive"]


@pytest.mark.parametrize(
    "content, words",
    [
        (b"text\tlabel\n", "another format"),
        (b"label\ttext\n", "another format"),
        (b"", "another format"),
        (b"label\ttext\nmixed\tso so\n", "line 2 of books.tsv is damaged"),
        (b"label\ttext\npositive\tgood\nnegative\n", "line 3 of books.tsv is damaged"),
        (b"label\ttext\npositive\t\xff\xfe\n", "no UTF-8"),
    ],
)
def test_a_bad_review_file_is_named(folder, content, words):
    (folder / "amazon_reviews" / "books.tsv").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        text.reviews("books")


def test_an_unknown_domain_is_named():
    with pytest.raises(ValueError, match="unknown domain 'toys': take one of books"):
        text.reviews("toys")


HERE = bool(os.environ.get("TLCOURSE_DATA")) and (cache.data_folder() / "amazon_reviews").exists()


@pytest.mark.skipif(not HERE, reason="needs TLCOURSE_DATA with amazon_reviews and glove")
def test_two_thousand_book_reviews_beat_five_of_kitchen_ware():
    pair = text.reviews("books"), text.reviews("kitchen_and_housewares"), text.glove()
    assert [len(part) for part in pair[:2]] == [2000, 2000]
    assert pair[2].vectors.shape == (5051, 50)
    assert "man" in pair[2].neighbours("woman", 10)
    found = text.books_to_kitchen(*pair, [5], seed=0)
    assert found["TF-IDF, books only"][0] > found["TF-IDF, kitchen only"][0] + 0.02
