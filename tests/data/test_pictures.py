"""Whatever a photograph comes as, the same picture is seen; whatever cannot be used gets a reason."""

import numpy as np
import pytest
from PIL import Image, features

from tlcourse.data import pictures

DOWN, ACROSS = np.mgrid[0:40, 0:60]  # wider than high
RAMP = (255 * (DOWN + ACROSS) / 98).round().astype(np.uint8)
CHANNELS = [RAMP, (255 * DOWN / 39).astype(np.uint8), 255 - RAMP]
COLOURS = Image.merge("RGB", [Image.fromarray(channel) for channel in CHANNELS])
ENDINGS = ("jpg", "png", "gif", "webp", "tif", "bmp")


def written(path, picture=COLOURS, **how):
    picture.save(path, **how)
    return path


def difference(path, expected=COLOURS):
    found, _ = pictures.open_photograph(path)
    assert (found.mode, found.size) == ("RGB", expected.size)
    one, other = (np.asarray(p.convert("RGB"), dtype=float) for p in (found, expected))
    return np.abs(one - other).mean()


def test_any_form_gives_the_same_picture_and_says_what_was_done(tmp_path):
    assert "HEIF" in pictures.formats()
    grey = Image.fromarray(RAMP)
    sixteen = Image.fromarray(RAMP.astype(np.uint16) * 257)
    twelve = Image.fromarray((RAMP * (4095 / 255)).astype(np.uint16))
    clear = COLOURS.convert("RGBA")
    clear.putalpha(
        Image.fromarray(np.where(np.arange(60) < 30, 255, 0).astype(np.uint8)[None].repeat(40, 0))
    )
    half = Image.composite(COLOURS, Image.new("RGB", COLOURS.size, "white"), clear.split()[3])
    gif = {"save_all": True, "append_images": [Image.new("RGB", COLOURS.size)]}
    for name, picture, how, expected, within, words in [
        ("a.PNG", COLOURS, {}, COLOURS, 0, ""),
        ("b.jfif", COLOURS, {"format": "JPEG", "quality": 95}, COLOURS, 6, ""),
        ("c.jpg", COLOURS.convert("CMYK"), {"quality": 95}, COLOURS, 6, "CMYK"),
        ("d.png", COLOURS.convert("P", palette=Image.Palette.ADAPTIVE), {}, COLOURS, 6, "palette"),
        ("e.png", grey, {}, grey, 0, "grey made RGB"),
        ("f.png", sixteen, {}, grey, 0, "16 bit grey"),
        ("g.tiff", twelve, {}, grey, 1, "16 bit grey"),
        ("h.tif", Image.fromarray(RAMP.astype(np.float32) / 100), {}, grey, 1, "16 bit grey"),
        ("i.png", clear, {}, half, 0, "transparent parts made white"),
        ("j.gif", COLOURS, gif, COLOURS, 12, "several pictures in a file, the first taken"),
        ("k.webp", COLOURS, {"lossless": True}, COLOURS, 0, ""),
        ("l.heic", COLOURS, {"quality": 95}, COLOURS, 6, ""),
        ("no ending", COLOURS, {"format": "PNG"}, COLOURS, 0, ""),
    ]:  # fmt: skip
        path = written(tmp_path / name, picture, **how)
        assert pictures.is_photograph(path) is None, name
        assert difference(path, expected) <= within, name
        assert words in " ".join(pictures.open_photograph(path)[1]), name
    if features.check("avif"):
        assert difference(written(tmp_path / "m.avif", quality=95)) < 6


def test_a_photograph_is_turned_upright_and_a_large_one_reduced(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    path = written(tmp_path / "1.png", exif=turned)
    assert difference(path, COLOURS.transpose(Image.Transpose.ROTATE_270)) == 0
    assert pictures.open_photograph(path)[1] == ("turned upright as the camera noted",)
    for name in ("2.jpg", "2.png"):
        large = written(tmp_path / name, COLOURS.resize((600, 400)))
        assert pictures.open_photograph(large)[0].size == (600, 400)
        small = pictures.open_photograph(large, 100)[0]
        assert small.size == (150, 100), "no side falls below what is asked for"


def test_what_cannot_be_used_gets_a_reason(tmp_path, monkeypatch):
    whole = written(tmp_path / "whole.jpg").read_bytes()
    for name, content, reason in [
        ("empty.jpg", b"", "damaged"),
        ("noise.png", bytes(range(256)), "damaged"),
        ("imageNotFound.gif", b"", "no photograph"),
        ("notes.txt", b"no picture", "no photograph"),
        ("page.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no photograph"),
    ]:
        (tmp_path / name).write_bytes(content)
        assert pictures.is_photograph(tmp_path / name).startswith(reason), name
        with pytest.raises(pictures.Unusable, match=f"the photograph {name} cannot be used"):
            pictures.open_photograph(tmp_path / name)
    (tmp_path / "camera.nef").write_bytes(whole)
    assert pictures.is_photograph(tmp_path / "camera.nef").startswith(
        "raw file of a camera: export"
    )
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert pictures.is_photograph(tmp_path / "a.heic").startswith("damaged")
    known = tuple(name for name in pictures.formats() if name not in ("HEIF", "AVIF"))
    monkeypatch.setattr(pictures, "formats", lambda: known)  # as where neither is installed
    (tmp_path / "a.avif").write_bytes(b"\0\0\0\x18ftypavif\0\0\0\0mif1avif")
    assert "pip install pillow-heif" in pictures.is_photograph(tmp_path / "a.heic")
    assert "cannot read AVIF" in pictures.is_photograph(tmp_path / "a.avif")
    monkeypatch.undo()
    large = written(tmp_path / "large.jpg", COLOURS.resize((900, 600))).read_bytes()
    (tmp_path / "half.jpg").write_bytes(large[: len(large) // 2])
    assert pictures.is_photograph(tmp_path / "half.jpg") is None, "its beginning is whole"
    with pytest.raises(ValueError, match="half.jpg cannot be used .damaged: delete it or copy"):
        pictures.open_photograph(tmp_path / "half.jpg")


def test_no_bytes_give_anything_but_a_reason(tmp_path):
    """Random bytes, and whole files with random bytes in them, of every form."""
    rng = np.random.default_rng(0)
    forms = [written(tmp_path / f"whole.{e}").read_bytes() for e in ENDINGS]
    for k in range(150):
        content = bytearray(forms[k % len(forms)] if k % 5 else rng.bytes(300))
        for place in rng.integers(len(content), size=1 + k % 9):
            content[place] = rng.integers(256)
        path = tmp_path / f"{k}.{ENDINGS[k % 6]}"
        path.write_bytes(content[: rng.integers(1, len(content) + 1)] if k % 2 else content)
        assert pictures.is_photograph(path) is None or path.suffix
        try:
            assert pictures.open_photograph(path, 100)[0].mode == "RGB"
        except pictures.Unusable as problem:
            assert path.name in str(problem) and problem.reason
