"""Any name can be drawn where a font has its signs; else it is said, and nothing becomes a box."""

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from tlcourse.plots import fonts, new_figure

NAMES = ["$x_1$", "花", "cat"]


def font_with(signs, path):
    """Write a font that has a square for each of these signs and nothing else."""
    pen = TTGlyphPen(None)
    for k, corner in enumerate([(100, 0), (100, 800), (900, 800), (900, 0)]):
        (pen.lineTo if k else pen.moveTo)(corner)
    pen.closePath()
    square, names = pen.glyph(), [f"sign{ord(sign)}" for sign in signs]
    build = FontBuilder(1000, isTTF=True)
    build.setupGlyphOrder([".notdef", *names])
    build.setupCharacterMap({ord(sign): name for sign, name in zip(signs, names, strict=True)})
    build.setupGlyf(dict.fromkeys([".notdef", *names], square))
    build.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (1000, 100)))
    build.setupHorizontalHeader(ascent=900, descent=-100)
    build.setupNameTable({"familyName": path.stem, "styleName": "Regular"})
    build.setupOS2(sTypoAscender=900, usWinAscent=900, usWinDescent=100)
    build.setupPost()
    build.save(path)
    return str(path)


@pytest.fixture
def installed(monkeypatch):
    """Have no fonts but ours and those of a list, whatever this machine has."""
    ours = [f for f in font_manager.fontManager.ttflist if f.name == fonts.OURS]
    more = []
    monkeypatch.setattr(font_manager.fontManager, "ttflist", ours)
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: more)
    fonts._others.cache_clear()
    yield more
    fonts._others.cache_clear()


def drawn(labels):
    """The texts of an axis, as the figure shows them."""
    figure, ax = new_figure("names")
    ax.set_xticks(range(len(labels)), labels)
    figure.png()
    texts = ax.get_xticklabels()
    assert not any(text.get_parse_math() for text in texts), "nothing is mathematics"
    return [text.get_text() for text in texts], texts[0].get_fontfamily()


def test_a_font_that_has_the_signs_is_found(installed, tmp_path, recwarn):
    installed.append(font_with("花", tmp_path / "Flower.ttf"))
    with fonts.drawing(NAMES) as (labels, lacking):
        assert (labels, lacking) == (NAMES, [])
        assert drawn(labels) == (NAMES, [fonts.OURS, "Flower"])
    assert fonts.sentence([], NAMES) == ""
    assert not [w for w in recwarn if "missing from font" in str(w.message)]


def test_where_no_font_has_them_it_is_said(installed, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    installed += [font_with("木", tmp_path / "Tree.ttf"), str(tmp_path / "broken.ttf")]
    with fonts.drawing(NAMES) as (labels, lacking):
        assert (labels, lacking) == (["$x_1$", "class 2", "cat"], ["花"])
        assert drawn(labels)[0] == labels
    assert "in the figures class 2 is 花. Install" in fonts.sentence(lacking, NAMES)


def test_a_long_name_loses_its_middle():
    assert fonts.cut("Chinese pavilion") == "Chinese pavilion"
    assert fonts.cut("the northern pavilion at dawn") == "the north… at dawn"
    assert fonts.cut("很长的名字很长的名字") == "很长的名…长的名字"
    assert fonts.cut("two\nlines") == "two lines"
