"""Faults of numbers: infinite ones, far ones, and two units in one column."""

import numpy as np

from . import columns as make
from .columns import lognormal, one_of, two_kinds
from .variants import Cells, Kind, New

# Name, mean, standard deviation, digits; then factor and offset of another unit.
UNITS = {
    "m, cm": ("height", 1.72, 0.09, 2, 100, 0),
    "kg, g": ("Gewicht_kg", 3.4, 0.5, 2, 1000, 0),
    "°C, °F": ("body_temp", 37.1, 0.6, 1, 1.8, 32),
    "mmol/l, mg/dl": ("glucose_", 6, 1, 1, 18.016, 0),
    "hPa, Pa": ("pressure", 1013, 8, 1, 100, 0),
    "share, percent": ("fraction", 0.55, 0.12, 3, 100, 0),
    "km, m": ("dist", 12, 2.5, 1, 1000, 0),
    "yuan, fen": ("价格_元", 65, 14, 2, 100, 0),
    "m, cm in French": ("taille_", 1.68, 0.1, 2, 100, 0),
    "mm, cm": ("length_mm", 54, 9, 1, 0.1, 0),
    "hPa, inHg": ("baro", 1013, 8, 1, 0.02953, 0),
    "mg/dl, µmol/l": ("creatinine", 0.95, 0.15, 2, 88.4, 0),
}


def measured(r, n, mean, sd):
    """Return normal numbers, cut at 2.8 standard deviations."""
    return r.normal(mean, sd, n).clip(mean - 2.8 * sd, mean + 2.8 * sd)


def partly(mean, sd, digits, factor, offset):
    """Make a measurement of which a part is in another unit."""

    def make(r, n):
        x = measured(r, n, mean, sd)
        rows = r.permutation(n)[: max(6, int(n * r.choice([0.08, 0.2, 0.5])))]
        x[rows] = x[rows] * factor + offset
        return np.round(x, digits)

    return make


TWO_UNITS = [New(name, about, partly(*unit)) for about, (name, *unit) in UNITS.items()]


def animals(d):
    """Add weights of cats and dogs, and which it is."""
    cat = d.r.random(d.n) < d.r.uniform(0.2, 0.5)
    d.put("animal_kg", np.where(cat, d.r.normal(4.3, 0.6, d.n), d.r.normal(24, 4, d.n)).round(1))
    d.put("species", np.where(cat, "cat", "dog"))


ERUPTIONS = New("eruption", "bimodal", two_kinds((2, 0.3), (4.3, 0.4), 2))

ONE_UNIT = [
    ERUPTIONS,
    animals,
    New("score10", "ratings", make.rating(10)),
    New("household_size", "sizes of households", make.counts(1.6, 1)),
    New("ratio", "compression of diesel and gas", two_kinds((22, 1), (9, 0.7), 1)),
    New("rpm_", "idle and load", two_kinds((800, 30), (3000, 90), 0)),
    New("trip_km", "long tail", lognormal(12, 1.1, 1)),
    New("petal", "petals of iris", two_kinds((1.46, 0.17), (4.9, 0.8), 1)),
    New("seats", "2 to 50", one_of([2, 5, 7, 50], [0.15, 0.5, 0.2, 0.15]), ("missing codes",)),
    New("salary_", "trainees and staff", two_kinds((900, 120), (4200, 700), 0)),
]


def far(about, roles, values):
    """Return a variant: one to four numbers, far from the others."""

    def distinct(d, x, rows):
        return np.round(values(d, x, rows), 2) + 0.01 * np.arange(len(rows))

    return Cells(about, roles, (1, 5), distinct)


def slipped(d, x, rows):
    """Return cells times 100 or 1000."""
    above = x.max() * d.r.uniform(11, 14)
    return np.maximum(x[rows] * d.r.choice([100, 1000]), above)


FAR = [
    far("factors", "measure|price", slipped),
    far("sd", "measure", lambda d, x, rows: x.max() + x.std() * d.r.uniform(17, 60, len(rows))),
    far("factors", "measure", slipped),
    far("multiples", "measure", lambda d, x, rows: x.max() * d.r.uniform(11, 40, len(rows))),
]
FOUR = np.array([4.2, 4.7])
NOT_FAR = [
    Cells("4 and 5 sd", "measure", (2, 3), lambda d, x, rows: x.mean() + x.std() * FOUR),
    ERUPTIONS,
    New("income_", "lognormal, 0.9", lognormal(2440, 0.9, 0)),
    New("followers", "lognormal, 1.3", lognormal(403, 1.3, 0)),
    New("wait", "exponential", lambda r, n: r.exponential(12, n).round(1)),
    New("clicks", "many zeros", lambda r, n: r.negative_binomial(0.5, 0.02, n)),
    New("claims", "zeros, amounts", lambda r, n: r.lognormal(6, 0.6, n) * (r.random(n) < 0.3)),
    New("plan_gb", "1 to 500", one_of([1, 5, 20, 100, 500], [0.3, 0.3, 0.2, 0.12, 0.08])),
    New("heavy_t", "t, 5 degrees", lambda r, n: (20 + 3 * r.standard_t(5, n)).round(2)),
    New("cells", "gamma", lambda r, n: r.gamma(0.6, 900, n).round()),
]


BRANDS = one_of("Infiniti|inf.|Infinity Ltd|Nano")
FINITE = [
    Cells("three lost", "measure", (3, 4)),
    New("brand", "words like infinity", BRANDS, ("missing words", "spellings")),
    New("atoms", "huge", lambda r, n: np.exp(r.normal(60, 1, n)), ("outliers",)),
    New("limit", "powers of ten", one_of([10, 100, 1000, 10000])),
]
SIGNS = [np.inf, np.inf, -np.inf]
INFINITE = [
    Cells("infinite", "measure|price", (1, 5), lambda d, x, rows: np.inf),
    Cells("infinite", "measure|price", (1, 5), lambda d, x, rows: d.r.choice(SIGNS, len(rows))),
]

ALSO = ("missing codes", "outliers")
KINDS = {
    "infinities": Kind(INFINITE, FINITE, ALSO, files=0.2),
    "outliers": Kind(FAR, NOT_FAR, rows=(80, 1500)),
    "two units": Kind(TWO_UNITS, ONE_UNIT, ALSO, rows=(80, 1500)),
}
