"""The central claims of lesson 02c, on five seeds without the notebook."""

import numpy as np
import pytest

from tlcourse import experiment, runtime
from tlcourse.data import corpus
from tlcourse.lessons.ch02c_language import documents
from tlcourse.settings import stored

pytestmark = pytest.mark.weekly
CAUSAL = ["LSTM, frozen", "GPT, frozen"]
BUDGETS = (5, 20)


def scores(method, task, frozen, seed):
    """The test accuracy at each budget, with the settings that were chosen for it."""
    chosen = stored(documents.SETTINGS)[method]
    return [documents.score(method, task, frozen, k, seed, **chosen[k]) for k in BUDGETS]


@pytest.fixture(scope="module")
def task():
    return corpus.package_documents(corpus.load())


@pytest.fixture(scope="module")
def accuracy(task):
    frozen = documents.frozen_features(task, (*CAUSAL, "masked LM, frozen"))
    methods = [*frozen, documents.TFIDF]
    return experiment.table(
        [{m: scores(m, task, frozen, seed) for m in methods} for seed in runtime.seeds(5)]
    )


def test_a_frozen_causal_model_is_10_points_ahead_of_tfidf_and_a_masked_one_is_ahead(accuracy):
    for method in CAUSAL:
        ahead = accuracy[method] - accuracy[documents.TFIDF]
        assert (ahead.mean(axis=0) >= 0.10).all(), method
        assert (ahead > 0).all(), f"{method}: in every seed, at 5 and at 20 labels a class"
    assert (accuracy["masked LM, frozen"] > accuracy[documents.TFIDF])[:, 0].all()


def test_the_same_network_from_scratch_is_15_points_behind(accuracy, task):
    """One seed at each budget: training is not quick. The lesson runs five."""
    alone = scores("LSTM from scratch", task, {}, runtime.seeds(1)[0])
    assert (accuracy["LSTM, frozen"][0] - np.array(alone) >= 0.15).all()
