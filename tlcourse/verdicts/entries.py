"""Claims as they were written down before they were tested: ``claims.toml`` of a lesson's wing.

A lesson's claims are measured on a block of seeds of its own. When a claim, a margin, a setting or a
method changes after its block was opened, all of them move to the next block: a new section at the end
of the file, while the old one stays as it was.
"""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass
from importlib import resources

from tlcourse import runtime
from tlcourse.verdicts.judging import KINDS, MARGINS

SEEDS_PER_BLOCK = 100
LESSONS = "tlcourse.lessons"


@dataclass(frozen=True)
class Entry:
    """One claim: method `a` is better than, or as good as, method `b`.

    Attributes
    ----------
    id : str
        Short, and its own for ever.
    row : str
        Of the handbook, such as "H1.1".
    text : str
        The claim in plain words. It names the data, and all in which the two methods differ.
    outcome : str
        What is measured: metric and split.
    a, b : str
        Names of measurements (keys of what a part of the wing's ``measure.PARTS`` returns).
    kind : {"better", "as good as"}
    unit : str
        A key of `MARGINS`.
    seeds : int
        How many of the block, from 2 to 100.
    """

    id: str
    row: str
    text: str
    outcome: str
    a: str
    b: str
    kind: str
    unit: str
    seeds: int

    def __post_init__(self):
        if self.kind not in KINDS or self.unit not in MARGINS:
            raise ValueError(
                f"claim {self.id!r}: kind is one of {', '.join(KINDS)}, unit one of "
                f"{', '.join(MARGINS)}."
            )
        if not 2 <= self.seeds <= SEEDS_PER_BLOCK:
            raise ValueError(f"claim {self.id!r}: take 2 to {SEEDS_PER_BLOCK} seeds.")


@dataclass(frozen=True)
class Block:
    """The claims of a lesson on one block of seeds.

    Attributes
    ----------
    lesson : str
        Such as "01".
    number : int
        Block b has the seeds from 100 b on; block 0 is for exploring and holds no claim.
    entries : tuple of Entry
    dropped : tuple of str
        Ids of claims of the block before that are given up; their old results stay in sight.
    """

    lesson: str
    number: int
    entries: tuple[Entry, ...]
    dropped: tuple[str, ...] = ()

    def seeds(self, n: int) -> list[int]:
        """Return the first `n` seeds."""
        first = SEEDS_PER_BLOCK * self.number
        return list(range(first, first + n))

    @property
    def margins(self) -> dict[str, float]:
        """The margins of today for the units of its claims."""
        return {entry.unit: MARGINS[entry.unit][0] for entry in self.entries}

    def fingerprint(self, margins: dict[str, float] | None = None) -> str:
        """Return a hash of all that was promised, with the margins that judge it: by default today's."""
        used = {entry.unit: (margins or self.margins)[entry.unit] for entry in self.entries}
        promised = json.dumps([asdict(self), used], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(promised.encode()).hexdigest()[:16]


def parse(text: str) -> list[Block]:
    """Return the blocks of a ``claims.toml``, the oldest first.

    Raises
    ------
    ValueError
        If a block's number, an id or a seed is out of order or left out, or a claim vanishes from one block to the
        next without being named as dropped.
    """
    found = tomllib.loads(text)
    blocks = [
        Block(
            found["lesson"],
            block["number"],
            tuple(Entry(**claim) for claim in block["claim"]),
            tuple(block.get("dropped", ())),
        )
        for block in found["block"]
    ]
    last = runtime.CHOOSING // SEEDS_PER_BLOCK
    numbers = [block.number for block in blocks]
    if numbers != list(range(1, len(blocks) + 1)) or len(blocks) >= last:
        raise ValueError(f"blocks {numbers}: number them 1, 2, 3 and so on, leaving out none.")
    for before, block in zip([None, *blocks], blocks, strict=False):
        _check_ids(before, block)
    return blocks


def _check_ids(before: Block | None, block: Block) -> None:
    ids = [entry.id for entry in block.entries]
    if len(set(ids)) != len(ids):
        raise ValueError(f"block {block.number}: two claims have one id.")
    known = {entry.id for entry in before.entries} if before else set()
    if lost := known - set(ids) - set(block.dropped):
        raise ValueError(
            f"block {block.number}: {', '.join(sorted(lost))} vanished; name it in `dropped`."
        )


def read(wing: str) -> list[Block]:
    """Return the blocks of a wing, such as "ch01_concepts", the oldest first.

    Raises
    ------
    FileNotFoundError
        If the wing's claims were not written down yet.
    """
    path = resources.files(f"{LESSONS}.{wing}") / "claims.toml"
    return parse(path.read_text(encoding="utf-8"))
