"""What to copy into a problem report: where the course runs, without names of your folders.

    python -m tlcourse report

A setting that stops a lesson does not stop the report: its sentence stands in the line.
"""

import os
import platform
import re
from importlib import metadata

SETTINGS = ("TLCOURSE_DEVICE", "TLCOURSE_SCALE", "TLCOURSE_SEED")  # what runtime reads
PATH = re.compile(r"\S*[/\\]\S*")  # an error's words may name a folder
OPTIONAL = ("jupyterlab", "notebook", "pytest", "nbgrader")


def facts() -> dict[str, str]:
    """Return what a report says, by name, in the order of its lines.

    Returns
    -------
    dict of str to str
        Versions come from the installed metadata, so that a package which no longer imports is
        still named. What cannot be found out is told in a sentence.
    """
    found = {
        "tlcourse": _version("tlcourse"),
        "Python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "cores": f"{os.cpu_count()}",
        "Colab": "yes" if "COLAB_RELEASE_TAG" in os.environ else "no",
    }
    for name in ("device", "scale", "base_seed"):
        found[name.removeprefix("base_")] = _asked(name)
    found |= {package: _version(package) for package in dependencies()}
    return {name: PATH.sub("[a path]", value) for name, value in (found | settings()).items()}


def dependencies() -> list[str]:
    """Return the packages that the installed course needs, and of the optional ones what is there.

    Returns
    -------
    list of str
    """
    try:
        lines = metadata.requires("tlcourse") or []
    except metadata.PackageNotFoundError:  # a checkout that was never installed
        lines = []
    needed = [re.match(r"[\w.-]+", line).group() for line in lines if "extra ==" not in line]
    return needed + [package for package in OPTIONAL if _version(package) != "missing"]


def settings() -> dict[str, str]:
    """Return every ``TLCOURSE_`` variable that is set; of those that name a folder, only that.

    Returns
    -------
    dict of str to str
    """
    ours = sorted(name for name in os.environ if name.startswith("TLCOURSE_"))
    return {name: os.environ[name] if name in SETTINGS else "set" for name in ours}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "missing"


def _asked(name: str) -> str:
    """Ask runtime; an error is an answer here, for it may be what the report is about."""
    try:
        from tlcourse import runtime  # imports PyTorch, which may itself be what is broken

        return str(getattr(runtime, name)())
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    """Print the report, one fact a line."""
    for name, value in facts().items():
        print(f"{name:<17}{value}")
