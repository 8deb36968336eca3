"""Words as vectors, from counting alone: co-occurrence, PPMI, a truncated SVD, pooling.

No labels are needed: whatever stands near a word describes it. The unlabelled text is the source;
the documents to classify are the target.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

UNKNOWN = "<unknown>"


@dataclass(frozen=True)
class Vocabulary:
    """The known words; every other word has the number 0.

    Attributes
    ----------
    words : list of str
        ``words[0]`` is `UNKNOWN`; then the most frequent first.
    counts : np.ndarray of int, shape (words,)
        How often each occurred where the vocabulary was made.
    """

    words: list[str]
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def number(self) -> dict[str, int]:
        """The number of each word."""
        return {word: i for i, word in enumerate(self.words)}

    def encode(self, text: str) -> np.ndarray:
        """Return the numbers of a text's words, int64; the words are separated by blanks."""
        return np.array([self.number.get(word, 0) for word in text.split()], dtype=np.int64)


def vocabulary(texts: Iterable[str], size: int = 4096, min_count: int = 2) -> Vocabulary:
    """Return the `size` most frequent words; words of equal frequency in alphabetical order.

    Parameters
    ----------
    texts : iterable of str
        Words separated by blanks. For a strict protocol: no test text.
    size : int
        Number of words, `UNKNOWN` included.
    min_count : int
        Rarer words are left out.

    Raises
    ------
    ValueError
        If no word is left.
    """
    counts = Counter(word for text in texts for word in text.split())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = [(word, n) for word, n in ranked if n >= min_count][: size - 1]
    if not kept:
        raise ValueError(f"no word occurs {min_count} times: pass more text, or lower min_count.")
    unknown = sum(counts.values()) - sum(n for _, n in kept)
    words, numbers = zip(*kept, strict=True)
    return Vocabulary([UNKNOWN, *words], np.array([unknown, *numbers]))


# ── counting ────────────────────────────────────────────────────────────────────────────────


def cooccurrence(encoded: Sequence[np.ndarray], n_words: int, window: int = 4):
    """Count how often two words stand at most `window` words apart in one text.

    Parameters
    ----------
    encoded : sequence of int arrays
        Word numbers of each text, as `Vocabulary.encode` returns them.
    n_words : int
        Size of the vocabulary.
    window : int
        At least 1.

    Returns
    -------
    scipy.sparse.csr_array, shape (n_words, n_words)
        Symmetric; pairs with an unknown word are not counted.
    """
    if window < 1:
        raise ValueError(f"window is {window}: look at least 1 word far.")
    # All texts in one row, with gaps of unknown words that no window can look across.
    gap = np.zeros(window, dtype=np.int64)
    row = np.concatenate([part for text in encoded for part in (text, gap)] or [gap])
    one_way = sparse.csr_array((n_words, n_words))
    for distance in range(1, window + 1):
        left, right = row[:-distance], row[distance:]
        both = (left > 0) & (right > 0)
        pairs = (np.ones(both.sum()), (left[both], right[both]))
        one_way = one_way + sparse.coo_array(pairs, shape=(n_words, n_words)).tocsr()
    return (one_way + one_way.T).tocsr()


def ppmi(counts, smoothing: float = 0.75):
    """Return the positive pointwise mutual information of a co-occurrence matrix.

    ``max(0, log p(w, c) / (p(w) p(c)))``, with ``p(c)`` proportional to ``count(c) ** smoothing``, so
    that rare contexts do not win by chance (Levy, Goldberg and Dagan 2015, TACL, section 3.1).

    Parameters
    ----------
    counts : sparse matrix, shape (words, contexts)
        Not negative. Words or contexts that never occur keep zeros.
    smoothing : float
        1 gives the definition of Levy and Goldberg (2014).

    Returns
    -------
    scipy.sparse.csr_array
        Zero where nothing was counted.
    """
    pairs = sparse.coo_array(counts)
    if pairs.nnz and pairs.data.min() < 0:
        raise ValueError("a count is negative: pass how often each pair occurred.")
    word = pairs.sum(axis=1)
    context = pairs.sum(axis=0).astype(float) ** smoothing
    row, column = pairs.coords
    with np.errstate(divide="ignore"):  # a stored zero has the logarithm -inf, and becomes 0
        information = np.log(pairs.data * context.sum() / (word[row] * context[column]))
    positive = (np.maximum(information, 0), (row, column))
    result = sparse.coo_array(positive, shape=pairs.shape).tocsr()
    result.eliminate_zeros()
    return result


def truncated_svd(matrix, n_dims: int = 128, power: float = 0.5) -> np.ndarray:
    """Return the rows of a sparse matrix as dense vectors: ``U * S ** power``.

    Parameters
    ----------
    matrix : sparse matrix, shape (words, contexts)
    n_dims : int
        Fewer than words and contexts.
    power : float
        0.5 weights the dimensions better than 1 (Levy, Goldberg and Dagan 2015, section 3.3).

    Returns
    -------
    np.ndarray, shape (words, n_dims), float32
        The largest dimension first; of each, the entry largest in size is positive.
    """
    if not 1 <= n_dims < min(matrix.shape):
        raise ValueError(f"n_dims is {n_dims}: take 1 to {min(matrix.shape) - 1}.")
    start = np.random.default_rng(0).standard_normal(min(matrix.shape))
    u, s, _ = svds(matrix.astype(float), k=n_dims, v0=start)
    order = np.argsort(-s)
    u, s = u[:, order], s[order]
    u = u * np.sign(u[np.abs(u).argmax(axis=0), np.arange(n_dims)])  # the sign of each is arbitrary
    return (u * s**power).astype(np.float32)


# ── vectors ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Embeddings:
    """A vector for each word.

    Attributes
    ----------
    vocabulary : Vocabulary
    vectors : np.ndarray, shape (words, dims)
        That of the unknown word is 0.
    """

    vocabulary: Vocabulary
    vectors: np.ndarray

    def neighbours(self, word: str, n: int = 5) -> list[str]:
        """Return the `n` words of highest cosine with `word`, nearest first.

        Raises
        ------
        KeyError
            If the word is unknown.
        """
        if word not in self.vocabulary.number or word == UNKNOWN:
            raise KeyError(f"{word!r} is not in the vocabulary: take a more frequent word.")
        unit = self.vectors / (np.linalg.norm(self.vectors, axis=1, keepdims=True) + 1e-12)
        me = self.vocabulary.number[word]
        order = np.argsort(-(unit @ unit[me]), kind="stable")
        return [self.vocabulary.words[i] for i in order if i != me][:n]


def learn(texts: Sequence[str], size=4096, window=4, n_dims=128) -> Embeddings:
    """Learn word vectors from unlabelled texts: count, PPMI, SVD.

    Parameters
    ----------
    texts : sequence of str
        Words separated by blanks. For a strict protocol: no test text.
    size, window, n_dims : int
        See `vocabulary`, `cooccurrence` and `truncated_svd`.
    """
    known = vocabulary(texts, size)
    counts = cooccurrence([known.encode(text) for text in texts], len(known), window)
    vectors = truncated_svd(ppmi(counts), n_dims)
    vectors[0] = 0  # no count says anything about the unknown word; rounding would leave 1e-16
    return Embeddings(known, vectors)


def sif_weights(vocabulary: Vocabulary, a: float = 1e-3) -> np.ndarray:
    """Return ``a / (a + p(w))`` for every word: frequent words say little.

    Smooth inverse frequency: Arora, Liang and Ma (2017), ICLR, section 3.
    """
    return a / (a + vocabulary.counts / vocabulary.counts.sum())


def pool(embeddings: Embeddings, texts: Sequence[str], weights: np.ndarray) -> np.ndarray:
    """Return one vector a text: the weighted mean of its words' vectors.

    Parameters
    ----------
    embeddings : Embeddings
    texts : sequence of str
    weights : np.ndarray, shape (words,)
        Such as `sif_weights`. Unknown words count nothing.

    Returns
    -------
    np.ndarray, shape (texts, dims)
        Zeros for a text without any known word.
    """
    pooled = np.zeros((len(texts), embeddings.vectors.shape[1]), dtype=np.float32)
    for row, text in enumerate(texts):
        numbers = embeddings.vocabulary.encode(text)
        numbers = numbers[numbers > 0]
        if len(numbers):
            shares = weights[numbers] / weights[numbers].sum()
            pooled[row] = shares @ embeddings.vectors[numbers]
    return pooled


def standardise(features: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Subtract the mean of unlabelled reference features; give every row the length 1.

    Parameters
    ----------
    features : np.ndarray, shape (n, dims)
    reference : np.ndarray, shape (m, dims)
        Features of unlabelled training documents, never of test documents.
    """
    centred = features - reference.mean(axis=0)
    return centred / (np.linalg.norm(centred, axis=1, keepdims=True) + 1e-12)
