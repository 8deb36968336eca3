"""The cache: computed once, written whole or not at all, checked at every reading."""

import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from tlcourse.data import cache

ARRAYS = {"images": np.arange(3000, dtype=np.uint8), "names": np.array(["a", "ბ"])}


class Counted:
    """A computation that counts its calls."""

    def __init__(self, arrays=ARRAYS):
        self.calls, self.arrays = 0, arrays

    def __call__(self):
        self.calls += 1
        return self.arrays


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "a" / "cache"))
    return tmp_path / "a" / "cache"


def same(found, expected=ARRAYS):
    return list(found) == list(expected) and all(
        np.array_equal(found[k], v) and found[k].dtype == v.dtype for k, v in expected.items()
    )


def test_the_arrays_are_computed_only_the_first_time(folder):
    compute = Counted()
    assert same(cache.cached("numbers", compute))
    assert [p.name for p in folder.iterdir()] == ["numbers.npz"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(cache.cached("numbers", compute))
    assert compute.calls == 1
    assert same(cache.cached("others", compute)) and compute.calls == 2


def test_a_damaged_file_is_reported_and_made_again(folder):
    compute, path = Counted(), folder / "numbers.npz"
    cache.cached("numbers", compute)
    whole = path.read_bytes()
    damages = {
        "half": whole[: len(whole) // 2],
        "one byte short": whole[:-1],
        "twenty bytes": whole[:20],
        "empty": b"",
        "a bit": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "a bit of the sum": whole[:-5] + bytes([whole[-5] ^ 128]) + whole[-4:],
        "longer": whole + b"\n",
    }
    for calls, (name, damaged) in enumerate(damages.items(), start=2):
        path.write_bytes(damaged)
        with pytest.warns(UserWarning, match="file numbers.npz is damaged: it is made again"):
            assert same(cache.cached("numbers", compute)), name
        assert same(cache.cached("numbers", compute)), name
        assert compute.calls == calls, f"{name}: made again once, and then whole"


class Interrupted:
    """Cannot be saved: the learner presses Ctrl-C at that moment."""

    def __reduce__(self):
        raise KeyboardInterrupt


def full_disk():
    raise OSError("no space left")


def test_an_interrupted_computation_leaves_no_file(folder):
    interrupted = Counted({"a": np.array([Interrupted()], dtype=object)})
    for compute, error in ((full_disk, OSError), (interrupted, KeyboardInterrupt)):
        with pytest.raises(error):
            cache.cached("numbers", compute)
        assert not list(folder.glob("**/*")), error
    assert same(cache.cached("numbers", Counted()))


def test_an_interrupted_writing_leaves_what_was_there(folder):
    """The limit on file sizes stops the writing half way, as a full disk would."""
    resource = pytest.importorskip("resource", reason="only Unix limits the size of files")
    cache.cached("old", Counted())
    before = (folder / "old.npz").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    large = Counted({"a": np.random.default_rng(0).bytes(5000)})
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.warns(UserWarning, match="again next time, unless TLCOURSE_CACHE names"):
            cache.cached("new", large)
        with pytest.raises(OSError):
            cache._write(folder / "old.npz", bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [p.name for p in folder.glob("**/*")] == ["old.npz"]
    assert (folder / "old.npz").read_bytes() == before


def test_without_a_folder_to_write_to_a_temporary_one_keeps_the_arrays(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "file" / "cache"))
    compute = Counted()
    words = (
        "cannot be written to .*: results are kept in .*temporary.* for now, unless TLCOURSE_CACHE"
    )
    with pytest.warns(UserWarning, match=words):
        assert same(cache.cached("numbers", compute))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(cache.cached("numbers", compute))
    assert compute.calls == 1
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="results are computed again next time, unless"):
        assert same(cache.cached("others", compute))


def test_what_a_killed_process_left_is_cleaned_away_and_nothing_else(folder):
    for name in ("tlcourse-writing-old", "tlcourse-writing-new", "tmp-of-another"):
        (folder / name).mkdir(parents=True)
        (folder / name / "numbers.npz").write_bytes(b"half")
        if "new" not in name:
            os.utime(folder / name, (time.time() - 2 * cache.OLD,) * 2)
    cache.cached("numbers", Counted())
    left = {path.name for path in folder.iterdir()}
    assert left == {"numbers.npz", "tlcourse-writing-new", "tmp-of-another"}


def test_a_tilde_is_the_home_and_nobody_needs_one(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for variable, folder in (
        ("TLCOURSE_DATA", cache.data_folder),
        ("TLCOURSE_CACHE", cache.cache_folder),
    ):
        monkeypatch.setenv(variable, "~/kept here")
        assert folder() == tmp_path / "kept here"
        monkeypatch.delenv(variable)
    # Without a home and without an entry in the list of users, Python leaves the tilde as it is.
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "tlcourse" / "data" / "cache.py"))
    assert cache.data_folder().parent == tmp_path / "temporary"
    compute = Counted()
    assert same(cache.cached("numbers", compute)) and same(cache.cached("numbers", compute))
    assert compute.calls == 1


def test_two_processes_may_race(folder):
    code = (
        "import numpy as np, runpy, time\n"
        f"cached = runpy.run_path({cache.__file__!r})['cached']\n"  # alone: the package is large
        "def compute():\n"
        "    time.sleep(0.5)\n"
        "    return {'a': np.arange(100_000)}\n"
        "for i in range(20):\n"
        "    found = cached('raced' if i else 'first', compute if i < 2 else None)\n"
        "    assert (found['a'] == np.arange(100_000)).all()\n"
    )
    racers = [subprocess.Popen([sys.executable, "-W", "error", "-c", code]) for _ in range(2)]
    assert [racer.wait(timeout=300) for racer in racers] == [0, 0]
    assert sorted(p.name for p in folder.iterdir()) == ["first.npz", "raced.npz"]


def test_the_folders_follow_the_environment_then_the_checkout(monkeypatch, tmp_path, folder):
    checkout = Path(__file__).parents[2] / "datasets"
    monkeypatch.delenv("TLCOURSE_DATA", raising=False)
    assert cache.cache_folder() == folder
    assert cache.data_folder() == checkout, "moving the cache does not move the data"
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path))
    assert cache.data_folder() == tmp_path
    for empty in ("TLCOURSE_DATA", "TLCOURSE_CACHE"):
        monkeypatch.setenv(empty, "")
    assert cache.cache_folder() == checkout / "cache"
    assert cache.data_folder() == checkout


def test_an_installed_copy_keeps_its_files_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("TLCOURSE_CACHE")
    monkeypatch.delenv("TLCOURSE_DATA", raising=False)
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "tlcourse" / "data" / "cache.py"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert cache.cache_folder() == tmp_path / ".cache" / "tlcourse" / "cache"
    assert cache.data_folder() == tmp_path / ".cache" / "tlcourse"
