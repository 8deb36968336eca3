"""Chapter 5: conflict in one number, weights by variance, projection, learned noise, GradNorm."""

import itertools
import math

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array, as_number, close, explain

# ── gradient_cosine ─────────────────────────────────────────────────────────────────────────


def verify_gradient_cosine(student, rng) -> None:
    """Compare with sums over all layers; recognise a mean over layers and missing lengths."""
    a = [rng.normal(0, 3, (2, 3)), rng.normal(0, 1, 4)]
    b = [rng.normal(0, 1, (2, 3)), rng.normal(0, 9, 4)]
    found = as_number(student(a, b), "one number, the cosine")
    flat_a, flat_b = (np.concatenate([layer.ravel() for layer in g]) for g in (a, b))
    inner = sum(x * y for x, y in zip(flat_a, flat_b, strict=True))
    squares = [sum(x * x for x in flat) for flat in (flat_a, flat_b)]
    expected = inner / math.sqrt(squares[0] * squares[1])
    each = [
        (x * y).sum() / math.sqrt((x * x).sum() * (y * y).sum()) for x, y in zip(a, b, strict=True)
    ]
    known = {
        "this is the inner product: divide by both lengths": inner,
        "this is the mean of the layers' cosines: join all layers to one vector first": (
            np.mean(each)
        ),
        "the lengths are squared: take their square roots": inner / (squares[0] * squares[1]),
        "the sign is lost: tasks that disagree have a negative cosine": abs(expected),
        "only the first layer counts here: use all layers": each[0],
    }
    explain(student, found, expected, known, "the cosine")
    wanted = "0 where a gradient is zero everywhere, because it has no direction"
    for pair in itertools.product((0 * a[1], a[1]), (0 * b[1], b[1])):
        zero = not all(gradient.any() for gradient in pair)
        if zero and not close(as_number(student([pair[0]], [pair[1]]), wanted), 0):
            raise Mistake(f"return {wanted}.")


GRADIENT_COSINE = Exercise(
    name="gradient_cosine",
    level=1,
    minutes=12,
    goal="Say in one number whether two tasks pull the shared layers the same way.",
    given="`a` and `b`, two lists of float arrays: the gradient of each task, one array a layer.",
    returns=(
        "a float, correct to 1e-6: the cosine of the angle between the two gradients, each taken as "
        "one long vector of all layers; 0 where a gradient is zero everywhere."
    ),
    example="`gradient_cosine([np.array([1.0, 0.0])], [np.array([-2.0, 0.0])])` returns -1.0.",
    hints=(
        "`np.concatenate([layer.ravel() for layer in a])` joins all layers.",
        "The inner product over the product of the lengths; look at the lengths before you divide.",
    ),
    verify=verify_gradient_cosine,
)

# ── scaled_total ────────────────────────────────────────────────────────────────────────────


def verify_scaled_total(student, rng) -> None:
    """Compare with a loop over tasks; recognise other denominators."""
    spreads = 10.0 ** rng.uniform(-1, 2, 3)
    sizes = rng.permutation([6, 12, 17])  # a batch need not have as many of each measurement
    targets = [rng.normal(5, s, n) for s, n in zip(spreads, sizes, strict=True)]
    guesses = [t + rng.normal(0, s, len(t)) for t, s in zip(targets, spreads, strict=True)]
    training = [rng.normal(5, s, 2 * n) for s, n in zip(spreads, sizes, strict=True)]
    importance = rng.uniform(0.5, 2, 3)
    value = student(guesses, targets, training, [float(w) for w in importance])
    found = as_number(value, "one number, the total loss")
    errors = np.array([((g - t) ** 2).mean() for g, t in zip(guesses, targets, strict=True)])
    variance = np.array([np.mean((t - t.mean()) ** 2) for t in training])
    expected = sum(w * e / v for w, e, v in zip(importance, errors, variance, strict=True))
    known = {
        "nothing is scaled: divide each loss by the variance of its training targets": (
            (importance * errors).sum()
        ),
        "divide by the variance, not by its root": (importance * errors / np.sqrt(variance)).sum(),
        "the importance is not used": (errors / variance).sum(),
        "this is the variance of the batch: take that of the training targets": (
            (importance * errors / [t.var() for t in targets]).sum()
        ),
        "divide by the mean squared deviation (ddof=0)": (
            (importance * errors / [t.var(ddof=1) for t in training]).sum()
        ),
        "the errors are added up: take the mean over the batch": (
            (importance * errors * sizes / variance).sum()
        ),
    }
    explain(student, found, expected, known, "the total")


SCALED_TOTAL = Exercise(
    name="scaled_total",
    level=1,
    minutes=12,
    goal="Add the losses of several measurements so that no unit decides which one counts.",
    given=(
        "`guesses` and `targets`, lists with a float array a task (a batch); `training`, a list with "
        "all training targets of each task; `importance`, a list of floats."
    ),
    returns=(
        "a float, correct to 1e-6: the sum over tasks of importance times the mean squared error, "
        "divided by the variance (`ddof=0`) of that task's training targets."
    ),
    example=(
        "`scaled_total([np.array([1.0])], [np.array([3.0])], [np.array([0.0, 4.0])], [1.0])` "
        "returns 1.0."
    ),
    hints=(
        "One loop over the four lists with `zip`.",
        "`weight * ((guess - target) ** 2).mean() / np.var(known)`.",
    ),
    verify=verify_scaled_total,
)

# ── project_conflict ────────────────────────────────────────────────────────────────────────


def verify_project_conflict(student, rng) -> None:
    """Compare with PCGrad's algorithm for two tasks, one number at a time."""
    a, b = rng.normal(0, 3, 5), rng.normal(0, 1, 5)
    if rng.random() < 0.6:
        b = -np.sign(a @ b) * b  # most cases conflict
    found = as_array(student(a, b), (5,), "an array (d,)")
    inner, aa, bb = a @ b, a @ a, b @ b
    both = a - inner / bb * b + b - inner / aa * a
    expected = both if inner < 0 else a + b
    known = {
        "these gradients do not conflict: add them as they are": both,
        "these gradients conflict, and you added them as they are": a + b,
        "this is the mean: return the sum of both": expected / 2,
    }
    in_conflict = {
        # Whoever projects b away from the new a, at right angles to b, leaves b as it is.
        "only the first gradient is projected: project both, the second from the first as it was": (
            a - inner / bb * b + b
        ),
        "only the second gradient is projected: project both": a + b - inner / aa * a,
        "divide by the square of the length": (
            a - inner / math.sqrt(bb) * b + b - inner / math.sqrt(aa) * a
        ),
    }
    known |= in_conflict if inner < 0 else dict.fromkeys(in_conflict, expected)
    words = f"the inner product is {'' if inner < 0 else 'not '}negative here"
    explain(student, found, expected, known, words)


PROJECT_CONFLICT = Exercise(
    name="project_conflict",
    level=2,
    minutes=18,
    goal="Remove from each of two gradients what opposes the other one (PCGrad).",
    given="`a` and `b`, float arrays (d,), the gradients of two tasks; neither is zero.",
    returns=(
        "an array (d,), correct to 1e-6. If the inner product of a and b is negative: "
        "(a - (a·b)/(b·b) b) + (b - (a·b)/(a·a) a). Otherwise a + b."
    ),
    example=(
        "`project_conflict(np.array([1.0, 0.0]), np.array([-1.0, 1.0]))` returns `[0.5, 1.5]`: "
        "neither task is opposed."
    ),
    hints=(
        "Compute `inner = a @ b` once, and return early if it is not negative.",
        "Make both projections from the old `a` and `b`, then add them.",
    ),
    verify=verify_project_conflict,
    cases=30,
)

# ── uncertainty_loss ────────────────────────────────────────────────────────────────────────


def verify_uncertainty_loss(student, rng) -> None:
    """Compare with the paper's form with standard deviations."""
    losses, s = rng.uniform(0.1, 50, 3), rng.normal(0, 1.5, 3)
    classes = [bool(c) for c in rng.permutation([True, False, rng.random() < 0.5])]
    found = as_number(student(losses, s, classes), "one number, the total loss")
    sigma, kind = np.exp(s / 2), np.array(classes)
    factor = np.where(kind, 1.0, 0.5)
    expected = (factor * losses / sigma**2 + np.log(sigma)).sum()
    known = {
        "without the log term, all weights would fall to 0: add s / 2 for each task": (
            (factor * losses / sigma**2).sum()
        ),
        "the log term is s / 2, because s is the log of the variance": (
            (factor * losses / sigma**2 + s).sum()
        ),
        "exp(s) is the variance: a noisy task must get a small weight, exp(-s)": (
            (factor * losses * sigma**2 + s / 2).sum()
        ),
        "a measurement's loss has a factor 1/2": (losses / sigma**2 + s / 2).sum(),
        "the factor 1/2 belongs to measurements, not to classes": (
            ((1.5 - factor) * losses / sigma**2 + s / 2).sum()
        ),
        "s is the log of the variance, not of the standard deviation": (
            (factor * losses * np.exp(-2 * s) + s / 2).sum()
        ),
    }
    explain(student, found, expected, known, "the total")


UNCERTAINTY_LOSS = Exercise(
    name="uncertainty_loss",
    level=2,
    minutes=15,
    goal="Let the network learn how noisy each task is, and weigh the tasks by it.",
    given=(
        "`losses`, a float array (tasks,); `s`, a float array (tasks,), the log of each task's noise "
        "variance; `classes`, a list of bools: is the task a classification?"
    ),
    returns=(
        "a float, correct to 1e-6: the sum over tasks of exp(-s) · L · ½ + s/2 for a measurement, and "
        "of exp(-s) · L + s/2 for a classification."
    ),
    example="`uncertainty_loss(np.array([2.0, 4.0]), np.zeros(2), [True, False])` returns 4.0.",
    hints=(
        "`np.where(classes, 1.0, 0.5)` is the factor of each task.",
        "`(factor * np.exp(-s) * losses + s / 2).sum()`.",
    ),
    verify=verify_uncertainty_loss,
)

# ── gradnorm_goal ───────────────────────────────────────────────────────────────────────────


def verify_gradnorm_goal(student, rng) -> None:
    """Compare with a loop over tasks."""
    norms, first = 10.0 ** rng.uniform(-1, 2, 3), rng.uniform(1, 50, 3)
    losses, alpha = first * rng.uniform(0.1, 0.9, 3), float(rng.uniform(0.3, 2))
    found = as_array(student(norms, losses, first, alpha), (3,), "an array (tasks,)")
    left = losses / first
    mean = sum(norms) / 3
    expected = [mean * (x / (sum(left) / 3)) ** alpha for x in left]
    share = left / left.mean()
    known = {
        "divide each loss by its own first loss": mean * (losses / losses.mean()) ** alpha,
        "divide what is left by its mean over the tasks": mean * left**alpha,
        "a task that lags needs the longer gradient: you have it upside down": (
            mean * (1 / share) ** alpha
        ),
        "all tasks share one mean length: yours keep their own": norms * share**alpha,
        "alpha is an exponent, not a factor": mean * share * alpha,
        "alpha is not used": mean * share,
    }
    words = "a goal is mean(norms) * (left / mean(left)) ** alpha"
    explain(student, found, expected, known, words)


GRADNORM_GOAL = Exercise(
    name="gradnorm_goal",
    level=2,
    minutes=15,
    goal="Say how long each task's gradient should be, so that all tasks learn at one pace.",
    given=(
        "`norms`, the lengths of the weighted gradients; `losses` now; `first`, the losses at the "
        "first step; all float arrays (tasks,), positive; `alpha`, a float."
    ),
    returns=(
        "an array (tasks,), correct to 1e-6: the mean of `norms`, times (r / mean of r) to the power "
        "alpha, where r = losses / first is what is left of each loss."
    ),
    example=(
        "`gradnorm_goal(np.array([1.0, 3.0]), np.array([1.0, 6.0]), np.array([2.0, 4.0]), 1.0)` "
        "returns `[1, 3]`."
    ),
    hints=(
        "What is left of each loss: `losses / first`.",
        "Divide that by its mean; a task that lags is above 1, and gets a longer gradient.",
    ),
    verify=verify_gradnorm_goal,
)

EXERCISES = (GRADIENT_COSINE, SCALED_TOTAL, PROJECT_CONFLICT, UNCERTAINTY_LOSS, GRADNORM_GOAL)
