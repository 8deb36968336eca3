"""How long to train, and how to pretrain: the rules, and what was found by them."""

import json

import recipes

from tlcourse.lessons.ch01_concepts import transfer


def test_steps_are_enough_when_twice_as_many_gain_less_than_a_point():
    assert recipes.enough({100: 0.80, 200: 0.82, 400: 0.825, 800: 0.9}) == 200
    assert recipes.enough({100: 0.80, 200: 0.82, 400: 0.84}) == 400, "else the largest tried"
    assert recipes.enough({100: 0.80}) == 100


def test_the_course_trains_at_least_as_long_as_was_found_to_pay():
    found = json.loads(recipes.FOUND.read_text(encoding="utf-8"))["steps"]
    for method, (shortest, doublings) in recipes.DOUBLED.items():
        accuracy = {int(steps): value for steps, value in found[method].items()}
        assert list(accuracy) == [shortest * 2**i for i in range(doublings + 1)]
        steps = transfer.METHODS[method].__defaults__[1]
        assert steps >= recipes.enough(accuracy), method


def test_no_other_way_to_pretrain_was_a_point_better_than_the_shipped_one():
    rows = json.loads(recipes.FOUND.read_text(encoding="utf-8"))["sources"]
    assert [{k: row[k] for k in recipes.USUAL} for row in rows] == recipes.WAYS
    assert rows[0]["accuracy"] > max(row["accuracy"] for row in rows) - recipes.ENOUGH
