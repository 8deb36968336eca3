"""Small sets of pictures to try things on, and whether two are the same."""

import torch

from tlcourse.data import ImageSet


def image_set(counts, shuffle=0):
    """A set with ``counts[k]`` pictures of class k, each picture different, in a random order."""
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    labels = labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(shuffle))]
    n = len(labels)
    images = torch.linspace(0, 1, n)[:, None, None, None].expand(n, 1, 4, 4)
    return ImageSet(images, labels, [f"class {k}" for k in range(len(counts))], torch.arange(n))


def same_set(one, other):
    """Whether two sets hold the same pictures, labels, names and groups."""
    tensors = ("images", "labels", "groups")
    return one.names == other.names and all(
        torch.equal(getattr(one, t), getattr(other, t)) for t in tensors
    )
