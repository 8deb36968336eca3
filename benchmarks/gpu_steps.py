"""Measure on a GPU what makes training quicker: precision, CUDA graphs, processes.

    python benchmarks/gpu_steps.py

The result goes into benchmarks/gpu.json, beside the times of the lessons that benchmarks/gpu.py stores there.
"""

import os
import time
from functools import partial

import gpu
import torch
import torch.nn.functional as F
from torchvision.models import resnet18

from tlcourse import data, experiment, models, runtime
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch06_maml import episodes, maml, meta_training

PRECISIONS = "float32", "TF32", "bfloat16"
NETWORKS = {
    "a lesson's network, 64 pictures of 16 × 16": (
        lambda: models.classifier(models.SmallCNN(), 10),
        (64, 1, 16, 16),
    ),
    "ResNet-18, 64 pictures of 224 × 224": (
        lambda: resnet18(num_classes=10),
        (64, 3, 224, 224),
    ),
}


def milliseconds(step, repeats):
    """Return the mean time of a call of `step`, after three calls that are not counted."""
    for _ in range(3):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(repeats):
        step()
    torch.cuda.synchronize()
    return round((time.perf_counter() - start) / repeats * 1000, 2)


def training_step(make, shape, precision):
    """Return one step of AdamW, on random pictures, in one of the `PRECISIONS`."""
    torch.set_float32_matmul_precision("highest" if precision == "float32" else "high")
    torch.backends.cudnn.allow_tf32 = precision != "float32"
    model = make().cuda()
    optimizer = torch.optim.AdamW(model.parameters(), fused=True)
    images, labels = torch.rand(shape).cuda(), torch.randint(10, shape[:1]).cuda()

    def step():
        with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bfloat16"):
            error = F.cross_entropy(model(images), labels)
        optimizer.zero_grad()
        error.backward()
        optimizer.step()

    return step


def precisions():
    """Return the milliseconds of a training step, by network and precision."""
    return {
        name: {p: milliseconds(training_step(make, shape, p), 30) for p in PRECISIONS}
        for name, (make, shape) in NETWORKS.items()
    }


def meta_steps():
    """Return the milliseconds of an outer gradient of lesson 6 at full scale, and its twin's error."""
    source = episodes.source_letters(1).to("cuda")
    tasks = episodes.draw_episodes(source, 16, episodes.WAYS, 1, 3, 0)
    weights = maml.initial_weights(episodes.network, [0])
    weights = {name: w.cuda() for name, w in weights.items()}
    outer = partial(maml.maml_gradient, episodes.network(), loss=F.cross_entropy,
                    steps=episodes.STEPS, lr=episodes.LR)  # fmt: skip
    graph = meta_training.compiled(outer)
    found, due = (
        torch.cat([g.flatten() for g in f(weights, tasks).values()]) for f in (graph, outer)
    )
    return {
        "one by one": milliseconds(lambda: outer(weights, tasks), 10),
        "one graph": milliseconds(lambda: graph(weights, tasks), 30),
        "relative difference": ((found - due).norm() / due.norm()).item(),
    }


def processes(draws=8):
    """Return the seconds that one process and several need for some draws of lesson 1's networks."""
    target, settings = data.digits().to("cuda"), transfer.chosen_settings()
    networks = ["CNN from scratch", "CNN from scratch + augmentation", "fine-tuning"]

    def run(seed):
        return transfer.compare(target, settings, [5], seed, networks)

    seconds = {}
    for workers in (1, min(draws, runtime.workers())):
        experiment.repeat(run, runtime.seeds(workers), workers=workers)  # start them: not measured
        start = time.perf_counter()
        experiment.repeat(run, runtime.seeds(draws), workers=workers)
        seconds[workers] = round(time.perf_counter() - start, 1)
    return {"draws": draws, "seconds": seconds}


def main():
    """Measure, print and store."""
    os.environ["TLCOURSE_DEVICE"] = "cuda"
    torch.set_num_threads(1)
    steps = gpu.machine() | {"workers": processes()}  # first, while the GPU is ours alone
    steps |= {"precision": precisions(), "meta-step": meta_steps()}
    store = gpu.read()
    store["steps"] = steps
    gpu.write(store)
    print(gpu.STORE.read_text(encoding="utf-8")[-1200:])


if __name__ == "__main__":
    main()
