import re
from collections import Counter

import numpy as np
import pytest
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


def test_the_examples_in_the_statements_are_true():
    from lessons.ch01_concepts.right_answers import draw_by_choice, interval, labels_by_loop

    drawn = draw_by_choice(np.array([0, 1, 1, 0, 1]), 1, seed=0)
    assert sorted(np.array([0, 1, 1, 0, 1])[drawn]) == [0, 1]
    numbers = interval(np.array([0.91, 0.93, 0.92]), np.array([0.89, 0.92, 0.89]))
    assert np.round(numbers, 4).tolist() == [-0.0048, 0.02, 0.0448]
    assert round(labels_by_loop([1, 10, 100], [0.5, 0.7, 0.9], 0.8), 1) == 31.6


EXAMPLES = [
    ("ppmi", [[[2.0, 0.0], [0.0, 2.0]]], [[0.693, 0], [0, 0.693]]),
    ("rules_as_features", [[[(0, "<=", 2.0)]], [[2.0], [3.0]]], [[1], [0]]),
    ("perplexity", [[[0.5, 0.9, 0.125]], [[True, False, True]]], 4.0),
    ("leep", [[[0.9, 0.1], [0.8, 0.2], [0.1, 0.9]], [0, 0, 1]], -0.2449),
    ("kendall_tau", [[1, 2, 3], [0.7, 0.9, 0.8]], 0.3333),
]


def test_what_an_example_shows_is_what_a_right_answer_returns():
    for name, inputs, output in EXAMPLES:
        rules = inputs[:1] if name == "rules_as_features" else []
        inputs = [*rules, *map(np.array, inputs[len(rules) :])]
        assert np.allclose(RIGHT_ONE[name](*inputs), output, atol=5e-4), name
        shown = re.findall(r"-?\d+(?:\.\d+)?", catalogue()[name].example.split("returns")[1])
        assert [float(number) for number in shown] == np.ravel(output).tolist(), name


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
