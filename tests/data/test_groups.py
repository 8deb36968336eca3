"""What belongs together stays together, and it is said what a random division would have promised."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import balanced_accuracy_score, r2_score

from tlcourse.data import groups


def test_no_group_is_on_two_sides_and_every_class_on_each():
    rng = np.random.default_rng(0)
    for parts in ((1, 1), (2, 1, 2)):
        owners = rng.integers(0, 40, size=400)
        labels = (owners + rng.integers(0, 2, size=400)) % 3
        sides = groups.split_groups(labels, owners, parts)
        assert sorted(np.concatenate(sides).tolist()) == list(range(400))
        for k, side in enumerate(sides):
            others = np.concatenate([other for j, other in enumerate(sides) if j != k])
            assert not set(owners[side]) & set(owners[others])
            assert set(labels[side]) == {0, 1, 2}
            assert abs(len(side) / 400 - parts[k] / sum(parts)) < 0.1
    with pytest.raises(ValueError, match="class 'ill' has 1 patients: it needs 2 or more"):
        groups.split_groups([0, 0, 1, 1], [1, 2, 3, 3], names=["well", "ill"], what="patients")


def test_a_random_division_promises_too_much_where_groups_differ():
    """Forty people, each with a look of their own; half of them ill, which cannot be seen."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 10)
    X = 3 * rng.normal(size=(40, 60))[people] + rng.normal(size=(400, 60))
    found = groups.promise(X, people % 2, people, "people")
    assert found.by_groups < 0.65 and found.at_random > 0.85
    assert str(found).startswith("tested on new people, a logistic regression has")
    assert str(found).endswith("], too much.")
    seen = np.c_[X, people % 2]  # now it can be seen: nothing to promise too much
    fair = groups.promise(50 * seen[:, -1:], people % 2, people)
    assert str(fair).endswith(
        "has 100 % balanced accuracy; a random division would have promised the same."
    )
    with pytest.raises(ValueError, match="a class has one group only"):
        groups.promise(X, people == 0, people)
    forest = RandomForestRegressor(20, random_state=0)
    amount = groups.promise(X, rng.normal(size=40)[people], people, "people", forest, "{:.0f} %")
    assert amount.by_groups < 0.2 and amount.at_random > 0.8
    with pytest.raises(ValueError, match="there is one group only"):
        groups.promise(X, people, np.zeros(400), model=forest)


def test_scores_are_those_of_scikit_learn_and_the_interval_covers():
    """Groups of unequal size, which resemble each other inside: of 200 worlds, nearly 95 % are covered."""
    rng = np.random.default_rng(0)
    y, said = rng.integers(0, 3, 300), rng.integers(0, 3, 300)
    total, got = groups._totals(y, said, quantity=False)
    assert np.isclose((got.sum(0) / total.sum(0)).mean(), balanced_accuracy_score(y, said))
    amounts, guess = rng.normal(size=(2, 300))
    total, got = groups._totals(amounts, guess, quantity=True)
    assert np.isclose(got.sum() / total.sum(), r2_score(amounts, guess))
    inside = 0
    for _ in range(200):  # a share of .3 more is right; whether, hangs on the group
        owner = np.repeat(np.arange(20), rng.integers(2, 30, 20))
        more = (rng.beta(0.6, 1.4, 20)[owner] > rng.random(len(owner))).astype(float)[:, None]
        total = np.ones_like(more)
        inside += abs(more.mean() - 0.3) < groups._half_width(total, more, owner)
    assert 180 <= inside <= 198
