"""The tool behind `make execute`."""

import os
import sys

import execute
import nbformat
import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)


def notebook(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def write(path, *sources):
    nbformat.write(notebook(*sources), path)
    return path


def printed(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_a_second_run_changes_nothing(tmp_path, capsys):
    path = write(
        tmp_path / "lesson.ipynb",
        "import warnings, matplotlib.pyplot as plt, ipywidgets\nfrom tqdm.auto import tqdm",
        "warnings.warn('noise')\nfor i in tqdm(range(3)):\n    print(i)",
        "plt.plot([1, 2])\nplt.show()",
        "ipywidgets.IntSlider()",
    )
    assert execute.main([str(path)]) == 0
    first = path.read_bytes()
    stamp = os.stat(path).st_mtime_ns
    assert execute.main([str(path)]) == 0
    assert path.read_bytes() == first
    assert os.stat(path).st_mtime_ns == stamp, "an unchanged notebook must not be written again"
    assert "unchanged" in capsys.readouterr().out
    assert not list(tmp_path.glob("*.tmp"))
    imports, loop, figure, slider = nbformat.read(path, as_version=4).cells
    assert [cell.execution_count for cell in (imports, loop, figure, slider)] == [1, 2, 3, 4]
    assert [output.text for output in loop.outputs] == ["0\n1\n2\n"]
    assert [list(output.data) for output in figure.outputs] == [["image/png", "text/plain"]]
    assert slider.outputs == []


@pytest.mark.parametrize(
    ("fault", "message"),
    [("1 / 0", "ZeroDivisionError"), ("import os; os._exit(1)", "Kernel died")],
)
def test_a_failing_notebook_is_left_as_it_was(tmp_path, capsys, fault, message):
    path = write(tmp_path / "lesson.ipynb", "print('fine')", fault)
    before = path.read_bytes()
    assert execute.main([str(path)]) == 1
    assert path.read_bytes() == before
    assert message in capsys.readouterr().err


def test_no_kernel_is_left_behind(tmp_path):
    node = notebook("import os\nprint(os.getpid())")
    execute.execute(node, tmp_path)
    with pytest.raises(ProcessLookupError):
        os.kill(int(node.cells[0].outputs[0].text), 0)


def test_the_kernel_works_in_the_notebooks_folder_with_this_python(tmp_path):
    node = notebook("import os, sys\nprint(os.getcwd())\nprint(sys.prefix)")
    seconds = execute.execute(node, tmp_path)
    assert node.cells[0].outputs[0].text.split() == [str(tmp_path), sys.prefix]
    assert list(seconds) == [0] and seconds[0] > 0


def test_what_was_changed_is_named():
    before = notebook("a = 1", "b = 2", "c = 3")
    after = nbformat.from_dict(before)
    after.cells[1]["source"] = "b = 3"
    assert execute.changed_cells(before, before) == []
    assert execute.changed_cells(before, after) == [1]
    assert execute.changed_cells(before, notebook("a = 1")) == [0]


@pytest.mark.parametrize(
    ("outputs", "kept"),
    [
        ([printed("a\n"), printed("b\n")], ["a\nb\n"]),
        ([printed("a\n"), printed("warning", "stderr"), printed("b\n")], ["a\nb\n"]),
        ([printed("a\n100%|████| 3/3 [00:01<00:00]\nb\n")], ["a\nb\n"]),
        ([printed(" 40%|██  | 2/5\r100%|████| 5/5\n")], []),
        ([new_output("display_data", {execute.WIDGET: {}, "text/plain": "IntSlider()"})], []),
    ],
)
def test_outputs_that_differ_from_run_to_run_are_left_out(outputs, kept):
    assert [output.text for output in execute.normalise_outputs(outputs)] == kept


def test_a_figure_between_two_prints_keeps_its_place():
    figure = new_output("display_data", {"image/png": "", "text/plain": "<Figure>"})
    outputs = execute.normalise_outputs([printed("a"), figure, printed("b")])
    assert [output.output_type for output in outputs] == ["stream", "display_data", "stream"]


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
    nbformat.validate(after)


def test_a_cell_keeps_its_name_when_another_is_inserted():
    before = execute.normalise(notebook("a = 1", "b = 2", "b = 2"))
    after = execute.normalise(notebook("new", "a = 1", "b = 2", "b = 2"))
    names = [cell.id for cell in before.cells]
    assert len(set(names)) == 3
    assert [cell.id for cell in after.cells[1:]] == names
    assert execute.normalise(after) == after
