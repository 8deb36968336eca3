"""A network from torchvision on photographs: prepared as it was trained, fetched only when asked."""

import urllib.error

import numpy as np
import pytest
import torch
from PIL import Image

from tlcourse import data
from tlcourse.lessons.ch00_first_transfer import features


@pytest.fixture
def folder(tmp_path):
    """Four pictures of noise in two classes."""
    rng = np.random.default_rng(0)
    for name in ("ants", "bees"):
        (tmp_path / name).mkdir()
        for k in range(2):
            pixels = rng.integers(0, 255, size=(40, 60, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{k}.jpg")
    return tmp_path


@pytest.fixture
def hub(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "hub"))
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    return tmp_path / "hub" / "checkpoints"


def test_missing_or_damaged_weights_are_named_and_not_fetched_unless_asked_for(hub, monkeypatch):
    def no_network(*inputs, **settings):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr("torch.hub.download_url_to_file", lambda *i, **k: pytest.fail("fetched"))
    words = "the ImageNet weights squeezenet1_1-.*pth are not here: set FETCH = True"
    with pytest.raises(FileNotFoundError, match=words):
        features.squeezenet()
    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    with pytest.raises(FileNotFoundError, match=words):
        features.squeezenet(download=True)
    features.weights_file().write_bytes(b"no weights")
    with pytest.raises(ValueError, match="squeezenet1_1-.* is damaged: delete it and get it again"):
        features.squeezenet()


def test_random_weights_give_512_features_that_move_with_the_seed(folder):
    (batch,) = features.batches(data.load_folder(folder))
    assert batch.shape == (4, 3, 224, 224)
    with torch.no_grad():
        one, same, other = (features.squeezenet(False, seed)(batch) for seed in (0, 0, 1))
    assert one.shape == (4, 512) and torch.equal(one, same) and not torch.allclose(one, other)


def test_a_damaged_photograph_is_named(folder, capsys):
    path = folder / "bees" / "1.jpg"
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(
        ValueError, match="the photograph 1.jpg cannot be used .damaged: delete it or"
    ):
        list(features.batches(data.load_folder(folder)))
    for content in (b"", b"no picture"):
        path.write_bytes(content)
        assert str(path) not in dict(data.load_folder(folder).samples)
        assert "left out 1: damaged: delete it or copy it again (1.jpg)." in capsys.readouterr().out


def test_colours_are_counted_whatever_the_place(tmp_path):
    halves = np.zeros((2, 256, 256, 3), dtype=np.uint8)
    halves[0, :, :128], halves[1, :, 128:] = (255, 0, 0), (255, 0, 0)  # red left, red right
    for k, pixels in enumerate(halves):
        (tmp_path / str(k)).mkdir()
        Image.fromarray(pixels).save(tmp_path / str(k) / "half.png")
    (batch,) = features.batches(data.load_folder(tmp_path))
    left, right = features.colours(batch).square()
    assert torch.allclose(left, right, atol=0.01) and left.sum() == pytest.approx(1)
    assert left[0] == pytest.approx(0.5, abs=0.01), "black"
    assert left[(features.SHADES - 1) * features.SHADES**2] == pytest.approx(0.5, abs=0.01), "red"
