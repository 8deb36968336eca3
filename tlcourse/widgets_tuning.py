"""Explorer of lesson 3: a Gaussian process watched trial by trial. It computes nothing anew."""

from __future__ import annotations

from collections.abc import Mapping

import ipywidgets
from IPython.display import display

from tlcourse import figures_tuning


def surrogate_explorer(steps: Mapping) -> ipywidgets.VBox:
    """Return a slider for the trials made and a menu of acquisition functions, with their picture.

    Parameters
    ----------
    steps : dict
        ``(acquisition, trials)`` to the arguments of `figures_tuning.surrogate`.
    """
    kinds, trials = (list(dict.fromkeys(keys)) for keys in zip(*steps, strict=True))
    menu = ipywidgets.Dropdown(options=kinds, description="acquisition")
    slider = ipywidgets.SelectionSlider(options=trials, description="trials")
    output = ipywidgets.Output()

    def draw(change=None):
        with output:
            output.clear_output(wait=True)
            display(figures_tuning.surrogate(*steps[menu.value, slider.value]))

    menu.observe(draw, "value")
    slider.observe(draw, "value")
    draw()
    return ipywidgets.VBox([menu, slider, output])
