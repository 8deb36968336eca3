"""What lesson 01 measures, and what it says of the care for each method."""

import os
from dataclasses import astuple

import numpy as np
import pytest
import torch

from tlcourse import settings
from tlcourse.data import development_targets
from tlcourse.lessons.ch01_concepts import measure, pretrain, sources, transfer


def test_care_is_read_off_the_code():
    care = {method: astuple(measure.care_of(method, 5)) for method in transfer.METHODS}
    shown = pretrain.STEPS * pretrain.BATCH
    assert measure.care_of("fine-tuning", 20).labels == 20
    assert care == {
        "SVM on pixels": (5, 6, 0, False, 0, 0),
        "random forest on pixels": (5, 6, 0, False, 0, 0),
        "CNN from scratch": (5, 6, 150, False, 0, 0),
        "CNN from scratch + augmentation": (5, 6, 2400, True, 0, 0),
        "frozen features + logistic regression": (5, 6, 0, False, shown, 0),
        "fine-tuning": (5, 6, 100, False, shown, 0),
    }


def test_every_measurement_has_its_care_and_right_means_the_own_label(monkeypatch):
    cheap = ("SVM on pixels", measure.PROBE)
    monkeypatch.setattr(measure, "target", lambda: measure.data.digits())
    usual = transfer.learn
    monkeypatch.setattr(transfer, "learn", lambda *given: usual(*given, methods=cheap))
    found = measure.with_labels(20, 3)
    assert set(found) == {f"{where}: {m}" for m in cheap for where in ("20 labels", *MOVED)}
    found |= measure.grey_paper(3)
    assert set(found) <= set(measure.care())
    assert all(values.shape == (997,) and values.dtype == bool for values in found.values())
    target, chosen = measure.data.digits(), transfer.chosen_settings()
    predict = usual(target, chosen, 20, 3, cheap)[measure.PROBE]
    by_hand = [p == t for p, t in zip(predict(target.test.images), target.test.labels, strict=True)]
    assert np.array_equal(found[f"20 labels: {measure.PROBE}"], np.array(by_hand))
    assert (
        found[f"{MOVED[0]}: {measure.PROBE}"].mean() > found[f"{MOVED[2]}: {measure.PROBE}"].mean()
    )


MOVED = [f"moved {pixels} px" for pixels in measure.SHIFTS]


def test_each_source_has_settings_of_its_own_chosen_as_those_of_the_letters():
    stored = settings.stored(sources.SETTINGS)
    due = {source: {measure.PROBE, measure.TUNED} for source in measure.SOURCES}
    assert {s: set(chosen) for s, chosen in stored.items()} == due | {
        measure.TURNED: {measure.PROBE}
    }
    for method in (measure.PROBE, measure.TUNED):
        assert stored["letters"][method] == transfer.chosen_settings()[method][sources.LABELS]
    for chosen in stored.values():
        assert all(chosen[m] in transfer.CANDIDATES[m] for m in chosen)
    target, found = measure.data.digits(), measure.from_sources(3)
    train = measure.data.few_labels(target.pool, sources.LABELS, 3)
    for source in ("inverted", "faces"):
        predict = transfer.frozen_features(train, 3, source=source, **stored[source][measure.PROBE])
        assert np.array_equal(found[f"{source}, frozen"], measure.right(predict, target.test))


@pytest.mark.skipif("TLCOURSE_DATA" not in os.environ, reason="needs Omniglot")
def test_the_turned_targets_are_black_on_white():
    turned, usual = sources.turned_targets(900_000, 1), development_targets(900_000, 1)
    for one, other in zip(turned, usual, strict=True):
        assert torch.equal(one.pool.images, 1 - other.pool.images) and one.pool.images.mean() > 0.5


def test_thirteen_stretches_of_the_file_stand_for_thirteen_writers():
    people, sizes = np.unique(measure.groups(), return_counts=True)
    assert len(people) == 13 and sizes.sum() == 997 and sizes.min() >= 60
