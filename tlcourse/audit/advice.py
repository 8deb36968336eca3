"""Why each kind of finding matters, and the line that mends it: all of the audit's advice, in one table.

Where lesson 07a measured what is best, the advice is its winner: `Advice.won` names it in the lesson's
own words.
"""

from dataclasses import dataclass, field

# What the lines need: exec(IMPORTS), then the line, with `frame` (and `other`) in place.
IMPORTS = """import io
import numpy as np
import pandas as pd
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.class_weight import compute_sample_weight"""


@dataclass(frozen=True)
class Advice:
    """What to know about one kind of finding.

    Attributes
    ----------
    why : str
        Why it matters for learning or transfer.
    line : str
        A line that mends it, with ``{column}`` for the column of the table, ``{name}`` for its name and
        other parts that the check fills in. A comment says what the line cannot.
    ways : dict of str to str
        Lines for cases that need another one.
    won : tuple of str
        The methods of lesson 07a that the line uses.
    stays : bool
        Whether the line makes the learner account for the finding, which remains: a class stays rare.
    """

    why: str
    line: str
    ways: dict[str, str] = field(default_factory=dict)
    won: tuple[str, ...] = ()
    stays: bool = False


NEVER = "  # a label that is filled in is a wrong label"
GAP = "  # now a gap: fill it in a Pipeline"
FIT = "  # in a Pipeline: it learns from the training rows"
INDICATOR = (
    "frame[{indicator!r}] = {column}.isna(); frame[[{name!r}]] = SimpleImputer(strategy='mean')"
    ".fit_transform(frame[[{name!r}]])  # in a Pipeline: add_indicator=True does both"
)
ADVICE = {
    "too few rows": Advice(
        "There is nothing to learn from.", "frame  # load more rows", stays=True
    ),
    "no header": Advice(
        "A row of data is lost as the names of the columns, and code that asks by name finds none.",
        "frame = pd.read_csv(io.StringIO(frame.to_csv(index=False)), header=None)  # then name them",
    ),
    "column names": Advice(
        "Code that asks for a column by its name gets another one, both, or none.",
        "frame.columns = [f'{{name}} {{j}}' if twice else str(name).strip() for j, (name, twice) in"
        " enumerate(zip(frame.columns, frame.columns.astype(str).str.strip().duplicated(keep=False)))]",
    ),
    "other columns": Advice(
        "A model asks for the columns that it has learned from.",
        "frame = frame.drop(columns={name!r}, errors='ignore')  # or find it for the other table",
        {
            "the other": "other = other.drop(columns={name!r}, errors='ignore')  # or find it for this one"
        },
    ),
    "missing words": Advice(
        "To a learner the word is a category like others, and it turns a column of numbers into text.",
        "{column} = {column}.mask({column}.isin({words}))" + GAP,
        {
            "numbers": "{column} = pd.to_numeric({column}.mask({column}.isin({words})))" + GAP,
            "target": "frame = frame[~{column}.isin({words})]" + NEVER,
            "class": "{column} = {column}.mask({column}.isin({words}), 'none')"
            "  # if it means none; if not, leave these rows out",
            "target of numbers": "frame = frame[~{column}.isin({words})]"
            ".assign(**{{{name!r}: lambda t: pd.to_numeric(t[{name!r}])}})" + NEVER,
        },
    ),
    "text among numbers": Advice(
        "One such cell makes the whole column text: a learner that needs numbers stops.",
        "{column} = pd.to_numeric({column}, errors='coerce')  # first correct these cells if you can",
        {
            "written": "{column} = {column}.where({code}.notna())  # correct these cells if you can",
            "many": "{texts} = {column}.where(pd.to_numeric({column}, errors='coerce').isna()); "
            "{column} = pd.to_numeric({column}, errors='coerce')  # read the texts by hand",
            "many written": "{texts} = {column}.where({code}.isna()); "
            "{column} = {column}.where({code}.notna())  # read the texts by hand",
            "target": "frame = frame.assign(**{{{name!r}: pd.to_numeric({column}, errors='coerce')}})"
            ".dropna(subset=[{name!r}])" + NEVER,
            "target written": "frame = frame[{code}.notna()]" + NEVER,
        },
    ),
    "numbers as text": Advice(
        "As text, every number is a category of its own, and 9 comes after 10.",
        "{column} = {code}",
        {
            "two": "frame[[{name!r}, {unit!r}]] = {code}.set_axis([{name!r}, {unit!r}], axis=1)"
            "  # then bring them to one unit",
            "flags": "frame[[{name!r}, {flag!r}]] = {code}.set_axis([{name!r}, {flag!r}], axis=1)"
            "  # what does each letter say?",
        },
    ),
    "spellings": Advice(
        "One category becomes several, each with fewer examples.",
        "{column} = {column}.replace({usual})",
        {
            "many": "{column} = {column}.groupby({column}.str.strip(' _')"
            ".str.replace(r'[\\s_]+', ' ', regex=True).str.replace(r'(?<!\\d) | (?!\\d)', '', regex=True)"
            ".str.rstrip('.').str.casefold())"
            ".transform(lambda alike: alike.mode()[0].strip(' _'))  # the most frequent spelling"
        },
    ),
    "mixed dates": Advice(
        "Sorted or cut as text they are in no order of time, and 04/03 may be April or March.",
        "{column} = {code}  # ask which comes first, day or month",
    ),
    "infinities": Advice(
        "Sums and distances become infinite or undefined, and most learners stop.",
        "{column} = {column}.replace([np.inf, -np.inf], np.nan)  # a gap; find the division by zero",
        {"target": "frame = frame[~np.isinf({column})]" + NEVER},
    ),
    "missing codes": Advice(
        "Read as a number, a code is a false value far from all true ones; a zero costs more than a gap.",
        "{column} = {column}.mask({column}.isin({codes}))" + GAP,
        {"target": "frame = frame[~{column}.isin({codes})]" + NEVER},
        won=("mean",),
    ),
    "two units": Advice(
        "One and the same thing has two values far apart; repairing it pays more than any scaling.",
        "{column} = {column}.where({column} < {cut:.6g}, {column} / {factor:g})  # first ask which",
        {
            "temperature": "{column} = {column}.where({column} < {cut:.6g}, ({column} - 32) / 1.8)"
            "  # °F to °C"
        },
        won=("repairing",),
    ),
    "outliers": Advice(
        "A far value says 'extreme' and rules means, spreads and distances; as a gap, then filled from"
        " similar rows, it does the least harm. Clipping or robust scaling alone do less well.",
        "{column} = {column}.mask({where})  # then KNNImputer(n_neighbors=5) in a Pipeline",
        {
            "target": "frame = frame[~({where})]  # first look: they may be true; never fill a target"
        },
        won=("gaps, 5 neighbours",),
    ),
    "missing values": Advice(
        "Most learners take no gaps. To drop rows wastes the rest of them, and 0 is a false value.",
        "frame[[{name!r}]] = SimpleImputer(strategy='mean').fit_transform(frame[[{name!r}]])" + FIT,
        {
            "indicator": INDICATOR,
            "text": "{column} = {column}.astype(object).replace(r'^\\s*$', np.nan, regex=True).fillna('none')"
            "  # or its most frequent text",
            "dates as text": "{column} = {code}  # an empty date stays so: what does it mean?",
            "dates": "{column} = {column}.fillna({column}.median())" + FIT,
            "flags": "{column} = {column}.astype(object).fillna('none').astype(str)",
        },
        won=("mean",),
    ),
    "missing pattern": Advice(
        "The rows without gaps are another kind of row. Do not drop the others; the fact that a cell is"
        " empty is news that an indicator tells.",
        INDICATOR,
        {
            "text": "{column} = {column}.astype(object).replace(r'^\\s*$', np.nan, regex=True).fillna('none')"
        },
        won=("mean + indicator",),
    ),
    "empty columns": Advice(
        "Nothing can be learned from it.", "frame = frame.drop(columns={name!r})"
    ),
    "constant columns": Advice(
        "It tells no row from another, and its spread of 0 divides.",
        "frame = frame.drop(columns={name!r})",
    ),
    "identifiers": Advice(
        "A learner can know every row by heart and nothing about a new one; sorted rows let it leak.",
        "frame = frame.set_index({name!r}, append=True)  # to join the rows, not to learn from",
    ),
    "duplicate columns": Advice(
        "What is said twice counts twice in distances and penalties.",
        "frame = frame.drop(columns={name!r})",
    ),
    "columns in step": Advice(
        "The same quantity in another unit counts twice, and gives away what the other one hides.",
        "frame = frame.drop(columns={name!r})",
    ),
    "one-to-one columns": Advice(
        "The same category in other words counts twice. If it has an order (years of school), keep the"
        " numbers; if not, the words: numbers would give it one.",
        "frame = frame.drop(columns={name!r})  # or the other one",
    ),
    "duplicate rows": Advice(
        "A copy on the other side of the split is a test on a known row: it measures memory.",
        "frame = frame.drop_duplicates({subset}, ignore_index=True)  # or split by GroupKFold",
    ),
    "groups": Advice(
        "A random split puts a group into both parts and promises too much for new groups.",
        "train, test = next(GroupShuffleSplit(1, random_state=0).split(frame, groups={groups}))",
        stays=True,
    ),
    "shared groups": Advice(
        "A test on known groups says nothing about new ones.",
        "other = other[~other[{name!r}].isin({column})]",
    ),
    "missing labels": Advice(
        "A label that is filled in is a wrong label.",
        "frame = frame[{column}.replace(r'^\\s*$', np.nan, regex=True).notna()]"
        "  # or learn from these rows without labels",
    ),
    "label conflicts": Advice(
        "No learner can be right about both.",
        "frame = frame[frame.groupby({subset}, dropna=False)[{target!r}].transform('nunique') <= 1]"
        "  # first look up which label is right",
    ),
    "imbalance": Advice(
        "Who never names the rare class is nearly always right: look at balanced accuracy, and stratify.",
        "weights = compute_sample_weight('balanced', {column})  # or class_weight='balanced'",
        stays=True,
    ),
    "target leaks": Advice(
        "If it is known only after the target, the score is a promise that no new row keeps.",
        "frame = frame.drop(columns={name!r})  # first ask when it is known",
        {"sum": "frame = frame.drop(columns={names})  # first ask when they are known"},
    ),
    "shift": Advice(
        "What was learned here may not hold there; what is in another range there has never been seen.",
        "weights = np.exp(LogisticRegression(max_iter=1000).fit(X := pd.get_dummies(pd.concat("
        "[frame[[{name!r}]], other[[{name!r}]]])).fillna(0), np.repeat([0, 1], [len(frame), len(other)]))"
        ".decision_function(X)[: len(frame)])  # rows as there count more; first find the reason",
        stays=True,
    ),
    "other units": Advice(
        "Every row of the other table is far from all that the model has seen.",
        "other[{name!r}] = other[{name!r}] * {factor:.6g}  # first ask which unit is meant",
        {
            "from °F to °C": "other[{name!r}] = (other[{name!r}] - 32) / 1.8",
            "from °C to °F": "other[{name!r}] = 1.8 * other[{name!r}] + 32",
        },
    ),
    "unseen categories": Advice(
        "An encoder stops at a category that it has not seen.",
        "encoder = OneHotEncoder(handle_unknown='ignore').fit(frame[[{name!r}]].astype(str))",
        stays=True,
    ),
    "overlap": Advice(
        "A test on known rows measures memory.",
        "other = other[{table}.pipe(lambda t: ~pd.util.hash_pandas_object(other[t.columns], index=False)"
        ".isin(pd.util.hash_pandas_object(t, index=False)))]",
    ),
}


def mend(kind: str, name, way: str | None = None, **parts) -> str:
    """Return the line that mends a finding.

    Parameters
    ----------
    kind : str
        The kind of the finding.
    name : hashable
        The column's name.
    way : str, optional
        Which of the kind's ways; by default its line.
    **parts
        What else the line holds.
    """
    line = ADVICE[kind].ways[way] if way else ADVICE[kind].line
    column = f"frame[{name!r}]"
    indicator = f"{name} is missing"
    beside = {part: f"{name} {part}" for part in ("unit", "flag")}
    beside["texts"] = f"frame[{f'{name} text'!r}]"
    return line.format(column=column, name=name, indicator=indicator, **beside, **parts)
