"""Every score against its definition, written again slowly and in another way."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, norm

from tlcourse.lessons.ch02d_choosing_a_source.transferability import (
    h_score,
    leep,
    logme,
    mmd,
    nce,
    probe_score,
    proxy_a_distance,
)


def case(n=40, d=12, classes=4, seed=0):
    """Features that know a little about their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return rng.normal(size=(n, d)) + rng.normal(size=(classes, d))[labels], labels


def answers(n=40, sources=6, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(sources, 0.5), size=n), rng.permutation(np.arange(n) % classes)


# ── LEEP and NCE ────────────────────────────────────────────────────────────────────────────


def test_leep_is_the_mean_log_of_a_double_sum():
    for seed in range(3):
        probabilities, labels = answers(seed=seed)
        n, total = len(labels), 0.0
        for i in range(n):
            likely = 0.0
            for z in range(probabilities.shape[1]):
                joint = sum(probabilities[j, z] for j in range(n) if labels[j] == labels[i]) / n
                marginal = sum(probabilities[j, z] for j in range(n)) / n
                likely += probabilities[i, z] * joint / marginal
            total += math.log(likely)
        assert leep(probabilities, labels) == pytest.approx(total / n, abs=1e-12), seed


def test_nce_is_minus_the_conditional_entropy():
    for seed in range(3):
        probabilities, labels = answers(seed=seed)
        said = probabilities.argmax(1)
        joint = [np.mean((said == z) & (labels == y)) for z in range(6) for y in range(4)]
        entropy = -sum(p * math.log(p) for p in joint if p)
        of_answer = -sum(p * math.log(p) for p in (np.mean(said == z) for z in range(6)) if p)
        assert nce(said, labels) == pytest.approx(-(entropy - of_answer), abs=1e-12), seed


def test_leep_with_certain_answers_is_nce_and_above_it_in_general():
    probabilities, labels = answers()
    certain = np.eye(6)[probabilities.argmax(1)]
    hard = nce(probabilities.argmax(1), labels)
    assert leep(certain, labels) == pytest.approx(hard, abs=1e-12)


def test_a_source_that_knows_the_labels_scores_zero_and_one_that_knows_nothing_minus_entropy():
    _, labels = answers()
    assert leep(np.eye(4)[labels], labels) == pytest.approx(0)
    assert leep(np.full((40, 5), 0.2), labels) == pytest.approx(-math.log(4))
    assert nce(np.zeros(40), labels) == pytest.approx(-math.log(4))


def test_the_names_of_the_source_classes_do_not_matter_but_the_target_labels_do():
    _, labels = answers()
    sure = 0.9 * np.eye(4)[labels] + 0.025
    shuffled = np.random.default_rng(1).permutation(labels)
    renamed = leep(sure[:, [2, 0, 3, 1]], labels)
    assert renamed == pytest.approx(leep(sure, labels))
    assert leep(sure, labels) > leep(sure, shuffled) + 0.5


# ── LogME ───────────────────────────────────────────────────────────────────────────────────


def best_evidence(features, y):
    """Maximise the density of y, a Gaussian with covariance F F' / alpha + I / beta, directly."""
    kernel, n = features @ features.T, len(y)

    def loss(logs):
        weight, noise = np.exp(logs)
        normal = multivariate_normal(np.zeros(n), weight * kernel + noise * np.eye(n))
        return -normal.logpdf(y)

    starts = [(0.0, 0.0), (-4.0, -2.0), (-6.0, -1.0), (-2.0, -4.0)]
    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 5000}
    return -min(minimize(loss, s, method="Nelder-Mead", options=options).fun for s in starts)


def test_logme_is_the_maximum_of_the_evidence_to_1e_6():
    for n, d in ((40, 12), (30, 30), (24, 60)):
        features, labels = case(n, d, classes=3)
        each = [best_evidence(features, (labels == k).astype(float)) for k in range(3)]
        assert logme(features, labels) == pytest.approx(np.mean(each) / n, abs=1e-6), (n, d)


def test_logme_is_what_the_papers_fixed_point_finds_with_full_matrices():
    """Equations 2 to 6 of You et al. (2021), with inverses and determinants as they stand."""
    features, labels = case()
    n, d = features.shape
    gram, total = features.T @ features, 0.0
    for k in range(4):
        y, alpha, beta = (labels == k).astype(float), 1.0, 1.0
        for _ in range(2000):
            A = alpha * np.eye(d) + beta * gram
            m = beta * np.linalg.solve(A, features.T @ y)
            used = np.trace(beta * np.linalg.solve(A, gram))
            alpha, beta = used / (m @ m), (n - used) / ((y - features @ m) ** 2).sum()
        A = alpha * np.eye(d) + beta * gram
        m = beta * np.linalg.solve(A, features.T @ y)
        evidence = n / 2 * math.log(beta) + d / 2 * math.log(alpha) - n / 2 * math.log(2 * math.pi)
        evidence -= beta / 2 * ((y - features @ m) ** 2).sum() + alpha / 2 * (m @ m)
        total += evidence - np.linalg.slogdet(A)[1] / 2
    assert logme(features, labels) == pytest.approx(total / 4 / n, abs=1e-6)


def test_logme_does_not_depend_on_the_unit_of_the_features_and_prefers_informative_ones():
    features, labels = case()
    score = logme(features, labels)
    for unit in (100, 1e-150, 1e150):
        assert logme(unit * features, labels) == pytest.approx(score, abs=1e-6), unit
    noise = np.random.default_rng(5).normal(size=features.shape)
    assert score > logme(noise, labels) + 0.1


def test_logme_of_a_perfect_source_is_finite_and_above_every_other():
    _, labels = case()
    perfect = np.eye(4)[labels]
    best = logme(perfect, labels)
    assert np.isfinite(best)
    for size in (1e-4, 1e-2, 1):
        noise = size * np.random.default_rng(0).normal(size=perfect.shape)
        assert best > logme(perfect + noise, labels) + 0.1
    for dead in (1, 90):
        beside = logme(np.c_[perfect, np.zeros((40, dead))], labels)
        assert beside == pytest.approx(best, abs=1e-6)


def test_logme_of_dead_features_is_what_noise_alone_explains():
    """A score of a source whose features are 0 for every picture: y is noise of its own variance."""
    features, labels = case()
    y = np.eye(4)[labels]
    noise = [multivariate_normal(np.zeros(40), (t @ t) / 40 * np.eye(40)).logpdf(t) for t in y.T]
    dead = logme(np.zeros((40, 12)), labels)
    assert dead == pytest.approx(np.mean(noise) / 40, abs=1e-12)
    assert dead < logme(features, labels)
    # Dead columns beside live ones change nothing; constant ones can say how frequent a class is.
    beside = logme(np.c_[features, np.zeros((40, 5))], labels)
    assert beside == pytest.approx(logme(features, labels), abs=1e-9)
    assert np.isfinite(logme(np.ones((40, 12)), labels))


# ── H-score ─────────────────────────────────────────────────────────────────────────────────


def test_h_score_is_the_trace_of_the_definition():
    for seed in range(3):
        features, labels = case(seed=seed)
        means = np.array([features[labels == y].mean(0) for y in labels])
        total = np.cov(features.T, bias=True)
        expected = np.trace(np.linalg.inv(total) @ np.cov(means.T, bias=True))
        assert h_score(features, labels) == pytest.approx(expected, rel=1e-9), seed


def shrunk_by_the_paper(features, labels):
    """Return H_alpha of Ibrahim et al. (2021) and alpha, with Ledoit and Wolf's (2004) formulas.

    tr(inverse((1 - alpha) S + alpha m I) (1 - alpha) S_means): both covariances are shrunk alike.
    """
    centred = features - features.mean(0)
    n, d = centred.shape
    S = centred.T @ centred / n
    m = np.trace(S) / d
    spread = ((S - m * np.eye(d)) ** 2).sum()
    error = sum(((np.outer(x, x) - S) ** 2).sum() for x in centred) / n**2
    alpha = min(error, spread) / spread
    means = np.array([centred[labels == y].mean(0) for y in labels])
    total = (1 - alpha) * S + alpha * m * np.eye(d)
    return np.trace(np.linalg.solve(total, (1 - alpha) * means.T @ means / n)), alpha


def test_the_shrunk_h_score_is_the_papers():
    for n, d in ((20, 50), (40, 12), (50, 256)):
        features, labels = case(n, d)
        expected, alpha = shrunk_by_the_paper(features, labels)
        assert 0.01 < alpha < 0.99
        assert h_score(features, labels, shrink=True) == pytest.approx(expected, rel=1e-6), (n, d)


def test_noise_lowers_the_shrunk_h_score():
    """Both ways to make features worse: noise beside them, and noise on them."""
    for seed in range(5):
        features, labels = case(50, 64, classes=10, seed=seed)
        rng = np.random.default_rng(100 + seed)
        beside = [np.c_[features, rng.normal(size=(50, 64 * k))] for k in (0, 1, 4, 16)]
        upon = [features + size * rng.normal(size=features.shape) for size in (0, 1, 2, 4)]
        for worse in (beside, upon):
            found = [h_score(f, labels, shrink=True) for f in worse]
            assert found == sorted(found, reverse=True), (seed, found)
            assert 0 <= found[-1] < found[0] < 9, "never above the number of classes minus one"


def test_with_fewer_pictures_than_features_the_plain_h_score_says_nothing():
    noise = np.random.default_rng(0).normal(size=(20, 50))
    for features, labels in [case(20, 50), (noise, np.arange(20) % 4)]:
        assert h_score(features, labels) == pytest.approx(3), "classes minus one"
    known, labels = case(100, 50)
    noise = np.random.default_rng(0).normal(size=known.shape)
    assert h_score(known, labels) > h_score(noise, labels)


# ── the probe ───────────────────────────────────────────────────────────────────────────────


def test_the_probe_is_scored_on_held_out_pictures():
    features, labels = case()
    noise = np.random.default_rng(0).normal(size=(40, 400))  # separable, and worthless
    assert probe_score(features, labels) > probe_score(noise, labels)
    assert probe_score(noise, labels) < -1.2, "no better than guessing one of four"
    with pytest.raises(ValueError, match="5 folds need 5 labels a class"):
        probe_score(*case(16))


# ── distances ───────────────────────────────────────────────────────────────────────────────


def clouds(shift, n=60, m=50, d=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, d)), rng.normal(size=(m, d)) + shift


def test_mmd_is_the_unbiased_double_sum():
    one, other = clouds(0.5, 12, 9)
    width = 1.3

    def k(a, b):
        return math.exp(-sum((a - b) ** 2) / (2 * width**2))

    def within(x):
        n = len(x)
        pairs = ((i, j) for i in range(n) for j in range(n) if i != j)
        return sum(k(x[i], x[j]) for i, j in pairs) / (n * (n - 1))

    between = sum(k(a, b) for a in one for b in other) / (12 * 9)
    expected = within(one) + within(other) - 2 * between
    assert mmd(one, other, width) == pytest.approx(expected, abs=1e-12)


def test_the_default_width_is_the_median_distance():
    one, other = clouds(1, 12, 9)
    both = np.concatenate([one, other])
    distances = [np.linalg.norm(both[i] - both[j]) for i in range(21) for j in range(i)]
    expected = mmd(one, other, np.median(distances))
    assert mmd(one, other) == pytest.approx(expected)


def test_mmd_of_one_domain_is_zero_on_average():
    found = [mmd(*clouds(0, seed=seed)) for seed in range(200)]
    assert abs(np.mean(found)) < 3 * np.std(found) / math.sqrt(200)
    assert min(found) < 0 < max(found), "unbiased: it must be able to be negative"


def test_proxy_a_distance_runs_from_0_to_2():
    same = [proxy_a_distance(*clouds(0, seed=seed)) for seed in range(20)]
    assert abs(np.mean(same)) < 0.2
    assert proxy_a_distance(*clouds(20)) == 2
    assert 0.3 < proxy_a_distance(*clouds(0.7)) < 1.7


def test_proxy_a_distance_is_2_times_1_minus_twice_the_error():
    """Against the error of the best threshold for two Gaussians in one dimension."""
    one, other = clouds(np.array([2.0]), 4000, 4000, d=1)
    expected = 2 * (1 - 2 * norm.cdf(-1))  # the threshold half-way between the means
    assert proxy_a_distance(one, other) == pytest.approx(expected, abs=0.05)


def test_unequal_samples_of_one_domain_do_not_look_far_apart():
    found = [proxy_a_distance(*clouds(0, 200, 20, seed=s)) for s in range(10)]
    assert np.mean(found) < 0.2


# ── bad input ───────────────────────────────────────────────────────────────────────────────


def test_bad_input_is_named_in_one_sentence():
    features, labels = case()
    spoiled = features.copy()
    spoiled[3, 2] = np.nan
    gap, one_class = np.where(labels == 1, 0, labels), np.zeros(40, dtype=int)
    for score in (logme, h_score, probe_score, leep):
        for words, *given in (
            ("one row and one label for each picture", features, labels[:-1]),
            ("NaN or infinite", spoiled, labels),
            ("without a gap, and two classes at least", features, gap),
            ("without a gap, and two classes at least", features, one_class),
        ):
            with pytest.raises(ValueError, match=words):
                score(*given)


def test_labels_that_are_no_whole_numbers_get_one_sentence():
    features, labels = case()
    for score in (logme, h_score, probe_score, leep, nce):
        seen = features[:, 0] > 0 if score is nce else features
        for wrong in (np.array(list("abcd"))[labels], labels + 0.0, labels > 1):
            with pytest.raises(ValueError, match=r"labels must be whole .*return_inv") as caught:
                score(seen, wrong)
            assert "\n" not in str(caught.value), (score, wrong.dtype)


def test_labels_of_any_whole_kind_and_lists_are_taken():
    features, labels = case()
    expected = logme(features, labels)
    for kind in ("uint8", "int32", "uint64"):
        assert logme(features, labels.astype(kind)) == expected
    assert logme(features.tolist(), labels.tolist()) == expected


def test_scores_that_are_no_probabilities_and_samples_that_do_not_fit():
    with pytest.raises(ValueError, match="rows of probabilities must sum to 1"):
        leep(*case())
    for distance in (mmd, proxy_a_distance):
        with pytest.raises(ValueError, match="rows of the same length"):
            distance(np.ones((9, 3)), np.ones((9, 2)))
        with pytest.raises(ValueError, match="fewer than 5 samples"):
            distance(np.ones((9, 3)), np.ones((4, 3)))
    with pytest.raises(ValueError, match="the kernel's width is 0"):
        mmd(np.ones((9, 3)), np.ones((9, 3)))
