"""Commands print into any encoding: what it lacks is replaced, and nothing stops."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tlcourse import console

ROOT = Path(__file__).parent.parent
ENCODINGS = {
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "cp437": {"PYTHONIOENCODING": "cp437"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
SAFE = "from tlcourse import console; console.print_anywhere(); "


def printed(arguments, encoding, **settings):
    """Run Python with its output in a file, as bytes: status, output, errors."""
    environment = {name: os.environ[name] for name in os.environ if name != "PYTHONIOENCODING"}
    environment |= ENCODINGS[encoding] | settings
    run = [sys.executable, *arguments]
    done = subprocess.run(run, check=False, capture_output=True, env=environment, cwd=ROOT)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def test_what_an_encoding_lacks_is_replaced_and_what_it_has_stays():
    code = SAFE + r"print('a \u2192 b \u2026 \u22121 \u732b \udcff')"
    for encoding in ENCODINGS:
        status, out, errors = printed(["-c", code], encoding)
        assert (status, errors) == (0, "")
        dots = b"\x85" if encoding == "cp1252" else b"..."  # which that encoding has
        assert out.split() == [b"a", b"->", b"b", dots, b"-1", b"\\u732b", b"\\udcff"], encoding
    code = SAFE + r"print('\u2192 \u732b')"
    assert printed(["-c", code], "C", PYTHONIOENCODING="utf-8")[1].decode().strip() == "→ 猫"


def test_another_stream_is_left_alone():
    other = "import io, sys; sys.stdout = io.StringIO(); "
    code = r"print('\u2192'); assert sys.stdout.getvalue() == '\u2192\n'"
    assert printed(["-c", other + SAFE + code], "C")[0] == 0


def test_a_name_is_read_as_it_was_written():
    code = "import sys; from tlcourse import console; print(ascii(console.as_written(sys.argv[1])))"
    for encoding in ENCODINGS:
        assert printed(["-c", code, "猫 é"], encoding)[1].split() == [rb"'\u732b", rb"\xe9'"]
    assert console.as_written("\udcff") == "\udcff"  # no UTF-8: as it came


def test_the_report_names_a_setting_in_chinese():
    for encoding in ("cp1252", "C"):  # Python reads the setting itself in two ways
        status, out, errors = printed(["-m", "tlcourse", "report"], encoding, TLCOURSE_SEED="七")
        assert (status, errors) == (0, "")
        assert b"TLCOURSE_SEED" in out and out.isascii(), encoding


def test_commands_with_options_print_their_help():
    """One after the other in one process, as ``python -m tlcourse`` runs each: imports take long."""
    names = ["language", "landscapes", "pretrain"]
    code = SAFE + (
        "from tlcourse.__main__ import main\n"
        f"for name in {names}:\n"
        "    try: main([name, '--help'])\n"
        "    except SystemExit as stop: print('status', stop.code)"
    )
    status, out, errors = printed(["-c", code], "C")
    assert (status, errors) == (0, "")
    said = [page.split() for page in out.split(b"usage:")]
    assert [page[-2:] for page in said[1:]] == [[b"status", b"0"]] * 3 and said[0] == []
    for name, page in zip(names, said[1:], strict=True):
        assert b" ".join(page).startswith(f"python -m tlcourse {name} ".encode()), name


# What a network sees needs weights that not every machine has: here, noise stands for it.
ALBUM = """
import runpy, sys
from pathlib import Path
import numpy as np
from tlcourse.lessons.ch02d_choosing_a_source.own_photos import reading

def seen(opened):
    rng = np.random.default_rng(len(opened))
    views = ["pixels", "imagenet", *(f"random {k}" for k in range(reading.features.INITS))]
    return {view: rng.normal(size=(len(opened), 5)) for view in views}

reading._seen = seen
reading.features.weights_file = lambda: Path(sys.executable)
folder = sys.argv[1]
for encoding in (sys.stdout.encoding, "cp1252"):
    sys.stdout.reconfigure(encoding=encoding, errors="strict")  # as a process begins
    sys.argv[1:] = ["photos", folder, "--html", folder + ".html"]
    try:
        runpy.run_module("tlcourse", run_name="__main__")
    except SystemExit as stop:
        assert not stop.code, stop.code
"""


def test_the_album_is_printed_and_saved_in_any_encoding(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("猫", "狗"):
        (tmp_path / "照片" / name).mkdir(parents=True)
        for k in range(8):
            pixels = rng.integers(256, size=(16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).resize((40, 40)).save(tmp_path / "照片" / name / f"{k}.png")
    cache = {"TLCOURSE_CACHE": str(tmp_path / "cache")}
    status, out, errors = printed(["-c", ALBUM, str(tmp_path / "照片")], "C", **cache)
    assert status == 0, errors
    assert out.count(b"saved ") == 2 * 4
    assert len(list(tmp_path.glob("照片-*.png"))) == 3
    assert "8 狗, 8 猫" in (tmp_path / "照片.html").read_text(encoding="utf-8")
