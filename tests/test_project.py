"""Rules for the repository as a whole: what is installed, who may import whom, what no file may say."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import course_wheel
import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tlcourse"

# The house, bottom up. A room may import from the floors below it, and on its own floor from the
# rooms named before it, so that every import points down (or left) and none makes a circle.
FLOORS = [
    ["console", "runtime", "glyphs", "perturb", "cache", "data", "corpus"],
    ["models", "training"],
    [
        "experiment",
        "cluster",
        "verdicts",
        "plots",
        "figures_traditional",
        "figures_tuning",
        "figures_sources",
        "figures_deep",
        "figures_language",
        "figures_maml",
        "figures_multitask",
        "figures_augmentation",
        "figures_cleaning",
    ],
    [
        "transfer",
        "pretrain",
        "embeddings",
        "text",
        "adaptation",
        "tabular",
        "finetuning",
        "regularization",
        "objectives",
        "tuning",
        "multitask",
        "language",
        "reading",
        "scores",
        "sources",
        "photos",
        "gaps",
        "album",
        "maml",
        "episodes",
        "alignment",
        "augmentation",
        "augmented",
        "imbalance",
        "filling",
        "labels",
        "cleaning",
        "inspection",
        "processing",
    ],
    [
        "report",
        "answers",
        "guard",
        "exercises",
        "check",
        "quiz",
        "widgets",
        "widgets_tuning",
        "widgets_augmentation",
        "widgets_cleaning",
    ],
]
ORDER = [room for floor in FLOORS for room in floor]
# The module a package is imported by, where its name differs.
MODULES = {"pillow": "PIL", "scikit-learn": "sklearn", "scikit-optimize": "skopt"}

# Written in pieces, so that this file does not hold what it forbids.
PRIVATE = re.compile(
    rb"(?<![\w.~-])/(?:" + rb"|".join([b"home", b"root", b"work", b"Users"]) + rb")/\w"
    rb"|[A-Za-z]:\\{1,2}Users\\"
    rb"|\bpypi\." + rb"org|pythonhosted\." + rb"org|conda\.ana" + rb"conda|npmjs\." + rb"org"
)


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(lines):
    return [Requirement(line.strip()) for line in lines]


def direct():
    """Every requirement that pyproject.toml names, of the base and of the extras."""
    extras = project()["optional-dependencies"].values()
    named = requirements(project()["dependencies"] + [line for extra in extras for line in extra])
    return [requirement for requirement in named if requirement.name != project()["name"]]


def rooms():
    return sorted(
        path.stem
        for path in PACKAGE.iterdir()
        if path.name != "__init__.py" and (path.suffix == ".py" or (path / "__init__.py").exists())
    )


def python(code):
    """Run code in a fresh interpreter and return what it prints."""
    return subprocess.check_output([sys.executable, "-c", code], text=True, cwd=ROOT)


def imports(path):
    """Yield the dotted name of every module that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports from tlcourse in full"
            names = [alias.name for alias in node.names]
            whole = node.module == "tlcourse"
            yield from (f"tlcourse.{name}" for name in names) if whole else [node.module]


def upward(room, imported):
    """The rooms among ``imported`` that do not lie below ``room``."""
    names = {name.split(".")[1] for name in imported if name.startswith("tlcourse.")}
    below = ORDER[: ORDER.index(room)]
    return sorted(names - {room, "__version__"} - set(below))


# --- what is installed -----------------------------------------------------------------------


def test_the_conda_environment_adds_nothing_to_pyproject():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    assert environment["name"] == project()["name"]
    assert conda == [f"python{project()['requires-python']}", "pip"]
    assert pip == {"pip": ["-c constraints.txt", "-e .[lab]"]}
    assert "lab" in project()["optional-dependencies"]


@pytest.mark.parametrize("name", ["constraints.txt", "constraints-oldest.txt"])
def test_constraints_name_versions_and_no_host(name):
    for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[a-zA-Z0-9._-]+==[a-z0-9.]+( ; [^/@:]+)?", line), line


def test_constraints_cover_every_direct_dependency():
    pinned = {}
    for pin in requirements((ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()):
        pinned.setdefault(canonicalize_name(pin.name), []).append(pin)
    for requirement in direct():
        name = canonicalize_name(requirement.name)
        assert name in pinned, f"{name} is not in constraints.txt: make the file again"
        for pin in pinned[name]:
            (version,) = pin.specifier
            assert version.version in requirement.specifier, f"{pin} is outside {requirement}"


def test_the_oldest_versions_are_the_lower_bounds():
    lines = (ROOT / "constraints-oldest.txt").read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(pin.name): pin.specifier for pin in requirements(lines)}
    ours = requirements(project()["dependencies"])
    # The tools for tests want a newer IPython; the bound itself is met with Colab's versions.
    for requirement in (r for r in ours if r.name != "ipython"):
        (bound,), (pin,) = requirement.specifier, pinned[canonicalize_name(requirement.name)]
        assert pin.operator == "==" and Version(pin.version) == Version(bound.version), requirement


def test_bounds_are_lower_bounds():
    for requirement in direct():
        operators = [specifier.operator for specifier in requirement.specifier]
        assert operators == [">="], f"{requirement}: one lower bound, nothing else"


def test_what_the_library_imports_is_a_base_dependency():
    base = {requirement.name for requirement in requirements(project()["dependencies"])}
    modules = {MODULES.get(name, name).lower() for name in base} | {"tlcourse"}
    extra = {"cluster": {"distributed"}}  # rooms that say which extra to install
    for path in sorted(PACKAGE.rglob("*.py")):
        for name in imports(path):
            top = name.split(".")[0]
            known = top in sys.stdlib_module_names or top.lower() in modules
            assert known or top in extra.get(path.stem, ()), (
                f"{path.name} imports {top}: add it to the base dependencies"
            )


def test_the_wheel_holds_the_library_and_its_data_and_nothing_else(tmp_path):
    made = zipfile.ZipFile(course_wheel.build(tmp_path))
    inside = {name for name in made.namelist() if ".dist-info/" not in name}
    expected = {path.as_posix() for path in course_wheel.packed() if path.parts[0] == "tlcourse"}
    assert inside == expected


# --- who may import whom ---------------------------------------------------------------------


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


def test_no_room_imports_torchvision_before_it_is_needed():
    loaded = python(
        "import importlib, sys\n"
        f"for room in {rooms()}:\n"
        "    importlib.import_module('tlcourse.' + room)\n"
        "    if 'torchvision' in sys.modules: sys.exit(print(room))"
    )
    assert loaded == "", f"{loaded.strip()}: import torchvision inside the function that needs it"


def test_every_room_has_a_floor():
    assert set(rooms()) <= set(ORDER), "name the new room in FLOORS, on the floor where it belongs"


@pytest.mark.parametrize("room", rooms())
def test_an_import_only_ever_points_down(room):
    paths = [PACKAGE / f"{room}.py", *(PACKAGE / room).glob("*.py")]
    for path in filter(Path.exists, paths):
        assert upward(room, imports(path)) == [], f"{path.name} reaches up"


def test_an_upward_import_would_be_found(tmp_path):
    room = tmp_path / "models.py"
    room.write_text("import torch\ndef f():\n    from tlcourse import data, plots, training\n")
    assert upward("models", imports(room)) == ["plots", "training"]


# --- what no file may say --------------------------------------------------------------------


def content(path):
    """A file's bytes; of a notebook without its pictures."""
    if path.suffix != ".ipynb":
        return path.read_bytes()
    notebook = nbformat.read(path, as_version=4)
    for output in (output for cell in notebook.cells for output in cell.get("outputs", [])):
        for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
            del output["data"][kind]
    return nbformat.writes(notebook).encode()


def test_no_file_names_a_private_path_or_a_registry():
    found = {
        str(path): match.group().decode()
        for path in course_wheel.tracked()
        if (match := PRIVATE.search(content(ROOT / path)))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "private"),
    [
        (b"see /" + b"home/ada/course", True),
        (b'"/' + b'work/tlcourse/data"', True),
        (b"C:\\" + b"Users\\ada", True),
        (b"https://pypi" + b".org/simple", True),
        (b"https://example.org/home/page", False),
        (b"the net/work/shop", False),
    ],
)
def test_private_paths_are_recognised(text, private):
    assert bool(PRIVATE.search(text)) is private


def test_what_github_runs_exists():
    """GitHub itself cannot be tried here; the commands it is told to run can."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    jobs = workflow["jobs"]
    assert [step["run"] for step in jobs["all"]["steps"][1:]] == [".ci/run"]
    assert (ROOT / ".ci/run").stat().st_mode & 0o111, ".ci/run cannot be run"
    targets = re.findall(
        r"^\.PHONY: (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    lowest = Version("3.11")
    for one in jobs["versions"]["strategy"]["matrix"]["include"]:
        assert one["target"] in targets[0].split() and Version(one["python"]) >= lowest
