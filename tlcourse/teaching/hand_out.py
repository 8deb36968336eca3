"""Copy the lessons into a folder of one's own: ``python -m tlcourse lessons FOLDER``.

They come from the checkout, or from what the installed course carries. Solutions are never among
them.
"""

import argparse
import os
import shutil
from importlib import metadata
from pathlib import Path

CHECKOUT = Path(__file__).parents[2] / "chapters"
GIVEN = ("*.ipynb", "*.md", "figures/*", "assignments/release/*/*.ipynb")


def lessons() -> Path:
    """Return the folder that holds the lessons."""
    if CHECKOUT.exists():
        return CHECKOUT
    for file in metadata.files("tlcourse") or []:
        if file.name == "01_concepts.ipynb":
            return Path(file.locate()).resolve().parent
    raise FileNotFoundError("the lessons are not here: install the course again, or clone it.")


def hand_out(folder: Path) -> list[Path]:
    """Copy into a folder what is not there yet; what is there is never touched.

    Returns
    -------
    list of Path
        The files that were written.
    """
    written, home = [], lessons()
    for source in (path for pattern in GIVEN for path in sorted(home.glob(pattern))):
        target = folder / source.relative_to(home)
        if not (target.exists() or target.is_symlink()):  # a link may lead nowhere yet
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            written.append(target)
    return written


def main() -> None:
    """Copy lessons and exercises into a folder; a file that is there already stays as it is."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path)
    folder = Path(os.path.expanduser(parser.parse_args().folder))
    try:
        written = hand_out(folder)
    except OSError as error:  # a file in the way, no right to write, no room
        parser.error(f"nothing more can be written to {folder}: {error.strerror or error}.")
    print(f"{len(written)} files are new in {folder}; open them with: jupyter lab {folder}")
