"""What a text says: a word for "missing", a bare number, one spelling of several."""

import math
import re
from collections import Counter

# Words that mean "not measured" wherever they stand; compared without case, outer spaces and brackets.
WORDS = frozenset(
    [
        "?",
        "??",
        "???",
        "-",
        "--",
        "---",
        "–",
        "—",
        ".",
        "..",
        "…",
        "*",
        "#",
        "na",
        "n/a",
        "n.a.",
        "n.a",
        "n\\a",
        "#n/a",
        "#na",
        "nan",
        "null",
        "nul",
        "missing",
        "unknown",
        "unkown",
        "unk",
        "unspecified",
        "undefined",
        "undetermined",
        "unavailable",
        "unrecorded",
        "unreported",
        "n/k",
        "n.k.",
        "n/d",
        "n.d.",
        "nk",
        "nd",
        "error",
        "#error",
        "#error!",
        "#value!",
        "#ref!",
        "#div/0!",
        "#name?",
        "#num!",
        "#null!",
        "invalid",
        "blank",
        "empty",
        "tbd",
        "tba",
        "t.b.d.",
        "unbekannt",
        "k.a.",
        "n.c.",
        "inconnu",
        "desconocido",
        "未知",
        "缺失",
        "不详",
        "不明",
        "空",
        "空值",
        "无数据",
        "暂无",
        "暂无数据",
        "暂无信息",
        "未填",
        "未测",
    ]
)
PHRASES = re.compile(
    r"(not|never|no[tn]?)[ _-]?(available|known|recorded|measured|specified|stated|reported|given|"
    r"provided|applicable|determined|tested|entered|collected|assessed|disclosed)|"
    r"no[ _-]?(data|answer|response|value|info|information|record|entry)|"
    r"(data|value)[ _-]?(missing|unknown|not available)|(missing|unknown)[ _-]?(data|value)|"
    r"to[ _-]be[ _-](determined|announced)|prefer not to (say|answer)|don'?t know|refused|"
    r"keine angaben?|没有数据|无法测量"
)
# Beside one of these, a word of the list names a category of its own.
PARTNERS = {
    "error": "ok success successful warning warn info information debug pass passed fatal critical",
    "invalid": "valid",
    "empty": "full half occupied filled",
    "blank": "full filled printed written",
    "missing": "found present returned dead alive injured",
    "refused": "accepted approved granted agreed allowed consented",
    "undefined": "defined",
    "unspecified": "specified",
    "unavailable": "available",
    "not available": "available",
    "not specified": "specified",
    "not reported": "reported",
    "not recorded": "recorded",
    "not tested": "tested positive negative",
    "not applicable": "applicable",
    "-": "+ ++ +/- ± -- 0+ 0-",
    "--": "++ + -",
    "*": "** ***",
    "#": "##",
    ".": ", ; :",
    "?": "! . ,",
}
IN_NUMBERS = frozenset(
    ["none", "nil", "no", "x", "pending", "void", "n", "-", "trace", "off", "out", "absent"]
)
CODE = re.compile(r"[A-Z]{2,3}|[a-z]{2,3}")  # of countries, languages: NA, ND, TBA may be some
SPOKEN = re.compile(  # numbers, though no digits
    r"(zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(thir|four|fif|six|seven|eigh"
    r"|nine)teen|(twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|[ -])+|[零〇一二两三四五六七八九十百千万]+"
)
NUMBER = re.compile(
    r"\s*[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?\s*|\s*[-+]?(inf|infinity)\s*", re.IGNORECASE
)
PADDED = re.compile(r"\s*[-+]?0\d")
BYTE = r"(25[0-5]|2[0-4]\d|1?\d?\d)"
NAME = re.compile(rf"0\d+|\d{{1,2}}(\.\d{{1,2}}){{2,}}|{BYTE}(\.{BYTE}){{3}}")
NINES = re.compile(r"-(9{1,6}|8{2,6}|7{2,6})|9{2,6}|8{3,6}|7{3,6}")
CODES = 10  # cells with letters and digits that make names of the numbers beside them
LETTERED = re.compile(
    r"\s*((?!(?i:c|ca|circa|about|approx|etwa|env|vers)\b)[A-Za-z].*\d{2}|\d{3,}[A-JLN-Z]\s*$)"
)
OFTEN = 5  # times that a text among numbers is no slip
SEPARATORS = re.compile(r"[\s_]+")


def plain(text: str) -> str:
    """Return a text without case, outer spaces and brackets: "(Unknown) " says "unknown"."""
    text = " ".join(text.split()).casefold()
    bare = text[1:-1].strip() if text[:1] + text[-1:] in ("()", "<>", "[]", "{}") else text
    return bare or text


def missing(counts: Counter, among_numbers: bool, few: bool = False) -> set[str]:
    """Return the texts of a column that stand for a missing cell.

    Words of the list `WORDS` do, one cell is enough, unless another category of the column shows that
    they mean something: "-" beside "+", ERROR beside OK, NA among codes of two letters, Nan among names. In a column of
    words so do numbers of nines (-999). Among numbers, so does every text without a digit that occurs
    five times: what is repeated there is no slip, unless the numbers are few: K, 1, 2, 3 are grades.

    Parameters
    ----------
    counts : collections.Counter
        How often each text occurs; among numbers, of those that are no number.
    among_numbers : bool
        Whether the other cells are numbers.
    few : bool
        Whether these are so few different ones that they may be names of classes.
    """
    says = {text: plain(text) for text in counts if len(text) <= 40}
    found = {text for text, word in says.items() if word in WORDS or PHRASES.fullmatch(word)}
    if among_numbers:
        often = {t for t in says if counts[t] >= OFTEN and not few}
        repeated = {t for t in often if not re.search(r"\d", t) and not SPOKEN.fullmatch(says[t])}
        return found | repeated | {text for text, word in says.items() if word in IN_NUMBERS}
    others = {word for text, word in says.items() if text not in found}
    rest = [text for text in counts if text not in found]
    if rest and all(CODE.fullmatch(text.strip()) for text in rest):
        found = {text for text in found if not CODE.fullmatch(text.strip())}
    found = {t for t in found if not others & set(PARTNERS.get(says[t], "").split())}
    if rest and sum(text.istitle() for text in rest) > 0.9 * len(rest):
        found -= {"Nan"}  # a first name among names; the number is written NaN or nan
    if rest and not any(NUMBER.fullmatch(text) for text in rest if not NINES.fullmatch(text)):
        found |= {text for text in rest if NINES.fullmatch(text.strip())}
    return found


def is_known(text: str) -> bool:
    """Whether a text is a word for missing by itself, whatever stands beside it."""
    return plain(text) in WORDS or bool(
        PHRASES.fullmatch(plain(text)) or NINES.fullmatch(text.strip())
    )


def number(text: str) -> float:
    """Return the number that a text is, NaN if it is none.

    Not so what Python takes for one and a reader does not: "1_1". A zero in front marks a code: "007".
    """
    if not NUMBER.fullmatch(text) or PADDED.match(text):
        return math.nan
    return float(text)


def are_names(counts: Counter) -> bool:
    """Whether the numbers of a column are names: codes such as 007, versions such as 1.10.2, addresses."""
    names = sum(k for text, k in counts.items() if NAME.fullmatch(text.strip()))
    return names >= 2 and names > 0.02 * counts.total()


def are_codes(strays: Counter) -> bool:
    """Whether the texts among a column's numbers show that these are names: PC 17599 beside 17463."""
    codes = sum(k for text, k in strays.items() if LETTERED.match(text))
    return codes >= CODES and 2 * codes > strays.total()


def spelling(text: str) -> str:
    """Return what a text says, however it is spelt: the same for "New York", "new york " and "NEW_YORK.".

    Spelling is case, white space, ``_`` and dots at the end. All else carries meaning: signs (B+ and B-),
    decimal marks (1.1M and 11M), hyphens, a space between digits.
    """
    text = re.sub(r"(?<=[^\W\d_])\s*\.+$", "", text.strip(" \t\r\n\v\f\xa0_"))
    text = re.sub(r"(?<!\d) | (?!\d)", "", SEPARATORS.sub(" ", text))
    return text.casefold()
