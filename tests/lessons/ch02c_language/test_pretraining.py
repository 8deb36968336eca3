"""Pretraining that beats counting, and the shipped language models."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from tlcourse import models
from tlcourse.data import corpus
from tlcourse.lessons.ch02a_traditional_models import embeddings
from tlcourse.lessons.ch02c_language import language, pretraining


def model_of(kind, n_words=50):
    torch.manual_seed(0)
    return language.LanguageModel(kind, n_words).eval()


@pytest.fixture(scope="module")
def docs():
    return corpus.load()


# ── pretraining ─────────────────────────────────────────────────────────────────────────────


def test_word_vectors_are_where_training_starts():
    known = embeddings.Vocabulary(["<unknown>", "a", "b"], np.ones(3))
    vectors = np.zeros((3, language.WIDTH), dtype=np.float32)
    vectors[1, 0], vectors[2, 1] = 2, -1
    model = model_of("lstm", 3)
    unknown = model.embedding.weight[0].clone()
    pretraining.start_from(model, embeddings.Embeddings(known, vectors))
    start = model.embedding.weight.detach()
    assert torch.equal(start[0], unknown)
    assert start[1:3].std().item() == pytest.approx(0.1, rel=1e-3)
    assert start[1, 0] / start[2, 1] == pytest.approx(-2, rel=1e-5)


def test_perplexity_is_the_exponential_of_the_mean_surprise():
    row = torch.randint(50, (400,), generator=torch.Generator().manual_seed(0))
    for kind in language.KINDS:
        model = model_of(kind)
        for parameter in model.parameters():
            parameter.data.zero_()  # every word is as likely
        assert pretraining.perplexity(model, row) == pytest.approx(50, rel=1e-4), kind
    with pytest.raises(ValueError, match="64 words are too few: pass more than 64"):
        pretraining.pretrain(model, row[:64], 1, 1e-3)


@pytest.fixture(scope="module")
def text(docs):
    known = embeddings.vocabulary(docs.part("train").texts, 500)
    train = pretraining.stream(docs.part("train").texts[::4], known)
    return train, pretraining.stream(docs.part("validation").texts[:4000], known)


def counted_perplexity(train, heldout, n_words=500, weight=0.5):
    """Of a bigram model mixed with word frequencies: what counting alone achieves."""
    singles = torch.bincount(train, minlength=n_words).double() + 1
    singles /= singles.sum()
    pairs = Counter(zip(train[:-1].tolist(), train[1:].tolist(), strict=True))
    first = torch.bincount(train[:-1], minlength=n_words)
    unigram = bigram = 0.0
    for a, b in zip(heldout[:-1].tolist(), heldout[1:].tolist(), strict=True):
        seen = pairs[a, b] / max(1, int(first[a]))
        unigram += -math.log(singles[b])
        bigram += -math.log(weight * seen + (1 - weight) * singles[b])
    n = len(heldout) - 1
    return math.exp(unigram / n), math.exp(bigram / n)


def test_a_short_pretraining_guesses_better_than_frequency(text):
    train, heldout = text
    unigram, _ = counted_perplexity(train, heldout)
    model = model_of("lstm", 500)
    losses = pretraining.pretrain(model, train, 100, 2e-2, batch_size=16)
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    assert pretraining.perplexity(model, heldout) < 0.8 * unigram


def test_the_same_seed_trains_the_same_model(text):
    one, same, other = (
        pretraining.pretrain(model_of("gpt", 500), text[0], 3, 1e-3, seed, batch_size=4)
        for seed in (4, 4, 5)
    )
    assert one == same != other


# ── checkpoints ─────────────────────────────────────────────────────────────────────────────


def test_the_shipped_models_are_small_and_know_where_they_come_from():
    for kind, recipe in pretraining.RECIPES.items():
        path = pretraining.WEIGHTS / f"{kind}.pt"
        assert path.stat().st_size <= 3_000_000, kind
        model, vocabulary, about = pretraining.load(kind)
        assert model.kind == kind and not model.training
        assert len(vocabulary) == language.N_WORDS == model.mask
        assert set(about) == {"corpus", "seed", "steps", "seconds", "perplexity"}
        assert about["steps"] == recipe["steps"], kind


def test_the_shipped_causal_models_guess_new_files_better_than_a_bigram(docs):
    for kind in ("lstm", "gpt"):
        model, vocabulary, _ = pretraining.load(kind)
        train = pretraining.stream(docs.part("train").texts, vocabulary)
        heldout = pretraining.stream(docs.part("test").texts[:600], vocabulary)
        _, bigram = counted_perplexity(train, heldout, len(vocabulary))
        assert pretraining.perplexity(model, heldout) < bigram, kind


def test_the_vocabulary_was_made_without_the_test_files(docs):
    _, vocabulary, about = pretraining.load("lstm")
    if docs.fingerprint != about["corpus"]:
        pytest.skip("other versions of the packages: another corpus")
    strict = embeddings.vocabulary(corpus.documents(docs.part("train")), language.N_WORDS)
    assert strict.words == vocabulary.words and (strict.counts == vocabulary.counts).all()


def test_what_is_saved_comes_back(tmp_path):
    model = model_of("gpt")
    known = embeddings.Vocabulary([f"w{i}" for i in range(50)], np.arange(50))
    pretraining.save(model, known, {"seed": 3}, tmp_path / "new" / "gpt.pt")
    found, vocabulary, about = pretraining.load("gpt", tmp_path / "new" / "gpt.pt")
    assert about == {"seed": 3} and vocabulary.words == known.words
    assert (vocabulary.counts == known.counts).all()
    for name, value in model.state_dict().items():
        assert torch.allclose(found.state_dict()[name], value, rtol=1e-3, atol=1e-6), name


def test_a_damaged_or_other_file_is_named_and_a_missing_one_names_the_kinds(tmp_path):
    path, whole = tmp_path / "gpt.pt", (pretraining.WEIGHTS / "gpt.pt").read_bytes()
    changed = whole[:900_000] + b"x" + whole[900_001:]
    for content in (b"", whole[:-9], whole[: len(whole) // 2], changed):
        path.write_bytes(content)
        words = "weights file gpt.pt is damaged .* python -m tlcourse language gpt"
        with pytest.raises(ValueError, match=words):
            pretraining.load("gpt", path)
    with pytest.raises(ValueError, match="letters.pt holds another model: restore it, or make it"):
        pretraining.load("gpt", models.WEIGHTS / "letters.pt")
    with pytest.raises(
        FileNotFoundError, match="no weights file none.pt: .* tlcourse language gpt"
    ):
        pretraining.load("gpt", tmp_path / "none.pt")
    with pytest.raises(FileNotFoundError, match="choose one of gpt, lstm, masked"):
        pretraining.load("bert")
