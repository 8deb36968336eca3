"""What holds for every assignment: its text, its graded cells, and the release made of it."""

import copy
import math
import re
import shutil
import subprocess
import sys

import assignment as tool
import graded
import nbformat
import numpy as np
import pytest
import repairing
import test_notebooks as rules
import torch
from answers import RIGHT, WRONG, cases
from loops import each

from tlcourse.teaching.check import statement
from tlcourse.teaching.exercise import ROOMS, catalogue

NAMES = [name for name in ROOMS if ROOMS[name]]
OF_EXERCISE = {exercise: name for name in NAMES for exercise in catalogue(name)}
NOTEBOOKS = {
    (kind, name): graded.read(kind, name) for name in NAMES for kind in ("source", "release")
}
SECRETS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME", "Rubric", "Model answer")


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


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_of_a_notebook_hold_and_no_cell_that_a_student_sees_is_long(name):
    for kind in ("source", "release"):
        notebook = copy.deepcopy(NOTEBOOKS[kind, name])
        assert list(rules.every_link_goes_to_a_known_host(notebook)) == []
        assert list(rules.it_is_smaller_than_500_kb(notebook)) == []
        for picture in notebook.cells:
            picture.source = tool.PICTURE.sub("", picture.source)  # base64 has slashes
        assert list(rules.no_absolute_path(notebook)) == []
    assert max(len(rules.lines(code)) for code in rules.code(NOTEBOOKS["release", name])) <= 25


@pytest.mark.parametrize("name", NAMES)
def test_the_source_is_normalised_holds_no_output_and_its_pictures_are_described(name):
    source = NOTEBOOKS["source", name]
    assert rules.execute.normalise(source) == source
    assert not any(c.outputs for c in source.cells if c.cell_type == "code")
    cells = [c for c in source.cells if "expected-figure" in c.metadata.get("tags", [])]
    assert len(cells) >= 2
    for picture in cells:
        assert re.match(r"!\[[^\]]{40,}\]\(data:image/png;base64,iVBOR", picture.source)
        assert "**The figure to expect.**" in picture.source
    badge = f"/release/{name}/{name}_exercises.ipynb)"
    assert badge in source.cells[0].source, "the badge opens the release"


def test_a_stale_statement_and_figure_are_made_anew():
    source = copy.deepcopy(NOTEBOOKS["source", "01_concepts"])
    graded.cell(source, "ask-freeze").source = "## 3 · Heading\n\nstale"
    tool.with_statements(source)
    made = graded.cell(source, "ask-freeze").source
    assert made == f"## 3 · Heading\n\n{statement('freeze').strip()}"
    picture = nbformat.v4.new_output("display_data", {"image/png": "NEW"})
    source.cells[-1:] = [nbformat.v4.new_code_cell(outputs=[picture]), source.cells[-1]]
    assert "base64,NEW)" in tool.with_figures(source).cells[-1].source


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of what nbgrader makes of all sources: in one go, because it takes long to start."""
    from conftest import kernel_environment

    course = tmp_path_factory.mktemp("made")
    shutil.copytree(tool.COURSE / "source", course / "source")
    for file in tool.COURSE.glob("*.py"):
        shutil.copy(file, course)
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "*", "--no-db"]
    subprocess.run(command, cwd=course, env=kernel_environment(), check=True)
    return course / "release"


@pytest.mark.parametrize("name", NAMES)
def test_the_release_is_what_nbgrader_makes_of_the_source_and_gives_nothing_away(name, made):
    source, release = (nbformat.writes(NOTEBOOKS[kind, name]) for kind in ("source", "release"))
    assert [secret for secret in SECRETS if secret in release] == []
    assert all(secret in source for secret in SECRETS)
    found = repairing.read(made / name / f"{name}_exercises.ipynb")
    assert found == NOTEBOOKS["release", name], "run tools/assignment.py"


# ── the graded cells, against every right and wrong answer that is known ─────────────────────


def grade(name, function):
    return graded.grade(NOTEBOOKS["source", OF_EXERCISE[name]], name, function)


@pytest.mark.parametrize("name", OF_EXERCISE)
def test_a_right_answer_gets_all_points_and_a_wrong_one_none_with_a_reason(name):
    def gets_all(function):
        ours = function.__module__.startswith("tlcourse")
        assert grade(name, function) == ("write it yourself" if ours else None)

    def gets_none(function, *_):
        assert grade(name, function).startswith(f"✗ {name}: ")

    each(gets_all, cases(RIGHT, name))
    each(gets_none, cases(WRONG, name))


IN_WORDS = re.compile(r"\b(model|state|backbone|block|source|X)\b")  # inputs that are described
CALLS = {
    name: re.search(rf"`({name}\(.*?\))[`.]", catalogue()[name].example) for name in OF_EXERCISE
}
CALLS = {name: call[1] for name, call in CALLS.items() if call and not IN_WORDS.search(call[1])}


@pytest.mark.parametrize("name", CALLS)
def test_the_example_in_a_statement_runs_with_every_right_answer(name):
    source = NOTEBOOKS["source", OF_EXERCISE[name]]
    solution = {"np": np, "torch": torch, "math": math}
    cells = [c for c in source.cells if c.cell_type == "code"]
    imports = [line for c in cells for line in c.source.split("\n") if line.startswith("from ")]
    exec("\n".join(imports), solution)  # noqa: S102
    exec(graded.cell(source, f"solve-{name}").source, solution)  # noqa: S102
    for function in [solution[name], *(f for n, f in RIGHT if n == name)]:
        names = {"np": np, "torch": torch, name: function}
        try:
            found = eval(CALLS[name], names)
        except (AttributeError, TypeError):  # it takes tensors, which is right too
            found = eval(CALLS[name].replace("np.array", "torch.tensor"), names)
        assert found is not None, function


def test_most_examples_are_calls_that_run():
    assert len(CALLS) >= len(OF_EXERCISE) - 7


@pytest.mark.parametrize("name", OF_EXERCISE)
def test_the_release_fails_exactly_where_it_is_graded(name):
    release = NOTEBOOKS["release", OF_EXERCISE[name]]
    student = {}
    exec(graded.cell(release, f"solve-{name}").source, student)  # noqa: S102
    message = graded.grade(release, name, student[name])
    assert message.startswith(f"not yet: {name} is still empty")
