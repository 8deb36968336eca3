"""Explorers: controls over what a lesson has just measured. A lesson's own stands in its `figures`."""

from collections.abc import Callable, Sequence

import ipywidgets

# Words are shown whole, and a figure is drawn when the slider is let go.
CONTROL = {"style": {"description_width": "initial"}}
SLIDER = {**CONTROL, "continuous_update": False}


def explorer(draw: Callable, **controls: ipywidgets.Widget) -> ipywidgets.VBox:
    """Return the controls, and below them what ``draw(**values)`` shows for their values.

    Controls obey the keyboard: arrow keys move them.
    """
    shown = ipywidgets.interactive_output(draw, controls)
    return ipywidgets.VBox([*controls.values(), shown])


def menu(words: str, options: Sequence) -> ipywidgets.Dropdown:
    """Return a menu that begins with its first option."""
    return ipywidgets.Dropdown(options=list(options), description=words, **CONTROL)


def stops(words: str, options: Sequence, value) -> ipywidgets.SelectionSlider:
    """Return a slider that stops at each of the options, and begins at `value`."""
    options = list(options)
    return ipywidgets.SelectionSlider(options=options, value=value, description=words, **SLIDER)


def slider(words: str, low: float, high: float, value: float, step: float = 0.1):
    """Return a slider over the numbers from `low` to `high`."""
    return ipywidgets.FloatSlider(
        value=value, min=low, max=high, step=step, description=words, **SLIDER
    )


def counter(words: str, most: int, value: int) -> ipywidgets.IntSlider:
    """Return a slider over 0, 1, … `most`."""
    return ipywidgets.IntSlider(value=value, min=0, max=most, description=words, **SLIDER)
