"""Write the README's tables and its figure from the executed notebooks and from tools/gpu.json.

    python tools/readme.py

`make execute` runs it after the notebooks; a test fails when the README is stale.
"""

import base64
import json
import re
from collections import Counter
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
GPU = Path(__file__).parent / "gpu.json"
SYMBOLS = {"holds": "✓ holds", "partly": "~ partly", "fails": "✗ fails"}


def chapter_table(notebooks):
    """Return Markdown: a line a chapter, and below it, folded, the verdict on each of its claims.

    Parameters
    ----------
    notebooks : dict of str to nbformat.NotebookNode
        By file name, executed.
    """
    verdicts = ", ".join(SYMBOLS.values())
    lines = [f"| chapter | time on 2 CPU cores | handbook | {verdicts} |", "|---|---|---|---|"]
    folded = []
    for name, notebook in notebooks.items():
        card = notebook.cells[0].source
        title = re.search(r"^# (.+)$", card, re.MULTILINE).group(1)
        minutes = re.search(r"about \d+ min(?= of computing)", card).group(0)
        rows = ", ".join(sorted(set(re.findall(r"H\d\.\d\w?", card))))
        claims = [line.split(" | ") for line in verdict_lines(notebook)]
        counts = Counter(verdict for _, _, verdict in claims)
        tally = " · ".join(f"{counts[v]} {SYMBOLS[v][0]}" for v in SYMBOLS if counts[v])
        lines.append(f"| [{title}](chapters/{name}) | {minutes} | {rows} | {tally} |")
        folded += [
            "",
            f"<details><summary>{title.split(' · ')[0]}: its {len(claims)} claims</summary>",
            "",
        ]
        folded += ["| handbook | claim, as measured | verdict |", "|---|---|---|"]
        folded += [f"| {row} | {text} | {SYMBOLS[verdict]} |" for row, text, verdict in claims]
        folded += ["", "</details>"]
    return "\n".join(lines + folded) + "\n"


def verdict_lines(notebook):
    """Return the lines ``row | claim | verdict`` that the notebook's checked cells printed."""
    checked = (c for c in notebook.cells if "nbval-check-output" in c.metadata.get("tags", []))
    return [line for c in checked for o in c.outputs for line in o.get("text", "").splitlines()]


def gpu_table(stored, notebooks):
    """Return Markdown: the time and the verdicts of every lesson on a GPU, and what makes it quicker.

    Parameters
    ----------
    stored : dict
        What tools/gpu.py and tools/gpu_steps.py wrote.
    notebooks : dict of str to nbformat.NotebookNode
        By file name, executed on a CPU.
    """
    quick, full = stored["quick"], stored["full"]
    lines = ["| chapter | quick | full | the same verdicts as on a CPU, quick | full |"]
    lines += ["|---|---|---|---|---|"]
    for name in notebooks:
        cells = [name.split("_")[0].lstrip("0")]
        runs = [kept["lessons"].get(name) for kept in (quick, full)]
        cells += [f"{found['seconds']:.0f} s" if found else "as quick" for found in runs]
        for found in runs:
            n = len(found["verdicts"]) if found else 0
            cells.append(f"{n - len(found['other'])} of {n}" if found else "as quick")
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", *(f"{scale}: {_conditions(stored[scale])}" for scale in ("quick", "full"))]
    return "\n".join(lines) + "\n"


def _conditions(kept):
    return f"{kept['device']}, PyTorch {kept['torch']}, {kept['jobs']} lessons side by side."


def replaced(text, name, block):
    """Return `text` with what stands between the comments of that name replaced by `block`."""
    between = re.compile(rf"(<!-- {name}: [^>]*-->\n).*(<!-- end of {name} -->)", re.DOTALL)
    return between.sub(lambda m: m[1] + block + m[2], text)


def figure_before(notebook, caption):
    """Return the PNG of the cell just before the Markdown cell that begins with `caption`."""
    for cell, after in zip(notebook.cells, notebook.cells[1:], strict=False):
        if after.source.startswith(caption):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    raise ValueError(f"no figure stands before {caption!r}: run make execute first.")


def main():
    """Rewrite the tables of README.md and the figure it shows."""
    paths = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
    notebooks = {path.name: nbformat.read(path, as_version=4) for path in paths}
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    text = replaced(text, "chapters", chapter_table(notebooks))
    stored = json.loads(GPU.read_text(encoding="utf-8"))
    readme.write_text(replaced(text, "gpu", gpu_table(stored, notebooks)), encoding="utf-8")
    figure = ROOT / "chapters" / "figures" / "01_concepts.png"
    figure.parent.mkdir(exist_ok=True)
    figure.write_bytes(figure_before(notebooks["01_concepts.ipynb"], "**Figure 4.**"))


if __name__ == "__main__":
    main()
