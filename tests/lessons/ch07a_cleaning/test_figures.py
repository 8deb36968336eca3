"""Figures and explorer of lesson 7a."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from sklearn.datasets import load_wine

from tlcourse.lessons.ch07a_cleaning import figures, gaps, outliers

X, Y = load_wine(return_X_y=True)


def test_both_means_are_drawn_in_each_panel():
    tables = {m: (X, gaps.hide(X, 0.5, m, 0)) for m in gaps.MECHANISMS}
    figure = figures.mechanisms(tables, 12, ("alcohol", "proline"))
    figure.canvas.draw()
    for ax, (name, (_, holed)) in zip(figure.axes, tables.items(), strict=True):
        true, seen = (line.get_ydata()[0] for line in ax.lines)
        assert (true, seen) == (X[:, 12].mean(), pytest.approx(np.nanmean(holed[:, 12])))
        assert ax.get_title() == name
        drawn = [len(part.get_offsets()) for part in ax.collections]
        assert sum(drawn) == len(X) and drawn[1] == np.isnan(holed[:, 12]).sum()


def test_a_panel_a_mechanism_a_curve_a_way():
    values = np.random.default_rng(0).random((4, 3))
    panels = {m: {"mean": values, "zero": values / 2} for m in gaps.MECHANISMS}
    figure = figures.by_mechanism((0.1, 0.3, 0.5), panels, "test accuracy")
    figure.canvas.draw()
    assert [ax.get_title() for ax in figure.axes] == list(gaps.MECHANISMS)
    for ax in figure.axes:
        assert np.allclose(ax.lines[0].get_ydata(), values.mean(axis=0))
        assert [t.get_text() for t in ax.get_xticklabels()] == ["10%", "30%", "50%"]


def drawn(**changes):
    setting = {"cure": "mean", "drop": False, "missing": 0.3, "outliers": 0.04} | changes
    figure = figures.picture(X, Y, ["alcohol", "proline"], [0, 1], **setting)
    figure.canvas.draw()
    return figure


def test_the_picture_shows_every_row_and_the_accuracy_of_every_cure():
    left, right = drawn().axes
    assert sum(len(part.get_offsets()) for part in left.collections) == len(X)
    assert [patch.get_hatch() for patch in right.patches] == ["//", None, None]
    means = [patch.get_width() for patch in right.patches]
    for name, mean in zip(outliers.cures(), means, strict=True):
        runs = [
            outliers.cure_and_learn(X, Y, name, False, seed, missing=0.3, outliers=0.04)
            for seed in (0, 1)
        ]
        assert mean == pytest.approx(np.mean([score for *_, score in runs])), name
    assert same_color(drawn(cure="clip, mean").axes[1].patches[0].get_facecolor(), "#AAAAAA")


def test_the_explorer_has_a_slider_a_fault_and_draws_anew(monkeypatch):
    calls = []
    monkeypatch.setattr(figures, "picture", lambda *a, **k: calls.append(k))
    *sliders, menu, box, _ = figures.fault_explorer(X, Y, ["a", "b"], [0]).children
    assert [slider.description for slider in sliders] == ["missing", "outliers", "noise", "shift"]
    assert calls == [dict.fromkeys(figures.FAULTS, 0.0) | {"cure": "mean", "drop": False}]
    sliders[2].value, menu.value, box.value = 0.4, "clip, mean", True
    assert calls[-1] == dict.fromkeys(figures.FAULTS, 0.0) | {
        "noise": 0.4,
        "cure": "clip, mean",
        "drop": True,
    }
    assert len(calls) == 4
