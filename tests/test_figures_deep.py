"""The freeze-depth figure shows every curve, the baseline and the marked point."""

import numpy as np
import pytest

from tlcourse import figures_deep


def accuracies(depths=5):
    random = np.random.default_rng(0)
    return {name: random.uniform(0.5, 0.9, (3, depths)) for name in ("letters", "faces")}


def drawn(figure):
    """The axes of a figure whose whole layout was computed, and its legend's words."""
    figure.canvas.draw()
    return figure.axes[0], [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_curve_is_the_mean_over_seeds_and_the_ends_are_named():
    accuracy = accuracies()
    ax, words = drawn(figures_deep.freeze_depth(accuracy, title="five labels"))
    for line, values in zip(ax.lines, accuracy.values(), strict=True):
        assert np.allclose(line.get_ydata(), values.mean(axis=0))
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks == ["0\n(all tuned)", "1", "2", "3", "4\n(head only)"]
    assert words == ["letters", "faces"] and ax.get_title("left") == "five labels"


def test_a_baseline_is_a_line_and_a_mark_is_a_ring():
    accuracy = accuracies()
    figure = figures_deep.freeze_depth(accuracy, ("probe", 0.7), ("faces", 3))
    ax, words = drawn(figure)
    *_, line, ring = ax.lines
    assert set(line.get_ydata()) == {0.7} and words == ["letters", "faces", "probe"]
    assert ring.get_xdata() == [3] and ring.get_ydata() == [accuracy["faces"][:, 3].mean()]


@pytest.mark.parametrize("mark", [("latin", 0), ("faces", 5), ("faces", -1)])
def test_a_mark_that_was_not_measured_is_an_error(mark):
    with pytest.raises(ValueError, match="mark one of the sources and depths"):
        figures_deep.freeze_depth(accuracies(), mark=mark)
