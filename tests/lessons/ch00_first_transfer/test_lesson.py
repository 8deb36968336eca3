"""Lesson 00: what it says in words is what its code is, and what its photographs show."""

import ast
import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from IPython.core.inputtransformer2 import TransformerManager

from tlcourse.lessons.ch00_first_transfer import features, measure, photographs
from tlcourse.lessons.ch01_concepts import transfer
from tlcourse.lessons.ch02b_pictures import finetuning
from tlcourse.verdicts import store

LESSON = Path(__file__).parents[3] / "chapters" / "00_first_transfer.ipynb"
REAL = bool(os.environ.get("TLCOURSE_DATA")) and features.weights_file().exists()


def sources():
    cells = nbformat.read(LESSON, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


def functions():
    """The functions that the lesson shows, by name: made in one namespace, as a reader does."""
    found = {"np": np, "torch": features.torch}
    for name in ("describe", "transfer"):
        (source,) = (s for s in sources() if f"def {name}(" in s)
        exec(TransformerManager().transform_cell(source), found)  # noqa: S102, its own check runs too
    return found["describe"], found["transfer"]


def test_there_are_fifteen_lines():
    lines = 0
    for source in sources():
        for node in ast.parse(TransformerManager().transform_cell(source)).body:
            if isinstance(node, ast.FunctionDef) and node.name in ("describe", "transfer"):
                lines += node.end_lineno - node.lineno + 1
            if isinstance(node, ast.If) and "describe(bees" in ast.unparse(node):
                lines += len(node.body)
    assert lines == 15


def test_the_lines_that_are_shown_do_what_the_claims_measure():
    """Without a photograph: the draw, the head and the answers, from arrays that are made up."""
    _, shown = functions()
    rng, y = np.random.default_rng(0), np.arange(90) % 3
    X = rng.normal(size=(90, 12)) + 2 * np.eye(3)[y] @ rng.normal(size=(3, 12))
    views = ("imagenet", "colours", *(f"random {k}" for k in range(features.INITS)))
    for seed in range(5):
        test, said = shown(X, y, 4, seed)
        right = measure.learn(dict.fromkeys(views, X) | {"labels": y}, 4, seed)
        assert np.array_equal(said == y[test], right[measure.FROZEN])


def test_of_the_stored_results_the_text_says_how_many_photographs_there_are():
    stored = store.load("ch00_first_transfer", 1).results
    assert {right.shape for right in stored.values()} == {(20, 239)}
    assert "majority=123 / 239" in "".join(sources())
    cells = nbformat.read(LESSON, as_version=4).cells
    assert re.search(r"Of 239 test photographs", "".join(c.source for c in cells))


def test_the_stored_outputs_are_of_real_photographs():
    cells = nbformat.read(LESSON, as_version=4).cells
    printed = "".join(o.get("text", "") for c in cells for o in c.get("outputs", []))
    assert "397 photographs: 193 ants, 204 bees" in printed
    assert re.search(r"\d+ of 239 test photographs named correctly", printed)
    assert sum("image/png" in o.get("data", {}) for c in cells for o in c.get("outputs", [])) == 3


def test_the_first_rate_is_the_one_that_was_chosen():
    rates = [row["lr"] for row in transfer.chosen_settings()["fine-tuning"].values()]
    recipes = finetuning.chosen_settings()["recipes"]["full fine-tuning"]
    rates += [row["lr"] for row in recipes.values()]
    assert 0.001 <= min(rates) and max(rates) <= 0.005
    assert ".001 to .005 was chosen" in "".join(
        c.source for c in nbformat.read(LESSON, as_version=4).cells
    )


@pytest.mark.skipif(not REAL, reason="needs TLCOURSE_DATA and the ImageNet weights in TORCH_HOME")
def test_with_the_real_photographs_the_lesson_says_what_is_there():
    arrays = measure.ants_and_bees()
    pool, test = measure.divide(arrays["labels"])
    assert (len(pool), len(test), arrays["labels"][test].sum()) == (158, 239, 123)
    wrong = test[~measure.learn(arrays, 5, 0)[measure.FROZEN]]
    path, label = photographs.ants_and_bees().samples[wrong[1]]
    assert (Path(path).name, label) == ("1099452230_d1949d3250.jpg", 0), "ants on white flowers"
