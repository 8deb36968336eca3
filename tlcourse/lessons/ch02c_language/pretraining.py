"""Lesson 02c, pretraining: read the training files, measure the perplexity, ship what was learned.

``python -m tlcourse language lstm`` makes a shipped language model again (also ``gpt``, ``masked``).
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tlcourse import models
from tlcourse.data import corpus
from tlcourse.lessons.ch02a_traditional_models import embeddings
from tlcourse.lessons.ch02c_language import language
from tlcourse.lessons.ch02c_language.language import CONTEXT, LanguageModel

WEIGHTS = Path(__file__).parent / "weights"
# Word vectors that every model starts from. A wide window over whole documents puts topics into them.
START = {"size": language.N_WORDS, "window": 20, "n_dims": language.WIDTH}
# Settings that gave the best validation accuracy; steps by the minutes that a reader may wait. A random
# `share` of the words is asked for: with large batches the softmax is most of a step's cost.
RECIPES = {
    "lstm": {"steps": 900, "lr": 3e-3, "batch_size": 32, "share": 0.3},
    "gpt": {"steps": 3000, "lr": 3e-3, "batch_size": 8, "share": 1.0},
    "masked": {"steps": 3000, "lr": 3e-3, "batch_size": 8},
}


def stream(texts, vocabulary: embeddings.Vocabulary) -> torch.Tensor:
    """Return all words of the texts as one row of numbers."""
    return torch.from_numpy(vocabulary.encode(" ".join(texts)))


def pretrain(
    model: LanguageModel,
    tokens,
    steps: int,
    lr: float,
    seed=0,
    batch_size=32,
    hook=None,
    **objective,
) -> list[float]:
    """Train a language model in place on a row of words, with AdamW and a cosine learning rate.

    Parameters
    ----------
    tokens : torch.Tensor, shape (length,)
        From `stream`; never of test files.
    steps : int
        Of `batch_size` windows of `CONTEXT` words, cut at random places.
    hook : callable, optional
        ``hook(step, model)``, called every 300 steps.
    **objective
        Given to `language.example`.

    Returns
    -------
    list of float
        The loss of each step, nats a guessed word.
    """
    if len(tokens) <= CONTEXT:
        raise ValueError(f"{len(tokens)} words are too few: pass more than {CONTEXT}.")
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01, fused=True)
    warmup = min(50, steps // 4)
    rise = torch.optim.lr_scheduler.LinearLR(optimizer, 0.02, total_iters=warmup)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps - warmup)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [rise, fall], [warmup])
    generator = torch.Generator().manual_seed(seed)
    windows = tokens.unfold(0, CONTEXT + 1, 1)
    losses = []
    model.train()
    for step in range(1, steps + 1):
        rows = torch.randint(len(windows), (batch_size,), generator=generator)
        asked = language.example(model, windows[rows], generator, **objective)
        value = language.loss(model, *asked)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(value.item())
        if hook and step % 300 == 0:
            hook(step, model)
    return losses


@torch.no_grad()
def perplexity(model: LanguageModel, tokens: torch.Tensor) -> float:
    """Return exp(mean cross-entropy) on a row of words that was never trained on.

    For a causal model over every word but the first of each window; for a masked one over a random
    share of hidden words. The two are not comparable: they answer different questions.
    """
    model.eval()
    parts = tokens.unfold(0, CONTEXT + 1, CONTEXT).split(64)
    generator = torch.Generator().manual_seed(0)
    examples = (language.example(model, part, generator) for part in parts)
    nats = [language.loss(model, *part).item() for part in examples]
    return float(np.exp(np.average(nats, weights=[len(part) for part in parts])))


def start_from(model: LanguageModel, words: embeddings.Embeddings) -> None:
    """Give a new model word vectors learned by counting, at the scale of its own random ones."""
    known = torch.from_numpy(words.vectors)
    with torch.no_grad():
        model.embedding.weight[1 : len(known)] = 0.1 * known[1:] / known[1:].std()


# ── shipped checkpoints ─────────────────────────────────────────────────────────────────────


def save(model: LanguageModel, vocabulary, about: dict, path: Path) -> None:
    """Write weights in half precision, the vocabulary, and how they came about."""
    state = {name: value.half() for name, value in model.state_dict().items()}
    counts = torch.from_numpy(vocabulary.counts).int()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    content = {"kind": model.kind, "words": vocabulary.words, "counts": counts, "about": about}
    torch.save(content | {"state": state}, path)


def load(kind: str, path: Path | None = None):
    """Return a shipped language model, its vocabulary, and how it came about.

    Parameters
    ----------
    kind : {"lstm", "gpt", "masked"}
    path : Path, optional
        Read this file instead.

    Returns
    -------
    model : LanguageModel
        In evaluation mode, on the CPU.
    vocabulary : Vocabulary
    about : dict
        Seed, steps, seconds, and the fingerprint of the corpus it was trained on.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is damaged or holds something else.
    """
    path = path or WEIGHTS / f"{kind}.pt"
    content = models.load_weights(path, f"language {kind}")
    try:
        model = LanguageModel(content["kind"], len(content["words"]))
        model.load_state_dict(content["state"])  # half precision, read into float32
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"the weights file {path.name} holds another model: restore it, or make it again with "
            f"python -m tlcourse language {kind}."
        ) from error
    vocabulary = embeddings.Vocabulary(content["words"], content["counts"].numpy())
    return model.eval(), vocabulary, content["about"]


def make(kind: str):
    """Pretrain a model of that kind on the training files; return it, its vocabulary, its story."""
    docs, recipe = corpus.load(), RECIPES[kind]
    began = time.process_time()
    torch.manual_seed(0)
    train = docs.part("train")
    words = embeddings.learn(corpus.documents(train), **START)
    model = LanguageModel(kind)
    start_from(model, words)
    heldout = stream(docs.part("validation").texts, words.vocabulary)

    def report(step, model):
        guessed, seconds = perplexity(model, heldout[:20_000]), time.process_time() - began
        print(f"step {step}: perplexity {guessed:.1f}, {seconds:.0f} s", flush=True)
        model.train()

    pretrain(model, stream(train.texts, words.vocabulary), hook=report, **recipe)
    about = {
        "corpus": docs.fingerprint,
        "seed": 0,
        "steps": recipe["steps"],
        "seconds": round(time.process_time() - began),
        "perplexity": round(perplexity(model, heldout), 1),
    }
    return model.eval(), words.vocabulary, about


def main() -> None:
    """Pretrain the kinds named on the command line and write their checkpoints."""
    parser = argparse.ArgumentParser(prog="python -m tlcourse language", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=language.KINDS)
    kinds = parser.parse_args().kinds
    if unknown := set(kinds) - set(language.KINDS):
        parser.error(f"unknown {', '.join(unknown)}: choose of {', '.join(language.KINDS)}")
    torch.set_num_threads(1)
    for kind in kinds:
        model, vocabulary, about = make(kind)
        save(model, vocabulary, about, WEIGHTS / f"{kind}.pt")
        print(kind, about)
