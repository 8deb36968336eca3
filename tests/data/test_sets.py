"""Labelled pictures: their form and their splits."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from data.sameness import image_set, same_set
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse import data, runtime
from tlcourse.data import ImageSet

# ── the form of every set ───────────────────────────────────────────────────────────────────


def test_every_set_is_white_ink_on_black_with_values_from_0_to_1():
    for part in (data.glyphs(), *data.digits(validation=True), *data.georgian()):
        side = 32 if len(part.names) > 600 else 16
        assert part.images.shape == (len(part), 1, side, side)
        assert part.images.dtype == torch.float32 and part.labels.dtype == torch.int64
        assert part.images.min() >= 0 and part.images.max() <= 1
        assert part.images.mean() < 0.5, "little ink, much black"
        assert part.images.amax((1, 2, 3)).min() > 0.2, "no picture is empty"
        border = part.images[..., [0, -1], :]
        assert border.mean() < part.images.mean(), "ink lies in the middle"


def test_subset_takes_positions_or_a_mask_and_keeps_the_names():
    whole = image_set([3, 2, 4])
    some = whole.subset(torch.tensor([7, 0, 0]))
    assert len(some) == 3 and some.names == whole.names
    assert some.groups.tolist() == [7, 0, 0]
    assert torch.equal(some.images, whole.images[[7, 0, 0]])
    assert same_set(
        whole.subset(whole.labels == 1), whole.subset(np.flatnonzero(whole.labels == 1))
    )
    assert len(whole.subset(whole.labels == 9)) == 0
    with pytest.raises(FrozenInstanceError):
        whole.labels = whole.labels.flip(0)


def test_a_set_and_its_splits_move_to_a_device():
    device = runtime.device("auto")
    whole = image_set([2, 2])
    splits = data.Splits(whole, whole.subset([0, 1]), whole.subset([2])).to(device)
    assert isinstance(splits, data.Splits) and [len(part) for part in splits] == [4, 2, 1]
    moved = splits.pool
    assert {t.device.type for t in (moved.images, moved.labels, moved.groups)} == {device.type}
    assert same_set(moved.to("cpu"), whole)
    drawn = data.few_labels(moved, 1, seed=0)
    assert drawn.images.device.type == device.type and len(drawn) == 2


def test_what_is_wrong_with_a_set_is_said():
    good = torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 1, 0]), ["a", "b"], torch.zeros(4).long()
    ImageSet(*good)
    holed = [good[0].clone() for _ in range(3)]
    for images, value in zip(holed, (torch.nan, torch.inf, -torch.inf), strict=True):
        images[2, 0, 3, 3] = value
    wrong = [
        (0, torch.rand(4, 8, 8), r"shape \(4, 8, 8\), but .*images\[:, None\]"),
        (0, torch.rand(4, 3, 8, 8), r"shape \(4, 3, 8, 8\), but .* make them grey"),
        (0, torch.rand(4, 1, 8, 9), r"shape \(4, 1, 8, 9\), but .* grey and square"),
        (0, torch.zeros(4, 1, 8, 8).byte(), "images are torch.uint8: convert them"),
        *((0, images, "image 2 holds NaN or infinity: repair or drop it") for images in holed),
        (1, torch.tensor([0, 1, 2, 0]), "run from 0 to 2, but with 2 classes .* 0 … 1"),
        (1, torch.tensor([0, 1, -1, 0]), "run from -1 to 1.*number the classes from 0"),
        (1, torch.tensor([0, 1, 1]), r"shape \(3,\), but there are 4 images: give one"),
        (1, torch.zeros(4, 1).long(), r"labels have shape \(4, 1\)"),
        (1, torch.zeros(4), r"labels are torch.float32: convert them with labels.long"),
        (2, [], "with 0 classes"),
        (3, torch.zeros(3).long(), "3 groups for 4 images: give one group an image"),
    ]
    for place, value, words in wrong:
        with pytest.raises(ValueError, match=words):
            ImageSet(*good[:place], value, *good[place + 1 :])


@settings(deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(-2, 6), max_size=6))
def test_labels_are_accepted_exactly_when_all_are_classes(n_classes, labels):
    good = all(0 <= label < n_classes for label in labels)
    try:
        data.check_labels(torch.tensor(labels, dtype=torch.int64), len(labels), n_classes)
    except ValueError:
        assert not good
    else:
        assert good
