"""What the lessons' tests share: a target small enough to learn in a second."""

import pytest
import torch

from tlcourse.data import ImageSet, Splits, digits


@pytest.fixture(scope="session")
def tiny():
    """The digits 0, 1 and 6 only."""

    def only(part):
        rows = torch.isin(part.labels, torch.tensor([0, 1, 6])).nonzero()[:90, 0]
        labels = torch.tensor([{0: 0, 1: 1, 6: 2}[k] for k in part.labels[rows].tolist()])
        return ImageSet(part.images[rows], labels, ["0", "1", "6"], part.groups[rows])

    return Splits(*map(only, digits(validation=True)))


@pytest.fixture
def tiny_targets(tiny):
    """The same as a seed's development targets: nothing to test on."""
    return lambda seed, per_class=1: [tiny._replace(test=None)]


@pytest.fixture
def one_process(monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
