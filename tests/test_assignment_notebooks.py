"""What holds for every assignment: its text, its graded cells, and the release made of it."""

import copy
import math
import os
import re
import shutil
import subprocess
import sys

import assignment as tool
import graded
import grading
import nbformat
import numpy as np
import pytest
import test_notebooks as rules
import torch
from answers import RIGHT, WRONG

from tlcourse.teaching.check import statement
from tlcourse.teaching.exercise import ROOMS, catalogue

NAMES = [name for name in ROOMS if ROOMS[name]]
OF_EXERCISE = {exercise: name for name in NAMES for exercise in catalogue(name)}
NOTEBOOKS = {
    (kind, name): graded.read(kind, name) for name in NAMES for kind in ("source", "release")
}
SECRETS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME", "Rubric", "Model answer")


def named(rows):
    return [pytest.param(*row[:2], id=f"{row[0]}-{row[1].__name__}") for row in rows]


# ── the notebook ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", NAMES)
def test_the_statements_and_points_are_those_of_the_library(name):
    source = NOTEBOOKS["source", name]
    for exercise in catalogue(name).values():
        points, level = 2 * exercise.level, "★" * exercise.level + "☆" * (3 - exercise.level)
        ask = graded.cell(source, f"ask-{exercise.name}")
        assert ask.source.endswith(statement(exercise.name).strip())
        test = graded.cell(source, f"test-{exercise.name}")
        assert test.metadata.nbgrader.points == points
        assert test.source.startswith(f"# Graded: {points} points.\n")
        row = rf"\| `{exercise.name}` \| {level} \| {exercise.minutes} \| {points} \|"
        assert re.search(row, source.cells[0].source)


RULES = [
    rules.no_absolute_path,
    rules.every_link_goes_to_a_known_host,
    rules.it_is_smaller_than_500_kb,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("kind, name", NOTEBOOKS)
def test_the_rules_of_a_notebook_hold(kind, name, rule):
    notebook = copy.deepcopy(NOTEBOOKS[kind, name])
    if rule is rules.no_absolute_path:  # base64 has slashes
        for picture in notebook.cells:
            picture.source = tool.PICTURE.sub("", picture.source)
    assert list(rule(notebook)) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_that_a_student_sees_is_long(name):
    assert max(len(rules.lines(code)) for code in rules.code(NOTEBOOKS["release", name])) <= 25


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_normalised_and_holds_no_output(name):
    source = NOTEBOOKS["source", name]
    assert rules.execute.normalise(source) == source
    assert not any(c.outputs for c in source.cells if c.cell_type == "code")


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_is_there_and_described(name):
    source = NOTEBOOKS["source", name]
    cells = [c for c in source.cells if "expected-figure" in c.metadata.get("tags", [])]
    assert len(cells) >= 2
    for picture in cells:
        assert re.match(r"!\[[^\]]{40,}\]\(data:image/png;base64,iVBOR", picture.source)
        assert "**The figure to expect.**" in picture.source


@pytest.mark.parametrize("name", NAMES)
def test_the_badge_opens_the_release(name):
    assert f"/release/{name}/{name}_exercises.ipynb)" in NOTEBOOKS["source", name].cells[0].source


def test_a_stale_statement_and_figure_are_made_anew():
    source = copy.deepcopy(NOTEBOOKS["source", "01_concepts"])
    graded.cell(source, "ask-freeze").source = "## 3 · Heading\n\nstale"
    tool.with_statements(source)
    made = graded.cell(source, "ask-freeze").source
    assert made == f"## 3 · Heading\n\n{statement('freeze').strip()}"
    picture = nbformat.v4.new_output("display_data", {"image/png": "NEW"})
    source.cells[-1:] = [nbformat.v4.new_code_cell(outputs=[picture]), source.cells[-1]]
    assert "base64,NEW)" in tool.with_figures(source).cells[-1].source


@pytest.mark.parametrize("name", NAMES)
def test_the_release_gives_nothing_away(name):
    source, release = (nbformat.writes(NOTEBOOKS[kind, name]) for kind in ("source", "release"))
    assert [secret for secret in SECRETS if secret in release] == []
    assert all(secret in source for secret in SECRETS)


@pytest.mark.parametrize("name", NAMES)
def test_the_release_is_what_nbgrader_makes_of_the_source(name, tmp_path, offline_environment):
    shutil.copytree(tool.COURSE / "source" / name, tmp_path / "source" / name)
    for file in ("grading.py", "nbgrader_config.py"):
        shutil.copy(tool.COURSE / file, tmp_path)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", name, "--no-db"]
    subprocess.run(command, cwd=tmp_path, env=os.environ | offline_environment, check=True)
    made = grading.read(tmp_path / "release" / name / f"{name}_exercises.ipynb")
    assert made == NOTEBOOKS["release", name], "run tools/assignment.py"


# ── the graded cells, against every right and wrong answer that is known ─────────────────────


def grade(name, function):
    return graded.grade(NOTEBOOKS["source", OF_EXERCISE[name]], name, function)


@pytest.mark.parametrize("name, function", named(RIGHT))
def test_a_right_answer_gets_all_points(name, function):
    ours = function.__module__.startswith("tlcourse")
    assert grade(name, function) == ("write it yourself" if ours else None)


@pytest.mark.parametrize("name, function", named(WRONG))
def test_a_wrong_answer_gets_none_with_a_reason(name, function):
    assert grade(name, function).startswith(f"✗ {name}: ")


@pytest.mark.parametrize("name", OF_EXERCISE)
def test_the_example_in_a_statement_runs_with_every_right_answer(name):
    call = re.search(rf"`({name}\(.*?\))[`.]", catalogue()[name].example)
    if not call or re.search(r"\b(model|state|backbone|block|source|X)\b", call[1]):
        pytest.skip("its inputs are described in words")
    solution = {"np": np, "torch": torch, "math": math}
    cells = [c for c in NOTEBOOKS["source", OF_EXERCISE[name]].cells if c.cell_type == "code"]
    imports = [line for c in cells for line in c.source.split("\n") if line.startswith("from ")]
    exec("\n".join(imports), solution)  # noqa: S102
    solve = graded.cell(NOTEBOOKS["source", OF_EXERCISE[name]], f"solve-{name}")
    exec(solve.source, solution)  # noqa: S102
    for function in [solution[name], *(f for n, f in RIGHT if n == name)]:
        assert eval(call[1], {"np": np, name: function}) is not None


@pytest.mark.parametrize("name", OF_EXERCISE)
def test_the_release_fails_exactly_where_it_is_graded(name):
    release = NOTEBOOKS["release", OF_EXERCISE[name]]
    student = {}
    exec(graded.cell(release, f"solve-{name}").source, student)  # noqa: S102
    message = graded.grade(release, name, student[name])
    assert message.startswith(f"not yet: {name} is still empty")
