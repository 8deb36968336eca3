"""Lesson 00 measures what it says: the same labels for all, nothing of the test seen before."""

import os

import numpy as np
import pytest

from tlcourse.lessons.ch00_first_transfer import features, measure
from tlcourse.verdicts import entries

WING = "ch00_first_transfer"
REAL = bool(os.environ.get("TLCOURSE_DATA")) and features.weights_file().exists()


def made_up(n=200):
    """Arrays as `features.represent` gives them; only the "imagenet" ones know the label."""
    rng, labels = np.random.default_rng(0), np.arange(n) % 2
    views = ("imagenet", "colours", *(f"random {k}" for k in range(features.INITS)))
    arrays = {view: rng.normal(size=(n, 8)) for view in views} | {"labels": labels}
    arrays["imagenet"][:, 0] += 4 * labels
    return arrays


def test_the_test_is_the_same_at_every_call_and_never_learned_from():
    labels = made_up()["labels"]
    pool, test = measure.divide(labels)
    assert np.array_equal(test, measure.divide(labels)[1])
    assert sorted([*pool, *test]) == list(range(200))
    assert len(test) == 120 and labels[test].mean() == 0.5
    with pytest.raises(ValueError, match="has 4 photographs: it needs 5 or more"):
        measure.divide(np.repeat([0, 1], [4, 9]))


def test_the_method_that_sees_the_class_wins_and_the_others_guess():
    arrays = made_up()
    right = measure.learn(arrays, 20, seed=1)
    assert list(right) == list(measure.METHODS)
    assert right[measure.FROZEN].mean() > 0.9
    assert max(right[m].mean() for m in measure.METHODS[1:]) < 0.65
    # A photograph that was drawn may change; one of the test may not change what is learned.
    moved = {view: rows.copy() for view, rows in arrays.items()}
    row = measure.divide(arrays["labels"])[1][0]
    moved["imagenet"][row] += 100
    again = measure.learn(moved, 20, seed=1)[measure.FROZEN]
    assert np.array_equal(right[measure.FROZEN][1:], again[1:])


def test_all_measurements_have_their_care_and_pretraining_is_all_in_which_they_differ():
    care = measure.care()
    assert len(care) == len(measure.BUDGETS) * len(measure.METHODS)
    (block,) = entries.read(WING)
    assert {name for e in block.entries for name in (e.a, e.b)} <= set(care)


@pytest.mark.skipif(not REAL, reason="needs TLCOURSE_DATA and the ImageNet weights in TORCH_HOME")
def test_exploring_promised_more_than_the_block_then_gave():
    """Lesson 00 says so: 9.5 points on the seeds that the claim was written on."""
    _, saved = entries.read(WING)[0].entries
    arrays, seen = measure.ants_and_bees(), []
    for seed in range(20):
        few, many = (measure.learn(arrays, k, seed) for k in (5, 50))
        seen.append(few[measure.FROZEN].mean() - many[measure.COLOURS].mean())
    assert (saved.a, saved.b) == (f"5 labels: {measure.FROZEN}", f"50 labels: {measure.COLOURS}")
    assert np.mean(seen) == pytest.approx(0.095, abs=5e-4)
