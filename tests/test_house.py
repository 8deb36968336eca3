"""The house: who may import whom, how large a room may be, nothing twice."""

import ast
import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from functools import cache
from pathlib import Path

import course_wheel

from tlcourse.__main__ import CHOICES, COMMANDS

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tlcourse"
WINGS = sorted(path.name for path in (PACKAGE / "lessons").glob("ch*"))
FILES = sorted(PACKAGE.rglob("*.py"))


def python(code):
    """Run code in a fresh interpreter and return what it prints."""
    return subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT)


def dotted(path, root=ROOT):
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports(path):
    """Yield the dotted name of every module of ours that a file imports, at any depth of its code."""
    known = {dotted(other) for other in FILES}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tlcourse"):
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in known else node.module for name in whole)


def room(name):
    """Return the room of the plan that a module belongs to: a wing, or a part of the library."""
    parts = name.split(".")[1:]
    return (parts + [""])[1] if parts[:1] == ["lessons"] else (parts + [""])[0]


def arrows():
    found = defaultdict(set)
    for path in FILES:
        here = room(dotted(path))
        found[here] |= {room(name) for name in imports(path)} - {here}
    return {here: {there for there in seen if there} for here, seen in found.items() if here}


def lines(node):
    """The lines of a function's body, its docstring apart."""
    body = node.body[1:] if ast.get_docstring(node) else node.body
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


# --- who may import whom ---------------------------------------------------------------------


def lint(folder):
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_library_needs_no_wing_and_a_wing_no_later_one():
    checked = lint(ROOT)
    assert checked.returncode == 0, checked.stdout


def test_a_wrong_import_would_be_found(tmp_path):
    for path in [*FILES, ROOT / "pyproject.toml"]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    later = f"from tlcourse.lessons.{WINGS[1]} import figures\n"
    for wrong, text in {
        f"lessons/{WINGS[0]}/figures.py": later,
        "runtime.py": "from tlcourse import data\n",
        "plots/base.py": f"def late():\n    {later}",
    }.items():
        planted = tmp_path / "tlcourse" / wrong
        before = planted.read_text(encoding="utf-8")
        planted.write_text(f"{before}\n\n{text}", encoding="utf-8")
        checked = lint(tmp_path)
        assert checked.returncode == 1 and "BROKEN" in checked.stdout, wrong
        planted.write_text(before, encoding="utf-8")


def test_every_wing_has_its_layer_in_order():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    places = [text.index(f'"tlcourse.lessons.{wing}"') for wing in WINGS]
    assert places == sorted(places, reverse=True)


def test_imports_are_written_in_full():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert getattr(node, "level", 0) == 0, (
                f"{path.name}: write imports from tlcourse in full"
            )


def test_a_wing_loads_no_later_wing_and_none_loads_torchvision():
    rooms = {
        wing: [dotted(path) for path in FILES if f".lessons.{wing}" in dotted(path)]
        for wing in WINGS
    }
    loaded = python(
        "import importlib, sys\n"
        f"rooms = {rooms}\n"
        "for i, wing in enumerate(rooms):\n"
        "    for name in rooms[wing]: importlib.import_module(name)\n"
        "    for late in list(rooms)[i + 1:]:\n"
        "        if 'tlcourse.lessons.' + late in sys.modules: print(wing, 'loads', late)\n"
        f"for name in {[dotted(p) for p in FILES if p.name != '__main__.py']}:\n"
        "    importlib.import_module(name)\n"
        "    if 'torchvision' in sys.modules: sys.exit(print(name, 'loads torchvision'))"
    )
    assert loaded == "", f"{loaded}: import it inside the function that needs it"


def test_importing_the_package_costs_next_to_nothing():
    heavy = ["IPython", "PIL", "matplotlib", "numpy", "sklearn", "torch", "torchvision"]
    loaded, share = python(
        "import sys, time\n"
        "a = time.process_time(); import tlcourse; b = time.process_time()\n"
        f"print([name for name in {heavy} if name in sys.modules])\n"
        "import torch\n"
        "print((b - a) / (time.process_time() - b))"
    ).splitlines()
    assert loaded == "[]", f"import tlcourse must not import {loaded}"
    assert float(share) < 0.1, f"import tlcourse costs {float(share):.0%} of import torch"


# --- the plan --------------------------------------------------------------------------------


def test_the_plan_has_few_rooms_floors_and_arrows():
    plan = arrows()
    # The league alone stands above the wings: it measures what all of them teach, so it needs most of
    # them. The protocol adds it as one room; its arrows are not counted.
    above = plan.pop("league")
    assert not any("league" in seen for seen in plan.values()) and above

    @cache
    def floor(here):
        return 1 + max((floor(there) for there in plan[here]), default=0)

    assert len(plan) + 1 <= 15 + len(WINGS), sorted(plan)
    assert max(map(floor, plan)) <= 6, {here: floor(here) for here in plan}
    # Ten lessons in twelve wings were given 90 arrows; a lesson more brings a wing, and seven at most.
    most = 90 + 7 * (len(WINGS) - 12)
    assert sum(map(len, plan.values())) <= most, {here: sorted(plan[here]) for here in plan}


def test_a_wing_has_seven_rooms_at_most():
    for wing in WINGS:
        inside = [p for p in (PACKAGE / "lessons" / wing).iterdir() if p.name != "__init__.py"]
        rooms = [p.name for p in inside if p.suffix == ".py" or (p / "__init__.py").exists()]
        assert len(rooms) <= 7, f"{wing}: {rooms}"
        assert "figures.py" in rooms, f"{wing}: what it draws stands in its figures.py"


def test_a_room_and_a_function_can_be_read_at_once():
    long = []
    for path in FILES:
        text, exercises = path.read_text(encoding="utf-8"), "exercises" in str(path)
        if (n := len(text.splitlines())) > (350 if exercises else 300):
            long.append(f"{dotted(path)}: {n} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and (n := lines(node)) > 30:
                long.append(f"{dotted(path)}.{node.name}: {n} lines")
    assert long == []


def test_no_two_places_share_ten_lines():
    """Imports apart; tests may repeat themselves."""
    seen, twice = {}, set()
    sources = [p for p in course_wheel.tracked() if p.suffix == ".py" and p.parts[0] != "tests"]
    for path in sources:
        text = (ROOT / path).read_text(encoding="utf-8").splitlines()
        code = [line.strip() for line in text]
        code = [c for c in code if c and not c.startswith(("import ", "from "))]
        for start in range(len(code) - 9):
            block = tuple(code[start : start + 10])
            if seen.setdefault(block, path) != path:
                twice.add((str(seen[block]), str(path), block[0]))
    assert twice == set()


def test_the_tests_mirror_the_house():
    """A test of a room stands where the room stands."""
    rooms = {path.relative_to(PACKAGE).with_suffix("").as_posix() for path in FILES}
    folders = {path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*") if path.is_dir()}
    allowed = {"lesson", "audit", "tolerance"}  # of a whole wing, a whole package, a whole promise
    for path in (ROOT / "tests").rglob("test_*.py"):
        folder = path.parent.relative_to(ROOT / "tests").as_posix()
        name = path.stem.removeprefix("test_")
        if folder.split("/")[0] in ("lessons", "data", "teaching", "audit", "plots", "experiment"):
            known = f"{folder}/{name}" in rooms | folders or name in allowed
            assert known, f"{path.name}: there is no room {folder}/{name}"


def test_prose_names_what_is_there():
    """Paths, modules and commands in Markdown, of pages and of notebooks, lead somewhere."""
    modules = {dotted(path) for path in FILES} | {"tlcourse.lessons"}
    wrong = []
    for path in course_wheel.tracked():
        if path.suffix not in (".md", ".ipynb") or path.name == "CHANGELOG.md":
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
        for name in re.findall(r"`((?:tlcourse|tests|tools|benchmarks|book)/[\w./]+)`", text):
            if not (ROOT / name).exists():
                wrong.append(f"{path}: there is no {name}")
        for name in re.findall(r"from (tlcourse[\w.]*) import", text):
            if name not in modules:
                wrong.append(f"{path}: there is no module {name}")
        for name, room in re.findall(r"python -m tlcourse (\w+)(?: ([a-z]+))?", text):
            if name == "COMMAND":
                continue
            if name not in COMMANDS or (name == "choose" and room and room not in CHOICES):
                wrong.append(f"{path}: there is no command {name} {room}")
        if "python -m tlcourse." in text:
            wrong.append(f"{path}: commands are python -m tlcourse COMMAND")
    assert wrong == []
