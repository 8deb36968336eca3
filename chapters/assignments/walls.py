"""The wall around a submission: what its process may see, use and leave behind.

Inside are a copy of what the student handed in, the installed packages and the library, all of
it read-only but a throw-away home; no network, no other process, limits on memory, processes and
disk. Everything that a submission started ends with it. Three ways to build it, the first that
works is taken: bubblewrap, Linux namespaces through util-linux's `unshare`, a container.
"""

import functools
import importlib.util
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent
HOME = str(Path("/home", "student"))  # inside
BROUGHT = "/brought"  # inside: what `inside.py` copies into the home
FIRST = "/inside.py"  # inside: the first program, see inside.py
MEGABYTE = 2**20
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
SETTINGS = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "alternatives", "localtime", "fonts")
NONE = (
    "there is no wall to grade behind: this system lets nobody build one. Install bubblewrap (Linux: "
    "apt install bubblewrap), or make a container image and name it in TLCOURSE_IMAGE (README: "
    "Walls); or grade with --trust, if you know every student: a submission then runs as you."
)


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes
    ----------
    seconds : float
        For everything: the whole notebook and all tests.
    cell_seconds : float
        For one cell; then it is interrupted, and the next one runs.
    cores : float
        Processors that it may keep busy, in the long run.
    memory, left, disk, file : int
        Bytes for all its processes together, to be left to others, for all its files, for one.
    processes : int
        How many processes and threads it may have at a time.
    outputs : int
        Characters of output kept of all cells; of one, half a million are.
    """

    seconds: float = 180
    cell_seconds: float = 60
    cores: float = 1.2
    memory: int = 4096 * MEGABYTE
    left: int = 256 * MEGABYTE
    disk: int = 256 * MEGABYTE
    file: int = 128 * MEGABYTE
    processes: int = 96
    outputs: int = 5_000_000


# ── what is inside ──────────────────────────────────────────────────────────────────────────


def library() -> Path:
    """Return the folder of the installed library; in a checkout it lies beside the course."""
    return Path(importlib.util.find_spec("tlcourse").origin).resolve().parent


def installed() -> list[Path]:
    """Return the folders that Python needs: where it and its packages are installed."""
    found = [Path(place) for place in SYSTEM]
    found += [Path(place) for place in (sys.prefix, sys.base_prefix, sys.exec_prefix)]
    found += [Path(sys.executable).resolve().parents[1]]
    found += [Path(place) for place in sys.path if Path(place).name.endswith("-packages")]
    found = sorted({place for place in found if place.exists()}, key=lambda p: len(p.parts))
    return [p for n, p in enumerate(found) if not any(p.is_relative_to(q) for q in found[:n])]


def covered() -> list[Path]:
    """Return the files of the library that specify the exercises: inside they are empty."""
    lessons = library() / "lessons"
    return [*lessons.glob("*/exercises.py"), *lessons.glob("*/exercises/*.py")]


def compiled() -> list[Path]:
    """Return the folders in which Python keeps the library compiled, specifications too."""
    return sorted(library().rglob("__pycache__"))


def own() -> list[Path]:
    """Return the folders of the course."""
    return sorted({HERE, Path.cwd().resolve()})


def environment(room: Path | None = None) -> dict[str, str]:
    """Return the environment inside; where there is no wall, the home is in the given folder."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    return threads | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
        "HOME": HOME if room is None or way() else str(room / "home"),
        "LANG": "C.UTF-8",
        "PYTHONUTF8": "1",
        "PYTHONSAFEPATH": "1",  # a file beside the notebook takes no module's place
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(library().parent),
        "TLCOURSE_DEVICE": "cpu",
        "TLCOURSE_HELD": "1",
    }


def first(limits: Limits, place: str = FIRST, brought: str = BROUGHT, apart=False) -> list[str]:
    """Return how the first program inside starts; the command to go on with follows.

    A submission's processes are counted `apart` in a user namespace of its own.
    """
    told = {"brought": brought, "memory": limits.memory, "file": limits.file}
    told["processes"] = limits.processes + (0 if apart and counts_apart() else threads_of_mine())
    return [place, json.dumps(told)]


def counts_apart() -> bool:
    """Tell whether the system counts the processes of each user namespace by themselves."""
    major, minor = platform.release().split(".")[:2]
    return (int(major), int(re.match(r"\d+", minor)[0])) >= (5, 14)


def threads_of_mine() -> int:
    """Return how many threads this user has: where nothing is apart, they count for the limit."""
    mine = [p.info for p in psutil.process_iter(["uids", "num_threads"]) if hasattr(os, "getuid")]
    return sum(p["num_threads"] or 0 for p in mine if p["uids"] and p["uids"].real == os.getuid())


def bring(submitted: Path | None, room: Path) -> None:
    """Copy what a student handed in, and matplotlib's list of fonts, into a folder to show inside.

    Only regular files: a link may lead anywhere, and a pipe would never end.
    """
    (room / "work").mkdir(parents=True)
    for folder, _, names in os.walk(submitted) if submitted else ():
        for name in names:
            path = Path(folder, name)
            if not stat.S_ISREG(path.lstat().st_mode) or path.suffix == ".ipynb":
                continue
            target = room / "work" / path.relative_to(submitted)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target, follow_symlinks=False)
    for part in ("home/.config/matplotlib", "home/.cache/matplotlib"):
        (room / part).mkdir(parents=True)
    for fonts in Path(fonts_folder()).glob("fontlist*.json"):  # without it every student waits
        shutil.copyfile(fonts, room / "home/.cache/matplotlib" / fonts.name)
    for path in (room, *room.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@functools.cache
def fonts_folder() -> str:
    """Return where matplotlib keeps its list of fonts, which is there afterwards."""
    import matplotlib
    import matplotlib.font_manager

    return matplotlib.get_cachedir()


# ── the three ways ──────────────────────────────────────────────────────────────────────────


def by_bubblewrap(room: Path, limits: Limits) -> list[str]:
    """Return the command that builds the wall with bubblewrap."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--hostname", "student", "--cap-drop", "ALL"]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/tmp", "/home", "/dev/shm"):
        command += ["--size", str(limits.disk // 2), "--tmpfs", place]
    for source, target in shown(room):
        command += ["--ro-bind", str(source), str(target)]
    command += ["--dir", HOME, "--chdir", HOME, "--remount-ro", "/"]
    command += ["--remount-ro", "/dev"]
    for name, value in environment().items():
        command += ["--setenv", name, value]
    return [*command, "--", sys.executable, "-I", *first(limits, apart=True)]


def by_namespaces(room: Path, limits: Limits) -> list[str]:
    """Return the command that builds the wall with util-linux; root needs no user namespace."""
    plan = {
        "root": str(room / "root"),
        "shown": [[str(source), str(target)] for source, target in shown(room)],
        "disk": limits.disk,
        "home": HOME,
        "environment": environment(),
    }
    (room / "root").mkdir()
    (room / "plan.json").write_text(json.dumps(plan))
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--kill-child=KILL", "--fork"]
    command += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command += ["--mount", "--pid", "--net", "--ipc", "--uts", sys.executable, "-I", "-S"]
    command += [str(HERE / "mounts.py"), str(room / "plan.json")]
    return [*command, sys.executable, "-I", *first(limits, apart=True)]


def by_container(room: Path, limits: Limits) -> list[str]:
    """Return the command that starts a container of the image named in TLCOURSE_IMAGE."""
    command = [container(), "run", "--rm", "--interactive", "--network", "none", "--read-only"]
    command += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--init"]
    command += ["--user", "65534:65534", "--memory", str(limits.memory)]
    command += ["--pids-limit", str(limits.processes), "--label", f"tlcourse={room.name}"]
    for place in ("/tmp", "/home"):
        command += ["--tmpfs", f"{place}:rw,mode=1777,size={limits.disk // 2}"]
    command += ["--volume", f"{room / 'brought'}:{BROUGHT}:ro"]
    command += ["--volume", f"{HERE / 'inside.py'}:{FIRST}:ro"]
    inside = environment()
    for name in inside.keys() - {"PATH", "PYTHONPATH"}:
        command += ["--env", f"{name}={inside[name]}"]
    # What follows names this machine's Python: the image has its own.
    own = ["sh", "-c", 'first=$1 told=$2; shift 3; exec python -I "$first" "$told" python "$@"']
    return [*command, os.environ["TLCOURSE_IMAGE"], *own, "wall", *first(limits)]


def unwalled(room: Path, limits: Limits) -> list[str]:
    """Return the command that starts a submission as the instructor, in a throw-away folder."""
    (room / "home").mkdir()
    return [sys.executable, "-I", *first(limits, str(HERE / "inside.py"), str(room / "brought"))]


def clear(room: Path) -> None:
    """Remove the folder of one submission, and a container that is still there."""
    if way() == "container":
        found = [container(), "ps", "--quiet", "--filter", f"label=tlcourse={room.name}"]
        names = subprocess.run(found, capture_output=True, text=True, check=False).stdout.split()
        if names:
            subprocess.run([container(), "kill", *names], capture_output=True, check=False)
    shutil.rmtree(room, ignore_errors=True)


def shown(room: Path) -> list[tuple[Path, Path]]:
    """Return what is shown inside, read-only: (where it is, where it is seen)."""
    (room / "empty").touch()
    same = [*installed(), library()]
    same += [Path("/etc", name) for name in SETTINGS if Path("/etc", name).exists()]
    pairs = [(place, place) for place in same]
    pairs += [(room / "empty", path) for path in covered()]
    (room / "nothing").mkdir(exist_ok=True)
    hidden = [place for place in own() if any(map(place.is_relative_to, same))]
    pairs += [(room / "nothing", place) for place in (*hidden, *compiled())]
    return [*pairs, (room / "brought", Path(BROUGHT)), (HERE / "inside.py", Path(FIRST))]


def container() -> str | None:
    """Return the command of the container engine that is installed, or None."""
    return next((name for name in ("podman", "docker") if shutil.which(name)), None)


# ── which of them works here ────────────────────────────────────────────────────────────────

WAYS = {"bubblewrap": by_bubblewrap, "namespaces": by_namespaces, "container": by_container}
NEEDS = {"bubblewrap": ("bwrap",), "namespaces": ("unshare", "setpriv"), "container": ()}


class NoWall(Exception):
    """Nothing can be graded here, for a reason that is the message."""


def chosen():
    """Return the function that makes the command of the wall, or raise NoWall."""
    if way():
        return WAYS[way()]
    if os.environ.get("TLCOURSE_TRUST") == "1":
        return unwalled
    raise NoWall(NONE)


@functools.cache
def way() -> str | None:
    """Return the name of the first way that works on this machine, or None."""
    usable = ["bubblewrap", "namespaces"] if sys.platform == "linux" else []
    if usable and os.geteuid() == 0:
        usable = ["namespaces"]  # bubblewrap leaves root's number, to which /proc/sys listens
    if os.environ.get("TLCOURSE_IMAGE") and container():
        usable.append("container")
    for name in usable:
        if all(shutil.which(tool) for tool in NEEDS[name]) and works(name):
            return name
    return None


def works(name: str) -> bool:
    """Tell whether a wall can be built: something is run behind it."""
    with tempfile.TemporaryDirectory() as folder:
        room = Path(folder)
        bring(None, room / "brought")
        command = [*WAYS[name](room, Limits()), sys.executable, "-c", "import tlcourse"]
        try:
            done = subprocess.run(command, input=b"", capture_output=True, timeout=60, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0
