"""What only a notebook shows: one kernel runs the cells of all tests here, because it starts slowly."""

import base64
from itertools import accumulate

import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from tlcourse.teaching.quiz import as_html, as_text, right, wrong

GRID = "plots.image_grid(np.random.default_rng(0).random((3, 1, 8, 8)))"
FIGURES = [
    "import sys\nimport numpy as np\nfrom tlcourse import plots",
    GRID,
    f"figure = {GRID}",
    "figure",
    "assert 'matplotlib.pyplot' not in sys.modules\nimport matplotlib.pyplot as plt",
    GRID,
    f"figure = {GRID}",
    "from IPython.display import display\ndisplay(figure)",
]
CHECK = """
import numpy as np
from tlcourse.teaching.check import check
check('paired_interval', lambda ours, baseline: np.zeros(3))
"""
BACKGROUND = """
from tlcourse.check import check
from tlcourse.teaching.check import process
print(process.cache_info().currsize)
"""
STOPPED = """
import _thread, threading, time
def keeps_the_interpreter(ours, baseline): return sum(range(10**11))
process().ready()
threading.Timer(1, _thread.interrupt_main).start()
start = time.monotonic()
try: check('paired_interval', keeps_the_interpreter)
except KeyboardInterrupt: print('stopped', time.monotonic() - start < 5)
"""
QUIZ = """
from tlcourse.teaching.quiz import ask, right, wrong
ask('Q?', wrong('a', 'No.'), right('b', 'Yes.'))
"""
PROCESSES = """
import os
from tlcourse import experiment
offset = 10
def helper(seed): return seed + offset
def run(seed): return helper(seed), os.getpid()
results = experiment.repeat(run, [1, 2, 3], "notebook", workers=2)
print([value for value, _ in results], os.getpid() in [process for _, process in results])
"""
# pyplot is imported in the midst of FIGURES only.
PARTS = {
    "background": [BACKGROUND, STOPPED],
    "check": [CHECK],
    "quiz": [QUIZ],
    "figures": FIGURES,
    "processes": [PROCESSES],
}


@pytest.fixture(scope="module")
def outputs():
    """The outputs of each part's cells, one list a cell."""
    from conftest import kernel_environment

    cells = [new_code_cell(code) for part in PARTS.values() for code in part]
    client = NotebookClient(new_notebook(cells=cells), timeout=300)
    client.execute(env=kernel_environment())
    ends = accumulate(map(len, PARTS.values()))
    return {
        name: [cell.outputs for cell in cells[end - len(part) : end]]
        for (name, part), end in zip(PARTS.items(), ends, strict=True)
    }


def test_the_process_of_checks_starts_with_the_notebook_and_an_interrupt_is_heard(outputs):
    assert [cell[0].text for cell in outputs["background"]] == ["1\n", "stopped True\n"]


def test_a_notebook_shows_each_figure_once(outputs):
    """With and without pyplot, as the last value of a cell, and not when it is only assigned."""
    shown = [[list(o.data) for o in cell if "data" in o] for cell in outputs["figures"]]
    once = [["image/png", "text/plain"]]
    assert shown == [[], once, [], once, [], once, [], once]


def test_the_drawing_of_a_check_is_a_png_with_the_message_as_its_alternative(outputs):
    ((said, drawn),) = outputs["check"]
    message = said.text.strip()
    assert message.startswith("✗ paired_interval: the mean of ours - baseline is another")
    assert base64.b64decode(drawn.data["image/png"]).startswith(b"\x89PNG")
    assert drawn.metadata["image/png"]["alt"] == message


def test_html_and_text_of_a_quiz_are_one_output(outputs):
    ((output,),) = outputs["quiz"]
    options = (wrong("a", "No."), right("b", "Yes."))
    assert output.data["text/html"] == as_html("Q?", options)
    assert output.data["text/plain"] == as_text("Q?", options)


def test_a_function_of_a_notebook_runs_in_processes(outputs):
    """The notebook's own functions and data reach the other processes."""
    printed = [o.text for o in outputs["processes"][0] if o.get("name") == "stdout"]
    assert "".join(printed).strip() == "[11, 12, 13] False"
