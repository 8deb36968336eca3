"""What lesson 1 says of the quick rivals, measured again on five seeds without the notebook."""

import numpy as np
import pytest

from tlcourse import data, experiment, models, runtime
from tlcourse.lessons.ch01_concepts import transfer

pytestmark = pytest.mark.weekly
OURS = "frozen features + logistic regression"


QUICK = list(transfer.METHODS)[:3]  # without a source, and without 2,400 steps


@pytest.fixture(scope="module")
def at_two_labels():
    target, settings = data.digits(), transfer.chosen_settings()
    runs = experiment.repeat(
        lambda seed: transfer.compare(target, settings, [2], seed, [*QUICK, OURS]), runtime.seeds(5)
    )
    return {m: a[:, 0] for m, a in transfer.accuracies(runs, target.test.labels).items()}


def test_letter_features_lead_every_quick_baseline_in_every_seed(at_two_labels):
    assert at_two_labels[OURS].mean() >= 0.85, "with two labels a class"
    for method in QUICK:
        assert (at_two_labels[OURS] > at_two_labels[method]).all(), method


def test_a_network_that_saw_no_letter_is_no_better_than_pixels(at_two_labels):
    """The gain comes from the pretraining, not from the architecture."""
    target = data.digits()
    blank = []
    for seed in runtime.seeds(5):
        runtime.seed_everything(seed)
        train = data.few_labels(target.pool, 2, seed)
        predict = transfer.frozen_features(train, seed, source=models.SmallCNN().eval())
        blank.append(transfer.accuracy(predict, target.test))
    assert np.mean(blank) < at_two_labels["SVM on pixels"].mean() + 0.02
