"""Chapter 7: rows drawn again, pictures cut and pasted, a source that moves like its target."""

from __future__ import annotations

import numpy as np

from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array, describe, explain

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
    others = [np.sort(as_array(student(y, seed + i), (-1,), what)) for i in (1, 2, 3)]
    if all(np.array_equal(np.sort(rows), other) for other in others):
        raise Mistake("other seeds gave the same rows: draw the extra rows at random.")


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
    expected = paste_slowly(images, images[partner], box)
    turned = (left, top, int(width), int(height))
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
    explain(mixed, expected, known, "some pixels are wrong: only the rectangle may change.")
    share = box[2] * box[3] / side**2
    other = labels[partner]
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
    explain(soft, expected, known, f"the labels are wrong: the rectangle covers {share:.3f}.")


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

# ── match_covariance ────────────────────────────────────────────────────────────────────────


def verify_match_covariance(student, rng) -> None:
    """Compare with whitening and colouring in the eigenbasis; recognise each step left out."""
    d, penalty = 3, float(rng.uniform(0.2, 1))
    source = rng.normal(size=(30, d)) @ rng.normal(size=(d, d)) + rng.normal(0, 3, d)
    target = rng.normal(size=(20, d)) @ rng.normal(size=(d, d)) + rng.normal(0, 3, d)
    what = f"an array of shape {source.shape}"
    found = as_array(student(source.copy(), target.copy(), penalty), source.shape, what)
    mean, aim = source.mean(axis=0), target.mean(axis=0)
    centred = source - mean
    s, t = (np.cov(rows.T) + penalty * np.eye(d) for rows in (source, target))
    whiten, colour = power(s, -0.5), power(t, 0.5)
    moved = centred @ whiten @ colour
    bare = centred @ power(np.cov(source.T), -0.5) @ power(np.cov(target.T), 0.5)
    known = {
        "the target's mean is missing: add it at the end": moved,
        "the source's mean was added again: add the target's": moved + mean,
        "the rows were not centred: subtract the source's mean first": source @ whiten @ colour
        + aim,
        "the order is swapped: whiten with the source first, then colour with the target": (
            centred @ colour @ whiten + aim
        ),
        "the source is whitened, and not coloured": centred @ whiten + aim,
        "whitening lacks: multiply by the source covariance to the power -1/2": (
            centred @ colour + aim
        ),
        "source and target are swapped: whiten by the source, colour by the target": (
            centred @ power(t, -0.5) @ power(s, 0.5) + aim
        ),
        "only spreads were matched: take the whole covariance": (
            centred / np.sqrt(np.diag(s)) * np.sqrt(np.diag(t)) + aim
        ),
        "the penalty is missing: add it to the diagonal of both covariances": bare + aim,
    }
    otherwise = "the result is wrong: compare its covariance with the target's, column by column."
    explain(found, moved + aim, known, otherwise)


def power(matrix, exponent) -> np.ndarray:
    """Return a power of a symmetric positive matrix, one eigenvector at a time."""
    values, vectors = np.linalg.eigh(matrix)
    return sum(v**exponent * np.outer(u, u) for v, u in zip(values, vectors.T, strict=True))


MATCH_COVARIANCE = Exercise(
    name="match_covariance",
    level=3,
    minutes=15,
    goal="Let the columns of the source move together as those of the target do: CORAL.",
    given=(
        "`source`, a float array (n, d), and `target`, (m, d), both with d ≥ 2; `penalty`, a "
        "positive float."
    ),
    returns=(
        "a float array (n, d), correct to 1e-6: the source rows minus their mean, times C_s to the "
        "power -1/2, times C_t to the power 1/2, plus the target's mean. C_s and C_t are the "
        "covariances (divided by the number of rows minus 1), with `penalty` added to the diagonal."
    ),
    example=(
        "`match_covariance(source, target, 1e-9)` returns rows with the mean and the covariance of "
        "`target`."
    ),
    hints=(
        "`np.cov(source.T) + penalty * np.eye(source.shape[1])` is C_s.",
        "`w, V = np.linalg.eigh(C)`: then `(V * w**p) @ V.T` is C to the power p.",
        "Multiply from the right, whitening first: `(source - mean) @ whiten @ colour`.",
    ),
    verify=verify_match_covariance,
)

EXERCISES = (OVERSAMPLE, CUT_AND_PASTE, MATCH_COVARIANCE)
