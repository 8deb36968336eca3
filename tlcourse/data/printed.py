"""Characters drawn from the fonts that ship inside matplotlib: a data set every reader has.

No file is downloaded: each glyph is rendered with Pillow, once, and kept in the cache.
"""

import hashlib
import unicodedata
from collections import defaultdict
from dataclasses import replace
from functools import partial
from pathlib import Path

import matplotlib
import numpy as np
import PIL
import torch
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from tlcourse.data.cache import cached
from tlcourse.data.perturb import perturb
from tlcourse.data.sets import ImageSet, Splits

SIDE = 32  # pixels of a rendered glyph, before `perturb` reduces it
SOURCE_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")


def letters(script: str) -> list[str]:
    """Return the letters of a Unicode script, such as ``"LATIN"`` or ``"GEORGIAN"``.

    A character belongs when its Unicode name begins with the script and its category is one of
    the letter categories Lu, Ll, Lo, Lt: digits, marks and signs stay out.
    """
    found = [
        chr(code)
        for code in range(0x41, 0x2E00)
        if unicodedata.name(chr(code), "").startswith(script.upper() + " ")
        and unicodedata.category(chr(code)) in {"Lu", "Ll", "Lo", "Lt"}
    ]
    if not found:
        raise ValueError(f"no letters of script {script!r}: use a Unicode script such as 'GREEK'.")
    return found


def font_faces() -> list[Path]:
    """Return the text faces that ship inside matplotlib, sorted by name.

    The Computer Modern and STIX size files are left out: their slots hold other characters than
    Unicode says, as does the placeholder face LastResort.
    """
    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    return sorted(p for p in folder.glob("*.ttf") if p.stem.startswith(("DejaVuS", "STIXGen")))


def draw_glyph(character: str, font: ImageFont.FreeTypeFont) -> np.ndarray:
    """Render one character, scaled so that its ink fills a centred box of 26 of 32 pixels.

    Returns
    -------
    numpy.ndarray, shape (32, 32), uint8
    """
    left, top, right, bottom = font.getbbox(character)
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return np.zeros((SIDE, SIDE), np.uint8)
    ink = Image.new("L", (width, height))
    ImageDraw.Draw(ink).text((-left, -top), character, fill=255, font=font)
    ratio = 0.8125 * SIDE / max(width, height)
    ink = ink.resize((max(1, round(width * ratio)), max(1, round(height * ratio))), Image.BILINEAR)
    canvas = Image.new("L", (SIDE, SIDE))
    canvas.paste(ink, ((SIDE - ink.width) // 2, (SIDE - ink.height) // 2))
    return np.asarray(canvas)


def render(
    characters: list[str], min_faces: int = 4, duplicates: float = 0.93
) -> dict[str, np.ndarray]:
    """Render every character in every face that has it.

    Parameters
    ----------
    characters : list of str
    min_faces : int
        A character that fewer faces have is left out.
    duplicates : float
        Cosine above which a character is a near-duplicate of an earlier one, and left out; 1 keeps
        all.

    Returns
    -------
    dict of arrays
        ``images`` (n, 32, 32) uint8, ``labels`` (n,) positions in ``names``, ``groups`` (n,)
        positions in `font_faces`, ``names`` the characters kept.
    """
    pictures = defaultdict(list)
    for face, path in enumerate(font_faces()):
        known = FT2Font(str(path)).get_charmap()
        font = ImageFont.truetype(str(path), 48)
        for character in characters:
            if ord(character) in known:
                pictures[character].append((face, draw_glyph(character, font)))
    names = distinct({c: p for c, p in pictures.items() if len(p) >= min_faces}, duplicates)
    rows = [(image, k, face) for k, c in enumerate(names) for face, image in pictures[c]]
    if not rows:
        raise ValueError(f"no character is drawn in {min_faces} faces or more: lower min_faces.")
    images, labels, groups = (np.stack(column) for column in zip(*rows, strict=True))
    return {"images": images, "labels": labels, "groups": groups, "names": np.array(names)}


def distinct(pictures: dict[str, list], limit: float) -> list[str]:
    """Return the characters whose picture is not a near-duplicate of an earlier one.

    Two characters are near-duplicates when the cosine of their pictures exceeds `limit`, each in
    the first face that has it: a Latin o and a Greek omicron would otherwise be two classes.
    """
    names, kept = [], np.zeros((len(pictures), SIDE * SIDE), np.float32)
    for character, drawn in pictures.items():
        vector = drawn[0][1].astype(np.float32).ravel()
        length = np.linalg.norm(vector)
        if length == 0:  # an invisible character
            continue
        if limit >= 1 or (kept[: len(names)] @ (vector / length)).max(initial=0) <= limit:
            kept[len(names)] = vector / length
            names.append(character)
    return names


# ── the sets ────────────────────────────────────────────────────────────────────────────────


def glyphs(scripts=SOURCE_SCRIPTS, min_faces: int = 4) -> ImageSet:
    """Return printed letters, 32 × 32 pixels, one class a letter, grouped by font face.

    Parameters
    ----------
    scripts : sequence of str
        Unicode scripts. The default is the course's source domain: Latin, Greek and Cyrillic
        letters, and no digit.
    min_faces : int
        Letters drawn in fewer faces are left out.

    Raises
    ------
    ValueError
        For a script that Unicode, or every font, lacks.
    """
    characters = [c for script in scripts for c in letters(script)]
    name = "-".join([*scripts, str(min_faces)])
    return _printed(name, partial(render, characters, min_faces))


def _printed(name: str, render) -> ImageSet:
    # The fonts come with matplotlib, the rasteriser with Pillow, and the rest is our own code.
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    key = f"glyphs-{name}-{matplotlib.__version__}-{PIL.__version__}-{code}".lower()
    arrays = cached(key, render)
    return ImageSet(
        torch.from_numpy(arrays["images"]).float().div(255)[:, None],
        torch.from_numpy(arrays["labels"]),
        [str(name) for name in arrays["names"]],
        torch.from_numpy(arrays["groups"]),
    )


def georgian() -> Splits:
    """Return the 33 letters of the modern Georgian alphabet, which the source never shows.

    Printed and perturbed as the source letters are, so the domain is the same and only the task
    is new. Faces do not mix: 5 of the 12 make the pool, 3 the validation set, 4 the test.

    Returns
    -------
    Splits
        60, 12 and 20 pictures a class, 16 × 16 pixels; ``groups`` holds the font face.
    """
    modern = [chr(code) for code in range(0x10D0, 0x10F1)]
    printed = _printed("modern-georgian", partial(render, modern, duplicates=1.0))
    generator = torch.Generator().manual_seed(33)  # fixed: the split never moves with a seed
    faces = printed.groups.unique()
    faces = faces[torch.randperm(len(faces), generator=generator)]
    splits = []
    for part, copies in zip(faces.split([5, 3, 4]), (12, 4, 5), strict=True):
        drawn = printed.subset(torch.isin(printed.groups, part).nonzero()[:, 0].repeat(copies))
        splits.append(replace(drawn, images=perturb(drawn.images, generator)))
    return Splits(*splits)


def printed_digits() -> ImageSet:
    """Return the ten digits printed in every font of the course, 32 × 32 pixels, by font face."""
    return _printed("digits", partial(render, list("0123456789"), 4, duplicates=1.0))
