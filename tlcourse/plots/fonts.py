"""Names from anywhere in figures: any script that a font here has, nothing set as mathematics."""

import contextlib
import unicodedata
from collections.abc import Sequence
from functools import cache

import matplotlib
from matplotlib import font_manager

OURS = "DejaVu Sans"  # which matplotlib brings along
# Fonts with Chinese, Japanese and Korean signs come first: on Linux, Windows and macOS.
FIRST = (
    *("Noto Sans CJK", "Noto Sans SC", "Source Han Sans", "WenQuanYi", "Microsoft YaHei", "SimHei"),
    *("PingFang", "Hiragino Sans", "Heiti", "Droid Sans Fallback", "Arial Unicode", "Noto Sans"),
)
WIDEST = 18  # columns of a name in a figure; a Chinese sign takes two


@contextlib.contextmanager
def drawing(names: Sequence[str]):
    """Draw and save figures with these names inside the block.

    Yields
    ------
    labels : list of str
        What to write for each name: itself, cut in the middle if it is long; "class 1" and so on
        where no font here has its signs.
    lacking : list of str
        The names that no font here has.
    """
    families, lacking = fonts_for(names)
    short = [cut(name) for name in names]
    labels = [
        f"class {k}" if name in lacking else short[k - 1] for k, name in enumerate(names, start=1)
    ]
    with matplotlib.rc_context({"font.family": families, "text.parse_math": False}):
        yield labels, lacking


def sentence(lacking: Sequence[str], names: Sequence[str]) -> str:
    """Return what to say of names that no font here has; nothing if all have one."""
    if not lacking:
        return ""
    known = ", ".join(f"class {list(names).index(name) + 1} is {name}" for name in lacking)
    return (
        f"No font on this machine has all signs of some names, so in the figures {known}. Install "
        "one that has them, such as Noto Sans CJK, and run it again."
    )


def fonts_for(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return families that have the signs of the names between them, and the names they cannot write.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    families : list of str
        As ``font.family`` of matplotlib, ours first.
    lacking : list of str
    """
    missing = {ord(c) for name in names for c in name if c.isprintable()} - _signs(_path(OURS))
    families = [OURS]
    for family, path in _others() if missing else ():
        if found := missing & _signs(path):
            families.append(family)
            missing -= found
        if not missing:
            break
    return families, [name for name in names if missing & set(map(ord, name))]


def cut(name: str, widest: int = WIDEST) -> str:
    """Return a name for a figure: on one line, its middle left out if it is long."""
    name = "".join(c if c.isprintable() else " " for c in name)
    if _width(name) <= widest:
        return name
    front, back = name, name
    while _width(front) > widest // 2:
        front = front[:-1]
    while _width(back) > widest - widest // 2 - 1:
        back = back[1:]
    return f"{front}…{back}"


def _width(name: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in name)


def _path(family: str) -> str:
    return font_manager.findfont(family)


@cache
def _signs(path: str) -> set[int]:
    """Return the code points that a font file has; none if it cannot be read."""
    try:
        return set(font_manager.get_font(path).get_charmap())
    except (OSError, RuntimeError):
        return set()


@cache
def _others() -> list[tuple[str, str]]:
    """Return family and file of every other font, those first that have many signs and look alike.

    Also of fonts that were installed since matplotlib made its list.
    """
    known = {font.fname for font in font_manager.fontManager.ttflist}
    for path in set(font_manager.findSystemFonts()) - known:
        with contextlib.suppress(OSError, RuntimeError):
            font_manager.fontManager.addfont(path)
    # The font of last resort has a box for every sign of all.
    fonts = [f for f in font_manager.fontManager.ttflist if "Last Resort" not in f.name]

    def place(font):
        rank = next((k for k, name in enumerate(FIRST) if font.name.startswith(name)), len(FIRST))
        return rank, "Sans" not in font.name, font.style != "normal", font.weight != 400, font.name

    files = {}
    for font in sorted(fonts, key=place):
        files.setdefault(font.name, font.fname)
    return list(files.items())
