"""What the figures of lesson 02a show, read back from their axes."""

import pytest

from tlcourse.data.tables import breast_cancer
from tlcourse.lessons.ch02a_traditional_models import figures, tables

CLASSES = ["benign", "malignant"]


@pytest.fixture(scope="module")
def shift():
    return breast_cancer("size", 0)


def test_the_tree_picture_holds_a_box_for_each_node(shift):
    tree = tables.source_tree(shift, 0)
    figure = figures.tree_picture(tree, shift.names, CLASSES)
    texts = [t.get_text() for t in figure.axes[0].texts]
    boxes = [text for text in texts if "[" in text]
    assert len(boxes) == tree.tree_.node_count
    assert not any(".0," in box or ".0]" in box for box in boxes)
    figure.canvas.draw()


def test_weights_are_drawn_against_the_truth():
    figure = figures.weights_against_truth([0.5, 2], [1, 4])
    points = figure.axes[0].lines[0]
    assert points.get_xdata().tolist() == [1, 4] and points.get_ydata().tolist() == [0.5, 2]


def test_the_explorer_prints_the_rules_of_the_chosen_depth(shift, capsys):
    pairs = [(c, d) for c in tables.COVARIATES for d in (1, 2)]
    trees = {pair: tables.tree_accuracies(*pair, seed=0) for pair in pairs}
    explorer = figures.rule_explorer(trees, shift.names, CLASSES)
    menu, slider, _ = explorer.children
    assert (menu.value, slider.value) == ("size", 2)
    capsys.readouterr()
    slider.value = 1
    shown = capsys.readouterr().out
    rules = tables.rules(trees["size", 1][0], shift.names, CLASSES)
    assert all(rule in shown for rule in rules)
    assert f"{trees['size', 1][2]:.3f} on the target" in shown
