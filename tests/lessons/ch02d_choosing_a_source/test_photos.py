"""Ants and bees: what is missing is named in one sentence; where all is there, ImageNet must help."""

import os

import numpy as np
import pytest
from PIL import Image

from tlcourse import runtime
from tlcourse.lessons.ch00_first_transfer import features
from tlcourse.lessons.ch02d_choosing_a_source import photos

REAL = bool(os.environ.get("TLCOURSE_DATA")) and features.weights_file().exists()


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """A tiny set in the layout of the real one: two pictures a class and part."""
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    rng = np.random.default_rng(0)
    for part in photos.PARTS:
        for name in photos.CLASSES:
            (tmp_path / "hymenoptera_data" / part / name).mkdir(parents=True)
            for k in range(2):
                pixels = rng.integers(0, 255, size=(40, 60, 3), dtype=np.uint8)
                path = tmp_path / "hymenoptera_data" / part / name / f"{k}.jpg"
                Image.fromarray(pixels).save(path)
    return tmp_path / "hymenoptera_data"


# ── what may be missing ─────────────────────────────────────────────────────────────────────


def test_without_the_folder_the_reader_hears_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="are not here: set FETCH = True"):
        photos.represented()


def test_an_empty_class_a_missing_class_and_another_class(folder):
    assert len(photos.hymenoptera("train")) == 4
    (folder / "train" / "wasps").mkdir()
    Image.new("RGB", (9, 9)).save(folder / "train" / "wasps" / "w.jpg")
    with pytest.raises(ValueError, match="leave only the folders ants and bees"):
        photos.hymenoptera("train")
    for path in (folder / "val" / "bees").iterdir():
        path.unlink()
    with pytest.raises(FileNotFoundError, match="a class of val holds no photograph"):
        photos.hymenoptera("val")
    (folder / "val" / "bees").rmdir()
    with pytest.raises(FileNotFoundError, match="the photographs of ants and bees are not here"):
        photos.hymenoptera("val")


# ── the network and the comparison ──────────────────────────────────────────────────────────


def test_thumbnails_are_small(folder):
    assert photos.thumbnails("val", [0, 3], 32).shape == (2, 32, 32, 3)


def made_up(seed=0):
    """Arrays as `represented` gives them; only the "imagenet" ones know the label."""
    rng, arrays = np.random.default_rng(seed), {}
    for part, n in zip(photos.PARTS, (240, 150), strict=True):
        labels = rng.integers(0, 2, n)
        arrays[f"{part} labels"] = labels
        for view in ("pixels", "imagenet", *(f"random {k}" for k in range(photos.INITS))):
            arrays[f"{part} {view}"] = rng.normal(size=(n, 20)) + 5
        arrays[f"{part} imagenet"][:, 0] += 3 * labels
    return arrays


def test_all_methods_learn_from_the_same_rows_and_the_informed_one_wins():
    arrays = made_up()
    settings = {20: {m: {"scaling": "standard", "C": 1} for m in photos.METHODS}}
    found = photos.compare(arrays, 20, 1, settings)
    hit = {m: (answers == arrays["val labels"]).mean() for m, answers in found.items()}
    assert hit[photos.IMAGENET] > 0.8
    assert max(hit["random weights"], hit[photos.PIXELS]) < 0.65


def test_choosing_never_looks_at_the_test_photographs():
    arrays = {k: v[:100] for k, v in made_up().items() if k.startswith("train")}
    best = photos.choose(arrays, 20, [990])
    for method in photos.METHODS:
        assert best[method] in photos.candidates(method)
        assert len(photos.candidates(method)) == 6
    settings = photos.chosen_settings()
    assert tuple(settings) == photos.BUDGETS
    for chosen in settings.values():
        assert all(chosen[m] in photos.candidates(m) for m in photos.METHODS)


# ── the real thing ──────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not REAL, reason="needs TLCOURSE_DATA and the ImageNet weights in TORCH_HOME")
def test_frozen_imagenet_features_read_88_percent_and_random_weights_do_not():
    """With the weights of our tests: converted from the Caffe release, not torchvision's file."""
    arrays = photos.represented()
    assert arrays["train labels"].shape == (244,) and arrays["val labels"].shape == (153,)
    runs = [photos.compare(arrays, 100, s, photos.chosen_settings()) for s in runtime.seeds(10)]
    hit = {m: [(r[m] == arrays["val labels"]).mean() for r in runs] for m in photos.METHODS}
    assert np.mean(hit[photos.IMAGENET]) >= 0.88
    for other in photos.METHODS[1:]:
        assert np.mean(hit[other]) < 0.75
        assert all(a > b for a, b in zip(hit[photos.IMAGENET], hit[other], strict=True))
