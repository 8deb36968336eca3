"""Run the lessons on a GPU, and store how long they took and whether the verdicts are the same.

    python benchmarks/gpu.py                          every lesson, one after the other
    python benchmarks/gpu.py --scale full 06 01       two of them, in this order, at full scale
    python benchmarks/gpu.py --jobs 4                 four side by side: shorter, but each waits for the others

A lesson that raises an error goes on with its next cell, so that one run shows every error. The
notebooks are left as they are; benchmarks/gpu.json is written, and tools/readme.py makes a table of it.
"""

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

import execute
import nbformat
import readme
import torch
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from tqdm import tqdm

from tlcourse import runtime

STORE = readme.GPU
LESSONS = sorted(execute.CHAPTERS.glob("[0-9]*.ipynb"))


def run(path, timeout):
    """Run one lesson, at most `timeout` seconds a cell, and return what became of it.

    Returns
    -------
    dict
        ``seconds``; ``verdicts``, the lines "row | claim | verdict"; ``other``, those of them that
        the stored notebook, run on a CPU at quick scale, does not have; ``errors`` and the seconds of
        the three ``slowest`` cells, by cell; what cells about ``real data`` print.
    """
    stored = nbformat.read(path, as_version=4)
    notebook = nbformat.from_dict(stored)
    start, cells, stopped = time.perf_counter(), {}, {}
    try:
        cells = execute.execute(notebook, path.parent, timeout, allow_errors=True)
    except (CellTimeoutError, DeadKernelError) as error:
        stopped = {"stopped": str(error)}
    found = summary(stored, notebook) | {"seconds": round(time.perf_counter() - start, 1)}
    found["slowest"] = {n: round(cells[n], 1) for n in sorted(cells, key=cells.get)[-3:]}
    found["errors"] |= stopped
    return found


def summary(stored, notebook):
    """Compare an executed notebook with the stored one; see `run`."""
    verdicts, before = readme.verdict_lines(notebook), readme.verdict_lines(stored)
    errors = {
        position: f"{output.ename}: {output.evalue}"
        for position, cell in enumerate(notebook.cells)
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }
    printed = ["".join(o.get("text", "") for o in c.get("outputs", [])) for c in notebook.cells]
    real = [line for text in printed if readme.REAL.search(text) for line in text.splitlines()]
    other = [line for line in verdicts if line not in before]
    return {"verdicts": verdicts, "other": other, "errors": errors, "real data": real}


def machine():
    """Return what the times depend on."""
    return {"device": torch.cuda.get_device_name(), "torch": torch.__version__}


def read():
    """Return what is stored; at first, nothing."""
    return json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}


def write(store):
    """Store it as text that a person can read."""
    STORE.write_text(
        json.dumps(store, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        encoding="utf-8",
        newline="\n",
    )


def main(arguments=None):
    """Run the lessons named on the command line; return 1 if one raised an error."""
    parser = argparse.ArgumentParser(description="Run the lessons on a GPU.")
    parser.add_argument("lessons", nargs="*", help="the first letters of a name; default: all")
    parser.add_argument("--scale", choices=["quick", "full"], default="quick")
    parser.add_argument("--jobs", type=int, default=1, help="lessons side by side")
    parser.add_argument("--timeout", type=int, default=3600, help="seconds for a cell")
    chosen = parser.parse_args(arguments)
    paths = [p for letters in chosen.lessons for p in LESSONS if p.name.startswith(letters)]
    if chosen.lessons and not paths:
        parser.error(f"no lesson begins with {chosen.lessons}")
    paths = paths or LESSONS
    os.environ |= {"TLCOURSE_DEVICE": "cuda", "TLCOURSE_SCALE": chosen.scale, "TLCOURSE_SEED": "0"}
    os.environ.pop("MPLBACKEND", None)
    store = read()
    conditions = machine() | {"jobs": chosen.jobs, "processes": runtime.workers()}
    with ThreadPoolExecutor(chosen.jobs) as pool:
        lessons = {pool.submit(run, path, chosen.timeout): path.name for path in paths}
        for done in tqdm(as_completed(lessons), "lessons", len(lessons)):
            name, found = lessons[done], done.result()
            store.setdefault(chosen.scale, {})[name] = found | conditions
            write(store)
            tqdm.write(f"{found['seconds']:7.1f} s  {name}  slowest cells: {found['slowest']}")
            for line in (*found["other"], *found["errors"].items()):
                tqdm.write(f"           {line}")
    return int(any(store[chosen.scale][path.name]["errors"] for path in paths))


if __name__ == "__main__":
    sys.exit(main())
