"""The rules of a lesson, run over every chapter; each rule is first shown to be able to fail.

A rule is a function of the notebook alone. It returns what is wrong, one line for each fault.
"""

import ast
import re
import statistics
from pathlib import Path

import execute
import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tlcourse.verdicts import judging

CHAPTERS = sorted((Path(__file__).parent.parent / "chapters").glob("[0-9]*.ipynb"))
HOSTS = """
    aclanthology.org archive.ics.uci.edu arxiv.org colab.research.google.com creativecommons.org
    docs.pytorch.org docs.python.org docs.scipy.org doi.org github.com holgern.github.io
    ipywidgets.readthedocs.io jmlr.org joblib.readthedocs.io matplotlib.org numpy.org
    openaccess.thecvf.com openreview.net papers.nips.cc proceedings.mlr.press
    proceedings.neurips.cc python.org pytorch.org scikit-learn.org scikit-optimize.github.io
    scipy.org www.jmlr.org www.w3.org yann.lecun.com
"""  # www.w3.org: the namespace of SVG
PATH = re.compile(r"(?<![\w.:~/-])/(?:[A-Za-z][\w.-]+/)+[\w.-]*|\bC:\\+(?!math)\w+|file://")


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def markdown(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


def own(notebook):
    """The cells without the one that installs the course where it is missing."""
    return [cell for cell in notebook.cells if "colab" not in cell.metadata.get("tags", [])]


def rewritten(notebook):
    """Whether a lesson follows the protocol: its claims are read from ``claims.toml``."""
    return any("verdicts.Claims(" in cell.source for cell in code(notebook))


def lines(cell):
    return [line for line in cell.source.splitlines() if line.strip()]


def printed(cell):
    """The text that a cell printed or returned."""
    data = [output.get("data", {}) for output in cell.outputs]
    shown = [text for kinds in data for kind, text in kinds.items() if kind.startswith("text/")]
    return "".join([output.get("text", "") for output in cell.outputs] + shown)


def has_figure(cell):
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def calls(cell):
    """Yield the dotted names of the functions that a cell calls."""
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(cell.source))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def texts(notebook):
    """Everything a reader sees as text, with its place: sources and outputs, no pictures."""
    for position, cell in enumerate(notebook.cells):
        yield position, cell.source
        for output in cell.get("outputs", []):
            yield position, output.get("text", "")
            data = output.get("data", {})
            yield from ((position, str(data[kind])) for kind in data if "image/" not in kind)


def short(notebook):
    """Whether this is lesson 0, of fifteen minutes: not all that a lesson has."""
    return notebook.cells[0].source.startswith("# Lesson 00 ")


# --- length ----------------------------------------------------------------------------------


def code_cells_are_short(notebook):
    cells = enumerate(own(notebook))
    lengths = {n: len(lines(cell)) for n, cell in cells if cell.cell_type == "code"}
    if lengths and (median := statistics.median(lengths.values())) > 6:
        yield f"the median code cell has {median:g} lines, more than 6"
    most = 22 if rewritten(notebook) else 25
    for position, length in lengths.items():
        if length > most:
            yield f"cell {position} has {length} lines, more than {most}"


def a_lesson_has_40_to_56_cells(notebook):
    fewest, most = (24, 36) if short(notebook) else (40, 56)
    if not fewest <= len(own(notebook)) <= most:
        yield f"{len(own(notebook))} cells"


def the_prose_is_neither_short_nor_long(notebook):
    words = sum(len(cell.source.split()) for cell in markdown(notebook))
    fewest, most = (1500, 2400) if rewritten(notebook) else (1800, 2800)
    if short(notebook):
        fewest, most = 900, 1500
    if not fewest <= words <= most:
        yield f"{words} words, not {fewest} to {most}"


def it_has_8_figures_at_most(notebook):
    if rewritten(notebook) and (n := sum(map(has_figure, notebook.cells))) > 8:
        yield f"{n} figures"


# --- anatomy ---------------------------------------------------------------------------------


def it_begins_with_a_title_card(notebook):
    card = notebook.cells[0]
    if card.cell_type != "markdown" or not re.match(r"# \S", card.source):
        yield "cell 0 must be Markdown that begins with '# ' and the title"
    wanted = {
        "a Colab badge": r"colab-badge\.svg\)\]\(https://colab\.research\.google\.com/github/\S+\.ipynb\)",
        "the objectives": r"(?i)\bobjectives\b|\byou can\b|\byou will be able\b",
        "the prerequisites": r"(?i)\bprerequisites?\b",
        "the minutes it takes": r"(?i)\d\s*min",
        "the handbook rows": r"(?i)\bhandbook\b[\s\S]*\bH\d\.\d",
    }
    for name, pattern in wanted.items():
        if not re.search(pattern, card.source):
            yield f"the title card lacks {name}"
    if not 3 <= len(re.findall(r"(?m)^\s*(?:[-*]|\d\.) ", card.source)) <= 5:
        yield "the title card lists 3 to 5 objectives, one a line with '- ', and has no other list"


def a_short_set_up_cell_comes_second(notebook):
    cells = own(notebook)
    first = next((n for n, cell in enumerate(cells) if cell.cell_type == "code"), None)
    if first is None or first > 2:
        yield "the first code cell of the lesson must be cell 1 or 2"
        return
    cell = cells[first]
    if len(lines(cell)) > 6:
        yield f"the set-up cell has {len(lines(cell))} lines, more than 6"
    for word in ("device", "scale", "torch"):
        if word not in printed(cell).lower():
            yield f"the set-up cell does not print the {word}"


def a_figure_comes_by_cell_6(notebook):
    if not any(map(has_figure, own(notebook)[:7])):
        yield "no figure in cells 0 to 6"


def every_figure_has_a_caption(notebook):
    followers = [*notebook.cells[1:], new_markdown_cell()]
    for position, (cell, after) in enumerate(zip(notebook.cells, followers, strict=True)):
        caption = after.cell_type == "markdown" and re.search(r"(?m)^\*\*Figure", after.source)
        if has_figure(cell) and not caption:
            yield f"cell {position} draws a figure: begin a line of the next cell with '**Figure'"


def it_asks_and_checks(notebook):
    called = [set(calls(cell)) for cell in code(notebook)]
    if not any(name in ("ask", "quiz", "quiz.ask") for names in called for name in names):
        yield "no quiz: no cell calls ask(...)"
    puzzles = sum("check" in names for names in called)
    if short(notebook):  # its puzzles judge themselves in their own cells
        puzzles = sum(1 for cell in markdown(notebook) if "**Puzzle" in cell.source)
    if puzzles < 2:
        yield f"{puzzles} puzzles: at least 2 cells call check(...)"


def its_verdicts_are_compared(notebook):
    cells = [c for c in code(notebook) if "nbval-check-output" in c.metadata.get("tags", [])]
    if not cells:
        yield "no cell is tagged nbval-check-output"
    known = set(judging.SYMBOLS) if rewritten(notebook) else {"holds", "partly", "fails"}
    for cell in cells:
        if not {line.split(" | ")[-1] for line in printed(cell).splitlines()} <= known:
            yield "a cell tagged nbval-check-output stores something that is no verdict"


# --- what is stored --------------------------------------------------------------------------


def it_was_run_once_from_top_to_bottom(notebook):
    counts = [cell.execution_count for cell in code(notebook)]
    if counts != list(range(1, len(counts) + 1)) or not counts:
        yield f"the code cells were run in the order {counts}: make execute"


def nothing_went_wrong(notebook):
    for position, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                yield f"cell {position} stores {output.ename}"
            if output.get("name") == "stderr":
                yield f"cell {position} stores a warning"


def no_widget_state_is_stored(notebook):
    if "widgets" in notebook.metadata:
        yield "the metadata hold the state of widgets"
    for position, cell in enumerate(notebook.cells):
        if any(execute.WIDGET in output.get("data", {}) for output in cell.get("outputs", [])):
            yield f"cell {position} stores a widget: without its kernel that is an error box"


def a_second_run_can_store_the_same(notebook):
    for position, text in texts(notebook):
        if re.search(r"\b0x[0-9a-f]{6,}", text):
            yield f"cell {position} stores a memory address"


def it_is_normalised(notebook):
    if notebook != execute.normalise(notebook):
        yield "the file is not as tools/execute.py leaves it: make execute"


def no_absolute_path(notebook):
    for position, text in texts(notebook):
        if match := PATH.search(text):
            yield f"cell {position} holds the path {match.group()}"


def every_link_goes_to_a_known_host(notebook):
    for position, text in texts(notebook):
        for host in re.findall(r"(?i)\b(?:https?|ftp)://([^/\s\"'<>)\]]+)", text):
            if host.lower() not in HOSTS.split():
                yield f"cell {position} links to {host}: use a known host or add it to HOSTS"


def it_is_smaller_than_500_kb(notebook):
    size = len(nbformat.writes(notebook).encode())
    if size > 500_000:
        yield f"{size / 1000:.0f} kB"


# --- each rule can fail ----------------------------------------------------------------------

CARD = """# A lesson
[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/o/r/blob/main/chapters/01.ipynb)

**Objectives.** After this lesson you can
- measure
- compare
- judge

**Prerequisites:** none. **Time:** 20 minutes. **Handbook:** H1.1"""


def figure():
    return new_output("display_data", {"image/png": "AAAA", "text/plain": "<Figure>"})


def stdout(text):
    return new_output("stream", name="stdout", text=text)


def cell(source="x = 1", *outputs, tags=()):
    metadata = {"tags": list(tags)} if tags else {}
    return new_code_cell(source, outputs=list(outputs), metadata=metadata)


def good():
    """A lesson that obeys every rule."""
    cells = [
        new_markdown_cell(CARD),
        cell("runtime.setup()", stdout("device cpu, scale quick, seed 0, torch 2.9\n")),
        cell("plot()", figure()),
        new_markdown_cell("**Figure 1.** " + "word " * 1800),
        cell("%matplotlib inline\nask('Why?', right('a', 'b'))"),
        cell("check('mean', mean)"),
        cell("check('freeze', freeze)"),
        cell("table", stdout("H1.1 | claim | holds\n"), tags=["nbval-check-output"]),
        *(cell(f"x = {n}") for n in range(34)),
    ]
    notebook = new_notebook(cells=cells)
    for count, code_cell in enumerate(code(notebook), start=1):
        code_cell["execution_count"] = count
    return execute.normalise(notebook)


def protocol(notebook):
    notebook.cells[5]["source"] += "\nclaims = verdicts.Claims('wing')"


def spoil(position, **fields):
    def change(notebook):
        notebook.cells[position].update(fields)

    return change


def edit(position, old, new):
    def change(notebook):
        assert old in notebook.cells[position].source
        notebook.cells[position]["source"] = notebook.cells[position].source.replace(old, new)

    return change


def store(output):
    def change(notebook):
        notebook.cells[-1]["outputs"] = [output]

    return change


def drop(*positions):
    def change(notebook):
        kept = [c for n, c in enumerate(notebook.cells) if n not in positions]
        notebook["cells"] = kept

    return change


def long_cells(notebook):
    for code_cell in code(notebook):
        code_cell["source"] = "x = 1\n" * 7


def warning():
    return new_output("stream", name="stderr", text="UserWarning")


def widget():
    return new_output("display_data", {execute.WIDGET: {"model_id": "a"}})


def error():
    return new_output("error", ename="KeyError", evalue="", traceback=[])


# Every rule, with changes that break it.
BAD = {
    code_cells_are_short: [
        long_cells,
        spoil(5, source="x = 1\n" * 26),
        lambda nb: (protocol(nb), spoil(6, source="x = 1\n" * 23)(nb)),
    ],
    a_lesson_has_40_to_56_cells: [drop(8, 9, 10), lambda nb: nb.cells.extend(nb.cells[:20])],
    it_has_8_figures_at_most: [
        lambda nb: (protocol(nb), nb.cells.extend([cell("p", figure())] * 9))
    ],
    the_prose_is_neither_short_nor_long: [
        lambda nb: (protocol(nb), spoil(3, source="**Figure 1.** " + "long " * 2400)(nb)),
        spoil(3, source="**Figure 1.** short"),
        spoil(3, source="**Figure 1.** " + "long " * 2800),
    ],
    it_begins_with_a_title_card: [
        drop(0),
        edit(0, "# A", "A"),
        edit(0, "colab-badge", "badge"),
        edit(0, "**Objectives.** After this lesson you can", ""),
        edit(0, "Prerequisites", "Before"),
        edit(0, "20 minutes", "a while"),
        edit(0, "H1.1", "all of it"),
        edit(0, "- judge\n", ""),
    ],
    a_short_set_up_cell_comes_second: [
        drop(1, 2),
        spoil(1, source="x = 1\n" * 7),
        spoil(1, outputs=[]),
        lambda nb: nb.update(cells=markdown(nb)),
    ],
    a_figure_comes_by_cell_6: [spoil(2, outputs=[])],
    every_figure_has_a_caption: [
        spoil(3, source="Figure 1. No bold face."),
        drop(3),
        store(figure()),
    ],
    it_asks_and_checks: [spoil(4, source="print('ask(me)')"), spoil(5, source="# check(this)")],
    its_verdicts_are_compared: [
        spoil(7, metadata={}),
        spoil(7, outputs=[stdout("H1.1 | claim | nice\n")]),
    ],
    it_was_run_once_from_top_to_bottom: [
        spoil(4, execution_count=None),
        spoil(4, execution_count=9),
        lambda nb: nb.update(cells=markdown(nb)),
    ],
    nothing_went_wrong: [store(error()), store(warning())],
    no_widget_state_is_stored: [
        store(widget()),
        lambda nb: nb.metadata.update(widgets={"state": {}}),
    ],
    a_second_run_can_store_the_same: [store(stdout("<object at 0x7f3a2b1c>"))],
    it_is_normalised: [
        store(widget()),
        spoil(4, metadata={"execution": {"iopub.status.busy": "now"}}),
        lambda nb: nb.metadata.kernelspec.update(name="mine"),
    ],
    no_absolute_path: [
        store(stdout("saved in /" + "srv/course/x.png")),
        spoil(5, source="open('/" + "tmp/x.png')"),
        spoil(5, source="open('C:" + "\\\\data')"),
    ],
    every_link_goes_to_a_known_host: [
        spoil(3, source="see http://example.org/page"),
        store(stdout("http://localhost:8888")),
    ],
    it_is_smaller_than_500_kb: [store(new_output("display_data", {"image/png": "A" * 500_000}))],
}


def test_a_good_lesson_obeys_every_rule_and_a_bad_one_is_caught():
    for rule, changes in BAD.items():
        assert list(rule(good())) == [], rule.__name__
        for number, change in enumerate(changes):
            notebook = good()
            change(notebook)
            assert list(rule(notebook)), f"{rule.__name__}, {number}"


def test_the_cell_that_installs_is_not_counted():
    for count in (30, 48):  # added to 42 - 34 cells: 38 and 56 of the lesson's own
        notebook = good()
        notebook.cells[8:] = [cell("y = 1") for _ in range(count)]
        notebook.cells.insert(1, cell("%pip install tlcourse", tags=["colab"]))
        assert list(a_short_set_up_cell_comes_second(notebook)) == []
        assert bool(list(a_lesson_has_40_to_56_cells(notebook))) == (count == 30)


def test_the_short_lesson_has_bounds_of_its_own():
    notebook = good()
    notebook.cells[0]["source"] = CARD.replace("# A lesson", "# Lesson 00 · First")
    rules = a_lesson_has_40_to_56_cells, the_prose_is_neither_short_nor_long, it_asks_and_checks
    for rule in rules:
        assert list(rule(notebook)), f"{rule.__name__}: too long, and no puzzle"
    notebook["cells"] = notebook.cells[:30]
    notebook.cells[3]["source"] = "**Figure 1.** " + "word " * 1000 + "**Puzzle 1**"
    notebook.cells.append(new_markdown_cell("**Puzzle 2**"))
    for rule in rules:
        assert list(rule(notebook)) == [], rule.__name__


def test_what_only_looks_like_a_path_is_none():
    for text in ("1/2 and a/b/c", "see ../shared/x.png", "https://arxiv.org/abs/1/2", "n/a"):
        assert not PATH.search(text)
    assert not PATH.search("$C:\\mathcal X$")


# --- the chapters ----------------------------------------------------------------------------


def test_there_are_chapters():
    assert CHAPTERS, "chapters/ holds no notebook"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapter(path):
    notebook = nbformat.read(path, as_version=4)
    faults = [f"{rule.__name__}: {fault}" for rule in BAD for fault in rule(notebook)]
    if f"/chapters/{path.name})" not in notebook.cells[0].source:
        faults.append("the badge opens another chapter")
    assert not faults, "\n" + "\n".join(faults).replace("_", " ")
