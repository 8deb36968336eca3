"""Lesson 04: dropout, decay in two places, a pull to the source, when to stop, softer labels."""

import math

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array, as_number, describe, explain

# ── drop_out ────────────────────────────────────────────────────────────────────────────────


def verify_drop_out(student, rng) -> None:
    """Check that each number is 0 or scaled, the share of zeros, the seed, and other shapes."""
    inputs, p = rng.uniform(1, 2, (60, 50)), float(rng.uniform(0.2, 0.8))
    seed = int(rng.integers(1000))
    what = "an array of the shape of inputs"
    found = as_array(student(inputs, p, seed), inputs.shape, what)
    share = (found == 0).mean()
    kept = found[found != 0] / inputs[found != 0]
    if share == 0:
        raise Mistake("no number was set to 0: compare a random number for each with p.")
    if np.allclose(kept, 1):
        raise Mistake("the numbers that stay are unchanged: divide them by 1 - p.")
    if np.allclose(kept, 1 / p) or np.allclose(kept, 1 - p) or np.allclose(kept, p):
        raise Mistake("the numbers that stay are scaled by the wrong factor: divide by 1 - p.")
    if not np.allclose(kept, 1 / (1 - p)):
        raise Mistake("a number that stays must be inputs / (1 - p), and all others 0.")
    _draws_each(found == 0, share)
    if abs(share - p) > abs(share - (1 - p)) and abs(p - 0.5) > 0.05:
        raise Mistake(f"{share:.0%} are 0, but p is {p:.2f}: p is the probability to be set to 0.")
    if abs(share - p) > 0.06:
        raise Mistake(f"{share:.0%} are 0, but p is {p:.2f}: each is 0 with probability p.")
    if not np.array_equal(found, np.asarray(student(inputs, p, seed))):
        raise Mistake("the same seed gave another result: use np.random.default_rng(seed).")
    if np.array_equal(found == 0, np.asarray(student(inputs, p, seed + 1)) == 0):
        raise Mistake("another seed gave the same zeros: use the seed.")
    for shape in ((30,), (2, 3, 4)):
        inputs = rng.uniform(1, 2, shape)
        found = as_array(student(inputs, p, seed), shape, f"{what}, here {shape}")
        if not np.allclose(np.where(found == 0, 1, found / inputs * (1 - p)), 1):
            raise Mistake(f"at the shape {shape} a number is neither 0 nor inputs / (1 - p).")
    if not np.allclose(student(inputs, 0.0, seed), inputs):
        raise Mistake("with p = 0 all numbers stay as they are.")


def _draws_each(zeros, share) -> None:
    """Raise Mistake if rows, columns or neighbours share their fate."""
    for axis in (0, 1):
        if np.ptp(zeros.mean(axis=axis)) in (0, 1):
            raise Mistake("whole rows or columns share their fate: draw for every number.")
    for before, after in ((zeros[:, :-1], zeros[:, 1:]), (zeros[:-1], zeros[1:])):
        found, n = after[before].mean(), max(before.sum(), 1)
        if abs(found - share) > 6 * math.sqrt(share * (1 - share) / n) + 0.01:
            raise Mistake(
                f"{found:.0%} of the neighbours of a 0 are 0, but {share:.0%} of all numbers: draw "
                "for every number by itself."
            )


DROP_OUT = Exercise(
    name="drop_out",
    level=1,
    minutes=12,
    goal="Switch features off at random, so that no few of them are learned by heart.",
    given=("`inputs`, a float array of any shape; `p`, a float from 0 to below 1; `seed`, an int."),
    returns=(
        "an array of the same shape: each number is 0 with probability `p`, and `inputs / (1 - p)` "
        "otherwise, drawn for every number by itself. The same seed gives the same result."
    ),
    example="`drop_out(np.ones(4), 0.5, 0)` may return `[0, 2, 2, 0]`.",
    hints=(
        "`np.random.default_rng(seed).random(inputs.shape)` draws one number for each input.",
        "A number stays where its draw is at least `p`; multiply by that mask, divide by `1 - p`.",
    ),
    verify=verify_drop_out,
    cases=5,
)

# ── adam_first_step ─────────────────────────────────────────────────────────────────────────


def verify_adam_first_step(student, rng) -> None:
    """Compare both places of weight decay with Adam's first step, number by number."""
    weights, gradient = rng.normal(0, 2, 6), rng.normal(0, 1, 6)
    lr, decay = float(rng.uniform(0.01, 0.1)), float(rng.uniform(0.1, 0.5))
    gradient[0] = -decay * weights[0] / 2  # here the two places disagree on the direction
    what = "an array of the shape of weights"
    for decoupled in (False, True):
        found = as_array(student(weights, gradient, lr, decay, decoupled), weights.shape, what)
        explain(
            student,
            found,
            adam_slowly(weights, gradient, lr, decay, decoupled),
            _known_steps(weights, gradient, lr, decay, decoupled),
            f"with decoupled={decoupled}: first the gradient, then step and decay",
        )


def adam_slowly(weights, gradient, lr, decay, decoupled) -> list[float]:
    """Return the weights after Adam's first step, one weight at a time."""
    after = []
    for w, g in zip(weights, gradient, strict=True):
        g = g if decoupled else g + decay * w
        step = lr * g / (math.sqrt(g * g) + 1e-8)
        after.append(w - step - (lr * decay * w if decoupled else 0))
    return after


def _known_steps(w, g, lr, decay, decoupled) -> dict:
    """Return words to the result of each known mistake."""
    right = np.array(adam_slowly(w, g, lr, decay, decoupled))
    none = np.array(adam_slowly(w, g, lr, 0, decoupled))
    known = {
        "the two places are swapped: decoupled=False puts the decay into the gradient": (
            adam_slowly(w, g, lr, decay, not decoupled)
        ),
        f"with decoupled={decoupled} the weights do not decay at all": none,
        "the step goes uphill: subtract it": 2 * w - right,
        "this is a step of plain gradient descent: divide by the size of the gradient": (
            w - lr * g - lr * decay * w
        ),
    }
    beside = {  # what is done wrong with AdamW alone
        "the decay lacks the learning rate: subtract lr * weight_decay * weights": none - decay * w,
        "the decay is taken after the step: take it from the weights before it": (
            none * (1 - lr * decay)
        ),
    }
    return known | (beside if decoupled else dict.fromkeys(beside, right))


ADAM_FIRST_STEP = Exercise(
    name="adam_first_step",
    level=2,
    minutes=18,
    goal=(
        "Put weight decay into Adam's gradient, or beside it. The first step of Adam divides each "
        "gradient g by its own size: it moves a weight by lr · g / (|g| + 1e-8)."
    ),
    given=(
        "`weights` and `gradient`, float arrays (d,); `lr` and `weight_decay`, floats; `decoupled`, "
        "a bool."
    ),
    returns=(
        "the weights after the step, an array (d,), correct to 1e-6. With `decoupled=False` (Adam) "
        "`weight_decay * weights` is added to the gradient first. With `decoupled=True` (AdamW) the "
        "gradient stays, and `lr * weight_decay * weights`, of the weights before the step, is "
        "subtracted as well."
    ),
    example=(
        "`adam_first_step(np.array([1.0]), np.array([2.0]), 0.1, 0.5, True)` returns about `[0.85]`."
    ),
    hints=(
        "Write the step as a function of the gradient first; then decide which gradient it gets.",
        "`step = lr * g / (np.abs(g) + 1e-8)` with `g = gradient + weight_decay * weights` or not.",
    ),
    verify=verify_adam_first_step,
)

# ── l2sp_penalty ────────────────────────────────────────────────────────────────────────────


def verify_l2sp_penalty(student, rng) -> None:
    """Compare with one loop over all weights; recognise what was left out."""
    weights = {f"layer{i}": rng.normal(size=(2, i + 1)) for i in range(4)}
    start = {name: rng.normal(size=weights[name].shape) for name in list(weights)[:2]}
    alpha, beta = rng.uniform(0.5, 2, 2)
    value = student(weights, start, float(alpha), float(beta))
    found = as_number(value, "one number, the penalty")
    pulled = sum(((weights[n] - start[n]) ** 2).sum() for n in start)
    new = sum((weights[n] ** 2).sum() for n in weights if n not in start)
    shared = sum((weights[n] ** 2).sum() for n in start)
    lengths = [np.sqrt(((weights[n] - start[n]) ** 2).sum()) for n in start]
    known = {
        "the factor 1/2 is missing": alpha * pulled + beta * new,
        "alpha and beta are swapped": (beta * pulled + alpha * new) / 2,
        "weights without a start are not pulled: pull them to 0 with beta": alpha * pulled / 2,
        "only new weights are pulled: the others are pulled to their start": beta * new / 2,
        "all weights are pulled to 0: pull those of `start` to their start": (
            (alpha * shared + beta * new) / 2
        ),
        "the lengths are not squared": (
            alpha * sum(lengths)
            + beta * sum(np.sqrt((weights[n] ** 2).sum()) for n in weights if n not in start)
        )
        / 2,
    }
    expected = (alpha * pulled + beta * new) / 2
    explain(student, found, expected, known, "the penalty")


L2SP_PENALTY = Exercise(
    name="l2sp_penalty",
    level=2,
    minutes=15,
    goal="Pull a network back to where its source left it, and only its new head to zero.",
    given=(
        "`weights`, a dict from a layer's name to its float array; `start`, such a dict with the "
        "pretrained values of *some* of these layers; `alpha` and `beta`, floats."
    ),
    returns=(
        "a float, correct to 1 part in 1e6: alpha/2 times the sum of (w - w_start)² over all numbers "
        "of the layers in `start`, plus beta/2 times the sum of w² over the other layers."
    ),
    example=(
        '`l2sp_penalty({"a": np.array([3.0])}, {"a": np.array([1.0])}, 1.0, 1.0)` returns 2.0.'
    ),
    hints=(
        "One loop over `weights.items()`, with a question inside: is the name in `start`?",
        "`((w - start[name]) ** 2).sum()` for the one kind, `(w**2).sum()` for the other.",
    ),
    verify=verify_l2sp_penalty,
)

# ── stop_early ──────────────────────────────────────────────────────────────────────────────


def verify_stop_early(student, rng) -> None:
    """Follow the scores one by one; recognise the usual off-by-one."""
    scores = np.round(rng.uniform(0.5, 0.9, int(rng.integers(6, 14))), 1)  # with many ties
    patience = int(rng.integers(1, 5))
    if rng.random() < 0.3:
        scores = np.sort(scores)  # rises to the end: training is never stopped
    given = [float(score) for score in scores]
    value = student(given, patience)
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Mistake(f"you returned {describe(value)}: return two numbers, (kept, stopped).")
    found = tuple(as_number(number, "two whole numbers") for number in value)
    expected = stop_slowly(given, patience)
    known = {
        "this looks at all scores: after the stop there are none": _best_of_all(given, patience),
        "the stop comes one evaluation too late": stop_slowly(given, patience + 1),
        "the stop comes one evaluation too early": stop_slowly(given, patience - 1),
        "an equal score is no improvement: keep the first of equals": (
            stop_slowly(given, patience, ties=True)
        ),
        "kept and stopped are swapped": expected[::-1],
        "keep the best evaluation, not the last": (expected[1], expected[1]),
    }
    words = f"for {given} and patience {patience}, (kept, stopped) are {expected}"
    explain(student, np.array(found), np.array(expected), known, words)


def stop_slowly(scores, patience, ties=False) -> tuple[int, int]:
    """Return where the best score was and where training stops, one evaluation at a time."""
    best, waited = 0, 0
    for i in range(1, len(scores)):
        better = scores[i] >= scores[best] if ties else scores[i] > scores[best]
        best, waited = (i, 0) if better else (best, waited + 1)
        if waited >= patience:
            return best, i
    return best, len(scores) - 1


def _best_of_all(scores, patience) -> tuple[int, int]:
    return int(np.argmax(scores)), stop_slowly(scores, patience)[1]


STOP_EARLY = Exercise(
    name="stop_early",
    level=2,
    minutes=20,
    goal="Stop when validation accuracy no longer rises, and go back to the best weights.",
    given=(
        "`scores`, a list of at least one float, the validation accuracy at evaluations 0, 1, 2, …; "
        "`patience`, an int of at least 1."
    ),
    returns=(
        "`(kept, stopped)`, two ints. Training stops at the first evaluation that is the "
        "`patience`-th in a row without a new best, or at the last one. `kept` is the evaluation "
        "with the highest score up to the stop, the first of equals."
    ),
    example="`stop_early([0.5, 0.7, 0.6, 0.7, 0.9], 2)` returns (1, 3).",
    hints=(
        "Walk through the scores with two variables: the best place so far, and how long ago.",
        "A score counts as a new best only if it is larger than the best one, not equal.",
        "When the number of evaluations since the best reaches `patience`, return at once.",
    ),
    verify=verify_stop_early,
    cases=40,
)

# ── smooth_labels ───────────────────────────────────────────────────────────────────────────


def verify_smooth_labels(student, rng) -> None:
    """Compare with one loop over pictures and classes; recognise other ways to spread."""
    n, n_classes = int(rng.integers(4, 9)), int(rng.integers(3, 7))
    labels, epsilon = rng.integers(n_classes, size=n), float(rng.uniform(0.05, 0.5))
    what = f"an array of shape ({n}, {n_classes})"
    found = as_array(student(labels, n_classes, epsilon), (n, n_classes), what)
    one_hot = np.eye(n_classes)[labels]
    expected = [
        [(1 - epsilon) * (label == k) + epsilon / n_classes for k in range(n_classes)]
        for label in labels
    ]
    known = {
        "nothing is spread": one_hot,
        "epsilon goes to the other classes alone: it is spread over all of them": (
            one_hot * (1 - epsilon) + (1 - one_hot) * epsilon / (n_classes - 1)
        ),
        "each row must sum to 1: the right class keeps 1 - epsilon of its own": (
            one_hot + epsilon / n_classes
        ),
        "each row must sum to 1: every class gets epsilon / n_classes": (
            one_hot * (1 - epsilon) + epsilon
        ),
        "the right class gets its part of epsilon as well": (
            one_hot * (1 - epsilon) + (1 - one_hot) * epsilon / n_classes
        ),
    }
    explain(student, found, expected, known, "compare a row with the example")


SMOOTH_LABELS = Exercise(
    name="smooth_labels",
    level=1,
    minutes=10,
    goal="Tell the network that no label is quite certain.",
    given=(
        "`labels`, an int array (n,) of classes 0 … `n_classes` - 1; `n_classes`, an int; `epsilon`, "
        "a float from 0 to 1."
    ),
    returns=(
        "a float array (n, n_classes): each row gives 1 - epsilon to the labelled class, and spreads "
        "epsilon evenly over *all* classes, the labelled one included."
    ),
    example="`smooth_labels(np.array([1]), 2, 0.2)` returns `[[0.1, 0.9]]`.",
    hints=(
        "`np.eye(n_classes)[labels]` has a 1 at each labelled class.",
        "Multiply it by `1 - epsilon`, then add `epsilon / n_classes` everywhere.",
    ),
    verify=verify_smooth_labels,
)

EXERCISES = (DROP_OUT, ADAM_FIRST_STEP, L2SP_PENALTY, STOP_EARLY, SMOOTH_LABELS)
