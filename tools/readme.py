"""Write the README's chapter table and its figure from the executed notebooks.

    python tools/readme.py

`make execute` runs it after the notebooks; a test fails when the README is stale.
"""

import base64
import re
from collections import Counter
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"(<!-- chapters: [^>]*-->\n).*(<!-- end of chapters -->)", re.DOTALL)
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


def figure_before(notebook, caption):
    """Return the PNG of the cell just before the Markdown cell that begins with `caption`."""
    for cell, after in zip(notebook.cells, notebook.cells[1:], strict=False):
        if after.source.startswith(caption):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    raise ValueError(f"no figure stands before {caption!r}: run make execute first.")


def main():
    """Rewrite README.md and the figure it shows."""
    paths = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
    notebooks = {path.name: nbformat.read(path, as_version=4) for path in paths}
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    table = chapter_table(notebooks)
    readme.write_text(BLOCK.sub(lambda m: m[1] + table + m[2], text), encoding="utf-8")
    figure = ROOT / "chapters" / "figures" / "01_concepts.png"
    figure.parent.mkdir(exist_ok=True)
    figure.write_bytes(figure_before(notebooks["01_concepts.ipynb"], "**Figure 4.**"))


if __name__ == "__main__":
    main()
