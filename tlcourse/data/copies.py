"""Copies of one photograph, and rows that are tied to each other."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ALIKE, FINE = 0.97, 0.9  # correlations of near-copies; of others .84 and .81, X-rays of chests .95
BLOCK = 1000  # photographs that are compared with all others at a time


def near_copies(thumbnails: np.ndarray) -> list[tuple[int, int]]:
    """Return the pairs of photographs that are copies of each other, or nearly.

    Two are, if their small grey pictures, with the mean of all taken away, correlate above .97, and the
    fine part of these above .9. That is so when one was saved again, made smaller, brighter or grey, and
    mostly when one per cent was cut off each side. What all pictures have in common, as X-rays have,
    counts for nothing, and two smooth pictures are not alike for that.

    Parameters
    ----------
    thumbnails : array, shape (n, side, side)
        Grey, from 0 to 255, of whole photographs; the side is a multiple of four, such as 16.

    Returns
    -------
    list of (int, int)
        The smaller position first.
    """
    small = np.asarray(thumbnails, dtype=np.float32)
    fine = _fine(small)
    flat = fine.std(axis=1) < 0.5  # one colour all over, which says nothing
    whole = _units((small - small.mean(axis=0)).reshape(len(small), -1))
    fine = _units(fine)
    whole[flat] = fine[flat] = 0
    pairs = []
    for start in range(0, len(small), BLOCK):
        some = slice(start, start + BLOCK)
        alike = (whole[some] @ whole.T > ALIKE) & (fine[some] @ fine.T > FINE)
        one, other = np.nonzero(alike)
        pairs += [(int(a), int(b)) for a, b in zip(one + start, other, strict=True) if a < b]
    return pairs


def _fine(small: np.ndarray) -> np.ndarray:
    """Return each picture less the means of its blocks of 4 × 4 pixels, flat."""
    n, side, _ = small.shape
    blocks = small.reshape(n, side // 4, 4, side // 4, 4)
    return (blocks - blocks.mean(axis=(2, 4), keepdims=True)).reshape(n, -1)


def _units(rows: np.ndarray) -> np.ndarray:
    rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def join(n: int, pairs, groups=None) -> np.ndarray:
    """Return who each of `n` rows belongs to, where pairs of rows, and rows of a group, stay together.

    Parameters
    ----------
    n : int
    pairs : sequence of (int, int)
    groups : array_like, shape (n,), optional

    Returns
    -------
    int array, shape (n,)
    """
    rows = np.arange(n)
    first = rows
    if groups is not None:  # each row is tied to the first one of its group
        _, index, owner = np.unique(np.asarray(groups), return_index=True, return_inverse=True)
        first = index[owner]
    ties = np.array([*zip(rows, first, strict=True), *pairs]).reshape(-1, 2).T
    graph = coo_array((np.ones(ties.shape[1], dtype=bool), tuple(ties)), shape=(n, n))
    return connected_components(graph, directed=False)[1]
