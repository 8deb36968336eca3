"""scikit-learn's digits; MNIST through torchvision; Omniglot."""

import gzip
import hashlib
import http.server
import os
import threading
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from data.sameness import same_set
from PIL import Image
from sklearn.datasets import load_digits
from torchvision.datasets import MNIST

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
    assert blocks == [set(range(18))] * 3, "pictures from every part of the file"
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


# ── MNIST ───────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """An empty cache and an empty data folder."""
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"TLCOURSE_{name}", str(tmp_path / name))
    return tmp_path / "DATA" / "MNIST" / "raw", tmp_path / "CACHE"


@pytest.fixture
def miniature(monkeypatch, folders):
    """MNIST with a few pictures: torchvision's own code reads it, told only its check sums."""
    raw, _ = folders
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    archives = {}
    for part, n in {"train": 12, "t10k": 5}.items():
        pixels = random.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = (np.arange(n) % 10).astype(np.uint8)
        for kind, header, content in (
            ("images-idx3", [0x803, n, 28, 28], pixels),
            ("labels-idx1", [0x801, n], labels),
        ):
            whole = np.array(header, dtype=">i4").tobytes() + content.tobytes()
            archives[f"{part}-{kind}-ubyte.gz"] = gzip.compress(whole)
    for name, content in archives.items():
        (raw / name).write_bytes(content)
    sums = [(name, hashlib.md5(content).hexdigest()) for name, content in archives.items()]
    monkeypatch.setattr(MNIST, "resources", sums)
    return raw


@pytest.fixture
def requests(monkeypatch):
    """The requests that reach the network: a proxy that refuses, and remembers, every one."""
    found = []

    class Refuse(http.server.BaseHTTPRequestHandler):
        def refuse(self):
            found.append(self.path)
            self.send_error(403)

        do_GET = do_HEAD = do_CONNECT = refuse

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield found
    server.shutdown()
    server.server_close()


def test_mnist_is_read_by_torchvision_once_and_then_from_the_cache(miniature, folders, requests):
    train, test = data.mnist(), data.mnist(train=False)
    assert (len(train), len(test)) == (12, 5)
    assert train.labels.tolist() == [*range(10), 0, 1] and train.names == list("0123456789")
    assert train.images.shape == (12, 1, 16, 16) and train.images.dtype == torch.float32
    raw = gzip.decompress((miniature / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    whole = np.frombuffer(raw, np.uint8).reshape(-1, 28, 28)
    for image, pixels in zip(train.images, whole, strict=True):
        small = Image.fromarray(pixels[3:-3, 3:-3]).resize((16, 16), Image.Resampling.BILINEAR)
        assert np.allclose(image[0], np.asarray(small) / 255, atol=0.006), "as Pillow reduces it"
    for archive in miniature.iterdir():
        archive.unlink()
    assert same_set(train, data.mnist()) and same_set(test, data.mnist(train=False))
    assert [p.name for p in folders[1].iterdir()] == ["mnist.npz"]
    assert requests == []


def test_mnist_without_its_files_says_what_to_do_and_fetches_nothing_unasked(folders, requests):
    with pytest.raises(FileNotFoundError, match=r"call data.mnist\(download=True\) once .* or set"):
        data.mnist()
    assert requests == []
    with pytest.raises(FileNotFoundError, match="MNIST is not here: .* TLCOURSE_DATA") as error:
        data.mnist(download=True)  # which the proxy refuses
    assert requests and isinstance(error.value.__cause__, RuntimeError | OSError)
    assert not list(folders[1].glob("**/*"))


def test_a_missing_archive_is_not_fetched_unasked_and_a_damaged_one_is_named(
    miniature, folders, requests
):
    path = miniature / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-3])
    for download in (False, True):
        with pytest.raises(ValueError, match=f"{path.name} is damaged or incomplete: delete it"):
            data.mnist(download=download)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="MNIST is not here"):
        data.mnist()
    assert requests == [] and not list(folders[1].glob("**/*"))


REAL = Path(os.environ.get("TLCOURSE_DATA", "datasets"), "MNIST", "raw")


@pytest.mark.skipif(not REAL.exists(), reason="needs TLCOURSE_DATA with the real MNIST/raw")
def test_the_real_mnist_has_60000_and_10000_digits_and_its_splits_keep_them_apart(
    monkeypatch, tmp_path
):
    monkeypatch.setenv("TLCOURSE_DATA", str(REAL.parents[1]))
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    whole, test = data.mnist(), data.mnist(train=False)
    for part, n, fives in ((whole, 60_000, 5421), (test, 10_000, 892)):
        assert len(part) == n and (part.labels == 5).sum() == fives
        assert part.images.shape == (n, 1, 16, 16)
        assert part.images.min() >= 0 and part.images.max() <= 1 + 1e-6
        assert part.images.amax((1, 2, 3)).min() > 0.3, "no digit is lost with the margin"
    splits = data.mnist_splits()
    assert [len(part) for part in splits] == [5000, 5000, 10_000]
    assert torch.equal(splits.pool.images, whole.images[::12])
    assert torch.equal(splits.validation.images, whole.images[6::12])
    assert torch.equal(splits.test.images, test.images)


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
