"""Lesson 02d: transferability scores, which say what a source promises before anything is trained.

A score ranks candidate sources for a target: a larger one promises more accuracy. Some read the
source's answers, some its features; the distances between domains need no label at all.
"""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

# ── scores that read the source's answers ───────────────────────────────────────────────────


def nce(answers: np.ndarray, labels: np.ndarray) -> float:
    """Return the negative conditional entropy -H(target label | source answer), in nats.

    Parameters
    ----------
    answers : array of int, shape (n,)
        The source class that the source's classifier takes each target picture for.
    labels : array of int, shape (n,)
        Target classes.

    References
    ----------
    Tran, Nguyen and Hassner (2019), ICCV, arXiv:1908.08142, equation 4.
    """
    answers = np.asarray(answers).astype(int)
    return leep(np.eye(answers.max() + 1)[answers], labels)  # LEEP of certain answers


def leep(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return LEEP, the mean log probability of the right label under the "expected" predictor.

    The predictor draws a source class z from what the source says of the picture, then a target
    label from P(y | z), which is estimated from the same labelled pictures.

    Parameters
    ----------
    probabilities : array, shape (n, source classes)
        The source classifier's probabilities for each target picture; rows sum to 1.
    labels : array of int, shape (n,)
        Target classes.

    Returns
    -------
    float
        At most 0, in nats.

    References
    ----------
    Nguyen et al. (2020), ICML, arXiv:2002.12462, equations 1 and 2.
    """
    probabilities, labels = _checked(probabilities, labels)
    if not np.allclose(probabilities.sum(1), 1, atol=1e-4) or (probabilities < 0).any():
        raise ValueError("rows of probabilities must sum to 1: pass the softmax, not the scores.")
    one_hot = np.eye(labels.max() + 1)[labels]
    joint = one_hot.T @ probabilities / len(labels)  # P(y, z)
    given = joint / np.maximum(joint.sum(0), 1e-300)  # P(y | z)
    return float(np.log((probabilities @ given.T)[np.arange(len(labels)), labels]).mean())


# ── scores that read the features ───────────────────────────────────────────────────────────


LEAST_NOISE = 1e-9  # far above rounding, far below the noise of any real source


def logme(features: np.ndarray, labels: np.ndarray) -> float:
    """Return LogME: the log evidence of linear regression on the features, per picture and class.

    For each class, y is 1 on its pictures and 0 elsewhere, weights have the prior N(0, 1/alpha), noise
    has variance 1/beta, and the evidence is maximised over both by MacKay's fixed point. Features that
    determine the labels exactly would have infinite evidence: noise is at least 1e-9 of y's mean square.

    Parameters
    ----------
    features : array, shape (n, d)
    labels : array of int, shape (n,)

    References
    ----------
    You et al. (2021), ICML, arXiv:2102.11005, section 4 and algorithm 1.
    """
    features, labels = _checked(features, labels)
    u, s, _ = np.linalg.svd(features, full_matrices=False)
    s = s / (s[0] or 1)  # the unit of the features does not matter: alpha absorbs it
    targets = np.eye(labels.max() + 1)[labels].T
    return float(np.mean([_evidence(u, s**2, features.shape[1], y) for y in targets]) / len(labels))


def _evidence(u, sigma, d, y):
    """Return the log evidence at its maximum; sigma holds the eigenvalues of features.T @ features."""
    n, z = len(y), (u.T @ y) ** 2
    outside = max(float(y @ y - z.sum()), 0)  # the part of y that no weight vector can reach
    most = n / (LEAST_NOISE * (y @ y))
    alpha = beta = 1.0
    previous = -np.inf
    for _ in range(10_000):
        shrunk = sigma / (alpha + beta * sigma)
        weights = (z * (beta * shrunk) * (beta / (alpha + beta * sigma))).sum()  # |m|²
        residual = (z * (alpha / (alpha + beta * sigma)) ** 2).sum() + outside
        log_det = np.log(alpha + beta * sigma).sum() + (d - len(sigma)) * np.log(alpha)
        fit = n * np.log(beta / (2 * np.pi)) + d * np.log(alpha)
        evidence = (fit - beta * residual - alpha * weights - log_det) / 2
        if abs(evidence - previous) <= 1e-12 * abs(evidence):
            break
        previous, used = evidence, beta * shrunk.sum()  # used: effective number of weights
        # Features that reach no part of y have no weights: then any alpha is as good.
        alpha = used / weights if weights > 0 else alpha
        beta = min((n - used) / max(residual, 1e-300), most)
    return evidence


def h_score(features: np.ndarray, labels: np.ndarray, shrink: bool = False) -> float:
    """Return the H-score: how much of the features' variance lies between the classes.

    The trace of inverse(covariance of the features) times covariance of the class means.

    Parameters
    ----------
    features : array, shape (n, d)
    labels : array of int, shape (n,)
    shrink : bool
        Shrink both covariances by the same factor: the features' towards a multiple of the identity,
        with the weight alpha of Ledoit and Wolf (2004), and the class means' by (1 - alpha). Without
        it, a pseudo-inverse is taken, and when n is at most d the score is the number of classes
        minus one, *whatever the features are*.

    References
    ----------
    Bao et al. (2019), ICIP, arXiv:2212.10082, definition 2; shrunk: Ibrahim et al. (2021),
    arXiv:2110.06893, where the score is tr(inverse(shrunk covariance) (1 - alpha) cov(class means)).
    """
    features, labels = _checked(features, labels)
    centred = features - features.mean(0)
    means = np.stack([centred[labels == k].mean(0) for k in range(labels.max() + 1)])
    share = np.bincount(labels) / len(labels)
    covariance, alpha = centred.T @ centred / len(centred), 0.0
    if shrink:
        covariance, alpha = ledoit_wolf(centred, assume_centered=True)
    # Least squares gives the pseudo-inverse's answer when the covariance has no inverse.
    whitened = np.linalg.lstsq(covariance, means.T, rcond=1e-10)[0]
    # Noise raises alpha; without this factor the smaller covariance would reward it.
    return float((1 - alpha) * (share @ (means * whitened.T).sum(1)))


def probe_score(features: np.ndarray, labels: np.ndarray, folds: int = 5) -> float:
    """Return the mean log probability of held-out labels under a linear probe: the plain baseline.

    Parameters
    ----------
    features : array, shape (n, d)
    labels : array of int, shape (n,)
        At least `folds` pictures a class.
    """
    features, labels = _checked(features, labels)
    if np.bincount(labels).min() < folds:
        raise ValueError(f"{folds} folds need {folds} labels a class: lower folds or label more.")
    split = StratifiedKFold(folds, shuffle=True, random_state=0)
    # Rows of one length, so that the probe's penalty means the same for every source. The rotation
    # keeps only the n directions in which n rows can differ: the same answers, several times faster.
    u, s, _ = np.linalg.svd(16 * normalize(features), full_matrices=False)
    probe = LogisticRegression(max_iter=1000)
    held_out = cross_val_predict(probe, u * s, labels, cv=split, method="predict_log_proba")
    return float(held_out[np.arange(len(labels)), labels].mean())


def _checked(rows, labels):
    rows, labels = np.asarray(rows, dtype=float), np.asarray(labels)
    if rows.ndim != 2 or labels.shape != (len(rows),) or not len(rows):
        raise ValueError(
            f"shapes {rows.shape} and {labels.shape} do not match: pass one row and one label for "
            "each picture."
        )
    if not np.isfinite(rows).all():
        raise ValueError("a value is NaN or infinite: repair or drop that picture first.")
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be whole numbers, not {labels.dtype}: np.unique(labels, "
            "return_inverse=True)[1] numbers the classes."
        )
    labels = labels.astype(int)
    if len(np.unique(labels)) < 2 or labels.min() < 0 or np.bincount(labels).min() == 0:
        raise ValueError("labels must be 0, 1, … without a gap, and two classes at least.")
    return rows, labels


# ── distances between domains, which need no label at all ───────────────────────────────────


def proxy_a_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return 2 (1 - 2 e): e is the held-out error of a linear classifier that tells two domains apart.

    Parameters
    ----------
    one, other : array, shape (n, d), (m, d)
        Samples of both domains, pictures as pixels or as features.

    Returns
    -------
    float
        About 0 when they cannot be told apart (a little below by chance), 2 when always.

    References
    ----------
    Ben-David et al. (2007), NIPS 2006, "Analysis of representations for domain adaptation", section 4.
    """
    one, other = _samples(one, other)
    rows = np.concatenate([one, other])
    domain = np.repeat([0, 1], [len(one), len(other)])
    # Balanced, and the mean of both errors: unequal sizes must not make domains look apart.
    linear = LogisticRegression(C=0.01, max_iter=1000, class_weight="balanced")
    judge = make_pipeline(StandardScaler(), linear)
    split = StratifiedKFold(2, shuffle=True, random_state=0)
    answers = cross_val_predict(judge, rows, domain, cv=split)
    error = np.mean([(answers[domain == k] != k).mean() for k in (0, 1)])
    return float(2 * (1 - 2 * error))


def mmd(one: np.ndarray, other: np.ndarray, width: float | None = None) -> float:
    """Return the unbiased estimate of the squared maximum mean discrepancy, Gaussian kernel.

    Parameters
    ----------
    one, other : array, shape (n, d), (m, d)
    width : float, optional
        Standard deviation of the kernel; by default the median distance of all pairs of samples.

    Returns
    -------
    float
        About 0 for one domain (a little below by chance).

    References
    ----------
    Gretton et al. (2012), JMLR 13, equation 3; the median: section 8.
    """
    one, other = _samples(one, other)
    if width is None:
        both = np.concatenate([one, other])
        width = np.median(cdist(both, both)[np.triu_indices(len(both), 1)])
    if not width > 0:
        raise ValueError(f"the kernel's width is {width}: it must be positive.")

    def kernel(a, b):
        return np.exp(-cdist(a, b, "sqeuclidean") / (2 * width**2))

    n, m = len(one), len(other)
    # A sample with itself says nothing: leave out the diagonal's ones.
    within = (kernel(one, one).sum() - n) / (n * (n - 1))
    within += (kernel(other, other).sum() - m) / (m * (m - 1))
    return float(within - 2 * kernel(one, other).mean())


def _samples(one, other):
    one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1]:
        raise ValueError(f"shapes {one.shape} and {other.shape}: pass rows of the same length.")
    if min(len(one), len(other)) < 5:
        raise ValueError("a domain has fewer than 5 samples: pass more.")
    return one, other
