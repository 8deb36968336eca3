"""The explorer of lesson 01: what each method says of the most disputed pictures."""

from collections.abc import Mapping, Sequence

import ipywidgets
import numpy as np
from IPython.display import display

from tlcourse import plots
from tlcourse.data import ImageSet
from tlcourse.teaching import widgets


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
    """
    rows = disputed(test, predicted)
    pictures = test.subset(rows)

    def draw(per_class, method):
        said = predicted[method, per_class][rows]
        display(plots.label_efficiency(budgets, accuracy, mark=(method, per_class)))
        print(f"{method}, {per_class} labels per class: the {len(rows)} most disputed pictures")
        display(plots.predictions(pictures.images, pictures.labels, said, test.names))

    return widgets.explorer(
        draw,
        per_class=widgets.stops("labels per class", budgets, list(budgets)[:2][-1]),
        method=widgets.menu("method", accuracy),
    )


def disputed(test: ImageSet, predicted: Mapping, n: int = 20) -> np.ndarray:
    """Return the positions of the `n` pictures on which the answers disagree most.

    These are right in nearest to half of the answers, over all methods and budgets. Pictures that
    every method gets right would show nothing.
    """
    answers = np.stack(list(predicted.values()))
    right = (answers == test.labels.cpu().numpy()).sum(axis=0)
    return np.argsort(np.abs(2 * right - len(answers)), kind="stable")[:n]
