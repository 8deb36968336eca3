"""Lesson 07c: rows drawn again, pictures cut and pasted."""

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array, by_chance, describe, explain

# ── oversample ──────────────────────────────────────────────────────────────────────────────


def verify_oversample(student, rng) -> None:
    """Check the counts, that no row is lost, that the extra rows vary, and the seed."""
    sizes = rng.permutation([4, 30, 9])
    y, seed = rng.permutation(np.repeat(np.arange(3), sizes)), int(rng.integers(1000))
    what = "a whole-number array of row numbers"
    rows = as_array(student(y, seed), (-1,), what)
    if rows.dtype.kind not in "iu" or (len(rows) and not 0 <= rows.min() <= rows.max() < len(y)):
        raise Mistake(f"you returned {describe(rows)}: return row numbers from 0 to {len(y) - 1}.")
    counts = np.bincount(y[rows], minlength=3)
    if (counts == min(sizes)).all():
        raise Mistake(
            "this keeps as few of each class as the smallest has: draw rows again instead."
        )
    if not (counts == max(sizes)).all():
        raise Mistake(f"the classes have {counts.tolist()} rows: give each {max(sizes)}.")
    lost = len(np.setdiff1d(np.arange(len(y)), rows))
    if lost:
        raise Mistake(f"{lost} rows are gone: keep every row once, and draw only what is missing.")
    times = np.bincount(rows, minlength=len(y))
    if (times[y == np.argmax(sizes)] > 1).any():
        raise Mistake("rows of the largest class are drawn again: it is large enough.")
    again = as_array(student(y, seed), (-1,), what)
    if not np.array_equal(np.sort(rows), np.sort(again)):
        raise Mistake("the same seed gave other rows: use np.random.default_rng(seed).")
    others = [as_array(student(y, seed + i), (-1,), what) for i in (1, 2, 3)]
    if all(np.array_equal(np.sort(rows), np.sort(other)) for other in others):
        raise Mistake("other seeds gave the same rows: draw the extra rows at random.")
    _extra_rows_vary(y, [rows, *others])


def _extra_rows_vary(y, draws) -> None:
    """Raise Mistake unless the extra rows of the smaller classes come as chance has it."""
    extra = [np.bincount(rows, minlength=len(y)) - 1 for rows in draws]
    for k in range(3):
        counts = np.array([times[y == k] for times in extra])
        if counts.any() and not by_chance(counts, counts.mean(axis=1, keepdims=True)):
            raise Mistake(
                f"of the {counts.shape[1]} rows of a class one is drawn again {counts.max()} times, "
                f"another {counts.min()} times: draw each extra row anew, with the same chance."
            )


OVERSAMPLE = Exercise(
    name="oversample",
    level=1,
    minutes=10,
    goal="Make every class as frequent as the largest one, without losing a row.",
    given="`y`, an int array (n,) of classes, all training rows; `seed`, an int.",
    returns=(
        "an int array of row numbers, in any order: every row once, and rows of smaller classes "
        "drawn again, at random with replacement, until each class has as many as the largest. The "
        "same seed gives the same rows."
    ),
    example="`oversample(np.array([0, 0, 0, 1]), 0)` returns `[0, 1, 2, 3, 3, 3]`.",
    hints=(
        "Class by class: `np.flatnonzero(y == k)` are its rows. How many are missing?",
        "`rng.choice(rows, largest - len(rows))` draws the missing ones; put them behind `rows`.",
    ),
    verify=verify_oversample,
    cases=10,
)

# ── cut_and_paste ───────────────────────────────────────────────────────────────────────────


def verify_cut_and_paste(student, rng) -> None:
    """Compare both results pixel by pixel and label by label; the inputs must stay."""
    n, side, classes = 5, 8, 3
    images = rng.uniform(0.1, 1, (n, side, side))
    labels = np.eye(classes)[rng.permutation([0, 1, 2, 0, 1])]
    height, width = rng.choice(np.arange(1, 6), 2, replace=False)  # no square
    top, left = (int(rng.integers(0, side - length + 1)) for length in (height, width))
    partner = (np.arange(n) + int(rng.integers(1, n))) % n
    box = (top, left, int(height), int(width))
    value = student(images.copy(), labels.copy(), box, partner.copy())
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Mistake(f"you returned {describe(value)}: return two arrays, (images, labels).")
    mixed = as_array(value[0], images.shape, f"images of shape {images.shape}")
    soft = as_array(value[1], labels.shape, f"labels of shape {labels.shape}")
    _judge_pictures(student, mixed, images, partner, box)
    _judge_labels(student, soft, labels, labels[partner], box, side)


def _judge_pictures(student, mixed, images, partner, box) -> None:
    """Raise Mistake unless the rectangles are pasted, and nothing else is changed."""
    top, left, height, width = box
    turned = (left, top, width, height)
    known = {
        "rows and columns are swapped: `top` and `height` belong to the rows": (
            paste_slowly(images, images[partner], turned)
        ),
        "the pictures are unchanged: paste the partner's rectangle": images,
        "picture and partner are swapped: only the rectangle comes from the partner": (
            paste_slowly(images[partner], images, box)
        ),
        "the rectangle is black: fill it with the partner's pixels": (
            paste_slowly(images, 0 * images, box)
        ),
        "pasted pictures were pasted on: read from a copy of the images": (
            paste_in_place(images, partner, box)
        ),
    }
    expected = paste_slowly(images, images[partner], box)
    explain(student, mixed, expected, known, "only the rectangle may change")


def _judge_labels(student, soft, labels, other, box, side) -> None:
    """Raise Mistake unless the partners' labels, `other`, count as much as their area."""
    share = box[2] * box[3] / side**2
    known = {
        "the shares are swapped: the partner's label counts as much as its area": (
            share * labels + (1 - share) * other
        ),
        "the labels are those of the pictures alone: mix in the partner's": labels,
        "both labels count one half: let the area decide": (labels + other) / 2,
        "the share is an area: height · width / side²": (
            (1 - box[2] / side) * labels + box[2] / side * other
        ),
    }
    expected = (1 - share) * labels + share * other
    explain(student, soft, expected, known, f"the rectangle covers {share:.3f}, and of the labels")


def paste_slowly(images, others, box) -> np.ndarray:
    """Return the pictures with the rectangle of others, one pixel at a time."""
    top, left, height, width = box
    mixed = images.copy()
    for n in range(len(images)):
        for row in range(top, min(top + height, images.shape[1])):
            for column in range(left, min(left + width, images.shape[2])):
                mixed[n, row, column] = others[n, row, column]
    return mixed


def paste_in_place(images, partner, box) -> np.ndarray:
    """Return what comes out when a picture may be read after it was written."""
    top, left, height, width = box
    mixed = images.copy()
    part = np.s_[top : top + height, left : left + width]
    for n in range(len(images)):
        mixed[n][part] = mixed[partner[n]][part]
    return mixed


CUT_AND_PASTE = Exercise(
    name="cut_and_paste",
    level=2,
    minutes=15,
    goal="Paste a rectangle of another picture into each picture, and mix the labels by area: CutMix.",
    given=(
        "`images`, a float array (n, side, side); `labels`, a float array (n, classes), rows that "
        "sum to 1; `box`, four ints `(top, left, height, width)`, a rectangle inside the picture; "
        "`partner`, an int array (n,): whose pixels each picture gets."
    ),
    returns=(
        "`(images, labels)`, new arrays of the same shapes, correct to 1e-6. Inside the box, picture "
        "i shows picture `partner[i]` as it was given; its label is (1 - a) times its own plus a "
        "times the partner's, where a is the box's share of the area."
    ),
    example=(
        "with pictures of 4 × 4 pixels and the box `(0, 0, 2, 2)`, `cut_and_paste` gives the "
        "partner's label a share of 0.25."
    ),
    hints=(
        "Copy first: `mixed = images.copy()`; then every pixel you read is still the given one.",
        "`rows, columns = slice(top, top + height), slice(left, left + width)` cut the box out.",
        "`mixed[:, rows, columns] = images[partner][:, rows, columns]`.",
    ),
    verify=verify_cut_and_paste,
)

EXERCISES = (OVERSAMPLE, CUT_AND_PASTE)
