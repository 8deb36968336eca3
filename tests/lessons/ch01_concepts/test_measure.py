"""What lesson 01 measures, and what it says of the care for each method."""

from dataclasses import astuple

import numpy as np

from tlcourse.lessons.ch01_concepts import measure, pretrain, transfer


def test_care_is_read_off_the_code():
    care = {method: astuple(measure.care_of(method)) for method in transfer.METHODS}
    shown = pretrain.STEPS * pretrain.BATCH
    assert care == {
        "SVM on pixels": (6, 0, False, 0, 0),
        "random forest on pixels": (6, 0, False, 0, 0),
        "CNN from scratch": (6, 150, False, 0, 0),
        "CNN from scratch + augmentation": (6, 2400, True, 0, 0),
        "frozen features + logistic regression": (6, 0, False, shown, 0),
        "fine-tuning": (6, 100, False, shown, 0),
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
