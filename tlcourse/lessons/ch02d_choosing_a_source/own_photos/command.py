"""Lesson 02d: your own photographs, through the experiment that ants and bees went through.

    python -m tlcourse photos FOLDER

needs one folder a class inside FOLDER. Its figures are written beside it, or where you may write.
"""

import argparse
import contextlib
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from tlcourse import console
from tlcourse.data import folders
from tlcourse.lessons.ch02d_choosing_a_source.own_photos import drawing, page
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.belonging import together
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.judging import Results, judge
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.reading import Album, read
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.recipe import recipe

FINE, LOOK, UNREADABLE = 0, 1, 2
STATUS = "0 all fine, 1 something needs you, 2 the folder or an option cannot be used"


class Examined(NamedTuple):
    """What is said of a folder: what was read, what was measured, what needs a look, and figures."""

    read: list[str]
    measured: list[str]
    problems: list[str]
    figures: dict[str, bytes]
    inside: str = ""  # HTML of what was measured

    def lines(self) -> list[str]:
        """Return all sentences, one a line."""
        return [*self.read, *self.measured, *(f"look: {problem}" for problem in self.problems)]


def examine(album: Album) -> Examined:
    """Judge an album from `belonging.together`; what cannot be judged becomes a problem."""
    try:
        results = judge(album)
    except (FileNotFoundError, ValueError) as problem:  # no weights; too few in a class
        return Examined(album.said, [], [*album.problems, str(problem)], {})
    files, lacking = drawing.png(results)
    said = [*album.said, *results.notes, *[lacking] * bool(lacking)]
    problems = album.problems + results.problems
    return Examined(said, _numbers(results), problems, files, page.measured(results, files))


def show(folder, by: str | None = None) -> None:
    """Do the same in a notebook: print what was found in a folder, and show the figures.

    Parameters
    ----------
    folder : str or Path
        One folder a class.
    by : str, optional
        What belongs together: "folder", "name", a .csv or a regular expression, see
        `belonging.groups_by`.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder cannot be used.
    """
    from IPython.display import Image, display  # only a notebook calls this, and it has IPython

    report = examine(together(read(folder), by))
    print(*report.lines(), sep="\n")
    display(*(Image(content) for content in report.figures.values()))


def main() -> int:
    """Measure whether transfer pays on your photographs; print what was found, save figures."""
    parser = argparse.ArgumentParser(description=main.__doc__, epilog=f"exit status: {STATUS}")
    parser.add_argument("folder", help="one folder a class inside")
    parser.add_argument("--html", metavar="FILE", help="write a page too")
    parser.add_argument(
        "--groups",
        type=console.as_written,
        metavar="BY",
        help="what belongs together, and stays on one side of the division: 'folder' (below the class), "
        "'name' (of the file up to the first _, - or space), a .csv of files and groups, or a regular "
        "expression for file names",
    )
    given = parser.parse_args()
    try:
        album = together(read(given.folder), given.groups)
    except (FileNotFoundError, ValueError) as problem:
        parser.exit(UNREADABLE, f"{problem}\n")
    report = examine(album)
    saved = save_all(report, _absolute(given.folder), given.html and _absolute(given.html))
    print(*report.lines(), *saved, sep="\n")  # last, so that a failing print loses no figure
    return LOOK if report.problems else FINE


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))


def save_all(report: Examined, folder: Path, html: Path | None) -> list[str]:
    """Write the figures beside the folder, and the page; say where they are."""
    name = folders.shown(folder)
    saved = [
        save(folder, f"{folder.name}-{kind}.png", content)
        for kind, content in report.figures.items()
    ]
    if html:
        whole = page.page(name, report.read, report.problems, report.inside)
        saved.append(save(html, html.name, whole.encode(errors="replace")))
    return saved


def _numbers(results: Results) -> list[str]:
    """Return the accuracies with the most labels, the verdicts and the recipe, a line each."""
    lines = []
    for balanced, kind in ((True, "balanced accuracy"), (False, "plain accuracy")):
        found = [
            f"{method} {100 * values[:, -1].mean():.1f} %"
            for method, values in results.accuracy(balanced).items()
        ]
        least = f"always the commonest class {100 * results.majority(balanced):.1f} %"
        lines.append(f"{results.budgets[-1]} labels a class, {kind}: {', '.join([*found, least])}.")
    return [*lines, *map(str, results.judged()), *(f"recipe: {line}" for line in recipe(results))]


def save(wanted: Path, name: str, content: bytes) -> str:
    """Write a file beside `wanted`, else here, else into a temporary folder; say where.

    Parameters
    ----------
    wanted : Path
        The reader's folder, or the page to be written.
    name : str
    content : bytes
    """
    for place, words in (
        (wanted.parent, ""),
        (Path.cwd(), ", as the folder above cannot be written to"),
        (Path(tempfile.gettempdir()), ", as no nearer folder can be written to"),
    ):
        with contextlib.suppress(OSError, ValueError):  # no right, no room, no such name
            place.joinpath(name).write_bytes(content)
            return f"saved {_shown(place / name)}{words}."
    return f"{_shown(name)} could not be saved: no folder can be written to."


def _shown(path) -> str:
    return os.fsencode(path).decode(errors="replace")
