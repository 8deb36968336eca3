"""Language models: targets, who sees whom, pretraining that beats counting, checkpoints on disk."""

import math
from collections import Counter

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tlcourse import models
from tlcourse.data import corpus
from tlcourse.lessons.ch02a_traditional_models import embeddings
from tlcourse.lessons.ch02c_language import language

KINDS = list(language.RECIPES)
kinds = pytest.mark.parametrize("kind", KINDS)


def words(n=4, length=20, n_words=50, seed=0):
    return torch.randint(n_words, (n, length), generator=torch.Generator().manual_seed(seed))


def model_of(kind, n_words=50, seed=0):
    torch.manual_seed(seed)
    return language.LanguageModel(kind, n_words).eval()


# ── objectives ──────────────────────────────────────────────────────────────────────────────


def test_causal_targets_are_the_next_words():
    tokens = words()
    inputs, targets = language.causal_example(tokens)
    for row in range(4):
        for t in range(19):
            assert inputs[row, t] == tokens[row, t] and targets[row, t] == tokens[row, t + 1]


def test_masked_targets_are_the_hidden_words_and_nothing_else_changes():
    tokens = words(200, 64)
    inputs, targets = language.masked_example(tokens, 0.4, 50, torch.Generator().manual_seed(1))
    asked = targets != language.IGNORE
    assert (targets[asked] == tokens[asked]).all() and (inputs[~asked] == tokens[~asked]).all()
    assert asked.float().mean().item() == pytest.approx(0.4, abs=0.02)
    masked, kept = inputs[asked] == 50, inputs[asked] == tokens[asked]
    assert masked.float().mean().item() == pytest.approx(0.8, abs=0.02)
    assert kept.float().mean().item() == pytest.approx(0.1 + 0.1 / 50, abs=0.02)
    assert inputs.max() == 50 and (tokens < 50).all()


@pytest.mark.parametrize("rate", [0, 1, -0.1])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match="hide a share between 0 and 1, such as 0.15"):
        language.masked_example(words(), rate, 50, torch.Generator())


def test_a_causal_step_asks_more_words_than_a_masked_one():
    tokens, generator = words(64, 65), torch.Generator().manual_seed(0)
    signals = {
        kind: (language.example(model_of(kind), tokens, generator, share=1.0)[1] >= 0).sum().item()
        for kind in KINDS
    }
    assert signals["gpt"] == signals["lstm"] == 64 * 64
    assert signals["masked"] == pytest.approx(0.4 * 64 * 64, rel=0.1)


@kinds
def test_the_loss_is_that_of_the_asked_positions_alone(kind):
    model, tokens = model_of(kind), words()
    targets = torch.full_like(tokens, language.IGNORE)
    targets[0, 3], targets[2, 11] = 7, 9
    scores = model.scores(model.layers(tokens)[-1])
    expected = (F.cross_entropy(scores[0, 3], torch.tensor(7))
                + F.cross_entropy(scores[2, 11], torch.tensor(9))) / 2  # fmt: skip
    assert torch.allclose(language.loss(model, tokens, targets), expected, atol=1e-5)


# ── networks ────────────────────────────────────────────────────────────────────────────────


@kinds
def test_only_the_masked_model_sees_what_comes_later(kind):
    model, tokens = model_of(kind), words()
    changed = tokens.clone()
    changed[:, 12:] = (changed[:, 12:] + 1) % 50
    before, after = model.layers(tokens)[-1], model.layers(changed)[-1]
    assert torch.allclose(before[:, :12], after[:, :12], atol=1e-6) == (kind != "masked")
    assert not torch.allclose(before[:, 12:], after[:, 12:], atol=1e-3)


@kinds
def test_every_position_sees_what_came_before(kind):
    model, tokens = model_of(kind), words(1)
    changed = tokens.clone()
    changed[0, 0] = (changed[0, 0] + 1) % 50
    moved = (model.layers(tokens)[-1] - model.layers(changed)[-1]).abs().amax(-1)[0]
    assert (moved > 1e-7).all()


@kinds
def test_padding_changes_nothing(kind):
    model, tokens = model_of(kind), words()
    longer = F.pad(tokens, (0, 5), value=3)
    real = torch.arange(25).expand(4, 25) < 20
    for short, long in zip(model.layers(tokens), model.layers(longer, real), strict=True):
        assert torch.allclose(short, long[:, :20], atol=1e-5)


def test_attention_is_that_of_the_paper_word_by_word():
    torch.manual_seed(0)
    attention = language.Attention(8, 2, causal=True)
    x, real = torch.randn(1, 5, 8), torch.ones(1, 5, dtype=torch.bool)
    q, k, v = attention.qkv(x)[0].split(8, dim=1)
    rows = []
    for t in range(5):
        heads = []
        for h in (slice(0, 4), slice(4, 8)):
            weight = torch.stack([q[t, h] @ k[s, h] / 2 for s in range(t + 1)]).softmax(0)
            heads.append(sum(weight[s] * v[s, h] for s in range(t + 1)))
            mine = attention.weights(x, real)[0, h.start // 4, t]
            assert torch.allclose(mine[: t + 1], weight, atol=1e-6) and not mine[t + 1 :].any()
        rows.append(torch.cat(heads))
    assert torch.allclose(attention(x, real)[0], attention.out(torch.stack(rows)), atol=1e-6)


def test_the_attention_of_a_model_is_what_its_blocks_use():
    model, tokens = model_of("gpt"), words(1, 9)
    found = model.attention(tokens)
    assert len(found) == 2
    for weights in found:
        assert np.allclose(weights.sum(1), 1, atol=1e-5) and not np.triu(weights, 1).any()
    x = model.layers(tokens)[0] + model.position.weight[:9]
    block = model.body[0]
    expected = block.attention.weights(block.norm1(x), torch.ones(1, 9, dtype=torch.bool))
    assert np.allclose(found[0], expected[0].mean(0).detach(), atol=1e-6)


def test_the_softmax_shares_the_embeddings_weights():
    model = model_of("gpt")
    state = torch.randn(3, language.WIDTH)
    scores = model.scores(state)
    assert scores.shape == (3, 50), "the mask is never an answer"
    by_hand = model.out(state)[1] @ model.embedding.weight[7] + model.bias[7]
    assert torch.allclose(scores[1, 7], by_hand, atol=1e-5)


def test_an_unknown_kind_names_the_known_ones():
    with pytest.raises(ValueError, match="unknown kind 'bert': choose one of lstm, gpt, masked"):
        language.LanguageModel("bert")


# ── pretraining ─────────────────────────────────────────────────────────────────────────────


def test_word_vectors_are_where_training_starts():
    known = embeddings.Vocabulary(["<unknown>", "a", "b"], np.ones(3))
    vectors = np.zeros((3, language.WIDTH), dtype=np.float32)
    vectors[1, 0], vectors[2, 1] = 2, -1
    model = model_of("lstm", 3)
    unknown = model.embedding.weight[0].clone()
    language.start_from(model, embeddings.Embeddings(known, vectors))
    start = model.embedding.weight.detach()
    assert torch.equal(start[0], unknown)
    assert start[1:3].std().item() == pytest.approx(0.1, rel=1e-3)
    assert start[1, 0] / start[2, 1] == pytest.approx(-2, rel=1e-5)


@kinds
def test_perplexity_is_the_exponential_of_the_mean_surprise(kind):
    model = model_of(kind)
    for parameter in model.parameters():
        parameter.data.zero_()  # every word is as likely
    assert language.perplexity(model, words(1, 400)[0]) == pytest.approx(50, rel=1e-4)


def test_too_few_words_are_refused():
    with pytest.raises(ValueError, match="64 words are too few: pass more than 64"):
        language.pretrain(model_of("gpt"), words(1, 64)[0], 1, 1e-3)


@pytest.fixture(scope="module")
def text():
    docs = corpus.load()
    known = embeddings.vocabulary(docs.part("train").texts, 500)
    train = language.stream(docs.part("train").texts[::4], known)
    return train, language.stream(docs.part("validation").texts[:4000], known)


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
    torch.manual_seed(0)
    model = language.LanguageModel("lstm", 500)
    losses = language.pretrain(model, train, 250, 1e-2, batch_size=16)
    assert np.mean(losses[-10:]) < np.mean(losses[:10])
    assert language.perplexity(model, heldout) < 0.8 * unigram


def test_the_same_seed_trains_the_same_model(text):
    models = [model_of("gpt", 500), model_of("gpt", 500)]
    losses = [language.pretrain(m, text[0], 3, 1e-3, seed=4, batch_size=4) for m in models]
    assert losses[0] == losses[1]
    other = language.pretrain(model_of("gpt", 500), text[0], 3, 1e-3, seed=5, batch_size=4)
    assert other != losses[0]


# ── checkpoints ─────────────────────────────────────────────────────────────────────────────


@kinds
def test_the_shipped_checkpoints_are_small_and_know_where_they_come_from(kind):
    path = language.WEIGHTS / f"{kind}.pt"
    assert path.stat().st_size <= 3_000_000
    model, vocabulary, about = language.load(kind)
    assert model.kind == kind and not model.training
    assert len(vocabulary) == language.N_WORDS == model.mask
    assert {"corpus", "seed", "steps", "seconds", "perplexity"} == set(about)
    assert about["steps"] == language.RECIPES[kind]["steps"]


@pytest.mark.parametrize("kind", ["lstm", "gpt"])
def test_the_shipped_causal_models_guess_new_files_better_than_a_bigram(kind):
    model, vocabulary, _ = language.load(kind)
    docs = corpus.load()
    train = language.stream(docs.part("train").texts, vocabulary)
    heldout = language.stream(docs.part("test").texts[:1500], vocabulary)
    _, bigram = counted_perplexity(train, heldout, len(vocabulary))
    assert language.perplexity(model, heldout) < bigram


def test_the_vocabulary_was_made_without_the_test_files():
    _, vocabulary, about = language.load("lstm")
    docs = corpus.load()
    if docs.fingerprint != about["corpus"]:
        pytest.skip("other versions of the packages: another corpus")
    strict = embeddings.vocabulary(corpus.documents(docs.part("train")), language.N_WORDS)
    assert strict.words == vocabulary.words and (strict.counts == vocabulary.counts).all()


def test_what_is_saved_comes_back(tmp_path):
    model = model_of("gpt")
    known = embeddings.Vocabulary([f"w{i}" for i in range(50)], np.arange(50))
    language.save(model, known, {"seed": 3}, tmp_path / "new" / "gpt.pt")
    found, vocabulary, about = language.load("gpt", tmp_path / "new" / "gpt.pt")
    assert about == {"seed": 3} and vocabulary.words == known.words
    assert (vocabulary.counts == known.counts).all()
    for name, value in model.state_dict().items():
        assert torch.allclose(found.state_dict()[name], value, rtol=1e-3, atol=1e-6), name


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b[:-9], lambda b: b[: len(b) // 2],
                                    lambda b: b[:900_000] + b"x" + b[900_001:]])  # fmt: skip
def test_a_damaged_checkpoint_is_an_error_that_names_it(tmp_path, damage):
    path = tmp_path / "gpt.pt"
    path.write_bytes(damage((language.WEIGHTS / "gpt.pt").read_bytes()))
    words = "weights file gpt.pt is damaged .* python -m tlcourse language gpt"
    with pytest.raises(ValueError, match=words):
        language.load("gpt", path)


def test_other_weights_are_refused_and_a_missing_file_names_the_kinds(tmp_path):
    with pytest.raises(ValueError, match="letters.pt is damaged or holds another model"):
        language.load("gpt", models.WEIGHTS / "letters.pt")
    with pytest.raises(FileNotFoundError, match="choose one of lstm, gpt, masked"):
        language.load("gpt", tmp_path / "none.pt")
