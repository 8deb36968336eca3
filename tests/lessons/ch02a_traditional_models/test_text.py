"""Text as numbers, learning from few documents, and the readers of real data."""

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


# ── few labels ──────────────────────────────────────────────────────────────────────────────


def test_an_easy_task_is_learned_in_three_spaces_from_one_label_of_each_class():
    words = embeddings.learn(TEXTS, size=20, window=2, n_dims=3)
    found = text.spaces(task(), TEXTS, words)
    assert list(found) == ["TF-IDF", "embeddings", "both"]
    shapes = [splits.test.X.shape for splits in found.values()]
    assert shapes[1] == (12, 3) and shapes[2] == (12, shapes[0][1] + 3)
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


def test_glove_keeps_every_vector_and_names_a_bad_file(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no GloVe vectors: put a JSON file"):
        text.glove()
    path = tmp_path / "glove" / "small.json"
    path.parent.mkdir()
    for content, words in {
        '{"a": [1, 2': "is damaged",
        "[1, 2]": "is damaged",
        '{"a": [1, 2], "b": [1]}': "is damaged",
        '{"a": 1}': "has another format",
        '{"a": [1, NaN]}': "has another format",
        "{}": "has another format",
    }.items():
        path.write_text(content)
        with pytest.raises(ValueError, match=f"small.json {words}"):
            text.glove()
    path.write_text('{"cat": [1, 2], "dog": [3, 4]}')
    words = text.glove()
    assert words.vocabulary.words == ["<unknown>", "cat", "dog"]
    assert words.vectors.tolist() == [[0, 0], [1, 2], [3, 4]]


HERE = bool(os.environ.get("TLCOURSE_DATA")) and (cache.data_folder() / "amazon_reviews").exists()


@pytest.mark.skipif(not HERE, reason="needs TLCOURSE_DATA with amazon_reviews and glove")
def test_two_thousand_book_reviews_beat_five_of_kitchen_ware():
    pair = corpus.reviews("books"), corpus.reviews("kitchen_and_housewares"), text.glove()
    assert [len(part) for part in pair[:2]] == [2000, 2000]
    assert pair[2].vectors.shape == (5051, 50)
    assert "man" in pair[2].neighbours("woman", 10)
    found = text.books_to_kitchen(*pair, [5], seed=0)
    assert found["TF-IDF, books only"][0] > found["TF-IDF, kitchen only"][0] + 0.02
