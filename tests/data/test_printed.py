"""Characters drawn from matplotlib's fonts: which letters, which faces, how they are drawn."""

import unicodedata
from itertools import combinations

import numpy as np
import pytest
import torch
from data.sameness import same_set
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

from tlcourse import data
from tlcourse.data import printed


@pytest.fixture(scope="module")
def font():
    sans = next(path for path in printed.font_faces() if path.stem == "DejaVuSans")
    return ImageFont.truetype(str(sans), 48)


def test_every_character_is_rendered_in_every_face_that_has_it():
    found = printed.render(["A", "ა", "漢"], min_faces=1)
    assert found["names"].tolist() == ["A", "ა"], "no face has the Chinese one"
    assert found["images"].shape == (len(found["labels"]), 32, 32)
    assert found["images"].dtype == np.uint8
    faces = [path.stem for path in printed.font_faces()]
    for label, character in enumerate("Aა"):
        known = [
            p.stem for p in printed.font_faces() if ord(character) in FT2Font(str(p)).get_charmap()
        ]
        drawn = [faces[group] for group in found["groups"][found["labels"] == label]]
        assert drawn == known and len(known) >= 12


# ── which letters ───────────────────────────────────────────────────────────────────────────


def test_letters_are_letters_of_that_script_only():
    for script in ("LATIN", "greek", "Cyrillic", "GEORGIAN"):
        found = printed.letters(script)
        assert len(found) == len(set(found)) > 80, script
        assert all(unicodedata.name(c).startswith(script.upper() + " ") for c in found)
        assert all(c.isalpha() and not c.isnumeric() for c in found), script
    latin = set(printed.letters("LATIN"))
    assert {"A", "z", "é", "ß"} <= latin and not set("07+ªʰₐⅧα") & latin


def test_the_faces_are_text_faces():
    names = [path.stem for path in printed.font_faces()]
    assert printed.font_faces() == sorted(printed.font_faces()) and len(names) >= 12
    assert {"DejaVuSans-Bold", "DejaVuSerif", "STIXGeneralItalic"} <= set(names)
    assert all(name.startswith(("DejaVuS", "STIXGen")) for name in names)


# ── how they are drawn ──────────────────────────────────────────────────────────────────────


def test_the_ink_fills_a_centred_box_of_26_pixels(font):
    for character in "oWiļǄ":
        drawn = printed.draw_glyph(character, font)
        assert drawn.shape == (32, 32) and drawn.dtype == np.uint8
        assert drawn.max() > 200, character
        rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
        assert 24 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 26, character
        assert abs(rows[0] + rows[-1] - 31) <= 2 and abs(columns[0] + columns[-1] - 31) <= 2
    assert not printed.draw_glyph(" ", font).any()


# ── which are left out ──────────────────────────────────────────────────────────────────────


def test_near_duplicates_are_dropped_and_the_first_stays():
    look_alike = ["o", "ο", "о", "A", "Α"]  # Latin, Greek, Cyrillic; Latin, Greek
    assert printed.render(look_alike)["names"].tolist() == ["o", "A"]
    assert printed.render(look_alike[::-1])["names"].tolist() == ["Α", "о"]
    assert printed.render(look_alike, duplicates=1)["names"].tolist() == look_alike


def picture(*positions):
    drawn = np.zeros((32, 32), np.uint8)
    drawn.ravel()[list(positions)] = 200
    return [(0, drawn), (1, 255 - drawn)]


def test_distinct_compares_the_first_face_by_its_cosine():
    pictures = {
        "a": picture(1, 2, 3, 4),
        "cosine .75 to a": picture(1, 2, 3, 5),
        "the same as a": picture(1, 2, 3, 4),
        "invisible": picture(),
        "nothing in common": picture(8, 9),
    }
    assert printed.distinct(pictures, 0.76) == ["a", "cosine .75 to a", "nothing in common"]
    assert printed.distinct(pictures, 0.74) == ["a", "nothing in common"]
    assert printed.distinct(pictures, 1) == [name for name in pictures if name != "invisible"]


def test_a_dropped_one_drops_no_other():
    chain = {"a": picture(1, 2, 3), "b": picture(2, 3, 4), "c": picture(3, 4, 5)}
    assert printed.distinct(chain, 0.5) == ["a", "c"], "b is near both, and a is not near c"


def test_characters_of_few_faces_are_left_out():
    faces = np.bincount(printed.render(["A", "ა"])["labels"])
    assert faces[0] > faces[1], "Georgian is drawn in fewer faces"
    found = printed.render(["ა", "A"], min_faces=faces[0])
    assert found["names"].tolist() == ["A"] and set(found["labels"]) == {0}
    with pytest.raises(ValueError, match="no character is drawn in 4 faces or more: lower"):
        printed.render(["漢"])
    with pytest.raises(ValueError, match="no character is drawn in 1 faces or more"):
        printed.render([" "], min_faces=1)


# ── the sets ─────────────────────────────────────────────────────────────────────────────────


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
    assert same_set(greek, data.glyphs(["GREEK"], min_faces=12)), "made and read again are the same"
    assert len(list(tmp_path.iterdir())) == 1
    assert len(data.glyphs(["GREEK"], min_faces=16).names) < len(greek.names)
    assert len(list(tmp_path.iterdir())) == 2, "another request is another file"


def test_letters_that_cannot_be_drawn_are_an_error():
    for scripts, min_faces, words in [
        (["KLINGON"], 4, "no letters of script 'KLINGON': use a Unicode script such as 'GREEK'"),
        (["GREEK", "KLINGON"], 4, "no letters of script 'KLINGON'"),
        (["LAT"], 4, "no letters of script 'LAT'"),
        (["BUGINESE"], 4, "no character is drawn in 4 faces or more: lower min_faces"),
        (["GREEK"], 99, "no character is drawn in 99 faces or more: lower min_faces"),
    ]:
        with pytest.raises(ValueError, match=words):
            data.glyphs(scripts, min_faces)


def test_georgian_is_an_alphabet_that_the_source_never_shows_and_no_seed_moves_it(monkeypatch):
    splits = data.georgian()
    assert [len(part) for part in splits] == [33 * 60, 33 * 12, 33 * 20]
    for part in splits:
        assert part.names == list("აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ")
        assert torch.bincount(part.labels).unique().numel() == 1, "balanced"
    assert not set(splits.pool.names) & set(data.glyphs().names)
    faces = [set(part.groups.tolist()) for part in splits]
    assert [len(f) for f in faces] == [5, 3, 4]
    assert not any(one & other for one, other in combinations(faces, 2))
    monkeypatch.setenv("TLCOURSE_SEED", "7")
    torch.manual_seed(1)
    assert all(map(same_set, splits, data.georgian()))
    pool = splits.pool  # its twelve copies of a letter are perturbed differently
    one = pool.images[(pool.labels == 3) & (pool.groups == pool.groups[0])]
    assert len(one) == 12
    assert torch.pdist(one.flatten(1)).min() > 0.5
