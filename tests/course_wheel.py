"""The course as it is installed: a wheel, made of the files that git has or would take."""

import subprocess
import sys
from pathlib import Path

from tlcourse.teaching import hand_out

ROOT = Path(__file__).parent.parent


def tracked():
    """The files of the repository: what git has, or would take."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(command, cwd=ROOT, text=True).split("\0")
    return [Path(name) for name in names if name and (ROOT / name).is_file()]


def packed():
    """The files that a wheel is made of."""
    top = [path for path in tracked() if len(path.parts) == 1 and path.suffix in ("", ".md")]
    inside = [path for path in tracked() if path.parts[0] in ("tlcourse", "pyproject.toml")]
    lessons = [
        path for path in tracked() if any(path.match(f"chapters/{g}") for g in hand_out.GIVEN)
    ]
    return {*top, *inside, *lessons}


def build(folder):
    """Build the wheel in a folder, and return its path."""
    source = folder / "source"
    for path in packed():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_bytes((ROOT / path).read_bytes())
    command = f"from setuptools import build_meta; build_meta.build_wheel({str(folder)!r})"
    subprocess.run([sys.executable, "-c", command], cwd=source, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made
