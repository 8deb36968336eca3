"""Read a table as people have it: CSV of any kind, Excel's exports, Parquet, Excel.

pandas does the reading; here is decided with which arguments, and the report says so.
"""

import codecs
import csv
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tlcourse.audit.columns import Table
from tlcourse.audit.findings import ROWS, Finding, counted
from tlcourse.audit.kinds.names import no_header
from tlcourse.audit.layout import PEEK, encoding_of, layout
from tlcourse.audit.words import number

FOOT = 10_000  # rows at the end that may be empty
GROUPED = r"-?[1-9]\d{0,2}(\.\d{3})+"
TOTAL = re.compile(r"(grand |sub)?totals?|sum|summe|gesamt|合计|总计|总和|合計", re.IGNORECASE)
PEEKED = 30  # rows of a sheet in which its header is looked for
JUDGED = 2_000  # rows by which the header is judged
QUOTES = "put quotes around text that holds the sign between cells"
BINARY = {
    b"PK\x03\x04": "an Excel file or a zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a PDF file",
    b"\x1f\x8b": "a gzip archive",
    b"\x93NUMPY": "a NumPy array",
}
PACKED = (".gz", ".bz2", ".zip", ".xz", ".zst", ".tar")
EXCEL = (".xlsx", ".xls", ".xlsm", ".ods")
PARQUET = (".parquet", ".pq")


@dataclass(frozen=True)
class Source:
    """A table as it was read.

    Attributes
    ----------
    frame : pandas.DataFrame
    notes : tuple of str
        How it was read: the line of pandas first.
    findings : tuple of Finding
        What is wrong with the file.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


def read(path) -> Source:
    """Read a table from a file.

    Parameters
    ----------
    path : str or pathlib.Path
        ``~`` is the home folder. CSV and its relatives; Parquet and Excel where pandas finds a reader.

    Raises
    ------
    ValueError
        In one sentence, if there is no such file or it is no table.
    """
    file = Path(os.path.expanduser(path))
    try:
        with open(file, "rb") as stream:
            start = stream.read(PEEK)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path} cannot be opened: {reason}.") from None
    ending = file.suffix.lower()
    if ending in EXCEL or ending in PARQUET:
        return _by_pandas(file, "read_parquet" if ending in PARQUET else "read_excel")
    frame, notes, findings = _read_text(file, start)
    if not len(frame):
        raise ValueError(f"{path} has no row under the header: there is nothing to judge.")
    return Source(frame, notes, findings)


def _by_pandas(file: Path, reader: str) -> Source:
    """Read Parquet or Excel by the reader that pandas has for it."""
    options, notes = {}, []
    try:
        if reader == "read_excel":
            options, notes = _sheet(file)
        frame = getattr(pd, reader)(file, **options)
        end, more = _end(frame) if reader == "read_excel" else (0, [])
        if more:
            options["nrows"], notes = end, [*notes, *more]
            frame = pd.read_excel(file, **options)
    except ImportError as error:
        needs = re.findall(r"\b(pyarrow|fastparquet|openpyxl|xlrd|odfpy)\b", str(error))
        package = needs[0] if needs else "its reader"
        raise ValueError(
            f"{file} needs {package}: run python -m pip install {package}, or save the table as CSV."
        ) from None
    except Exception as error:  # noqa: BLE001 - damaged files break readers in any way
        raise ValueError(f"{file} cannot be read: {_sentence(error)}.") from None
    if not isinstance(frame, pd.DataFrame) or not len(frame):
        raise ValueError(f"{file} has no row under the header: there is nothing to judge.")
    words = ", ".join([repr(str(file)), *(f"{name}={value!r}" for name, value in options.items())])
    return Source(frame, (f"read by pd.{reader}({words})", *notes))


def _sheet(file: Path) -> tuple[dict, list[str]]:
    """Return what of a workbook to read: the first sheet with a table, from the row of its header on."""
    with pd.ExcelFile(file) as book:
        sheets = book.sheet_names
        tops = [
            pd.read_excel(book, sheet_name=k, header=None, nrows=PEEKED) for k in range(len(sheets))
        ]
    which = next((k for k, top in enumerate(tops) if min(top.shape) >= 2), 0)
    top, options = tops[which], {"sheet_name": sheets[which]} if which else {}
    filled = top.notna().sum(axis=1).to_numpy()
    above = int((filled > np.median(filled) / 2).argmax()) if top.shape[1] >= 3 else 0
    notes = [f"{counted(above, 'row')} above the header left out"] if above else []
    if len(sheets) > 1:
        notes.append(
            f"sheet {sheets[which]!r} of {len(sheets)} ({', '.join(map(str, sheets[:5]))})"
        )
    return options | ({"skiprows": above} if above else {}), notes


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")[:200] or type(error).__name__


# ── text ────────────────────────────────────────────────────────────────────────────────────


def _refuse(file: Path, start: bytes) -> None:
    """Raise ValueError, in one sentence, for what is no table in text."""
    kind = next((kind for mark, kind in BINARY.items() if start.startswith(mark)), None)
    if file.suffix.lower() == ".json" or start.lstrip()[:2] in (b'{"', b"[{"):
        raise ValueError(f"{file} is JSON: read it by pd.read_json, and call audit.table.")
    if kind:
        raise ValueError(f"{file} is {kind}: save the table as CSV.")
    if not start.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise ValueError(f"{file} is empty.")
    if file.suffix.lower() in PACKED:
        raise ValueError(f"{file} has the ending of an archive: unpack it, or name it .csv.")
    mixed = b"\n" in start and re.search(rb"\r[^\n]", start)
    if (
        mixed and int(pd.__version__.split(".")[0]) < 3
    ):  # its parser can crash on them, and Python too
        raise ValueError(f"{file} has line ends of two kinds: save it again in an editor.")


def _read_text(file: Path, start: bytes):
    """Return frame, notes and findings of a text file."""
    _refuse(file, start)
    encoding, notes = encoding_of(file, start)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(start)
    lines = re.split(r"\r\n|\n|\r", text)
    lines = lines[:-1] if len(start) == PEEK and len(lines) > 1 else lines
    options, more = layout(lines)
    notes += more
    if encoding != "utf-8":
        options["encoding"] = encoding
    more, said = _as_text(_csv(file, options, nrows=1000, dtype=str))
    options, notes = options | more, notes + said
    frame = _csv(file, options)
    end, more = _end(frame)
    if more:
        options["nrows"] = end
        notes += more
        frame = _csv(file, options)
    findings = []
    if any(no_header(Table(frame.head(JUDGED)))):
        named = ", ".join(map(str, frame.columns[:4]))
        what = f"the first row looks like data ({named} ...): read without a header"
        options |= {"header": None} | ({"nrows": end + 1} if more else {})
        frame = _csv(file, options)
        line = f"frame = {_call(file, options)}  # then name the columns"
        findings.append(Finding("no header", ROWS, what, line, np.arange(1)))
    else:
        findings += _twice(lines, frame)
    if frame.shape[1] == 1:
        notes.append("one column only: which sign divides the cells?")
    return frame, (f"read by {_call(file, options)}", *notes), tuple(findings)


# ── pandas ──────────────────────────────────────────────────────────────────────────────────


def _call(file: Path, options: dict) -> str:
    words = [repr(str(file)), *(f"{name}={value!r}" for name, value in options.items())]
    words.append("index_col=False, low_memory=False")
    return f"pd.read_csv({', '.join(words)})"


def _csv(file: Path, options: dict, **more) -> pd.DataFrame:
    """Read by pandas; whatever is wrong becomes one sentence."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # columns of mixed types are what the audit looks for
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows that would be cut
            return pd.read_csv(file, low_memory=False, index_col=False, **options, **more)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{file} is empty.") from None
    except pd.errors.ParserWarning:
        raise ValueError(f"{file} has rows with more cells than its header: {QUOTES}.") from None
    except pd.errors.ParserError as error:
        widths = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if widths:
            wanted, line, saw = widths.groups()
            what = f"line {line} has {saw} cells and the lines before {wanted}"
            raise ValueError(f"{file}, {what}: {QUOTES}.") from None
        raise ValueError(f"{file} is no table: {_sentence(error)}.") from None
    except (ValueError, csv.Error, OverflowError, MemoryError, IndexError) as error:
        raise ValueError(f"{file} is no table: {_sentence(error)}.") from None


def _as_text(peek: pd.DataFrame) -> tuple[dict, list[str]]:
    """Return how to read numbers with marks, and what to leave as text, by the first thousand rows.

    Codes such as 007 stay text, and months such as 2023.10. Where commas mark decimals in a column, and
    points thousands in another one, pandas must be told, for it would take 21.328 people for 21; then
    dates with points stay text.
    """

    def columns(pattern, share=0.0):
        hits = {name: peek[name].dropna().str.fullmatch(pattern) for name in peek.columns}
        return {name for name, hit in hits.items() if len(hit) and hit.mean() > share}

    kept, options, notes = columns(r"0\d+"), {}, []
    kept |= columns(r"(19|20)\d\d\.(0?[1-9]|1[0-2])", 0.999) & columns(r".*\.10")  # no 2023.1
    thousands = columns(GROUPED) & columns(rf"{GROUPED}|-?\d{{1,3}}", 0.999)
    points = columns(r"-?\d+\.\d+", 0.5) - thousands
    if thousands and columns(r"-?[\d.]*\d,\d+", 0.5) and not points:
        options = {"decimal": ",", "thousands": "."}
        kept |= columns(r".*\d\.\d.*") - columns(rf"({GROUPED}|-?\d+)(,\d+)?", 0.5)
        notes = ["commas mark decimals, and points thousands"]
    kept -= thousands
    return options | ({"dtype": dict.fromkeys(sorted(kept), "str")} if kept else {}), notes


def _end(frame: pd.DataFrame) -> tuple[int, list[str]]:
    """Return how many rows the table has above empty ones, notes and totals, and a note if they are fewer."""
    n = end = len(frame)
    usual = frame.head(JUDGED).notna().sum(axis=1).median()
    while end > max(0, n - FOOT) and _is_note(frame.iloc[end - 1].dropna(), usual):
        end -= 1
    if end > 2 and _is_total(frame.iloc[max(0, end - JUDGED) : end], whole=end <= JUDGED):
        end -= 1
    if not 0 < end < n:
        return n, []
    return end, [f"{counted(n - end, 'row')} at the end left out: empty, notes, or a total"]


def _is_total(frame: pd.DataFrame, whole: bool) -> bool:
    """Whether the last row says that it is a total, or is the sum of all above in two columns or more."""
    last = frame.iloc[-1]
    if any(TOTAL.fullmatch(str(cell).strip()) for cell in last):
        return True
    numbers = [c.values for c in Table(frame).columns if c.numeric] if whole else []
    sums = [(x[-1], np.nansum(x[:-1])) for x in numbers if np.isfinite(x[-1])]
    return sum(bool(np.isclose(a, b, rtol=1e-6)) and b != 0 for a, b in sums) >= 2


def _is_note(cells: pd.Series, usual: float) -> bool:
    """Whether a row's cells are none, or a few words where most rows have three cells or more."""
    words = usual >= 3 and len(cells) <= usual / 2
    return not len(cells) or bool(words and all(np.isnan(number(str(cell))) for cell in cells))


def _twice(lines: list[str], frame: pd.DataFrame) -> list[Finding]:
    """Find names that the header has twice: pandas hangs a number on them."""
    found = []
    for name in frame.columns:
        stem, _, end = str(name).rpartition(".")
        again = (
            stem in frame.columns and end.isdigit() and f"{stem}.{end}" not in " ".join(lines[:50])
        )
        if again:
            line = f"frame = frame.rename(columns={{{name!r}: {stem + ' ' + end!r}}})"
            what = f"the header has {stem!r} twice: the second was read as {name!r}"
            found.append(Finding("column names", name, what, line, np.arange(len(frame))))
    return found
