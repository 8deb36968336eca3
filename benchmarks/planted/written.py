"""Faults of how cells are written: numbers as text, text among numbers, spellings, dates."""

import numpy as np

from . import columns as make
from .columns import days, each, lognormal, normal, one_of, sentence, written
from .variants import Cells, Kind, New, choices


def german(x):
    """Write a number as 1.234,56."""
    return f"{x:,.2f}".translate(str.maketrans(",.", ".,"))


def pounds(x):
    """Write a weight in kg, or every third in pounds."""
    return f"{x} kg" if x % 3 else f"{2.2 * x:.0f} lb"


def duration(x):
    """Write minutes as minutes or hours."""
    return f"{x} min" if x < 90 else f"{x / 60:.1f} h"


def limited(x):
    """Write a number, or that it is beyond what can be measured."""
    return "<5" if x < 5 else ">1000" if x > 1000 else str(x)


PRICE, BODY = lognormal(1300, 0.7, 2), normal(75, 12, 0, 42)
NUMBERS_AS_TEXT = [
    New("cost", "$1,234.56", written("${:,.2f}", PRICE)),
    New("Kosten", "1.234,56 €", written(lambda x: german(x) + " €", PRICE)),
    New("share", "45.1%", written("{:.1f}%", lambda r, n: r.uniform(1, 99, n))),
    New("body", "70 kg", written("{:.0f} kg", BODY)),
    New("body", "70 kg, 154 lb", written(pounds, BODY)),
    New("Menge", "3,6", written(lambda x: f"{x:.1f}".replace(".", ","), normal(36, 8, 1, 5))),
    New("crp", "<5", written(limited, lognormal(10, 0.7, 0))),
    New("points", "digits as text", written("{:.0f}", PRICE), as_file=False),
    New("population", "1,234,567", written("{:,.0f}", lognormal(1.3e6, 0.7, 0))),
    New("salaire", "1 234", written(lambda x: f"{x:,}".replace(",", " "), lognormal(3900, 0.7, 0))),
    New("价格", "¥1,234", written("¥{:,.0f}", PRICE)),
    New("fee", "£12.30", written("£{:.2f}", lognormal(32, 0.7, 2))),
    New("length", "31.0cm", written("{:.1f}cm", normal(31, 5, 1, 10))),
    New("level", "decimals as text", written("{:.2f}", normal(7, 1, 2, 2)), as_file=False),
    New("amount", "1,234 USD", written("{:,.0f} USD", PRICE)),
    New("hours", "45 min, 2.1 h", written(duration, make.between(20, 300))),
    New("growth", "+1.2 %", written("{:+.1f} %", normal(1, 3, 1))),
    New("titre", ">1000", written(limited, lognormal(403, 0.7, 0))),
    New("Preis", "1.234,56", written(german, PRICE)),
    New("income_usd", "$130.2K", written("${:.1f}K", lognormal(130, 0.7, 1))),
]


def numbers(sign, *ranges):
    """Make cells of several numbers with a sign between them; each is below its range's end."""
    return each(lambda r: sign.join(str(r.integers(low, high)) for low, high in ranges))


NAMES = ("identifiers",)
NO_NUMBERS = choices(
    """release: 1.0.3|1.1|1.10|2.0|2.0.1; ages: 0-9|10-19|20-39|40-64; icd: J45.1|I10|E11.9|M54.5;
    season_: 2018/19|2019/20|2020/21; mark: 1|1-|2+|2|2-|3+; line: 12|12A|N5|X30|7|S8"""
)
NO_NUMBERS += [
    New("postal", "postal codes", make.postcodes),
    New("phone", "telephone numbers", written("0{}", numbers(" ", (30, 999), (1e5, 1e7))), NAMES),
    New("start", "times of day", numbers(":", (10, 24), (10, 60))),
    New("final", "results", numbers(":", (0, 5), (0, 4))),
    New("size", "dimensions", numbers(" x ", (20, 90), (20, 90))),
    New("room", "Room 12", written("Room {}", make.between(1, 30))),
    New("article", "AB12", written("AB{}", make.between(10, 60))),
    New("bp", "blood pressure", numbers("/", (100, 170), (60, 99))),
    New("ip", "IP addresses", numbers(".", *[(1, 255)] * 4), NAMES),
    New("when", "dates", make.dates("%d.%m.%Y")),
]

# --- text among numbers ----------------------------------------------------------------------

AB = ["", "", "", "a", "b"]
ABOUT = "about {0}|ca. {0}|{0}?|{0} (est.)|see note|too low|approx {0}|~{0}|between 3 and 4|broken"
ABOUT = f"{ABOUT}|etwa {{0}}|off the scale|roughly {{0}}".split("|")


def doubts(d, x, rows):
    """Return words about numbers."""
    return [d.r.choice(ABOUT).format(number) for number in x[rows]]


def feedback(r):
    """Return free text, or now and then a number."""
    return str(r.integers(3, 90)) if r.random() < 0.05 else sentence(r)


def ticket(r):
    """Return a ticket of the Titanic."""
    return f"{r.choice(['A/5 ', 'PC ', 'STON/O2. ', *[''] * 5])}{r.integers(3000, 390000)}"


NO_TEXT = choices(
    """size: S|M|L|38|40|42; line: 12|17|4|N5|X30|7|S8; Etage_: UG|EG|1|2|3|DG; rank: 1st|2nd|DNF;
    dept: 01|13|69|75|2A|2B; card: 7|8|9|10|J|Q|K|A; grade_: K|1|2|3|4|5""",
    ("missing words",),
)
NO_TEXT += [
    New(
        "house_no", "numbers, letters", each(lambda r: f"{r.integers(1, 120)}{r.choice(AB)}"), NAMES
    ),
    New("ticket", "tickets", each(ticket), NAMES),
    New("feedback", "text, now and then a number", each(feedback)),
]


# --- spellings and dates ---------------------------------------------------------------------


def spelled(d):
    """Write a category in one or two other ways."""
    column = d.one("category")
    if all(len(x) < 2 or not x.isascii() for x in d.frame[column].unique()):
        column = d.put("town", one_of("New York|Los Angeles|Bonn|Graz")(d.r, d.n))
    known = d.frame[column].value_counts().index
    v = known[d.r.integers(2)]
    ways = {v.upper(), v.lower(), v.title(), f" {v}", f"{v} ", f"{v}."}
    ways |= {v.replace(" ", "_"), v.replace(" ", "  ")}
    ways = d.r.choice(sorted(ways - set(known)), d.r.integers(1, 3), replace=False)
    places = np.flatnonzero(d.frame[column] == v)
    some = min(max(2, int(len(places) * d.r.choice([0.05, 0.15, 0.4]))), len(places) - 1)
    rows = d.r.choice(places, some, replace=False)
    d.write(column, rows, np.resize(ways, some).astype(object))
    d.mark(column)


OTHER_KINDS = ("mixed dates", "numbers as text", "text among numbers")
NO_SPELLINGS = choices(
    """grade: A|A-|B+|B|B-; amount: 1.1M|11M|1M|10M; version: 1.0|10|1.10|11.0; blood: 0+|0-|A+|A-;
    name: Meier|Meyer|Maier|Mayer; town: Frankfurt (Oder)|Frankfurt (Main); wind: N|NE|NNE|E;
    language: C|C++|C#|F#|F; fraction: 1/11|11/1|1/1|11/11; decimal: 3,6|36|3,0|30;
    accent: Côte|Coté|Côté; hyphen: re-sign|resign|stay; sign: <50|50|>50; mark: 10-12|1012|10.12""",
    OTHER_KINDS,
)
FORMS = (
    "%Y-%m-%d|%d/%m/%Y|%m/%d/%Y|%b %d %Y|%d.%m.%Y|%d %B %Y|%Y/%m/%d|%Y%m%d|%d-%b-%y|%Y-%m-%d %H:%M"
)
ALIKE = {"%d/%m/%Y", "%m/%d/%Y"}, {"%Y-%m-%d", "%Y-%m-%d %H:%M"}  # no two of these in one column


def several_forms(r, n):
    """Return dates in two or three forms, of which the first is the most frequent."""
    forms = r.choice(FORMS.split("|"), r.integers(2, 4), replace=False)
    if any(pair <= set(forms) for pair in ALIKE):
        return several_forms(r, n)
    other = np.where(r.random(n) < r.choice([0.03, 0.1, 0.3]), r.integers(1, len(forms), n), 0)
    other[:4] = 1, 1, 1, len(forms) - 1
    return [x.strftime(forms[k]) for x, k in zip(days(r, n), other, strict=True)]


def moved(r):
    """Return free text, often with a date."""
    day, text = days(r, 1)[0], sentence(r)
    return f"Moved in {day:%d.%m.%Y}, {text}" if r.random() < 0.4 else f"{text} since {day:%B %Y}"


def two_columns(d):
    """Add two columns of dates, each in a form of its own."""
    for name, form in {"when": "%d/%m/%Y", "when2": "%Y-%m-%d"}.items():
        d.put(name, days(d.r, d.n).strftime(form))


FORM = (
    "{0.day}.{0.month}.{0.year}|{0.month}/{0.day}/{0.year}|{0:%B %d, %Y}|{0.year}-Q{0.quarter}|"
    "{0:%b %Y}|{0:%Y-%m-%dT%H:%M:%S}|{0.year}年{0.month}月{0.day}日|{0.day} {0:%B} {0.year}"
)
ONE_FORM = [New("when", form, written(form, days)) for form in FORM.split("|")]
ONE_FORM += [two_columns, New("when", "text with dates", each(moved))]
DATES = [New("birth|admitted|Eingang|date_in", "several forms", several_forms)]
DOUBTS = [Cells("words about a number", "measure|price", (1, 4), doubts, text=0.7)]
OF_DOUBTS, SOME = ("numbers as text", "identifiers", "missing words"), (40, 1000)
KINDS = {
    "numbers as text": Kind(NUMBERS_AS_TEXT, NO_NUMBERS, ("text among numbers",), rows=SOME),
    "text among numbers": Kind(DOUBTS, NO_TEXT, OF_DOUBTS, rows=(50, 1000), files=0.5),
    "spellings": Kind([spelled], NO_SPELLINGS, rows=(40, 1200), need="measure|category"),
    "mixed dates": Kind(DATES, ONE_FORM, (*OTHER_KINDS[1:], "identifiers"), rows=SOME),
}
