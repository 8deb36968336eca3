"""Targets to choose settings on: of their own people and letters, and none that a report uses."""

import os

import pytest
import torch

from tlcourse import data

pytestmark = pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs Omniglot")


def test_a_seed_gives_a_drawn_and_a_printed_target_of_ten_classes():
    alphabets = set()
    for seed in range(900_000, 900_008):
        drawn, printed = data.development_targets(seed)
        again = data.development_targets(seed)[0]
        assert torch.equal(drawn.pool.images, again.pool.images)
        for target, in_pool, to_validate in ((drawn, 12, 8), (printed, 60, 12)):
            assert torch.bincount(target.pool.labels).tolist() == [in_pool] * 10
            assert torch.bincount(target.validation.labels).tolist() == [to_validate] * 10
            assert not set(target.pool.groups.tolist()) & set(target.validation.groups.tolist())
            assert len(target.test) == 0 and len(set(target.pool.names)) == 10
        (alphabet,) = {name.split("/")[0] for name in drawn.pool.names}
        alphabets.add(alphabet)
        whole = data.omniglot()
        name = drawn.pool.names[3]
        theirs = whole.images[whole.labels == whole.names.index(name)].flatten(1)
        ours = drawn.pool.images[drawn.pool.labels == 3].flatten(1)
        assert torch.cdist(ours, theirs).min(1).values.max() == 0, "labels stay with their pictures"
    assert len(alphabets) >= 4 and not alphabets & {"Greek", "Latin"}


def test_a_target_with_too_few_pictures_is_left_out():
    assert len(data.development_targets(900_000, per_class=12)) == 2
    (printed,) = data.development_targets(900_000, per_class=13)
    assert set(printed.pool.names) < set(data.georgian().pool.names)
