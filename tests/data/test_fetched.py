"""MNIST, USPS and SEMEION, through torchvision or as they are given."""

import bz2
import gzip
import hashlib
import http.server
import os
import threading
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from data.sameness import same_set
from PIL import Image
from torchvision.datasets import MNIST, SEMEION, USPS

from tlcourse import data

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
    monkeypatch.setattr(urllib.request, "_opener", None)  # it would remember another test's proxy
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


# ── USPS and SEMEION ────────────────────────────────────────────────────────────────────────

SPLITS = {"usps": data.usps_splits, "semeion": data.semeion_splits}


def few_digits(n, levels):
    """Pictures of 16 × 16 bytes of which torchvision's files lose nothing, and labels."""
    random = np.random.default_rng(n)
    return random.choice(levels, (n, 16, 16)).astype(np.uint8), np.arange(n) % 10


def as_bz2(images, labels):
    """Pictures as a file of USPS: the label from 1, then place:value from -1 to 1."""
    lines = []
    for picture, label in zip(images.reshape(-1, 256), labels, strict=True):
        values = " ".join(f"{i}:{v / 127.5 - 1:.6f}" for i, v in enumerate(picture, 1))
        lines.append(f"{label + 1} {values}\n")
    return bz2.compress("".join(lines).encode())


@pytest.fixture
def given(monkeypatch, folders):
    """Small sets in torchvision's own files; what they hold, by name."""
    place = folders[0].parents[1] / "digits"
    place.mkdir(parents=True)
    train, test = few_digits(30, [0, 255]), few_digits(20, [0, 255])
    urls = {}
    for part, name, arrays in (("train", "usps.bz2", train), ("test", "usps.t.bz2", test)):
        (place / name).write_bytes(as_bz2(*arrays))
        urls[part] = ["http://nowhere.invalid", name, md5(place / name)]
    monkeypatch.setattr(USPS, "split_list", urls)
    whole = few_digits(1593, [0, 255])
    one_hot = np.eye(10, dtype=int)[whole[1]]
    rows = np.hstack([whole[0].reshape(-1, 256) // 255, one_hot])
    np.savetxt(place / "semeion.data", rows, fmt="%d")
    monkeypatch.setattr(SEMEION, "md5_checksum", md5(place / "semeion.data"))
    usps = {"train_images": train[0], "train_labels": train[1]}
    usps |= {"test_images": test[0], "test_labels": test[1]}
    return place, {"usps": usps, "semeion": {"images": whole[0], "labels": whole[1]}}


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_usps_and_semeion_are_the_same_through_torchvision_and_as_arrays(given, folders, requests):
    place, arrays = given
    for name, splits in SPLITS.items():
        found = splits()
        sizes = {"usps": [30, 0, 20], "semeion": [693, 0, 900]}[name]
        assert [len(part) for part in found] == sizes
        first = {"usps": "test_images", "semeion": "images"}[name]
        pixels = (
            torch.cat([part.images for part in found]) if name == "semeion" else found.test.images
        )
        due = torch.from_numpy(arrays[name][first] / 255).float()
        assert torch.equal(pixels.sum((0, 1)), due.sum(0)), (
            "bright ink stays bright, no picture lost"
        )
        for file in [*place.iterdir(), *folders[1].iterdir()]:
            if name in file.name:
                file.unlink()
        np.savez(place / f"{name}.npz", **arrays[name])
        assert all(map(same_set, found, splits())), "the arrays are the same digits"
    assert requests == []


def test_what_is_missing_or_damaged_is_a_sentence_and_nothing_is_fetched_unasked(given, requests):
    place, _ = given
    for name, splits in SPLITS.items():
        archive = max(file for file in place.iterdir() if name in file.name)
        archive.write_bytes(archive.read_bytes()[:-5])
        for download in (False, True):
            with pytest.raises(ValueError, match=f"{archive.name} is damaged or incomplete"):
                splits(download=download)
        archive.unlink()
        words = rf"{name.upper()} is not here: call data.{name}_splits\(download=True\) once"
        with pytest.raises(FileNotFoundError, match=f"{words}.*digits/{archive.name}"):
            splits()
        assert requests == []
        (place / f"{name}.npz").write_bytes(b"no archive")
        with pytest.raises(ValueError, match=f"{name}.npz is damaged or incomplete: delete it"):
            splits()
        (place / f"{name}.npz").unlink()
        with pytest.raises(FileNotFoundError, match=f"{name.upper()} is not here"):
            splits(download=True)  # which the proxy refuses
        assert requests
        requests.clear()


@pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs TLCOURSE_DATA with digits/")
def test_the_real_sets_are_divided_once_and_white_on_black(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    for splits, sizes in ((SPLITS["usps"], [7291, 0, 2007]), (SPLITS["semeion"], [693, 0, 900])):
        found = splits()
        assert [len(part) for part in found] == sizes
        assert found.pool.labels.bincount().min() >= 50 and found.pool.names == list("0123456789")
        for part in (found.pool, found.test):
            assert part.images.shape[1:] == (1, 16, 16) and part.labels.bincount().min() >= 80 / 2
            assert part.images.min() == 0 and part.images.max() == 1 and part.images.mean() < 0.5
        ring = found.pool.images.clone()
        ring[..., 1:-1, 1:-1] = 0
        assert ring.amax((1, 2, 3)).gt(0.5).float().mean() > 0.9, "they fill their pictures"
        with monkeypatch.context() as patch:
            patch.setenv("TLCOURSE_SEED", "7")
            torch.manual_seed(1)
            assert all(map(same_set, found, splits()))
