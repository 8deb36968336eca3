"""What the figures of lesson 2a show, read back from their axes."""

import numpy as np
import pytest

from tlcourse import figures_traditional, tabular, widgets

CLASSES = ["benign", "malignant"]


def test_method_dots_show_each_mean_and_mark_the_baseline():
    panels = {"a": {"x": [0.5, 0.7], "y": [0.8, 0.9]}, "b": {"x": [0.6, 0.6], "y": [0.1, 0.2]}}
    figure = figures_traditional.method_dots(panels, mark="y")
    for ax, methods in zip(figure.axes, panels.values(), strict=True):
        shown = [line.get_xdata() for line in ax.lines if line.get_marker() in ("o", "D")]
        assert np.allclose(np.ravel(shown), [np.mean(v) for v in methods.values()])
        assert np.mean(methods["y"]) in [line.get_xdata()[0] for line in ax.lines][-1:]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["x", "y"]
    assert figure.axes[0].get_xlabel() == "balanced test accuracy"
    named = figures_traditional.method_dots(panels, mark="y", xlabel="test accuracy")
    assert named.axes[0].get_xlabel() == "test accuracy"


@pytest.mark.parametrize(
    "panels, mark", [({}, "x"), ({"a": {"x": [1, 2]}, "b": {"y": [1, 2]}}, "x")]
)
def test_method_dots_need_the_same_methods_everywhere(panels, mark):
    with pytest.raises(ValueError, match="every panel needs the same methods"):
        figures_traditional.method_dots(panels, mark)


@pytest.fixture(scope="module")
def shift():
    return tabular.breast_cancer("size", 0)


def test_the_tree_picture_holds_a_box_for_each_node(shift):
    tree = tabular.source_tree(shift, 0)
    figure = figures_traditional.tree_picture(tree, shift.names, CLASSES)
    texts = [t.get_text() for t in figure.axes[0].texts]
    boxes = [text for text in texts if "[" in text]
    assert len(boxes) == tree.tree_.node_count
    assert not any(".0," in box or ".0]" in box for box in boxes)
    figure.canvas.draw()


def test_weights_are_drawn_against_the_truth():
    figure = figures_traditional.weights_against_truth([0.5, 2], [1, 4])
    points = figure.axes[0].lines[0]
    assert points.get_xdata().tolist() == [1, 4] and points.get_ydata().tolist() == [0.5, 2]


def test_the_explorer_prints_the_rules_of_the_chosen_depth(shift, capsys):
    pairs = [(c, d) for c in tabular.COVARIATES for d in (1, 2)]
    trees = {pair: tabular.tree_accuracies(*pair, seed=0) for pair in pairs}
    explorer = widgets.rule_explorer(trees, shift.names, CLASSES)
    menu, slider, _ = explorer.children
    assert (menu.value, slider.value) == ("size", 2)
    capsys.readouterr()
    slider.value = 1
    shown = capsys.readouterr().out
    rules = tabular.rules(trees["size", 1][0], shift.names, CLASSES)
    assert all(rule in shown for rule in rules)
    assert f"{trees['size', 1][2]:.3f} on the target" in shown
