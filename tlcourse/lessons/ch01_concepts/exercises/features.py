"""Chapter 1: features for a linear probe."""

import copy

import numpy as np
import torch

from tlcourse.lessons.ch01_concepts.exercises.backbones import moved, random_backbone, state
from tlcourse.teaching.exercise import Exercise
from tlcourse.teaching.values import Mistake, as_array


def verify_linear_probe_features(student, rng) -> None:
    """Compare with features made picture by picture, and watch how the backbone is used."""
    backbone = random_backbone(rng, dropout=0.5)
    batch_size = int(rng.integers(3, 6))
    n = batch_size * int(rng.integers(2, 4)) + 2  # so the last batch is shorter
    images = 1 + torch.randn(n, 1, 8, 8)
    backbone.train(bool(rng.random() < 0.7))
    modes = [m.training for m in backbone.modules()]
    expected = features_slowly(copy.deepcopy(backbone), images)
    seen = student.observe(watched, backbone, images, batch_size)
    value, calls = seen["value"], seen["calls"]
    if value is None:
        raise Mistake(f"{student.last_call} returned None: does it end with a `return` line?")
    if not seen["gradients"]:
        raise Mistake(
            "you left gradients switched off for everything: use `with torch.no_grad():`."
        )
    if not torch.equal(images, seen["images"]):
        raise Mistake(f"{student.last_call} changed its input: work on a copy of it.")
    _compare_use(calls, moved(state(backbone), seen["state"]), batch_size, n)
    if isinstance(value, list | tuple) and all(isinstance(v, torch.Tensor) for v in value):
        raise Mistake(f"you returned {len(value)} tensors: join them with torch.cat.")
    if getattr(value, "requires_grad", False):
        raise Mistake("the features still carry gradients: compute them under torch.no_grad().")
    _compare_features(value, expected, batch_size)
    if modes != seen["modes"]:
        word = "train" if modes[0] else "eval"
        raise Mistake(f"the backbone came in {word} mode: put that mode back before you return.")


def watched(features, backbone, images, batch_size) -> dict:
    """Return features, and how the backbone was used meanwhile, as plain data."""
    calls = []  # batch size, train mode, gradients recorded

    def note(layer, inputs):  # at the first layer, which is met by backbone.forward(...) too
        training = any(module.training for module in backbone.modules())
        calls.append((len(inputs[0]), training, torch.is_grad_enabled()))

    watch = backbone[0].register_forward_pre_hook(note)
    value = features(backbone, images, batch_size)
    watch.remove()
    return {
        "value": value,
        "calls": calls,
        "gradients": torch.is_grad_enabled(),
        "images": images,
        "modes": [m.training for m in backbone.modules()],
        "state": state(backbone),
    }


def features_slowly(backbone, images) -> np.ndarray:
    """Return the features of each picture, one at a time, in eval mode."""
    backbone.eval()
    with torch.no_grad():
        return np.stack([backbone(image[None])[0].numpy() for image in images])


def _compare_use(calls, changed, batch_size, n) -> None:
    if not calls:
        raise Mistake("your function never calls the backbone: its output is the features.")
    if any(training for _, training, _ in calls):
        moving = f", and {changed[0]!r} moved" if changed else ""
        raise Mistake(f"the backbone ran in train mode{moving}: call backbone.eval() first.")
    if changed:
        raise Mistake(f"the backbone's {changed[0]!r} changed: leave it as it was.")
    if any(gradients for _, _, gradients in calls):
        raise Mistake("gradients were recorded, which costs memory: use torch.no_grad().")
    largest = max(size for size, _, _ in calls)
    if largest > batch_size:
        raise Mistake(f"one batch had {largest} pictures, more than batch_size={batch_size}.")
    if len(calls) > -(-n // batch_size):
        raise Mistake(
            f"{n} pictures took {len(calls)} calls: take batch_size={batch_size} at a time, which "
            f"makes {-(-n // batch_size)}."
        )


def _compare_features(value, expected, batch_size) -> None:
    n, width = expected.shape
    yours = as_array(value, (-1, -1), f"features of shape {expected.shape}")
    if len(yours) == n - n % batch_size:
        raise Mistake(
            f"{len(yours)} rows for {n} pictures: the last, shorter batch of {n % batch_size} is "
            "missing."
        )
    yours = as_array(value, (n, width), f"features of shape {expected.shape}")
    if np.allclose(yours, expected, atol=1e-4):
        return
    order = [int(np.abs(yours - row).sum(1).argmin()) for row in expected]
    if np.allclose(yours[order], expected, atol=1e-4):
        raise Mistake("the rows are in another order than the pictures: do not shuffle.")
    raise Mistake("the features differ from backbone(images) in eval mode: return them unchanged.")


LINEAR_PROBE_FEATURES = Exercise(
    name="linear_probe_features",
    level=2,
    minutes=15,
    goal="Compute the frozen features that a linear probe is fitted on.",
    given=(
        "`backbone`, a `torch.nn.Module` in train or eval mode; `images`, a float tensor "
        "(n, 1, h, w); `batch_size`, an int ≥ 1: at most so many images go in at once."
    ),
    returns=(
        "a float tensor or array (n, d), correct to 1e-4: the backbone's output in eval mode, "
        "row i for image i, without gradients. The backbone comes back in the mode it had, and "
        "with its buffers unchanged."
    ),
    example="`linear_probe_features(backbone, images, 64).shape` is `(len(images), d)`.",
    hints=(
        "Dropout and BatchNorm behave differently in `backbone.eval()`, the mode wanted here.",
        (
            "`torch.split(images, batch_size)` gives the batches, the shorter last one included; "
            "`torch.cat` joins what comes out."
        ),
        (
            "Keep `was = backbone.training`, call `backbone.eval()`, compute under "
            "`with torch.no_grad():`, and end with `backbone.train(was)`."
        ),
    ),
    verify=verify_linear_probe_features,
    cases=10,
)

EXERCISES = (LINEAR_PROBE_FEATURES,)
