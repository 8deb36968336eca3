"""scikit-learn's digits, and Omniglot."""

import os
from itertools import combinations

import numpy as np
import pytest
import torch
from data.sameness import same_set
from PIL import Image
from sklearn.datasets import load_digits

from tlcourse import data

# ── digits ───────── ─────────────────────────────────────────────────────────────────────────


def test_digits_are_split_once_and_for_all_by_writer_or_not(monkeypatch):
    before = data.digits(), data.digits(by_writer=True)
    monkeypatch.setenv("TLCOURSE_SEED", "7")
    torch.manual_seed(1)
    for splits, again in zip(before, (data.digits(), data.digits(by_writer=True)), strict=True):
        assert [len(part) for part in splits] == [800, 0, 997]
        for part in (splits.pool, splits.test):
            assert part.names == list("0123456789")
            assert torch.bincount(part.labels).min() >= 20, "every class in every split"
        assert all(map(same_set, splits, again))
    three = data.digits(validation=True)
    assert [len(part) for part in three] == [800, 397, 600]
    assert torch.equal(torch.cat([p.labels for p in three[1:]]), data.digits().test.labels)
    blocks = [set(part.groups.tolist()) for part in three]
    assert blocks == [set(range(data.handwritten.WRITERS))] * 3, (
        "pictures from every part of the file"
    )
    by_writer = data.digits(by_writer=True, validation=True)
    blocks = [set(part.groups.tolist()) for part in by_writer]
    assert all(len(one & other) <= 1 for one, other in combinations(blocks, 2))


def test_digits_are_disjoint_and_those_of_scikit_learn():
    bunch = load_digits()
    splits = data.digits(by_writer=True)
    images = torch.cat([part.images for part in splits])
    assert torch.cat([part.labels for part in splits]).tolist() == bunch.target.tolist()
    assert images[:, :, 0].max() == images[:, :, -1].max() == images[..., 0].max() == 0, "a margin"
    ink = torch.from_numpy(bunch.images).sum((1, 2)) / 16 * (14 / 8) ** 2
    assert torch.allclose(images.sum((1, 2, 3)).double(), ink, rtol=0.1), "enlarged, not changed"
    every = images.flatten(1).unique(dim=0)
    shuffled = data.digits()
    assert len(every) == 1797, "no picture twice"
    assert torch.cat([part.images for part in shuffled]).flatten(1).unique(dim=0).equal(every)
    rows = {row.numpy().tobytes(): label for row, label in zip(images, bunch.target, strict=True)}
    for part in shuffled:
        found = [rows[row.numpy().tobytes()] for row in part.images]
        assert found == part.labels.tolist(), "each picture keeps its label"


# ── Omniglot ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def alphabets(monkeypatch, tmp_path):
    """Two alphabets of two characters, three drawings each: one black square on white."""
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "cache"))
    for part, alphabet in (("small1", "Latin"), ("small2", "Tagalog")):
        for c, d in np.ndindex(2, 3):
            drawings = tmp_path / "omniglot" / f"images_background_{part}"
            folder = drawings / alphabet / f"character0{c}"
            folder.mkdir(parents=True, exist_ok=True)
            pixels = np.full((105, 105), 255, dtype=np.uint8)
            pixels[20 * d + 5 : 20 * d + 25, 40 * c + 5 : 40 * c + 25] = 0
            Image.fromarray(pixels).save(folder / f"000{c}_0{d + 1}.png")
    return tmp_path / "omniglot"


def test_omniglot_is_white_on_black_and_the_learned_alphabets_are_left_out(alphabets):
    drawn = data.omniglot()
    assert drawn.names == ["Tagalog/character00", "Tagalog/character01"]
    assert drawn.labels.tolist() == [0, 0, 0, 1, 1, 1] and drawn.groups.tolist() == [1, 2, 3] * 2
    assert drawn.images.shape == (6, 1, 16, 16) and drawn.images[0, 0, 2, 2] > 0.9
    assert drawn.images[0, 0, 12, 12] == 0 and drawn.images.amax(dim=(1, 2, 3)).eq(1).all()
    assert len(data.omniglot(skip=())) == 12


def test_what_is_wrong_with_omniglot_is_one_sentence(alphabets, monkeypatch, tmp_path):
    next(alphabets.glob("*/*/*/*.png")).write_bytes(b"no drawing")
    with pytest.raises(ValueError, match="the drawing .*png is damaged: delete it"):
        data.omniglot()
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match="Omniglot is not here: download"):
        data.omniglot()


@pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs TLCOURSE_DATA")
def test_real_omniglot_has_twenty_drawings_of_each_character():
    drawn = data.omniglot()
    assert torch.bincount(drawn.labels).unique().tolist() == [20]
    assert {name.split("/")[0] for name in drawn.names} >= {"Korean", "Sanskrit", "Tagalog"}
