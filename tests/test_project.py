"""Rules for the repository as a whole: what is installed, and what no file may say."""

import ast
import re
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


def imports(path):
    """Yield the dotted name of every module that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


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
    extra = {
        "cluster": {"distributed"},
        "pictures": {"pillow_heif"},
    }  # rooms that say what to install
    for path in sorted(PACKAGE.rglob("*.py")):
        for name in imports(path):
            top = name.split(".")[0]
            known = top in sys.stdlib_module_names or top.lower() in modules
            assert known or top in extra.get(path.stem, ()), (
                f"{path.name} imports {top}: add it to the base dependencies"
            )


def test_the_wheel_holds_the_library_and_its_data_and_nothing_else(tmp_path):
    made = zipfile.ZipFile(course_wheel.build(tmp_path)).namelist()
    lessons = {name.split("/share/tlcourse/")[1] for name in made if "/share/tlcourse/" in name}
    library = {name for name in made if name.startswith("tlcourse/")}
    expected = {path.as_posix() for path in course_wheel.packed()}
    assert library == {name for name in expected if name.startswith("tlcourse/")}
    assert lessons == {name for name in expected if name.startswith("chapters/")}
    assert not [name for name in lessons if "/source/" in name], "solutions stay at home"


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
