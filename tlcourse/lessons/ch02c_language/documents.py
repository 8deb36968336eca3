"""Chapter 2: read labelled documents with a pretrained language model, frozen or fine-tuned."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from torch import nn

from tlcourse import data, runtime
from tlcourse.data import corpus
from tlcourse.lessons.ch02a_traditional_models import embeddings
from tlcourse.lessons.ch02c_language import language
from tlcourse.lessons.ch02c_language.language import CONTEXT, LanguageModel
from tlcourse.settings import choosing_seeds, store, stored
from tlcourse.training import batches

SETTINGS = Path(__file__).with_suffix(".json")

# ── frozen features ─────────────────────────────────────────────────────────────────────────


def padded(texts, vocabulary: embeddings.Vocabulary):
    """Return texts cut into pieces of at most `CONTEXT` words.

    Returns
    -------
    tokens : torch.Tensor, shape (pieces, length), int64
        Zeros at the end of the shorter ones.
    real : torch.Tensor, shape (pieces, length), bool
        False where a piece has ended.
    owner : torch.Tensor, shape (pieces,), int64
        The text of each piece.
    """
    pieces, owner = [], []
    for i, text in enumerate(texts):
        words = torch.from_numpy(vocabulary.encode(text))
        for piece in words.split(CONTEXT) if len(words) else [words.new_zeros(1)]:
            pieces.append(piece)
            owner.append(i)
    tokens = nn.utils.rnn.pad_sequence(pieces, batch_first=True)
    lengths = torch.tensor([len(piece) for piece in pieces])
    return tokens, torch.arange(tokens.shape[1]) < lengths[:, None], torch.tensor(owner)


def pooled(model: LanguageModel, vocabulary, texts) -> list[torch.Tensor]:
    """Return the mean of each layer over a text's words, frequent words weighted down.

    Returns
    -------
    list of torch.Tensor, each of shape (texts, width)
        The embeddings' mean, then that of each layer. See `embeddings.sif_weights`.
    """
    tokens, real, owner = padded(texts, vocabulary)
    share = torch.from_numpy(embeddings.sif_weights(vocabulary)).float()[tokens] * real
    total = torch.zeros(len(texts)).index_add(0, owner, share.sum(1)).clamp(min=1e-9)
    found = []
    for layer in model.layers(tokens, real):
        sums = torch.zeros(len(texts), layer.shape[2])
        sums = sums.index_add(0, owner, (share[..., None] * layer).sum(1))
        found.append(sums / total[:, None])
    return found


@torch.no_grad()
def layer_means(model: LanguageModel, vocabulary, texts) -> list[torch.Tensor]:
    """Return what `pooled` gives, computed a hundred texts at a time in evaluation mode."""
    model.eval()
    parts = [pooled(model, vocabulary, texts[i : i + 100]) for i in range(0, len(texts), 100)]
    return [torch.cat(layer) for layer in zip(*parts, strict=True)]


def joined(layers: list[torch.Tensor], reference: list[torch.Tensor]) -> np.ndarray:
    """Return frozen features of texts, rows of length 1, from their `layer_means`.

    From each layer the mean over `reference` is subtracted, and the rest divided by ONE number, so
    that layers count alike and directions keep their lengths.

    Parameters
    ----------
    layers, reference : list of torch.Tensor, shape (n, width)
        From `layer_means`; `reference` of unlabelled training texts, never of test texts.

    Returns
    -------
    np.ndarray, shape (n, sum of widths), float32
    """
    parts = [
        (layer - r.mean(0)) / (r - r.mean(0)).square().mean().sqrt()
        for layer, r in zip(layers, reference, strict=True)
    ]
    return F.normalize(torch.cat(parts, dim=1)).numpy()


# ── training all weights ────────────────────────────────────────────────────────────────────


def fine_tune(model: LanguageModel, vocabulary, train: corpus.TextSet, seed: int, lr: float = 1e-3,
              steps: int = 40, batch_size: int = 16):  # fmt: skip
    """Train a language model and a new head in place on labelled texts; return ``predict(texts)``.

    With a new `LanguageModel` instead of a pretrained one, this is training from scratch.
    """
    runtime.seed_everything(seed)
    width = sum(layer.shape[1] for layer in layer_means(model, vocabulary, train.texts[:1]))
    head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(train.names)))
    optimizer = torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=lr, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    generator = torch.Generator().manual_seed(seed)
    model.train()
    for batch in batches(len(train), batch_size, steps, generator):
        part = train.subset(batch)
        scores = head(torch.cat(pooled(model, vocabulary, part.texts), dim=1))
        optimizer.zero_grad()
        F.cross_entropy(scores, part.labels).backward()
        optimizer.step()
        schedule.step()

    @torch.no_grad()
    def predict(texts):
        return head(torch.cat(layer_means(model, vocabulary, texts), dim=1)).argmax(1).numpy()

    return predict


def pair_features(model, vocabulary, docs: corpus.Corpus, n: int, near: bool, reference, seed=0):
    """Return frozen features of `sentence_pairs`, and which of them follow each other.

    Of two sentences u and v: ``|u - v|`` and ``u * v``, which a linear head needs to see likeness.
    """
    first, second, follows = sentence_pairs(docs, n, seed, near)
    u, v = (joined(layer_means(model, vocabulary, part), reference) for part in (first, second))
    return np.hstack([np.abs(u - v), u * v]), follows


# ── comparing ───────────────────────────────────────────────────────────────────────────────

BUDGETS = (5, 20, 50)
TFIDF, PPMI = "TF-IDF + SVM", "PPMI embeddings, frozen"
FROZEN = {"LSTM, frozen": "lstm", "GPT, frozen": "gpt", "masked LM, frozen": "masked"}
TRAINED = {"LSTM, fine-tuned": "lstm", "LSTM from scratch": "lstm"}

READ_ONCE = (PPMI, *FROZEN)

# Six candidates a method, so that none is tuned with more care than another.
PENALTIES = [{"C": C} for C in (0.1, 0.3, 1, 3, 10, 30)]
CANDIDATES = {
    TFIDF: [{"C": C, "stop_words": stop} for C in (0.3, 1, 10) for stop in (None, "english")],
    PPMI: PENALTIES,
    **dict.fromkeys(FROZEN, PENALTIES),
    "LSTM, fine-tuned": [{"lr": r, "steps": n} for r in (3e-4, 1e-3, 3e-3) for n in (30, 60)],
    "LSTM from scratch": [{"lr": r, "steps": n} for r in (1e-3, 3e-3, 1e-2) for n in (30, 60)],
}


def frozen_features(task: data.Splits, methods=READ_ONCE) -> dict[str, data.Splits]:
    """Return the frozen features of every document of a task, by method: computed once, used often.

    Everything that was learned or averaged comes from training files.
    """
    found = {}
    for method in methods:
        if method == PPMI:
            train = corpus.documents(corpus.load().part("train"))
            words = embeddings.learn(train, **language.START)
            weights = embeddings.sif_weights(words.vocabulary)
            parts = [embeddings.pool(words, part.texts, weights) for part in task]
            features = [embeddings.standardise(part, parts[0]) for part in parts]
        else:
            model, vocabulary, _ = language.load(FROZEN[method])
            parts = [layer_means(model, vocabulary, part.texts) for part in task]
            features = [joined(part, parts[0]) for part in parts]
        found[method] = data.Splits(*features)
    return found


def score(method: str, task: data.Splits, frozen: dict, per_class: int, seed: int,
          on: str = "test", **settings) -> float:  # fmt: skip
    """Learn with one method from one draw of labels; return the accuracy on a side of the task.

    Parameters
    ----------
    method : str
        A key of `CANDIDATES`.
    task : Splits
        Of `corpus.TextSet`.
    frozen : dict
        From `frozen_features`.
    per_class, seed : int
        See `data.few_labels`: all methods see the same documents.
    on : {"test", "validation"}
    **settings
        Such as one of the method's `CANDIDATES`.
    """
    rows = data.few_rows(task.pool, per_class, seed)
    train, truth = task.pool.subset(rows), getattr(task, on).labels.numpy()
    if method in frozen:
        head = LogisticRegression(max_iter=2000, **settings)
        head.fit(frozen[method].pool[rows], train.labels)
        return head.score(getattr(frozen[method], on), truth)
    if method == TFIDF:
        words = TfidfVectorizer(sublinear_tf=True, stop_words=settings["stop_words"])
        learned = make_pipeline(words, LinearSVC(C=settings["C"])).fit(train.texts, train.labels)
        return learned.score(getattr(task, on).texts, truth)
    model, vocabulary, _ = language.load(TRAINED[method])
    if method.endswith("from scratch"):
        runtime.seed_everything(seed)
        model = LanguageModel(model.kind, len(vocabulary))
    predict = fine_tune(model, vocabulary, train, seed, **settings)
    return float(np.mean(predict(getattr(task, on).texts) == truth))


def chosen_settings() -> dict[str, dict[int, dict]]:
    """Return what ``python -m tlcourse choose documents`` chose, as {method: {per_class: settings}}."""
    table = stored(SETTINGS)
    return {method: {int(k): s for k, s in rows.items()} for method, rows in table.items()}


# ── pairs of sentences ──────────────────────────────────────────────────────────────────────


def sentence_pairs(docs: corpus.Corpus, n: int, seed: int, near: bool = False):
    """Return `n` pairs of sentences, half of which follow each other: next-sentence prediction.

    Parameters
    ----------
    docs : Corpus
        One side of the split.
    near : bool
        Where the second sentence is not the next, take it from the same file (hard), or else from
        anywhere (as in Devlin et al. 2019, section 3.1, task 2).

    Returns
    -------
    first, second : list of str
    follows : np.ndarray of int, shape (n,)
    """
    rng = np.random.default_rng(seed)
    # A sentence that has a next one, and a file long enough to hold another.
    large = np.bincount(docs.files)[docs.files] >= 10
    places = np.flatnonzero(large[:-1] & (docs.files[:-1] == docs.files[1:]))
    chosen = rng.choice(places, n, replace=len(places) < n)
    follows = np.arange(n) % 2
    second = chosen + 1
    for i in np.flatnonzero(follows == 0):
        own = np.flatnonzero(docs.files == docs.files[chosen[i]]) if near else np.arange(len(docs))
        second[i] = rng.choice(own[(own != chosen[i]) & (own != chosen[i] + 1)])
    return list(docs.texts[chosen]), list(docs.texts[second]), follows


def choose(method: str, task: data.Splits) -> dict[int, dict]:
    """Return a method's best candidate at each budget, by mean validation accuracy over 3 draws.

    The draws are none that a report uses.
    """
    frozen = frozen_features(task, [method]) if method == PPMI or method in FROZEN else {}
    chosen, seeds = {}, choosing_seeds(3)
    for k in BUDGETS:
        scores = [
            np.mean([score(method, task, frozen, k, s, "validation", **c) for s in seeds])
            for c in CANDIDATES[method]
        ]
        chosen[k] = CANDIDATES[method][int(np.argmax(scores))]
        print(method, k, np.round(scores, 3), chosen[k], flush=True)
    return chosen


def main() -> None:
    """Choose the settings of the methods named on the command line (or of all), and keep them."""
    torch.set_num_threads(1)
    task, kept = corpus.package_documents(corpus.load()), chosen_settings()
    for method in sys.argv[1:] or CANDIDATES:
        kept[method] = choose(method, task)
        store(SETTINGS, kept)
