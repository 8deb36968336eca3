"""Explorers: sliders over what a lesson has just measured. They compute nothing anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import figures_deep, figures_multitask, figures_traditional, plots, tabular
from tlcourse.data import ImageSet
from tlcourse.figures_sources import score_against_accuracy
from tlcourse.sources import kendall_tau


def label_explorer(
    test: ImageSet, predicted: Mapping, accuracy: Mapping, budgets: Sequence[int]
) -> ipywidgets.VBox:
    """Return a slider for labels per class and a menu of methods, with what the method then says.

    Parameters
    ----------
    test : ImageSet
    predicted : dict
        ``(method, per_class)`` to the predicted labels of `test`, shape (n,), of one seed.
    accuracy : dict of str to array, shape (seeds, budgets)
        Test accuracy by method.
    budgets : sequence of int
        Labels a class.

    Returns
    -------
    ipywidgets.VBox
        Slider and menu obey the keyboard: arrow keys move them.
    """
    slider = ipywidgets.SelectionSlider(
        options=list(budgets), value=list(budgets)[:2][-1], description="labels per class",
        style={"description_width": "initial"}, continuous_update=False,
    )  # fmt: skip
    menu = ipywidgets.Dropdown(
        options=list(accuracy), description="method", style={"description_width": "initial"}
    )
    output = ipywidgets.Output()
    rows = disputed(test, predicted)
    pictures = test.subset(rows)

    def draw(change=None):
        with output:
            output.clear_output(wait=True)
            method, per_class = menu.value, slider.value
            display(plots.label_efficiency(budgets, accuracy, mark=(method, per_class)))
            print(f"{method}, {per_class} labels per class: the {len(rows)} most disputed pictures")
            display(plots.predictions(pictures.images, pictures.labels,
                                      predicted[method, per_class][rows], test.names))  # fmt: skip

    slider.observe(draw, "value")
    menu.observe(draw, "value")
    draw()
    return ipywidgets.VBox([slider, menu, output])


def disputed(test: ImageSet, predicted: Mapping, n: int = 20) -> np.ndarray:
    """Return the positions of the `n` pictures on which the answers disagree most.

    These are right in nearest to half of the answers, over all methods and budgets. Pictures that
    every method gets right would show nothing.
    """
    answers = np.stack(list(predicted.values()))
    right = (answers == test.labels.cpu().numpy()).sum(axis=0)
    return np.argsort(np.abs(2 * right - len(answers)), kind="stable")[:n]


def depth_explorer(accuracy: Mapping, probe: np.ndarray) -> ipywidgets.VBox:
    """Return a menu of sources and a slider for the frozen blocks, with what that choice is worth.

    Parameters
    ----------
    accuracy : dict of str to array, shape (seeds, depths)
        Test accuracy by source and number of frozen blocks; "random" is among the sources.
    probe : array, shape (seeds,)
        Test accuracy of the linear probe, the same seeds in the same order.

    Returns
    -------
    ipywidgets.VBox
    """
    menu = ipywidgets.Dropdown(options=list(accuracy), description="source")
    slider = ipywidgets.IntSlider(
        value=2, max=next(iter(accuracy.values())).shape[1] - 1, description="frozen blocks",
        style={"description_width": "initial"}, continuous_update=False,
    )  # fmt: skip
    output = ipywidgets.Output()

    def draw(change=None):
        with output:
            output.clear_output(wait=True)
            source, depth = menu.value, slider.value
            display(figures_deep.freeze_depth(accuracy, mark=(source, depth)))
            print(f"{source}, {depth} blocks frozen, minus three others:")
            display(plots.paired_differences(depth_differences(accuracy, probe, source, depth)))

    menu.observe(draw, "value")
    slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([menu, slider, output])


def depth_differences(accuracy: Mapping, probe: np.ndarray, source: str, depth: int) -> dict:
    """Return how far one choice is ahead of three others, seed by seed."""
    chosen = accuracy[source][:, depth]
    return {
        "the linear probe": chosen - probe,
        f"{source}, all tuned": chosen - accuracy[source][:, 0],
        "from scratch": chosen - accuracy["random"][:, 0],
    }


def shift_explorer(accuracy: Mapping, shifts: Sequence[float]) -> ipywidgets.VBox:
    """Return a slider for the shift of the test pictures, with each recipe's gain at that shift.

    Parameters
    ----------
    accuracy : dict of str to array, shape (seeds, shifts)
        Test accuracy by recipe; "none" is what the others are measured against.
    shifts : sequence of float
        Pixels.
    """
    slider = ipywidgets.SelectionSlider(
        options=list(shifts), description="shift in pixels",
        style={"description_width": "initial"}, continuous_update=False,
    )  # fmt: skip
    output = ipywidgets.Output()

    def draw(change=None):
        place = list(shifts).index(slider.value)
        plain = accuracy["none"][:, place]
        gains = {n: a[:, place] - plain for n, a in accuracy.items() if n != "none"}
        with output:
            output.clear_output(wait=True)
            title = f"Pictures moved by {slider.value} pixels: each minus none ({plain.mean():.3f})"
            display(plots.paired_differences(gains, title))

    slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([slider, output])


def score_explorer(promised: Mapping, accuracy: Mapping, names: Sequence[str]) -> ipywidgets.VBox:
    """Return menus for a transferability score and a way of transfer, with the scatter of both.

    Parameters
    ----------
    promised : dict of str to array, shape (seeds, sources)
        What each score says.
    accuracy : dict of str to array, shape (seeds, sources)
        Test accuracy by way of transfer.
    names : sequence of str
        The sources.
    """
    style = {"description_width": "initial"}
    score = ipywidgets.Dropdown(options=list(promised), description="score", style=style)
    way = ipywidgets.Dropdown(options=list(accuracy), description="transfer", style=style)
    output = ipywidgets.Output()

    def draw(change=None):
        with output:
            output.clear_output(wait=True)
            chosen = promised[score.value], accuracy[way.value]
            tau = kendall_tau(*(values.mean(axis=0) for values in chosen))
            display(score_against_accuracy(*chosen, names, score.value, tau, way.value))

    score.observe(draw, "value")
    way.observe(draw, "value")
    draw()
    return ipywidgets.VBox([score, way, output])


def rule_explorer(trees: Mapping, names: Sequence[str], classes: Sequence[str]) -> ipywidgets.VBox:
    """Return a menu of data sets and a slider for the depth of a tree, with its picture and rules.

    Parameters
    ----------
    trees : dict
        ``(data set, depth)`` to a fitted tree and two accuracies, on the source and on the target.
    names, classes : sequence of str
        Of the features, and of the classes.
    """
    data, depths = (list(dict.fromkeys(keys)) for keys in zip(*trees, strict=True))
    menu = ipywidgets.Dropdown(options=data, description="split by")
    slider = ipywidgets.SelectionSlider(options=depths, value=depths[1], description="depth")
    output = ipywidgets.Output()

    def draw(change=None):
        with output:
            output.clear_output(wait=True)
            tree, source, target = trees[menu.value, slider.value]
            display(figures_traditional.tree_picture(tree, names, classes))
            print(*tabular.rules(tree, names, classes), sep="\n")
            print(f"balanced accuracy: {source:.3f} on its source, {target:.3f} on the target")

    menu.observe(draw, "value")
    slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([menu, slider, output])


def weight_explorer(shares: Sequence[float], scores: Mapping) -> ipywidgets.VBox:
    """Return sliders for a task's importance and difficulty, with what that weight gives each task.

    Parameters
    ----------
    shares : sequence of float
        Share of the total weight that the first task had, rising.
    scores : dict of str to array, shape (shares, seeds)
        Scores of two tasks.
    """
    wide = {"style": {"description_width": "initial"}, "continuous_update": False}
    values = [1, 2, 5, 10, 20, 50]
    first, second = scores
    importance, difficulty = (
        ipywidgets.SelectionSlider(options=values, value=1, description=words, **wide)
        for words in (f"importance of {first}", f"difficulty of {first}")
    )
    output = ipywidgets.Output()

    def draw(change=None):
        with output:
            output.clear_output(wait=True)
            weight = importance.value * difficulty.value
            near = int(np.abs(np.asarray(shares) - weight / (weight + 1)).argmin())
            display(figures_multitask.trade_off(shares, scores, near))
            print(f"{first} weighs {weight} times as much as {second}; nearest measured run: "
                  f"share {shares[near]:.3g}")  # fmt: skip

    importance.observe(draw, "value")
    difficulty.observe(draw, "value")
    draw()
    return ipywidgets.VBox([importance, difficulty, output])


def wave_explorer(figure) -> ipywidgets.VBox:
    """Return sliders for a wave's amplitude and phase and for the inner steps taken on it.

    Parameters
    ----------
    figure : callable
        ``figure(amplitude, phase, steps)`` draws the wave and what the networks make of it.
    """
    wide = {"style": {"description_width": "initial"}, "continuous_update": False}
    amplitude = ipywidgets.FloatSlider(
        value=2, min=0.1, max=5, step=0.1, description="amplitude", **wide
    )
    phase = ipywidgets.FloatSlider(value=1, min=0, max=3.1, step=0.1, description="phase", **wide)
    steps = ipywidgets.IntSlider(value=1, min=0, max=10, description="inner steps", **wide)
    output = ipywidgets.Output()

    def draw(change=None):
        with output:
            output.clear_output(wait=True)
            display(figure(amplitude.value, phase.value, steps.value))

    for slider in (amplitude, phase, steps):
        slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([amplitude, phase, steps, output])
