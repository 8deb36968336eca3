"""How fast tlcourse's meta-learning and balancing are, beside other libraries: `make bench`.

    python benchmarks/bench.py [memory waves letters balancing quality published]    all parts; or: make bench PARTS="waves memory"

Everything is measured in one run, on one thread, in CPU time of the process, so that other programs
count little. The competitors take turns, so that a slow minute of the machine hits them all; printed
is the median of `ROUNDS` turns. Each gets the same batch and does the same mathematics: before the
clock starts, its gradient must equal ours in double precision. Read the ratios, not the milliseconds.
"""

import copy
import multiprocessing
import resource
import sys
from functools import partial
from time import process_time

import numpy as np
import peers
import torch
import torch.nn.functional as F
from conflict import Conflict

from tlcourse import runtime
from tlcourse.lessons.ch05_multitask import rules
from tlcourse.lessons.ch06_maml import episodes, maml, waves
from tlcourse.lessons.ch06_maml.meta_training import compiled, meta_train

ROUNDS = 9
OURS = "tlcourse"


def seconds(work, at_least: float = 0.1, rounds: int = ROUNDS) -> dict[str, float]:
    """Return the median CPU seconds of one step of each competitor.

    Parameters
    ----------
    work : dict of str to callable
        ``work[name](n)`` takes n steps.
    at_least : float
        Seconds a turn: quick steps are repeated.
    """
    counts, spent = {}, {name: [] for name in work}

    def turn(name, n):
        begin = process_time()
        work[name](n)
        return (process_time() - begin) / n

    for name in work:
        turn(name, 1)
        counts[name] = max(1, round(at_least / turn(name, 3)))
    for _ in range(rounds):
        for name in work:
            spent[name].append(turn(name, counts[name]))
    return {name: float(np.median(s)) for name, s in spent.items()}


def table(title: str, spent: dict[str, float], one: str) -> None:
    """Print milliseconds, and how many times those of `one`."""
    print(f"\n{title}")
    for name, s in sorted(spent.items(), key=lambda item: item[1]):
        print(f"  {name:28} {1000 * s:9.2f} ms {s / spent[one]:8.2f} x", flush=True)


def apart(found, due) -> float:
    """Return the relative distance of two lists of gradients."""
    found, due = (torch.cat([g.flatten() for g in part]) for part in (found, due))
    return float((found - due).norm() / due.norm())


# ── MAML ────────────────────────────────────────────────────────────────────────────────────


def stacked(model) -> dict[str, torch.Tensor]:
    """Return a network's weights as those of one learner."""
    return {name: w.detach()[None].clone() for name, w in model.named_parameters()}


def ours(model, tasks, outer, compile=False):
    """Return a function that takes n meta-steps with the library's own loop."""
    if compile:
        plain, outer = outer, compiled(outer)  # once, not in each turn
        pair = [gradient(stacked(model), tasks).values() for gradient in (plain, outer)]
        assert apart(*pair) < 1e-5, "the compiled gradient is another one"
    return lambda n: meta_train(stacked(model), lambda: tasks, outer, n)


def theirs(gradient, model):
    """Return a function that takes n meta-steps with a peer's outer gradient."""

    def steps(n):
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        for _ in range(n):
            optimizer.zero_grad()
            gradient()
            optimizer.step()

    return steps


def gradients_agree(make, found, model, tasks, loss, steps, lr) -> None:
    """Stop unless a peer's outer gradient equals ours in double precision."""
    model, tasks = copy.deepcopy(model).double(), maml.Tasks(*(as_double(part) for part in tasks))
    due = maml.maml_gradient(model, stacked(model), tasks, loss, steps, lr)
    make(found, model, tasks, loss, steps, lr)()
    distance = apart([w.grad for w in model.parameters()], due.values())
    assert distance < 1e-9, f"{make.__name__}: its gradient is {distance:.1e} from ours"


def as_double(part):
    """Return numbers in double precision, class numbers as they are."""
    return part.double() if part.is_floating_point() else part


def compare_maml(title, model, tasks, loss, steps, lr, **variants):
    """Print our time beside the peers'; `variants` are more settings of our own."""
    work = {}
    for name, options in ({OURS: {}} | variants).items():
        fast = options.pop("compile", False)
        outer = partial(maml.maml_gradient, model, loss=loss, steps=steps, lr=lr, **options)
        work[name] = ours(model, tasks, outer, fast)
    for name, found in peers.load(peers.MAML).items():
        gradients_agree(peers.MAML[name], found, model, tasks, loss, steps, lr)
        mine = copy.deepcopy(model)
        work[name] = theirs(peers.MAML[name](found, mine, tasks, loss, steps, lr), mine)
    table(f"{title}, {steps} inner step(s), second order", seconds(work), OURS)


def sine_waves() -> None:
    """Sinusoids of Finn et al. 2017: 1-40-40-1, 25 tasks a meta-step, 10 shots, 10 queries."""
    torch.manual_seed(0)
    tasks = waves.draw_tasks([np.random.default_rng(0)], 25)
    for steps in (1, 5):
        fast = {f"{OURS}, compile=True": {"compile": True}}
        compare_maml("waves", waves.network(), tasks, F.mse_loss, steps, 0.01, **fast)


def letters() -> None:
    """Four convolution blocks, 28 × 28 pixels, 5-way 1-shot, one query a class; random pictures."""
    torch.manual_seed(0)
    for channels, steps in ((32, 1), (32, 5), (64, 1)):
        model, labels = episodes.network(channels=channels), torch.arange(5).expand(4, 5)
        support, query = torch.randn(2, 4, 5, 1, 28, 28)
        tasks = maml.Tasks(support, labels, query, labels)
        title = f"4 × {channels} channels, 4 tasks"
        one = {f"{OURS}, chunk_size=1": {"chunk_size": 1}}
        compare_maml(title, model, tasks, F.cross_entropy, steps, 0.1, **one)


# Both chosen by the error on tasks of other seeds (the last five of `runtime.seeds(1000)`): the first
# out of two batch sizes, one, two, three and five inner steps, and two first learning rates; of the
# second only the learning rates, out of three schedules; the rest is that of Finn et al. 2017.
QUALITY = {"tasks": 10, "inner": 2, "schedule": dict.fromkeys((8e-3, 4e-3, 2e-3, 1e-3, 5e-4), 1000)}
PUBLISHED = {"shots": 5, "tasks": 25, "inner": 1,
             "schedule": {4e-3: 10_000, 1e-3: 5_000, 2.5e-4: 5_000}}  # fmt: skip


def cpu() -> float:
    """Return the CPU seconds of this process and of the compilers that it started."""
    return sum(sum(resource.getrusage(who)[:2]) for who in
               (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip


def quality(tasks: int, inner: int, schedule: dict, shots: int = 10, new_waves: int = 400):
    """Meta-train five seeds on waves, and print the errors on new waves: (5, 4).

    The clock runs for all five together, while they train and while the gradient is compiled.

    Parameters
    ----------
    tasks, inner : int
        Waves a seed and meta-step; inner steps.
    schedule : dict of float to int
        Learning rate of the outer loop, and how many meta-steps it is used for.
    shots : int
        Points a wave to adapt with.
    """
    seeds, model, at = runtime.seeds(5), waves.network(), (0, 1, 5, 10)
    streams = [np.random.default_rng([s, 2]) for s in seeds]
    weights, begin = maml.initial_weights(waves.network, seeds), cpu()
    outer = compiled(partial(maml.maml_gradient, model, loss=F.mse_loss, steps=inner))
    for rate, steps in schedule.items():
        draw = lambda: waves.draw_tasks(streams, tasks, shots, shots)
        weights = meta_train(weights, draw, outer, steps, rate)
    spent, steps = cpu() - begin, sum(schedule.values())
    test = waves.draw_tasks([np.random.default_rng([s, 1]) for s in seeds], new_waves, shots, 100)
    errors = waves.errors_along(model, weights, test, at)
    print(f"\nwaves, {shots} shots: squared error after {at} steps, mean of {len(seeds)} seeds")
    print(f"  {errors.mean(0).round(3)}; after 5 steps, by seed: {errors[:, 2].round(3)}")
    print(f"  {steps} meta-steps of {tasks} waves, all seeds side by side: {spent:.0f} "
          f"CPU seconds, {spent / len(seeds):.0f} a seed", flush=True)  # fmt: skip
    return errors


def published() -> np.ndarray:
    """Meta-train with 5 shots for 20,000 steps, and print Finn's errors below ours.

    C. Finn et al. 2017, arXiv:1703.03400, table in appendix C.2: after 1, 5 and 10 steps.
    """
    errors = quality(**PUBLISHED)
    print("  published by Finn et al.: 0.67, 0.38, 0.35 after 1, 5 and 10 steps")
    return errors


# ── balancing ───────────────────────────────────────────────────────────────────────────────


def balancing() -> None:
    """Time a step of training on two tasks that conflict, for each rule."""
    conflict = Conflict()
    plain, surgery = (
        conflict.shared_gradient(*conflict.ours(rule)) for rule in (rules.plain_sum, rules.pcgrad)
    )
    assert apart(surgery, plain) > 0.01, "the tasks do not conflict: nothing would be projected"
    balancers = {"plain sum": rules.plain_sum, "PCGrad": rules.pcgrad,
                 "GradNorm": rules.gradnorm, "uncertainty": rules.uncertainty}  # fmt: skip
    work = {name: conflict.steps(*conflict.ours(rule)) for name, rule in balancers.items()}
    for peer in peers.load(["LibMTL"]).values():
        theirs = conflict.shared_gradient(*conflict.libmtl(peer, "PCGrad"))
        distance = apart(theirs, surgery)
        assert distance < 1e-6, f"LibMTL's PCGrad gradient is {distance:.1e} from ours"
        for rule in ("PCGrad", "GradNorm"):
            work[f"LibMTL's {rule}"] = conflict.steps(*conflict.libmtl(peer, rule))
    table("a step of training on 2 tasks", seconds(work), "plain sum")


# ── memory ──────────────────────────────────────────────────────────────────────────────────


def peak_megabytes(run) -> float:
    """Return by how much `run()` raises the largest memory of a fresh copy of this process."""

    def largest():
        unit = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit

    def work(answer):
        before = largest()
        run()
        answer.put(largest() - before)

    fork = multiprocessing.get_context("fork")
    answer = fork.SimpleQueue()
    child = fork.Process(target=work, args=(answer,))
    child.start()
    child.join()
    return answer.get()


def memory(counts=(1000, 2000, 4000, 8000), steps=(1, 3, 5), chunk_size: int = 500) -> None:
    """Print the peak memory of one outer gradient on waves, by tasks and inner steps."""
    model = waves.network()

    def peak(tasks, steps, chunk_size=None):
        drawn = waves.draw_tasks([np.random.default_rng(0)], tasks)
        return peak_megabytes(
            lambda: maml.maml_gradient(
                model, stacked(model), drawn, F.mse_loss, steps, chunk_size=chunk_size
            )
        )

    print("\npeak memory of one outer gradient (MiB), second order, by number of tasks")
    print(f"  {'':28}" + "".join(f"{n:9}" for n in counts))
    for k in steps:
        line = "".join(f"{peak(n, k):9.0f}" for n in counts)
        print(f"  {f'{k} inner step(s)':28}{line}", flush=True)
    line = "".join(f"{peak(n, steps[-1], chunk_size):9.0f}" for n in counts)
    print(f"  {f'{steps[-1]} inner steps, chunk_size={chunk_size}':28}{line}")


# Memory first: later, this process keeps freed memory, which its copies would use again unseen.
PARTS = {
    "memory": memory,
    "waves": sine_waves,
    "letters": letters,
    "balancing": balancing,
    "quality": partial(quality, **QUALITY),
    "published": published,
}


def main(names) -> None:
    """Run the named parts, or all."""
    torch.set_num_threads(1)
    unknown = sorted(set(names) - set(PARTS))
    if unknown:
        sys.exit(f"unknown part {unknown[0]!r}: take some of {', '.join(PARTS)}.")
    for name, part in PARTS.items():
        if name in names or not names:
            part()


if __name__ == "__main__":
    main(sys.argv[1:])
