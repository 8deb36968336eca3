"""Typical wrong answers to the exercises of lesson 07c, with words of the message."""

import numpy as np
from lessons.ch07c_augmentation.right_answers import paste_with_slices


def undersampled(y, seed):
    rng, smallest = np.random.default_rng(seed), min(np.bincount(y))
    return np.concatenate(
        [rng.choice(np.flatnonzero(y == k), smallest, False) for k in np.unique(y)]
    )


def all_drawn_anew(y, seed):
    rng, largest = np.random.default_rng(seed), max(np.bincount(y))
    return np.concatenate([rng.choice(np.flatnonzero(y == k), largest) for k in np.unique(y)])


def not_drawn(y, seed):
    return np.concatenate(
        [np.resize(np.flatnonzero(y == k), max(np.bincount(y))) for k in np.unique(y)]
    )


def seedless(y, seed):
    rng = np.random.default_rng()
    rows = [np.flatnonzero(y == k) for k in np.unique(y)]
    largest = max(map(len, rows))
    return np.concatenate([np.append(part, rng.choice(part, largest - len(part))) for part in rows])


def doubled(y, seed):
    return np.append(np.arange(len(y)), np.flatnonzero(y == np.argmin(np.bincount(y))))


def labels_themselves(y, seed):
    return y[[0, 1]] + 0.5


def swapped_axes(images, labels, box, partner):
    top, left, height, width = box
    return paste_with_slices(images, labels, (left, top, width, height), partner)


def in_place(images, labels, box, partner):
    top, left, height, width = box
    for i, j in enumerate(partner):
        part = np.s_[top : top + height, left : left + width]
        images[i][part] = images[j][part]
    share = height * width / images[0].size
    return images, (1 - share) * labels + share * labels[partner]


def pasted_on_pasted(images, labels, box, partner):
    return in_place(images.copy(), labels, box, partner)


def cutout(images, labels, box, partner):
    top, left, height, width = box
    mixed = images.copy()
    mixed[:, top : top + height, left : left + width] = 0
    return mixed, labels


def shares_swapped(images, labels, box, partner):
    share = box[2] * box[3] / images[0].size
    mixed = paste_with_slices(images, labels, box, partner)[0]
    return mixed, share * labels + (1 - share) * labels[partner]


def labels_kept(images, labels, box, partner):
    return paste_with_slices(images, labels, box, partner)[0], labels


def half_and_half(images, labels, box, partner):
    mixed = paste_with_slices(images, labels, box, partner)[0]
    return mixed, (labels + labels[partner]) / 2


def one_row_for_all(y, seed):
    rng, largest = np.random.default_rng(seed), max(np.bincount(y))
    rows = [np.flatnonzero(y == k) for k in np.unique(y)]
    extra = [np.full(largest - len(mine), rng.choice(mine)) for mine in rows]
    return np.concatenate([*rows, *extra])


def dealt_in_turn(y, seed):
    rng, largest = np.random.default_rng(seed), max(np.bincount(y))
    rows = [rng.permutation(np.flatnonzero(y == k)) for k in np.unique(y)]
    return np.concatenate([np.resize(mine, largest) for mine in rows])


def pasted_by_mean(images, labels, box, partner):
    mixed, soft = paste_with_slices(images, labels, box, partner)
    return (mixed + images) / 2, soft


WRONG = [
    ("oversample", undersampled, "as few of each class"),
    ("oversample", all_drawn_anew, "keep every row once"),
    ("oversample", not_drawn, "at random"),
    ("oversample", seedless, "default_rng(seed)"),
    ("oversample", doubled, "give each 30"),
    ("oversample", labels_themselves, "row numbers"),
    ("cut_and_paste", swapped_axes, "belong to the rows"),
    ("cut_and_paste", in_place, "changed its input"),
    ("cut_and_paste", pasted_on_pasted, "copy of the images"),
    ("cut_and_paste", cutout, "is black"),
    ("cut_and_paste", shares_swapped, "shares are swapped"),
    ("cut_and_paste", labels_kept, "mix in the partner's"),
    ("cut_and_paste", half_and_half, "let the area decide"),
    ("oversample", one_row_for_all, "draw each extra row anew"),
    ("oversample", dealt_in_turn, "draw each extra row anew"),
    ("cut_and_paste", pasted_by_mean, "only the rectangle may change: at ["),
]
