"""The central claims of lesson 2c, measured again on five seeds without the notebook."""

import numpy as np
import pytest

from tlcourse import data, experiment, pretrain, runtime, scores, sources


@pytest.fixture(scope="module")
def measured():
    """Accuracy of frozen features, LEEP, LogME and the probe's score: (seeds, sources) each."""
    nets, target, settings = sources.zoo(), data.digits(), sources.chosen_settings()

    def run(seed):
        right, _ = sources.transfer_all(nets, target, settings, "frozen", 5, seed)
        train = data.few_labels(target.pool, 5, seed)
        y, seen = train.labels.numpy(), [sources.read(net, train.images) for net in nets.values()]
        return (
            right.mean(-1),
            [scores.leep(p, y) for _, p in seen],
            [scores.logme(f, y) for f, _ in seen],
            [scores.probe_score(f, y) for f, _ in seen],
        )

    return list(map(np.array, zip(*experiment.repeat(run, runtime.seeds(5)), strict=True)))


def test_scripts_are_better_sources_than_wrong_tasks_in_every_seed(measured):
    accuracy, names = measured[0], [*pretrain.ZOO, sources.RANDOM]
    scripts = [names.index(n) for n in pretrain.ZOO_SCRIPTS]
    wrong = [names.index(n) for n in ("font", "script", "negative", "shuffled", sources.RANDOM)]
    assert (accuracy[:, scripts].min(1) > accuracy[:, wrong].max(1) - 0.02).all()
    assert accuracy[:, scripts].mean() > accuracy[:, wrong].mean() + 0.08


def test_leep_logme_and_the_probe_all_pick_better_than_chance(measured):
    accuracy, *promises = measured
    for promised in promises:
        gain = experiment.paired(sources.picked(promised, accuracy), accuracy.mean(1))
        assert gain.low > 0 and gain.mean > 0.02
        assert sources.kendall_tau(promised.mean(0), accuracy.mean(0)) > 0.5


def test_no_score_beats_the_cross_validated_probe_by_two_points(measured):
    accuracy, leep, logme, probe = measured
    plain = sources.picked(probe, accuracy).mean()
    assert abs(sources.picked(leep, accuracy).mean() - plain) < 0.02
    assert abs(sources.picked(logme, accuracy).mean() - plain) < 0.02
