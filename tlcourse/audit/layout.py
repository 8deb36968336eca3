"""How a text file is laid out: its encoding, its comments, the sign between its cells."""

import codecs
import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np

from tlcourse.audit.words import WORDS, number, plain

PEEK = 1 << 20  # bytes by which a file is judged
FRAME = re.compile(r"\s*[-=+|*_][-=+|*_\s]{4,}")
MOST_TITLES = 30  # lines above a header
LINES = 200  # lines by which the sign between the cells is judged
BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SIGNS = {",": "','", ";": "';'", "\t": "tabs", "|": "'|'", r"\s+": "spaces"}


def encoding_of(file: Path, start: bytes) -> tuple[str, list[str]]:
    """Return a text file's encoding, and a note where it is not UTF-8.

    A mark at the start decides; else UTF-16 shows by its zeros, UTF-8 by its own rules, GB18030 by
    being valid with most of its characters common Chinese ones; what is left is cp1252, as Excel writes
    in the West.
    """
    for mark, encoding in BOMS.items():
        if start.startswith(mark):
            name = encoding.upper().removesuffix("-SIG")
            return encoding, [] if encoding == "utf-8-sig" else [
                f"read as {name}: its mark says so"
            ]
    zeros = [start[side::2].count(0) / max(1, len(start) // 2) for side in (0, 1)]
    if max(zeros) > 0.3 and len(start) > 4:
        encoding = "utf-16-le" if zeros[1] > zeros[0] else "utf-16-be"
        return encoding, [f"read as {encoding.upper()}: every other byte is 0"]
    if b"\x00" in start:
        raise ValueError(f"{file} is no text: it has bytes of 0; save the table as CSV.")
    if _valid(file, "utf-8"):
        return "utf-8", []
    if _chinese(start):
        return "gb18030", ["read as GB18030, the encoding of Chinese Excel: it is not UTF-8"]
    if _valid(file, "cp932") and _japanese(start):
        return "cp932", ["read as Shift-JIS, the encoding of Japanese Excel: it is not UTF-8"]
    return "cp1252" if _valid(file, "cp1252") else "latin-1", [
        "read as cp1252, the encoding of Western Excel: it is not UTF-8; look at the accents"
        if 3 * sum(byte > 127 for byte in start) < sum(bytes([byte]).isalpha() for byte in start)
        else "read as cp1252, but no Western text looks so: save it as UTF-8, and audit it again"
    ]


def _valid(file: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open(file, "rb") as stream:
            while block := stream.read(PEEK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _japanese(start: bytes) -> bool:
    """Whether bytes are text in Shift-JIS: what is not ASCII are kana and common kanji, side by side."""
    text = codecs.getincrementaldecoder("cp932")().decode(start)
    beyond = sum(ord(char) > 127 for char in text)
    words = re.findall(r"[\u3041-\u30fe\u4e00-\u9fff]{2,}", text)
    common = [char for word in words for char in word if char.encode("cp932")[0] < 0x98]  # level 1
    return 2 * len(common) > beyond


def _chinese(start: bytes) -> bool:
    """Whether bytes are text in GB18030: what is not ASCII comes in pairs, most of the common plane."""
    try:
        text = codecs.getincrementaldecoder("gb18030")().decode(start)
    except UnicodeDecodeError:
        return False
    beyond = [char for char in text if ord(char) > 127]
    common = [
        char for char in beyond if "\u4e00" <= char <= "\u9fff" or "\u3000" <= char <= "\u303f"
    ]
    pairs = re.findall(rb"[\x81-\xfe]{2,}", start)
    frequent = [char for char in common if 0xB0 <= char.encode("gb18030")[0] < 0xD8]  # level 1
    return bool(pairs) and len(common) > 0.5 * len(beyond) and len(frequent) > 0.6 * len(common)


def layout(lines: list[str]) -> tuple[dict, list[str]]:
    """Return the arguments of `pandas.read_csv` that fit the first lines of a file, and notes.

    ``sep=;`` in the first line (Excel) decides. Else the sign between the cells is the one that divides
    most lines, outside quotes, into the same number of cells, more than one.
    """
    options: dict = {"keep_default_na": False, "na_values": [""]}
    notes, skip = [], 0
    said = re.fullmatch(r"\ufeff?\"?sep=(.)\"?", lines[0].strip("\r\n")) if lines else None
    if said:
        skip = options["skiprows"] = 1
        notes.append(f"Excel's first line says sep={said[1]}: it is left out")
    comments = _comments(lines[skip:])
    if comments:
        top = next(i for i, line in enumerate(lines) if i >= skip and line not in comments)
        inside = any(line in comments for line in lines[top:])
        options |= {"comment": "#"} if inside else {"skiprows": top}
        notes.append("lines that begin with # are comments: they are left out")
    body = [line for line in lines[skip:] if line.strip() and line not in comments]
    sign = said[1] if said else separator(body[:LINES])
    if not comments:
        rows, more = _no_rows(lines, sign, skip)
        notes += more
        options |= {"skiprows": rows} if rows else {}
        body = [line for i, line in enumerate(lines) if i not in set(rows) and line.strip()]
    if sign != ",":
        options["sep"] = sign
        notes.append(f"the cells are divided by {SIGNS.get(sign, repr(sign))}")
    if _spaces_divide(body[:LINES], sign):
        options["skipinitialspace"] = True
    return options, notes


def _no_rows(lines: list[str], sign: str, skip: int) -> tuple[list[int], list[str]]:
    """Return which lines are no rows (titles, frames, the header again; the first `skip`), and notes."""
    header = _first_row(lines, sign) if not skip else skip
    notes = [f"{header} line{'s' * (header > 1)} above the header left out"] * (header > skip)
    drawn = {i for i, line in enumerate(lines) if FRAME.fullmatch(line)}
    again = _headers_again(lines, header, sign)
    what = ["lines that only draw a frame"] * bool(drawn) + ["repeated headers"] * bool(again)
    notes += [f"{' and '.join(what)} are left out"] if what else []
    return sorted({*range(header), *drawn, *again}), notes


def _comments(lines: list[str]) -> set[str]:
    """Return the lines that are comments: they begin with #, and their cells do not fit the others.

    So "#N/A,3" and "#17,3" are rows, and "#id,size" is a header. Lines inside the table are comments
    only if no other line has a #, for pandas would cut that one there.
    """
    marked = [line for line in lines if line.startswith("#")]
    rest = [line for line in lines if line.strip() and not line.startswith("#")]
    if not marked or not rest:
        return set()
    sign = separator(rest[:LINES])
    cells = max(2, len(_cells(rest[0], sign)))
    odd = {line for line in marked if not _is_row(line, sign, cells)}
    top = next(i for i, line in enumerate(lines) if line not in odd and line.strip())
    inside = odd & set(lines[top:])
    if inside and (len(odd) < len(set(marked)) or any("#" in line for line in rest)):
        return odd & set(lines[:top]) - inside
    return odd


def _first_row(lines: list[str], sign: str) -> int:
    """Return how many lines stand above the header: titles, which fill half of the columns at most."""
    filled = [sum(bool(cell.strip()) for cell in _cells(line, sign)) for line in lines[:LINES]]
    usual = np.median([n for n in filled if n] or [0])
    if usual < 3:
        return 0
    first = next(i for i, n in enumerate(filled) if n > usual / 2)
    broken = any(line.count('"') % 2 for line in lines[:first])  # a cell of several lines
    return 0 if broken or not any(filled[:first]) or first > MOST_TITLES else first


def _headers_again(lines: list[str], header: int, sign: str) -> set[int]:
    """Return the lines that repeat the header, as where files were glued together; none if it has numbers."""
    first = next((line for line in lines[header:] if line.strip()), "")
    names = _cells(first, sign)
    if len(names) < 2 or FRAME.fullmatch(first) or np.isfinite([*map(number, names)]).any():
        return set()
    return set([i for i, line in enumerate(lines) if line == first][1:])


def _is_row(line: str, sign: str, cells: int) -> bool:
    found = _cells(line, sign)
    return len(found) == cells or bool(found) and plain(found[0]) in WORDS


def _spaces_divide(lines: list[str], sign: str) -> bool:
    """Whether a space behind the sign belongs to it: behind most, or before a quote."""
    if sign == r"\s+":
        return True
    behind = [part[:1] for line in lines for part in line.split(sign)[1:]]
    quoted = any(re.search(rf"{re.escape(sign)} +\"", line) for line in lines)
    return quoted or 2 * behind.count(" ") > len(behind)


def separator(lines: list[str]) -> str:
    """Return the sign that divides the cells of lines; a comma where nothing does."""
    best, found = (0.0, 0, 0.0), ","
    for sign in SIGNS:
        widths = Counter(len(_cells(line, sign)) for line in lines)
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        share = times / len(lines)
        other = best[0] > 0.5 and 2 * best[1] > width  # tabs may stand between some of the spaces
        if sign == r"\s+" and (share < 0.99 or other or not _numbers(lines, sign)):
            continue
        if width > 1 and (round(share, 1), width, share) > best:
            best, found = (round(share, 1), width, share), sign
    return found


def _cells(line: str, sign: str) -> list[str]:
    if sign == r"\s+":
        return re.findall(r'"[^"]*"|\S+', line)
    try:
        return next(csv.reader([line], delimiter=sign), [])
    except csv.Error:
        return []


def _numbers(lines: list[str], sign: str) -> bool:
    """Whether most cells below the first line are numbers, so that spaces are no part of a text."""
    cells = [cell for line in lines[1:] for cell in _cells(line, sign)]
    return bool(cells) and np.mean([np.isfinite(number(cell)) for cell in cells]) > 0.5
