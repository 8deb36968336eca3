"""Data sets: their form, their splits, few-label draws, and MNIST through torchvision."""

import gzip
import hashlib
import http.server
import os
import threading
from dataclasses import FrozenInstanceError
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tlcourse import data, runtime
from tlcourse.data import ImageSet


def image_set(counts, shuffle=0):
    """A set with ``counts[k]`` pictures of class k, each picture different, in a random order."""
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(shuffle))]
    n = len(labels)
    images = torch.linspace(0, 1, n)[:, None, None, None].expand(n, 1, 4, 4)
    return ImageSet(images, labels, [f"class {k}" for k in range(len(counts))], torch.arange(n))


def same(one, other):
    """Whether two sets hold the same pictures, labels, names and groups."""
    tensors = ("images", "labels", "groups")
    return one.names == other.names and all(
        torch.equal(getattr(one, t), getattr(other, t)) for t in tensors
    )


# ── the form of every set ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("load", [data.glyphs, data.digits, data.georgian])
def test_every_set_is_white_ink_on_black_with_values_from_0_to_1(load):
    found = load()
    for part in [found] if isinstance(found, ImageSet) else found:
        side = 32 if load is data.glyphs else 16
        assert part.images.shape == (len(part), 1, side, side)
        assert part.images.dtype == torch.float32 and part.labels.dtype == torch.int64
        assert part.images.min() >= 0 and part.images.max() <= 1
        assert part.images.mean() < 0.5, "little ink, much black"
        assert part.images.amax((1, 2, 3)).min() > 0.2, "no picture is empty"
        border = torch.cat([part.images[..., [0, -1], :].flatten(1)], 1)
        assert border.mean() < part.images.mean(), "ink lies in the middle"


def test_subset_takes_positions_or_a_mask_and_keeps_the_names():
    whole = image_set([3, 2, 4])
    some = whole.subset(torch.tensor([7, 0, 0]))
    assert len(some) == 3 and some.names == whole.names
    assert some.groups.tolist() == [7, 0, 0]
    assert torch.equal(some.images, whole.images[[7, 0, 0]])
    assert same(whole.subset(whole.labels == 1), whole.subset(np.flatnonzero(whole.labels == 1)))
    assert len(whole.subset(whole.labels == 9)) == 0
    with pytest.raises(FrozenInstanceError):
        whole.labels = whole.labels.flip(0)


def test_a_set_and_its_splits_move_to_a_device():
    device = runtime.device("auto")
    whole = image_set([2, 2])
    splits = data.Splits(whole, whole.subset([0, 1]), whole.subset([2])).to(device)
    assert isinstance(splits, data.Splits) and [len(part) for part in splits] == [4, 2, 1]
    moved = splits.pool
    assert {t.device.type for t in (moved.images, moved.labels, moved.groups)} == {device.type}
    assert same(moved.to("cpu"), whole)
    drawn = data.few_labels(moved, 1, seed=0)
    assert drawn.images.device.type == device.type and len(drawn) == 2


GOOD = {
    "images": torch.rand(4, 1, 8, 8),
    "labels": torch.tensor([0, 1, 1, 0]),
    "names": ["a", "b"],
    "groups": torch.zeros(4).long(),
}


def with_value(value):
    images = GOOD["images"].clone()
    images[2, 0, 3, 3] = value
    return images


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"images": torch.rand(4, 8, 8)}, r"shape \(4, 8, 8\), but .*images\[:, None\]"),
        ({"images": torch.rand(4, 3, 8, 8)}, r"shape \(4, 3, 8, 8\), but .* make them grey"),
        ({"images": torch.rand(4, 1, 8, 9)}, r"shape \(4, 1, 8, 9\), but .* grey and square"),
        ({"images": torch.zeros(4, 1, 8, 8).byte()}, "images are torch.uint8: convert them"),
        ({"images": with_value(torch.nan)}, "image 2 holds NaN or infinity: repair or drop it"),
        ({"images": with_value(torch.inf)}, "image 2 holds NaN or infinity: repair or drop it"),
        ({"images": with_value(-torch.inf)}, "image 2 holds NaN or infinity"),
        ({"labels": torch.tensor([0, 1, 2, 0])}, "run from 0 to 2, but with 2 classes .* 0 … 1"),
        ({"labels": torch.tensor([0, 1, -1, 0])}, "run from -1 to 1.*number the classes from 0"),
        ({"labels": torch.tensor([0, 1, 1])}, r"shape \(3,\), but there are 4 images: give one"),
        ({"labels": torch.zeros(4, 1).long()}, r"labels have shape \(4, 1\)"),
        ({"labels": torch.zeros(4)}, r"labels are torch.float32: convert them with labels.long"),
        ({"names": []}, "with 0 classes"),
        ({"groups": torch.zeros(3).long()}, "3 groups for 4 images: give one group an image"),
    ],
)
def test_what_is_wrong_with_a_set_is_said(changed, words):
    ImageSet(**GOOD)
    with pytest.raises(ValueError, match=words):
        ImageSet(**GOOD | changed)


@settings(deadline=None)
@given(st.integers(1, 5), st.lists(st.integers(-2, 6), max_size=6))
def test_labels_are_accepted_exactly_when_all_are_classes(n_classes, labels):
    good = all(0 <= label < n_classes for label in labels)
    try:
        data.check_labels(torch.tensor(labels, dtype=torch.int64), len(labels), n_classes)
    except ValueError:
        assert not good
    else:
        assert good


# ── few labels ──────────────────────────────────────────────────────────────────────────────

counts = st.lists(st.integers(1, 9), min_size=1, max_size=5)
seeds = st.integers(0, 2**32 - 1)


@settings(deadline=None)
@given(counts, seeds, st.data())
def test_few_labels_are_balanced_nested_and_without_replacement(counts, seed, draw):
    pool = image_set(counts, shuffle=1)
    more = draw.draw(st.integers(1, min(counts)))
    fewer = draw.draw(st.integers(1, more))
    large, small = data.few_labels(pool, more, seed), data.few_labels(pool, fewer, seed)
    expected = [k for k in range(len(counts)) for _ in range(more)]
    assert large.labels.tolist() == expected, "as many of each class, ordered by class"
    assert large.names == pool.names
    positions = large.groups.tolist()  # in `image_set`, a picture's group is its position
    assert len(set(positions)) == len(positions)
    assert torch.equal(large.labels, pool.labels[positions])
    assert torch.equal(large.images, pool.images[positions])
    for k in range(len(counts)):
        of_class = large.groups[large.labels == k].tolist()
        assert small.groups[small.labels == k].tolist() == of_class[:fewer]
    assert same(large, data.few_labels(pool, more, seed))


def test_another_seed_draws_other_pictures_and_each_picture_has_its_chance():
    pool = image_set([20, 20])
    drawn = [tuple(data.few_labels(pool, 2, seed).groups.tolist()) for seed in range(200)]
    assert len(set(drawn)) > 190
    times = np.bincount(np.concatenate(drawn), minlength=40)
    # 20 expected of each, with a standard deviation of 4.2: five of these are allowed.
    assert times.min() >= 1 and times.max() <= 41


@pytest.mark.parametrize(
    "counts, per_class, words",
    [
        ([5, 3], 4, "class 'class 1' has 3 examples, fewer than the 4 asked for: lower per_class"),
        ([5, 0, 5], 1, "class 'class 1' has 0 examples"),
        ([5, 5], 0, "per_class is 0: draw at least 1 of a class"),
        ([5, 5], -3, "per_class is -3: draw at least 1"),
    ],
)
def test_a_draw_that_is_impossible_says_why(counts, per_class, words):
    with pytest.raises(ValueError, match=words):
        data.few_labels(image_set(counts), per_class, seed=0)


# ── glyphs ──────────────────────────────────────────────────────────────────────────────────


def test_the_source_domain_is_letters_of_three_scripts_and_no_digit():
    source = data.glyphs()
    assert len(set(source.names)) == len(source.names) > 600
    assert {"A", "Ω", "Ж"} <= set(source.names)
    assert not set("0123456789") & set(source.names)
    assert not any(name.isdigit() or name.isnumeric() for name in source.names)
    per_class = torch.bincount(source.labels, minlength=len(source.names))
    assert per_class.min() >= 4
    pairs = set(zip(source.labels.tolist(), source.groups.tolist(), strict=True))
    assert len(pairs) == len(source), "a letter has one picture a face"


def test_scripts_and_faces_are_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    greek = data.glyphs(["GREEK"], min_faces=12)
    assert {"α", "Ω"} <= set(greek.names) and not {"A", "Ж"} & set(greek.names)
    assert torch.bincount(greek.labels).min() >= 12
    assert same(greek, data.glyphs(["GREEK"], min_faces=12)), "made and read again are the same"
    assert len(list(tmp_path.iterdir())) == 1
    assert len(data.glyphs(["GREEK"], min_faces=16).names) < len(greek.names)
    assert len(list(tmp_path.iterdir())) == 2, "another request is another file"


@pytest.mark.parametrize(
    "scripts, min_faces, words",
    [
        (["KLINGON"], 4, "no letters of script 'KLINGON': use a Unicode script such as 'GREEK'"),
        (["GREEK", "KLINGON"], 4, "no letters of script 'KLINGON'"),
        (["BUGINESE"], 4, "no character is drawn in 4 faces or more: lower min_faces"),
        (["GREEK"], 99, "no character is drawn in 99 faces or more: lower min_faces"),
    ],
)
def test_letters_that_cannot_be_drawn_are_an_error(scripts, min_faces, words):
    with pytest.raises(ValueError, match=words):
        data.glyphs(scripts, min_faces)


# ── the two targets ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by_writer", [False, True])
def test_digits_are_split_once_and_for_all(monkeypatch, by_writer):
    splits = data.digits(by_writer)
    assert [len(part) for part in splits] == [800, 397, 600]
    for part in splits:
        assert part.names == list("0123456789")
        assert torch.bincount(part.labels).min() >= 20, "every class in every split"
    monkeypatch.setenv("TLCOURSE_SEED", "7")
    torch.manual_seed(1)
    assert all(same(*pair) for pair in zip(splits, data.digits(by_writer), strict=True))


def test_digits_share_their_writers_unless_split_by_writer():
    blocks = [set(part.groups.tolist()) for part in data.digits()]
    assert blocks == [set(range(18))] * 3, "pictures from every part of the file"
    blocks = [set(part.groups.tolist()) for part in data.digits(by_writer=True)]
    assert all(len(one & other) <= 1 for one, other in combinations(blocks, 2))


def test_digits_are_disjoint_and_those_of_scikit_learn():
    from sklearn.datasets import load_digits

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


def test_georgian_is_an_alphabet_that_the_source_never_shows():
    splits = data.georgian()
    assert [len(part) for part in splits] == [33 * 60, 33 * 12, 33 * 20]
    for part in splits:
        assert part.names == list("აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ")
        assert torch.bincount(part.labels).unique().numel() == 1, "balanced"
    assert not set(splits.pool.names) & set(data.glyphs().names)


def test_georgian_faces_do_not_mix_and_no_seed_moves_them(monkeypatch):
    splits = data.georgian()
    faces = [set(part.groups.tolist()) for part in splits]
    assert [len(f) for f in faces] == [5, 3, 4]
    assert not any(one & other for one, other in combinations(faces, 2))
    monkeypatch.setenv("TLCOURSE_SEED", "7")
    torch.manual_seed(1)
    assert all(same(*pair) for pair in zip(splits, data.georgian(), strict=True))


def test_copies_of_a_georgian_letter_are_perturbed_differently():
    pool = data.georgian().pool
    one = pool.images[(pool.labels == 3) & (pool.groups == pool.groups[0])]
    assert len(one) == 12
    assert torch.pdist(one.flatten(1)).min() > 0.5


# ── MNIST ───────────────────────────────────────────────────────────────────────────────────

PARTS = {"train": 12, "t10k": 5}


@pytest.fixture
def folders(monkeypatch, tmp_path):
    """An empty cache and an empty data folder."""
    for name in ("DATA", "CACHE"):
        monkeypatch.setenv(f"TLCOURSE_{name}", str(tmp_path / name))
    return tmp_path / "DATA" / "MNIST" / "raw", tmp_path / "CACHE"


@pytest.fixture
def miniature(monkeypatch, folders):
    """MNIST with a few pictures: torchvision's own code reads it, told only its check sums."""
    from torchvision.datasets import MNIST

    raw, _ = folders
    raw.mkdir(parents=True)
    random = np.random.default_rng(0)
    archives = {}
    for part, n in PARTS.items():
        pixels = random.integers(0, 256, (n, 28, 28), dtype=np.uint8)
        labels = (np.arange(n) % 10).astype(np.uint8)
        header = np.array([0x803, n, 28, 28], dtype=">i4").tobytes()
        archives[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(header + pixels.tobytes())
        header = np.array([0x801, n], dtype=">i4").tobytes()
        archives[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(header + labels.tobytes())
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
    for image, pixels in zip(
        train.images, np.frombuffer(raw, np.uint8).reshape(-1, 28, 28), strict=True
    ):
        small = Image.fromarray(pixels[3:-3, 3:-3]).resize((16, 16), Image.Resampling.BILINEAR)
        assert np.allclose(image[0], np.asarray(small) / 255, atol=0.006), "as Pillow reduces it"
    for archive in miniature.iterdir():
        archive.unlink()
    assert same(train, data.mnist()) and same(test, data.mnist(train=False))
    assert [p.name for p in folders[1].iterdir()] == ["mnist.npz"]
    assert requests == []


def test_mnist_without_its_files_says_what_to_do_and_fetches_nothing(folders, requests):
    with pytest.raises(FileNotFoundError, match=r"call data.mnist\(download=True\) once .* or set"):
        data.mnist()
    assert requests == [] and not list(folders[1].glob("**/*"))


def test_mnist_that_cannot_be_fetched_says_the_same(folders, requests):
    with pytest.raises(
        FileNotFoundError, match="MNIST is not here: call .* TLCOURSE_DATA"
    ) as error:
        data.mnist(download=True)
    assert requests and isinstance(error.value.__cause__, RuntimeError | OSError)
    assert not list(folders[1].glob("**/*"))


def test_a_missing_archive_is_not_fetched_unasked(miniature, folders, requests):
    (miniature / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError, match="MNIST is not here"):
        data.mnist()
    assert requests == [] and not list(folders[1].glob("**/*"))


@pytest.mark.parametrize("download", [False, True])
def test_a_damaged_archive_is_named(miniature, folders, requests, download):
    path = miniature / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(ValueError, match=f"{path.name} is damaged or incomplete: delete it"):
        data.mnist(download=download)
    assert requests == [] and not list(folders[1].glob("**/*"))


REAL = Path(os.environ.get("TLCOURSE_DATA", "datasets"), "MNIST", "raw")


@pytest.mark.skipif(
    not REAL.exists(), reason="needs the real MNIST: set TLCOURSE_DATA to a folder with MNIST/raw"
)
def test_the_real_mnist_has_60000_and_10000_digits(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_DATA", str(REAL.parents[1]))
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    for train, n, fives in ((True, 60_000, 5421), (False, 10_000, 892)):
        part = data.mnist(train)
        assert len(part) == n and (part.labels == 5).sum() == fives
        assert part.images.shape == (n, 1, 16, 16)
        assert part.images.min() >= 0 and part.images.max() <= 1 + 1e-6
        assert part.images.amax((1, 2, 3)).min() > 0.3, "no digit is lost with the margin"


@pytest.mark.skipif(not REAL.exists(), reason="needs the real MNIST, as above")
def test_mnist_as_a_target_keeps_its_parts_apart(monkeypatch, tmp_path):
    monkeypatch.setenv("TLCOURSE_DATA", str(REAL.parents[1]))
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path))
    whole, splits = data.mnist(), data.mnist_splits()
    assert [len(part) for part in splits] == [5000, 5000, 10_000]
    assert torch.equal(splits.pool.images, whole.images[::12])
    assert torch.equal(splits.validation.images, whole.images[6::12])
    assert torch.equal(splits.test.images, data.mnist(train=False).images)


def test_the_rows_are_those_of_the_few_labels():
    pool = data.digits().pool
    rows = data.few_rows(pool, 3, seed=5)
    few = data.few_labels(pool, 3, seed=5)
    assert torch.equal(pool.images[rows], few.images) and torch.equal(pool.labels[rows], few.labels)


def test_rows_of_any_labels_are_drawn_balanced_and_nested():
    labels = np.repeat([3, 7], [30, 20])
    five, ten = (data.draw_rows(labels, k, seed=4) for k in (5, 10))
    assert np.bincount(labels[ten]).tolist() == [0, 0, 0, 10, 0, 0, 0, 10] and set(five) < set(ten)
    assert not np.array_equal(five, data.draw_rows(labels, 5, seed=5))
    with pytest.raises(ValueError, match="class 7 has 20 examples, fewer than the 21 asked for"):
        data.draw_rows(labels, 21, seed=0)
    with pytest.raises(ValueError, match="at least 1"):
        data.draw_rows(labels, 0, seed=0)


# ── Omniglot ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def alphabets(monkeypatch, tmp_path):
    """Two alphabets of two characters, three drawings each: one black square on white."""
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "cache"))
    for part, alphabet in (("small1", "Latin"), ("small2", "Tagalog")):
        for c, d in np.ndindex(2, 3):
            folder = (
                tmp_path / "omniglot" / f"images_background_{part}" / alphabet / f"character0{c}"
            )
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
