"""Pictures from anywhere become those of the course: the same numbers whatever they came as."""

import os

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from tlcourse import data, models, runtime
from tlcourse.lessons.ch01_concepts import transfer

DIGITS = load_digits()
X, Y = DIGITS.images[:400] / 16, DIGITS.target[:400]  # bright ink on black, 8 × 8


def large():
    """The same in 28 × 28 pixels, with margins as MNIST's."""
    enlarged = F.interpolate(torch.from_numpy(X)[:, None], size=(20, 20), mode="bilinear")
    return F.pad(enlarged, (4, 4, 4, 4))[:, 0].numpy()


def whole(splits):
    """All pictures of the splits in the order of their groups, which number the rows given."""
    images = torch.cat([part.images for part in splits])
    return images[torch.cat([part.groups for part in splits]).argsort()]


def test_the_same_pictures_come_out_whatever_they_came_as():
    big, bytes_ = large(), np.rint(255 * large()).astype(np.uint8)
    small = {
        "0 … 16": 16 * X,
        "black on white": 1 - X,
        "bytes": np.rint(255 * X).astype(np.uint8),
        "16 bits": np.rint(65535 * X).astype(np.uint16),
        "−1 … 1": 2 * X - 1,
        "a tensor": torch.from_numpy(X).float(),
        "a channel first": X[:, None],
    }
    enlarged = {
        "RGB": np.stack([big] * 3, -1),
        "RGBA bytes, dark ink": np.stack([255 - bytes_] * 3 + [np.full_like(bytes_, 255)], -1),
        "channels first": np.stack([big] * 3, 1),
        "PIL": [Image.fromarray(picture) for picture in bytes_],
        "PIL, palette": [Image.fromarray(picture).convert("P") for picture in bytes_],
        "different sizes": [Image.fromarray(p).resize((28 + 14 * (i % 2),) * 2) for i, p in enumerate(bytes_)],
    }  # fmt: skip
    for forms, first, near in ((small, X, 0.01), (enlarged, big, 0.02)):
        due = whole(data.from_arrays(first, Y))
        assert due.shape == (400, 1, 16, 16) and due.dtype == torch.float32
        for name, images in forms.items():
            found = whole(data.from_arrays(images, Y))
            near_enough = 0.05 if name == "different sizes" else near
            assert (found - due).abs().mean() < near_enough, name
            assert found.min() >= 0 and found.max() <= 1, name


def test_with_or_without_margins_they_are_placed_as_the_digits_of_the_course():
    ours = data.digits(by_writer=True).pool.images[:400]  # the order of the file
    for name, images in {"8 × 8": X, "28 × 28 with margins": large()}.items():
        found = whole(data.from_arrays(images, Y))
        apart = (found - ours).abs().mean((1, 2, 3))
        others = (found - ours.roll(1, 0)).abs().mean((1, 2, 3))
        assert apart.mean() < 0.2 * others.mean(), name


def test_one_sentence_says_what_was_converted(capsys):
    data.from_arrays(255 * (1 - X), Y)
    assert capsys.readouterr().out == (
        "400 pictures of 10 classes: 8 × 8 became 16 × 16, values 0 … 255 became 0 … 1, dark ink on a "
        "bright ground was inverted.\n"
    )
    as_given = whole(data.from_arrays(1 - X, Y, invert=False))
    assert "bright ink stays as it is" in capsys.readouterr().out
    assert as_given.mean() > 0.5, "the reader's word goes before the border's"


def test_a_wild_pixel_a_narrow_range_and_clear_paper_change_no_picture(capsys):
    due = whole(data.from_arrays(X, Y))
    wild, clear = (1 - X).copy(), np.stack([255 * X] * 3 + [255 * X], -1)
    wild[7, 2, 2] = 50
    dark = np.stack([0 * X] * 3 + [255 * X], -1)  # ink is where it is not transparent
    capsys.readouterr()
    for images in (wild, 87 + X, 0.4 + 0.1 * (1 - X), dark):
        assert (whole(data.from_arrays(images, Y)) - due).abs().mean() < 0.01
    said = capsys.readouterr().out.splitlines()
    assert "values 0 … 1 (a few outside were cut) became 0 … 1, dark ink" in said[0]
    assert "values 87 … 88 became 0 … 1, bright ink stays" in said[1]
    assert not any("the other way round" in line for line in said)
    with pytest.raises(ValueError, match="every pixel is 255"):
        data.from_arrays(np.stack([255 + 0 * X] * 3 + [255 * X], -1), Y)
    assert whole(data.from_arrays(clear, Y)).shape == due.shape


def test_pictures_that_disagree_about_their_ink_are_counted(capsys):
    mixed = X.copy()
    mixed[:100] = 1 - mixed[:100]
    data.from_arrays(mixed, Y)
    (said,) = capsys.readouterr().out.splitlines()
    assert said.endswith(
        "But 100 look the other way round: look at them, or say invert=True or False."
    )
    data.from_arrays(mixed, Y, invert=False)
    assert "other way" not in capsys.readouterr().out


def test_parts_share_no_picture_and_keep_the_shares_of_the_classes():
    splits = data.from_arrays(X, Y)
    rows = [part.groups.tolist() for part in splits]
    assert sorted(row for side in rows for row in side) == list(range(400))
    assert [round(len(part) / 400, 1) for part in splits] == [0.4, 0.2, 0.4]
    for part in splits:
        assert np.abs(np.bincount(part.labels) / len(part) - 0.1).max() < 0.03
    assert torch.equal(whole(splits), whole(data.from_arrays(X, Y))), "the division never moves"


def test_groups_stay_on_one_side_and_classes_get_their_names(capsys):
    writers = np.arange(400) // 8
    words = np.array(["ant", "bee"])[Y % 2]
    splits = data.from_arrays(X, words, groups=[f"writer {w}" for w in writers])
    sides = [set(part.groups.tolist()) for part in splits]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert splits.pool.names == ["ant", "bee"]
    assert "tested on new groups, a logistic regression has" in capsys.readouterr().out
    assert data.from_arrays(X, words, names=["Ameise", "Biene"]).test.names == ["Ameise", "Biene"]


def test_what_cannot_be_used_is_said_in_a_sentence():
    hole = X.copy()
    hole[3, 0, 0] = np.nan
    for images, labels, more, words in [
        (X, Y[:-1], {}, "400 pictures, 399 labels, 399 groups: give each picture one of each"),
        (X, Y, {"groups": [1]}, "400 pictures, 400 labels, 1 groups"),
        (X, Y, {"names": ["a"]}, "1 names for 10 classes"),
        (X[:0], Y[:0], {}, "0 pictures"),
        (hole, Y, {}, "picture 3 holds NaN"),
        (np.zeros((400, 8, 8)), Y, {}, "every pixel is 0"),
        (X.reshape(400, 64), Y, {}, "picture 0 has shape .64,."),
        (np.zeros((400, 8, 8, 5)), Y, {}, "picture 0 has shape"),
        (["a.png"] * 400, Y, {}, "picture 0 is no array of numbers but str: .* Image.open"),
        (X[:12], Y[:12], {}, "class '0' has 2 pictures: it needs 5 or more"),
        (X, Y, {"groups": Y % 3}, "class '0' has 1 groups"),
    ]:
        with pytest.raises(ValueError, match=words):
            data.from_arrays(images, labels, **more)


def test_any_target_and_budget_goes_through_the_methods_of_lesson_01():
    chosen = transfer.chosen_settings([3, 7, 400])
    stored = transfer.chosen_settings()
    for method, rows in chosen.items():
        assert list(rows.values()) == [stored[method][k] for k in (5, 5, 50)], method
    mine, methods = data.from_arrays(X, Y), list(transfer.METHODS)[::4]
    found = transfer.label_efficiency(mine, [1, 3], runtime.seeds(2), methods)
    assert list(found) == methods and all(a.shape == (2, 2) for a in found.values())
    assert found["frozen features + logistic regression"][:, 1].mean() > 0.8


def given(name):
    """Some digits of SEMEION or USPS, as bytes, and their labels."""
    splits = {"SEMEION": data.semeion_splits, "USPS": data.usps_splits}[name]()
    images, labels = (
        torch.cat([getattr(part, what) for part in splits])[:2000] for what in ("images", "labels")
    )
    return np.rint(255 * images[:, 0].numpy()).astype(np.uint8), labels.numpy()


def as_mnist(images):
    """The same in 28 × 28 pixels: enlarged to 20, with margins of 4."""
    large = [
        np.asarray(Image.fromarray(p).resize((20, 20), Image.Resampling.BILINEAR)) for p in images
    ]
    return np.pad(np.stack(large), ((0, 0), (4, 4), (4, 4)))


@pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs TLCOURSE_DATA with digits/")
def test_real_digits_are_read_as_well_whatever_they_came_as(capsys):
    """A linear probe on 5 labels a class, eight draws of labels: the same within a point."""
    backbone = models.load_backbone("letters")

    def accuracy(images, labels, **how):
        mine = data.from_arrays(images, labels, **how)
        X, test = (models.features(backbone, part.images) for part in (mine.pool, mine.test))
        y, right = mine.pool.labels.numpy(), []
        for seed in range(8):
            rows = data.draw_rows(y, 5, seed)
            probe = LogisticRegression(C=10, max_iter=1000).fit(X[rows], y[rows])
            right.append(probe.score(test, mine.test.labels))
        return np.mean(right)

    for name in ("SEMEION", "USPS"):
        images, labels = given(name)
        forms = {
            "float64": images / 255,
            "inverted": 255 - images,
            "28 × 28": np.pad(images, ((0, 0), (6, 6), (6, 6))),
            "28 × 28, enlarged": as_mnist(images),
            "RGB": np.stack([images] * 3, -1),
            "28 × 28, RGB, inverted, float64": 1 - np.stack([as_mnist(images)] * 3, -1) / 255,
        }
        due = accuracy(images, labels)
        assert due > 0.85, name
        capsys.readouterr()
        for form, given_as in forms.items():
            assert abs(accuracy(given_as, labels) - due) < 0.01, (name, form)
            said, dark = capsys.readouterr().out, "inverted" in form
            assert ("dark ink on a bright ground was inverted" in said) == dark, (name, form)
        assert accuracy(255 - images, labels, invert=False) < due - 0.05, "polarity does matter"
