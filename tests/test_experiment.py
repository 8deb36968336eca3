"""Repeating over seeds, intervals, paired differences, labels needed."""

import itertools
import math
import os
import random
import sys

import cloudpickle
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from simulated import right_or_wrong

from tlcourse import experiment, runtime
from tlcourse.experiment import (
    Difference,
    half_width,
    interval,
    labels_needed,
    labels_to_match,
    paired,
    ratio,
    resampled,
    two_way,
    two_way_interval,
)

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # so that no worker imports this file
accuracies = st.floats(0, 1)


def pairs(elements, minimum=2):
    """Lists of (ours, baseline), one a seed."""
    return st.lists(st.tuples(elements, elements), min_size=minimum, max_size=12).map(np.array)


# ── repeat ──────────────────────────────────────────────────────────────────────────────────


def train(seed):
    """Fit a small network; everything random comes from the global generators."""
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    inputs, labels = torch.rand(64, 8), torch.randint(2, (64,))
    for _ in range(20):  # by hand: torch's optimisers take each process a second to import
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        gradients = torch.autograd.grad(loss, list(model.parameters()))
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.data -= 0.1 * gradient
    return {
        "loss": {8: loss.item()},
        "seed": seed,
        "drawn": (random.random(), np.random.rand()),
        "threads": torch.get_num_threads(),
    }


def test_repeat_in_processes_gives_exactly_what_a_loop_gives():
    seeds = [5, 3, 8, 0]
    serial = experiment.repeat(train, seeds, workers=1)
    assert serial == experiment.repeat(train, seeds, workers=2)
    assert [result["seed"] for result in serial] == seeds
    assert {result["threads"] for result in serial} == {1}
    assert len({result["loss"][8] for result in serial}) == 4
    for seed, result in zip(seeds, serial, strict=True):
        runtime.seed_everything(seed)
        assert train(seed)["loss"] == result["loss"]


def test_repeat_leaves_the_callers_generators_and_threads_alone():
    def draw():
        return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()

    torch.set_num_threads(2)
    runtime.seed_everything(4)
    expected = draw()
    runtime.seed_everything(4)
    experiment.repeat(train, [1, 2], workers=1)
    assert (draw(), torch.get_num_threads()) == (expected, 2)
    torch.set_num_threads(1)


def test_one_worker_or_one_seed_needs_no_other_process():
    for seeds, workers, here in [([1, 2, 3], 1, True), ([1], 2, True), ([1, 2, 3], 2, False)]:
        processes = experiment.repeat(lambda seed: os.getpid(), seeds, workers=workers)
        assert [process == os.getpid() for process in processes] == [here] * len(seeds)


def test_large_shared_data_may_be_changed_by_a_run():
    shared, tensor = np.zeros(300_000), torch.zeros(300_000)

    def fill(seed):
        shared[:] += seed
        return float((torch.from_numpy(shared) + tensor).mean())

    assert experiment.repeat(fill, [2, 3], workers=2) == [2.0, 3.0]
    assert not shared.any(), "another process works on its own copy"


class TooShort(Exception):
    pass


def fail(seed):
    if seed == 2:
        raise TooShort(f"seed {seed} found no label", 42)
    return seed


def test_an_error_arrives_as_it_is():
    for workers in (1, 2):
        with pytest.raises(TooShort, match="seed 2 found no label") as caught:
            experiment.repeat(fail, [1, 2, 3], workers=workers)
        assert caught.value.args == ("seed 2 found no label", 42)
    nothing = "no seed to run: pass at least one"
    with pytest.raises(ValueError, match=nothing):
        experiment.repeat(fail, [])
    for seeds, parts in [([], [1]), ([1], [])]:
        with pytest.raises(ValueError, match=nothing):
            experiment.sweep(measure, seeds, parts)


def measure(seed, part):
    return {part: (seed, part, random.random(), torch.rand(1).item())}


def test_a_sweep_gives_each_seed_what_its_parts_give_alone():
    seeds, parts = [5, 3, 8], ["a", "b"]
    found = experiment.sweep(measure, seeds, parts)
    assert [list(of_seed) for of_seed in found] == [parts] * 3
    for seed, of_seed in zip(seeds, found, strict=True):
        for part in parts:
            [alone] = experiment.repeat(lambda s, part=part: measure(s, part), [seed], workers=1)
            assert of_seed[part] == alone[part] and of_seed[part][:2] == (seed, part)


def test_a_table_has_one_array_a_method_and_a_row_a_seed():
    runs = [{"a": s / 10, "b": [s, s + 1, s + 2], (1, "c"): s > 3} for s in (5, 3)]
    table = experiment.table(runs)
    assert list(table) == ["a", "b", (1, "c")], "the methods in their order"
    assert table["a"].tolist() == [0.5, 0.3] and table["b"].tolist() == [[5, 6, 7], [3, 4, 5]]
    assert (table["b"].shape, table[1, "c"].dtype) == ((2, 3), bool)
    for other in ({"a": 1}, runs[0] | {"d": 1}):
        with pytest.raises(ValueError, match="measured different things: give each the same"):
            experiment.table([*runs, other])


# ── intervals and differences ───────────────────────────────────────────────────────────────


@given(st.lists(accuracies, min_size=2, max_size=20), st.floats(0.5, 0.99))
def test_interval_is_students(values, level):
    low, mean, high = interval(values, level)
    assert mean == pytest.approx(np.mean(values))
    scale = stats.sem(values)
    assume(scale > 1e-9)
    expected = stats.t.interval(level, len(values) - 1, loc=np.mean(values), scale=scale)
    assert (low, high) == pytest.approx(expected)


def test_interval_covers_the_mean_as_often_as_it_says():
    draws = np.random.default_rng(0).normal(3, 2, size=(5, 20_000))
    low, _, high = interval(draws, 0.9)
    assert np.mean((low < 3) & (3 < high)) == pytest.approx(0.9, abs=0.01)
    columns = [interval(column, 0.9) for column in draws[:, :3].T]
    assert np.allclose(interval(draws[:, :3], 0.9), np.transpose(columns)), "that of each column"
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5), "equal results: no width"


def test_what_has_no_interval_is_refused():
    for values in ([], [0.5], 0.5):
        with pytest.raises(ValueError, match="at least 2 seeds: pass more"):
            interval(values)
    for bad in (math.nan, math.inf):
        with pytest.raises(ValueError, match="NaN or infinite: find the seed"):
            interval([0.5, bad])
    for level in (0, 1, 95):
        with pytest.raises(ValueError, match="level is .*between 0 and 1"):
            interval([0.1, 0.2], level)


@given(pairs(accuracies))
def test_paired_is_the_paired_t_test_and_swapped_its_mirror_image(table):
    ours, baseline = table.T
    result, other = paired(ours, baseline), paired(baseline, ours)
    assert result.mean == pytest.approx(ours.mean() - baseline.mean(), abs=1e-12)
    assert (result.wins, result.n) == (sum(a > b for a, b in table), len(table))
    assert result.low <= result.mean <= result.high
    mirrored = (-result.high, -result.mean, -result.low)
    assert (other.low, other.mean, other.high) == pytest.approx(mirrored)
    ties = sum(a == b for a, b in table)
    assert result.wins + other.wins + ties == len(table), "a tie is no win for either"
    assume(np.std(ours - baseline) > 1e-6)
    test = stats.ttest_rel(ours, baseline)
    assert (result.low, result.high) == pytest.approx(tuple(test.confidence_interval(0.95)))


def test_pairing_removes_what_both_methods_share():
    luck = np.array([0.1, 0.3, 0.5, 0.7])
    result = paired(luck + [0.06, 0.04, 0.05, 0.05], luck)
    assert result.low > 0 and result.high - result.low < 0.03
    assert interval(luck)[0] < 0 < interval(luck)[2], "each alone says nothing"


@given(pairs(st.floats(1, 1000)))
def test_ratio_is_paired_on_logarithms(table):
    ours, baseline = table.T
    result, logs = ratio(ours, baseline), paired(np.log(ours), np.log(baseline))
    expected = np.exp([logs.low, logs.mean, logs.high])
    assert (result.low, result.mean, result.high) == pytest.approx(tuple(expected))
    assert result.mean == pytest.approx(stats.gmean(ours / baseline))
    assert result.mean == pytest.approx(1 / ratio(baseline, ours).mean)
    wins = (ours > baseline).sum()  # the logarithms of neighbouring numbers can be equal
    assert (result.wins, result.n, result.unit) == (wins, logs.n, "times")


def test_what_is_no_pair_is_refused():
    for ours, baseline in [([1, 0], [1, 1]), ([1, 1], [-1, 1])]:
        with pytest.raises(ValueError, match="positive numbers: use paired"):
            ratio(ours, baseline)
    for ours, baseline in [([1, 2], [1, 2, 3]), ([[1], [2]], [[1], [2]])]:
        for compare in (paired, ratio):
            with pytest.raises(ValueError, match="are no pairs: pass one number a seed"):
                compare(ours, baseline)


def test_a_difference_reads_as_a_sentence():
    words = "+5.3 points [+2.1, +8.5], ahead in 10 of 10 seeds"
    assert str(Difference(0.0532, 0.0213, 0.0851, 10, 10)) == words
    assert Difference(-0.0001, -0.012, 0.0001, 2, 5).effect == "+0.0 points [-1.2, +0.0]"
    assert Difference(2.345, 1.5, 12.34, 5, 5, "times").effect == "2.3 times [1.5, 12]"


# ── labels needed ───────────────────────────────────────────────────────────────────────────


def slow_labels_to_match(budgets, accuracy, target):
    """Walk along the curve; where it crosses the target, halve the piece 100 times."""
    if accuracy[0] >= target:
        return budgets[0]
    for left, right in itertools.pairwise(range(len(budgets))):
        if accuracy[left] < target <= accuracy[right]:
            near, far = math.log(budgets[left]), math.log(budgets[right])
            for _ in range(100):
                middle = (near + far) / 2
                if np.interp(middle, np.log(budgets), accuracy) < target:
                    near = middle
                else:
                    far = middle
            return math.exp(far)
    return math.inf


curves = st.lists(st.tuples(st.integers(1, 200), st.integers(0, 20)), min_size=1, max_size=8)


@given(curves.map(lambda rows: sorted({b: a / 20 for b, a in rows}.items())), st.integers(0, 20))
def test_labels_to_match_agrees_with_a_slow_walk(curve, twentieths):
    budgets, accuracy = zip(*curve, strict=True)
    target = twentieths / 20
    found = labels_to_match(budgets, accuracy, target)
    assert found == pytest.approx(slow_labels_to_match(budgets, accuracy, target))


def test_labels_to_match_at_the_edges():
    budgets, accuracy = [1, 10, 100], [0.5, 0.7, 0.9]
    assert labels_to_match(budgets, accuracy, 0.4) == 1
    assert labels_to_match(budgets, accuracy, 0.7) == pytest.approx(10)
    assert labels_to_match(budgets, accuracy, 0.8) == pytest.approx(10**1.5)
    assert labels_to_match(budgets, accuracy, 0.91) == math.inf
    assert labels_to_match([1, 2, 4, 8], [0.5, 0.8, 0.6, 0.9], 0.7) < 2, "the first crossing counts"


def test_labels_to_match_says_what_is_wrong():
    for budgets, accuracy, target, words in [
        ([1, 2], [0.5], 0.5, "two equally long lists"),
        ([], [], 0.5, "two equally long lists"),
        ([2, 1], [0.5, 0.6], 0.5, "positive and rising"),
        ([1, 1], [0.5, 0.6], 0.5, "positive and rising"),
        ([0, 1], [0.5, 0.6], 0.5, "positive and rising"),
        ([1, 2], [0.5, math.nan], 0.5, "accuracy is NaN"),
        ([1, 2], [0.5, 0.6], math.nan, "accuracy is NaN"),
    ]:
        with pytest.raises(ValueError, match=words):
            labels_to_match(budgets, accuracy, target)


BUDGETS = [1, 2, 5, 10]


def made_up(seeds, spread, seed=0):
    """Curves of a baseline and the accuracies to match, both with noise."""
    noise = np.random.default_rng(seed).normal(scale=spread, size=(seeds, 5))
    return np.array([0.5, 0.6, 0.75, 0.85]) + noise[:, :4], 0.8 + noise[:, 4]


def test_labels_needed_agrees_with_all_possible_resamples():
    baseline, ours = made_up(seeds=4, spread=0.03)
    found = [
        labels_to_match(BUDGETS, baseline[list(s)].mean(axis=0), ours[list(s)].mean())
        for s in itertools.product(range(4), repeat=4)
    ]
    around = {q: np.quantile(found, q, method="inverted_cdf") for q in (0.01, 0.04, 0.96, 0.99)}
    result = labels_needed(BUDGETS, baseline, ours)
    assert around[0.01] <= result.low <= around[0.04]
    assert around[0.96] <= result.high <= around[0.99]
    assert result.labels == labels_to_match(BUDGETS, baseline.mean(axis=0), ours.mean())


def test_labels_needed_without_noise_and_beyond_what_was_tried():
    baseline, ours = made_up(seeds=3, spread=0)
    result = labels_needed(BUDGETS, baseline, ours, draws=50)
    assert result.low == pytest.approx(result.labels) == pytest.approx(result.high)
    assert str(result) == "7.1 [7.1, 7.1]"
    baseline, ours = made_up(seeds=5, spread=0.02)
    never = labels_needed(BUDGETS, baseline, ours + 0.5)
    assert (never.low, never.labels, never.high) == (math.inf,) * 3
    assert str(never) == "more than 10"
    edge = labels_needed(BUDGETS, baseline, ours + 0.045)
    assert edge.low < math.inf == edge.high
    assert str(edge).endswith(", more than 10]")


def test_labels_needed_moves_with_the_seed_and_only_with_it(monkeypatch):
    baseline, ours = made_up(seeds=4, spread=0.03)
    first = labels_needed(BUDGETS, baseline, ours, draws=100)
    assert labels_needed(BUDGETS, baseline, ours, draws=100) == first
    monkeypatch.setenv("TLCOURSE_SEED", "1")
    second = labels_needed(BUDGETS, baseline, ours, draws=100)
    assert second != first and second.labels == first.labels
    for wrong in (baseline[:3], baseline[:, :3], baseline.T):
        with pytest.raises(ValueError, match="pass one row for each of the 4 seeds"):
            labels_needed([*BUDGETS[: len(wrong[0])], 20], wrong, ours)


# ── other test pictures, other splits ───────────────────────────────────────────────────────


def by_the_book(d, level):
    """The two-way interval as evidence and paper write it, with loops."""
    seeds, pictures = d.shape
    m_s = [sum(row) / pictures for row in d]
    m_i = [sum(d[s, i] for s in range(seeds)) / seeds for i in range(pictures)]
    m = sum(m_s) / seeds
    rest = sum((d[s, i] - m_s[s] - m_i[i] + m) ** 2 for s in range(seeds) for i in range(pictures))
    v_r = rest / ((seeds - 1) * (pictures - 1))
    v_seed = sum((x - m) ** 2 for x in m_s) / (seeds - 1) / seeds
    v_picture = sum((x - m) ** 2 for x in m_i) / (pictures - 1) / pictures - v_r / (
        seeds * pictures
    )
    v_picture = max(v_picture, 0)
    total = v_seed + v_picture
    df = total**2 / (v_seed**2 / (seeds - 1) + v_picture**2 / (pictures - 1))
    half = stats.t.ppf(1 - (1 - level) / 2, df) * math.sqrt(total)
    return m - half, m, m + half


def test_the_two_way_interval_is_the_formula_of_the_evidence():
    rng = np.random.default_rng(4)
    for seeds, pictures, level in [(2, 5, 0.95), (5, 40, 0.992), (12, 12, 0.9)]:
        a, b = right_or_wrong(rng, seeds, pictures, (0.5, 1, 0.5), 0.4)
        found = two_way(a, b, level)
        expected = by_the_book(a.astype(float) - b, level)
        assert (found.low, found.mean, found.high) == pytest.approx(expected)
        assert found.n == seeds and found.wins == (a.mean(1) > b.mean(1)).sum()
        turned = two_way(b, a, level)
        assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))
        assert two_way_interval(a, level) == pytest.approx(by_the_book(a.astype(float), level))
    same = two_way(a, a)
    assert (same.low, same.mean, same.high, same.wins) == (0, 0, 0, 0)
    assert two_way_interval(a | True) == (1, 1, 1)


def coverage(spread, seeds, simulations, pictures=300):
    """How often the seeds-only and the two-way interval hold the truth, over new seeds and pictures."""
    rng = np.random.default_rng(2026)
    big = [right_or_wrong(rng, 400, 400, spread, 0.5) for _ in range(30)]
    truth = np.mean([a.mean() - b.mean() for a, b in big])
    hits = np.zeros(2)
    for _ in range(simulations):
        a, b = right_or_wrong(rng, seeds, pictures, spread, 0.5)
        for k, d in enumerate((paired(a.mean(1), b.mean(1)), two_way(a, b))):
            hits[k] += d.low <= truth <= d.high
    return hits / simulations


def test_the_two_way_interval_covers_where_the_one_over_seeds_does_not():
    only_seeds, both = coverage((0.1, 1.5, 0.3), 30, 200)
    assert only_seeds < 0.6 and both > 0.89  # 95 of 100; four standard errors of 200 simulations


def test_the_two_way_interval_of_one_method_covers_its_accuracy():
    rng, spread = np.random.default_rng(11), (0.1, 1.5, 0.3)
    truth = np.mean([right_or_wrong(rng, 400, 400, spread, 0.5)[0].mean() for _ in range(30)])
    hits = np.zeros(2)
    for _ in range(200):
        right, _ = right_or_wrong(rng, 30, 300, spread, 0.5)
        for k, found in enumerate((interval(right.mean(1)), two_way_interval(right))):
            hits[k] += found[0] <= truth <= found[2]
    assert hits[0] < 0.6 * 200 and hits[1] > 0.89 * 200


def test_with_groups_the_interval_is_that_of_people_and_of_equal_groups_that_of_their_means():
    rng = np.random.default_rng(8)
    a, b = right_or_wrong(rng, 6, 40, (0.5, 1, 0.5), 0.4)
    found, alone = two_way(a, b, 0.9, np.arange(40) * 3), two_way(a, b, 0.9)
    assert (found.low, found.mean, found.high) == pytest.approx((alone.low, alone.mean, alone.high))
    d = a.astype(float) - b
    people = rng.permutation(np.repeat([3, 5, 8, 9, 20], 8))
    means = np.stack([d[:, people == p].mean(1) for p in (3, 5, 8, 9, 20)], axis=1)
    found = two_way(a, b, 0.9, people)
    assert (found.low, found.mean, found.high) == pytest.approx(by_the_book(means, 0.9))
    unequal = np.repeat([0, 1, 2, 3], [1, 4, 15, 20])
    assert two_way(a, b, 0.9, unequal).mean == pytest.approx(d.mean())
    assert half_width(a, b, 6, 0.9, unequal) == pytest.approx(
        two_way(a, b, 0.9, unequal).high - d.mean()
    )
    for groups in (np.zeros(40), np.arange(39)):
        with pytest.raises(ValueError, match="groups for 40 pictures: give one a picture"):
            two_way(a, b, groups=groups)


def test_the_interval_over_people_covers_where_the_one_over_pictures_does_not():
    """Thirteen unequal hands that suit one method or the other."""
    rng, hits, spread = np.random.default_rng(13), np.zeros(2), (0.3, 1.0, 0.5)
    for _ in range(300):
        writer = np.sort(rng.choice(13, 400, p=rng.dirichlet([20] * 13)))
        a, b = right_or_wrong(rng, 20, 400, spread, 0.0, writer, of_writers=0.5)
        for k, groups in enumerate((None, writer)):
            d = two_way(a, b, groups=groups)
            hits[k] += d.low <= 0 <= d.high
    assert hits[0] < 0.85 * 300 and 0.91 * 300 < hits[1] < 0.99 * 300, hits


@pytest.mark.weekly
def test_the_two_way_interval_covers_92_to_96_of_100_in_the_settings_of_the_evidence():
    for seeds in (5, 10, 30):
        for spread in ((0.3, 1.5, 0.5), (0.1, 1.5, 0.3), (0.6, 1.0, 0.8)):
            _, found = coverage(spread, seeds, 2000, pictures=600)
            assert 0.91 <= found <= 0.97, (seeds, spread)  # .92 to .96, and two standard errors


def test_the_interval_of_random_splits_is_nadeaus_and_bengios():
    rng = np.random.default_rng(6)
    a, b = rng.normal(0.8, 0.02, 15), rng.normal(0.78, 0.02, 15)
    found = resampled(a, b, n_train=90, n_test=10)
    plain = paired(a, b)
    wider = math.sqrt(15 * (1 / 15 + 10 / 90))
    assert found.mean == pytest.approx(plain.mean) and found.wins == plain.wins
    assert found.high - found.mean == pytest.approx(wider * (plain.high - plain.mean))
    with pytest.raises(ValueError, match="at least as many to train"):
        resampled(a, b, n_train=10, n_test=11)
    for ours, theirs in [(a, b), (a[:, None], b[:1, None]), (a[:1, None], b[:1, None])]:
        with pytest.raises(ValueError, match="right or wrong for each seed and each picture"):
            two_way(ours, theirs)
    for right in (a, a[:1, None], a[:, None]):
        with pytest.raises(ValueError, match="right or wrong for each seed and each picture"):
            two_way_interval(right)
