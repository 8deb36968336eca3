"""From runs to effects: repeat over seeds, compare in pairs, and say how sure it is."""

from tlcourse.experiment.effects import (
    Difference,
    half_width,
    interval,
    paired,
    ratio,
    resampled,
    two_way,
    two_way_interval,
)
from tlcourse.experiment.labels_needed import LabelsNeeded, labels_needed, labels_to_match
from tlcourse.experiment.runs import repeat, sweep, table

__all__ = [
    "Difference",
    "LabelsNeeded",
    "half_width",
    "interval",
    "labels_needed",
    "labels_to_match",
    "paired",
    "ratio",
    "repeat",
    "resampled",
    "sweep",
    "table",
    "two_way",
    "two_way_interval",
]
