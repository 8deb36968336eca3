import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from answers import RIGHT, RIGHT_ONE, WRONG, cases, examined
from loops import each
from matplotlib.figure import Figure

from tlcourse.teaching.exercise import ROOMS, catalogue


@pytest.mark.parametrize("name", catalogue())
def test_right_answers_pass_at_eight_seeds_and_wrong_ones_hear_their_mistake_named(name):
    passed = f"✓ {name}: right on {catalogue()[name].cases} random cases."

    def passes(function):
        assert {examined(name, function, seed).message for seed in range(8)} == {passed}

    def hears(function, words):
        for seed in range(3):
            answer = examined(name, function, seed)
            assert not answer.solved
            assert words in answer.message
            assert answer.message.endswith((".", "?"))

    each(passes, cases(RIGHT, name))
    each(hears, cases(WRONG, name))


def test_every_exercise_has_a_right_answer_and_three_wrong_ones():
    right, wrong = (Counter(row[0] for row in rows) for rows in (RIGHT, WRONG))
    assert set(right) == set(catalogue())
    assert all(wrong[name] >= 3 for name in catalogue())


def test_every_exercise_says_what_it_wants_and_helps():
    for exercise in catalogue().values():
        assert 1 <= exercise.level <= 3
        assert 2 <= len(exercise.hints) <= 3
        assert exercise.name in exercise.example
        assert all(text.rstrip().endswith((".", "?")) for text in exercise.hints)


def test_an_assignment_takes_60_to_90_minutes():
    minutes = {room: sum(e.minutes for e in catalogue(room).values()) for room in ROOMS}
    assert all(60 <= sum_ <= 90 for sum_ in minutes.values()), minutes


# ── the examples in the statements ──────────────────────────────────────────────────────────

BACKBONE = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3))
GIVEN = {  # what an example calls by a name
    "np": np,
    "d": 3,
    "backbone": BACKBONE,
    "model": SimpleNamespace(backbone=BACKBONE),
    "state": BACKBONE.state_dict(),
    "images": torch.rand(70, 1, 2, 2),
    "block": torch.nn.Linear(2, 2),
    "head": torch.nn.Linear(2, 1),
    "w": np.array([0.0]),
    "X": np.array([[[1.0]]]),
    "y": np.array([[2.0]]),
    "source": np.random.default_rng(0).normal(size=(9, 2)),
    "target": np.random.default_rng(1).normal(size=(7, 2)) @ [[2, 1], [0, 1]],
}
NUMBER = r"-?\b\d+(?:\.\d+)?"
IN_WORDS = [
    "freeze",
    "learning_rates",
    "cut_and_paste",
    "match_covariance",
    "linear_probe_features",
]
BY_CHANCE = ["balanced_draw", "mask_tokens", "drop_out"]


def flat(value):
    """The numbers, truths and texts in a result, one after the other."""
    if isinstance(value, list | tuple):
        return [leaf for part in value for leaf in flat(part)]
    return np.asarray(value).ravel().tolist()


def shown_by(text, value):
    """Whether a text shows what is in a value, to the digits that it shows."""
    numbers, leaves = re.findall(rf"{NUMBER}|True|False|'[a-z ]+'", text), flat(value)
    return len(numbers) == len(leaves) and all(
        str(leaf) in number
        if number[0] in "TF'"
        else abs(leaf - float(number)) <= 0.51 * 10.0 ** -len(number.partition(".")[2])
        for number, leaf in zip(numbers, leaves, strict=True)
    )


@pytest.mark.parametrize("name", [name for name in catalogue() if name not in IN_WORDS])
def test_what_an_example_shows_is_what_every_right_answer_returns(name):
    call, returned = re.match(
        rf"`({name}\(.*?\))`.*? returns? (.*)$", catalogue()[name].example
    ).groups()
    returned = returned.partition(": ")[0].rstrip(".")

    def is_shown(function):
        value = eval(call, {**GIVEN, name: function})
        if name in BY_CHANCE:  # then it shows what may come: as many numbers
            assert len(flat(value)) == len(re.findall(NUMBER, returned))
        else:
            assert shown_by(returned, value), value

    rows = [row for row in cases(RIGHT, name) if row[0] != "mask_in_torch_alone"]
    each(is_shown, rows)


def test_examples_in_words_are_true():
    right = {name: RIGHT_ONE[name] for name in IN_WORDS}
    names = {**GIVEN, **right}
    rates = right["learning_rates"]([GIVEN["block"], GIVEN["head"]], 0.01, 0.5)
    assert [group["lr"] for group in rates] == [0.005, 0.01]
    shape = catalogue()["linear_probe_features"].example.replace(" is ", " == ").replace("`", "")
    assert eval(shape.rstrip("."), names)
    _, labels = right["cut_and_paste"](
        np.zeros((2, 4, 4)), np.eye(2), (0, 0, 2, 2), np.array([1, 0])
    )
    assert labels.tolist() == [[0.75, 0.25], [0.25, 0.75]]
    moved, target = (
        right["match_covariance"](GIVEN["source"], GIVEN["target"], 1e-9),
        GIVEN["target"],
    )
    assert np.allclose(np.cov(moved.T), np.cov(target.T)), "of the target"
    assert np.allclose(moved.mean(axis=0), target.mean(axis=0))
    eval(catalogue()["freeze"].example.strip("`"), names)
    assert not any(p.requires_grad for p in BACKBONE.parameters())


DRAWINGS = [
    ("balanced_draw", "unbalanced", {"yours", "expected: "}),
    ("freeze", "only_requires_grad", {"expected: 0", "1.running_mean"}),
    ("paired_interval", "unpaired", {"yours", "expected"}),
    ("labels_to_match", "over_budgets", {"yours", "expected", "target"}),
    ("labels_to_match", "last_when_never", {"expected: inf"}),
]


def test_a_drawing_shows_yours_beside_expected():
    for name, mistake, words in DRAWINGS:
        function = next(row[1] for row in WRONG if row[1].__name__ == mistake)
        figure = examined(name, function).drawing
        assert isinstance(figure, Figure), mistake
        figure.canvas.draw()
        axes = figure.axes[0]
        texts = [t.get_text() for t in axes.get_yticklabels()] + [axes.get_xlabel()]
        texts += axes.get_legend_handles_labels()[1]
        assert all(any(word in text for text in texts) for word in words), mistake
