"""The claims of lesson 02b on images, measured again without the notebook."""

from pathlib import Path
from time import process_time

import nbformat
import numpy as np
import pytest
import torch

from tlcourse import data, experiment, models, runtime, training
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch02b_pictures import finetuning

pytestmark = pytest.mark.weekly
LESSON = Path(__file__).parents[3] / "chapters" / "02b_deep_models.ipynb"


@pytest.fixture(scope="module")
def ends():
    """Accuracy by source with nothing frozen and with all blocks frozen, shape (seeds, 2)."""
    target, settings = data.digits(), finetuning.chosen_settings()["depths"]

    def run(seed):
        train = data.few_labels(target.pool, 5, seed)

        def score(source, depth):
            rates = settings[source][depth]
            predict = finetuning.freeze_below(train, seed, depth, source=source, **rates)
            return transfer.accuracy(predict, target.test)

        return [[score(source, depth) for depth in (0, 4)] for source in ("letters", "faces")]

    found = np.array(experiment.repeat(run, runtime.seeds(5)))
    return {"letters": found[:, 0], "faces": found[:, 1]}


def test_a_wrong_source_must_be_tuned_in_every_seed(ends):
    gain = ends["faces"][:, 0] - ends["faces"][:, 1]
    assert (gain > 0).all() and gain.mean() > 0.04


def test_a_good_source_may_stay_frozen(ends):
    gain = ends["letters"][:, 0] - ends["letters"][:, 1]
    assert gain.mean() < 0.02 and ends["letters"][:, 1].mean() > 0.9


def test_features_computed_once_save_five_sixths_of_the_time_and_change_no_answer():
    target = data.digits()
    many = data.few_labels(target.pool, 20, 0)

    def train_head(seed, once):
        runtime.seed_everything(seed)
        model = models.classifier(models.freeze(models.load_backbone("letters")), 10)
        start = process_time()
        images = finetuning.run_once(model.backbone, many.images) if once else many.images
        part = model.head if once else model
        training.fit(part, images, many.labels, 60, batch_size=200, seed=seed)
        return process_time() - start, training.predict(model, target.test.images)

    train_head(0, True)  # the first call of a network is slow
    ratios = []
    for seed in runtime.seeds(3):
        (slow, by_steps), (fast, at_once) = train_head(seed, False), train_head(seed, True)
        assert torch.equal(by_steps, at_once)
        ratios.append(slow / fast)
    assert np.median(ratios) > 5


def simple(*names):
    """Accuracy of methods of lesson 01 at 5 labels a class; scratch + augmentation with 300 steps."""
    target, given = data.digits(), transfer.chosen_settings()
    given["CNN from scratch + augmentation"][5]["steps"] = 300
    runs = experiment.repeat(
        lambda s: transfer.compare(target, given, [5], s, names), runtime.seeds(5)
    )
    return [a[:, 0] for a in transfer.accuracies(runs, target.test.labels).values()]


def test_augmentation_takes_most_of_the_lead_over_scratch_away(ends):
    """The claim on pretraining has a weak baseline: scratch without augmentation."""
    plain, augmented = simple("CNN from scratch", "CNN from scratch + augmentation")
    lead, left = (experiment.paired(ends["letters"][:, 1], x).mean for x in (plain, augmented))
    assert lead > 0.03 and left < lead / 2


def test_on_the_same_frozen_features_neither_head_is_surely_ahead(ends):
    """A penalised logistic regression, and a head trained by steps: so the head explains little."""
    (probe,) = simple("frozen features + logistic regression")
    ahead = experiment.paired(probe, ends["letters"][:, 1])
    assert ahead.low < 0 < ahead.high and abs(ahead.mean) < 0.02


def test_the_lesson_prints_what_its_sentences_rest_on_and_no_longer_says_what_was_wrong():
    cells = nbformat.read(LESSON, as_version=4).cells
    said = "\n".join(c.source for c in cells)
    for gone in (
        "fixed before the results",
        "rule to take home",
        '"5 labels: a pretrained CNN beats one from scratch"',
        "same LSTM from scratch",
        "600 test digits",
        "in its three splits",
        "unfreezing step by step and probing first gain a little",
        "is ahead of a head trained by steps",
    ):
        assert gone not in said, gone
    printed = "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))
    for line in (
        "minus scratch + augmentation, 300 steps:",
        "the same features, logistic regression minus head:",
        "with the same head, fine-tuned:",
        "LSTM, frozen, by C:",
        "nats at the end:",
    ):
        assert line in printed, line
