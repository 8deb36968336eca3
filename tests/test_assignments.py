"""Chapter 1's assignment, and an instructor's whole path through it, with the real nbgrader.

TLCOURSE_CLASS=32 grades a larger class (three of it cannot be graded) instead of one student a kind.
"""

import copy
import csv
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import assignment as tool
import graded
import grading
import hostile
import nbformat
import numpy as np
import pytest
import repairing
import self_test
import test_notebooks as rules
import torch
from graded import cell, grade, needs_a_wall, play
from lessons.ch01_concepts import right_answers, wrong_answers
from loops import each
from nbformat.v4 import new_code_cell

from tlcourse.teaching.check import examine

NAME = "01_concepts"
FILE = f"{NAME}_exercises.ipynb"
SOURCE, RELEASE = graded.read("source", NAME), graded.read("release", NAME)
POINTS = {
    "balanced_draw": 2,
    "diagnose": 2,
    "freeze": 4,
    "linear_probe_features": 4,
    "paired_interval": 4,
    "labels_to_match": 4,
}


def run(command, course, environment):
    options = {"cwd": course, "env": environment, "capture_output": True, "text": True}
    return subprocess.run(command, check=False, **options)


def nbgrader(course, environment, *arguments):
    command = [sys.executable, "-m", "nbgrader", *arguments]
    return run(command, course, environment)


# ── answers that are nearly right ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", POINTS)
def test_an_answer_that_knows_the_visible_cases_only_gets_none(name):
    """It answers rightly as often as the visible tests ask, and nonsense from then on."""
    right = next(
        f for n, f in right_answers.RIGHT if n == name and f.__module__.endswith("right_answers")
    )
    calls = []

    def memorised(*inputs, **named):
        calls.append(inputs)
        return right(*inputs, **named) if len(calls) <= known else None

    known = 10**9
    play(RELEASE, name, memorised)
    known, calls = len(calls), []
    play(RELEASE, name, memorised)
    calls = []
    assert grade(SOURCE, name, memorised)


def draw_strictly(labels, per_class, seed):
    if np.bincount(labels).min() <= per_class:
        raise ValueError("too few")
    return right_answers.draw_by_choice(labels, per_class, seed)


def diagnose_roughly(before, after):
    same = {k: v if torch.allclose(v, after[k], atol=1e-3) else after[k] for k, v in before.items()}
    return right_answers.diagnose(before, same)


def freeze_sequences(module):
    module.requires_grad_(False)
    for layer in module if isinstance(module, torch.nn.Sequential) else [module]:
        if hasattr(layer, "running_mean"):
            right_answers.freeze_by_overriding_train(layer)
        elif isinstance(layer, torch.nn.Sequential):
            freeze_sequences(layer)


def full_batches(backbone, images, batch_size):
    return right_answers.features(backbone, images, min(batch_size, len(images) - 1))


def table_of_quantiles(ours, baseline):
    return right_answers.interval(ours, baseline) if len(ours) > 2 else (0.0, 0.15, 0.3)


def three_budgets(budgets, accuracy, target):
    return right_answers.labels_by_loop(budgets, accuracy, target) if len(budgets) > 2 else 3.0


EDGES = {
    "balanced_draw": draw_strictly,
    "diagnose": diagnose_roughly,
    "freeze": freeze_sequences,
    "linear_probe_features": full_batches,
    "paired_interval": table_of_quantiles,
    "labels_to_match": three_budgets,
}


@pytest.mark.parametrize("name", POINTS)
def test_an_answer_that_fails_only_at_an_edge_gets_none(name):
    assert all(examine(name, EDGES[name], seed).solved for seed in range(3))
    play(RELEASE, name, EDGES[name])  # what is visible passes
    message = grade(SOURCE, name, EDGES[name])
    assert message and "✗" not in message


# ── for a student ───────────────────────────────────────────────────────────────────────────


def test_an_unsolved_notebook_says_what_is_missing_and_never_stops(capsys):
    """Every cell runs but the graded ones; no answer means no figure."""
    figures = []
    student = {"__name__": "__main__", "display": figures.append}
    for code in rules.code(RELEASE):
        if not (repairing.grade_id(code) or "").startswith("test-") and "%pip" not in code.source:
            exec(code.source, student)  # noqa: S102 - as a kernel does
    printed = capsys.readouterr().out
    for name in POINTS:
        assert f"not yet: {name} is still empty; hint('{name}') gives you a first step." in printed
    assert printed.endswith(
        "still missing: balanced_draw, linear_probe_features, paired_interval, labels_to_match\n"
    )
    assert figures == []
    model_answer_of_question_7_is_true(student)


def model_answer_of_question_7_is_true(student):
    student["model"].eval()
    ways = [(student["shuffled"], 60), (student["by_digit"], 60), (student["shuffled"], 1)]
    found = [student["test_accuracy"](*way) for way in ways]
    assert max(found) - min(found) < 0.004  # two pictures of 600: sums in another order
    assert min(found) > max(list(student["report"].values())[1:])


# ── repairing ───────────────────────────────────────────────────────────────────────────────


def solved(answers=None):
    """A submission: the release with the answers of the source, or others, filled in."""
    notebook = copy.deepcopy(RELEASE)
    for name in POINTS:
        function = (answers or {}).get(name)
        theirs = function and f"{inspect.getsource(function)}\n\n{name} = {function.__name__}"
        cell(notebook, f"solve-{name}").source = theirs or cell(SOURCE, f"solve-{name}").source
    return notebook


def damaged(notebook):
    """Cells copied, deleted, changed and retyped."""
    for name in ("solve-freeze", "test-freeze"):
        place = notebook.cells.index(cell(notebook, name))
        notebook.cells.insert(place, copy.deepcopy(notebook.cells[place]))
    for name in ("test-diagnose", "task-diagnosis", "ask-diagnose"):
        notebook.cells.remove(cell(notebook, name))
    cell(notebook, "solve-diagnose").metadata.clear()
    cell(notebook, "test-balanced_draw").metadata.nbgrader.update(grade=False, points=99)
    cell(notebook, "test-paired_interval").source = "assert True"
    notebook.cells[1].metadata["nbgrader"] = {}
    return notebook


def test_what_is_whole_is_left_alone():
    notebook, found = repairing.repaired(solved(), RELEASE)
    assert found == []
    assert [c.source for c in notebook.cells] == [c.source for c in solved().cells]


def meddled():
    """Everything around the answers changed: tags, types, attachments, the notebook's metadata."""
    notebook = solved()
    for c in notebook.cells:
        kind = (repairing.grade_id(c) or "").partition("-")[0]
        if kind in ("test", "ask", "task"):
            c.update(cell_type="raw", source="1", attachments={"a": {"text/plain": "b"}})
        c.metadata |= {"tags": ["skip-execution"], "jupyter": {"source_hidden": True}}
        c.metadata |= {"execution": {"iopub.execute_input": "now"}, "deletable": False}
    notebook.metadata |= {"kernelspec": {"name": "bash"}, "widgets": {"a": 1}, "execution": {}}
    return notebook


BACK = "put back as in the release"


def test_nothing_but_an_answer_is_kept_of_a_cell_that_the_release_knows():
    notebook, found = repairing.repaired(meddled(), RELEASE)
    cells = {repairing.grade_id(c): c for c in notebook.cells if repairing.grade_id(c)}
    for original in RELEASE.cells:
        if name := repairing.grade_id(original):
            due = copy.deepcopy(original) | {"id": cells[name].id}
            if name.startswith("solve-"):
                due["source"] = cell(SOURCE, name).source
            assert cells[name] == due
    assert found == [f"{', '.join(f'test-{name}' for name in POINTS)} had other tags: {BACK}"]
    assert all(c.metadata == {} for c in notebook.cells if c not in cells.values())
    assert notebook.metadata == RELEASE.metadata
    nbformat.validate(notebook)


@pytest.mark.parametrize("metadata", [{"tags": None}, {"tags": 3}, {"nbgrader": None}, None])
def test_odd_metadata_is_no_reason_not_to_grade(metadata):
    notebook = solved()
    for c in notebook.cells:
        if not (repairing.grade_id(c) or "").startswith(("test-", "solve-")):
            c["metadata"] = copy.deepcopy(metadata)
    nbformat.validate(repairing.repaired(notebook, RELEASE)[0])


def test_a_picture_in_an_answer_in_words_is_kept():
    mark = {"grade": True, "grade_id": "words", "locked": False, "points": 1, "solution": True}
    given = nbformat.v4.new_markdown_cell("", metadata={"nbgrader": mark})
    answer = copy.deepcopy(given)
    answer.update(source="![](attachment:a)", attachments={"a": {}})
    mended = repairing.restored(answer, given)
    assert (mended.source, mended.attachments) == ("![](attachment:a)", {"a": {}})


def test_every_locked_cell_is_there_once_after_a_repair():
    before = damaged(solved())
    kept = copy.deepcopy(before)
    notebook, found = repairing.repaired(before, RELEASE)
    assert before == kept
    marks = [repairing.grade_id(c) for c in notebook.cells if repairing.grade_id(c)]
    assert set(marks) | {"solve-diagnose"} == {repairing.grade_id(c) for c in RELEASE.cells} - {
        None
    }
    assert len(marks) == len(set(marks))
    assert found == [
        "ask-diagnose was missing: put back at the end",
        "solve-diagnose was missing: its function counts wherever it is defined",
        "test-diagnose was missing: put back at the end",
        "solve-freeze was there 2 times: the last one counts",
        "test-freeze was there 2 times: the last one counts",
        "task-diagnosis was missing: put back at the end",
    ]
    assert all(line in notebook.cells[0].source for line in found)
    nbformat.validate(notebook)


def test_what_is_not_there_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="no release"):
        grading.main([NAME])
    (tmp_path / "release" / NAME).mkdir(parents=True)
    shutil.copy(tool.COURSE / "release" / NAME / FILE, tmp_path / "release" / NAME)
    with pytest.raises(SystemExit, match="collect the notebooks"):
        grading.main([NAME])


def test_two_notebooks_of_other_names_are_not_guessed_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tool.COURSE / "release", "release")
    shutil.copytree(tool.COURSE / "release" / NAME, f"submitted/ada/{NAME}")
    handed_in = tmp_path / "submitted" / "ada" / NAME / FILE
    shutil.copy(handed_in, handed_in.with_stem("a"))
    handed_in.rename(handed_in.with_stem("b"))
    assert grading.grade(None, NAME, "ada") == (
        False,
        f"{FILE} is missing; there are 2 other notebooks",
    )


# ── a class ─────────────────────────────────────────────────────────────────────────────────


def ran_earlier(notebook):
    """With outputs of an earlier run, which failed."""
    for code in (c for c in notebook["cells"] if c.cell_type == "code"):
        code.outputs = [nbformat.v4.new_output("error", ename="NameError", evalue="", traceback=[])]
    return notebook


def half_solved():
    """Two answers wrong and one still empty: 10 points are left."""
    wrong = {
        "balanced_draw": wrong_answers.with_replacement,
        "freeze": wrong_answers.only_requires_grad,
    }
    notebook, empty = solved(wrong), "solve-labels_to_match"
    cell(notebook, empty).source = cell(RELEASE, empty).source
    return notebook


def talkative(notebook):
    """With warnings, log lines and a progress bar on stderr."""
    for name in POINTS:
        answer = cell(notebook, f"solve-{name}")
        said = "import logging, sys, warnings; logging.getLogger('mine').warning('called')"
        noise = f"    {said}; print('here', file=sys.stderr); warnings.warn('old')\n"
        answer.source = answer.source.replace("    ### BEGIN SOLUTION\n", noise)
        check = cell(notebook, f"test-{name}")
        check.source = f"import sys; print('50 %', file=sys.stderr)\n{check.source}"
    return notebook


def saved_by_colab():
    """Right, with another editor's marks, outputs of a run that failed, a byte-order mark, and talk."""
    notebook = ran_earlier(talkative(solved()))
    notebook.metadata = {
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"name": "another-kernel", "display_name": "Another"},
        "accelerator": "GPU",
    }
    for number, c in enumerate(notebook.cells):
        del c["id"]
        c.metadata |= {"id": f"aB{number}", "outputId": "f00-ba7", "colab": {"base_uri": "x"}}
        c.metadata["tags"] = None
    return "\ufeff" + json.dumps(notebook | {"nbformat_minor": 0})


def bare():
    """All metadata lost, as some converters do."""
    notebook = solved()
    notebook.metadata = {}
    for c in notebook.cells:
        c.metadata = {}
    return notebook


def hostile_in_every_way():
    """What all hostile submissions do, in one: each looks, writes, fills, shows or lies."""
    kinds = [
        "takes_what_is_not_its_own",
        "runs_in_browsers",
        "lies",
        "does_harm",
        "switches_tests_off",
    ]
    notebook, answers = copy.deepcopy(RELEASE), {}
    for name in kinds:
        made = hostile.made(name, RELEASE, SOURCE)
        added = [c for c in made.cells if c.source not in {o.source for o in RELEASE.cells}]
        place = 1 + len(notebook.cells) - len(RELEASE.cells)
        mine = [c for c in added if not repairing.grade_id(c)]
        notebook.cells[place:place] = sorted(mine, key=lambda c: "Thread" in c.source)
        answers[name] = hostile.cells(made, "solve")
    lies = ["lies", "takes_what_is_not_its_own", "switches_tests_off"]
    for number, exercise in enumerate(POINTS):
        source = answers[lies[number % 3]][exercise].source
        cell(notebook, f"solve-{exercise}").source = source
    return notebook


def ends_its_process(notebook):
    """With a cell that ends the process: it is left out."""
    notebook.cells.insert(1, new_code_cell("import os\n\nos._exit(1)"))
    return notebook


def skips_its_tests(notebook):
    """The graded cells are tagged, so that a test that does not run cannot fail."""
    for c in notebook.cells:
        if (repairing.grade_id(c) or "").startswith("test-"):
            c.metadata["tags"] = ["skip-execution"]
    return notebook


TRUNCATED = nbformat.writes(RELEASE)[:5000]
# By kind: what is handed in, under which name, and how many of 20 points it gets; None: no grade.
KINDS = {
    "hostile": (hostile_in_every_way(), FILE, 0),
    "damaged": (damaged(skips_its_tests(half_solved())), FILE, 10),
    "colab": (saved_by_colab(), f"{NAME}_exercises (1).ipynb", 20),
    "bare": (ends_its_process(bare()), FILE, 20),
    "truncated": (TRUNCATED, FILE, None),
    "link": (hostile.links_to_the_source(RELEASE, SOURCE), FILE, None),
}
CLASS = int(os.environ.get("TLCOURSE_CLASS", len(KINDS)))
GRADED = [kind for kind, (_, _, due) in KINDS.items() if due is not None]
MORE = [f"{GRADED[n % len(GRADED)]}{n + 1}" for n in range(CLASS - len(KINDS))]
STUDENTS = [f"{kind}0" for kind in KINDS] + MORE


def kind_of(student):
    return KINDS[student.rstrip("0123456789")]


@pytest.fixture(scope="module")
def environment():
    from conftest import kernel_environment

    return kernel_environment() | {"PYTHONUTF8": "1", "JUPYTER_PREFER_ENV_PATH": "1"}


@pytest.fixture(scope="module")
def course(tmp_path_factory, environment):
    """A copy of the course after the instructor's lines up to the export."""
    needs_a_wall()
    folder = tmp_path_factory.mktemp("class") / "course"
    for name in ("source", "release"):
        shutil.copytree(tool.COURSE / name, folder / name)
    for path in tool.COURSE.glob("*.py"):
        shutil.copy(path, folder)
    made = nbgrader(folder, environment, "generate_assignment", NAME, "--force")
    assert made.returncode == 0, made.stderr
    for student in STUDENTS:
        handed_in, name, _ = kind_of(student)
        place = folder / "submitted" / student / NAME
        place.mkdir(parents=True)
        if isinstance(handed_in, Path):
            (place / name).symlink_to(handed_in)
        else:
            (place / name).write_text(text_of(handed_in), encoding="utf-8")
    before = self_test.fingerprints(folder)
    # A crowded machine is no reason for NOT GRADED here.
    options = ["--jobs", "2", "--cell-seconds", "20", "--seconds", "900"]
    graded = run([sys.executable, "grading.py", *options, NAME], folder, environment)
    print(graded.stdout, graded.stderr)
    after = self_test.fingerprints(folder)
    assert before.items() <= after.items(), "no submission changes anything"
    assert graded.returncode == int(any(kind_of(student)[2] is None for student in STUDENTS))
    (folder / "report.txt").write_text(graded.stdout, encoding="utf-8")
    for step in (["generate_feedback", NAME], ["export"]):
        done = nbgrader(folder, environment, *step)
        assert done.returncode == 0, done.stderr
    return folder


def text_of(handed_in):
    return handed_in if isinstance(handed_in, str) else json.dumps(handed_in)


def report(course):
    return (course / "report.txt").read_text(encoding="utf-8").splitlines()


def test_each_student_gets_what_is_due_and_keeps_what_was_handed_in(course):
    with open(course / "grades.csv", encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}

    def gets_what_is_due(student):
        handed_in, name, due = kind_of(student)
        (line,) = [x for x in report(course) if x.startswith(f"{student} ")]
        assert re.search(r" \d+\.\d s  ", line)
        assert ("NOT GRADED: " in line) == (due is None)
        if due is not None:
            assert f" {due} of 20" in line
            assert float(rows[student]["raw_score"]) == due  # question 7 is not marked yet
            assert float(rows[student]["max_score"]) == 30
        if not isinstance(handed_in, Path):
            kept = (course / "submitted" / student / NAME / name).read_text(encoding="utf-8")
            assert kept == text_of(handed_in)

    each(gets_what_is_due, [(student, student) for student in STUDENTS])


def test_the_report_says_what_was_wrong(course):
    for student, words in {
        "damaged0": "test-diagnose was missing: put back at the end",
        "colab0": "the file was called '01_concepts_exercises (1).ipynb'",
        "truncated0": "cannot be read",
        "link0": "NOT GRADED: '01_concepts_exercises.ipynb' is a link or no file",
    }.items():
        (line,) = [line for line in report(course) if line.startswith(f"{student} ")]
        assert words in line
        assert (f"test-labels_to_match had other tags: {BACK}" in line) == (student == "damaged0")
    assert re.fullmatch(rf"{CLASS} students, \d+\.\d s each, \d+ not graded", report(course)[-1])


def test_the_feedback_names_the_mistake_and_the_repair(course):
    def feedback(student):
        return (course / "feedback" / student / NAME / FILE.replace("ipynb", "html")).read_text()

    assert "which requires_grad does not stop" in feedback("damaged0")
    assert "not yet: labels_to_match is still empty" in feedback("damaged0")
    assert "Repaired before grading" in feedback("damaged0")


def shown(course, student):
    """All that the cells of a graded notebook show: texts, sentences of errors, kinds of pictures."""
    notebook = repairing.read(course / "autograded" / student / NAME / FILE)
    every = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs]
    texts = [o.get("text") or o.get("evalue") or " ".join(o.get("data", ())) for o in every]
    return "\n".join(texts)


def test_a_hostile_submission_finds_nothing_and_leaves_nothing(course):
    seen = shown(course, "hostile0")
    assert "FOUND" not in seen
    for limit in ("disk: stopped at 1", "threads: stopped at", "memory: stopped at"):
        assert limit in seen
    assert "image/png" in seen and "svg" not in seen and "javascript" not in seen
    assert "✗ freeze: " in seen
    assert self_test.processes() == self_test.left(Path.home()) == []
    assert "it ended the process" in shown(course, "bare0")


def test_the_release_fails_where_it_is_graded(course, environment):
    release = nbgrader(course, environment, "validate", f"release/{NAME}/{FILE}")
    assert "VALIDATION FAILED ON 6 CELL(S)!" in release.stdout
    for name in POINTS:
        assert f"AssertionError: not yet: {name} is still empty" in release.stdout


@pytest.mark.weekly
def test_the_self_test_of_the_instructors_page_holds(environment):
    tested = run([sys.executable, "grading.py", "--self-test"], tool.COURSE, environment)
    assert tested.returncode == 0, tested.stdout
    assert tested.stdout.endswith("everything held\n")


# ── points that cannot be trusted are no points ─────────────────────────────────────────────


@pytest.fixture
def one_student(course, tmp_path, monkeypatch):
    """A copy of the course with its gradebook, and one right submission; we are in its folder."""
    folder = tmp_path / "course"
    parts = shutil.ignore_patterns("submitted", "autograded", "feedback")
    shutil.copytree(course, folder, ignore=parts)
    place = folder / "submitted" / "right" / NAME
    place.mkdir(parents=True)
    (place / FILE).write_text(json.dumps(solved()), encoding="utf-8")
    monkeypatch.chdir(folder)
    return folder


def without_marks(release):
    for c in release.cells:
        c.metadata.pop("nbgrader", None)


def without_one_test(release):
    release.cells.remove(cell(release, "test-freeze"))


def with_another_test(release):
    cell(release, "test-freeze").source = "assert freeze(None) == 3"


def with_other_points(release):
    cell(release, "test-freeze").metadata.nbgrader.points = 1


CHANGES = [without_marks, without_one_test, with_another_test, with_other_points]


@pytest.fixture
def grading_anew(monkeypatch):
    """Undo afterwards what grading and nbgrader's settings leave in a process."""
    monkeypatch.setattr(repairing, "KEPT", {})
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("PATH", "TLCOURSE_DEVICE", "TLCOURSE_HIDDEN_SEED"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    monkeypatch.delenv("TLCOURSE_HIDDEN_SEED")


@pytest.mark.parametrize("change", CHANGES)
def test_another_release_than_the_gradebooks_costs_nobody_points(
    one_student, grading_anew, capsys, change
):
    path = one_student / "release" / NAME / FILE
    release = repairing.read(path)
    change(release)
    path.write_text(nbformat.writes(release), encoding="utf-8")
    assert grading.main([NAME]) == 1
    printed = capsys.readouterr().out
    assert "NOT GRADED: release and gradebook disagree about " in printed
    assert "test-freeze" in printed
    assert f": run nbgrader generate_assignment {NAME} --force\n" in printed


def test_the_form_graders_button_refuses_another_release_too(one_student):
    release = copy.deepcopy(RELEASE)
    without_one_test(release)
    path = one_student / "release" / NAME / FILE
    path.write_text(nbformat.writes(release), encoding="utf-8")
    where = {"assignment": NAME, "notebook": path.stem}
    where["db_url"] = f"sqlite:///{one_student / 'gradebook.db'}"
    with pytest.raises(ValueError, match="disagree about test-freeze"):
        repairing.Repair().preprocess(solved(), {"nbgrader": where})


@pytest.fixture
def nbgrader_api(one_student):
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    api = NbGraderAPI(config=Config({"CourseDirectory": {"root": str(one_student)}}))
    with api.gradebook as gradebook:
        gradebook.update_or_create_student("right")
        gradebook.update_or_create_submission(NAME, "right")
    return api


@pytest.mark.parametrize("ran, scored", [(False, False), (True, False), (False, True)])
def test_a_test_without_a_run_or_a_verdict_is_not_graded(
    nbgrader_api, one_student, monkeypatch, ran, scored
):
    """As when nbgrader says that all went well, and one test was passed over."""

    def autograde(assignment, student):
        notebook = copy.deepcopy(RELEASE)
        for c in notebook.cells:
            name = repairing.grade_id(c) or ""
            if name.startswith("test-") and (ran or name != "test-freeze"):
                c.execution_count = 1
        place = one_student / "autograded" / student / assignment
        place.mkdir(parents=True)
        (place / FILE).write_text(nbformat.writes(notebook), encoding="utf-8")
        with nbgrader_api.gradebook as gradebook:
            for name in POINTS:
                if scored or name != "freeze":
                    grade = gradebook.find_grade(f"test-{name}", FILE[:-6], assignment, student)
                    grade.auto_score = 0.0
            gradebook.db.commit()
        return {"success": True}

    monkeypatch.setattr(nbgrader_api, "autograde", autograde, raising=False)
    worked, words = grading.grade(nbgrader_api, NAME, "right")
    assert (worked, words) == (False, "not run, or without a verdict: test-freeze")
