"""A reader's own photographs: what is wrong with a folder is said, the rest is measured."""

import io
import os
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tlcourse.__main__ import main
from tlcourse.lessons.ch00_first_transfer import features
from tlcourse.lessons.ch02d_choosing_a_source import photos
from tlcourse.lessons.ch02d_choosing_a_source.own_photos import (
    belonging,
    command,
    drawing,
    judging,
    page,
    reading,
    recipe,
)
from tlcourse.plots import fonts

REAL = bool(os.environ.get("TLCOURSE_DATA")) and features.weights_file().exists()
NAMES = ["$x_1$", "<b>花</b>", "cat"]


def picture(rng, channel=0):
    """Return a photograph of blots, mostly of one colour."""
    pixels = rng.integers(0, 120, size=(8, 12, 3), dtype=np.uint8)
    pixels[..., channel] += 100
    return Image.fromarray(pixels).resize((60, 40))


@pytest.fixture
def folder(tmp_path):
    """Twelve red and nine blue photographs."""
    rng, root = np.random.default_rng(0), tmp_path / "colours"
    for name, channel, count in [("blue", 2, 9), ("red", 0, 12)]:
        (root / name).mkdir(parents=True)
        for k in range(count):
            picture(rng, channel).save(root / name / f"p{k // 3}_{k}.png")
    return root


@pytest.fixture
def no_weights(monkeypatch, tmp_path):
    """Read folders without any network: all but what a network sees."""
    monkeypatch.setattr(features, "weights_file", lambda: tmp_path / "weights.pth")
    monkeypatch.setenv("TLCOURSE_CACHE", str(tmp_path / "cache"))


def album(counts=(40, 40, 40), parts=(), groups=None, seen=1.0, seed=0):
    """Return an album whose classes the ImageNet features tell apart, the others not."""
    rng, labels = np.random.default_rng(seed), np.repeat(range(len(counts)), counts)
    n = len(labels)
    views = ("pixels", "imagenet", *(f"random {k}" for k in range(features.INITS)))
    arrays = {view: rng.normal(size=(n, 20)) + 5 for view in views} | {"labels": labels}
    arrays["imagenet"][:, :3] += 6 * seen * np.eye(3)[labels]
    paths = [reading.Path(f"{k}.png") for k in range(n)]
    owners = np.arange(n) if groups is None else np.asarray(groups)
    given = None if groups is None else owners.astype(str)
    return reading.Album(
        reading.Path(), NAMES[: len(counts)], paths, arrays, list(parts), owners, given
    )


# ── reading ─────────────────────────────────────────────────────────────────────────────────


def test_what_was_read_converted_and_left_out_is_counted(folder, no_weights):
    rng = np.random.default_rng(1)
    picture(rng).convert("CMYK").save(folder / "red" / "print.jpg")
    picture(rng).convert("L").save(folder / "red" / "old.png")
    whole = io.BytesIO()
    Image.fromarray(rng.integers(256, size=(90, 90, 3), dtype=np.uint8)).save(whole, "JPEG")
    (folder / "red" / "half.jpg").write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])
    (folder / "blue" / "empty.jpg").write_bytes(b"")
    (folder / "blue" / ".DS_Store").write_bytes(b"\0")
    (folder / "notes.txt").write_text("mine")
    found = reading.read(folder)
    assert found.said == [
        "read 23 photographs of 2 classes: 9 blue, 14 red.",
        "converted 1: grey made RGB (old.png).",
        "converted 1: CMYK made RGB (print.jpg).",
        "left out 1: no photograph (notes.txt).",
        "passed over 1: hidden, left by the system.",
    ]
    assert found.problems == [
        "left out 2: damaged: delete it or copy it again (empty.jpg, half.jpg)."
    ]
    with pytest.raises(FileNotFoundError, match="the ImageNet weights weights.pth are not here"):
        judging.judge(found)


def test_copies_count_as_one_and_what_lies_in_two_classes_is_named(folder, no_weights):
    red = folder / "red"
    for k in range(4):
        (red / f"copy{k}.png").write_bytes((red / "p0_0.png").read_bytes())
    (folder / "blue" / "red.png").write_bytes((red / "p0_1.png").read_bytes())
    Image.open(red / "p0_2.png").resize((120, 80)).save(folder / "blue" / "large.jpg")
    found = belonging.together(reading.read(folder))
    assert found.problems == [
        (
            "copies or near-copies of 1 photograph, kept on one side: red/copy0.png = red/copy1.png = "
            "red/copy2.png = red/copy3.png = red/p0_0.png. Delete all but one of each."
        ),
        (
            "in two classes, as copies or near-copies: 2 photographs: blue/large.jpg = red/p0_2.png; "
            "blue/red.png = red/p0_1.png. Decide which class is right. The same file in both was left out."
        ),
    ]
    names = ["/".join(path.parts[-2:]) for path in found.paths]
    assert not {"blue/red.png", "red/p0_1.png"} & set(names) and "blue/large.jpg" in names
    copies = [owner for owner, name in zip(found.owners, names, strict=True) if "copy" in name]
    assert set(copies) == {found.owners[names.index("red/p0_0.png")]}
    assert len(set(found.owners)) == len(names) - 5


def test_groups_are_read_from_names_and_folders(folder, no_weights):
    read = reading.read(folder)
    for by, count in (("name", 4), (r"p(\d)", 4), (r"p[01]", 2 + 12 - 3), ("_[0-8]", 9 + 1)):
        assert len(set(belonging.groups_by(read, by))) == count, by
    for by, words in (("(", "no regular expression"), ("folder", "finds no two photographs")):
        with pytest.raises(ValueError, match=words):
            belonging.groups_by(read, by)
    for name in ("p0_0.png", "p0_1.png"):
        (folder / "red" / "day 1").mkdir(exist_ok=True)
        (folder / "red" / name).rename(folder / "red" / "day 1" / name)
    given = belonging.groups_by(reading.read(folder), "folder")
    assert len(given) == 21 and len(set(given)) == 20


def test_what_tells_the_class_beside_the_picture_is_named(folder, no_weights):
    assert not reading.read(folder).problems, "all are PNG, of one size, without a camera"
    rng = np.random.default_rng(0)
    model = Image.Exif()
    model[0x0110] = "Nokia 3"
    for k in range(9):
        (folder / "blue" / f"p{k // 3}_{k}.png").unlink()
        picture(rng, 2).resize((90, 40)).save(folder / "blue" / f"b{k}.jpg", exif=model)
    said = " ".join(reading.read(folder).problems)
    assert "the kind of file tells the class (blue JPEG, red PNG)" in said
    assert "the size tells the class (blue 90 × 40, red 60 × 40)" in said
    assert "the camera tells the class (blue Nokia 3, red none)" in said


def test_groups_are_read_from_a_table(folder, no_weights, tmp_path):
    """By path, by name, without the ending, from Windows; a photograph without a row is alone."""
    read, table = reading.read(folder), tmp_path / "patients.CSV"
    rows = [
        "file;patient",
        "red/p0_0.png;甲",
        "red\\p0_1.png; 甲",
        "p3_10.png;乙",
        "p3_11;乙",
        "gone.png;丙",
    ]
    for encoding in ("utf-8-sig", "gb18030"):
        table.write_bytes("\n".join(rows).encode(encoding))
        names = ["/".join(path.parts[-2:]) for path in read.paths]
        found = dict(zip(names, belonging.groups_by(read, str(table)), strict=True))
        assert found["red/p0_0.png"] == found["red/p0_1.png"] == "group 甲"
        assert found["red/p3_10.png"] == found["red/p3_11.png"] == "group 乙"
        assert len(set(found.values())) == 21 - 2
    for content, words in (("a,b,c\n", "must have two columns"), ("x,y\n", "finds no two")):
        table.write_text(content)
        with pytest.raises(ValueError, match=words):
            belonging.groups_by(read, str(table))
    with pytest.raises(ValueError, match="cannot be opened"):
        belonging.groups_by(read, str(tmp_path / "none.csv"))


# ── judging ─────────────────────────────────────────────────────────────────────────────────


def test_the_method_that_sees_the_class_wins_and_the_recipe_says_so():
    results = judging.judge(album(), seeds=5)
    assert results.budgets == (1, 2, 5, 10, 20)
    accuracy = {method: values[:, 2:].mean() for method, values in results.accuracy().items()}
    assert accuracy[photos.IMAGENET] > 0.8
    assert max(accuracy["random weights"], accuracy[photos.PIXELS]) < 0.5
    judged = results.judged()
    assert len(judged) == 4 and {j.verdict for j in judged[2:]} == {"better"}
    said = recipe.recipe(results)
    assert "6 to 50 labels" in said[0] and "the source is like your target" in said[0]
    assert "gentle fine-tuning" in said[1]
    nothing = recipe.recipe(judging.judge(album(seen=0), seeds=5))
    assert nothing[0].startswith(
        "With 20 labels a class no method surely beats always naming one class"
    )


def test_the_recipe_asks_what_folders_below_the_classes_are_and_believes_no_lead_by_chance():
    places = {"patient": lambda k: f"p{k // 5}", "the classes": lambda k: ("well", "ill")[k % 2]}
    for word, name in places.items():
        found = album((20, 20))
        inside = ["ab"[label] for label in found.labels]
        found.paths[:] = [reading.Path(inside[k], name(k), f"{k}.png") for k in range(40)]
        (asked,) = recipe._together(found)
        assert word in asked and ("--groups folder" in asked) == (word == "patient")
    few = judging.judge(album((12, 12), seen=0), seeds=5)
    assert few.least_lead() == pytest.approx(2.128 * np.sqrt(0.25 / len(few.test)), rel=1e-3)
    assert "no method surely beats" in recipe.recipe(few)[0]


def test_twelve_photographs_prove_no_tie_and_an_easy_task_needs_no_transfer():
    easy = album((12, 12))
    said, tested = np.tile(easy.labels[::2], (3, 2, 1)), np.arange(0, 24, 2)
    results = judging.Results(easy, tested, (1, 2), dict.fromkeys(photos.METHODS, said), 0)
    for judged in results.judged():
        assert judged.difference.mean == 0 and judged.verdict == "open"
        assert judged.difference.high == pytest.approx(np.log(4 / 0.05) / 12), "the rule of three"
    assert "nothing to add on these 12 test photographs" in recipe.recipe(results)[0]
    few = judging.judge(album((4, 4), seen=0), seeds=2)
    for judged in few.judged():
        assert -1 <= judged.difference.low <= judged.difference.high <= 1
    figure = drawing.label_efficiency(results)
    assert figure.axes[0].get_ylim()[0] < results.majority(), "the dotted line is in the picture"


def test_a_rare_class_counts_as_much_as_a_common_one():
    results = judging.judge(album((90, 6, 6), seen=0.05), seeds=4)
    assert results.majority() == pytest.approx(1 / 3)
    assert results.majority(balanced=False) == pytest.approx(45 / 51)
    hits = results.said[photos.IMAGENET][0, 0] == results.truth
    by_class = [hits[results.truth == k].mean() for k in range(3)]
    assert results.accuracy()[photos.IMAGENET][0, 0] == pytest.approx(np.mean(by_class))
    assert results.difference(photos.IMAGENET, photos.PIXELS, 1).mean == pytest.approx(
        (results.accuracy()[photos.IMAGENET] - results.accuracy()[photos.PIXELS])[:, 0].mean()
    )
    assert "report balanced accuracy" in " ".join(recipe.recipe(results))
    with pytest.raises(
        ValueError, match="class '.x_1.' has 3 photographs: each needs at least 4, as"
    ):
        judging.judge(album((3, 40)))


def test_groups_stay_on_one_side_and_widen_the_interval():
    """Fifteen patients with ten photographs each, which look alike."""
    patients = np.repeat(np.arange(15), 10)
    tied = album((50, 50, 50), groups=patients, seen=0)
    look = np.random.default_rng(1).normal(size=(15, 20))[patients]
    tied.arrays["imagenet"] += 3 * look
    results = judging.judge(tied, seeds=3)
    pool = np.setdiff1d(np.arange(150), results.test)
    assert not set(patients[pool]) & set(patients[results.test])
    assert results.notes[0].startswith("15 groups: ImageNet features, tested on new groups")
    assert "], too much." in results.notes[0]
    alone = judging.Results(album((50, 50, 50)), results.test, results.budgets, results.said, 0)
    widths = [r.difference(photos.IMAGENET, photos.PIXELS, 20) for r in (results, alone)]
    assert widths[0].high - widths[0].low > widths[1].high - widths[1].low
    assert widths[0].mean == pytest.approx(widths[1].mean)


def test_parts_are_the_division_and_what_leaks_is_not_tested_on():
    parts = np.tile(["train"] * 5 + ["val"] * 2 + ["test"] * 3, 12)
    results = judging.judge(album(parts=parts), seeds=2)
    assert results.test.tolist() == np.flatnonzero(parts == "test").tolist()
    assert results.notes == [
        "used your division: 60 to learn from, 36 to test on.",
        "did not use 24 in val: nothing is tuned here.",
    ]
    leaky = album(parts=parts)
    leaky.owners[9] = leaky.owners[0]
    results = judging.judge(leaky, seeds=2)
    assert 9 not in results.test and len(results.test) == 35
    assert results.problems[0].startswith(
        "1 photographs of test are copies of photographs in train"
    )
    leaky.owners[:] = 0
    with pytest.raises(
        ValueError, match="not tested on. So class .* to test on in test: each needs"
    ):
        judging.judge(leaky)
    with pytest.raises(ValueError, match="holds only train: it needs train, and test or val"):
        judging.judge(album(parts=["train"] * 120))
    validated = judging.judge(album(parts=np.where(parts == "test", "val", "train")), seeds=2)
    assert validated.test.tolist() == np.flatnonzero(parts == "test").tolist()


# ── what is shown ───────────────────────────────────────────────────────────────────────────


def test_many_classes_and_mistakes_can_be_drawn():
    rng, n = np.random.default_rng(0), 20
    truth = np.repeat(np.arange(n), 3)
    said = np.where(rng.random((2, 1, 60)) < 0.7, truth, rng.integers(0, n, size=(2, 1, 60)))
    many = reading.Album(
        reading.Path(), [f"class {k}" for k in range(n)], [], {"labels": truth}, [], np.arange(60)
    )
    results = judging.Results(many, np.arange(60), (1,), dict.fromkeys(photos.METHODS, said), 0)
    figure = drawing.confusion(results, many.names)
    shown = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert len(shown) == drawing.MOST and shown[-1] == "the others"
    rows = np.array([float(t.get_text()) for t in figure.axes[0].texts]).reshape(len(shown), -1)
    assert np.abs(rows.sum(axis=1) - 100).max() <= 6, "per cent of each row, rounded"
    found = drawing.mistakes(results)
    assert all(m.said != m.truth and m.share in (0.5, 1) for m in found)
    assert [m.share for m in found] == sorted((m.share for m in found), reverse=True)


class Page(HTMLParser):
    """Collects the tags and the text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data


def test_the_page_needs_no_other_file_and_shows_names_as_they_are(tmp_path, monkeypatch):
    results = judging.judge(album(seen=0.4), seeds=3)
    monkeypatch.setattr(drawing, "thumbnail", lambda path: Image.new("RGB", (9, 9)))
    files, _ = drawing.png(results)
    assert set(files) == {"label-efficiency", "confusion", "wrong"}
    text = page.page("<i>mine</i>", ["read."], ["look here"], page.measured(results, files))
    found = Page(text)
    assert {tag for tag, _ in found.tags}.isdisjoint({"b", "i", "script", "link"})
    assert all(a["src"].startswith("data:image/") for tag, a in found.tags if tag == "img")
    for words in (*NAMES, "<i>mine</i>", "look here", "always the commonest class, balanced"):
        assert words in found.text, words


# ── the command ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run(monkeypatch, capsys):
    """``python -m tlcourse photos …``, in this process: status, output, errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", sys.argv)
        try:
            status = main(["photos", *map(str, arguments)])
        except SystemExit as stop:
            status = stop.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


def test_what_cannot_be_read_is_one_sentence_and_status_2(folder, run, no_weights, tmp_path):
    for arguments, words in [
        ((tmp_path / "absent",), "there is no folder 'absent': give the path of one."),
        ((folder / "red",), "'red' holds 0 class folders: put the photographs of each class into"),
        ((folder, "--groups", "("), "--groups '(' is no regular expression"),
    ]:
        status, out, errors = run(*arguments)
        assert (status, out) == (2, "") and errors.splitlines()[-1].startswith(words), words
    status, out, _ = run(folder, "--html", tmp_path / "page.html")
    assert status == 1 and "look: the ImageNet weights weights.pth are not here" in out
    assert "21 photographs of 2 classes: 9 blue, 12 red" in (tmp_path / "page.html").read_text(
        "utf-8"
    )


def test_no_folder_gives_a_traceback(run, no_weights, tmp_path):
    """Folders of random names, depths and bytes."""
    rng = np.random.default_rng(0)
    names = ["train", "test", ".git", "__MACOSX", "猫", "$a$", "a b", "x" * 60, "1.jpg", "b"]
    for k in range(25):
        root = tmp_path / f"{k}"
        root.mkdir()
        for _ in range(rng.integers(12)):
            place = root.joinpath(*rng.choice(names, size=rng.integers(1, 4)))
            if not any(parent.is_file() for parent in (place, *place.parents)):
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{rng.integers(99)}.{rng.choice(['jpg', 'png', 'txt'])}").write_bytes(
                    rng.bytes(50)
                )
                picture(rng).save(place / f"{rng.integers(99)}.png")
        status, out, errors = run(root)
        assert status in (1, 2) and "Traceback" not in errors, (k, errors)
        assert (status == 1) == bool(out), k


@pytest.mark.skipif(not REAL, reason="needs the ImageNet weights in TORCH_HOME")
def test_the_command_compares_and_saves_before_it_prints(folder, run, monkeypatch):
    status, out, errors = run(folder, "--html", folder.parent / "page.html", "--groups", "name")
    assert status == 0, (out, errors)
    assert "1 label a class, ImageNet features beat random weights: " in out
    assert (
        "4 groups: ImageNet features, tested on new groups" in out and "recipe: A plain SVM" in out
    )
    kinds = {path.name for path in folder.parent.glob("*.png")}
    assert {"colours-label-efficiency.png", "colours-confusion.png"} <= kinds
    command.show(folder, "name")  # in a notebook
    shown = run(folder, "--groups", "name")[1]  # also what `show` printed before
    assert shown.count("recipe: A plain SVM") == 2 and shown.count("display.Image object") >= 2
    for path in folder.parent.glob("*.png"):
        path.unlink()

    def closed(*lines, **how):
        raise BrokenPipeError

    monkeypatch.setattr(command, "print", closed, raising=False)
    with pytest.raises(BrokenPipeError):
        run(folder)
    assert list(folder.parent.glob("colours-*.png")), "saved before anything is printed"


def test_what_cannot_be_saved_beside_the_folder_is_saved_elsewhere(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    said = command.save(tmp_path / "file" / "photos", "figure.png", b"png")
    assert said == f"saved {tmp_path / 'figure.png'}, as the folder above cannot be written to."
    assert (tmp_path / "figure.png").read_bytes() == b"png"


def test_a_name_that_no_font_has_is_said():
    results = judging.judge(album(), seeds=2)
    results.album.names[1] = "\U00012000 cuneiform"  # which hardly any machine has
    with fonts.drawing(results.album.names) as (labels, lacking):
        assert lacking in ([], [results.album.names[1]])
        figure = drawing.confusion(results, labels)
        shown = [text.get_text() for text in figure.axes[0].get_xticklabels()]
    assert shown == [NAMES[0], "class 2" if lacking else results.album.names[1], NAMES[2]]
