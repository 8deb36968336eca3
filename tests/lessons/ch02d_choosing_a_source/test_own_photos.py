"""A learner's own photographs: what is wrong with a folder is one sentence, the rest is measured."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

from tlcourse import data
from tlcourse.__main__ import main
from tlcourse.lessons.ch00_first_transfer import features
from tlcourse.lessons.ch02d_choosing_a_source import own_photos, photos

REAL = bool(os.environ.get("TLCOURSE_DATA")) and features.weights_file().exists()


@pytest.fixture
def folder(tmp_path):
    """Twelve red and nine blue pictures with noise, and a folder that Jupyter leaves behind."""
    rng, root = np.random.default_rng(0), tmp_path / "colours"
    (root / ".ipynb_checkpoints").mkdir(parents=True)
    for name, channel, count in [("blue", 2, 9), ("red", 0, 12)]:
        (root / name).mkdir()
        for k in range(count):
            pixels = rng.integers(0, 90, size=(40, 60, 3), dtype=np.uint8)
            pixels[..., channel] += 120
            Image.fromarray(pixels).save(root / name / f"{k}.png")
    return root


def test_a_folder_of_class_folders_is_read_or_gets_one_sentence(folder, tmp_path):
    photographs = data.load_folder(folder)
    assert photographs.classes == ["blue", "red"], "hidden folders are passed over"
    assert np.bincount(photographs.targets).tolist() == [9, 12]
    with pytest.raises(FileNotFoundError, match="there is no folder 'absent'"):
        data.load_folder(tmp_path / "absent")
    with pytest.raises(ValueError, match="holds 0 class folders: put the photographs"):
        data.load_folder(folder / "red")
    (folder / "green").mkdir()
    with pytest.raises(FileNotFoundError, match="a class in 'colours' holds no photograph"):
        data.load_folder(folder)


def test_half_of_each_class_is_held_out_and_never_learned_from():
    labels = np.repeat([0, 1, 2], [9, 4, 30])
    pool, test = own_photos.hold_out(labels, seed=3)
    assert not set(pool) & set(test) and len(pool) + len(test) == len(labels)
    assert np.abs(2 * np.bincount(labels[test]) - [9, 4, 30]).max() <= 1
    assert not np.array_equal(pool, own_photos.hold_out(labels, seed=4)[0])
    with pytest.raises(ValueError, match="a class has 3 photographs: half are for testing"):
        own_photos.hold_out(np.repeat([0, 1], [3, 9]), seed=0)


def test_the_method_that_sees_the_class_wins():
    rng, labels = np.random.default_rng(0), np.repeat([0, 1, 2], 40)
    views = ("pixels", "imagenet", *(f"random {k}" for k in range(photos.INITS)))
    arrays = {view: rng.normal(size=(120, 20)) + 5 for view in views} | {"labels": labels}
    arrays["imagenet"][:, :3] += 6 * np.eye(3)[labels]
    said, truth = own_photos.learn(arrays, 1, (5, 20))
    hit = {method: (found == truth).mean(axis=1) for method, found in said.items()}
    assert hit[photos.IMAGENET].min() > 0.8
    assert max(hit["random weights"].max(), hit[photos.PIXELS].max()) < 0.6


def test_the_confusion_matrix_shows_every_class():
    results = own_photos.Results(
        ["ant", "bee", "wasp"],
        (1, 5),
        {m: np.random.default_rng(0).random((4, 2)) for m in photos.METHODS},
        np.array([[9, 1, 0], [2, 8, 0], [0, 0, 0]]),
    )
    confusion = results.figures()[1]
    ax = confusion.axes[0]
    assert [t.get_text() for t in ax.get_xticklabels()] == results.names
    assert [t.get_text() for t in ax.texts][:3] == ["90", "10", "0"]
    assert len(results.claims()) == 4


@pytest.fixture
def command(monkeypatch, capsys):
    """``python -m tlcourse photos FOLDER``, in this process; returns what it prints."""

    def run(folder):
        monkeypatch.setattr(sys, "argv", sys.argv)
        assert main(["photos", str(folder)]) == 0
        return capsys.readouterr().out

    return run


@pytest.mark.skipif(not REAL, reason="needs the ImageNet weights in TORCH_HOME")
def test_the_command_compares_and_saves_its_figures(folder, command):
    assert "1 labels a class: ImageNet features beat random weights: " in command(folder)
    names = {path.name for path in folder.parent.glob("*.png")}
    assert names == {"colours-label-efficiency.png", "colours-confusion.png"}


def test_the_command_says_what_is_wrong(tmp_path, command, capsys):
    with pytest.raises(SystemExit) as stop:
        command(tmp_path)
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path.name!r} holds 0 class")
