"""Chapter 1: a balanced few-label draw."""

import math

import numpy as np

from tlcourse.lessons.ch01_concepts.exercises.drawings import draw_counts
from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.guard import Crash
from tlcourse.teaching.values import Mistake, as_array, by_chance, describe


def verify_balanced_draw(student, rng) -> None:
    """Check size, balance, the seed, chance and the error of ``balanced_draw``."""
    per_class = int(rng.integers(2, 5))
    sizes = rng.integers(per_class + 1, per_class + 9, size=rng.integers(3, 6))
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    seed = int(rng.integers(1000))
    first = _positions(student(labels, per_class, seed), labels, per_class)
    second = _positions(student(labels, per_class, seed), labels, per_class)
    if not np.array_equal(first, second):
        raise Mistake(
            f"two draws with seed={seed} differ: make the generator inside the function with "
            "np.random.default_rng(seed), and draw from nothing else."
        )
    _is_by_chance(student, rng)
    _needs_enough(student, labels, int(sizes.min()))


def _positions(value, labels, per_class) -> np.ndarray:
    """Return the drawn positions, or name what is wrong with them."""
    classes = int(labels.max()) + 1
    wanted = f"an array of {classes * per_class} positions in labels"
    drawn = as_array(value, (-1,), wanted)
    if drawn.dtype == bool:
        raise Mistake("you returned a mask: np.flatnonzero(mask) turns it into positions.")
    if len(drawn) == per_class < classes * per_class:
        raise Mistake(
            f"you drew {per_class} in all: per_class={per_class} is meant for EACH class."
        )
    if len(drawn) != classes * per_class:
        raise Mistake(f"you returned {len(drawn)} positions: return {wanted}.")
    if drawn.dtype.kind not in "iu":
        raise Mistake(f"the positions have type {drawn.dtype}: return whole numbers, type int.")
    if drawn.min() < 0 or drawn.max() >= len(labels):
        raise Mistake(f"position {drawn.max()} lies outside 0 … {len(labels) - 1}.")
    _are_balanced(drawn, labels, per_class)
    return drawn


def _are_balanced(drawn, labels, per_class) -> None:
    sizes = np.bincount(labels)
    counts = [sum(1 for i in drawn if labels[i] == k) for k in range(len(sizes))]
    if counts == [per_class] * len(sizes) and len(set(drawn.tolist())) == len(drawn):
        return
    if sorted(drawn) == sorted(list(range(len(sizes))) * per_class):
        raise Mistake("you returned the labels of what was drawn: return their positions.")
    if drawn.max() < sizes.max():
        raise Mistake(
            "these look like positions inside each class: index the class's own positions, "
            "np.flatnonzero(labels == k), with them."
        )
    for i in drawn.tolist():
        if drawn.tolist().count(i) > 1:
            raise Mistake(f"position {i} is drawn twice: draw without replacement.")
    raise Mistake(
        f"you drew {counts} labels of classes 0 … {len(sizes) - 1}, but {per_class} of each are "
        "asked for: draw inside each class, not from all labels at once.",
        draw_counts(counts, per_class),
    )


def _needs_enough(student, labels, smallest) -> None:
    try:
        value = student(labels, smallest + 1, 0)
    except Crash as crash:
        if "ValueError" in crash.kinds:
            return
        raise Mistake(f"a class too small must raise ValueError, but {crash}") from None
    raise Mistake(
        f"the smallest class has {smallest} labels, yet at per_class={smallest + 1} you returned "
        f"{describe(value)}: raise ValueError there."
    )


def draw_often(draw, labels, per_class, seeds) -> list:
    """Return one draw for each seed."""
    return [draw(labels.copy(), per_class, seed) for seed in seeds]


def _is_by_chance(student, rng, draws: int = 100) -> None:
    """Draw 2 of 8 labels of three classes under many seeds; count who is drawn, and with whom."""
    labels = rng.permutation(np.repeat(np.arange(3), 8))
    members = [np.flatnonzero(labels == k).tolist() for k in range(3)]
    times, pairs = np.zeros(len(labels)), np.zeros((8, 8))
    places = []  # which places inside its class each class gave, in one draw
    for value in student.observe(draw_often, labels, 2, list(range(draws))):
        drawn = _positions(value, labels, 2).tolist()
        times[drawn] += 1
        inside = [tuple(i for i in range(8) if members[k][i] in drawn) for k in range(3)]
        places.append(tuple(inside))
        for pair in inside:
            pairs[pair] += 1
    if len(set(places)) == 1:
        raise Mistake(
            f"seeds 0 … {draws - 1} all give the same draw: shuffle each class with a generator "
            "made from seed, instead of taking its first labels."
        )
    if sum(len(set(inside)) == 1 for inside in places) > draws / 2:
        raise Mistake(
            "every class gives the labels at the same places: make the generator once, before "
            "the loop over the classes, not anew inside it."
        )
    _each_as_often(times, draws)
    if not by_chance(pairs[np.triu_indices(8, 1)]):
        raise Mistake(
            f"of the 28 pairs that a class of 8 can give, {np.count_nonzero(pairs)} came in "
            f"{3 * draws} draws, some far too often: draw each label on its own, not neighbours."
        )


def _each_as_often(times, draws: int) -> None:
    """Raise Mistake if 2 of 8 are not drawn by chance; 6 standard deviations leave chance out."""
    if np.abs(times - draws / 4).max() > 6 * math.sqrt(draws * 0.25 * 0.75):
        raise Mistake(
            f"over {draws} seeds some labels come {times.max():g} times and others {times.min():g} "
            f"times, where about {draws // 4} are due: give each label of a class the same chance."
        )


BALANCED_DRAW = Exercise(
    name="balanced_draw",
    level=1,
    minutes=10,
    goal="Draw a few labelled examples so that every class has the same number of them.",
    given=(
        "`labels`, an int array (n,) with classes 0 … k-1 in any order; `per_class`, an int ≥ 1; "
        "`seed`, an int."
    ),
    returns=(
        "an int array (k · per_class,) of positions in `labels`, in any order: no position twice, "
        "each class `per_class` times, each label of a class with the same chance. One seed "
        "always gives the same draw. ValueError when a class has too few labels."
    ),
    example="`balanced_draw(np.array([0, 1, 1, 0, 1]), 1, seed=0)` may return `array([3, 1])`.",
    hints=(
        "`np.flatnonzero(labels == k)` gives the positions of class k.",
        (
            "Make one generator, `rng = np.random.default_rng(seed)`, before the loop over the "
            "classes; `rng.choice(positions, per_class, replace=False)` draws inside a class."
        ),
        (
            "Collect one draw a class in a list and return `np.concatenate(draws)`; `rng.choice` with "
            "`replace=False` already raises ValueError when a class is too small."
        ),
    ),
    verify=verify_balanced_draw,
    cases=5,
)

EXERCISES = (BALANCED_DRAW,)
