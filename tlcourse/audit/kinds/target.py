"""The target: missing labels, rare classes, columns that give it away."""

from collections.abc import Iterator

import numpy as np
from scipy.stats import spearmanr
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from tlcourse.audit.advice import mend
from tlcourse.audit.columns import Column, Table
from tlcourse.audit.findings import Finding
from tlcourse.audit.kinds.missing import standard
from tlcourse.audit.kinds.pairs import is_identifier

HANDFUL = 10  # up to so many different whole numbers may be classes, whichever they are
RARE = 10  # a class is rare if another has more than this many times its rows
LEAK = 0.98  # balanced accuracy of one column alone
STEADY = 0.993  # its correlation with a quantity, or the share of the variance that it explains
ENOUGH = 30  # rows that a leak is judged by
HUGE = 1e38  # what a number of 32 bits holds, in which trees compute
SAMPLE = 4_000  # rows that are looked at
MOST = 200  # columns that may add up to the target
PART, EXACT = 0.01, 1e-3  # standard deviations of the target: a part's weight, and what may be left


def is_classes(target: Column) -> bool:
    """Whether a target is classes and no quantity.

    Text is (unless it holds numbers, with units), true and false are, and so are whole numbers in two cases:

    - up to 10 different ones, each twice on average: digits 0 to 9, grades 10, 20, 30, stars 1 to 5;
    - all of 0, 1, 2, ... k or 1, 2, ... k, each with at least a tenth of the rows of the most frequent
      one, and with 5 rows on average: the codes that an encoder gives to 26 letters.

    Prices, years, ages and counts over a range are a quantity: they begin elsewhere, leave numbers
    out or become rare towards an end. Codes with a rare class among more than 10 look the same: the
    audit is then silent about classes.
    """
    if target.flags:
        return True
    if target.dates or target.texts is not None and target.texts.notation:
        return False
    if not target.numeric:
        return len(target.counts) <= max(2, target.counts.sum() / 2)
    numbers, counts = target.different
    if not target.whole:
        return False
    if len(numbers) <= HANDFUL:
        return len(numbers) <= max(2, counts.sum() / 2)
    gapless = numbers[0] in (0, 1) and numbers[-1] - numbers[0] == len(numbers) - 1
    return bool(gapless and counts.min() * RARE >= counts.max() and counts.mean() >= 5)


def missing_labels(table: Table) -> Iterator[Finding]:
    """Find rows without a target."""
    target = table.target
    if target is not None and target.missing.any():
        where = np.flatnonzero(target.missing)
        line = mend("missing labels", target.name)
        yield Finding("missing labels", target.name, "the label is missing", line, where)


def imbalance(table: Table) -> Iterator[Finding]:
    """Find classes that another one outnumbers more than ten times."""
    target = table.target
    if target is None or not is_classes(target) or len(target.counts) < 2:
        return
    counts = np.bincount(target.cells[target.cells >= 0])
    rare = np.flatnonzero((counts > 0) & (counts * RARE < counts.max()))
    if len(rare):
        where = np.flatnonzero(np.isin(target.cells, rare))
        names = ", ".join(_named(target, np.flatnonzero(target.cells == c)[0]) for c in rare[:5])
        what = f"rare classes ({names}): the largest has over {RARE} times as many rows"
        if (counts[rare] == 1).any():
            what += "; a class of one row cannot be learned and tested: merge it or leave it out"
        yield Finding("imbalance", target.name, what, mend("imbalance", target.name), where)


def _named(target: Column, row: int) -> str:
    if target.numeric:
        return f"{target.values[row]:g}"
    return target.texts.unique[target.texts.place[row]]


# ── leaks ───────────────────────────────────────────────────────────────────────────────────


def target_leaks(table: Table) -> list[Finding]:
    """Return the columns that tell the target; they are looked for once."""
    if "leaks" not in table.memory:
        table.memory["leaks"] = list(_leaks(table))
    return table.memory["leaks"]


def _leaks(table: Table) -> Iterator[Finding]:
    """Find columns that alone tell the target, in rows that they have not been fitted to.

    For classes, a decision tree on the one column must reach a balanced accuracy of 98 % in
    cross-validation; for a quantity, the column must rise or fall with it (a rank correlation beyond
    ±.993 and as much for the numbers), or its categories must explain as much of the spread. Identifiers
    are left out: in a sorted table they tell the class, and they are a finding of their own.
    """
    target = table.target
    if target is None or len(target.counts) < 2:
        return
    classes = is_classes(target)
    parts = [] if classes or not target.numeric else _parts(table, target)
    if parts:
        named = ", ".join(repr(column.name) for column in parts)
        line = mend("target leaks", parts[0].name, "sum", names=[c.name for c in parts])
        what = f"with others it adds up to the target: {named}"
        yield Finding("target leaks", parts[0].name, what, line, np.flatnonzero(~target.gone))
    for column in [column for column in table.columns if column not in parts]:
        both = np.flatnonzero(~(column.gone | target.gone))
        if len(both) < ENOUGH or len(column.counts) < 2 or is_identifier(column):
            continue
        some = both[np.linspace(0, len(both) - 1, min(len(both), SAMPLE)).astype(int)]
        tells = _tells_class if classes else _tells_quantity
        if (classes or target.numeric) and tells(column, target, some):
            line = mend("target leaks", column.name)
            what = "this column alone tells the target"
            yield Finding("target leaks", column.name, what, line, both)


def _parts(table: Table, target: Column) -> list[Column]:
    """Return the columns that add up to the target, in rows that the weights were not fitted to."""
    columns = [c for c in table.columns if c.numeric and not c.gone.any() and len(c.counts) > 1]
    rows = np.flatnonzero(~target.gone)[:SAMPLE]
    if not 2 <= len(columns) <= MOST or len(rows) < max(ENOUGH, 4 * len(columns)):
        return []
    X = np.stack([standard(column.measured) for column in columns], axis=1)[rows]
    y = standard(target.measured)[rows]
    model = LinearRegression().fit(X[::2], y[::2])
    parts = [c for c, weight in zip(columns, model.coef_, strict=True) if abs(weight) > PART]
    exact = np.abs(model.predict(X[1::2]) - y[1::2]).max() < EXACT
    return parts if exact and len(parts) >= 2 else []


def _tells_class(column: Column, target: Column, rows: np.ndarray) -> bool:
    view, y = (column.measured if column.numeric else column.cells)[rows], target.cells[rows]
    counts = np.bincount(y)
    kept = np.isin(y, np.flatnonzero(counts >= 3))
    classes = len(np.unique(y[kept]))
    if classes < 2 or len(np.unique(view[kept])) < classes:
        return False
    if not column.numeric and len(column.counts) > len(rows) / 3:
        return False
    X, y = np.clip(view[kept, None].astype(float), -HUGE, HUGE), y[kept]
    tree = DecisionTreeClassifier(max_leaf_nodes=max(4 * classes, 60), random_state=0)
    if _balanced(y, tree.fit(X, y).predict(X)) < LEAK:  # quick: no better on other rows
        return False
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    return _balanced(y, cross_val_predict(tree, X, y, cv=folds)) >= LEAK


def _balanced(y: np.ndarray, said: np.ndarray) -> float:
    """Return the balanced accuracy: the mean, over the classes, of the share of rows that are right."""
    counts = np.bincount(y)
    return float(np.mean((np.bincount(y, said == y) / np.maximum(counts, 1))[counts > 0]))


def _tells_quantity(column: Column, target: Column, rows: np.ndarray) -> bool:
    y = target.measured[rows]
    if column.numeric:
        x = column.measured[rows]
        if np.ptp(x) == 0 or np.ptp(y) == 0:
            return False
        together = np.corrcoef(x, y)[0, 1], spearmanr(x, y).statistic
        if min(abs(r) for r in together) >= STEADY or abs(together[1]) >= 0.999:
            return True
    return len(column.counts) <= len(rows) / 3 and _explained(column.cells[rows], y) >= STEADY


def _explained(cells: np.ndarray, y: np.ndarray) -> float:
    """Return the share of a quantity's variance that the means of categories explain in other rows."""
    left = 0.0
    for train, test in KFold(3, shuffle=True, random_state=0).split(y):
        sums, counts = (np.bincount(cells[train], w, cells.max() + 1) for w in (y[train], None))
        guess = np.where(counts > 0, sums / np.maximum(counts, 1), y[train].mean())
        left += float(((y[test] - guess[cells[test]]) ** 2).sum())
    return 1 - left / float(((y - y.mean()) ** 2).sum() or 1)
