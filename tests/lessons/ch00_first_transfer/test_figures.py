"""Lesson 00's figures say what they are given."""

import numpy as np
import pytest
from PIL import Image

from tlcourse import data, verdicts
from tlcourse.lessons.ch00_first_transfer import figures, measure


def test_the_message_is_the_mean_lead_at_five_labels():
    means = {measure.FROZEN: 0.8, measure.RANDOM: 0.55, measure.COLOURS: 0.6}
    accuracy = {m: mean + np.zeros((4, 6)) for m, mean in means.items()}
    figure = figures.label_efficiency(measure.BUDGETS, accuracy, 0.515)
    (ax,) = figure.axes
    assert "5 labels a class: 25 points ahead" in ax.get_title(loc="left")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [measure.FROZEN, "random weights", "colour counts"]
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert 0 <= box.x0 and box.x1 <= figure.bbox.width, "the legend is cut off"
    dotted = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert dotted[-1].get_ydata()[0] == pytest.approx(0.515)


def test_the_stored_draws_are_those_that_the_claims_compare():
    claims = verdicts.Claims("ch00_first_transfer")
    accuracy = figures.stored(claims)
    assert {values.shape for values in accuracy.values()} == {(20, len(measure.BUDGETS))}
    lead = accuracy[measure.FROZEN][:, 2] - accuracy[measure.RANDOM][:, 2]
    assert lead == pytest.approx(claims.judged("learned")[0].seeds)


def test_the_claims_are_drawn_with_their_verdicts():
    judged = verdicts.Claims("ch00_first_transfer").judged()
    (ax,) = figures.claims(judged).axes
    words = ax.get_title(loc="left")
    assert f"Pretraining: {judged[0].verdict}." in words and words.endswith(f"{judged[1].verdict}.")


def test_a_wrong_photograph_has_its_label_and_what_was_said(tmp_path):
    for name in ("ants", "bees"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (40, 30), "red").save(tmp_path / name / "1.png")
    found = data.load_folder(tmp_path)
    figure = figures.wrong(found, np.array([1, 0]), np.array([0, 1]))
    titles = [ax.get_title() for ax in figure.axes if ax.images]
    assert titles == ["bees, said ants", "ants, said bees"]
