"""What every test shares: fixed settings, notebook kernels without network, and tables of times.

It lies at the root because it serves both tests/ and chapters/, where every code cell is a test.
"""

import os
import subprocess
import time
from collections import defaultdict
from itertools import chain
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).parent
CELLS_PASSED = pytest.StashKey[dict]()
LONGEST = {"test_assignments.py", "test_photos.py", "test_pretraining.py"}

os.environ.setdefault("TLCOURSE_SEED", "0")
os.environ.setdefault("TLCOURSE_SCALE", "quick")
os.environ.setdefault("TLCOURSE_DEVICE", "cpu")
os.environ.setdefault("MPLBACKEND", "agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # with small networks, threads only wait


def is_cell(item):
    """Whether a test is a notebook's cell."""
    return hasattr(item, "cell")


@pytest.fixture
def offline_environment():
    """Environment variables for a process whose kernels have no network."""
    return kernel_environment()


def kernel_environment():
    """Return a copy of the environment: no network for Python, notebook figures inline."""
    paths = [str(ROOT / "tests" / "offline"), os.environ.get("PYTHONPATH")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    environment.pop("MPLBACKEND", None)
    return environment


def pytest_configure(config):
    # How long an example takes depends on what else the machine does.
    hypothesis.settings.register_profile("tlcourse", deadline=None)
    hypothesis.settings.load_profile("tlcourse")
    config.stash[CELLS_PASSED] = defaultdict(list)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Skip GPU cells on a CPU; refuse a notebook that would pass because nothing in it runs."""
    items.sort(key=lambda item: item.path.name not in LONGEST)  # so that no process ends alone
    no_gpu = os.environ["TLCOURSE_DEVICE"] == "cpu"
    runs = defaultdict(bool)
    for item in filter(is_cell, items):
        needs_gpu = no_gpu and "gpu" in item.cell.metadata.get("tags", [])
        if needs_gpu:
            item.add_marker(pytest.mark.skip(reason="needs a GPU"))
        runs[item.parent.nodeid] |= not (needs_gpu or item.options["skip"])
    if idle := [name for name in runs if not runs[name]]:
        raise pytest.UsageError(f"no code cell would run: mark fewer to skip in {', '.join(idle)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Start a notebook's kernel offline; skip what follows a failed cell."""
    if not is_cell(item):
        return (yield)
    if not all(item.config.stash[CELLS_PASSED][item.parent.nodeid]):
        pytest.skip("an earlier cell of this notebook failed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", kernel_environment()["PYTHONPATH"])
        patch.delenv("MPLBACKEND", raising=False)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if is_cell(item) and (call.when == "call" and not report.skipped or report.failed):
        item.config.stash[CELLS_PASSED][item.parent.nodeid].append(not report.failed)
    return report


def pytest_terminal_summary(terminalreporter):
    notebooks = defaultdict(list)
    for report in chain.from_iterable(terminalreporter.stats.values()):
        name, is_notebook, cell = getattr(report, "nodeid", "").partition(".ipynb::")
        if is_notebook and getattr(report, "when", None) == "call" and not report.skipped:
            notebooks[f"{name}.ipynb"].append((report.duration, cell))
    if notebooks:
        terminalreporter.section("seconds of each notebook, and its slowest cells")
    for name, cells in sorted(notebooks.items()):
        slowest = ", ".join(f"{cell} {seconds:.1f} s" for seconds, cell in sorted(cells)[:-4:-1])
        total = sum(seconds for seconds, _ in cells)
        terminalreporter.line(f"{total:7.1f} s  {name}: {slowest}")
    if terminalreporter.config.getoption("durations"):
        terminalreporter.section("how fast this machine is now")
        terminalreporter.line(f"a fixed training takes {calibrate():.2f} s of CPU time")


def calibrate():
    """Return the CPU seconds of one fixed training, to compare times of busy and idle machines."""
    import torch

    from tlcourse import models, training

    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(640, 1, 16, 16, generator=generator), torch.arange(640) % 10
    model = models.classifier(models.SmallCNN, 10, seed=0)
    start = time.process_time()
    training.fit(model, images, labels, 200)
    return time.process_time() - start


@pytest.fixture(scope="session", autouse=True)
def leave_the_checkout_alone():
    """In CI, no test may leave a file in the checkout (what git ignores apart)."""
    if not os.environ.get("CI"):
        yield
        return
    command = ["git", "-C", ROOT, "status", "--porcelain", "--untracked-files=all"]
    before = subprocess.check_output(command, text=True)
    yield
    after = subprocess.check_output(command, text=True)
    assert after == before, "a test wrote into the checkout: give it tmp_path"
