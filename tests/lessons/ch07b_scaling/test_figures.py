import numpy as np
import pytest

from tlcourse.lessons.ch07b_scaling import figures


def test_each_column_is_a_point_and_both_rings_are_there():
    medians, spreads = np.array([1.0, 2.5, 1.1]), np.array([0.9, 2.6, 1.2])
    figure = figures.column_ratios({"a": (medians, spreads), "b": (spreads, medians)}, 2.5)
    figure.canvas.draw()
    for ax, expected in zip(figure.axes, ((medians, spreads), (spreads, medians)), strict=True):
        rings, points = ax.lines[-2:]
        assert rings.get_xdata().tolist() == rings.get_ydata().tolist() == [1, 2.5]
        assert np.array_equal(points.get_xydata(), np.column_stack(expected))


def test_no_panel_is_refused():
    with pytest.raises(ValueError, match="at least one case"):
        figures.column_ratios({}, 2)
