"""The checks that look at rows: repeated ones, their labels and groups, and a second table."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from scipy.stats import ks_2samp

from tlcourse.audit.columns import is_identifier, known_unit, numbers
from tlcourse.audit.findings import (
    ALPHA,
    Finding,
    infinities,
    mixed_types,
    rows,
    spellings,
    standard,
)
from tlcourse.audit.tables import Column, Table, codes, same_kind

ROWS = "(rows)"
HANDFUL = 10  # up to so many different whole numbers may be classes, whichever they are
RARE = 10  # a class is rare if another has this many times more rows
SHIFT = 0.1  # the smallest Kolmogorov-Smirnov distance that is worth a finding


def keys(*tables: Table) -> list[list[bytes]]:
    """Return bytes for every row of tables with the same columns: equal rows have equal bytes.

    Columns that only number the rows are left out: a row that was entered twice has two numbers.
    """
    kept = [j for j, column in enumerate(tables[0].columns) if not is_identifier(column)]
    if not kept:
        return [[] for _ in tables]
    coded = [codes(*[table.columns[j] for table in tables]) for j in kept]
    return [[row.tobytes() for row in np.column_stack(parts)] for parts in zip(*coded, strict=True)]


def tells_rows_apart(table: Table) -> bool:
    """Whether equal rows would be strange: by chance, fewer than one pair of them is expected.

    The chance that two rows agree is multiplied over the columns, as if they were independent.
    """
    columns = [column for column in table.columns if not is_identifier(column)]
    agree = [((c.counts / table.n) ** 2).sum() + c.missing.mean() ** 2 for c in columns]
    return table.n**2 / 2 * np.prod(agree) < 1


def duplicate_rows(table: Table, label: Column | None) -> Iterator[Finding]:
    """Find rows that repeat an earlier one, label included."""
    if not tells_rows_apart(table):
        return
    labels = label.codes.tolist() if label else [0] * table.n
    seen, again = set(), []
    for row, key in enumerate(zip(keys(table)[0], labels, strict=False)):
        if key in seen:
            again.append(row)
        seen.add(key)
    if again:
        todo = "keep one of each, or hold copies in one part by groups: GroupKFold."
        yield Finding("duplicate rows", ROWS, "equal to an earlier row", todo, np.array(again))


# ── labels and groups ───────────────────────────────────────────────────────────────────────


def is_classes(label: Column) -> bool:
    """Whether labels are classes and no quantity.

    Text is (unless it holds numbers, with units), and so are whole numbers in two cases:

    - up to 10 different ones, each twice on average: digits 0 to 9, grades 10, 20, 30, stars 1 to 5;
    - all of 0, 1, 2, ... k or 1, 2, ... k, each with at least a tenth of the rows of the most frequent
      one, and with 5 rows on average: the codes that an encoder gives to 26 letters.

    Prices, years, ages and counts over a range are a quantity: they begin elsewhere, leave numbers
    out or become rare towards an end. Codes with a rare class among more than 10 look the same: the
    audit is then silent about classes.
    """
    if not label.numeric or label.dates:
        return not (label.written or label.dates)
    found, counts = np.unique(label.finite, return_counts=True)
    if not len(found) or (found % 1).any():
        return not len(found)
    if len(found) <= HANDFUL:
        return len(found) <= max(2, len(label.finite) / 2)
    gapless = found[0] in (0, 1) and found[-1] - found[0] == len(found) - 1
    return bool(gapless and counts.min() * RARE >= counts.max() and counts.mean() >= 5)


def labels(label: Column) -> Iterator[Finding]:
    """Find labels that are missing, strange or spelt twice, rare classes, and a label that never changes."""
    as_table = Table([label], len(label.values))
    for check in (mixed_types, infinities, spellings):
        yield from check(as_table)
    if label.missing.any():
        todo = "drop these rows, or use them without labels; never fill in a label."
        yield Finding("labels", label.name, "the label is missing", todo, rows(label.missing))
    present = label.codes[~label.missing]
    found, counts = np.unique(present, return_counts=True)
    if len(found) < 2:
        todo = "look for the other classes: there is nothing to learn here."
        yield Finding("labels", label.name, "all labels are equal", todo, rows(~label.missing))
    elif is_classes(label):
        rare = rows(np.isin(label.codes, found[counts * RARE < counts.max()]))
        if len(rare):
            names = ", ".join(sorted({_short(label.values[row]) for row in rare})[:5])
            what = f"rare classes ({names}): the largest has over {RARE} times as many rows"
            todo = "stratify the split, report balanced accuracy, set class_weight='balanced'."
            todo = f"if these numbers name classes: {todo}" if label.numeric else todo
            yield Finding("imbalance", label.name, what, todo, rare)


def _short(value) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def label_conflicts(table: Table, label: Column) -> Iterator[Finding]:
    """Find equal rows that have different classes."""
    if not (is_classes(label) and tells_rows_apart(table)):
        return
    given = defaultdict(list)
    for row, key in enumerate(keys(table)[0]):
        given[key].append(row)
    classes = label.codes
    conflicts = [row for same in given.values() if len(set(classes[same])) > 1 for row in same]
    if conflicts:
        todo = "look up which label is right; without an answer, drop these rows."
        where = np.array(sorted(conflicts))
        yield Finding("label conflicts", ROWS, "equal rows with different labels", todo, where)


def label_leaks(table: Table, label: Column) -> Iterator[Finding]:
    """Find columns that alone give every label away."""
    for column in table.columns:
        both = ~(column.missing | label.missing)
        if both.sum() >= 30 and not is_identifier(column) and _gives_away(column, label, both):
            todo = "ask whether it is known before the label is; if not, drop it."
            yield Finding(
                "label leaks", column.name, "this column alone tells the label", todo, rows(both)
            )


def _gives_away(column: Column, label: Column, both: np.ndarray) -> bool:
    cells, classes = column.codes[both], label.codes[both]
    if not is_classes(label):
        r = standard(numbers(column)[both]) @ standard(numbers(label)[both])
        if abs(r) / both.sum() > 0.9999 or len(np.unique(classes)) > both.sum() / 5:
            return abs(r) / both.sum() > 0.9999
    order = np.lexsort((classes, cells))
    new, other = np.diff(cells[order]) > 0, np.diff(classes[order]) != 0
    n_classes, n_cells = len(np.unique(classes)), new.sum() + 1
    pure = n_classes > 1 and not (other & ~new).any()
    return bool(pure and (other.sum() == n_classes - 1 or n_cells <= both.sum() / 5))


def repeated_groups(groups: Column) -> Iterator[Finding]:
    """Find groups (patients, writers, sites) that have several rows."""
    found, place, counts = np.unique(groups.codes, return_inverse=True, return_counts=True)
    several = rows((counts[place] > 1) & ~groups.missing)
    if len(several):
        what = f"{int((counts[found >= 0] > 1).sum()):,} groups have several rows"
        todo = "a random split would put one group into both parts: use GroupKFold or GroupShuffleSplit."
        yield Finding("groups", groups.name, what, todo, several)


# ── a second table, such as the test set ────────────────────────────────────────────────────


def overlap(table: Table, other: Table) -> Iterator[Finding]:
    """Find rows of the other table that are in this one too."""
    if tells_rows_apart(table):
        first, second = keys(table, other)
        known = set(first)
        shared = [row for row, key in enumerate(second) if key in known]
        if shared:
            todo = "take them out of one of the two: a test on known rows measures memory."
            what = "rows of the other table are in this one too"
            yield Finding("overlap", ROWS, what, todo, np.array(shared))


def shared_groups(groups: Column, other: Column) -> Iterator[Finding]:
    """Find rows of the other table whose group is in this one too."""
    mine, theirs = codes(groups, other)
    shared = rows(np.isin(theirs, mine) & (theirs >= 0))
    if len(shared):
        todo = "split by groups: a test on known groups says nothing about new ones."
        yield Finding(
            "overlap", groups.name, "groups of the other table are in this one", todo, shared
        )


def shifts(table: Table, other: Table) -> Iterator[Finding]:
    """Find columns that are distributed otherwise in the other table: other units, or a shift.

    By the two-sample test of Kolmogorov and Smirnov; for text, on its alphabetical order.
    """
    for mine, theirs in zip(table.columns, other.columns, strict=True):
        all_rows = np.arange(other.n)
        if not same_kind((mine, theirs)):
            what, todo = "numbers in one table and text in the other", "store both in the same way."
            yield Finding("shift", mine.name, what, todo, all_rows)
            continue
        a, b = (mine.finite, theirs.finite) if mine.numeric else codes(mine, theirs)
        if not (len(a) and len(b)) or not _differ(a, b, len(table.columns)):
            continue
        factor = _unit_between(a, b) if mine.numeric and not mine.dates else None
        if factor and not _differ(a, b * factor, len(table.columns)):
            what = f"agrees with the other table after multiplying that by {factor:.4g}: two units?"
            todo = "find out which unit is meant, and convert one table."
            yield Finding("other units", mine.name, what, todo, all_rows)
        else:
            distance = ks_2samp(a, b, method="asymp").statistic
            what = f"the other table is distributed otherwise, distance {distance:.2f} of at most 1"
            todo = "find the reason; test on rows like those you will meet, adapt or reweight."
            yield Finding("shift", mine.name, what, todo, all_rows)


def _differ(a: np.ndarray, b: np.ndarray, tests: int) -> bool:
    test = ks_2samp(a, b, method="asymp")
    return test.pvalue < ALPHA / tests and test.statistic > SHIFT


def _unit_between(a: np.ndarray, b: np.ndarray) -> float | None:
    """Return what to multiply `b` by, if the medians differ by the factor of a known unit."""
    ours, theirs = np.median(a), np.median(b)
    if ours * theirs <= 0:
        return None
    factor = known_unit(max(ours / theirs, theirs / ours), tolerance=0.05)
    return factor and (factor if ours / theirs > 1 else 1 / factor)


def unseen(table: Table, other: Table) -> Iterator[Finding]:
    """Find rows of the other table with a category that this one lacks."""
    for mine, theirs in zip(table.columns, other.columns, strict=True):
        if mine.numeric or theirs.numeric or is_identifier(mine) or mine.written:
            continue
        known = set(mine.values.tolist())
        new = rows([text not in known for text in theirs.values] & ~theirs.missing)
        if len(new):
            what = f"categories that this table lacks, such as {theirs.values[new[0]]!r}"
            todo = "encode with OneHotEncoder(handle_unknown='ignore')."
            yield Finding("unseen categories", mine.name, what, todo, new)
