"""Few labels of a divided table, the methods, settings chosen in rehearsal, the rules of trees."""

from dataclasses import replace

import numpy as np
import pytest

from tlcourse.data.tables import breast_cancer
from tlcourse.lessons.ch02a_traditional_models import tables


@pytest.fixture(scope="module")
def shift():
    return breast_cancer("size", seed=3)


def with_wrong_labels(shift, rows):
    """The same table with the labels of these rows turned round."""
    y = shift.y.copy()
    y[rows] = 1 - y[rows]
    return replace(shift, y=y)


# ── few labels, and a rehearsal ─────────────────────────────────────────────────────────────


def test_paid_rows_are_balanced_and_from_the_pool(shift):
    few = tables.paid_rows(shift, 4, seed=1)
    assert len(set(few)) == 8 and set(few) <= set(shift.pool)
    assert shift.y[few].sum() == 4
    assert not np.array_equal(few, tables.paid_rows(shift, 4, seed=2))
    for per_class in (0, 400):
        with pytest.raises(ValueError, match=f"{per_class} labels .* the pool allows 1 to"):
            tables.paid_rows(shift, per_class, seed=0)


def test_a_rehearsal_holds_source_rows_only(shift):
    copy, few = tables.rehearsal(shift, "size", 3, seed=0)
    assert np.array_equal(copy.X, shift.X[shift.source])
    assert len(few) == 6 and set(few) <= set(copy.pool)


def test_choosing_never_looks_at_a_label_of_the_target(shift):
    liar = with_wrong_labels(shift, np.concatenate([shift.pool, shift.test]))
    for method in ("both: SVM", "importance-weighted SVM", "rules of the source tree"):
        chosen = [tables.choose(s, "size", 3, 0, method) for s in (shift, liar)]
        assert chosen[0] == chosen[1], method


# ── the methods ─────────────────────────────────────────────────────────────────────────────


def test_a_method_reads_no_label_that_it_may_not_and_has_four_candidates(shift):
    few = tables.paid_rows(shift, 3, seed=0)
    unpaid = np.setdiff1d(np.concatenate([shift.pool, shift.test]), few)
    for name, (learn, candidates) in tables.METHODS.items():
        assert len(candidates) == 4, name
        said = learn(shift, few, 0, **candidates[-1])
        assert set(said) <= {0, 1} and len(said) == len(shift.test), name
        own = name.startswith("target only")
        hidden = np.concatenate([unpaid, shift.source]) if own else unpaid
        liar = with_wrong_labels(shift, hidden)
        assert np.array_equal(said, learn(liar, few, 0, **candidates[-1])), name


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


def test_score_is_the_mean_recall_and_an_unknown_method_is_named(shift):
    assert tables.score(shift, np.ones(len(shift.test), dtype=int)) == 0.5
    assert tables.score(shift, shift.y[shift.test]) == 1
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
