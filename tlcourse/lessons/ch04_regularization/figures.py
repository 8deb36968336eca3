"""The explorer of lesson 04: what each recipe is worth on pictures that moved."""

from collections.abc import Mapping, Sequence

import ipywidgets
from IPython.display import display

from tlcourse import plots
from tlcourse.teaching import widgets


def shift_explorer(accuracy: Mapping, shifts: Sequence[float]) -> ipywidgets.VBox:
    """Return a slider for the shift of the test pictures, with each recipe's gain at that shift.

    Parameters
    ----------
    accuracy : dict of str to array, shape (seeds, shifts)
        Test accuracy by recipe; "none" is what the others are measured against.
    shifts : sequence of float
        Pixels.
    """

    def draw(shift):
        at = {name: values[:, list(shifts).index(shift)] for name, values in accuracy.items()}
        plain = at.pop("none")
        title = f"Pictures moved by {shift} pixels: each minus none ({plain.mean():.3f})"
        display(plots.paired_differences({n: a - plain for n, a in at.items()}, title))

    return widgets.explorer(draw, shift=widgets.stops("shift in pixels", shifts, shifts[0]))
