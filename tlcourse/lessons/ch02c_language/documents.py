"""Lesson 02c: read labelled documents with a pretrained language model, frozen or fine-tuned."""

import hashlib
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC
from torch import nn

from tlcourse import data, settings
from tlcourse.data import corpus
from tlcourse.data.cache import cached
from tlcourse.data.docstrings import SIDES
from tlcourse.lessons.ch02a_traditional_models import embeddings, text
from tlcourse.lessons.ch02c_language import language, pretraining
from tlcourse.lessons.ch02c_language.language import CONTEXT, LanguageModel
from tlcourse.training import fit

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
    for i, words in enumerate(map(vocabulary.encode, texts)):
        words = torch.from_numpy(words)
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


def fine_tune(model: LanguageModel, vocabulary, train: corpus.TextSet, seed: int, lr, steps: int):
    """Train a language model and a new head in place on labelled texts; return ``predict(texts)``.

    With a new `LanguageModel` instead of a pretrained one, this is training from scratch.
    """
    torch.manual_seed(seed)
    width = sum(layer.shape[1] for layer in layer_means(model, vocabulary, train.texts[:1]))
    head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(train.names)))

    def loss(_, rows, labels):
        found = pooled(model, vocabulary, train.subset(rows).texts)
        return F.cross_entropy(head(torch.cat(found, dim=1)), labels)

    both, rows = nn.ModuleList([model, head]), torch.arange(len(train))
    fit(both, rows, train.labels, steps, lr=lr, batch_size=16, loss=loss, seed=seed)

    @torch.no_grad()
    def predict(texts):
        return head(torch.cat(layer_means(model, vocabulary, texts), dim=1)).argmax(1).numpy()

    return predict


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
    """Return the frozen features of every document of a task, by method: computed once, then kept.

    Everything that was learned or averaged comes from training files.
    """
    found = {}
    for method in methods:
        key = f"frozen-{FROZEN.get(method, 'ppmi')}-{_fingerprint(task, method)}"
        arrays = cached(key, partial(_read_once, task, method))
        found[method] = data.Splits(*(arrays[side] for side in SIDES))
    return found


def _read_once(task: data.Splits, method: str) -> dict[str, np.ndarray]:
    if method == PPMI:
        train = corpus.documents(corpus.load().part("train"))
        words = embeddings.learn(train, **pretraining.START)
        represent = text.pooled(words, task.pool.texts)
        features = [represent(part.texts) for part in task]
    else:
        model, vocabulary, _ = pretraining.load(FROZEN[method])
        parts = [layer_means(model, vocabulary, part.texts) for part in task]
        features = [joined(part, parts[0]) for part in parts]
    return dict(zip(SIDES, features, strict=True))


def _fingerprint(task: data.Splits, method: str) -> str:
    """Change with any text, with the weights, and with the code that reads."""
    made_of = hashlib.sha256("\n".join(t for part in task for t in part.texts).encode())
    if method == PPMI:
        made_of.update(corpus.load().fingerprint.encode())
    else:
        made_of.update((pretraining.WEIGHTS / f"{FROZEN[method]}.pt").read_bytes())
    made_of.update(torch.__version__.encode())
    for room in (__file__, embeddings.__file__, text.__file__, language.__file__):
        made_of.update(Path(room).read_bytes())
    return made_of.hexdigest()[:12]


def score(
    method: str, task: data.Splits, frozen: dict, per_class: int, seed: int, on="test", **chosen
) -> float:
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
    **chosen
        Such as one of the method's `CANDIDATES`.
    """
    rows = data.few_rows(task.pool, per_class, seed)
    train, other = task.pool.subset(rows), getattr(task, on)
    if method in frozen:
        head = LogisticRegression(max_iter=2000, **chosen)
        head.fit(frozen[method].pool[rows], train.labels)
        return head.score(getattr(frozen[method], on), other.labels)
    if method == TFIDF:
        words = TfidfVectorizer(sublinear_tf=True, stop_words=chosen["stop_words"])
        learned = make_pipeline(words, LinearSVC(C=chosen["C"])).fit(train.texts, train.labels)
        return learned.score(other.texts, other.labels)
    model, vocabulary, _ = pretraining.load(TRAINED[method])
    if method.endswith("from scratch"):
        torch.manual_seed(seed)
        model = LanguageModel(model.kind, len(vocabulary))
    predict = fine_tune(model, vocabulary, train, seed, **chosen)
    return float(np.mean(predict(other.texts) == other.labels.numpy()))


def choose(method: str, task: data.Splits) -> dict[int, dict]:
    """Return a method's best candidate at each budget, by mean validation accuracy over 3 draws."""
    frozen = frozen_features(task, [method]) if method in READ_ONCE else {}
    candidates = CANDIDATES[method]

    def scores(k, seed):
        return [score(method, task, frozen, k, seed, "validation", **c) for c in candidates]

    seeds = settings.choosing_seeds(3)
    return {k: settings.choose(candidates, partial(scores, k), seeds, method) for k in BUDGETS}


def main() -> None:
    """Choose the settings of every method, and write them down after each: it takes long."""
    torch.set_num_threads(1)
    task, kept = corpus.package_documents(corpus.load()), settings.stored(SETTINGS)
    for method in CANDIDATES:
        kept[method] = choose(method, task)
        settings.store(SETTINGS, kept)


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


def pair_features(model, vocabulary, docs: corpus.Corpus, n: int, near: bool, reference, seed=0):
    """Return frozen features of `sentence_pairs`, and which of them follow each other.

    Of two sentences u and v: ``|u - v|`` and ``u * v``, which a linear head needs to see likeness.
    """
    first, second, follows = sentence_pairs(docs, n, seed, near)
    u, v = (joined(layer_means(model, vocabulary, part), reference) for part in (first, second))
    return np.hstack([np.abs(u - v), u * v]), follows
