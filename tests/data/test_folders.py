"""What lies in a folder of photographs: classes, parts, and what is none of either."""

import numpy as np
import pytest
from PIL import Image

from tlcourse import data
from tlcourse.data import folders


def fill(root, *places, n=2):
    """Write n photographs into each of these folders."""
    for place in places:
        (root / place).mkdir(parents=True, exist_ok=True)
        for k in range(n):
            Image.new("RGB", (40, 20), (9 * k, 0, 0)).save(root / place / f"{k}.png")
    return root


def test_classes_are_found_at_any_depth_and_what_a_system_leaves_is_not(tmp_path):
    root = fill(
        tmp_path / "pets", "cats", "dogs/day 1", "dogs/day 2", "__MACOSX/cats", ".ipynb_checkpoints"
    )
    for name in (".DS_Store", "Thumbs.db", "._0.png"):
        (root / "cats" / name).write_bytes(b"\0\5\26\7")
    (root / "cats" / "notes.txt").write_text("Monday")
    (root / "README.md").write_text("mine")
    found = folders.find_photographs(root)
    assert found.names == ["cats", "dogs"] and found.labels.tolist() == [0, 0, 1, 1, 1, 1]
    assert found.left_out == {"no photograph": ["notes.txt", "README.md"]} and found.hidden == 5
    assert found.parts == []
    assert folders.in_words(found.left_out, 5) == [
        "left out 2: no photograph (notes.txt, README.md).",
        "passed over 5: hidden, left by the system.",
    ]
    (root / "cats" / "back").symlink_to(root)
    assert folders.find_photographs(root).paths == found.paths, (
        "a link that leads back is not taken"
    )


def test_parts_are_the_division_and_never_classes(tmp_path):
    root = fill(
        tmp_path / "split", "Train/cats", "Train/dogs", "val/cats", "val/dogs", "test/cats", n=1
    )
    found = folders.find_photographs(root)
    assert found.names == ["cats", "dogs"]
    assert found.parts == ["train", "train", "test", "val", "val"]
    assert found.labels.tolist() == [0, 1, 0, 0, 1]
    unlabelled = fill(tmp_path / "contest", "train/cats", "train/dogs", "test", n=1)
    found = folders.find_photographs(unlabelled)
    assert found.parts == ["train", "train"] and found.left_out == {"in no class folder": ["0.png"]}
    vehicles = fill(tmp_path / "vehicles", "train", "plane")
    assert folders.find_photographs(vehicles).names == ["plane", "train"], "that train is a class"
    with pytest.raises(
        ValueError, match="holds Train, test, val, which hold classes, beside birds"
    ):
        folders.find_photographs(fill(root, "birds"))
    with pytest.raises(ValueError, match="holds train, val, and no class folders in them"):
        folders.find_photographs(fill(tmp_path / "flat", "train", "val"))
    once_more = tmp_path / "archive"
    once_more.mkdir()
    vehicles.rename(once_more / "vehicles")
    assert folders.find_photographs(once_more).names == ["plane", "train"]


def test_what_cannot_be_compared_is_one_sentence(tmp_path):
    assert folders.shown("a/two\nlines.jpg") == "two lines.jpg"
    for place, problem, words in [
        ("absent", FileNotFoundError, "there is no folder 'absent'"),
        (".", ValueError, "holds 1 class folders: put the photographs of each class"),
    ]:
        with pytest.raises(problem, match=words):
            folders.find_photographs(fill(tmp_path, "one") / place)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "half.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    words = (
        r"holds no photograph \(two\): fill its folder or delete it. left out 1: damaged.*half.jpg"
    )
    with pytest.raises(FileNotFoundError, match=words):
        folders.find_photographs(tmp_path)


def test_a_folder_becomes_one_set_for_torch(tmp_path, capsys):
    root = fill(tmp_path / "pets", "train/cats", "train/dogs", "val/cats", "val/dogs")
    Image.fromarray(np.full((20, 40), 30_000, np.uint16)).save(root / "train/cats/9.png")
    turned = Image.Exif()
    turned[0x0112] = 6  # EXIF's orientation: the camera was held on its side
    Image.new("RGB", (20, 40)).save(root / "val" / "dogs" / "9.jpg", exif=turned)
    (root / "val" / "dogs" / "film.mp4").write_bytes(b"moving")
    (root / "val" / "dogs" / "empty.jpg").write_bytes(b"")
    found = data.load_folder(root, np.asarray)
    assert (
        capsys.readouterr().out == "left out 1: damaged: delete it or copy it again (empty.jpg).\n"
    )
    assert found.classes == ["cats", "dogs"] and found.targets == [0, 0, 0, 1, 1, 0, 0, 1, 1, 1]
    assert {picture.shape for picture, _ in found} == {(20, 40, 3)}
    assert abs(found[2][0].mean() - 30_000 / 257) < 1, "16 bits keep their greys"
    broken = root / "train" / "cats" / "0.png"
    broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(ValueError, match="the photograph 0.png cannot be used .damaged"):
        found[0]
