"""Chapter 1, freezing: a freeze that really freezes, and a diagnosis of one that does not."""

import copy

import torch
from torch import nn

from tlcourse.lessons.ch01_concepts.exercises.backbones import (
    STATISTICS,
    is_statistic,
    moved,
    random_backbone,
    state,
)
from tlcourse.lessons.ch01_concepts.exercises.drawings import draw_moves
from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, describe

DIAGNOSES = ("nothing moved", "weights moved", "statistics moved", "both moved")


# ── freeze ──────────────────────────────────────────────────────────────────────────────────


def verify_freeze(student, rng) -> None:
    """Freeze a backbone, train a head on it, and see what moved."""
    backbone = random_backbone(rng)
    original = copy.deepcopy(backbone).eval()
    head = nn.Linear(original(torch.zeros(1, 1, 8, 8)).shape[1], 3)
    batches = [(1 + torch.randn(8, 1, 8, 8), torch.randint(3, (8,))) for _ in range(3)]
    images = 1 + torch.randn(6, 1, 8, 8)
    given = copy.deepcopy((backbone, head))  # what comes back may name parts of it, never of ours
    seen = student.observe(freeze_and_train, *given, batches, images)
    if not seen["gradients"]:
        raise Mistake(
            "your function switches gradients off for everything, so the head cannot learn "
            "either: set requires_grad of the given module's own weights."
        )
    if "error" in seen:
        advice = "a pre-hook must return None" if seen["hooked"] else "change nothing but that"
        raise Mistake(
            f"after your freeze the model cannot be trained any more ({seen['error']}): {advice}."
        )
    before = state(backbone)
    if seen["replaced"] and moved(before, seen["state"]):
        raise Mistake(
            "you returned a new module and left the given one unfrozen: change the given module "
            "in place."
        )
    _compare_backbone(before, seen["state"], undone=not any(seen["modes"]))
    _computes_the_same(original, seen["features"], images)
    _head_learns(nn.Sequential(original, head), batches, seen["head"])


def freeze_and_train(freeze, backbone, head, batches, images) -> dict:
    """Freeze a backbone, train a head on it; return what can be seen of it as plain data."""
    returned = freeze(backbone)
    seen = {
        "gradients": torch.is_grad_enabled(),
        "modes": [m.training for m in backbone.modules() if hasattr(m, "running_mean")],
        "replaced": isinstance(returned, nn.Module) and returned is not backbone,
        "hooked": any(layer._forward_pre_hooks for layer in backbone.modules()),
    }
    torch.set_grad_enabled(True)
    try:
        _train(nn.Sequential(backbone, head), batches)
    except Exception as error:  # noqa: BLE001 - for instance of a hook that the student wrote
        return {**seen, "error": f"{type(error).__name__}: {str(error)[:120]}"}
    backbone.train()
    with torch.no_grad():
        features = backbone(images)
    return {**seen, "state": state(backbone), "head": state(head), "features": features}


def _train(model, batches) -> None:
    """Train as the lessons do: `model.train()`, then a plain gradient step on each batch."""
    for images, labels in batches:
        model.train()
        model.zero_grad()
        nn.functional.cross_entropy(model(images), labels).backward()
        with torch.no_grad():
            for weight in model.parameters():
                if weight.grad is not None:
                    weight -= 0.1 * (weight.grad + 0.01 * weight)


def _compare_backbone(before: dict, after: dict, undone: bool) -> None:
    """Name what moved; `undone` says that BatchNorm was in eval mode when freeze returned."""
    lost = [name for name in before if name not in after and not name.endswith(STATISTICS[2])]
    if lost:
        raise Mistake(f"your function removes {lost[0]!r} from the module: keep its weights.")
    kept = {name: after[name] for name in before if name in after}
    moving = moved(before, kept)
    weights = [name for name in moving if not is_statistic(name)]
    buffers = [name for name in moving if is_statistic(name)]
    n_weights = sum(not is_statistic(name) for name in before)
    if weights:
        some = f"{weights[0]!r} and others" if len(weights) > 1 else repr(weights[0])
        every = "" if len(weights) == n_weights else " for every weight, BatchNorm's own too"
        raise Mistake(
            f"the weights {some} moved in training: set requires_grad to False{every}, "
            "as module.requires_grad_(False) does.",
            draw_moves(before, after),
        )
    if buffers:
        n_buffers = sum(is_statistic(name) for name in before)
        problem = _name_statistics(buffers, n_buffers, undone)
        raise Mistake(problem, draw_moves(before, after))


def _name_statistics(buffers: list[str], n_buffers: int, undone: bool) -> str:
    """Return a sentence on BatchNorm's statistics, of which some or all moved."""
    if all(name.endswith(STATISTICS[2]) for name in buffers):
        return (
            f"{buffers[0]!r} went on counting, so BatchNorm is still in train mode and normalises "
            "by the batch: keep it in eval mode."
        )
    if len(buffers) < n_buffers:
        return (
            f"some BatchNorms stand still, but {buffers[0]!r} moved: module.modules() reaches "
            "every one, nested or not, BatchNorm1d as well as BatchNorm2d."
        )
    if undone:
        return (
            f"BatchNorm's {buffers[0]!r} moved: the loop called model.train(), which undid your "
            "eval(); make eval mode last, for example with a forward pre-hook."
        )
    return (
        f"the weights stood still, but BatchNorm's {buffers[0]!r} moved: running statistics are "
        "buffers, which requires_grad does not stop; only eval mode does."
    )


def _computes_the_same(original, features, images) -> None:
    with torch.no_grad():
        expected = original(images)
    if features.shape != expected.shape or not torch.allclose(expected, features, atol=1e-4):
        raise Mistake(
            "nothing moves, but in train mode the features differ from those of the pretrained "
            "module: its BatchNorm normalises by the batch; keep it in eval mode."
        )


def _head_learns(model, batches, head: dict) -> None:
    """Compare a head with one that was trained here, on top of a backbone that stood still."""
    backbone, own = model
    with torch.no_grad():
        batches = [(backbone(images), labels) for images, labels in batches]
    _train(own, batches)
    if not all(torch.allclose(value, head[name], atol=1e-3) for name, value in state(own).items()):
        raise Mistake("on top of your frozen module the head does not learn as it should.")


FREEZE = Exercise(
    name="freeze",
    level=2,
    minutes=15,
    goal=(
        "Freeze a backbone so that it really stands still while a head on top of it is trained: "
        "its weights and the running statistics of its BatchNorms."
    ),
    given=(
        "`module`, a `torch.nn.Module` with BatchNorm layers anywhere inside. The training loop "
        "calls `model.train()` before every step."
    ),
    returns=(
        "nothing (or `module` itself, changed in place). Afterwards no entry of "
        "`module.state_dict()` changes in training, its BatchNorms use their running statistics, "
        "and layers outside `module` still learn."
    ),
    example="`freeze(model.backbone)`",
    hints=(
        (
            "`module.requires_grad_(False)` stops the weights; which entries of "
            "`module.state_dict()` are no weights?"
        ),
        (
            "BatchNorm updates `running_mean`, `running_var` and `num_batches_tracked` whenever it "
            "runs in train mode, and `model.train()` switches every layer inside to that mode."
        ),
        (
            "A forward pre-hook runs right before its layer. With `def stay(layer, inputs): "
            "layer.eval()`, call `layer.register_forward_pre_hook(stay)` for every layer of "
            "`module.modules()` that has a `running_mean`."
        ),
    ),
    verify=verify_freeze,
    cases=10,
)

# ── diagnose ────────────────────────────────────────────────────────────────────────────────


def verify_diagnose(student, rng) -> None:
    """Move a few entries of a state dict, in each of the four ways; sums and means stay."""
    before = {name: _on_a_grid(value) for name, value in state(random_backbone(rng)).items()}
    weights = [name for name in before if not is_statistic(name)]
    statistics = [name for name in before if is_statistic(name)]
    for change_weights, change_statistics in [(0, 0), (1, 0), (0, 1), (1, 1)]:
        changed = []
        if change_weights:
            changed += rng.choice(weights, rng.integers(1, 3), replace=False).tolist()
        if change_statistics:
            changed += rng.choice(statistics, rng.integers(1, 3), replace=False).tolist()
        after = {k: _shuffled(v, rng) if k in changed else v.clone() for k, v in before.items()}
        expected = DIAGNOSES[change_weights + 2 * change_statistics]
        _compare_diagnosis(student(before, after), expected, changed)


def _on_a_grid(value):
    """Return numbers of which every sum is exact, whatever its order."""
    return (value * 64).round() / 64 if value.is_floating_point() else value


def _shuffled(value, rng):
    """Return an entry with two of its numbers swapped, or with one that grows if all are equal."""
    moved = value.clone()
    flat = moved.view(-1)
    first = int(rng.integers(len(flat)))
    others = (flat != flat[first]).nonzero().ravel().tolist()
    if others:
        second = int(rng.choice(others))
        flat[[first, second]] = flat[[second, first]]
    else:
        flat[first] += 1
    return moved


def _compare_diagnosis(yours, expected: str, changed: list[str]) -> None:
    if yours not in DIAGNOSES if isinstance(yours, str) else True:
        raise Mistake(f"you returned {describe(yours)}: return one of {', '.join(DIAGNOSES)}.")
    if yours == expected:
        return
    if not changed:
        raise Mistake(f"you said {yours!r}, but every entry is equal: compare with torch.equal.")
    what = f"{' and '.join(map(repr, changed))} moved, and you said {yours!r}"
    weights = [name for name in changed if not is_statistic(name)]
    if "statistics" in expected and yours == "weights moved":
        raise Mistake(
            f"{what}: {', '.join(STATISTICS)} are statistics, buffers that no optimiser touches."
        )
    if weights and yours == "statistics moved":
        raise Mistake(f"{what}: {weights[0]!r} is learnt, so it is a weight, in BatchNorm too.")
    raise Mistake(f"{what}: the answer is {expected!r}; look at every entry of the dicts.")


DIAGNOSE = Exercise(
    name="diagnose",
    level=1,
    minutes=10,
    goal="Find out what moved in a backbone that was meant to be frozen.",
    given=(
        "`before` and `after`, copies of one module's `state_dict()` taken before and after "
        "training: dicts from names to tensors."
    ),
    returns=(
        'a str: `"nothing moved"`, `"weights moved"`, `"statistics moved"` or `"both moved"`. An '
        "entry moved when any of its numbers differs. BatchNorm's `running_mean`, `running_var` "
        "and `num_batches_tracked` are statistics, everything else is a weight."
    ),
    example="`diagnose(state, state)` returns `'nothing moved'`.",
    hints=(
        "`torch.equal(before[name], after[name])` tells for one entry whether it stood still.",
        'A statistic is known by the end of its name: `name.endswith("running_mean")`.',
        (
            "Keep two Booleans, one for weights and one for statistics, go through all names, and "
            "turn the two into one of the four sentences at the end."
        ),
    ),
    verify=verify_diagnose,
    cases=10,
)

EXERCISES = (FREEZE, DIAGNOSE)
