"""Labelled pictures: their form, their splits, and draws of few labels."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
import torch
from data.sameness import same_set
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse import data, runtime
from tlcourse.data import ImageSet


def image_set(counts, shuffle=0):
    """A set with ``counts[k]`` pictures of class k, each picture different, in a random order."""
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(shuffle))]
    n = len(labels)
    images = torch.linspace(0, 1, n)[:, None, None, None].expand(n, 1, 4, 4)
    return ImageSet(images, labels, [f"class {k}" for k in range(len(counts))], torch.arange(n))


# ── the form of every set ───────────────────────────────────────────────────────────────────


def test_every_set_is_white_ink_on_black_with_values_from_0_to_1():
    for part in (data.glyphs(), *data.digits(), *data.georgian()):
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


# ── few labels ──────────────────────────────────────────────────────────────────────────────

counts = st.lists(st.integers(1, 9), min_size=1, max_size=5)
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(counts, seeds, st.data())
def test_few_labels_are_balanced_nested_and_without_replacement(counts, seed, draw):
    pool = image_set(counts, shuffle=1)
    more = draw.draw(st.integers(1, min(counts)))
    fewer = draw.draw(st.integers(1, more))
    large, small = data.few_labels(pool, more, seed), data.few_labels(pool, fewer, seed)
    expected = [k for k in range(len(counts)) for _ in range(more)]
    assert large.labels.tolist() == expected, "as many of each class, ordered by class"
    assert large.names == pool.names
    positions = large.groups.tolist()  # in `image_set`, a picture's group is its position
    assert len(set(positions)) == len(positions)
    assert positions == data.few_rows(pool, more, seed).tolist()
    assert torch.equal(large.labels, pool.labels[positions])
    assert torch.equal(large.images, pool.images[positions])
    for k in range(len(counts)):
        of_class = large.groups[large.labels == k].tolist()
        assert small.groups[small.labels == k].tolist() == of_class[:fewer]
    assert same_set(large, data.few_labels(pool, more, seed))


def test_another_seed_draws_other_pictures_and_each_picture_has_its_chance():
    pool = image_set([20, 20])
    drawn = [tuple(data.few_labels(pool, 2, seed).groups.tolist()) for seed in range(200)]
    assert len(set(drawn)) > 190
    times = np.bincount(np.concatenate(drawn), minlength=40)
    # 20 expected of each, with a standard deviation of 4.2: five of these are allowed.
    assert times.min() >= 1 and times.max() <= 41


def test_a_draw_that_is_impossible_says_why():
    for counts, per_class, words in [
        ([5, 3], 4, "class 'class 1' has 3 examples, fewer than the 4 asked for: lower per_class"),
        ([5, 0, 5], 1, "class 'class 1' has 0 examples"),
        ([5, 5], 0, "per_class is 0: draw at least 1 of a class"),
        ([5, 5], -3, "per_class is -3: draw at least 1"),
    ]:
        with pytest.raises(ValueError, match=words):
            data.few_labels(image_set(counts), per_class, seed=0)


def test_rows_of_any_labels_are_drawn_balanced_and_nested():
    labels = np.repeat([3, 7], [30, 20])
    five, ten = (data.draw_rows(labels, k, seed=4) for k in (5, 10))
    assert np.bincount(labels[ten]).tolist() == [0, 0, 0, 10, 0, 0, 0, 10] and set(five) < set(ten)
    assert not np.array_equal(five, data.draw_rows(labels, 5, seed=5))
    for per_class, words in {
        21: "class 7 has 20 examples, fewer than the 21",
        0: "at least 1",
    }.items():
        with pytest.raises(ValueError, match=words):
            data.draw_rows(labels, per_class, seed=0)
