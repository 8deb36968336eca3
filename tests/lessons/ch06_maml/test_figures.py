"""Figures of chapter 6: what is drawn, and that nothing is clipped."""

import ipywidgets
import numpy as np

from tlcourse.lessons.ch06_maml import figures

ERRORS = {name: np.full((3, 4), level) for name, level in (("MAML", 0.5), ("joint", 2.0))}


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_errors_along_adaptation_begin_at_zero_error_and_name_every_step():
    figure = figures.adaptation_errors((0, 1, 5, 10), ERRORS)
    (ax,) = figure.axes
    assert [t.get_text() for t in ax.get_xticklabels()] == ["0", "1", "5", "10"]
    assert legend(figure) == ["MAML", "joint"]
    low, high = ax.get_ylim()
    assert low == 0 and high > 2


def test_a_wave_is_drawn_with_its_points_and_every_curve():
    x = np.linspace(-5, 5, 50)
    points = (np.array([0.0, 1.0]), np.array([0.0, 3.5]))
    figure = figures.wave_fit(x, 3 * np.sin(x), points, {"MAML": np.sin(x)})
    (ax,) = figure.axes
    assert legend(figure) == ["the wave", "MAML", "support points"]
    assert np.array_equal(ax.lines[0].get_ydata(), 3 * np.sin(x))
    assert ax.get_ylim()[1] > 3.5


def test_memory_has_one_line_a_setting():
    figure = figures.memory([5, 10], {"1 inner steps": [1, 2], "5 inner steps": [4, 8]})
    (ax,) = figure.axes
    assert [list(line.get_ydata()) for line in ax.lines] == [[1, 2], [4, 8]]
    assert ax.get_ylim()[0] == 0 and ax.get_ylim()[1] > 8


def test_three_sliders_draw_the_wave_they_name(capsys):
    drawn = []
    box = figures.wave_explorer(lambda *found: drawn.append(found))
    amplitude, phase, steps, output = box.children
    assert isinstance(output, ipywidgets.Output)
    amplitude.value, phase.value, steps.value = 3.0, 2.0, 5
    assert drawn[0] == (2.0, 1.0, 1) and drawn[-1] == (3.0, 2.0, 5) and len(drawn) == 4
