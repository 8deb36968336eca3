"""Draws of few labels: balanced, nested, without replacement."""

import numpy as np
import pytest
import torch
from data.sameness import image_set, same_set
from hypothesis import given, settings
from hypothesis import strategies as st

from tlcourse import data

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
