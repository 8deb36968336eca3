"""Language models: what is asked, who sees whom, and attention word by word."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tlcourse.lessons.ch02c_language import language


def words(n=4, length=20, n_words=50, seed=0):
    return torch.randint(n_words, (n, length), generator=torch.Generator().manual_seed(seed))


def model_of(kind, n_words=50, seed=0):
    torch.manual_seed(seed)
    return language.LanguageModel(kind, n_words).eval()


# ── objectives ──────────────────────────────────────────────────────────────────────────────


def test_causal_targets_are_the_next_words():
    tokens = words()
    inputs, targets = language.causal_example(tokens)
    for row, t in np.ndindex(4, 19):
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
    for rate in (0, 1, -0.1):
        with pytest.raises(ValueError, match=f"rate is {rate}: hide a share between 0 and 1, such"):
            language.masked_example(words(), rate, 50, torch.Generator())


def test_a_causal_step_asks_more_words_than_a_masked_one():
    tokens, generator = words(64, 65), torch.Generator().manual_seed(0)
    signals = {
        kind: (language.example(model_of(kind), tokens, generator, share=1.0)[1] >= 0).sum().item()
        for kind in language.KINDS
    }
    assert signals["gpt"] == signals["lstm"] == 64 * 64
    assert signals["masked"] == pytest.approx(0.4 * 64 * 64, rel=0.1)


def test_the_loss_is_that_of_the_asked_positions_alone():
    tokens = words()
    targets = torch.full_like(tokens, language.IGNORE)
    targets[0, 3], targets[2, 11] = 7, 9
    for kind in language.KINDS:
        model = model_of(kind)
        surprise = -model.scores(model.layers(tokens)[-1]).log_softmax(-1)
        expected = (surprise[0, 3, 7] + surprise[2, 11, 9]) / 2
        found = language.loss(model, tokens, targets)
        assert torch.allclose(found, expected, atol=1e-5), kind


# ── networks ────────────────────────────────────────────────────────────────────────────────


def test_only_the_masked_model_sees_what_comes_later_and_each_what_came_before():
    tokens = words()
    later, first = tokens.clone(), tokens.clone()
    later[:, 12:] = (later[:, 12:] + 1) % 50
    first[:, 0] = (first[:, 0] + 1) % 50
    for kind in language.KINDS:
        model = model_of(kind)
        before, after, other = (model.layers(x)[-1] for x in (tokens, later, first))
        unmoved = torch.allclose(before[:, :12], after[:, :12], atol=1e-6)
        assert unmoved == (kind != "masked"), kind
        assert not torch.allclose(before[:, 12:], after[:, 12:], atol=1e-3), kind
        assert ((before - other).abs().amax(-1) > 1e-7).all(), kind


def test_padding_changes_nothing():
    tokens = words()
    longer = F.pad(tokens, (0, 5), value=3)
    real = torch.arange(25).expand(4, 25) < 20
    for kind in language.KINDS:
        model = model_of(kind)
        for short, long in zip(model.layers(tokens), model.layers(longer, real), strict=True):
            assert torch.allclose(short, long[:, :20], atol=1e-5), kind


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
