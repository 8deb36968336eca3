"""Lesson 02a, tables: traditional models that carry something from a source to a target.

A method is a function ``method(shift, few, seed, **settings)``. It may read the labels of
``shift.source`` and of the rows `few` (the paid target labels), and the inputs of ``shift.pool``; it
returns the predicted labels of ``shift.test``.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.feature_selection import f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tlcourse.data.tables import COVARIATES, Shift, breast_cancer, divide
from tlcourse.lessons.ch02a_traditional_models.reweighting import density_ratio, tradaboost
from tlcourse.settings import best

TREES = 25  # of a forest; more cost time and change little here


# ── the problem: few labels of a divided table ──────────────────────────────────────────────


def paid_rows(shift: Shift, per_class: int, seed: int) -> np.ndarray:
    """Return the positions of `per_class` random pool rows of each class."""
    rng = np.random.default_rng([seed, per_class])
    classes = [shift.pool[shift.y[shift.pool] == k] for k in (0, 1)]
    most = min(map(len, classes))
    if not 1 <= per_class <= most:
        raise ValueError(f"{per_class} labels of each class: the pool allows 1 to {most}.")
    return np.concatenate([rng.choice(rows, per_class, replace=False) for rows in classes])


def rehearsal(shift: Shift, covariate: str, per_class: int, seed: int):
    """Divide the *source* once more by the same covariate: a small copy of the whole problem.

    Its "target" labels are source labels. So settings may be chosen on it without one more label of
    the true target.

    Returns
    -------
    Shift, numpy.ndarray
        The small copy, and its few labelled rows (fewer than `per_class` where its pool is small).
    """
    X, y = shift.X[shift.source], shift.y[shift.source]
    copy = divide(X, y, shift.names, covariate, seed)
    most = np.bincount(y[copy.pool], minlength=2).min()
    return copy, paid_rows(copy, min(per_class, most), seed)


def score(shift: Shift, predicted) -> float:
    """Return the balanced accuracy on the test rows: the mean of both classes' recall."""
    return float(balanced_accuracy_score(shift.y[shift.test], predicted))


# ── the methods ─────────────────────────────────────────────────────────────────────────────


def _boosted(max_depth=1, rounds=20, random_state=None):
    base = DecisionTreeClassifier(max_depth=max_depth, random_state=random_state)
    return AdaBoostClassifier(base, n_estimators=rounds, random_state=random_state)


MODELS = {
    "SVM": SVC,
    "tree": DecisionTreeClassifier,
    "forest": partial(RandomForestClassifier, TREES),
    "boosted trees": _boosted,
}


def plain(shift: Shift, few, seed: int, model="SVM", learn_from="both", **settings):
    """Learn from the "source", from the "target" or from "both", all rows alike."""
    rows = {"source": shift.source, "target": few, "both": np.concatenate([shift.source, few])}
    learner = MODELS[model](random_state=seed, **settings)
    learner.fit(shift.Z[rows[learn_from]], shift.y[rows[learn_from]])
    return learner.predict(shift.Z[shift.test])


def weighted_svm(shift: Shift, few, seed: int, flatten: float = 1.0, **settings):
    """Weight each source row by the density ratio to the power `flatten`; target rows weigh 1.

    A power below 1 trades bias for variance (Shimodaira 2000, section 6).
    """
    weights = density_ratio(shift.Z[shift.source], shift.Z[shift.pool]) ** flatten
    weights = np.concatenate([weights / weights.mean(), np.ones(len(few))])
    rows = np.concatenate([shift.source, few])
    learner = SVC(**settings).fit(shift.Z[rows], shift.y[rows], sample_weight=weights)
    return learner.predict(shift.Z[shift.test])


def tradaboosted(shift: Shift, few, seed: int, max_depth=1, rounds=20):
    """Learn small trees with TrAdaBoost."""
    base = DecisionTreeClassifier(max_depth=max_depth, random_state=seed)
    source, target = ((shift.Z[rows], shift.y[rows]) for rows in (shift.source, few))
    return tradaboost(source, target, base, rounds)(shift.Z[shift.test])


def warm_forest(shift: Shift, few, seed: int, **settings):
    """Grow a forest on the source, then half as many trees more on the few target labels."""
    forest = RandomForestClassifier(TREES, warm_start=True, random_state=seed, **settings)
    forest.fit(shift.Z[shift.source], shift.y[shift.source])
    forest.set_params(n_estimators=TREES + TREES // 2)
    return forest.fit(shift.Z[few], shift.y[few]).predict(shift.Z[shift.test])


def selected_svm(shift: Shift, few, seed: int, rank_on="source", keep=10, **settings):
    """Keep the features that differ most between classes; learn an SVM from the few target labels.

    The features are ranked by their ANOVA F value on the "source" or on the few "target" labels.
    """
    rows = {"source": shift.source, "target": few}[rank_on]
    kept = np.argsort(-f_classif(shift.Z[rows], shift.y[rows])[0], kind="stable")[:keep]
    learner = SVC(**settings).fit(shift.Z[few][:, kept], shift.y[few])
    return learner.predict(shift.Z[shift.test][:, kept])


# ── rules of a tree ─────────────────────────────────────────────────────────────────────────


def source_tree(shift: Shift, seed: int, max_depth=3, min_samples_leaf=5):
    """Grow a decision tree on the source, in the units of the data."""
    tree = DecisionTreeClassifier(
        max_depth=max_depth, min_samples_leaf=min_samples_leaf, random_state=seed
    )
    return tree.fit(shift.X[shift.source], shift.y[shift.source])


def rules(tree: DecisionTreeClassifier, names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """Return one sentence for each leaf of a tree, from left to right.

    Examples
    --------
    >>> tree = DecisionTreeClassifier().fit([[1.0], [2.0], [4.0]], [0, 0, 1])
    >>> rules(tree, ["size"], ["small", "large"])
    ['size ≤ 3: small (2 of 2)', 'size > 3: large (1 of 1)']
    """
    t = tree.tree_
    if len(names) != tree.n_features_in_ or len(classes) != tree.n_classes_:
        raise ValueError("pass one name for each feature and one word for each class.")
    found = []

    def walk(node, conditions):
        if t.children_left[node] == t.children_right[node]:  # both -1: a leaf
            share, rows = t.value[node, 0], t.n_node_samples[node]
            count = f"({share.max() * rows:.0f} of {rows})"
            found.append(f"{' and '.join(conditions)}: {classes[share.argmax()]} {count}")
            return
        name, limit = names[t.feature[node]], f"{t.threshold[node]:.4g}"
        walk(t.children_left[node], [*conditions, f"{name} ≤ {limit}"])
        walk(t.children_right[node], [*conditions, f"{name} > {limit}"])

    walk(0, [])
    return found


def rule_features(tree: DecisionTreeClassifier, X) -> np.ndarray:
    """Return a 0/1 column for each node below the root: 1 where the row passes through it.

    The rule of a node is the conjunction of all conditions above it, so there are coarse rules and
    fine ones.
    """
    return tree.decision_path(X).toarray()[:, 1:].astype(float)


def rules_reused(shift: Shift, few, seed: int, C=1.0, **settings):
    """Describe each row by the source tree's rules; learn from the target labels alone."""
    features = rule_features(source_tree(shift, seed, **settings), shift.X)
    learner = LogisticRegression(C=C, max_iter=2000).fit(features[few], shift.y[few])
    return learner.predict(features[shift.test])


# ── choosing and comparing ──────────────────────────────────────────────────────────────────

_SVM = [{"C": C, "gamma": gamma} for C in (1, 10) for gamma in ("scale", 0.01)]
_TREE = [{"max_depth": d, "min_samples_leaf": n} for d in (2, 4) for n in (1, 5)]
_FOREST = [{"max_features": m, "min_samples_leaf": n} for m in ("sqrt", 0.5) for n in (1, 3)]
_BOOST = [{"max_depth": d, "rounds": n} for d in (1, 2) for n in (10, 20)]
_WEIGHTED = [{"flatten": f, "C": C} for f in (0.5, 1.0) for C in (1, 10)]
_RULES = [{"max_depth": d, "C": C} for d in (2, 4) for C in (1, 10)]
_KEPT = [{"keep": keep, "C": C} for keep in (5, 10) for C in (1, 10)]

# Four candidate settings a method, so that none is tuned with more care than another.
METHODS = {
    "target only: SVM": (partial(plain, learn_from="target"), _SVM),
    "target only: forest": (partial(plain, model="forest", learn_from="target"), _FOREST),
    "target only: tree": (partial(plain, model="tree", learn_from="target"), _TREE),
    "source only: SVM": (partial(plain, learn_from="source"), _SVM),
    "both: SVM": (plain, _SVM),
    "both: forest": (partial(plain, model="forest"), _FOREST),
    "both: boosted trees": (partial(plain, model="boosted trees"), _BOOST),
    "importance-weighted SVM": (weighted_svm, _WEIGHTED),
    "TrAdaBoost": (tradaboosted, _BOOST),
    "warm-started forest": (warm_forest, _FOREST),
    "rules of the source tree": (rules_reused, _RULES),
    "features chosen on the source": (selected_svm, _KEPT),
    "features chosen on the target": (partial(selected_svm, rank_on="target"), _KEPT),
}


def choose(shift: Shift, covariate: str, per_class: int, seed: int, method: str) -> dict:
    """Return the candidate settings that win on two rehearsals inside the source."""
    learn, candidates = METHODS[method]
    copies = [rehearsal(shift, covariate, per_class, r) for r in (0, 1)]
    scores = [
        sum(score(copy, learn(copy, few, seed, **settings)) for copy, few in copies)
        for settings in candidates
    ]
    return best(candidates, scores)


def compare(covariate: str, per_class: int, seed: int, methods=tuple(METHODS)) -> dict[str, float]:
    """Return the balanced test accuracy of several methods on one division and one draw of labels.

    Raises
    ------
    ValueError
        If a method is not one of `METHODS`.
    """
    if unknown := set(methods) - set(METHODS):
        raise ValueError(f"no method {sorted(unknown)}: take some of {', '.join(METHODS)}.")
    shift = breast_cancer(covariate, seed)
    few = paid_rows(shift, per_class, seed)
    found = {}
    for name in methods:
        settings = choose(shift, covariate, per_class, seed, name)
        found[name] = score(shift, METHODS[name][0](shift, few, seed, **settings))
    return found


def gain_of_weights(seed: int, **settings) -> dict[str, float]:
    """Return what importance weights add to an SVM on all rows, 3 labels a class, *same* settings.

    Their four candidates in `METHODS` vary the power of the weights, those of the pooled SVM vary
    gamma: a difference between the two is one of settings as well.

    Returns
    -------
    dict
        Balanced accuracy with weights minus without, by covariate.
    """
    found = {}
    for covariate in COVARIATES:
        shift = breast_cancer(covariate, seed)
        few = paid_rows(shift, 3, seed)
        ours, alike = (learn(shift, few, seed, **settings) for learn in (weighted_svm, plain))
        found[covariate] = score(shift, ours) - score(shift, alike)
    return found


def flipped_source(seed: int) -> dict[str, float]:
    """Flip the labels of the source rows with the larger texture: a problem made for TrAdaBoost.

    Ten labels of each class are paid for.

    Returns
    -------
    dict
        Balanced accuracy of TrAdaBoost, of boosting all rows alike, and of two learners that see the
        few target labels alone: boosted trees, which change nothing but the source, and an SVM.
    """
    shift = breast_cancer("size", seed)
    few, y = paid_rows(shift, 10, seed), shift.y.copy()
    texture = shift.X[shift.source, shift.names.index(COVARIATES["texture"])]
    strange = shift.source[texture > np.median(texture)]
    y[strange] = 1 - y[strange]
    bad = replace(shift, y=y)
    predicted = {
        "TrAdaBoost": tradaboosted(bad, few, seed),
        "boosting all rows alike": plain(bad, few, seed, "boosted trees"),
        "no source: boosted trees": plain(bad, few, seed, "boosted trees", "target"),
        "no source: SVM": plain(bad, few, seed, "SVM", "target"),
    }
    return {name: score(shift, values) for name, values in predicted.items()}


def tree_accuracies(covariate: str, depth: int, seed: int):
    """Return a source tree of that depth, and its balanced accuracy on the source and the target."""
    shift = breast_cancer(covariate, seed)
    tree = source_tree(shift, seed, depth)
    return tree, *(
        float(balanced_accuracy_score(shift.y[rows], tree.predict(shift.X[rows])))
        for rows in (shift.source, shift.test)
    )
