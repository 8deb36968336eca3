import numpy as np
import pytest

from tlcourse import data, figures_augmentation, widgets_augmentation


def test_each_column_is_a_point_and_both_rings_are_there():
    medians, spreads = np.array([1.0, 2.5, 1.1]), np.array([0.9, 2.6, 1.2])
    figure = figures_augmentation.column_ratios(
        {"a": (medians, spreads), "b": (spreads, medians)}, 2.5
    )
    figure.canvas.draw()
    for ax, expected in zip(figure.axes, ((medians, spreads), (spreads, medians)), strict=True):
        rings, points = ax.lines[-2:]
        assert rings.get_xdata().tolist() == rings.get_ydata().tolist() == [1, 2.5]
        assert np.array_equal(points.get_xydata(), np.column_stack(expected))


def test_no_panel_is_refused():
    with pytest.raises(ValueError, match="at least one case"):
        figures_augmentation.column_ratios({}, 2)


def test_the_explorer_shows_the_policy_and_its_gain(capsys):
    train = data.few_labels(data.digits().pool, 1, 0)
    gains = {"affine": np.array([0.02, 0.04]), "half turn": np.array([-0.1, -0.2])}
    menu, slider, _ = widgets_augmentation.policy_explorer(train, gains).children
    assert menu.options == ("affine", "half turn") and 1.0 in slider.options
    menu.value, slider.value = "half turn", 0.25
    printed = capsys.readouterr().out
    assert "affine, at its chosen strength: +3.0 points" in printed
    assert "half turn, at its chosen strength: -15.0 points" in printed
