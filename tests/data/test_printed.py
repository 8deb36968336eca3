"""Characters drawn from matplotlib's fonts: which letters, which faces, how they are drawn."""

import unicodedata

import numpy as np
import pytest
from matplotlib.ft2font import FT2Font
from PIL import ImageFont

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


@pytest.mark.parametrize("script", ["LATIN", "greek", "Cyrillic", "GEORGIAN"])
def test_letters_are_letters_of_that_script_only(script):
    found = printed.letters(script)
    assert len(found) == len(set(found)) > 80
    assert all(unicodedata.name(c).startswith(script.upper() + " ") for c in found)
    assert all(c.isalpha() and not c.isnumeric() for c in found)


def test_latin_has_its_letters_and_no_digit_sign_or_modifier():
    found = printed.letters("LATIN")
    assert {"A", "z", "é", "ß"} <= set(found)
    assert not {"0", "7", "+", "ª", "ʰ", "ₐ", "Ⅷ", "α"} & set(found)


def test_an_unknown_script_is_an_error():
    with pytest.raises(ValueError, match="no letters of script 'KLINGON': use a Unicode script"):
        printed.letters("KLINGON")
    with pytest.raises(ValueError, match="no letters of script 'LAT'"):
        printed.letters("LAT")


def test_the_faces_are_text_faces():
    names = [path.stem for path in printed.font_faces()]
    assert printed.font_faces() == sorted(printed.font_faces()) and len(names) >= 12
    assert {"DejaVuSans-Bold", "DejaVuSerif", "STIXGeneralItalic"} <= set(names)
    assert all(name.startswith(("DejaVuS", "STIXGen")) for name in names)


# ── how they are drawn ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("character", ["o", "W", "i", "ļ", "Ǆ"])
def test_the_ink_fills_a_centred_box_of_26_pixels(font, character):
    drawn = printed.draw_glyph(character, font)
    assert drawn.shape == (32, 32) and drawn.dtype == np.uint8
    assert drawn.max() > 200
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert 24 <= max(height, width) <= 26
    assert abs(rows[0] + rows[-1] - 31) <= 2 and abs(columns[0] + columns[-1] - 31) <= 2


def test_a_character_without_ink_is_black(font):
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
