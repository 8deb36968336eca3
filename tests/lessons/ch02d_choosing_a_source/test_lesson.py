"""The central claims of lesson 2d, measured again on five seeds without the notebook."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from tlcourse import data, experiment, runtime
from tlcourse.lessons.ch01_concepts import pretrain, transfer
from tlcourse.lessons.ch02d_choosing_a_source import transferability, zoo

LESSON = Path(__file__).parents[3] / "chapters" / "02d_choosing_a_source.ipynb"


@pytest.fixture(scope="module")
def measured():
    """Accuracy of frozen features, LEEP, LogME and the probe's score: (seeds, sources) each."""
    nets, target, settings = zoo.zoo(), data.digits(), zoo.chosen_settings()

    def run(seed):
        right, _ = zoo.transfer_all(nets, target, settings, "frozen", 5, seed)
        train = data.few_labels(target.pool, 5, seed)
        y, seen = train.labels.numpy(), [zoo.read(net, train.images) for net in nets.values()]
        return (
            right.mean(-1),
            [transferability.leep(p, y) for _, p in seen],
            [transferability.logme(f, y) for f, _ in seen],
            [transferability.probe_score(f, y) for f, _ in seen],
        )

    return list(map(np.array, zip(*experiment.repeat(run, runtime.seeds(5)), strict=True)))


def test_scripts_are_better_sources_than_wrong_tasks_in_every_seed(measured):
    accuracy, names = measured[0], [*pretrain.ZOO, zoo.RANDOM]
    scripts = [names.index(n) for n in pretrain.ZOO_SCRIPTS]
    wrong = [names.index(n) for n in ("font", "script", "negative", "shuffled", zoo.RANDOM)]
    assert (accuracy[:, scripts].min(1) > accuracy[:, wrong].max(1) - 0.02).all()
    assert accuracy[:, scripts].mean() > accuracy[:, wrong].mean() + 0.08


def test_leep_logme_and_the_probe_all_pick_better_than_chance(measured):
    accuracy, *promises = measured
    for promised in promises:
        gain = experiment.paired(zoo.picked(promised, accuracy), accuracy.mean(1))
        assert gain.low > 0 and gain.mean > 0.02
        assert zoo.kendall_tau(promised.mean(0), accuracy.mean(0)) > 0.5


def test_no_score_beats_the_cross_validated_probe_by_two_points(measured):
    accuracy, leep, logme, probe = measured
    plain = zoo.picked(probe, accuracy).mean()
    assert abs(zoo.picked(leep, accuracy).mean() - plain) < 0.02
    assert abs(zoo.picked(logme, accuracy).mean() - plain) < 0.02


def test_a_pick_is_worth_far_less_among_the_seven_scripts(measured):
    """Most of what a score gains over a random source is to avoid the five unfit ones."""
    accuracy, *promises = measured
    scripts = [[*pretrain.ZOO].index(n) for n in pretrain.ZOO_SCRIPTS]
    for promised in promises:
        of_all = (zoo.picked(promised, accuracy) - accuracy.mean(1)).mean()
        among = accuracy[:, scripts]
        of_scripts = (zoo.picked(promised[:, scripts], among) - among.mean(1)).mean()
        assert of_scripts < of_all / 3 and of_scripts < 0.02


def test_equal_pictures_are_equally_far_between_pixels_and_not_between_features():
    nets, images = zoo.zoo(), data.digits().pool.images[:150]
    shown = {n: zoo.pictures(n) for n in nets}
    same = [n for n in nets if torch.equal(shown[n], shown["alphabets"])]
    assert same == ["alphabets", "font", "script", "shuffled", zoo.RANDOM]
    pixels = [transferability.mmd(transfer.pixels(shown[n]), transfer.pixels(images)) for n in same]
    features = [
        transferability.mmd(*(zoo.read(nets[n], x)[0] for x in (shown[n], images))) for n in same
    ]
    assert np.ptp(pixels) < 1e-12 and pixels[0] == pytest.approx(0.1377, abs=1e-3)
    assert max(features) > 2 * min(features)


def lesson(path):
    """Return what a lesson says, its quiz included, and what its code printed."""
    cells = nbformat.read(path, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return "\n".join(c.source for c in cells), "".join(o.get("text", "") for o in outputs)


@pytest.mark.parametrize(
    "gone",
    [
        "fixed before the results",
        "its pictures are\nalike",
        "a domain distance knows nothing about the task",
        "a distance between domains cannot see the task",
        "The pictures are the same: the distance is, too",
        "keeps up with every fine-tuned one",
    ],
)
def test_the_lesson_no_longer_says(gone):
    said, _ = lesson(LESSON)
    assert gone not in said


@pytest.mark.parametrize(
    "line",
    [
        r"alphabets +0\.1377 0\.0697",
        r"frozen, among the seven scripts: LEEP ",
        r"latin, fine-tuned as from scratch: 0\.\d+, minus no source",
        r"noise beside it: shrunk",
        r"pairs lie apart",
    ],
)
def test_the_lesson_prints_what_its_sentences_rest_on(line):
    _, printed = lesson(LESSON)
    assert re.search(line, printed)
