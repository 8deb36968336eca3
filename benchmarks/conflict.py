"""Two tasks that really conflict, for the times of balancing rules in benchmarks/bench.py."""

import peers
import torch

from tlcourse import models
from tlcourse.lessons.ch05_multitask import training
from tlcourse.lessons.ch05_multitask.tasks import Task


class Conflict:
    """Two tasks on one encoder 32-128-128, one of which wants the opposite of the other."""

    def __init__(self, hidden: int = 128, batch: int = 64):
        torch.manual_seed(0)
        self.hidden, self.x = hidden, torch.randn(1, batch, 32)
        target, self.rows = 3 * torch.randn(batch), torch.arange(batch)[None]
        self.tasks = [Task("a", target), Task("b", 1 - target)]

    def network(self):
        """Return a network whose heads are the same at first: their gradients point apart."""
        made = models.StackedNetwork([0], 32, {"a": 1, "b": 1}, self.hidden)
        made.heads["b"].load_state_dict(made.heads["a"].state_dict())
        return made

    def losses(self, network):
        """Return the loss of each task, shape (1, 2)."""
        outputs = network(self.x)
        return torch.stack([t.loss(outputs[t.name], self.rows) for t in self.tasks], 1)

    def ours(self, rule):
        """Return a network, and a function that puts our balanced gradient into it."""
        model, memory = self.network(), {"classes": [False, False]}
        return model, lambda now: training.backward(model, now, rule, memory)

    def libmtl(self, peer, rule):
        """Return a network, and a function that puts LibMTL's balanced gradient into it."""
        model = self.network()
        mixed = peers.libmtl(peer, rule, model, self.losses(model)[0])
        return model, lambda now: mixed(now[0])

    def shared_gradient(self, model, backward):
        """Return the balanced gradient of the encoder."""
        backward(self.losses(model))
        return [w.grad for w in model.shared.parameters()]

    def steps(self, model, backward):
        """Return a function that takes n steps with Adam."""
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)

        def take(n):
            for _ in range(n):
                backward(self.losses(model))
                optimizer.step()

        return take
