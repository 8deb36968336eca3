"""The figures of lesson 5 draw what they are given, and say what is missing."""

import numpy as np
import pytest

from tlcourse.lessons.ch05_multitask import figures


def values(*shape):
    return np.linspace(0.1, 0.9, int(np.prod(shape))).reshape(shape)


def test_scores_have_a_panel_a_task_and_a_row_a_method():
    figure = figures.scores_by_method(
        {"alone": {"class": values(3)}, "sum": {"class": values(3), "slant": values(3) - 1}}
    )
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("class", "slant")
    assert [label.get_text() for label in left.get_yticklabels()] == ["alone", "sum"]
    assert len(left.lines) == 4 and np.min(right.lines[1].get_xdata()) >= 0


def test_curves_over_time_are_drawn_in_full():
    figure = figures.over_time([0, 10], {"norms": {"a": 100 * values(3, 2)}}, "length", log=True)
    (ax,) = figure.axes
    assert ax.get_yscale() == "log" and ax.get_ylim()[1] > 60
    assert ax.get_ylabel() == "length"


def test_the_ring_marks_the_chosen_share():
    figure = figures.trade_off([0.1, 0.9], {"a": values(2, 3), "b": values(2, 3)[::-1]}, 1)
    assert figure.axes[0].lines[-1].get_xdata()[0] == pytest.approx(values(2, 3)[1].mean())


@pytest.mark.parametrize(
    ("draw", "given"),
    [
        (figures.scores_by_method, [{}]),
        (figures.over_time, [[0], {}, "length"]),
        (figures.trade_off, [[0.5], {"a": values(1, 2)}, 0]),
    ],
)
def test_missing_input_is_told(draw, given):
    with pytest.raises(ValueError, match="pass"):
        draw(*given)


def test_the_widget_finds_the_nearest_measured_weight(capsys):
    scores = {"a": values(3, 3), "b": values(3, 3)[::-1]}
    box = figures.weight_explorer([0.1, 0.5, 0.9], scores)
    box.children[0].value = 10
    text = capsys.readouterr().out + "".join(o.get("text", "") for o in box.children[2].outputs)
    assert "share 0.9" in text
