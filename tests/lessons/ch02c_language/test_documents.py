"""Reading with a language model: pooling, frozen features, fine-tuning, pairs of sentences."""

import copy

import numpy as np
import pytest
import torch

from tlcourse import data
from tlcourse.data import corpus
from tlcourse.lessons.ch02a_traditional_models import embeddings
from tlcourse.lessons.ch02c_language import documents, language, pretraining
from tlcourse.settings import stored


@pytest.fixture(scope="module")
def docs():
    return corpus.load()


@pytest.fixture(scope="module")
def task(docs):
    return corpus.package_documents(docs, sizes=(30, 5, 12))


@pytest.fixture(scope="module")
def gpt():
    return pretraining.load("gpt")


def test_long_texts_are_cut_and_short_ones_padded():
    known = embeddings.vocabulary(["a b c"], min_count=1)
    long = " ".join(["a"] * 70)
    tokens, real, owner = documents.padded([long, "b c", ""], known)
    assert tokens.shape == (4, 64) and owner.tolist() == [0, 0, 1, 2]
    assert real.sum(1).tolist() == [64, 6, 2, 1]
    assert tokens[2, :3].tolist() == [2, 3, 0]


def test_pooling_is_a_weighted_mean_whatever_else_is_in_the_batch(task, gpt):
    torch.manual_seed(0)
    vocabulary, texts = gpt[1], task.pool.texts[:6]
    weights = torch.from_numpy(embeddings.sif_weights(vocabulary)).float()
    for kind in language.KINDS:
        model = language.LanguageModel(kind, len(vocabulary)).eval()
        found = documents.pooled(model, vocabulary, texts)
        for i, text in enumerate(texts):
            pieces = torch.from_numpy(vocabulary.encode(text)).split(language.CONTEXT)
            layers = [model.layers(piece[None]) for piece in pieces]
            share = torch.cat([weights[piece] for piece in pieces])
            for depth, layer in enumerate(found):
                states = torch.cat([part[depth][0] for part in layers])
                expected = (share[:, None] * states).sum(0) / share.sum()
                assert torch.allclose(layer[i], expected, atol=1e-4), (kind, i, depth)


def test_joined_features_have_length_1_and_layers_that_count_alike():
    rng = torch.Generator().manual_seed(0)
    layers = [scale * torch.randn(500, 20, generator=rng) + 3 for scale in (1.0, 100.0)]
    found = documents.joined(layers, layers)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    first, second = np.square(found).reshape(500, 2, 20).sum(2).mean(0)
    assert first == pytest.approx(second, rel=0.05)
    centred = torch.cat(
        [(x - x.mean(0)) / (x - x.mean(0)).square().mean().sqrt() for x in layers], 1
    )
    assert np.allclose(found, centred / centred.norm(dim=1, keepdim=True), atol=1e-5)


def test_features_of_a_text_do_not_depend_on_the_other_test_texts(task, gpt):
    model, vocabulary, _ = gpt
    reference = documents.layer_means(model, vocabulary, task.pool.texts)
    many = documents.joined(documents.layer_means(model, vocabulary, task.test.texts), reference)
    one = documents.joined(
        documents.layer_means(model, vocabulary, task.test.texts[3:4]), reference
    )
    assert np.allclose(many[3], one[0], atol=1e-5)


def test_fine_tuning_learns_its_documents_and_moves_the_weights(task, gpt):
    model, vocabulary, _ = gpt
    mine, train = copy.deepcopy(model), data.few_labels(task.pool, 3, 0)
    predict = documents.fine_tune(mine, vocabulary, train, 0, lr=3e-3, steps=25)
    assert np.mean(predict(train.texts) == train.labels.numpy()) > 0.9
    assert not torch.equal(mine.embedding.weight, model.embedding.weight)
    chance = 1 / len(task.test.names)
    assert np.mean(predict(task.test.texts) == task.test.labels.numpy()) > 2 * chance
    again = documents.fine_tune(copy.deepcopy(model), vocabulary, train, 0, lr=3e-3, steps=25)
    assert (again(task.test.texts) == predict(task.test.texts)).all()


def test_half_of_the_pairs_follow_each_other(docs):
    side = docs.part("validation")
    place = {text: i for i, text in enumerate(side.texts)}
    for near in (False, True):
        first, second, follows = documents.sentence_pairs(side, 200, seed=1, near=near)
        assert follows.mean() == 0.5
        for a, b, truth in zip(first, second, follows, strict=True):
            i, j = place[a], place[b]
            same_file = side.files[i] == side.files[j]
            assert (j == i + 1 and same_file) == bool(truth) and i != j
            assert same_file or not near


def test_every_method_has_six_candidates_and_a_choice_for_each_budget():
    chosen = stored(documents.SETTINGS)
    assert set(chosen) == set(documents.CANDIDATES)
    for method, candidates in documents.CANDIDATES.items():
        assert len(candidates) == 6
        assert all(chosen[method][k] in candidates for k in (5, 20, 50))


def test_frozen_features_are_kept_until_a_text_changes(task, tmp_path, monkeypatch):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    method, read = "LSTM, frozen", []
    layer_means = documents.layer_means
    monkeypatch.setattr(documents, "layer_means", lambda *a: read.append(1) or layer_means(*a))
    few = data.Splits(*(part.subset(range(5)) for part in task))
    first, again = (documents.frozen_features(few, [method])[method] for _ in range(2))
    assert len(read) == 3, "a part each, once"
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    other = data.Splits(few.pool, few.validation, task.test.subset(range(1, 6)))
    changed = documents.frozen_features(other, [method])[method]
    assert len(read) == 6 and not np.array_equal(changed.test, first.test)
