"""Run notebooks and store their outputs, so that a second run on the same machine changes nothing.

    python tools/execute.py                            every chapter
    python tools/execute.py chapters/01_concepts.ipynb one of them

What differs from run to run is left out of the file: progress bars, warnings, widget state (a saved
widget without its kernel is an error box), times. ``TLCOURSE_SEED``, ``TLCOURSE_SCALE`` and
``TLCOURSE_DEVICE`` are 0, quick and cpu unless they are set.
"""

import argparse
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import nbformat
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

CHAPTERS = Path(__file__).parent.parent / "chapters"
KEPT = {"tags", "nbgrader"}  # what a cell's metadata may hold
WIDGET = "application/vnd.jupyter.widget-view+json"


def normalise(notebook):
    """Return a copy without anything that differs from run to run.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Any notebook of format 4.

    Returns
    -------
    nbformat.NotebookNode
        The same cells and figures; normalising it again changes nothing.
    """
    cells = []
    for cell in notebook.cells:
        kept = {key: value for key, value in cell.metadata.items() if key in KEPT}
        cells.append({**cell, "metadata": kept})
        if cell.cell_type == "code":
            cells[-1]["outputs"] = [output for output in cell.outputs if is_kept(output)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    fixed = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return nbformat.from_dict(fixed)


def is_kept(output):
    """Whether an output is none of standard error (warnings, progress bars) and no widget."""
    return output.get("name") != "stderr" and WIDGET not in output.get("data", {})


def execute(notebook, folder, timeout=300, **options):
    """Run every cell in this very Python and return the seconds of each code cell.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Its outputs are replaced.
    folder : path
        Where the kernel works: the notebook's own folder.
    timeout : int
        Seconds after which a cell is given up.
    **options
        More for the client, such as ``allow_errors=True``, which goes on after an error.

    Returns
    -------
    dict of int to float
        Seconds by the cell's position in the notebook.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell raised an error.
    nbclient.exceptions.CellTimeoutError
        A cell took longer than ``timeout``.
    nbclient.exceptions.DeadKernelError
        The kernel died, most often for want of memory.
    """
    manager = AsyncKernelManager(kernel_name="python3")
    # A "python3" kernel that the user registered elsewhere must not take the place of this Python.
    manager._kernel_spec = KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())
    resources = {"metadata": {"path": str(folder)}}
    options |= {"timeout": timeout, "resources": resources, "coalesce_streams": True}
    client = NotebookClient(notebook, km=manager, **options)
    client.execute(cleanup_kc=True, stderr=subprocess.DEVNULL)
    return {
        position: _seconds(cell.metadata.execution)
        for position, cell in enumerate(notebook.cells)
        if "execution" in cell.metadata
    }


def _seconds(times):
    started, ended = times["iopub.execute_input"], times["shell.execute_reply"]
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()


def seconds_to_figures(notebook, seconds):
    """Return after how many seconds of computing each figure of a notebook stood there."""
    passed, found = 0.0, []
    for position in sorted(seconds):
        passed += seconds[position]
        outputs = notebook.cells[position].get("outputs", [])
        if any("image/png" in output.get("data", {}) for output in outputs):
            found.append(passed)
    return found


def changed_cells(before, after):
    """Return the positions of the cells that differ; all of them when cells came or went."""
    if len(before.cells) != len(after.cells):
        return list(range(len(after.cells)))
    pairs = enumerate(zip(before.cells, after.cells, strict=True))
    return [position for position, (old, new) in pairs if old != new]


def refresh(path):
    """Run one notebook and rewrite its file if anything in it changed."""
    before = nbformat.read(path, as_version=4)
    notebook = nbformat.from_dict(before)
    start = time.perf_counter()
    seconds = execute(notebook, path.parent)
    total = time.perf_counter() - start
    after = normalise(notebook)
    slowest = sorted(seconds, key=seconds.get, reverse=True)[:3]
    times = ", ".join(f"cell {position} {seconds[position]:.1f} s" for position in slowest)
    figures = ", ".join(f"{passed:.0f}" for passed in seconds_to_figures(notebook, seconds)[:2])
    print(f"{total:7.1f} s  {path.name}: {times}; first figures after {figures or '–'} s")
    text = nbformat.writes(after) + "\n"
    if text == path.read_text(encoding="utf-8"):
        print("           unchanged")
        return
    print("           changed cells:", *changed_cells(before, after) or ["metadata only"])
    scratch = path.with_suffix(".tmp")
    scratch.write_text(text, encoding="utf-8", newline="\n")
    os.replace(scratch, path)


def main(arguments=None):
    """Run the notebooks named on the command line; return 1 at the first that fails."""
    parser = argparse.ArgumentParser(description="Run notebooks and store their outputs.")
    parser.add_argument("notebooks", nargs="*", type=Path, help="default: every chapter")
    notebooks = parser.parse_args(arguments).notebooks
    for name, value in {"SEED": "0", "SCALE": "quick", "DEVICE": "cpu"}.items():
        os.environ.setdefault(f"TLCOURSE_{name}", value)
    os.environ.pop("MPLBACKEND", None)  # the figures go into the notebook
    for path in notebooks or sorted(CHAPTERS.glob("[0-9]*.ipynb")):
        try:
            refresh(path)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            print(f"{path} was left as it was: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
