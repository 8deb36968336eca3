"""All scores of all sources, what is true of them, and what judges a score."""

import json

import numpy as np
import pytest
from scipy import stats

from tlcourse import data, settings
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch02d_choosing_a_source import selection, zoo


def test_scores_and_truth_have_one_number_a_source():
    two = {name: net for name, net in zoo.zoo().items() if name in ("latin", zoo.RANDOM)}
    shown, target = {name: zoo.pictures(name, 60) for name in two}, data.digits()
    found, seconds = selection.score_all(two, shown, target, 5, 3)
    again, _ = selection.score_all(two, shown, target, 5, 3)
    assert list(found) == list(seconds) == list(selection.SCORES)
    for name, values in found.items():
        assert values.shape == (2,) and np.array_equal(values, again[name]), name
    for name in ("LEEP", "NCE", "LogME", "linear probe, 5 folds"):
        assert found[name][0] > found[name][1], "Latin promises more than random weights"
    assert found["H-score"].tolist() == [9, 9]
    chosen = selection.chosen_settings()
    right, cost = selection.transfer_all(two, target, chosen, "frozen", 5, 3)
    assert right.shape == (2, 997) and right.dtype == bool and cost > 0
    assert right[0].mean() > right[1].mean() + 0.1


# ── settings ────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_settings_are_candidates_for_every_source():
    found = selection.chosen_settings()
    assert list(found) == list(selection.WAYS)
    for way, candidates in selection.CANDIDATES.items():
        assert list(found[way]) == [*zoo.SOURCES, zoo.RANDOM]
        assert all(chosen in candidates for chosen in found[way].values()), way
        assert len(candidates) == 3


def test_the_command_chooses_for_every_source_on_seeds_that_no_report_uses(monkeypatch, tmp_path):
    asked = []

    def choose(learn, candidates, per_class, seeds):
        asked.append((learn.func, learn.keywords["source"], per_class, seeds))
        return candidates[-1]

    monkeypatch.setattr(transfer, "choose", choose)
    monkeypatch.setattr(selection, "SETTINGS", tmp_path / "selection.json")
    selection.main()
    assert [learn for learn, *_ in asked] == [w for w in selection.WAYS.values() for _ in range(12)]
    assert len({id(source) for _, source, *_ in asked}) == 12
    assert all(given == [5, settings.choosing_seeds()] for _, _, *given in asked)
    written = json.loads((tmp_path / "selection.json").read_text())
    assert written["frozen"]["greek"] == {"C": 100} and written["fine-tuned"]["font"] == {
        "lr": 0.01
    }


# ── Kendall's tau, picks, optimism ──────────────────────────────────────────────────────────


def test_tau_is_scipys_where_there_are_no_ties_and_by_hand_where_there_are():
    for seed in range(5):
        a, b = np.random.default_rng(seed).normal(size=(2, 9))
        assert selection.kendall_tau(a, b) == pytest.approx(stats.kendalltau(a, b).statistic), seed
    assert selection.kendall_tau([1, 2, 3], [0.7, 0.9, 0.8]) == pytest.approx(1 / 3)
    assert selection.kendall_tau([5, 5, 5], [0.7, 0.9, 0.8]) == 0
    many = selection.kendall_tau(np.arange(6).reshape(2, 3), np.array([[1, 2, 3], [3, 2, 1]]))
    assert many.tolist() == [1, -1]
    for bad in (([1, 2], [1, 2, 3]), ([1], [1])):
        with pytest.raises(ValueError, match="one of each a source, 2 or more"):
            selection.kendall_tau(*bad)


def test_the_interval_holds_tau_and_is_wider_when_sources_are_drawn_too():
    rng = np.random.default_rng(0)
    quality = np.linspace(0, 1, 10)
    promised, accuracy = (quality + rng.normal(0, 0.15, size=(8, 10)) for _ in range(2))
    low, tau, high = selection.tau_interval(promised, accuracy)
    assert low <= tau <= high and tau > 0.7
    wider = selection.tau_interval(promised, accuracy, over_sources=True)
    assert wider[1] == tau and wider[2] - wider[0] > high - low
    exact = np.tile(quality, (8, 1))
    assert selection.tau_interval(exact, exact) == (1, 1, 1)


def test_a_pick_is_the_accuracy_of_the_highest_score_and_ties_are_shared():
    accuracy = np.array([[0.9, 0.8, 0.7], [0.9, 0.8, 0.7]])
    promised = np.array([[1, 3, 2], [5, 5, 1]])
    assert selection.picked(promised, accuracy) == pytest.approx([0.8, 0.85])


def test_the_best_of_many_promises_too_much_and_a_single_one_does_not():
    rng = np.random.default_rng(0)
    right = rng.random((12, 600)) < 0.9  # twelve sources, all equally good
    reported, fresh = selection.optimism(right, 40, 12, seed=0)
    assert reported - fresh > 0.04
    reported, fresh = selection.optimism(right, 40, 1, seed=0, draws=2000)
    assert abs(reported - fresh) < 0.01
