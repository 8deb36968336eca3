"""The zoo, its settings, and what judges a score: rank correlation, picks, optimism."""

import json

import numpy as np
import pytest
import torch
from scipy import stats

from tlcourse import data, models, runtime
from tlcourse.lessons.ch01_concepts import pretrain
from tlcourse.lessons.ch02d_choosing_a_source import figures, zoo


@pytest.fixture(scope="module")
def nets():
    return zoo.zoo()


@pytest.fixture(scope="module")
def target():
    return data.digits()


# ── the zoo ─────────────────────────────────────────────────────────────────────────────────


def test_the_zoo_has_eleven_trained_sources_and_one_that_saw_nothing(nets):
    assert list(nets) == [*pretrain.ZOO, zoo.RANDOM] and len(nets) == 12
    assert not any(net.training for net in nets.values())


def test_every_head_has_one_output_a_class_of_its_source_task(nets):
    for name in pretrain.ZOO:
        task, _ = pretrain.source_task(name)
        assert nets[name].head.out_features == len(task.names), name


def test_every_source_learned_its_task_and_shuffled_labels_were_hardly_learned(nets):
    """Heads fit backbones: on pictures as in training, far more are right than by chance."""
    for name in pretrain.ZOO:
        task, augment = pretrain.source_task(name)
        rows = torch.randperm(len(task), generator=torch.Generator().manual_seed(1))[:300]
        images = augment(task.images[rows], torch.Generator().manual_seed(2))
        _, probabilities = zoo.read(nets[name], images)
        right = (probabilities.argmax(1) == task.labels[rows].numpy()).mean()
        if name == "shuffled":
            assert right < 0.05, "labels that follow no rule: nothing to learn but by heart"
        else:
            assert right > max(0.2, 1.5 / len(task.names)), (name, right)


def test_reading_gives_features_and_probabilities(nets, target):
    features, probabilities = zoo.read(nets["greek"], target.test.images[:7])
    assert features.shape == (7, 256) and features.dtype == np.float64
    assert np.allclose(probabilities.sum(1), 1) and (probabilities >= 0).all()


def test_random_weights_are_the_same_every_time(nets):
    again = zoo.zoo()[zoo.RANDOM].state_dict()
    assert all(torch.equal(v, again[k]) for k, v in nets[zoo.RANDOM].state_dict().items())


def test_a_missing_or_damaged_file_is_named_in_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "zoo").mkdir()
    for kept in ("greek.pt", "greek.head.pt"):
        whole = (models.WEIGHTS / "zoo" / kept).read_bytes()
        (tmp_path / "zoo" / kept).write_bytes(whole)
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    assert zoo.load("greek").head.out_features == 176
    head = tmp_path / "zoo" / "greek.head.pt"
    for content in (b"not weights", whole[: len(whole) // 2]):
        head.write_bytes(content)
        with pytest.raises(ValueError, match="head of source 'greek' is missing or damaged.*greek"):
            zoo.load("greek")
    head.unlink()
    with pytest.raises(ValueError, match="again with python -m tlcourse pretrain greek"):
        zoo.load("greek")
    with pytest.raises(FileNotFoundError, match="no weights file latin.pt"):
        zoo.load("latin")


def test_pictures_are_what_the_source_saw_in_training():
    bright = {n: zoo.pictures(n).mean().item() for n in ("latin", "negative", zoo.RANDOM)}
    assert bright["negative"] > 0.5 > bright["latin"]
    assert torch.equal(zoo.pictures(zoo.RANDOM), zoo.pictures("alphabets"))
    assert zoo.pictures("arabic", 9).shape == (9, 1, 16, 16)


# ── the source tasks ────────────────────────────────────────────────────────────────────────


def test_alphabets_script_and_shuffled_share_their_pictures_and_not_their_labels():
    letters, script, shuffled = (
        pretrain.source_task(n)[0] for n in ("alphabets", "script", "shuffled")
    )
    assert torch.equal(letters.images, script.images)
    assert torch.equal(letters.images, shuffled.images)
    assert torch.equal(letters.labels.bincount(), shuffled.labels.bincount()), "a permutation"
    assert (letters.labels == shuffled.labels).float().mean() < 0.02
    of_letter = {}
    for letter, label in zip(letters.labels.tolist(), script.labels.tolist(), strict=True):
        assert of_letter.setdefault(letter, label) == label, "a letter has one script"
    for letter, script_name in zip("AЖΨ", ("LATIN", "CYRILLIC", "GREEK"), strict=True):
        assert script.names[of_letter[letters.names.index(letter)]] == script_name


def test_the_command_writes_backbone_and_head_of_a_zoo_source(monkeypatch, tmp_path):
    monkeypatch.setattr(models, "WEIGHTS", tmp_path)
    monkeypatch.setattr("sys.argv", ["pretrain", "arabic", "--steps", "2"])
    threads = torch.get_num_threads()
    pretrain.main()
    torch.set_num_threads(threads)
    assert {p.name for p in (tmp_path / "zoo").iterdir()} == {"arabic.pt", "arabic.head.pt"}
    assert zoo.load("arabic").head.out_features == 43


# ── settings ────────────────────────────────────────────────────────────────────────────────


def test_the_shipped_settings_are_candidates_for_every_source():
    settings = zoo.chosen_settings()
    for way, candidates in zoo.CANDIDATES.items():
        assert list(settings[way]) == [*pretrain.ZOO, zoo.RANDOM]
        assert all(chosen in candidates for chosen in settings[way].values())
        assert len(candidates) == 3


def test_choosing_takes_the_candidate_with_the_best_validation_accuracy(monkeypatch, target, nets):
    monkeypatch.setattr(zoo, "WAYS", {"frozen": zoo.WAYS["frozen"]})
    bad, good = {"C": 1e-9}, {"C": 1}
    monkeypatch.setattr(zoo, "CANDIDATES", {"frozen": [bad, good]})
    chosen = zoo.choose({"greek": nets["greek"]}, target, 5, [990])
    assert chosen == {"frozen": {"greek": good}}


def test_the_command_writes_what_was_chosen(monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "SETTINGS", tmp_path / "new" / "sources.json")
    monkeypatch.setattr(zoo, "choose", lambda *inputs: {"frozen": {"seeds": inputs[-1]}})
    threads = torch.get_num_threads()
    zoo.main()
    torch.set_num_threads(threads)
    last = runtime.seeds(1000)[-4:]
    assert json.loads((tmp_path / "new" / "sources.json").read_text())["frozen"]["seeds"] == last


# ── runs ────────────────────────────────────────────────────────────────────────────────────


def test_scores_and_truth_have_one_number_a_source(nets, target):
    two = {name: nets[name] for name in ("latin", zoo.RANDOM)}
    shown = {name: zoo.pictures(name, 60) for name in two}
    found, seconds = zoo.score_all(two, shown, target, 5, 3)
    again, _ = zoo.score_all(two, shown, target, 5, 3)
    assert list(found) == list(seconds) == list(zoo.SCORES)
    for name, values in found.items():
        assert values.shape == (2,) and np.array_equal(values, again[name])
    for name in ("LEEP", "NCE", "LogME", "linear probe, 5 folds"):
        assert found[name][0] > found[name][1], "Latin promises more than random weights"
    assert found["H-score"].tolist() == [9, 9]
    right, cost = zoo.transfer_all(two, target, zoo.chosen_settings(), "frozen", 5, 3)
    assert right.shape == (2, 600) and right.dtype == bool and cost > 0
    assert right[0].mean() > right[1].mean() + 0.1


# ── Kendall's tau, picks, optimism ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(5))
def test_tau_is_scipys_where_there_are_no_ties(seed):
    a, b = np.random.default_rng(seed).normal(size=(2, 9))
    assert zoo.kendall_tau(a, b) == pytest.approx(stats.kendalltau(a, b).statistic)


def test_tau_by_hand_ties_and_many_at_once():
    assert zoo.kendall_tau([1, 2, 3], [0.7, 0.9, 0.8]) == pytest.approx(1 / 3)
    assert zoo.kendall_tau([5, 5, 5], [0.7, 0.9, 0.8]) == 0
    many = zoo.kendall_tau(np.arange(6).reshape(2, 3), np.array([[1, 2, 3], [3, 2, 1]]))
    assert many.tolist() == [1, -1]
    for bad in (([1, 2], [1, 2, 3]), ([1], [1])):
        with pytest.raises(ValueError, match="one of each a source, 2 or more"):
            zoo.kendall_tau(*bad)


def test_the_interval_holds_tau_and_is_wider_when_sources_are_drawn_too():
    rng = np.random.default_rng(0)
    quality = np.linspace(0, 1, 10)
    promised, accuracy = (quality + rng.normal(0, 0.15, size=(8, 10)) for _ in range(2))
    low, tau, high = zoo.tau_interval(promised, accuracy)
    assert low <= tau <= high and tau > 0.7
    wider = zoo.tau_interval(promised, accuracy, over_sources=True)
    assert wider[1] == tau and wider[2] - wider[0] > high - low
    exact = np.tile(quality, (8, 1))
    assert zoo.tau_interval(exact, exact) == (1, 1, 1)


def test_a_pick_is_the_accuracy_of_the_highest_score_and_ties_are_shared():
    accuracy = np.array([[0.9, 0.8, 0.7], [0.9, 0.8, 0.7]])
    promised = np.array([[1, 3, 2], [5, 5, 1]])
    assert zoo.picked(promised, accuracy) == pytest.approx([0.8, 0.85])


def test_the_best_of_many_promises_too_much_and_a_single_one_does_not():
    rng = np.random.default_rng(0)
    right = rng.random((12, 600)) < 0.9  # twelve sources, all equally good
    reported, fresh = zoo.optimism(right, 40, 12, seed=0)
    assert reported - fresh > 0.04
    reported, fresh = zoo.optimism(right, 40, 1, seed=0, draws=2000)
    assert abs(reported - fresh) < 0.01


def test_the_explorer_redraws_when_a_menu_moves():
    rng = np.random.default_rng(0)
    promised = {"one": rng.random((3, 4)), "two": rng.random((3, 4))}
    box = figures.score_explorer(promised, {"frozen": rng.random((3, 4))}, list("abcd"))
    score, way, output = box.children
    assert score.options == ("one", "two") and way.options == ("frozen",)
    score.value = "two"
    assert not any(o.get("output_type") == "error" for o in output.outputs)
