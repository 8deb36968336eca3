"""Explorer of lesson 7a: four faults, a cure, and what is left of the accuracy; measured live."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import cleaning, figures_cleaning
from tlcourse.gaps import halves

FAULTS = {"missing": (0.5, 0.1), "outliers": (0.1, 0.02), "noise": (0.6, 0.1), "shift": (2.0, 0.5)}


def picture(X, y, names: Sequence[str], seeds: Sequence[int], cure: str, drop: bool, **faults):
    """Return the picture of one setting: the mean accuracy over seeds, the table of the first.

    Parameters
    ----------
    X, y : array, shapes (n, d) and (n,)
    names : sequence of str
        Of the columns; the first and the last are drawn.
    seeds : sequence of int
        Of the split and of the faults.
    cure : str
        One of `cleaning.cures`.
    drop : bool
        Leave out rows with doubtful labels.
    **faults : float
        See `cleaning.spoil`.
    """
    accuracy, drawn, clean = {name: [] for name in cleaning.cures()}, None, []
    for seed in seeds:
        train, test = halves(y, seed)
        clean.append(cleaning.cure_and_learn(X, y, train, test, "mean", False, seed)[1])
        spoilt, given = cleaning.spoil(X, y, test, seed, **faults)
        for name, found in accuracy.items():
            Z, score = cleaning.cure_and_learn(spoilt, given, train, test, name, drop, seed)
            found.append(score)
            if drawn is None and name == cure:
                drawn = Z[:, [0, -1]], given, test
    means = {name: float(np.mean(found)) for name, found in accuracy.items()}
    columns = names[0], names[-1]
    return figures_cleaning.spoilt(*drawn, means, cure, columns, float(np.mean(clean)))


def fault_explorer(X, y, names: Sequence[str], seeds: Sequence[int]) -> ipywidgets.VBox:
    """Return sliders for four faults, a menu of cures and a check box, with their picture."""
    sliders = {
        name: ipywidgets.FloatSlider(0.0, min=0, max=most, step=step, description=name)
        for name, (most, step) in FAULTS.items()
    }
    for slider in sliders.values():
        slider.continuous_update = False
    menu = ipywidgets.Dropdown(options=list(cleaning.cures()), description="cure")
    box = ipywidgets.Checkbox(False, description="drop doubtful labels")
    output = ipywidgets.Output()

    def draw(change=None):
        faults = {name: slider.value for name, slider in sliders.items()}
        with output:
            output.clear_output(wait=True)
            display(picture(X, y, names, seeds, menu.value, box.value, **faults))

    for widget in (*sliders.values(), menu, box):
        widget.observe(draw, "value")
    draw()
    return ipywidgets.VBox([*sliders.values(), menu, box, output])
