"""The freeze-depth figure shows every curve, the baseline and the marked point."""

import ipywidgets
import numpy as np
import pytest

from tlcourse.lessons.ch02b_pictures import figures


def accuracies(names=("letters", "faces")):
    random = np.random.default_rng(0)
    return {name: random.uniform(0.5, 0.9, (3, 5)) for name in names}


def drawn(figure):
    """The axes of a figure whose whole layout was computed, and its legend's words."""
    figure.canvas.draw()
    return figure.axes[0], [text.get_text() for text in figure.legends[0].get_texts()]


def test_a_curve_is_the_mean_over_seeds_and_the_ends_are_named():
    accuracy = accuracies()
    ax, words = drawn(figures.freeze_depth(accuracy))
    for line, values in zip(ax.lines, accuracy.values(), strict=True):
        assert np.allclose(line.get_ydata(), values.mean(axis=0))
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks == ["0\n(all tuned)", "1", "2", "3", "4\n(head only)"]
    assert words == ["letters", "faces"]


def test_a_baseline_is_a_line_and_a_mark_is_a_ring():
    accuracy = accuracies()
    figure = figures.freeze_depth(accuracy, ("probe", 0.7), ("faces", 3))
    ax, words = drawn(figure)
    *_, line, ring = ax.lines
    assert set(line.get_ydata()) == {0.7} and words == ["letters", "faces", "probe"]
    assert ring.get_xdata() == [3] and ring.get_ydata() == [accuracy["faces"][:, 3].mean()]
    for mark in (("latin", 0), ("faces", 5), ("faces", -1)):
        with pytest.raises(ValueError, match="mark one of the sources and depths"):
            figures.freeze_depth(accuracy, mark=mark)


def depths():
    return accuracies(("letters", "faces", "random")), np.array([0.8, 0.7, 0.9])


def test_a_menu_of_sources_and_a_slider_for_frozen_blocks_change_what_is_shown(capsys):
    menu, slider, output = figures.depth_explorer(*depths()).children
    assert isinstance(output, ipywidgets.Output)
    assert list(menu.options) == ["letters", "faces", "random"]
    assert (slider.min, slider.max, slider.value) == (0, 4, 2)
    assert "letters, 2 blocks frozen, minus three others" in capsys.readouterr().out
    menu.value = "faces"
    slider.value = 4
    shown = capsys.readouterr().out
    assert "faces, 2 blocks frozen" in shown and "faces, 4 blocks frozen" in shown


def test_a_choice_is_compared_with_three_others_seed_by_seed():
    accuracy, probe = depths()
    found = figures.depth_differences(accuracy, probe, "faces", 3)
    chosen = accuracy["faces"][:, 3]
    assert np.array_equal(found["the linear probe"], chosen - probe)
    assert np.array_equal(found["faces, all tuned"], chosen - accuracy["faces"][:, 0])
    assert np.array_equal(found["from scratch"], chosen - accuracy["random"][:, 0])
