"""From runs to effects: repeat over seeds, compare in pairs, and say how sure it is."""

from tlcourse.experiment.effects import Difference, interval, paired, ratio, resampled
from tlcourse.experiment.labels_needed import LabelsNeeded, labels_needed, labels_to_match
from tlcourse.experiment.runs import repeat, sweep, table
from tlcourse.experiment.shared_pictures import half_width, two_way, two_way_interval

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
