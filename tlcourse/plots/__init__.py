"""Figures for all lessons: curves with intervals, paired differences, rows of pictures."""

from tlcourse.plots.base import (
    DPI,
    GUIDE,
    HEIGHT,
    RIGHT,
    SPARE_STYLES,
    STYLES,
    WIDTH,
    WRONG,
    Figure,
    legend_below,
    mean_and_arms,
    mean_curves,
    new_figure,
    styles,
)
from tlcourse.plots.curves import label_efficiency, label_efficiency_on
from tlcourse.plots.differences import judged, method_dots, paired_differences
from tlcourse.plots.pictures import image_grid, photographs, predictions

__all__ = [
    "DPI",
    "GUIDE",
    "HEIGHT",
    "RIGHT",
    "SPARE_STYLES",
    "STYLES",
    "WIDTH",
    "WRONG",
    "Figure",
    "image_grid",
    "judged",
    "label_efficiency",
    "label_efficiency_on",
    "legend_below",
    "mean_and_arms",
    "mean_curves",
    "method_dots",
    "new_figure",
    "paired_differences",
    "photographs",
    "predictions",
    "styles",
]
