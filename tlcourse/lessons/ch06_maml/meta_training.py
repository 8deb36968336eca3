"""The outer loop: Adam moves the start along an outer gradient, which can be recorded and replayed."""

import warnings
from collections.abc import Callable
from contextlib import contextmanager

import torch

from tlcourse import runtime
from tlcourse.lessons.ch06_maml.maml import RECORDING, Tasks, first_false

CHECK_EVERY = 100  # meta-steps: reading whether gradients are finite makes a GPU wait


def meta_train(
    weights, sample_tasks, outer_gradient, steps, meta_lr=1e-3, words="meta-training", compile=False
) -> dict[str, torch.Tensor]:
    """Train the start with Adam; return the new weights, the given ones stay.

    Adam works number by number, so learners that stand side by side do not touch each other.

    Parameters
    ----------
    weights : dict of str to torch.Tensor, shape (learners, ...)
    sample_tasks : callable
        Returns fresh tasks at each call, the same number for each learner.
    outer_gradient : callable
        ``outer_gradient(weights, tasks)``, such as a partial of `maml.maml_gradient`.
    steps : int
        Meta-steps, at least 1.
    meta_lr : float
    words : str
        In front of the progress bar.
    compile : bool
        Use `compiled`; worth its start for thousands of meta-steps.

    Raises
    ------
    ValueError
        For fewer than 1 step, or when a gradient becomes NaN.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: take at least 1 meta-step.")
    if compile:
        outer_gradient = compiled(outer_gradient)
    # All weights are pieces of one vector, so that Adam has one tensor to move instead of many.
    vector = torch.cat([w.flatten() for w in weights.values()])
    pieces = vector.split([w.numel() for w in weights.values()])
    weights = {n: p.view_as(w) for (n, w), p in zip(weights.items(), pieces, strict=True)}
    optimizer, finite = torch.optim.Adam([vector], lr=meta_lr), []
    for step in runtime.progress(range(steps), words):
        found = outer_gradient(weights, sample_tasks())
        vector.grad = torch.cat([found[name].flatten() for name in weights])
        optimizer.step()
        finite.append(vector.grad.isfinite().all())
        if len(finite) == CHECK_EVERY or step + 1 == steps:
            if bad := first_false(finite):
                bad += step + 1 - len(finite)
                raise ValueError(f"the outer gradient is NaN at meta-step {bad}: lower meta_lr.")
            finite = []
    return {name: w.clone() for name, w in weights.items()}


# ── recorded once, replayed often ───────────────────────────────────────────────────────────


def compiled(outer_gradient: Callable) -> Callable:
    """Return the same outer gradient, recorded once and then repeated at once.

    On a CPU, one call is recorded, with all operations of both derivatives, and `torch.compile`
    makes a few loops in machine code of them. That takes seconds to minutes, once for each shape of
    the tasks: it pays for thousands of meta-steps of a small network. Where nothing can be compiled,
    a warning says so, and the outer gradient stays as it was.

    On a GPU of NVIDIA, the thousands of small kernels of one call become one CUDA graph, which is
    started as a whole: starting them one by one takes longer than computing them.
    """
    made = {}

    def gradient(weights, tasks):
        shapes = tuple(part.shape for part in (*weights.values(), *tasks))
        if shapes not in made:
            make = _graph if tasks.support_inputs.is_cuda else _compile
            made[shapes] = make(outer_gradient, weights, tasks)
        return made[shapes](weights, tasks)

    return gradient


@contextmanager
def _recording():
    """Say inside the ``with`` block that no value can be read."""
    token = RECORDING.set(True)
    try:
        yield
    finally:
        RECORDING.reset(token)


def _compile(outer_gradient, weights, tasks):
    from torch.fx.experimental.proxy_tensor import make_fx  # takes long, so only where needed

    with _recording():
        recorded = make_fx(outer_gradient)(weights, tasks)
    fast = torch.no_grad()(torch.compile(recorded, fullgraph=True, dynamic=False))
    try:
        fast(weights, tasks)
    except RuntimeError as error:
        reason = str(error).replace(":\n", ": ").partition("\n")[0]
        warnings.warn(
            f"compile=True needs a C++ compiler that works ({reason}): the training goes on without, "
            "slower and with the same result.",
            stacklevel=3,
        )
        return outer_gradient
    return fast


def _graph(outer_gradient, weights, tasks):
    # A graph reads and writes the same memory each time, so what comes in is copied there.
    weights = {name: w.clone() for name, w in weights.items()}
    tasks = Tasks(*(part.clone() for part in tasks))
    aside, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
    with _recording():
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):  # the first calls choose kernels and take memory
                outer_gradient(weights, tasks)
        torch.cuda.current_stream().wait_stream(aside)
        with torch.cuda.graph(graph):
            found = outer_gradient(weights, tasks)

    def replay(new_weights, new_tasks):
        places = *weights.values(), *tasks
        for place, new in zip(places, (*new_weights.values(), *new_tasks), strict=True):
            place.copy_(new)
        graph.replay()
        return {name: gradient.clone() for name, gradient in found.items()}

    return replay


# ── what it costs ───────────────────────────────────────────────────────────────────────────


def saved_bytes(run: Callable[[], object]) -> int:
    """Return the bytes that autograd keeps for backward passes while `run()` works."""
    sizes = []

    def keep(tensor):
        sizes.append(tensor.numel() * tensor.element_size())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run()
    return sum(sizes)
