"""Dates as text: in which forms they are written."""

import re
from collections import Counter

_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec|january|february|march|april|june|july|august|september|october|november|december)\.?"
_TIME = r"(?P<time>[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]m)?(Z|[+-]\d\d:?\d\d)?)?"
FORMS = {
    name: re.compile(pattern + _TIME, re.IGNORECASE)
    for name, pattern in {
        "2020-03-04": r"\d{4}-\d{1,2}-\d{1,2}",
        "2020/03/04": r"\d{4}/\d{1,2}/\d{1,2}",
        "2020.03.04": r"\d{4}\.\d{1,2}\.\d{1,2}",
        "20200304": r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
        "04/03/2020": r"(?P<first>\d{1,2})/(?P<second>\d{1,2})/\d{4}",
        "04.03.2020": r"(?P<first>\d{1,2})\.(?P<second>\d{1,2})\.\d{4}",
        "04-03-2020": r"(?P<first>\d{1,2})-(?P<second>\d{1,2})-\d{4}",
        "04/03/20": r"(?P<first>\d{1,2})/(?P<second>\d{1,2})/\d{2}",
        "04.03.20": r"(?P<first>\d{1,2})\.(?P<second>\d{1,2})\.\d{2}",
        "04-03-20": r"(?P<first>\d{1,2})-(?P<second>\d{1,2})-\d{2}",
        "Mar 4 2020": rf"{_MONTH} \d{{1,2}}(st|nd|rd|th)? \d{{4}}",
        "Mar 4, 2020": rf"{_MONTH} \d{{1,2}}(st|nd|rd|th)?, ?\d{{4}}",
        "4 Mar 2020": rf"\d{{1,2}}(st|nd|rd|th)? {_MONTH},? \d{{4}}",
        "4-Mar-2020": rf"\d{{1,2}}-{_MONTH}-\d{{2,4}}",
        "2020年3月4日": r"\d{4}年\d{1,2}月\d{1,2}日",
        "43894 (Excel)": r"[2-5]\d{4}",
    }.items()
}
SURE = (
    "2020-03-04",
    "2020/03/04",
    "Mar 4 2020",
    "Mar 4, 2020",
    "4 Mar 2020",
    "4-Mar-2020",
    "04/03/2020",
    "04.03.2020",
    "2020年3月4日",
)
YEAR = r"\s*\d{4}(?:\D|\d{4}\s*$)"  # begins with the year: 2020-03-04, 20200304
SERIAL = r"\s*[2-5]\d{4}\s*"
SOME = 100  # texts by which it is seen at once that a column is none of dates
ALL = 0.9  # of the cells must be dates


def forms(counts: Counter) -> dict[str, list[str]]:
    """Return the forms in which a column's dates are written, each with its texts.

    A column is one of dates if nine cells of ten are, in some form that is nothing but a date. Day before
    month and month before day are two forms of one look, if a 13 or more stands in both places.

    Parameters
    ----------
    counts : collections.Counter
        How often each text occurs; without those that stand for missing.

    Returns
    -------
    dict of str to list of str
        Empty if this is no column of dates.
    """
    some = [text for text, _ in zip(counts, range(SOME), strict=False)]
    if 2 * sum(_form(text.strip()) is not None for text in some) < len(some):
        return {}
    found: dict[str, list[str]] = {}
    for text in counts:
        name = _form(text.strip())
        if name:
            found.setdefault(name, []).append(text)
    dates = sum(counts[text] for texts in found.values() for text in texts)
    if dates < ALL * counts.total() or not any(
        name.partition(" with")[0] in SURE for name in found
    ):
        return {}
    for name in list(found):
        if "first" in FORMS[name.partition(" with")[0]].groupindex:
            _split(found, name)
    return dict(sorted(found.items(), key=lambda item: -sum(counts[text] for text in item[1])))


def _form(text: str) -> str | None:
    if not re.search(r"\d", text) or len(text) > 40:
        return None
    for name, pattern in FORMS.items():
        if match := pattern.fullmatch(text):
            return f"{name} with a time" if match["time"] else name
    return None


def _split(found: dict[str, list[str]], name: str) -> None:
    """Divide the texts of one look by whether the day or the month comes first, if both occur."""
    pattern = FORMS[name.partition(" with")[0]]
    matches = {text: pattern.fullmatch(text.strip()) for text in found[name]}
    month_first = [text for text, match in matches.items() if int(match["second"]) > 12]
    day_first = any(int(match["first"]) > 12 for match in matches.values())
    if month_first:
        found[f"{name} (month first)"] = month_first if day_first else found[name]
        found[name] = [text for text in found[name] if day_first and text not in set(month_first)]
        if not found[name]:
            del found[name]


def parse(texts_by_form: dict[str, list[str]]) -> str:
    """Return an expression of pandas that reads a column ``{column}`` in all these forms.

    Where the day comes first, dates that begin with the year are read apart: pandas would take the 3rd
    of April for the 4th of March in 2020-04-03 too. Excel's numbers are days since the end of 1899.
    """
    looks = [name.partition(" with")[0].removesuffix(" (month first)") for name in texts_by_form]
    first = not any("month first" in name for name in texts_by_form)
    day_first = first and any("first" in FORMS[look].groupindex for look in looks)
    column, how = "{column}", "format='mixed', errors='coerce'"
    if any("年" in look for look in looks):
        column += ".str.replace(r'年|月', '-', regex=True).str.replace('日', '', regex=False)"
    excel = any("Excel" in look for look in looks)
    if not day_first and not excel:
        return f"pd.to_datetime({column}, {how})"
    rest = rf"{YEAR}|{SERIAL}$"
    parts = [
        f"pd.to_datetime(t.where(t.str.match({YEAR!r}, na=False)), {how})",
        f"pd.to_datetime(t.where(~t.str.match({rest!r}, na=False)), {how}, dayfirst={day_first})",
    ]
    if excel:
        numbers = f"pd.to_numeric(t.where(t.str.fullmatch({SERIAL!r}, na=False)), errors='coerce')"
        parts.append(f"pd.to_datetime({numbers}, unit='D', origin='1899-12-30')")
    return f"{column}.pipe(lambda t: {'.fillna('.join(parts)}{')' * (len(parts) - 1)})"
