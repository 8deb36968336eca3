"""Which letters look like digits, and a source without them."""

import lookalikes
import torch

from tlcourse import data


def test_look_alikes_are_letters_near_a_digit_and_a_lower_limit_finds_more():
    few, many = lookalikes.twins(0.93), lookalikes.twins(0.88)
    assert few["I"] == "1" and few["B"] == "8" and "D" in few
    assert set(few) < set(many) and many["Z"] == "2" and "W" not in many


def test_a_source_without_some_letters_has_the_others_numbered_anew():
    letters = data.glyphs()
    left = lookalikes.without(letters, {"I", "B"})
    assert left.names == [name for name in letters.names if name not in ("I", "B")]
    kept = [letters.names[k] not in ("I", "B") for k in letters.labels]
    assert torch.equal(left.images, letters.images[torch.tensor(kept)])
    names = [letters.names[k] for k in letters.labels[torch.tensor(kept)]]
    assert [left.names[k] for k in left.labels] == names
