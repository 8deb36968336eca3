import numpy as np
import pytest
from scipy.stats import spearmanr

from tlcourse.lessons.ch03_tuning import landscapes, search

pytestmark = pytest.mark.weekly


def test_what_a_search_gains_in_validation_error_is_hardly_there_in_test_error():
    """The headline of lesson 3 in both errors, on some of its seeds, without the notebook."""
    design = landscapes.load("georgian")
    orders = [
        [search.random_order(len(design), 32, seed) for seed in range(25)],
        [search.bayesian_order(design.unit, design.error, 32, seed) for seed in range(25)],
    ]
    random, bayesian = (search.chosen_so_far(o, design.error)[:, -1] for o in orders)
    validation, test = (
        error[random].mean() - error[bayesian].mean() for error in (design.error, design.test_error)
    )
    assert validation > 0.01 and test < validation / 2
    few = design.error <= np.quantile(design.error, 0.05)
    assert spearmanr(design.error, design.test_error).statistic > 0.95
    assert spearmanr(design.error[few], design.test_error[few]).statistic < 0.3
