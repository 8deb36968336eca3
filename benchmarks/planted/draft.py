"""A table under construction: clean at first, until a variant of a fault changes it."""

import numpy as np
import pandas as pd

from .columns import KEYS
from .domains import TARGETS, choose

LINKS = {"measure": 0.5, "price": 0.35, "rating": 0.3}  # with a quantity that is hidden
QUANTITY = {"en": "result", "de": "Ertrag", "fr": "dépense", "zh": "总额"}


class Draft:
    """A table of a domain, with `n` rows in a range and columns of the roles that it needs.

    `target` may be "class" or "quantity"; `keyed` is how often a column names the rows. `true` and
    `open` are sets of (kind, column): what is right besides the planted fault, and what may be said
    or not. `marked` and `rows` say where the fault is.
    """

    def __init__(self, r, rows=(30, 600), need="measure", target=None, keyed=0.25):
        n = int(np.exp(r.uniform(*np.log(rows))))
        self.r, self.hidden, self.frame = r, r.standard_normal(n), pd.DataFrame(index=range(n))
        self.target = self.groups = self.other = self.rows = self.as_file = None
        self.header, self.marked, self.true, self.open = True, [], set(), set()
        self.domain, columns = choose(r, need.split("|"))
        self.language, self.aim, self.classes = TARGETS[self.domain]
        made = {name: self._linked(role, make(r, n)) for name, (role, make) in columns.items()}
        self.frame = pd.DataFrame({name: x for name, x in made.items() if len(set(x)) > 1})
        self.roles = {name: columns[name][0] for name in self.frame}
        if r.random() < keyed:
            self._name_the_rows()
        if target:
            self.add_target(target)
        for name in self.all("name|code|post"):
            self.allow(name, "unseen categories", *["identifiers"] * (self.roles[name] == "name"))

    def _linked(self, role, x):
        """Return cells; numbers are put in an order that goes with the hidden quantity."""
        if not (link := LINKS.get(role)):
            return x
        noise = np.sqrt(1 - link**2) * self.r.standard_normal(self.n)
        return np.sort(x)[np.argsort(np.argsort(link * self.hidden + noise))]

    def _name_the_rows(self):
        names, _, self.draw_keys = KEYS[self.r.integers(len(KEYS))]
        name = self.put(names, self.draw_keys(self.r, self.n), "key", first=True)
        self.true.add(("identifiers", name))
        self.allow(name, "shift")

    # --- what it has -------------------------------------------------------------------------

    @property
    def n(self):
        """How many rows there are."""
        return len(self.frame)

    @property
    def first(self):
        """Which rows are of the first class, shape (n,)."""
        return (self.frame[self.target] == self.classes[0]).to_numpy()

    def all(self, roles):
        """Return the names of all columns of the roles "this|that"."""
        return [name for name in self.frame if self.roles.get(name) in roles.split("|")]

    def one(self, roles, but=None):
        """Return the name of a random column of these roles."""
        return str(self.r.choice([name for name in self.all(roles) if name != but]))

    def some(self, many, least=1, of=None):
        """Return positions of random rows: one of a list of shares, or a few: (low, high)."""
        n = self.n if of is None else len(of)
        if isinstance(many, list):
            count = max(least, int(n * self.r.choice(many)))
        else:
            low, high = many
            count = self.r.integers(low, max(low + 1, min(high, 1 + n // 40)))  # few of a few rows
        return np.sort(self.r.choice(n, count, replace=False))

    # --- changes -----------------------------------------------------------------------------

    def put(self, names, cells, role="new", first=False):
        """Insert a column, anywhere if not first, and return its name: one of "this|that"."""
        name = str(self.r.choice(names.split("|")))
        while name in self.frame:
            name += "_b"
        place = 0 if first else int(self.r.integers(self.frame.shape[1] + 1))
        self.frame.insert(place, name, cells)
        self.roles[name] = role
        return name

    def add_target(self, kind):
        """Append the target, "class" or "quantity", which goes with the hidden quantity."""
        score = 0.7 * self.hidden + self.r.standard_normal(self.n)
        limit = np.quantile(score, self.r.uniform(0.4, 0.6))
        if kind == "class":
            self.target, cells = self.aim, np.where(score > limit, *self.classes).astype(object)
        else:
            self.target, cells = QUANTITY[self.language], np.round(200 + 40 * score, 2)
        self.frame[self.target] = cells
        self.roles[self.target] = "target"

    def write(self, column, rows, values):
        """Write values of any type into cells of a column."""
        cells = self.frame[column].astype(object)
        cells.iloc[rows] = values
        self.frame[column] = cells.infer_objects()

    def lose(self, column, rows):
        """Take the content of cells."""
        self.frame[column] = self.frame[column].mask(np.isin(np.arange(self.n), rows))
        labels = column == self.target
        self.true.add(("missing labels", "*") if labels else ("missing values", column))

    def replace(self, **columns):
        """Take other columns, name = maker, instead of all."""
        self.frame = pd.DataFrame({name: make(self.r, self.n) for name, make in columns.items()})
        self.roles, self.true, self.open = {}, set(), set()

    def repeat(self, rows):
        """Append copies of rows and return their positions; the column of keys is drawn anew."""
        before = self.n
        self.frame = pd.concat([self.frame, self.frame.iloc[rows]], ignore_index=True)
        for name in self.all("key"):
            self.frame[name] = self.draw_keys(self.r, self.n)
        return np.arange(before, self.n)

    def shuffled(self, frame):
        """Return a table with its rows in another order."""
        return frame.iloc[self.r.permutation(len(frame))].reset_index(drop=True)

    def split(self):
        """Divide the rows at random: half and more stay, the others become the second table."""
        order, cut = self.r.permutation(self.n), int(self.n * self.r.choice([0.5, 0.6, 0.7]))
        parts = np.sort(order[:cut]), np.sort(order[cut:])
        self.frame, self.other = (self.frame.iloc[p].reset_index(drop=True) for p in parts)

    # --- what may be said --------------------------------------------------------------------

    def mark(self, *columns, rows=None):
        """Say where the fault is."""
        self.marked, self.rows = list(columns), rows

    def allow(self, column, *kinds):
        """Let findings of some kinds about a column be neither right nor wrong."""
        self.open |= {(kind, column) for kind in kinds}

    def by_chance(self, kind):
        """Return the findings that are true by chance, those of the planted kind apart."""
        columns = [c for c in self.frame if self.roles.get(c) != "key"]
        cells = self.frame.map(str)
        same = [c for i, c in enumerate(self.frame) if cells.iloc[:, i].nunique() == 1]
        found = {("constant columns", c) for c in same}
        if cells[columns].duplicated().any() and kind != "duplicate rows":
            found |= {("duplicate rows", "*"), ("label conflicts", "*")}
        if self.other is not None:
            others = self.other.map(str)
            news = [c for c in self.all("category|target") if set(others[c]) - set(cells[c])]
            found |= {("unseen categories", c) for c in news}
            here, there = (set(map(tuple, t[columns].to_numpy())) for t in (cells, others))
            found |= {("overlap", "*")} if here & there else set()
        return {(k, c) for k, c in found if k != kind}
