"""Lesson 6: one inner step, the first-order gradient, Reptile's walk, prototypes."""

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import as_array, explain


def _tasks(rng):
    """Draw a start and tasks that are linear regressions, with supports and queries."""
    tasks, n, d = rng.integers(2, 6), rng.integers(4, 8), rng.integers(2, 5)
    shapes = [(tasks, n, d), (tasks, n), (tasks, n + 1, d), (tasks, n + 1)]
    return rng.normal(size=d), *(rng.normal(size=shape) for shape in shapes)


def _slope(w, X, y):
    """Return the gradient of the mean squared error of y = X w, one example at a time."""
    return sum(2 * (X[i] @ w - y[i]) * X[i] for i in range(len(y))) / len(y)


# ── one inner step ──────────────────────────────────────────────────────────────────────────


def verify_adapt_each(student, rng) -> None:
    """Compare with one gradient step a task, each from the same start."""
    w, X, y, _, _ = _tasks(rng)
    lr = float(rng.uniform(0.05, 0.3))
    yours = as_array(student(w, X, y, lr), (len(X), len(w)), "one adapted weight vector a task")
    slopes = np.array([_slope(w, X[t], y[t]) for t in range(len(X))])
    chained, row = [], w
    for t in range(len(X)):
        row = row - lr * _slope(row, X[t], y[t])
        chained.append(row)
    explain(
        student,
        yours,
        w - lr * slopes,
        {
            "you walk uphill: subtract the gradient": w + lr * slopes,
            "every task must start from w: yours starts where the task before it ended": chained,
            "all tasks share one step: give each task the step of its own gradient": (
                np.tile(w - lr * slopes.mean(0), (len(X), 1))
            ),
            "the loss is a mean over the examples: divide by their number": (
                w - lr * slopes * X.shape[1]
            ),
            "the factor 2 of the square's derivative is missing": w - lr * slopes / 2,
        },
    )


ADAPT_EACH = Exercise(
    name="adapt_each",
    level=1,
    minutes=15,
    goal="Take the inner step of MAML: every task leaves the common start on its own.",
    given=(
        "`w`, a float array (d,), the common start; `X` (tasks, n, d) and `y` (tasks, n), the "
        "support sets; `lr`, a float. A task's loss is the mean of (X w - y)² over its n examples."
    ),
    returns="a float array (tasks, d), correct to 1e-6: w after one gradient step on each task.",
    example=(
        "`adapt_each(np.array([0.0]), np.array([[[1.0]]]), np.array([[2.0]]), 0.1)` returns "
        "`[[0.4]]`."
    ),
    hints=(
        "All tasks start at the same w; only their gradients differ.",
        "The gradient of task t is `2 * X[t].T @ (X[t] @ w - y[t]) / n`.",
    ),
    verify=verify_adapt_each,
)

# ── the outer gradient, first and second order ──────────────────────────────────────────────


def _outer_gradients(w, X, y, Xq, yq, lr) -> dict[str, np.ndarray]:
    """Return both orders, and what is easily taken for them, each a mean over the tasks."""
    found = []
    for t in range(len(X)):
        adapted = w - lr * _slope(w, X[t], y[t])
        slope = _slope(adapted, Xq[t], yq[t])
        hessian = 2 * sum(np.outer(x, x) for x in X[t]) / len(X[t])
        found.append({
            1: slope,
            2: slope - lr * hessian @ slope,
            "half of H": slope - lr / 2 * hessian @ slope,
            "joint": _slope(w, Xq[t], yq[t]),
            "support": _slope(adapted, X[t], y[t]),
        })  # fmt: skip
    return {name: np.mean([one[name] for one in found], 0) for name in found[0]}


def verify_outer_gradient(student, rng) -> None:
    """Compare both orders with formulas written out; recognise joint training and lost factors."""
    w, X, y, Xq, yq = _tasks(rng)
    lr = float(rng.uniform(0.05, 0.2))
    of = _outer_gradients(w, X, y, Xq, yq, lr)
    for order in (1, 2):
        yours = student(w, X, y, Xq, yq, lr, order)
        known = {
            "this is the gradient before adaptation: that is joint training, not MAML": of["joint"],
            "this is the gradient on the support set: judge the adapted weights on the queries": (
                of["support"]
            ),
            f"this is the gradient of order {3 - order}: order {order} was asked for": of[
                3 - order
            ],
            "average over the tasks, do not add them up": of[order] * len(X),
            "divide the query's gradient by the number of queries, not of support points": (
                of[order] * yq.shape[1] / y.shape[1]
            ),
            "H lacks its 2: a square has the second derivative 2": of[
                "half of H" if order == 2 else 1
            ],
            "you averaged over the weights too: average over the tasks alone": (
                np.full(len(w), of[order].mean())
            ),
        }
        yours = as_array(yours, (len(w),), "one gradient, as long as w")
        explain(student, yours, of[order], known, f"order {order}")


OUTER_GRADIENT = Exercise(
    name="outer_gradient",
    level=3,
    minutes=25,
    goal="Differentiate the query loss after adaptation: the gradient of MAML, and of FOMAML.",
    given=(
        "`w`, `X`, `y`, `lr` as in `adapt_each`; `Xq` (tasks, m, d) and `yq` (tasks, m), the query "
        "sets; `order`, 1 or 2. A task adapts with one step on its support set."
    ),
    returns=(
        "a float array (d,), correct to 1e-6: the mean over the tasks of the derivative of the query "
        "loss at the adapted weights, with respect to w. Order 1 (FOMAML) takes the adapted weights' "
        "derivative with respect to w for the identity; order 2 (MAML) does not."
    ),
    example=(
        "`outer_gradient(w, X, y, X, y, 0.1, 2)` with w = [0.], one task, X = [[[1.]]], y = [[2.]] "
        "returns `[-2.56]`."
    ),
    hints=(
        "Adapt first. Both orders need the query gradient at the adapted weights.",
        "By the chain rule order 2 multiplies it by the derivative of w - lr * gradient(w).",
        "For a mean squared error that is I - lr * H with H = 2 * X[t].T @ X[t] / n.",
    ),
    verify=verify_outer_gradient,
)

# ── Reptile ─────────────────────────────────────────────────────────────────────────────────


def verify_reptile_step(student, rng) -> None:
    """Compare with the start moved a part of the way to the tasks' mean."""
    w = rng.normal(size=rng.integers(2, 6))
    adapted = w + rng.normal(size=(rng.integers(2, 6), len(w)))
    rate = float(rng.uniform(0.1, 0.6))
    yours = as_array(student(w, adapted, rate), (len(w),), "the new start, as long as w")
    way = adapted.mean(0) - w
    explain(
        student,
        yours,
        w + rate * way,
        {
            "you walk away from the adapted weights: move towards them": w - rate * way,
            "this is the mean of the adapted weights: go only a part, `rate`, of the way": w + way,
            "you follow the last task alone: average over the tasks": (
                w + rate * (adapted[-1] - w)
            ),
            "average over the tasks, do not add up": w + rate * way * len(adapted),
        },
    )


REPTILE_STEP = Exercise(
    name="reptile_step",
    level=1,
    minutes=10,
    goal="Move the start towards where the tasks went: no derivative of a derivative.",
    given=(
        "`w`, a float array (d,), the start; `adapted`, a float array (tasks, d), each task's "
        "weights after several inner steps; `rate`, a float from 0 to 1."
    ),
    returns="a float array (d,), correct to 1e-6: w moved by `rate` of the way to their mean.",
    example=("`reptile_step(np.array([0.0]), np.array([[1.0], [3.0]]), 0.5)` returns `[1.0]`."),
    hints=(
        "Where would the start be with rate = 1? At the mean of the adapted weights.",
        "`w + rate * (adapted.mean(axis=0) - w)`.",
    ),
    verify=verify_reptile_step,
)

# ── prototypes ──────────────────────────────────────────────────────────────────────────────


def verify_nearest_prototype(student, rng) -> None:
    """Compare with the nearest class mean, where a nearest example is another class."""
    ways, d = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    labels = rng.permutation(np.repeat(np.arange(ways), rng.integers(2, 5)))
    centres = 2 * rng.normal(size=(ways, d))
    support = centres[labels] + rng.normal(size=(len(labels), d))
    query = centres[rng.integers(ways, size=40)] + 1.5 * rng.normal(size=(40, d))
    yours = as_array(student(support, labels, query), (40,), "one class for each query")
    means = np.array([support[labels == k].mean(0) for k in range(ways)])
    squared = ((query[:, None] - means) ** 2).sum(-1)
    single = ((query[:, None] - support) ** 2).sum(-1)
    mistakes = {
        "you take the farthest prototype: take the nearest": squared.argmax(1),
        "you compare with single pictures: compare with the mean of each class": (
            labels[single.argmin(1)]
        ),
        "the largest dot product is not the smallest distance: long prototypes would win": (
            (query @ means.T).argmax(1)
        ),
        "this is the position of the nearest picture, not a class": single.argmin(1),
    }
    right = (yours == squared.argmin(1)).mean()
    words = f"{right:.0%} of the queries get the class of their nearest prototype, not all"
    explain(student, yours, squared.argmin(1), mistakes, words)


NEAREST_PROTOTYPE = Exercise(
    name="nearest_prototype",
    level=2,
    minutes=15,
    goal="Name pictures of classes never seen in training, with no gradient step at all.",
    given=(
        "`support`, a float array (n, d) of features; `labels`, an int array (n,), classes "
        "0 … ways - 1, each at least once; `query`, a float array (m, d)."
    ),
    returns=(
        "an int array (m,): for each query the class whose prototype, the mean of its support "
        "features, is nearest by Euclidean distance."
    ),
    example=(
        "`nearest_prototype(np.array([[0.0], [4.0]]), np.array([1, 0]), np.array([[1.0]]))` returns "
        "`[1]`."
    ),
    hints=(
        "First the prototypes: for each class the mean of the rows with that label.",
        "`((query[:, None] - means) ** 2).sum(-1)` has one row a query and one column a class.",
    ),
    verify=verify_nearest_prototype,
)

EXERCISES = (ADAPT_EACH, OUTER_GRADIENT, REPTILE_STEP, NEAREST_PROTOTYPE)
