"""Episodes are what they say, scores equal slow versions, shipped weights do what they claim."""

from dataclasses import replace

import pytest
import torch

from tlcourse import data
from tlcourse.lessons.ch06_maml import episodes, maml


@pytest.fixture(scope="module")
def digits():
    return data.digits().test


def test_an_episode_holds_new_pictures_of_n_classes(digits):
    # Give each picture its own brightness, to recognise it.
    marks = torch.arange(len(digits)).float() / len(digits)
    marked = replace(digits, images=marks[:, None, None, None].expand(-1, 1, 16, 16).contiguous())
    drawn = episodes.draw_episodes(marked, 20, 5, 2, 3, seed=1)
    assert drawn.support_inputs.shape == (20, 10, 1, 16, 16)
    assert drawn.query_targets.tolist() == [[k for k in range(5) for _ in range(3)]] * 20
    inputs, targets = drawn.merged()
    for pictures, names in zip(inputs[:, :, 0, 0, 0], targets, strict=True):
        rows = (pictures * len(digits)).round().long()
        assert len(rows.unique()) == 25
        true = digits.labels[rows]
        assert len({(int(a), int(b)) for a, b in zip(true, names, strict=True)}) == 5
    again = episodes.draw_episodes(marked, 20, 5, 2, 3, seed=1)
    assert torch.equal(drawn.query_inputs, again.query_inputs)
    other = episodes.draw_episodes(marked, 20, 5, 2, 3, seed=2)
    assert not torch.equal(drawn.query_inputs, other.query_inputs)


def test_centroid_scores_equal_a_slow_version():
    support, query = torch.randn(2, 6, 4), torch.randn(2, 3, 4)
    labels = torch.tensor([[0, 0, 1, 1, 2, 2], [2, 1, 0, 2, 1, 0]])
    found = episodes.centroid_scores(support, labels, query, 3)
    cosines = episodes.cosine_scores(support, labels, query, 3)
    for e in range(2):
        middle = support[e].mean(0)
        for k in range(3):
            mean = support[e][labels[e] == k].mean(0)
            for i in range(3):
                due = -((query[e, i] - mean) ** 2).sum()
                assert found[e, i, k].item() == pytest.approx(due.item(), abs=1e-4)
                a, b = query[e, i] - middle, mean - middle
                assert cosines[e, i, k].item() == pytest.approx(
                    (a @ b / a.norm() / b.norm()).item(), abs=1e-5
                )


def test_one_by_one_a_query_cannot_help_another(digits):
    weights, model = episodes.load("maml"), episodes.network()
    drawn = episodes.draw_episodes(digits, 3, 5, 1, 2, seed=0)
    changed = drawn._replace(query_inputs=drawn.query_inputs.clone())
    changed.query_inputs[:, 1:] = 0.5
    for transductive in (True, False):
        a, b = (
            episodes.adapted_scores(model, weights, d, transductive=transductive)[:, 0]
            for d in (drawn, changed)
        )
        assert torch.allclose(a, b, atol=1e-4) != transductive


def test_the_shipped_networks_name_digits_they_never_saw(digits):
    drawn = episodes.draw_episodes(digits, 30, 5, 5, 3, seed=5)
    model = episodes.network()
    weights = maml.for_tasks(episodes.load("protonet"), 30)
    found = [episodes.protonet_scores(model, weights, drawn)]
    for name in ("maml", "maml-second-order"):
        found.append(episodes.adapted_scores(model, episodes.load(name), drawn))
    for scores in found:
        assert episodes.accuracies(scores, drawn).mean() > 0.6  # a guess: 0.2


@pytest.mark.parametrize("kind, steps", [("maml", 60), ("protonet", 20)])
def test_a_short_training_goes_the_same_way(kind, steps):
    pool, model = data.georgian(), episodes.network()
    drawn = episodes.draw_episodes(pool.test, 40, 5, 5, 3, seed=5)

    def judge(weights):
        if kind == "maml":
            scores = episodes.adapted_scores(model, weights, drawn)
        else:
            scores = episodes.protonet_scores(model, maml.for_tasks(weights, 40), drawn)
        return episodes.accuracies(scores, drawn).mean()

    start = maml.initial_weights(episodes.network, [3])
    assert judge(episodes.train(kind, pool.pool, steps, seed=3)) > judge(start)


@pytest.mark.parametrize("kind", ["maml", "protonet"])
def test_the_pictures_that_a_training_shows_are_counted(kind, monkeypatch):
    draw, shown = episodes.draw_episodes, []

    def counted(*request):
        shown.append(draw(*request))
        return shown[-1]

    monkeypatch.setattr(episodes, "draw_episodes", counted)
    episodes.train(kind, data.georgian().pool, 2, seed=3)
    pictures = sum(targets.numel() for drawn in shown for targets in drawn[1::2])
    assert pictures == episodes.pictures_shown(kind, 2)


def test_the_second_order_is_another_training():
    how = {"kind": "maml", "pool": data.georgian().pool, "steps": 2, "seed": 3, "tasks": 2}
    first, second = (episodes.train(**how, second_order=order) for order in (False, True))
    assert first.keys() == second.keys()
    assert any(not torch.allclose(first[name], second[name]) for name in first)


def test_bad_requests_are_named(digits):
    for request, words in (
        ((1, 11, 2, 3), "5 pictures, but 11-way episodes need 11"),
        ((1, 5, 490, 10), "0 classes have 500 pictures"),
        ((1, 5, 0, 3), "at least 1 episode"),
    ):
        with pytest.raises(ValueError, match=words):
            episodes.draw_episodes(digits, *request, seed=0)
    with pytest.raises(FileNotFoundError, match="no weights file other.pt.*tlcourse episodes"):
        episodes.load("other")


def test_shipped_weights_are_small():
    sizes = {p.stem: p.stat().st_size for p in episodes.WEIGHTS.glob("*.pt")}
    assert set(sizes) == set(episodes.SHIPPED)
    assert max(sizes.values()) <= 150_000
    for kind in sizes:
        assert all(w.isfinite().all() for w in episodes.load(kind).values()), kind
