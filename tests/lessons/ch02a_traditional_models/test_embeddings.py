"""Word vectors: each step against a slow, obvious version."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tlcourse.data import corpus
from tlcourse.lessons.ch02a_traditional_models import embeddings

TEXTS = ["a cat sat on a mat", "a dog sat on a log", "the cat and the dog sat"]


@pytest.fixture(scope="module")
def learned():
    return embeddings.learn(corpus.load().part("train").texts)


# ── the vocabulary ──────────────────────────────────────────────────────────────────────────


def test_the_vocabulary_holds_the_most_frequent_words_and_counts_the_rest_as_unknown():
    known = embeddings.vocabulary(TEXTS, size=5)
    assert known.words == ["<unknown>", "a", "sat", "cat", "dog"]
    assert known.counts.tolist() == [7, 4, 3, 2, 2]
    assert known.counts.sum() == len(" ".join(TEXTS).split())
    assert known.encode("a dog or a cat").tolist() == [1, 4, 0, 1, 3]
    assert known.encode("").tolist() == [] and known.encode("").dtype == np.int64
    assert embeddings.vocabulary(TEXTS, min_count=3).words[1:] == ["a", "sat"]
    with pytest.raises(ValueError, match="no word occurs 9 times: pass more text, or lower"):
        embeddings.vocabulary(TEXTS, min_count=9)


# ── counting ────────────────────────────────────────────────────────────────────────────────


def counted_slowly(encoded, n_words, window):
    counts = np.zeros((n_words, n_words))
    for text in encoded:
        for i, one in enumerate(text):
            for j, other in enumerate(text):
                if i != j and abs(i - j) <= window and one and other:
                    counts[one, other] += 1
    return counts


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 4), max_size=12), max_size=4), st.integers(1, 5))
def test_counts_are_those_of_two_loops(texts, window):
    encoded = [np.array(text, dtype=np.int64) for text in texts]
    counts = embeddings.cooccurrence(encoded, 5, window).toarray()
    assert np.array_equal(counts, counted_slowly(encoded, 5, window))
    assert np.array_equal(counts, counts.T)
    with pytest.raises(ValueError, match="window is 0: look at least 1 word far"):
        embeddings.cooccurrence(encoded, 5, window=0)


def ppmi_slowly(counts, smoothing):
    result = np.zeros(counts.shape)
    contexts = [counts[:, c].sum() ** smoothing for c in range(counts.shape[1])]
    for w in range(counts.shape[0]):
        for c in range(counts.shape[1]):
            if counts[w, c]:
                joint = counts[w, c] / counts.sum()
                by_chance = counts[w].sum() / counts.sum() * contexts[c] / sum(contexts)
                result[w, c] = max(0, math.log(joint / by_chance))
    return result


def test_ppmi_is_its_definition_entry_by_entry():
    counts = np.random.default_rng(0).poisson(0.7, (7, 6)) * 3.0
    counts[2], counts[:, 4] = 0, 0  # a word and a context that never occur
    for smoothing in (0.75, 1.0):
        found = embeddings.ppmi(sparse.csr_array(counts), smoothing)
        assert np.allclose(found.toarray(), ppmi_slowly(counts, smoothing)), smoothing
        assert found.nnz < (counts > 0).sum(), "negative information is cut off"
    independent = sparse.csr_array(np.outer([1, 2, 3], [4, 5, 6]))
    assert np.allclose(embeddings.ppmi(independent, smoothing=1).toarray(), 0)


def test_stored_zeros_count_as_zero_and_negative_counts_are_refused():
    stored = sparse.coo_array(([2.0, 0.0, 3.0], ([0, 0, 1], [0, 1, 1])), shape=(2, 2))
    assert np.isfinite(embeddings.ppmi(stored).toarray()).all()
    with pytest.raises(ValueError, match="a count is negative"):
        embeddings.ppmi(sparse.csr_array([[1, -1], [0, 1]]))


def test_the_svd_is_that_of_numpy():
    matrix = np.random.default_rng(1).random((30, 20))
    found = embeddings.truncated_svd(sparse.csr_array(matrix), 5, power=1)
    u, s, _ = np.linalg.svd(matrix)
    assert np.allclose(np.abs(found), np.abs(u[:, :5] * s[:5]), atol=1e-5)
    assert (found.max(axis=0) >= -found.min(axis=0)).all()
    half = embeddings.truncated_svd(sparse.csr_array(matrix), 5)
    assert np.allclose(half * np.sqrt(s[:5]), found, rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32
    assert np.array_equal(embeddings.truncated_svd(sparse.csr_array(matrix), 5), half), "the same"
    with pytest.raises(ValueError, match="n_dims is 20: take 1 to 19"):
        embeddings.truncated_svd(sparse.csr_array(matrix), 20)


# ── vectors ─────────────────────────────────────────────────────────────────────────────────


def test_neighbours_are_by_cosine_and_never_the_word_itself():
    known = embeddings.Vocabulary(["<unknown>", "a", "b", "c", "d"], np.ones(5))
    vectors = np.array([[0, 0], [1, 0], [9, 1], [1, 1], [-1, 0]], dtype=np.float32)
    words = embeddings.Embeddings(known, vectors)
    assert words.neighbours("a", 3) == ["b", "c", "<unknown>"]
    for word in ("e", "<unknown>"):
        with pytest.raises(KeyError, match="is not in the vocabulary"):
            words.neighbours(word)


def test_words_of_one_field_are_neighbours_in_the_docstrings(learned):
    near = {word: set(learned.neighbours(word, 10)) for word in ("probability", "thread", "color")}
    assert near["probability"] & {"probabilities", "density", "distribution", "marginal", "prior"}
    assert near["thread"] & {"threads", "process", "processes", "lock", "pool", "threading"}
    assert near["color"] & {"colors", "colormap", "edge", "alpha", "marker", "rgb", "hatch"}
    assert learned.vectors.shape == (4096, 128) and not learned.vectors[0].any()


def test_sif_weights_fall_with_frequency():
    known = embeddings.vocabulary(TEXTS)
    weights = embeddings.sif_weights(known, a=0.1)
    share = Counter(" ".join(TEXTS).split())["sat"] / len(" ".join(TEXTS).split())
    assert np.isclose(weights[known.number["sat"]], 0.1 / (0.1 + share))
    assert (np.diff(weights[1:]) >= 0).all()


def test_pooling_is_a_weighted_mean_of_the_known_words():
    words = embeddings.learn(TEXTS, n_dims=3)
    weights = np.arange(len(words.vocabulary), dtype=float)
    numbers = [words.vocabulary.number[word] for word in ("a", "dog", "sat")]
    expected = sum(weights[i] * words.vectors[i] for i in numbers) / sum(weights[numbers])
    found = embeddings.pool(words, ["a dog sat zzz", "zzz", ""], weights)
    assert np.allclose(found[0], expected, atol=1e-6) and not found[1:].any()


def test_standardised_rows_have_length_1_about_the_mean_of_the_reference():
    rng = np.random.default_rng(2)
    features, reference = rng.random((4, 3)), rng.random((9, 3))
    found = embeddings.standardise(features, reference)
    assert np.allclose(np.linalg.norm(found, axis=1), 1)
    direction = features[1] - reference.mean(axis=0)
    assert np.allclose(found[1], direction / np.linalg.norm(direction))
