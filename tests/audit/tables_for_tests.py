"""Tables made for the tests: clean ones, and ones with one fault each, by kind."""

import numpy as np
import pandas as pd
from sklearn import datasets

TOWNS = ["Bonn", "Kyoto", "Lima", "New York"]


def people(rng, n=240):
    """Invented patients: numbers, whole numbers, text, signs that carry meaning."""
    return pd.DataFrame(
        {
            "age": rng.integers(18, 91, n),
            "height": rng.normal(170, 8, n).round(1),
            "weight": rng.normal(75, 9, n).round(1),
            "sugar": rng.lognormal(1.6, 0.2, n).round(2),
            "blood": rng.choice(["0+", "0-", "A+", "A-", "B+", "B-"], n),
            "town": rng.choice(TOWNS, n),
            "children": rng.poisson(1.2, n),
            "state": rng.choice(["ill", "well"], n),
        }
    )


# ── clean tables: the audit must stay silent ────────────────────────────────────────────────


def shop(rng, n=300):
    spent = np.where(rng.random(n) < 0.6, 0, rng.lognormal(3, 1, n).round(2))
    return pd.DataFrame(
        {
            "price": rng.lognormal(2.5, 0.7, n).round(2),
            "rating": rng.integers(1, 11, n),
            "stars": rng.choice([1, 2, 3, 4, 5], n, p=[0.05, 0.05, 0.1, 0.3, 0.5]),
            "quantity": rng.geometric(0.4, n),
            "category": rng.choice(["toys", "books", "food", "garden"], n),
            "spent": spent,
            "returned": rng.random(n) < 0.2,
        }
    )


def reviews(rng, n=300):
    words = [
        "good",
        "bad",
        "fine",
        "slow",
        "fast",
        "battery",
        "screen",
        "the",
        "a",
        "and",
        "camera",
    ]
    texts = [" ".join(rng.choice(words, rng.integers(6, 16))) for _ in range(n)]
    length = rng.integers(20, 900, n)
    return pd.DataFrame({"review": texts, "length": length, "mood": rng.choice(["pos", "neg"], n)})


def weather(rng, n=300):
    days = pd.date_range("2020-01-01", periods=n)
    return pd.DataFrame(
        {
            "date": days.astype(str),
            "temperature": (10 + 10 * np.sin(np.arange(n) / 58) + rng.normal(0, 3, n)).round(1),
            "rain": np.where(rng.random(n) < 0.7, 0, rng.exponential(4, n).round(1)),
            "humidity": rng.integers(30, 100, n),
            "wind": 5 * rng.weibull(2, n).round(2),
        }
    )


def measured_in_order(rng, n=300):
    areas = np.sort(rng.integers(200, 90_000, n))
    income = np.sort(rng.lognormal(10, 0.5, n).round(0))
    return pd.DataFrame({"income": income, "area": areas, "group": rng.choice(["x", "y"], n)})


def cars(rng, n=300):
    return pd.DataFrame(
        {
            "cylinders": rng.choice([4, 6, 8], n),
            "power": rng.integers(50, 300, n),
            "mileage": rng.normal(25, 6, n).round(1),
            "year": rng.integers(1970, 1983, n),
            "origin": rng.choice(["USA", "Europe", "Japan"], n),
            "compression": rng.normal(9, 1, n).round(1),
            "doors": rng.choice([2, 4, 5], n),
        }
    )


def tails(rng, n=400):
    columns = [rng.lognormal(0, 1, n), rng.exponential(1, n), rng.gamma(0.8, 2, n)]
    columns += [rng.standard_normal(n), rng.poisson(0.3, n), rng.negative_binomial(1, 0.1, n)]
    return pd.DataFrame(dict(zip("abcdef", columns, strict=True)))


def two_kinds_of_flowers(rng, n=300):
    small = rng.random(n) < 0.4
    petal = np.where(small, rng.normal(1.5, 0.17, n), rng.normal(4.9, 0.8, n)).round(1)
    width = np.where(small, rng.normal(0.25, 0.05, n), rng.normal(1.7, 0.4, n)).round(2)
    sepal = np.where(small, rng.normal(5, 0.3, n), rng.normal(6.2, 0.6, n)).round(1)
    return pd.DataFrame({"petal": petal, "width": width.clip(0.1), "sepal": sepal})


def signs_and_codes(rng, n=300):
    return pd.DataFrame(
        {
            "post code": [f"{k:05d}" for k in rng.integers(1000, 99_999, n)],
            "country": rng.choice(["DE", "FR", "NA", "US", "CN"], n),
            "size": rng.choice(["S", "M", "L", "XL", "1.1M", "11M"], n),
            "version": rng.choice(["1.0", "1.10", "2.0.1", "10"], n),
            "change": rng.choice(["+", "-", "0"], n),
            "treatment": rng.choice(["none", "drug", "placebo"], n),
            "grade": rng.choice(["A", "A-", "B+", "B", "B-", "C"], n),
        }
    )


def survey(rng, n=300):
    answers = {f"question {i}": rng.integers(1, 6, n) for i in range(6)}
    groups = rng.choice(["<18", "18-65", ">65"], n)
    return pd.DataFrame(answers | {"age group": groups, "household": rng.integers(1, 9, n)})


def physics(rng, n=300):
    return pd.DataFrame(
        {
            "speed": rng.uniform(-5, 5, n),
            "latitude": rng.uniform(47, 55, n),
            "altitude": rng.gamma(2, 200, n).round(0),
            "pressure": rng.normal(1013, 9, n).round(1),
            "when": rng.choice(pd.date_range("2021-01-01", periods=900), n),
            "level": rng.choice(["INFO", "WARN", "ERROR", "DEBUG"], n),
        }
    )


def correlated(rng, n=300):
    x = rng.normal(size=n)
    noisy, twice = x + rng.normal(0, 0.1, n), 2 * x + rng.normal(0, 0.05, n)
    return pd.DataFrame({"x": x, "noisy": noisy, "exp": np.exp(x), "twice": twice})


def staff(rng, n=300):
    first = rng.choice(["Ann", "Bob", "Cy", "Di", "Ed", "Flo"], n)
    last = rng.choice(["Li", "Ng", "Roe", "Poe", "Kim", "Ali", "Ray", "Day"], n)
    days = [str(day)[:10] for day in pd.date_range("2010-01-01", periods=4000)]
    hours, minutes = rng.integers(0, 24, n), rng.integers(0, 60, n)
    return pd.DataFrame(
        {
            "name": [f"{a} {b}" for a, b in zip(first, last, strict=True)],
            "salary": 1000 * rng.integers(20, 120, n),
            "since": rng.choice(days, n),
            "begins": [f"{h:02d}:{m:02d}" for h, m in zip(hours, minutes, strict=True)],
            "remote": rng.choice([True, False], n),
        }
    )


def standard(rng, n=300):
    return pd.DataFrame(rng.standard_normal((n, 8)), columns=list("abcdefgh"))


def houses(rng, n=420):
    return pd.DataFrame(
        {
            "rooms": rng.choice([1, 1.5, 2, 2.5, 3, 4, 5], n),
            "price": 50 * np.minimum(rng.geometric(0.04, n) + 100, 180),
            "heating": rng.choice(["gas", "oil", "wood"], n),
            "floors": rng.choice([1, 1.5, 2], n),
            "built": rng.integers(1890, 2021, n),
            "quality": rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], n),
        }
    )


def chinese(rng, n=300):
    return pd.DataFrame(
        {
            "城市": rng.choice(["北京", "上海", "广州"], n),
            "年龄": rng.integers(18, 80, n),
            "收入": rng.lognormal(8, 0.5, n).round(0),
            "学历": rng.choice(["本科", "硕士", "博士", "无"], n),
            "评论": [
                "".join(rng.choice(list("这家店的菜很好吃服务态度不错价格便宜"), 14))
                for _ in range(n)
            ],
            "日期": [f"2021年{k % 12 + 1}月{k // 12 + 1}日" for k in range(n)],
        }
    )


def german(rng, n=300):
    days = pd.date_range("2021-01-05", periods=n).strftime("%d.%m.%Y")
    names = [f"{a}{b}" for a in ("Jo", "An", "Li", "Ma") for b in ("hanna", "ton", "sa", "ria")]
    return pd.DataFrame(
        {
            "Datum": days,
            "Vorname": rng.choice([*names, "Nan"], n),
            "Kinder": rng.choice([0, 1, 2, 3, 10], n, p=[0.2, 0.495, 0.2, 0.1, 0.005]),
            "Miete": rng.lognormal(6.5, 0.4, n).round(2),
        }
    )


def one_row_a_year(rng):
    years = np.arange(1950, 2021)
    return pd.DataFrame({"year": years, "rain": rng.gamma(20, 30, len(years)).round(1)})


MADE = [people, shop, reviews, weather, measured_in_order, cars, tails, two_kinds_of_flowers]
MADE += [signs_and_codes, survey, physics, correlated, staff, standard, houses, chinese]
MADE += [german, one_row_a_year]
LOADED = ["iris", "wine", "breast_cancer", "diabetes", "digits"]


def loaded(name):
    """A table inside scikit-learn, with its target."""
    return getattr(datasets, f"load_{name}")(as_frame=True).frame


# ── one fault in a clean table ──────────────────────────────────────────────────────────────


def some(rng, frame, share=0.06):
    return rng.choice(len(frame), max(8, int(share * len(frame))), replace=False)


def put(frame, column, rows, cell):
    cells = frame[column].astype(object)
    cells.iloc[rows] = cell
    frame[column] = cells if isinstance(cell, str) or cell is None else cells.infer_objects()


def code(column, value):
    def plant(frame, rng):
        put(frame, column, some(rng, frame), value)
        return column

    return plant


def written(column, write):
    def plant(frame, rng):
        frame[column] = [write(x) for x in frame[column]]
        return column

    return plant


def add(make):
    def plant(frame, rng):
        frame["new"] = make(frame, rng)
        return "new"

    return plant


def gaps(column):
    def plant(frame, rng):
        put(frame, column, some(rng, frame), None)
        if column in ("age", "height"):
            frame[column] = frame[column].astype(float)
        return column

    return plant


def dependent_gaps(frame, rng):
    frame["weight"] = frame["weight"].mask(rng.random(len(frame)) < (frame["age"] > 60) * 0.7)
    return "weight"


def spelt(frame, rng):
    rows = rng.choice(np.flatnonzero(frame["town"] == "New York"), 5, replace=False)
    put(frame, "town", rows, rng.choice(["new york", "NEW_YORK", " New York", "New York."]))
    return "town"


def dates(write):
    def make(frame, rng):
        days = rng.choice(pd.date_range("2019-01-01", periods=900), len(frame))
        return [write(pd.Timestamp(day), i) for i, day in enumerate(days)]

    return add(make)


def far(column, factor):
    def plant(frame, rng):
        rows = rng.choice(len(frame), 4, replace=False)
        frame[column] = frame[column].astype(float)
        frame.loc[rows, column] *= factor
        return column

    return plant


def unit(column, convert):
    def plant(frame, rng):
        rows = rng.random(len(frame)) < rng.choice([0.2, 0.5])
        frame[column] = frame[column].astype(float).where(~rows, convert(frame[column]))
        return column

    return plant


def twice(frame, rng):
    frame.iloc[-6:] = frame.iloc[:6].to_numpy()
    frame[:] = frame.infer_objects()
    return "(rows)"


def conflicting(frame, rng):
    frame.iloc[-6:] = frame.iloc[:6].to_numpy()
    frame.loc[len(frame) - 6 :, "state"] = np.where(frame["state"][:6] == "ill", "well", "ill")
    return "(rows)"


def rare(frame, rng):
    frame["state"] = np.where(np.arange(len(frame)) % 20 == 0, "rare", frame["state"])
    frame["state"] = frame["state"].where(frame["state"] == "rare", "well")
    return "state"


def header_lost(frame, rng):
    frame.columns = [str(cell) for cell in frame.iloc[0]]
    frame.iloc[0] = people(rng, 1).iloc[0]  # another row, or the names would be a copy of it
    return "(rows)"


def named_twice(frame, rng):
    frame.columns = ["age", "height", "height", *frame.columns[3:]]
    return "height"


def named_with_a_space(frame, rng):
    frame.columns = [f"{name} " if name == "weight" else name for name in frame.columns]
    return "weight "


def german(x):
    return f"{x:,.2f} €".translate(str.maketrans(",.", ".,"))


def body(frame, rng):
    celsius = rng.normal(36.8, 0.4, len(frame)).round(1)
    return np.where(rng.random(len(frame)) < 0.3, (celsius * 1.8 + 32).round(1), celsius)


def key(frame, rng):
    return [f"P{k:06d}" for k in rng.choice(10**6, len(frame), replace=False)]


def pressure(frame, rng):
    values = rng.normal(75, 9, len(frame)).round(0)
    return np.where(rng.random(len(frame)) < 0.1, 0, values)


def answers(frame, rng):
    return np.where(rng.random(len(frame)) < 0.08, 9, rng.integers(1, 6, len(frame)))


def class_told(frame, rng):
    return np.where(frame["state"] == "ill", "code 1", "code 2")


def class_told_by_a_number(frame, rng):
    return np.where(frame["state"] == "ill", 5.0, 0.0) + rng.normal(0, 0.5, len(frame))


FAULTS = [
    *[("missing codes", code("height", value)) for value in (-999, -200, 999)],
    ("missing codes", code("age", -1)),
    ("missing codes", add(pressure)),
    ("missing codes", add(answers)),
    *[("missing words", code("town", word)) for word in ("UNKNOWN", "n/a", "?", "not measured")],
    *[("missing words", code("sugar", word)) for word in ("-", "missing", "ERROR")],
    ("numbers as text", written("sugar", "${:,.2f}".format)),
    ("numbers as text", written("weight", "{} kg".format)),
    ("numbers as text", written("sugar", "{}%".format)),
    ("numbers as text", written("height", lambda x: str(x).replace(".", ","))),
    ("numbers as text", written("weight", lambda x: german(1000 * x))),
    ("numbers as text", written("sugar", lambda x: "<4" if x < 4 else str(x))),
    ("numbers as text", written("age", str)),
    (
        "numbers as text",
        written("weight", lambda x: f"{x} kg" if x < 75 else f"{x / 0.4536:.1f} lb"),
    ),
    ("text among numbers", lambda f, rng: put(f, "sugar", [3, 50], "about 500") or "sugar"),
    ("spellings", spelt),
    ("mixed dates", dates(lambda d, i: d.strftime(["%Y-%m-%d", "%d/%m/%Y", "%b %d %Y"][i % 3]))),
    ("mixed dates", dates(lambda d, i: d.strftime("%d/%m/%Y" if i % 2 else "%m/%d/%Y"))),
    ("identifiers", add(lambda f, rng: rng.permutation(len(f)) + 100)),
    ("identifiers", add(key)),
    ("identifiers", add(lambda f, rng: rng.choice(900_000, len(f), replace=False) + 100_000)),
    ("missing values", gaps("height")),
    ("missing values", gaps("town")),
    ("missing pattern", dependent_gaps),
    ("empty columns", add(lambda f, rng: np.full(len(f), np.nan))),
    ("constant columns", add(lambda f, rng: "same")),
    ("infinities", lambda f, rng: put(f, "sugar", [5, 9], np.inf) or "sugar"),
    ("outliers", far("weight", 100)),
    ("outliers", far("sugar", 20)),
    ("two units", unit("height", lambda x: x / 100)),
    ("two units", unit("sugar", lambda x: x * 1000)),
    ("two units", unit("height", lambda x: x / 2.54)),
    ("two units", add(body)),
    ("duplicate columns", add(lambda f, rng: f["height"])),
    ("columns in step", add(lambda f, rng: (f["weight"] / 0.4536).round(1))),
    ("columns in step", add(lambda f, rng: (32 - 1.8 * f["height"]).round(0))),
    ("one-to-one columns", add(lambda f, rng: f["town"].map({t: i for i, t in enumerate(TOWNS)}))),
    ("one-to-one columns", add(lambda f, rng: f["blood"].map(lambda t: "group " + t))),
    ("column names", named_twice),
    ("column names", named_with_a_space),
    ("no header", header_lost),
    ("duplicate rows", twice),
    ("label conflicts", conflicting),
    ("missing labels", lambda f, rng: put(f, "state", some(rng, f), None) or "state"),
    ("imbalance", rare),
    ("target leaks", add(class_told)),
    ("target leaks", add(class_told_by_a_number)),
]


# ── one fault between two tables ────────────────────────────────────────────────────────────


def moved(frame, other, rng):
    other["weight"] += 6
    return "weight"


def other_shares(frame, other, rng):
    other["town"] = rng.choice(TOWNS, len(other), p=[0.7, 0.1, 0.1, 0.1])
    return "town"


def in_inches(frame, other, rng):
    other["height"] = (other["height"] / 2.54).round(1)
    return "height"


def in_fahrenheit(frame, other, rng):
    for table, turn in ((frame, lambda x: x), (other, lambda x: 1.8 * x + 32)):
        table["temperature"] = turn(rng.normal(36.8, 0.5, len(table))).round(1)
    return "temperature"


def in_celsius(frame, other, rng):
    return in_fahrenheit(other, frame, rng)


def in_another_laboratory(frame, other, rng):
    for table, factor in ((frame, 1), (other, 18.016)):
        table["glucose"] = (factor * rng.normal(5.4, 0.9, len(table))).round(2)
    return "glucose"


def new_town(frame, other, rng):
    put(other, "town", [1, 4, 5, 9], "Oslo")
    return "town"


def rows_of_both(frame, other, rng):
    other.iloc[:9] = frame.iloc[20:29].to_numpy()
    other[:] = other.infer_objects()
    return "(rows)"


def column_of_one(frame, other, rng):
    frame["bmi"] = frame["weight"] / 3 + rng.normal(size=len(frame))
    return "bmi"


BETWEEN = [
    ("shift", moved),
    ("shift", other_shares),
    ("other units", in_inches),
    ("other units", in_fahrenheit),
    ("other units", in_celsius),
    ("other units", in_another_laboratory),
    ("unseen categories", new_town),
    ("overlap", rows_of_both),
    ("other columns", column_of_one),
]
