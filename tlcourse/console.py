"""Print anywhere: into a terminal or a file whose encoding lacks some of the characters.

Windows writes a redirected report in cp1252 or cp437, and a bare Linux in ASCII: an arrow, or a column
named in Chinese, would stop the program.
"""

import codecs
import os
import sys

PLAIN = {"→": "->", "…": "...", "−": "-", "–": "-", "×": "x", "≥": ">=", "≤": "<=", "’": "'"}


def print_anywhere() -> None:
    """Let standard output replace what its encoding lacks: "→" by "->", most by a number.

    For a module that runs as a command, as its first act: it changes the stream of the whole process.
    """
    codecs.register_error("tlcourse.plain", _plain)
    if hasattr(sys.stdout, "reconfigure"):  # not so where another program has put its own stream
        sys.stdout.reconfigure(errors="tlcourse.plain")


def as_written(name: str) -> str:
    """Return a name from the command line or of a file as it was written.

    Where the locale is plain ASCII, Python keeps the bytes of "猫" as three stand-ins that match nothing
    and that no figure can show.
    """
    try:
        return os.fsencode(name).decode("utf-8")
    except UnicodeError:
        return name


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    escaped = (PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking)
    return "".join(escaped), error.end
