"""The figures of lesson 02d draw what they are given, where it belongs."""

import numpy as np

from tlcourse.lessons.ch02d_choosing_a_source import figures

NAMES = ["good", "bad", "middling"]
ACCURACY = np.array([[0.9, 0.5, 0.7], [0.8, 0.4, 0.6], [0.85, 0.45, 0.65]])


def test_a_score_stands_against_the_accuracy_and_every_source_is_named():
    promised = np.array([[3.0, 1.0, 2.0]] * 3)
    figure = figures.score_against_accuracy(promised, ACCURACY, NAMES, "LEEP", 1.0)
    figure.canvas.draw()
    axes = figure.axes[0]
    x, y = axes.lines[0].get_data()
    assert np.allclose(x, [3, 1, 2]) and np.allclose(y, [0.85, 0.45, 0.65])
    assert {text.get_text() for text in axes.texts} == set(NAMES)


def test_both_intervals_of_each_correlation_are_drawn():
    narrow, wide = {"LEEP": (0.2, 0.5, 0.7)}, {"LEEP": (-0.1, 0.5, 0.9)}
    figure = figures.rank_correlations(narrow, wide)
    figure.canvas.draw()
    ends = [lines.get_segments()[0][:, 0].tolist() for lines in figure.axes[0].collections]
    assert ends == [[0.2, 0.7], [-0.1, 0.9]]


def test_the_best_source_stands_on_top():
    figure = figures.accuracy_by_source({"frozen": ACCURACY}, NAMES, {"SVM": [0.6] * 3})
    figure.canvas.draw()
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["bad", "middling", "good"]


def test_the_explorer_redraws_when_a_menu_moves():
    promised = {"one": ACCURACY, "two": 1 - ACCURACY}
    score, way, output = figures.score_explorer(promised, {"frozen": ACCURACY}, NAMES).children
    assert score.options == ("one", "two") and way.options == ("frozen",)
    score.value = "two"
    assert not any(o.get("output_type") == "error" for o in output.outputs)
