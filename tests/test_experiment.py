"""Repeating over seeds, intervals, paired differences, labels needed, verdicts."""

import itertools
import math
import os
import random

import nbformat
import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from nbclient import NotebookClient
from scipy import stats

from tlcourse import experiment, runtime
from tlcourse.experiment import (
    Difference,
    interval,
    labels_needed,
    labels_to_match,
    paired,
    ratio,
)

accuracies = st.floats(0, 1)


def pairs(elements, minimum=2):
    """Lists of (ours, baseline), one a seed."""
    return st.lists(st.tuples(elements, elements), min_size=minimum, max_size=12).map(np.array)


# ── repeat ──────────────────────────────────────────────────────────────────────────────────


def train(seed):
    """Fit a small network; everything random comes from the global generators."""
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    inputs, labels = torch.rand(64, 8), torch.randint(2, (64,))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(20):
        loss = torch.nn.functional.cross_entropy(model(inputs), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return {
        "loss": {8: loss.item()},
        "seed": seed,
        "drawn": (random.random(), np.random.rand()),
        "threads": torch.get_num_threads(),
    }


def test_repeat_in_processes_gives_exactly_what_a_loop_gives():
    seeds = [5, 3, 8, 0]
    serial = experiment.repeat(train, seeds, workers=1)
    parallel = experiment.repeat(train, seeds, workers=2)
    assert serial == parallel
    assert [result["seed"] for result in serial] == seeds
    assert {result["threads"] for result in serial} == {1}
    assert len({result["loss"][8] for result in serial}) == 4
    by_hand = []
    for seed in seeds:
        runtime.seed_everything(seed)
        by_hand.append(train(seed)["loss"])
    assert [result["loss"] for result in serial] == by_hand


def test_repeat_leaves_the_callers_generators_and_threads_alone():
    torch.set_num_threads(2)
    runtime.seed_everything(4)
    expected = torch.rand(3), np.random.rand(3), random.random()
    runtime.seed_everything(4)
    experiment.repeat(train, [1, 2], workers=1)
    got = torch.rand(3), np.random.rand(3), random.random()
    assert torch.equal(got[0], expected[0]) and (got[1] == expected[1]).all()
    assert got[2] == expected[2]
    assert torch.get_num_threads() == 2
    torch.set_num_threads(1)


def process_id(seed):
    return os.getpid()


def test_one_worker_or_one_seed_needs_no_other_process():
    assert experiment.repeat(process_id, [1, 2, 3], workers=1) == [os.getpid()] * 3
    assert experiment.repeat(process_id, [1], workers=2) == [os.getpid()]
    assert os.getpid() not in experiment.repeat(process_id, [1, 2, 3], workers=2)


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


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_arrives_as_it_is(workers):
    with pytest.raises(TooShort, match="seed 2 found no label") as caught:
        experiment.repeat(fail, [1, 2, 3], workers=workers)
    assert caught.value.args == ("seed 2 found no label", 42)


def test_no_seed_is_an_error():
    with pytest.raises(ValueError, match="no seed to run: pass at least one"):
        experiment.repeat(fail, [])


# ── sweep ───────────────────────────────────────────────────────────────────────────────────


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


@pytest.mark.parametrize("seeds, parts", [([], [1]), ([1], [])])
def test_a_sweep_over_nothing_is_an_error(seeds, parts):
    with pytest.raises(ValueError, match="no seed to run: pass at least one"):
        experiment.sweep(measure, seeds, parts)


def test_a_function_of_a_notebook_runs_in_processes(offline_environment):
    """The notebook's own functions and data reach the other processes."""
    source = """
import os
from tlcourse import experiment
offset = 10
def helper(seed): return seed + offset
def run(seed): return helper(seed), os.getpid()
results = experiment.repeat(run, [1, 2, 3], "notebook", workers=2)
print([value for value, _ in results], os.getpid() in [process for _, process in results])
"""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    NotebookClient(notebook, timeout=300).execute(env=offline_environment)
    printed = [o.text for o in notebook.cells[0].outputs if o.get("name") == "stdout"]
    assert "".join(printed).strip() == "[11, 12, 13] False"


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


def test_interval_of_columns_is_the_interval_of_each():
    table = np.random.default_rng(1).random((6, 3))
    columns = [interval(column) for column in table.T]
    assert np.allclose(interval(table), np.transpose(columns))


def test_equal_results_have_an_interval_of_no_width():
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("values", [[], [0.5], 0.5])
def test_an_interval_needs_two_seeds(values):
    with pytest.raises(ValueError, match="at least 2 seeds: pass more"):
        interval(values)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_failed_run_is_not_averaged(bad):
    with pytest.raises(ValueError, match="NaN or infinite: find the seed"):
        interval([0.5, bad])


@pytest.mark.parametrize("level", [0, 1, 95])
def test_level_is_a_share(level):
    with pytest.raises(ValueError, match="level is .*between 0 and 1"):
        interval([0.1, 0.2], level)


@given(pairs(accuracies))
def test_paired_is_the_paired_t_test(table):
    ours, baseline = table.T
    result = paired(ours, baseline)
    assert result.mean == pytest.approx(ours.mean() - baseline.mean(), abs=1e-12)
    assert (result.wins, result.n) == (sum(a > b for a, b in table), len(table))
    assert result.low <= result.mean <= result.high
    assume(np.std(ours - baseline) > 1e-6)
    test = stats.ttest_rel(ours, baseline)
    assert (result.low, result.high) == pytest.approx(tuple(test.confidence_interval(0.95)))


@given(pairs(accuracies))
def test_paired_swapped_is_its_mirror_image(table):
    one, other = paired(*table.T), paired(*table.T[::-1])
    assert other.mean == pytest.approx(-one.mean)
    assert (other.low, other.high) == pytest.approx((-one.high, -one.low))
    ties = sum(a == b for a, b in table)
    assert one.wins + other.wins + ties == len(table), "a tie is no win for either"


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


@pytest.mark.parametrize("ours, baseline", [([1, 0], [1, 1]), ([1, 1], [-1, 1])])
def test_a_ratio_needs_positive_numbers(ours, baseline):
    with pytest.raises(ValueError, match="positive numbers: use paired"):
        ratio(ours, baseline)


@pytest.mark.parametrize("compare", [paired, ratio])
@pytest.mark.parametrize("ours, baseline", [([1, 2], [1, 2, 3]), ([[1], [2]], [[1], [2]])])
def test_what_is_no_pair_is_refused(compare, ours, baseline):
    with pytest.raises(ValueError, match="are no pairs: pass one number a seed"):
        compare(ours, baseline)


def test_a_difference_reads_as_a_sentence():
    assert (
        str(Difference(0.0532, 0.0213, 0.0851, 10, 10))
        == "+5.3 points [+2.1, +8.5], ahead in 10 of 10 seeds"
    )
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


@pytest.mark.parametrize(
    "budgets, accuracy, target, words",
    [
        ([1, 2], [0.5], 0.5, "two equally long lists"),
        ([], [], 0.5, "two equally long lists"),
        ([2, 1], [0.5, 0.6], 0.5, "positive and rising"),
        ([1, 1], [0.5, 0.6], 0.5, "positive and rising"),
        ([0, 1], [0.5, 0.6], 0.5, "positive and rising"),
        ([1, 2], [0.5, math.nan], 0.5, "accuracy is NaN"),
        ([1, 2], [0.5, 0.6], math.nan, "accuracy is NaN"),
    ],
)
def test_labels_to_match_says_what_is_wrong(budgets, accuracy, target, words):
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


def test_labels_needed_without_noise_has_no_width():
    baseline, ours = made_up(seeds=3, spread=0)
    result = labels_needed(BUDGETS, baseline, ours, draws=50)
    assert result.low == pytest.approx(result.labels) == pytest.approx(result.high)
    assert str(result) == "7.1 [7.1, 7.1]"


def test_labels_needed_may_be_more_than_was_tried():
    baseline, ours = made_up(seeds=5, spread=0.02)
    never = labels_needed(BUDGETS, baseline, ours + 0.5)
    assert (never.low, never.labels, never.high) == (math.inf,) * 3
    assert str(never) == "more than 10 [more than 10, more than 10]"
    edge = labels_needed(BUDGETS, baseline, ours + 0.045)
    assert edge.low < math.inf == edge.high
    assert str(edge).endswith(", more than 10]")


def test_labels_needed_moves_with_the_seed_and_only_with_it(monkeypatch):
    baseline, ours = made_up(seeds=6, spread=0.03)
    first = labels_needed(BUDGETS, baseline, ours, draws=100)
    assert labels_needed(BUDGETS, baseline, ours, draws=100) == first
    monkeypatch.setenv("TLCOURSE_SEED", "1")
    second = labels_needed(BUDGETS, baseline, ours, draws=100)
    assert second != first and second.labels == first.labels


def test_labels_needed_wants_a_row_a_seed_and_a_column_a_budget():
    baseline, ours = made_up(seeds=4, spread=0.01)
    for wrong in (baseline[:3], baseline[:, :3], baseline.T):
        with pytest.raises(ValueError, match="pass one row for each of the 4 seeds"):
            labels_needed([1, 2, 5, 10][: len(wrong[0])] + [20], wrong, ours)
