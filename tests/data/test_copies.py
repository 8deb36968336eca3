"""Copies of photographs, and what is tied to each other."""

import io

import numpy as np
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_images

from tlcourse.data import copies as copying


def small(picture):
    return np.asarray(picture.convert("L").convert("F").resize((16, 16), Image.Resampling.BOX))


def test_copies_are_found_and_others_are_not():
    """Forty cuts of two photographs; of some, copies as people make them."""
    rng = np.random.default_rng(0)
    cuts = []
    for k in range(40):
        whole = load_sample_images().images[k % 2]
        side = 160 + k
        top, left = rng.integers(whole.shape[0] - side), rng.integers(whole.shape[1] - side)
        cuts.append(Image.fromarray(whole[top : top + side, left : left + side]))
    file = io.BytesIO()
    cuts[4].save(file, "JPEG", quality=30)
    copies = {
        0: cuts[0].copy(),
        1: cuts[1].resize((80, 80)),
        2: ImageEnhance.Brightness(cuts[2]).enhance(0.8),
        3: cuts[3].convert("L"),
        4: Image.open(file),
    }
    flat = [Image.new("RGB", (50, 50), colour) for colour in ("red", "navy")]
    small_ones = np.stack([small(p) for p in [*cuts, *copies.values(), *flat]])
    found = copying.near_copies(small_ones)
    assert set(zip(copies, range(40, 45), strict=True)) <= set(found)
    assert len(found) <= 8, "at most a cut that lies nearly where another does"


def test_pairs_and_groups_are_joined():
    assert len(set(copying.join(5, []))) == 5
    owner = copying.join(6, [(0, 1), (4, 5)], ["a", "b", "b", "c", "c", "d"])
    assert [len(set(owner[rows])) for rows in ([0, 1, 2], [3, 4, 5], [0, 3])] == [1, 1, 2]
