"""The data of the course: what ships, what is looked for on the disk, and what is yours."""

from tlcourse.data.development import development_targets
from tlcourse.data.draws import draw_rows, few_labels, few_rows
from tlcourse.data.fetched import mnist, mnist_splits, semeion_splits, usps_splits
from tlcourse.data.folders import load_folder
from tlcourse.data.groups import promise, split_groups
from tlcourse.data.handwritten import digits, omniglot
from tlcourse.data.own import from_arrays
from tlcourse.data.printed import SOURCE_SCRIPTS, georgian, glyphs, printed_digits
from tlcourse.data.sets import SIDE, ImageSet, Splits, check_images, check_labels

__all__ = [
    "SIDE",
    "SOURCE_SCRIPTS",
    "ImageSet",
    "Splits",
    "check_images",
    "check_labels",
    "development_targets",
    "digits",
    "draw_rows",
    "few_labels",
    "few_rows",
    "from_arrays",
    "georgian",
    "glyphs",
    "load_folder",
    "mnist",
    "mnist_splits",
    "omniglot",
    "printed_digits",
    "promise",
    "semeion_splits",
    "split_groups",
    "usps_splits",
]
