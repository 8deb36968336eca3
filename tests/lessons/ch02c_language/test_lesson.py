"""The central claims of the language half of lesson 02b, on five seeds without the notebook."""

import numpy as np
import pytest

from tlcourse import runtime
from tlcourse.data import corpus
from tlcourse.lessons.ch02c_language import documents

CAUSAL = ["LSTM, frozen", "GPT, frozen"]
BUDGETS = (5, 20)


@pytest.fixture(scope="module")
def accuracy():
    task, settings = corpus.package_documents(corpus.load()), documents.chosen_settings()
    frozen = documents.frozen_features(task, (*CAUSAL, "masked LM, frozen"))
    methods = [*frozen, documents.TFIDF]
    return {
        method: np.array(
            [
                [
                    documents.score(method, task, frozen, k, seed, **settings[method][k])
                    for k in BUDGETS
                ]
                for seed in runtime.seeds(5)
            ]
        )
        for method in methods
    }


@pytest.mark.parametrize("method", CAUSAL)
def test_a_frozen_causal_model_is_10_points_ahead_of_tfidf(accuracy, method):
    ahead = accuracy[method] - accuracy[documents.TFIDF]
    assert (ahead.mean(axis=0) >= 0.10).all()
    assert (ahead > 0).all(), "in every seed, at 5 and at 20 labels a class"


def test_a_frozen_masked_model_is_ahead_too(accuracy):
    assert (accuracy["masked LM, frozen"] > accuracy[documents.TFIDF])[:, 0].all()


def test_the_same_network_from_scratch_is_15_points_behind(accuracy):
    """One seed at each budget: training is not quick. The lesson runs five."""
    task, settings = corpus.package_documents(corpus.load()), documents.chosen_settings()
    method = "LSTM from scratch"
    for i, k in enumerate(BUDGETS):
        seed = runtime.seeds(5)[0]
        alone = documents.score(method, task, {}, k, seed, **settings[method][k])
        assert accuracy["LSTM, frozen"][0, i] - alone >= 0.15
