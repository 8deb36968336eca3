"""Columns of everyday tables: ``make(r, n)`` takes a random generator and a number of rows."""

import uuid

import numpy as np
import pandas as pd

WORDS = {
    "en": "delivery was late the box very good service would buy again colour not as shown patient "
    "feels better after two weeks no complaints quiet street near school bus stops at door needs "
    "repair roof old kitchen friendly staff price fair cheap slow answer",
    "de": "Lieferung kam spät die Wohnung ist ruhig und hell sehr gut gelegen nahe Bahnhof Küche neu "
    "nicht sauber gerne wieder Bad mit Fenster freundlich leider etwas teuer",
    "fr": "livraison en retard très bon accueil prix correct je recommande pas assez clair personnel "
    "aimable quartier calme près de la gare à refaire cuisine équipée bruit",
    "zh": "质量很好 物流慢 下次还买 颜色不对 客服态度好 价格便宜 包装完整 有点贵 推荐购买 尺寸偏小 "
    "送货上门 味道一般 孩子喜欢",
    "first names": "Anna Ben Carla David Emma Felix Grace Hugo Ines Jonas Karim Lena Mia Noah Olga "
    "Paul Rosa Sam Tara Uwe Vera Will Yuki Zoe",
    "surnames": "Adams Brown Costa Dubois Evans Fischer Garcia Huber Ivanov Jones Klein Lopez Meier "
    "Novak Olsen Petit Quinn Rossi Schmidt Tanaka Ueda Vogel Weber Young",
}
FIRST, LAST = WORDS["first names"].split(), WORDS["surnames"].split()
ENDS = {".": 0.5, "!": 0.15, "": 0.2, "?": 0.1, " ...": 0.05}


# --- numbers ---------------------------------------------------------------------------------


def rounded(x, digits):
    """Return rounded numbers, integers where no digits are left."""
    x = np.round(x, digits)
    return x + 0.0 if digits > 0 else x.astype(int)  # + 0.0: no -0.0


def normal(mean, sd, digits, low=-np.inf):
    """Make normal numbers; what falls below `low` is folded up, so that none pile up there."""

    def make(r, n):
        x = r.normal(mean, sd, n)
        return rounded(np.where(x < low, 2 * low - x, x), int(digits))

    return make


def lognormal(median, sigma, digits):
    """Make numbers with a long tail."""
    return lambda r, n: rounded(median * np.exp(r.normal(0, sigma, n)), int(digits))


def counts(mean, low=0):
    """Make counts from `low` on that spread more than Poisson's."""
    return lambda r, n: int(low) + r.poisson(mean * r.gamma(2, 0.5, n))


def between(low, high):
    """Make whole numbers of one range, its end apart."""
    return lambda r, n: r.integers(low, high, n)


def rating(top):
    """Make ratings from 1 to `top`."""
    return lambda r, n: rounded(r.normal(0.55, 0.26, n) * top, 0).clip(1, int(top))


def two_kinds(first, second, digits):
    """Make numbers of two normal kinds, (mean, sd) each."""

    def make(r, n):
        one = r.random(n) < r.uniform(0.2, 0.5)
        return rounded(np.where(one, r.normal(*first, n), r.normal(*second, n)), digits)

    return make


def rain(r, n):
    """Return amounts of rain: dry days are real zeros."""
    return (r.exponential(4, n) + 0.1).round(1) * (r.random(n) < 0.4)


# --- categories and texts --------------------------------------------------------------------


def one_of(values, p=None):
    """Make categories, as often as `p` says. Text stands in one string: "yes|no"."""
    values = np.array(values.split("|"), object) if isinstance(values, str) else np.array(values)
    return lambda r, n: r.choice(values, n, p=p)


def category(values):
    """Make categories that are unequally frequent."""

    def make(r, n):
        p = r.dirichlet(np.full(len(values.split("|")), 6.0)) + 0.06
        return one_of(values, p / p.sum())(r, n)

    return make


def each(write):
    """Make each cell by a function of the generator."""
    return lambda r, n: [write(r) for _ in range(n)]


def written(form, make):
    """Make numbers, written in a form: "{:.0f} kg", or by a function."""
    form = form.format if isinstance(form, str) else form
    return lambda r, n: [form(x) for x in make(r, n)]


def sentence(r, language="en"):
    """Return a line of free text."""
    words = WORDS[language].split()
    if language == "zh":
        return "，".join(r.choice(words, r.integers(2, 6)))
    text = " ".join(r.choice(words, r.integers(4, 14)))
    number = f" {r.integers(2, 40)} {r.choice(['days', 'min', 'm', '%'])}" * (r.random() < 0.15)
    return text[0].upper() + text[1:] + number + r.choice(list(ENDS), p=list(ENDS.values()))


def postcodes(r, n):
    """Return postal codes, some with a leading zero."""
    pool = [f"{x:05d}" for x in r.integers(1000, 99000, 25)] + ["01067", "04109", "07743", "09111"]
    return one_of("|".join(pool))(r, n)


# --- days, and what names the rows -----------------------------------------------------------


def days(r, n):
    """Return days of six years, in any order."""
    return pd.Timestamp("2017-01-01") + pd.to_timedelta(r.integers(0, 2400, n), "D")


def dates(form="%Y-%m-%d"):
    """Make dates of one form, as text; those of the usual form are now and then real dates."""

    def make(r, n):
        made = days(r, n)
        made = made.sort_values() if r.random() < 0.7 else made
        real = form == "%Y-%m-%d" and r.random() < 0.4
        return made.to_numpy() if real else made.strftime(form).to_list()

    return make


def stamps(step):
    """Make times at even steps, as text."""
    times = "%Y-%m-%d %H:%M"
    return lambda r, n: pd.date_range("2021-01-01", periods=n, freq=step).strftime(times).to_list()


def distinct(form, top=99_999):
    """Make keys that are distinct numbers, written in a form."""
    return lambda r, n: [form.format(x) for x in r.choice(top, n, replace=False)]


def email(r):
    """Return an address."""
    return f"{r.choice(FIRST)}.{r.choice(LAST)}{r.integers(10**6)}@mail.org".lower()


# Possible names of a column that names the rows, what it holds, and its maker.
KEYS = [
    ("id|编号|Nr", "numbers of the rows, from 1", lambda r, n: np.arange(1, n + 1)),
    ("record|numéro", "running numbers", lambda r, n: np.arange(n) + r.integers(1000, 90000)),
    (
        "patient_id",
        "running numbers, shuffled",
        lambda r, n: r.permutation(n) + r.integers(1, 5000),
    ),
    ("key", "UUIDs", each(lambda r: str(uuid.UUID(bytes=r.bytes(16))))),
    ("ref", "letters and numbers", distinct("ORD-{:05d}")),
    ("account", "eight digits", lambda r, n: r.choice(90_000_000, n, replace=False) + 10_000_000),
    ("email", "addresses", each(email)),
]
