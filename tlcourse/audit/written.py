"""Read numbers that are written as text: "$1,234.56", "12 %", "70.3 kg", "3,6", "<5".

A column is read as a whole, because a cell alone may not tell: "1,234" has a thousands mark beside
"1,234.50", and a decimal comma beside "0,5".
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

from tlcourse.audit.units import BEHIND, FAMILIES, Notation, flagged, made, mixed, replaced
from tlcourse.audit.words import PADDED

SIGNS = "$€£¥￥₹₩₽₺₫₪฿"  # of currencies
CURRENCIES = ("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "RMB", "INR", "Rs.", "Rs")
LONGEST = 40  # characters; longer text is no number
MANY = 5  # different numbers that a unit of letters needs: "2WD" and "4WD" stay categories
SCALES = "kKMB万亿%％‰"  # beside bare numbers they say how much larger or smaller a cell is
RARE = 0.1  # of the numbers, at least, have a unit where the others are bare
MIXED = 3  # units that one column may mix; with more, these are no measurements
# What stands behind a number and is no unit: ordinals, half days, months.
NO_UNIT = re.compile(
    r"(st|nd|rd|th|am|pm|jan(uary)?|feb(ruary)?|mar(ch)?|apr(il)?|may|june?|july?|aug(ust)?"
    r"|sept?(ember)?|oct(ober)?|nov(ember)?|dec(ember)?)",
    re.IGNORECASE,
)

_UNIT = rf"(?:[^\W\d_]|[°%‰％/µ·㎡㎥㎏㎎㎜㎝㎞℃℉{SIGNS}]){{1,12}}"


def _pattern(decimal: str, group: str) -> re.Pattern:
    grouped = rf"[1-9]\d{{0,2}}(?P<group>[{group} \u00a0\u202f'’])(?:\d{{2,3}}(?P=group))*\d{{3}}"
    body = rf"(?:{grouped}|\d+)(?P<decimal>{decimal}\d*)?|{decimal}\d+"
    parts = {
        "limit": r"(?:[<>≤≥]=?)?",
        "open": r"\(?",
        "minus": r"[-+−]?",
        "before": rf"(?:[A-Z]{{0,3}}[{SIGNS}]|{'|'.join(map(re.escape, CURRENCIES))})?",
        "inner": r"\(?",
        "sign": r"[-+−]?",
        "number": rf"(?:{body})(?:[eE][-+]?\d+)?",
        "after": rf"(?:{_UNIT}[23]?(?: {_UNIT})?)?",  # as in m2, or sq ft
        "more": r"[-+]?",
        "close": r"\)?",
    }
    return re.compile(r"\s*".join(f"(?P<{name}>{part})" for name, part in parts.items()))


POINT, COMMA = _pattern(r"\.", ","), _pattern(",", r"\.")  # by the decimal mark


def notation(cells: Counter) -> Notation | None:
    """Find out how a column's numbers are written.

    Parameters
    ----------
    cells : Counter
        How often each text occurs; without missing ones.

    Returns
    -------
    Notation or None
        None if all numbers are bare, or fewer than half of the cells are numbers.
    """
    if (flags := flagged(cells)) is not None:
        return flags
    found, both = _reading(cells)
    found = _without_rare_units(found, cells)
    currencies = {match["before"] for match in found.values()} - {""}
    one = len(currencies) == 1  # it is no unit that differs: €1.1M beside €400K
    said = {match["after"] if one else _unit(match) for match in found.values()}
    units = said - {""}
    changes = _changes(found)
    values = {text: value for text in found if (value := _value(text, changes)) is not None}
    texts = frozenset(text for text in values if _value(text, []) != values[text])
    if not texts or 2 * sum(cells[text] for text in values) < cells.total():
        return None
    marks = _marks(found, units | currencies)
    if len(units) > 1 or ("" in said and any(unit[-1] in SCALES for unit in units)):
        return mixed(said, changes, texts, marks)
    ask = "; first ask whether ',' marks thousands or decimals" if both else ""
    code = f"pd.to_numeric({replaced(changes)}, errors='coerce')"
    return Notation(_reader(changes, values.keys()), texts, marks + ask, code)


def _without_rare_units(found: dict[str, re.Match], cells: Counter) -> dict[str, re.Match]:
    """Leave out the cells with a unit where nine of ten have none: these are text among numbers.

    A sign of a currency is none: "0" beside "$4.99" costs nothing.
    """

    def has_unit(match):
        return match["after"] or match["before"] not in SIGNS

    marked = sum(cells[text] for text, match in found.items() if has_unit(match))
    if RARE * sum(cells[text] for text in found) <= marked:
        return found
    return {text: match for text, match in found.items() if not has_unit(match)}


def _reader(changes: list[tuple[str, str]], known) -> Callable[[str], float]:
    """Return what reads one text: of those that were looked at, only the ones that are numbers."""

    def read(text: str) -> float:
        if text not in known and (PADDED.match(text) or not re.search(r"\d", text)):
            return math.nan
        value = _value(text, changes)
        return math.nan if value is None else value

    return read


def _reading(cells: Counter) -> tuple[dict[str, re.Match], bool]:
    """Return the cells that are numbers, and whether the decimal mark is open.

    The decimal mark is the one that makes more cells numbers; a comma must also explain at least as
    many cells as it changes, since it turns 5.843 into 5843.
    """
    point, comma = (_matches(pattern, cells) for pattern in (POINT, COMMA))
    gained = sum(cells[text] for text in comma.keys() - point.keys())
    lost = sum(cells[text] for text in point.keys() - comma.keys())
    changed = sum(
        cells[text] for text in comma.keys() & point.keys() if comma[text]["group"] == "."
    )
    if gained > lost and gained >= changed:
        return comma, False
    return point, point.keys() == comma.keys() and any(m["group"] == "," for m in point.values())


def _matches(pattern: re.Pattern, cells: Counter) -> dict[str, re.Match]:
    found = {
        text: match
        for text in cells
        if len(text) <= LONGEST
        and (match := pattern.fullmatch(text.strip()))
        and bool(match["open"]) + bool(match["inner"]) == bool(match["close"])
        and not _is_fraction(match["after"])
        and _value(text, _changes({text: match})) is not None
    }
    if _groups_of_digits(found.values()):
        return {}
    limits = sum(cells[text] for text, match in found.items() if match["limit"])
    if 2 * limits > sum(cells[text] for text in found):  # "<18" and ">=18" are classes
        found = {text: match for text, match in found.items() if not match["limit"]}
    behind = {"+": _are_lower_bounds, "-": _are_negatives}
    kept = [sign for sign, fits in behind.items() if fits(found.values())]
    found = {text: m for text, m in found.items() if not m["more"] or m["more"] in kept}
    units = {_unit(match) for match in found.values()} - {""}
    measured = _are_units(units, len({match["number"] for match in found.values()}))
    return {text: match for text, match in found.items() if measured or not _unit(match)}


def _are_lower_bounds(matches) -> bool:
    """Whether "1,000+" is a number: most have the sign, and some are long; "3+" is a grade."""
    signed = [match for match in matches if match["more"] == "+"]
    return 2 * len(signed) > len(matches) and any(match["group"] for match in signed)


def _are_negatives(matches) -> bool:
    """Whether "12,50-" is below zero: some have the sign, with decimals or digits; "1-" is a grade."""
    signed = [match for match in matches if match["more"] == "-"]
    long = [match for match in signed if len(re.findall(r"\d", match["number"])) > 1]
    plus = any(match["more"] == "+" or match["minus"] or match["sign"] for match in matches)
    return not plus and 2 * len(long) > len(signed) and len(matches) >= MANY


def _unit(match: re.Match) -> str:
    return match["before"] + match["after"]


def _is_fraction(unit: str) -> bool:
    """Whether a part of the number stands there, as in 9½; m² is a unit."""
    parts = [char for char in unit if unicodedata.category(char) == "No"]
    return any(char not in "²³" for char in parts) or unit[:1] in ("²", "³")


def _are_units(units: set[str], numbers: int) -> bool:
    """Whether what stands beside a column's numbers is a unit, and no part of a name or a date."""
    if any(NO_UNIT.fullmatch(unit) for unit in units) or len(units) > MIXED:
        return False
    if len(units) > 1 and not any(units <= family.keys() for family in FAMILIES):
        # letters such as A, B, C are no units
        return numbers >= MANY and all(len(u) > 1 or not u.isalpha() or u in "kKM" for u in units)
    letters = any(char.isalpha() for unit in units - set(CURRENCIES) for char in unit)
    return numbers >= MANY or not letters


def _groups_of_digits(matches) -> bool:
    """Whether these are telephone numbers and the like: groups of digits, all of one length."""
    matches = list(matches)
    return (
        all(m["group"] in (" ", ".") and not m["decimal"] for m in matches)
        and all(m["number"].count(m["group"]) > 1 for m in matches)
        and len({len(m["number"]) for m in matches}) == 1
    )


def _changes(found: dict[str, re.Match]) -> list[tuple[str, str]]:
    """Return what to replace, and by what, until ``float`` can read the cells."""
    matches = found.values()
    beside = {m[part] for m in matches for part in ("before", "after")}
    groups = {m["group"] for m in matches if m["group"]}
    changes = [(text, "") for text in sorted(beside - {""}, key=lambda text: (-len(text), text))]
    changes += [(group, "") for group in sorted(groups)]
    limits = {m["limit"] for m in matches if m["limit"]}
    changes += [(limit, "") for limit in sorted(limits, key=len, reverse=True)]
    changes += [("+", "")] if any(m["more"] == "+" for m in matches) else []
    spaces = {char for text in found for char in text if char.isspace() and char != " "} - groups
    changes += [(char, "") for char in sorted(spaces)]  # pandas would not strip them
    if any("," in (m["decimal"] or m["number"][0]) for m in matches):
        changes.append((",", "."))
    if _has_minus_signs(matches):
        changes.append(("−", "-"))
    if any(m["close"] for m in matches):
        changes += [("(", "-"), (")", "")]
    if any(m["more"] == "-" for m in matches):
        changes.append((BEHIND, r"-\1"))
    return changes


def _has_minus_signs(matches) -> bool:
    """Whether some number has the sign − of typesetters, which ``float`` may refuse."""
    return any("−" in m["minus"] + m["sign"] for m in matches)


def _value(text: str, changes: list[tuple[str, str]]) -> float | None:
    try:
        return float(made(changes, text))
    except ValueError:
        return None


def _marks(found: dict[str, re.Match], units: set[str]) -> str:
    matches = found.values()
    groups = sorted({m["group"] for m in matches if m["group"]})
    marks = [repr(unit) for unit in sorted(units)] + [f"thousands {group!r}" for group in groups]
    also = {
        "decimal commas": (",", ".") in _changes(found),
        "limits such as '<5'": any(m["limit"] for m in matches),
        "lower bounds such as '5+'": any(m["more"] == "+" for m in matches),
        "minus signs behind": any(m["more"] == "-" for m in matches),
        "minus signs '−'": _has_minus_signs(matches),
        "negatives in parentheses": any(m["close"] for m in matches),
    }
    return ", ".join([*marks, *(mark for mark in also if also[mark])])
