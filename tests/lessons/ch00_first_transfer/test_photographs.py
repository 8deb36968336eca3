"""Where the photographs lie: found, fetched on request, or named as missing in a sentence."""

import functools
import http.server
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from tlcourse import data
from tlcourse.lessons.ch00_first_transfer import features, photographs


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def archive(monkeypatch, tmp_path):
    """A small archive in the layout of the real one, on a server of our own."""
    path = tmp_path / "elsewhere" / "hymenoptera_data.zip"
    path.parent.mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "red.png")
    with zipfile.ZipFile(path, "w") as packed:
        for part in ("train", "val"):
            for name in ("ants", "bees"):
                for k in range(3):
                    packed.write(tmp_path / "red.png", f"hymenoptera_data/{part}/{name}/{k}.png")
    serve = functools.partial(Quiet, directory=str(path.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/{path.name}"
    monkeypatch.setattr(photographs, "ARCHIVE", address)
    monkeypatch.setattr(features, "squeezenet", lambda download: None)  # looked for elsewhere
    monkeypatch.setenv("TLCOURSE_DATA", str(tmp_path / "data"))
    yield path
    server.shutdown()
    server.server_close()


def test_nothing_is_fetched_unless_asked_and_then_all_of_it_once(archive, tmp_path, capsys):
    assert photographs.find() is None
    said = capsys.readouterr().out
    assert "the photographs of ants and bees are not here: set FETCH = True" in said
    assert "stored results, with weights converted from another release" in said
    found = photographs.find(fetch=True)
    assert found.classes == ["ants", "bees"] and np.bincount(found.targets).tolist() == [6, 6]
    assert "12 photographs: 6 ants, 6 bees" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["hymenoptera_data"]
    archive.unlink()
    assert len(photographs.find(fetch=True)) == 12, "what is there is not fetched again"


def test_a_failed_download_is_a_sentence_and_leaves_nothing_behind(archive, tmp_path, capsys):
    for content in (b"half an archive", None):  # damaged, and not there
        if content:
            archive.write_bytes(content)
        else:
            archive.unlink()
        assert photographs.find(fetch=True) is None
        assert "the photographs of ants and bees cannot be fetched (" in capsys.readouterr().out
        assert list((tmp_path / "data").iterdir()) == []


def test_what_a_folder_of_your_own_lacks_is_one_sentence(archive, tmp_path, capsys):
    assert photographs.find(tmp_path / "absent") is None
    assert capsys.readouterr().out.startswith("there is no folder 'absent'")
    for name, n in (("cats", 5), ("dogs", 4)):
        (tmp_path / "own" / name).mkdir(parents=True)
        for k in range(n):
            Image.new("RGB", (40, 30), "blue").save(tmp_path / "own" / name / f"{k}.png")
    assert photographs.find(tmp_path / "own") is None
    (said,) = capsys.readouterr().out.splitlines()
    assert said.startswith("the class 'dogs' has 4 photographs: it needs 5 or more")


def test_thumbnails_are_squares_of_the_photographs_asked_for(archive, tmp_path):
    found = data.load_folder(photographs.find(fetch=True).root)
    pictures = photographs.thumbnails(found, [0, 3], 16)
    assert pictures.shape == (2, 16, 16, 3) and (pictures == [255, 0, 0]).all()
