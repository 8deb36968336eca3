"""Tables divided by a covariate, the rules of trees, and settings chosen in rehearsal."""

import numpy as np
import pytest
from sklearn.svm import SVC

from tlcourse.lessons.ch02a_traditional_models import tables


@pytest.fixture(scope="module")
def shift():
    return tables.breast_cancer("size", seed=3)


# ── the division ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("covariate", tables.COVARIATES)
def test_every_row_goes_to_exactly_one_part(covariate):
    s = tables.breast_cancer(covariate, seed=0)
    rows = np.concatenate([s.source, s.pool, s.test])
    assert sorted(rows) == list(range(569))
    assert abs(len(s.pool) - len(s.test)) <= 1


def test_the_chance_is_known_and_rises_with_the_covariate_alone(shift):
    order = np.argsort(shift.X[:, shift.names.index("mean radius")], kind="stable")
    assert (np.diff(shift.chance[order]) >= 0).all()
    assert shift.chance.min() < 0.06 and shift.chance.max() > 0.94
    counts = np.zeros(569)
    for seed in range(200):
        s = tables.breast_cancer("size", seed)
        counts[s.pool] += 1
        counts[s.test] += 1
    assert np.abs(counts / 200 - shift.chance).max() < 0.15


def test_the_inputs_are_standardised_without_the_test_rows(shift):
    seen = shift.Z[np.concatenate([shift.source, shift.pool])]
    assert np.allclose(seen.mean(axis=0), 0) and np.allclose(seen.std(axis=0), 1)


def test_malignant_is_one(shift):
    assert shift.y.sum() == 212 and len(shift.names) == 30


def test_an_unknown_covariate_is_named():
    with pytest.raises(ValueError, match="unknown covariate 'age': take one of size, texture"):
        tables.breast_cancer("age", seed=0)


def test_few_labels_are_balanced_and_from_the_pool(shift):
    few = tables.paid_rows(shift, 4, seed=1)
    assert len(set(few)) == 8 and set(few) <= set(shift.pool)
    assert shift.y[few].sum() == 4
    assert not np.array_equal(few, tables.paid_rows(shift, 4, seed=2))


@pytest.mark.parametrize("per_class", [0, 400])
def test_too_many_labels_are_refused(shift, per_class):
    with pytest.raises(ValueError, match="the pool allows 1 to"):
        tables.paid_rows(shift, per_class, seed=0)


def test_a_rehearsal_holds_source_rows_only(shift):
    copy, few = tables.rehearsal(shift, "size", 3, seed=0)
    assert np.array_equal(copy.X, shift.X[shift.source])
    assert len(few) == 6 and set(few) <= set(copy.pool)


def test_choosing_never_looks_at_a_label_of_the_target(shift):
    """The labels of pool and test rows are turned round: what is chosen stays the same."""
    other = shift.y.copy()
    target = np.concatenate([shift.pool, shift.test])
    other[target] = 1 - other[target]
    liar = tables.replace(shift, y=other)
    for method in ("both: SVM", "importance-weighted SVM", "rules of the source tree"):
        chosen = [tables.choose(s, "size", 3, 0, method) for s in (shift, liar)]
        assert chosen[0] == chosen[1]


# ── the methods ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", tables.METHODS)
def test_a_method_never_reads_a_test_label_or_an_unpaid_one(shift, name):
    few = tables.paid_rows(shift, 3, seed=0)
    other = shift.y.copy()
    hidden = np.setdiff1d(np.concatenate([shift.pool, shift.test]), few)
    other[hidden] = 1 - other[hidden]
    learn, candidates = tables.METHODS[name]
    said = [learn(s, few, 0, **candidates[-1]) for s in (shift, tables.replace(shift, y=other))]
    assert np.array_equal(*said)
    assert set(said[0]) <= {0, 1} and len(said[0]) == len(shift.test)


@pytest.mark.parametrize("name", [n for n in tables.METHODS if n.startswith("target only")])
def test_target_only_methods_never_read_a_source_label(shift, name):
    few = tables.paid_rows(shift, 3, seed=0)
    other = shift.y.copy()
    other[shift.source] = 1 - other[shift.source]
    learn, candidates = tables.METHODS[name]
    liar = tables.replace(shift, y=other)
    assert np.array_equal(*(learn(s, few, 0, **candidates[0]) for s in (shift, liar)))


def test_weights_to_the_power_zero_weigh_all_rows_alike(shift):
    few = tables.paid_rows(shift, 3, seed=0)
    flat = tables.weighted_svm(shift, few, 0, flatten=0.0, C=2)
    assert np.array_equal(flat, tables.plain(shift, few, 0, "SVM", "both", C=2))


def test_a_warm_forest_keeps_its_source_trees(shift):
    """Half as many trees again, grown on the target, change some answers and not most of them."""
    few = tables.paid_rows(shift, 3, seed=0)
    warm = tables.warm_forest(shift, few, 0)
    cold = tables.plain(shift, few, 0, "forest", "source")
    assert 0.8 < (warm == cold).mean() < 1


def test_each_method_has_as_many_candidates():
    assert {len(candidates) for _, candidates in tables.METHODS.values()} == {4}


def test_score_is_the_mean_recall(shift):
    said = np.ones(len(shift.test), dtype=int)
    assert tables.score(shift, said) == 0.5
    assert tables.score(shift, shift.y[shift.test]) == 1


def test_compare_names_an_unknown_method():
    with pytest.raises(ValueError, match="no method .'magic'.: take some of"):
        tables.compare("size", 3, 0, ["magic"])


# ── rules ───────────────────────────────────────────────────────────────────────────────────


def test_the_rules_in_words_are_the_tree(shift):
    """Each sentence is read back: rows that meet its conditions end in the same leaf."""
    tree = tables.source_tree(shift, 0)
    sentences = tables.rules(tree, shift.names, ["benign", "malignant"])
    said = np.full(569, "", dtype=object)
    for sentence in sentences:
        conditions, outcome = sentence.split(": ")
        met = np.ones(569, dtype=bool)
        for condition in conditions.split(" and "):
            name, sign, limit = condition.rsplit(" ", 2)
            values = shift.X[:, shift.names.index(name)]
            met &= values <= float(limit) if sign == "≤" else values > float(limit)
        said[met] = outcome.split(" ")[0]
    agree = (said == "malignant") == (tree.predict(shift.X) == 1)
    assert agree.mean() > 0.99  # limits are printed with four digits
    rows = [int(s.rsplit(" ", 1)[1].rstrip(")")) for s in sentences]
    assert sum(rows) == len(shift.source)


def test_rules_need_a_name_for_each_feature(shift):
    tree = tables.source_tree(shift, 0)
    with pytest.raises(ValueError, match="one name for each feature"):
        tables.rules(tree, ["a"], ["benign", "malignant"])


def test_rule_features_follow_each_row_down_the_tree(shift):
    tree = tables.source_tree(shift, 0, max_depth=4)
    t, slow = tree.tree_, np.zeros((569, tree.tree_.node_count))
    for i, row in enumerate(shift.X.astype(np.float32)):
        node = 0
        while node != -1:
            slow[i, node] = 1
            left = row[t.feature[node]] <= t.threshold[node]
            node = t.children_left[node] if left else t.children_right[node]
    assert np.array_equal(tables.rule_features(tree, shift.X), slow[:, 1:])


# ── settings ────────────────────────────────────────────────────────────────────────────────


def test_tuning_finds_the_kernel_that_a_ring_needs():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = (np.linalg.norm(X, axis=1) > 1.2).astype(int)
    assert tables.tune(X, y, seed=0)["kernel"] == "rbf"


def test_tuning_needs_two_rows_a_class():
    with pytest.raises(ValueError, match="at least 2 labelled rows of every class"):
        tables.tune([[0.0], [1.0], [2.0]], [0, 0, 1], seed=0)


def test_three_ways_train_on_the_same_few_rows():
    source, (X, y), test = tables.halved_digits(0)
    assert set(source[1]) == set(range(5)) and set(y) | set(test[1]) == set(range(5, 10))
    rows = np.concatenate([np.flatnonzero(y == k)[:3] for k in range(5, 10)])
    found = tables.three_ways(source, (X[rows], y[rows]), test, seed=0)
    plain = SVC().fit(X[rows], y[rows]).predict(test[0])
    recall = [np.mean(plain[test[1] == k] == k) for k in range(5, 10)]
    assert found["scikit-learn's defaults"] == pytest.approx(np.mean(recall))
