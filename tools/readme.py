"""Write the README's table and figure from the executed notebooks, and those of benchmarks/README.md.

    python tools/readme.py

`make execute` runs it after the notebooks; a test fails when the README is stale.
"""

import base64
import json
import re
from collections import Counter
from pathlib import Path

import nbformat

from tlcourse.verdicts import NOTE, judging

ROOT = Path(__file__).parent.parent
GPU = ROOT / "benchmarks" / "gpu.json"
REAL = re.compile("MNIST|Omniglot|ImageNet")
OLD = {"holds": "✓ holds", "partly": "~ partly", "fails": "✗ fails"}  # before the protocol
SYMBOLS = {name: f"{symbol} {name}" for name, symbol in judging.SYMBOLS.items()}


def chapter_table(notebooks):
    """Return Markdown: a line a chapter, with the tally of its verdicts.

    Parameters
    ----------
    notebooks : dict of str to nbformat.NotebookNode
        By file name, executed.
    """
    lines = ["| lesson | time on 2 CPU cores | handbook | verdicts |", "|---|---|---|---|"]
    everything = Counter()
    for name, notebook in notebooks.items():
        card = notebook.cells[0].source
        minutes = re.search(r"about \d+ min(?= of computing)", card).group(0)
        rows = ", ".join(sorted(set(re.findall(r"H\d\.\d\w?", card))))
        counts = Counter(line.split(" | ")[2] for line in verdict_lines(notebook))
        before = written_before_the_protocol(notebook)
        everything += Counter() if before else counts
        tally = tallied(counts, OLD if before else SYMBOLS) + " †" * before
        lines.append(f"| [{title(notebook)}](chapters/{name}) | {minutes} | {rows} | {tally} |")
    lines += ["", "All claims under the protocol: " + words(everything) + ".", *footnote(notebooks)]
    return "\n".join(lines) + "\n"


def tallied(counts, symbols):
    """Return the counts of verdicts with their signs, such as ``3 ✓ · 1 ?``."""
    by_sign = dict.fromkeys((words.split()[0] for words in symbols.values()), 0)  # ✓ has two names
    for name, words in symbols.items():
        by_sign[words.split()[0]] += counts[name]
    return " · ".join(f"{count} {sign}" for sign, count in by_sign.items() if count)


def words(counts):
    """Return all six verdicts of "better", and those of "as good as", with their counts."""
    return ", ".join(f"{counts[name]} {symbol}" for name, symbol in SYMBOLS.items())


def claims_page(notebooks):
    """Return Markdown: a heading a chapter, and the verdict on each of its claims."""
    lines = footnote(notebooks)
    for name, notebook in notebooks.items():
        lines += ["", f"## [{title(notebook)}]({name})", ""]
        lines += ["| handbook | claim, as measured | verdict |", "|---|---|---|"]
        for row, text, verdict in (line.split(" | ") for line in verdict_lines(notebook)):
            lines.append(f"| {row} | {text} | {(OLD | SYMBOLS)[verdict]} |")
    return "\n".join(lines).strip() + "\n"


def title(notebook):
    """Return a lesson's title."""
    return re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE).group(1)


def footnote(notebooks):
    """Return what the dagger means, if a lesson has one."""
    some = any(map(written_before_the_protocol, notebooks.values()))
    return ["", f"† {NOTE}: read these verdicts with care."] if some else []


def written_before_the_protocol(notebook):
    """Whether a lesson's stored table of verdicts says so."""
    tables = (
        o.get("data", {}).get("text/plain", "")
        for c in notebook.cells
        for o in c.get("outputs", [])
    )
    return any(NOTE in table for table in tables)


def verdict_lines(notebook):
    """Return the lines ``row | claim | verdict`` that the notebook's checked cells printed."""
    checked = (c for c in notebook.cells if "nbval-check-output" in c.metadata.get("tags", []))
    return [line for c in checked for o in c.outputs for line in o.get("text", "").splitlines()]


def gpu_table(stored, notebooks):
    """Return Markdown: the time and the verdicts of the lessons that were measured on a GPU.

    Parameters
    ----------
    stored : dict
        What benchmarks/gpu.py wrote. A lesson that claims something else by now counts as not run.
    notebooks : dict of str to nbformat.NotebookNode
        By file name, executed on a CPU.
    """
    lines = ["| lesson | scale | time | verdicts as on a CPU at quick scale |", "|---|---|---|---|"]
    conditions, real = {}, []
    for name, notebook in notebooks.items():
        lesson = name.split("_")[0].lstrip("0")
        for scale in ("quick", "full"):
            found = stored[scale].get(name)
            if not found or _claims(found["verdicts"]) != _claims(verdict_lines(notebook)):
                continue
            note = conditions.setdefault(_conditions(found), "abcdefgh"[len(conditions)])
            n = len(found["verdicts"])
            same = f"{n - len(found['other'])} of {n}"
            lines.append(f"| {lesson} | {scale} | {found['seconds']:.0f} s ({note}) | {same} |")
        if name in stored["full"]:
            real += [f"- Lesson {lesson}, full: {line}" for line in _real(stored["full"][name])]
    lines += ["", *(f"({note}) {text}<br>" for text, note in conditions.items())]
    return "\n".join([*lines, "", *real]) + "\n"


def _claims(lines):
    """Return what is claimed in lines ``row | claim | verdict``, without the verdicts."""
    return [line.rsplit(" | ", 1)[0] for line in lines]


def _conditions(found):
    processes = "1 process" if found["processes"] == 1 else f"{found['processes']} processes"
    return (
        f"{found['device']}, PyTorch {found['torch']}, {found['jobs']} lessons side by side, each "
        f"with {processes}"
    )


def _real(found):
    """Return what was measured on real data, a sentence each."""
    return [line for line in found["real data"] if REAL.match(line)]


def gpu_steps(steps):
    """Return Markdown: what makes training on a GPU quicker, as benchmarks/gpu_steps.py measured it."""
    seconds, meta = steps["workers"]["seconds"], steps["meta-step"]
    (_, one), (several, many) = sorted(seconds.items(), key=lambda pair: int(pair[0]))
    lines = [
        (
            f"- **Several processes share it.** {steps['workers']['draws']} draws of lesson 1's "
            f"networks: {one} s with one process, {many} s with {several}. One process alone cannot "
            "keep a GPU busy with networks so small."
        ),
        (
            "- **CUDA graphs.** A meta-step of lesson 6 at full scale: "
            f"{meta['one by one']:.0f} ms when its kernels are started one by one, "
            f"{meta['one graph']:.0f} ms as one graph."
        ),
    ]
    for name, times in sorted(steps["precision"].items(), key=lambda item: item[1]["float32"]):
        pays = "pays" if times["float32"] > 1.2 * times["bfloat16"] else "does not pay"
        given = ", ".join(f"{times[p]:.1f} ms in {p}" for p in ("float32", "TF32", "bfloat16"))
        lines.append(f"- **Half precision {pays}** for {name}: a training step takes {given}.")
    return "\n".join(lines) + "\n"


def replaced(text, name, block):
    """Return `text` with what stands between the comments of that name replaced by `block`."""
    between = re.compile(rf"(<!-- {name}: [^>]*-->\n).*(<!-- end of {name} -->)", re.DOTALL)
    return between.sub(lambda m: m[1] + block + m[2], text)


def rewrite(path, blocks):
    """Replace what stands between a file's comments of these names."""
    text = path.read_text(encoding="utf-8")
    for name, block in blocks.items():
        text = replaced(text, name, block)
    path.write_text(text, encoding="utf-8", newline="\n")


def figure_before(notebook, caption):
    """Return the PNG of the cell just before the Markdown cell that begins with `caption`."""
    for cell, after in zip(notebook.cells, notebook.cells[1:], strict=False):
        if after.source.startswith(caption):
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    return base64.b64decode(output.data["image/png"])
    raise ValueError(f"no figure stands before {caption!r}: run make execute first.")


def main():
    """Rewrite the generated tables, and the figure that README.md shows."""
    paths = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
    notebooks = {path.name: nbformat.read(path, as_version=4) for path in paths}
    stored = json.loads(GPU.read_text(encoding="utf-8"))
    rewrite(ROOT / "README.md", {"chapters": chapter_table(notebooks)})
    rewrite(ROOT / "chapters" / "verdicts.md", {"claims": claims_page(notebooks)})
    blocks = {"gpu": gpu_table(stored, notebooks), "gpu steps": gpu_steps(stored["steps"])}
    rewrite(GPU.with_name("README.md"), blocks)
    figure = ROOT / "chapters" / "figures" / "01_concepts.png"
    figure.parent.mkdir(exist_ok=True)
    figure.write_bytes(figure_before(notebooks["01_concepts.ipynb"], "**Figure 2.**"))


if __name__ == "__main__":
    main()
