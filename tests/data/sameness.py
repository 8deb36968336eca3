"""Whether two sets of pictures are the same."""

import torch


def same_set(one, other):
    """Whether two sets hold the same pictures, labels, names and groups."""
    tensors = ("images", "labels", "groups")
    return one.names == other.names and all(
        torch.equal(getattr(one, t), getattr(other, t)) for t in tensors
    )
