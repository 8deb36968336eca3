"""What belongs together stays together, and it is said what a random division would have promised."""

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from sklearn.datasets import load_sample_images

from tlcourse.data import groups


def test_no_group_is_on_two_sides_and_every_class_on_each():
    rng = np.random.default_rng(0)
    for parts in ((1, 1), (2, 1, 2)):
        owners = rng.integers(0, 40, size=400)
        labels = (owners + rng.integers(0, 2, size=400)) % 3
        sides = groups.split_groups(labels, owners, parts)
        assert sorted(np.concatenate(sides).tolist()) == list(range(400))
        for k, side in enumerate(sides):
            others = np.concatenate([other for j, other in enumerate(sides) if j != k])
            assert not set(owners[side]) & set(owners[others])
            assert set(labels[side]) == {0, 1, 2}
            assert abs(len(side) / 400 - parts[k] / sum(parts)) < 0.1
    with pytest.raises(ValueError, match="class 'ill' has 1 patients: it needs 2 or more"):
        groups.split_groups([0, 0, 1, 1], [1, 2, 3, 3], names=["well", "ill"], what="patients")


def test_a_random_division_promises_too_much_where_groups_differ():
    """Forty people, each with a look of their own; half of them ill, which cannot be seen."""
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 10)
    X = 3 * rng.normal(size=(40, 60))[people] + rng.normal(size=(400, 60))
    found = groups.promise(X, people % 2, people, "people")
    assert found.by_groups < 0.65 and found.at_random > 0.85
    points = round(100 * found.at_random) - round(100 * found.by_groups)
    assert str(found).startswith("tested on new people, a logistic regression has")
    assert str(found).endswith(f"{points} points too much.")
    seen = np.c_[X, people % 2]  # now it can be seen: nothing to promise too much
    assert str(groups.promise(50 * seen[:, -1:], people % 2, people)).endswith("here, no more.")
    with pytest.raises(ValueError, match="one group only"):
        groups.promise(X, people == 0, people)


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
    found = groups.near_copies(small_ones)
    assert set(zip(copies, range(40, 45), strict=True)) <= set(found)
    assert len(found) <= 8, "at most a cut that lies nearly where another does"


def test_pairs_and_groups_are_joined():
    assert len(set(groups.join(5, []))) == 5
    owner = groups.join(6, [(0, 1), (4, 5)], ["a", "b", "b", "c", "c", "d"])
    assert [len(set(owner[rows])) for rows in ([0, 1, 2], [3, 4, 5], [0, 3])] == [1, 1, 2]
