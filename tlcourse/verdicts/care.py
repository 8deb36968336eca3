"""Equal care for every method, in a table that is read off the code that trains."""

from dataclasses import dataclass, fields

from tlcourse.verdicts import entries

# A claim's sentence must use the word when its two methods differ in the column.
WORDS = {
    "labels": "label",
    "candidates": "candidate",
    "steps": "step",
    "augmentation": "augment",
    "pretraining": "pretrain",
    "labels_to_choose": "validation label",
}


@dataclass(frozen=True)
class Care:
    """What a method was given.

    Attributes
    ----------
    labels : int
        Labelled examples a class.
    candidates : int
        Settings tried.
    steps : int
        Training steps on the target; 0 where nothing is trained step by step.
    augmentation : bool
        Whether it saw randomly changed copies.
    pretraining : int
        Pictures seen in pretraining, each as often as it was seen.
    labels_to_choose : int
        Labelled pictures of the target, beside the few, that chose its settings.
    """

    labels: int
    candidates: int
    steps: int
    augmentation: bool
    pretraining: int
    labels_to_choose: int = 0


def differences(one: Care, other: Care) -> list[str]:
    """Return the columns in which two methods differ."""
    return [f.name for f in fields(Care) if getattr(one, f.name) != getattr(other, f.name)]


def unsaid(block: entries.Block, care: dict[str, Care]) -> list[str]:
    """Return, as sentences, what a claim keeps silent about its two methods; none is good.

    Parameters
    ----------
    block : entries.Block
    care : dict of str to Care
        By measurement, as the claims name them.
    """
    return [
        f"claim {entry.id!r}: {entry.a!r} and {entry.b!r} differ in {column}, and its text does not "
        f"say {WORDS[column]!r}."
        for entry in block.entries
        for column in differences(care[entry.a], care[entry.b])
        if WORDS[column] not in entry.text.lower()
    ]
