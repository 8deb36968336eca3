"""The tool behind `make execute`."""

import os
import sys

import execute
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def notebook(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def write(path, *sources):
    nbformat.write(notebook(*sources), path)
    return path


def test_a_second_run_changes_nothing(tmp_path, capsys):
    path = write(
        tmp_path / "lesson.ipynb",
        "import warnings, matplotlib.pyplot as plt, ipywidgets\nfrom tqdm.auto import tqdm",
        "warnings.warn('noise')\nfor i in tqdm(range(3)):\n    print(i)",
        "plt.plot([1, 2])\nplt.show()",
        "ipywidgets.IntSlider()",
        "for i in range(200):\n    print(i, flush=True)\nprint('late', file=__import__('sys').stderr)",
    )
    assert execute.main([str(path)]) == 0
    first = path.read_bytes()
    stamp = os.stat(path).st_mtime_ns
    assert execute.main([str(path)]) == 0
    assert path.read_bytes() == first
    assert os.stat(path).st_mtime_ns == stamp, "an unchanged notebook must not be written again"
    assert "unchanged" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.tmp"))
    imports, loop, figure, slider, prints = nbformat.read(path, as_version=4).cells
    assert [cell.execution_count for cell in (imports, loop, figure, slider)] == [1, 2, 3, 4]
    assert [output.text for output in loop.outputs] == ["0\n1\n2\n"]
    assert [list(output.data) for output in figure.outputs] == [["image/png", "text/plain"]]
    assert slider.outputs == []
    assert [output.text.count("\n") for output in prints.outputs] == [200]


def test_a_failing_notebook_is_left_as_it_was(tmp_path, capsys):
    for fault, message in {
        "1 / 0": "ZeroDivision",
        "import os; os._exit(1)": "Kernel died",
    }.items():
        path = write(tmp_path / "lesson.ipynb", "print('fine')", fault)
        before = path.read_bytes()
        assert execute.main([str(path)]) == 1
        assert path.read_bytes() == before
        assert message in capsys.readouterr().err


def test_the_kernel_works_in_the_notebooks_folder_with_this_python_and_ends(tmp_path):
    node = notebook("import os, sys\nprint(os.getpid())\nprint(os.getcwd())\nprint(sys.prefix)")
    seconds = execute.execute(node, tmp_path)
    process, *where = node.cells[0].outputs[0].text.split()
    assert where == [str(tmp_path), sys.prefix]
    assert list(seconds) == [0] and seconds[0] > 0
    with pytest.raises(ProcessLookupError):
        os.kill(int(process), 0)


def test_what_was_changed_is_named():
    before = notebook("a = 1", "b = 2", "c = 3")
    after = nbformat.from_dict(before)
    after.cells[1]["source"] = "b = 3"
    assert execute.changed_cells(before, before) == []
    assert execute.changed_cells(before, after) == [1]
    assert execute.changed_cells(before, notebook("a = 1")) == [0]


def test_the_time_until_each_figure_is_that_of_all_cells_before_it():
    picture = nbformat.v4.new_output("display_data", {"image/png": "AAAA"})
    node = notebook("a = 1", "plot()", "b = 2", "plot()")
    for cell in node.cells[1::2]:
        cell["outputs"] = [picture]
    seconds = {3: 4.0, 0: 1.0, 1: 2.5, 2: 0.5}
    assert execute.seconds_to_figures(node, seconds) == [3.5, 8.0]


def test_metadata_is_reduced_to_what_the_course_uses():
    node = new_notebook(cells=[new_code_cell("1"), new_markdown_cell("text")])
    node.metadata.update(widgets={"state": 1}, kernelspec={"name": "mine", "display_name": "Mine"})
    node.cells[0].metadata.update(tags=["gpu"], execution={"iopub.status.idle": "now"}, id="x")
    after = execute.normalise(node)
    assert after.metadata.kernelspec.name == "python3"
    assert after.metadata.language_info == {"name": "python"}
    assert "widgets" not in after.metadata
    assert after.cells[0].metadata == {"tags": ["gpu"]}
    assert "widgets" in node.metadata, "the notebook that was passed in must stay as it was"
    assert [cell.id for cell in after.cells] == [cell.id for cell in node.cells]
    assert execute.normalise(after) == after
    nbformat.validate(after)
