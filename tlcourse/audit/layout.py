"""How a text file is laid out: its encoding, its comments, the sign between its cells."""

import codecs
import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np

from tlcourse.audit.words import number

PEEK = 1 << 20  # bytes by which a file is judged
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
    return "cp1252" if _valid(file, "cp1252") else "latin-1", [
        "read as cp1252, the encoding of Western Excel: it is not UTF-8; look at the accents"
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
    frequent = [char for char in common if char.encode("gb18030")[0] < 0xD8]  # level 1, by sound
    return bool(pairs) and len(common) > 0.5 * len(beyond) and len(frequent) > 0.6 * len(common)


def layout(lines: list[str]) -> tuple[dict, list[str]]:
    """Return the arguments of `pandas.read_csv` that fit the first lines of a file, and notes.

    ``sep=;`` in the first line (Excel) decides. Else the sign between the cells is the one that divides
    most lines, outside quotes, into the same number of cells, more than one.
    """
    options: dict = {"skipinitialspace": True, "keep_default_na": False, "na_values": [""]}
    notes, skip = [], 0
    said = re.fullmatch(r"\ufeff?\"?sep=(.)\"?", lines[0].strip("\r\n")) if lines else None
    if said:
        skip = options["skiprows"] = 1
        notes.append(f"Excel's first line says sep={said[1]}: it is left out")
    body = [line for line in lines[skip:] if line.strip()]
    if _has_comments(body):
        top = next(i for i, line in enumerate(lines) if i >= skip and not line.startswith("#"))
        inside = any(line.startswith("#") for line in lines[top:])
        options |= {"comment": "#"} if inside else {"skiprows": top}
        notes.append("lines that begin with # are comments: they are left out")
        body = [line for line in body if not line.startswith("#")]
    sign = said[1] if said else separator(body[:LINES])
    if sign != ",":
        options["sep"] = sign
        notes.append(f"the cells are divided by {SIGNS.get(sign, repr(sign))}")
    return options, notes


def _has_comments(lines: list[str]) -> bool:
    """Whether some lines are comments; one at the top whose cells fit the others is a header."""
    marked = [line for line in lines if line.startswith("#")]
    rest = [line for line in lines if not line.startswith("#")]
    if not marked or not rest or any("#" in line for line in rest):
        return False
    sign = separator(rest[:LINES])
    cells = len(_cells(rest[0], sign))
    return not (len(marked) == 1 and cells > 1 and len(_cells(marked[0], sign)) == cells)


def separator(lines: list[str]) -> str:
    """Return the sign that divides the cells of lines; a comma where nothing does."""
    best, found = (0.0, 0), ","
    for sign in SIGNS:
        widths = Counter(len(_cells(line, sign)) for line in lines)
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        share = times / len(lines)
        if sign == r"\s+" and (share < 0.99 or best[0] > 0.5 or not _numbers(lines, sign)):
            continue
        if width > 1 and (round(share, 1), width) > best:
            best, found = (round(share, 1), width), sign
    return found


def _cells(line: str, sign: str) -> list[str]:
    if sign == r"\s+":
        return line.split()
    try:
        return next(csv.reader([line], delimiter=sign), [])
    except csv.Error:
        return []


def _numbers(lines: list[str], sign: str) -> bool:
    """Whether most cells below the first line are numbers, so that spaces are no part of a text."""
    cells = [cell for line in lines[1:] for cell in _cells(line, sign)]
    return bool(cells) and np.mean([np.isfinite(number(cell)) for cell in cells]) > 0.5
