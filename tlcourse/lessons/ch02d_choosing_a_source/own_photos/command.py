"""Lesson 02d: your own photographs, through the experiment that ants and bees went through.

    python -m tlcourse photos FOLDER

needs one folder a class inside FOLDER. Its figures are written beside it, or where you may write.
"""

import argparse
import contextlib
import os
import tempfile
from pathlib import Path

from tlcourse import console
from tlcourse.lessons.ch02d_choosing_a_source.own_photos import drawing, page
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.belonging import together
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.judging import Results, judge
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.reading import Album, read
from tlcourse.lessons.ch02d_choosing_a_source.own_photos.recipe import recipe

FINE, LOOK, UNREADABLE = 0, 1, 2
STATUS = "0 all fine, 1 something needs you, 2 the folder or an option cannot be used"


def compare(folder, by: str | None = None, seeds: int | None = None) -> Results:
    """Run the whole experiment on a folder of photographs.

    Parameters
    ----------
    folder : str or Path
        One folder a class.
    by : str, optional
        What belongs together: "folder", "name", or a regular expression, see `belonging.groups_by`.
    seeds : int, optional
        Draws of the labels.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder cannot be used, the ImageNet weights are missing, or a class has too few.
    """
    album = together(read(folder), by)
    return judge(album, seeds) if seeds else judge(album)


def main() -> int:
    """Does transfer pay on your own photographs? Print what was found, save figures and a page."""
    parser = argparse.ArgumentParser(description=main.__doc__, epilog=f"exit status: {STATUS}")
    parser.add_argument("folder", type=console.as_written, help="one folder a class inside")
    parser.add_argument("--html", type=console.as_written, metavar="FILE", help="write a page too")
    parser.add_argument(
        "--groups",
        type=console.as_written,
        metavar="BY",
        help="what belongs together, and stays on one side of the division: 'folder' (below the class), "
        "'name' (of the file up to the first _, - or space), or a regular expression for file names",
    )
    given = parser.parse_args()
    try:
        album = together(read(given.folder), given.groups)
    except (FileNotFoundError, ValueError) as problem:
        parser.exit(UNREADABLE, f"{problem}\n")
    return report(album, Path(os.path.abspath(os.path.expanduser(given.folder))), given.html)


def report(album: Album, folder: Path, html: str | None) -> int:
    """Judge, save, then print; return the exit status."""
    problems, lines, inside, files = list(album.problems), list(album.said), "", {}
    try:
        results = judge(album)
    except (FileNotFoundError, ValueError) as problem:  # no weights; too few in a class
        problems.append(str(problem))
    else:
        problems += results.problems
        lines += results.notes
        files, lacking = drawing.png(results)
        inside = page.measured(results, files)
        lines += [lacking] * bool(lacking) + _numbers(results)
    saved = [save(folder, f"{folder.name}-{name}.png", content) for name, content in files.items()]
    if html:
        whole = page.page(folder.name, lines, problems, inside)
        path = Path(os.path.abspath(os.path.expanduser(html)))
        saved.append(save(path, path.name, whole.encode(errors="replace")))
    for line in [*lines, *(f"look: {problem}" for problem in problems), *saved]:
        print(line)
    return LOOK if problems else FINE


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
        with contextlib.suppress(OSError):
            place.joinpath(name).write_bytes(content)
            return f"saved {place / name}{words}."
    return f"{name} could not be saved: no folder can be written to."
