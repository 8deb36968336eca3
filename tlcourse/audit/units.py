"""Numbers in several units in one column: which are of one family, and how to convert them."""

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

# How large the units of one quantity are, each in the first of its line.
FAMILIES = (
    {
        "kg": 1,
        "g": 1e-3,
        "mg": 1e-6,
        "t": 1e3,
        "lb": 0.45359237,
        "lbs": 0.45359237,
        "oz": 0.028349523,
    },
    {
        "cm": 1,
        "m": 100,
        "mm": 0.1,
        "km": 1e5,
        "in": 2.54,
        "inch": 2.54,
        "ft": 30.48,
        "mi": 160934.4,
    },
    {
        "": 1,
        "k": 1e3,
        "K": 1e3,
        "M": 1e6,
        "B": 1e9,
        "万": 1e4,
        "亿": 1e8,
        "元": 1,
        "万元": 1e4,
        "亿元": 1e8,
        "%": 1e-2,
        "％": 1e-2,
        "‰": 1e-3,
    },
    {"s": 1, "sec": 1, "ms": 1e-3, "min": 60, "h": 3600, "hr": 3600, "hrs": 3600, "d": 86_400},
    {"l": 1, "L": 1, "ml": 1e-3, "mL": 1e-3, "cl": 1e-2, "dl": 0.1, "gal": 3.785411784},
    {"m2": 1, "m²": 1, "sq m": 1, "sq ft": 0.09290304, "ft2": 0.09290304, "ha": 1e4, "km2": 1e6},
)
BEHIND = r"^\s*([^-]*?)\s*-\s*$"  # a minus sign behind the number, as accounts have it
FLAGGED = re.compile(r"^\s*([-+]?\d+(?:\.\d+)?)(?:\s+\(?([a-z]{1,3})\)?)?\s*$")
CELSIUS, FAHRENHEIT = ("°C", "℃", "C", "deg C"), ("°F", "℉", "F", "deg F")


@dataclass(frozen=True)
class Notation:
    """How the numbers of a column are written.

    Attributes
    ----------
    read : callable
        ``read(text)`` is the number that a text stands for, NaN if it is none, or if the column mixes
        units that `FAMILIES` does not relate.
    texts : frozenset of str
        The cells that ``float`` refuses, or takes for another number.
    marks : str
        What stands in them, such as "'$', thousands ','".
    code : str
        An expression of pandas that reads a column ``{column}``.
    split : str
        "two" if the expression has two columns, numbers and units, because nothing relates the units;
        "flags" if it has numbers and the letters that a statistical office put behind some.
    """

    read: Callable[[str], float]
    texts: frozenset[str]
    marks: str
    code: str
    split: str = ""


def replaced(changes: list[tuple[str, str]]) -> str:
    """Return an expression of pandas that makes the changes in a column of text."""
    gone = "|".join(re.escape(old).replace("\\ ", " ") for old, new in changes if not new)
    parts = [f".str.replace({gone!r}, '', regex=True)"] if gone else []
    parts += [
        f".str.replace({old!r}, {new!r}, regex={old == BEHIND})" for old, new in changes if new
    ]
    return "{column}.astype(str)" + "".join(parts)


def made(changes: list[tuple[str, str]], text: str) -> str:
    """Return a text with the changes that `replaced` makes in a column, in its order."""
    for old, new in sorted(changes, key=lambda change: bool(change[1])):
        text = re.sub(old, new, text) if old == BEHIND else text.replace(old, new)
    return text


def mixed(units: set[str], changes, texts: frozenset[str], marks: str) -> Notation:
    """Return the notation of a column that mixes units: converted if one family holds them all."""
    changes = [(old, new) for old, new in changes if old not in units]
    text = replaced(changes)
    parts = rf"{text}.str.extract(r'^\s*([-+]?[\d.]+)\s*(.*?)\s*$')"
    what = f"{marks}: several units"
    if all(unit in CELSIUS + FAHRENHEIT for unit in units):
        hot = [unit for unit in FAHRENHEIT if unit in units]
        code = f"{parts}.pipe(lambda t: t[0].astype(float).where(~t[1].isin({hot}), (t[0].astype(float) - 32) / 1.8))"
        return Notation(
            _converted(changes, lambda x, u: (x - 32) / 1.8 if u in hot else x), texts, what, code
        )
    for family in FAMILIES:
        if units <= family.keys():
            sizes = {unit: family[unit] for unit in sorted(units)}
            code = f"{parts}.pipe(lambda t: t[0].astype(float) * t[1].map({sizes}))"
            return Notation(_converted(changes, lambda x, u, f=sizes: x * f[u]), texts, what, code)
    number, unit = r"([-+]?\d[\d.]*)", r"([^\d\s.,+-]+)"
    parts = f"{text}.str.extract({number!r})[0].astype(float), {text}.str.extract({unit!r})[0]"
    code = f"pd.concat([{parts}], axis=1)"
    return Notation(lambda _: math.nan, texts, what, code, split="two")


def flagged(cells: Counter) -> Notation | None:
    """Return the notation of numbers of which fewer than half have a letter behind: "43.5 b", "12 (e)".

    None if the letters may be units.
    """
    found = {text: match for text in cells if (match := FLAGGED.fullmatch(text))}
    flags = {match[2] for match in found.values()} - {None}
    marked = frozenset(text for text, match in found.items() if match[2])
    few = 0 < 2 * sum(cells[text] for text in marked) < sum(cells[text] for text in found)
    units = flags & set().union(*FAMILIES)
    if not few or 2 * len(units) >= len(flags) or 2 * sum(cells[t] for t in found) < cells.total():
        return None
    code = f"{{column}}.astype(str).str.extract(r'{FLAGGED.pattern}').astype({{0: float}})"

    def read(text: str) -> float:
        match = FLAGGED.fullmatch(text)
        return float(match[1]) if match else math.nan

    named = ", ".join(sorted(flags)[:5])
    return Notation(read, marked, f"letters behind: {named}", code, split="flags")


def _converted(changes, convert: Callable[[float, str], float]) -> Callable[[str], float]:
    """Return what reads one text with its unit."""

    def read(text: str) -> float:
        match = re.fullmatch(r"\s*([-+]?[\d.]+)\s*(.*?)\s*", made(changes, text))
        try:
            return convert(float(match[1]), match[2]) if match else math.nan
        except (KeyError, ValueError):
            return math.nan

    return read
