"""Other libraries that do what the wings ch05_multitask and ch06_maml do, for benchmarks/bench.py.

They are never needed by the course. Each is installed on its own, so that one that does not install
keeps no other away; why it failed is written down, and the benchmark repeats it.

    python benchmarks/peers.py    install them into this environment
"""

import contextlib
import importlib
import io
import json
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import torch

ROOT = Path(__file__).parent.parent
REASONS = Path(sys.prefix) / "peers.json"
# Not in the extra: one of its dependencies, which MAML does not use, does not build at all. Its C files
# are too old for Python 3.11; build_ext makes them again from its Cython files.
LEARN2LEARN = ["--no-deps", "--config-settings=--build-option=build_ext", "learn2learn"]


def install() -> None:
    """Install each peer, and keep the first error line of those that do not install."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    reasons = {}
    for arguments in [*([line] for line in extras["optional-dependencies"]["bench"]), LEARN2LEARN]:
        name = arguments[-1].partition(">")[0]
        command = [sys.executable, "-m", "pip", "install", "-c", "constraints.txt", *arguments]
        run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
        if run.returncode:
            lines = (run.stdout + run.stderr).splitlines()
            reasons[name] = next(iter(s.strip() for s in lines if "error:" in s.lower()), lines[-1])
        print(f"{name}: {reasons.get(name, 'installed')}", flush=True)
    REASONS.write_text(json.dumps(reasons))


def load(names) -> dict[str, types.ModuleType]:
    """Import the peers that can be imported; say of each other one why not."""
    # LibMTL 1.1.5 asks torchvision for a function that has moved to torch.
    moved = types.ModuleType("torchvision.models.utils")
    moved.load_state_dict_from_url = torch.hub.load_state_dict_from_url
    sys.modules.setdefault(moved.__name__, moved)
    found = {}
    reasons = json.loads(REASONS.read_text()) if REASONS.exists() else {}
    for name in names:
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # gym prints that nobody looks after it
                found[name] = importlib.import_module(name)
        except (ImportError, AttributeError, RuntimeError) as error:
            print(f"{name} is left out: {reasons.get(name, repr(error))}")
    return found


# ── second-order MAML: each leaves the mean task's outer gradient in the network's weights ──────


def learn2learn(peer, model, tasks, loss, steps, lr):
    """Return a function for one outer gradient, as in the library's examples."""
    learner = peer.algorithms.MAML(model, lr=lr)

    def gradient():
        for x, y, query_x, query_y in zip(*tasks, strict=True):
            fast = learner.clone()
            for _ in range(steps):
                fast.adapt(loss(fast(x), y))
            (loss(fast(query_x), query_y) / len(tasks[0])).backward()

    return gradient


def higher(peer, model, tasks, loss, steps, lr):
    """Return a function for one outer gradient, as in the library's examples."""
    inner = torch.optim.SGD(model.parameters(), lr)

    def gradient():
        for x, y, query_x, query_y in zip(*tasks, strict=True):
            with peer.innerloop_ctx(model, inner, copy_initial_weights=False) as (fast, optimizer):
                for _ in range(steps):
                    optimizer.step(loss(fast(x), y))
                (loss(fast(query_x), query_y) / len(tasks[0])).backward()

    return gradient


def torchopt(peer, model, tasks, loss, steps, lr):
    """Return a function for one outer gradient, as in the library's examples."""
    inner = peer.MetaSGD(model, lr=lr)
    start = [peer.extract_state_dict(part, by="reference") for part in (model, inner)]

    def gradient():
        for x, y, query_x, query_y in zip(*tasks, strict=True):
            for _ in range(steps):
                inner.step(loss(model(x), y))
            (loss(model(query_x), query_y) / len(tasks[0])).backward()
            peer.recover_state_dict(model, start[0])
            peer.recover_state_dict(inner, start[1])

    return gradient


MAML = {"learn2learn": learn2learn, "higher": higher, "torchopt": torchopt}


# ── balancing ───────────────────────────────────────────────────────────────────────────────


def libmtl(peer, rule: str, network, first_losses):
    """Return a function that puts LibMTL's balanced gradient into `network`.

    Its trainer wants a GPU, so we hand its rule what the trainer would.
    """
    balancer = getattr(peer.weighting, rule)()
    shared = list(network.shared.parameters())
    balancer.task_num, balancer.device, balancer.rep_grad = len(first_losses), "cpu", False
    balancer.epoch, balancer.train_loss_buffer = 1, first_losses.detach().numpy()[:, None]
    balancer.get_share_params = lambda: shared
    balancer.zero_grad_share_params = lambda: network.shared.zero_grad(set_to_none=False)
    balancer.init_param()

    def backward(losses):
        network.zero_grad(set_to_none=False)
        balancer.backward(losses, alpha=1.5)

    return backward


if __name__ == "__main__":
    install()
