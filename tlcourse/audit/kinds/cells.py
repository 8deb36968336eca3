"""What stands in the cells: text among numbers, numbers as text, spellings, dates, infinities."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from tlcourse.audit.advice import mend
from tlcourse.audit.columns import JUDGED, Column, Table
from tlcourse.audit.dates import forms, parse
from tlcourse.audit.findings import Finding
from tlcourse.audit.words import spelling

LONG = 60  # characters: longer text is prose, not a category
MANY = 0.05  # of the cells: as text beside the numbers they are kept
NAMED = 30  # spellings that a line names; more are made alike by a rule


def text_among_numbers(table: Table) -> Iterator[Finding]:
    """Find single texts in a column of which four cells of five are numbers, words for missing apart."""
    for column in table.every:
        strays = _strays(column)
        if strays:
            where = column.texts.rows(set(strays))
            what = f"text among numbers, such as {strays[0][:LONG]!r}"
            written = column.texts.notation is not None
            way, code = ("written", _code(column)) if written else (None, "")
            code += ".iloc[:, 0]" * bool(written and column.texts.notation.split)  # its numbers
            if column is table.target:
                way = "target written" if written else "target"
            elif len(where) > MANY * table.n:  # too much to lose
                way = "many written" if written else "many"
            line = mend("text among numbers", column.name, way, code=code)
            yield Finding("text among numbers", column.name, what, line, where)


def _strays(column: Column) -> list[str]:
    """Return the texts of a column of numbers that are no number and no word for a missing one."""
    if column.texts is None or not column.numeric:
        return []
    texts = column.texts
    pairs = zip(texts.unique, texts.values, strict=True)
    counts = texts.counts
    return [t for t, v in pairs if np.isnan(v) and t not in texts.missing and counts[t]]


def numbers_as_text(table: Table) -> Iterator[Finding]:
    """Find columns of numbers that are stored as text.

    Either half of the cells or more are numbers with marks that ``float`` does not read (`written`), or
    all cells are bare numbers that were stored as text. Numbers with a zero in front are names.
    """
    for column in table.every:
        if column.texts is None:
            continue
        how = column.texts.notation
        if how:
            example = next(text for text in column.texts.unique if text in how.texts)
            what = f"numbers written as text, with {how.marks}, such as {example!r}"
            line = mend("numbers as text", column.name, how.split or None, code=_code(column))
            where = column.texts.rows(how.texts)
        elif _all_bare(column):
            what = f"numbers stored as text, such as {column.texts.unique[0]!r}"
            more = ", errors='coerce'" if column.missing.any() else ""  # a space is no number
            ours = all(text.isascii() for text in column.texts.unique)  # no digits of full width
            text = f"frame[{column.name!r}]" + ("" if ours else ".str.normalize('NFKC')")
            code = f"pd.to_numeric({text}{more})"
            line = mend("numbers as text", column.name, code=code)
            where = np.flatnonzero(column.texts.place >= 0)
        else:
            continue
        yield Finding("numbers as text", column.name, what, line, where)


def _code(column: Column) -> str:
    return column.texts.notation.code.replace("{column}", f"frame[{column.name!r}]")


def _all_bare(column: Column) -> bool:
    """Whether a column is of bare numbers alone, and of more than one."""
    several = column.numeric and len(column.different[0]) > 1
    return several and not column.texts.missing and not _strays(column)


def spellings(table: Table) -> Iterator[Finding]:
    """Find texts that differ only in their spelling; `words.spelling` has the rule.

    The most frequent spelling counts as the right one. Prose is left alone.
    """
    for column in table.every:
        if column.texts is None or column.numeric or column.texts.notation:
            continue
        alike = defaultdict(list)
        for text, _ in column.texts.counts.most_common(JUDGED):
            if len(text) <= LONG and text not in column.texts.missing and text.strip():
                alike[spelling(text) or text].append(text)
        usual = {
            other: first.strip(" _")
            for first, *others in alike.values()
            for other in (first, *others)
            if other != first.strip(" _")
        }
        if usual:
            other, first = next(iter(usual.items()))
            what = f"one category written in several ways, such as {other!r} for {first!r}"
            way = "many" if len(usual) > NAMED else None
            line = mend("spellings", column.name, way, usual=usual)
            yield Finding("spellings", column.name, what, line, column.texts.rows(usual))


def mixed_dates(table: Table) -> Iterator[Finding]:
    """Find dates that are written in several forms; `dates.forms` has the rule."""
    for column in table.every:
        if column.texts is None or column.numeric:
            continue
        texts = column.texts
        found = forms(_known(column))
        if len(found) > 1:
            what = f"dates in {len(found)} forms: {', '.join(found)}"
            code = parse(found).replace("{column}", f"frame[{column.name!r}]")
            line = mend("mixed dates", column.name, code=code)
            rare = {text for form in list(found.values())[1:] for text in form}
            yield Finding("mixed dates", column.name, what, line, texts.rows(rare))


def _known(column: Column):
    known = column.texts.counts.copy()
    for text in [text for text in known if text in column.texts.missing or not known[text]]:
        del known[text]
    return known


def infinities(table: Table) -> Iterator[Finding]:
    """Find infinite numbers."""
    for column in table.every:
        where = np.flatnonzero(np.isinf(column.values))
        if len(where):
            line = mend("infinities", column.name, "target" if column is table.target else None)
            yield Finding("infinities", column.name, "infinite numbers", line, where)
