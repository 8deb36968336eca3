"""The central claims of lesson 02d, measured again on five seeds without the notebook."""

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from tlcourse import data, experiment, runtime
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch02d_choosing_a_source import selection, transferability, zoo

pytestmark = pytest.mark.weekly
LESSON = Path(__file__).parents[3] / "chapters" / "02d_choosing_a_source.ipynb"


@pytest.fixture(scope="module")
def measured():
    """Accuracy of frozen features, LEEP, LogME and the probe's score: (seeds, sources) each."""
    nets, target, settings = zoo.zoo(), data.digits(), selection.chosen_settings()

    def run(seed):
        right, _ = selection.transfer_all(nets, target, settings, "frozen", 5, seed)
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
    accuracy, names = measured[0], [*zoo.SOURCES, zoo.RANDOM]
    scripts = [names.index(n) for n in zoo.SCRIPTS]
    wrong = [names.index(n) for n in ("font", "script", "negative", "shuffled", zoo.RANDOM)]
    assert (accuracy[:, scripts].min(1) > accuracy[:, wrong].max(1) - 0.02).all()
    assert accuracy[:, scripts].mean() > accuracy[:, wrong].mean() + 0.08


def test_leep_logme_and_the_probe_pick_better_than_chance_and_equally_well(measured):
    accuracy, *promises = measured
    picks = [selection.picked(promised, accuracy) for promised in promises]
    for promised, pick in zip(promises, picks, strict=True):
        gain = experiment.paired(pick, accuracy.mean(1))
        assert gain.low > 0 and gain.mean > 0.02
        assert selection.kendall_tau(promised.mean(0), accuracy.mean(0)) > 0.5
        assert abs(pick.mean() - picks[-1].mean()) < 0.02, "no score beats the plain probe"


def test_a_pick_is_worth_far_less_among_the_seven_scripts(measured):
    """Most of what a score gains over a random source is to avoid the five unfit ones."""
    accuracy, *promises = measured
    scripts = [[*zoo.SOURCES].index(n) for n in zoo.SCRIPTS]
    for promised in promises:
        of_all = (selection.picked(promised, accuracy) - accuracy.mean(1)).mean()
        among = accuracy[:, scripts]
        of_scripts = (selection.picked(promised[:, scripts], among) - among.mean(1)).mean()
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


def test_the_lesson_prints_what_its_sentences_rest_on_and_no_longer_says_what_was_wrong():
    cells = nbformat.read(LESSON, as_version=4).cells
    said = "\n".join(c.source for c in cells)
    for gone in (
        "fixed before the results",
        "its pictures are\nalike",
        "a domain distance knows nothing about the task",
        "a distance between domains cannot see the task",
        "The pictures are the same: the distance is, too",
        "keeps up with every fine-tuned one",
        "600 test pictures",
        "is level with the best fine-tuned ones",
        "*alphabets* hardly",
    ):
        assert gone not in said, gone
    printed = "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))
    for line in (
        r"alphabets +0\.1377 0\.0697",
        r"frozen, among the seven scripts: LEEP ",
        r"latin, fine-tuned as from scratch: 0\.\d+, minus no source",
        r"below the lines: .*from scratch \+ augmentation, 300 steps",
        r"noise beside it: shrunk",
        r"pairs lie apart",
    ):
        assert re.search(line, printed), line
