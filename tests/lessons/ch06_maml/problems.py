"""Small problems in double precision, and the distance of two gradients."""

import torch
from torch import nn

from tlcourse.lessons.ch06_maml import maml

NORMS = {
    "none": lambda: nn.Identity(),
    "BatchNorm": lambda: nn.BatchNorm1d(6, track_running_stats=False),
    "LayerNorm": lambda: nn.LayerNorm(6),
    "GroupNorm": lambda: nn.GroupNorm(2, 6),
    "InstanceNorm": lambda: nn.Sequential(
        nn.Unflatten(1, (2, 3)), nn.InstanceNorm1d(2, affine=True), nn.Flatten()
    ),
}


def problem(norm="none", learners=2, tasks=6):
    """Return a network with this normalisation, weights of some learners, and a row of tasks."""
    torch.manual_seed(0)

    def make():
        net = nn.Sequential(nn.Linear(3, 6), NORMS[norm](), nn.Tanh(), nn.Linear(6, 2))
        return net.double()

    weights = maml.initial_weights(make, range(learners))
    # Affine weights start at 1 and 0, where some errors would not show.
    weights = {n: w + 0.3 * torch.randn_like(w) for n, w in weights.items()}
    x, y = torch.randn(tasks, 7, 3).double(), torch.randn(tasks, 7, 2).double()
    x2, y2 = torch.randn(tasks, 5, 3).double(), torch.randn(tasks, 5, 2).double()
    return make(), weights, maml.Tasks(x, y, x2, y2)


def apart(found, due):
    """Return the relative distance of two gradients."""
    found, due = (torch.cat([part[n].flatten() for n in due]) for part in (found, due))
    return ((found - due).norm() / due.norm()).item()
