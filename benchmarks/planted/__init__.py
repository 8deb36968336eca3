"""Tables with one planted fault each, and look-alikes without, to judge `tlcourse.audit` with.

The generator was written by somebody who had not seen the audit, only the list of its kinds.

`domains` has everyday tables, and `columns` makes their cells. A `draft.Draft` is a table under
construction; each of the `variants` of a fault changes it. The kinds of faults stand in `missing`,
`written`, `numeric`, `tables`, `rows` and `second`. `judge` asks the audit, and counts.
"""

import numpy as np

from . import missing, numeric, rows, second, tables, written
from .draft import Draft
from .variants import PER, finished

KINDS = {
    k: v for m in (missing, written, numeric, tables, rows, second) for k, v in m.KINDS.items()
}
CLEAN = ["measure|price", *["measure|category|text"] * 4]  # roles of a seed's clean tables


def cases(seed, kinds=None):
    """Yield a seed's tables, of some kinds or all: as many planted ones as look-alikes."""
    for name in kinds or KINDS:
        for number in range(PER):
            for plant in (True, False):
                yield KINDS[name].case(name, seed, number, plant)


def clean(seed):
    """Yield a seed's tables without a fault, some of them with a second one."""
    for number in range(len(CLEAN)):
        r = np.random.default_rng([seed, 77, number])
        target = [None, "class", "quantity"][number % 3]
        d = Draft(r, (60, 1500), CLEAN[number], target, keyed=0)
        if d.n > 250 and number % 2:
            d.split()
        yield finished(d, None, f"seed {seed} no. {number}, clean", d.frame)
