"""A reader opens a lesson in JupyterLab, runs it, and turns the knob: a real browser does it here.

It is chapter 3, because its explorer comes early: what stands above it runs in seconds.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
from visitor import cannot, chromium

CHAPTER = Path(__file__).parent.parent.parent / "chapters" / "03_tuning.ipynb"
SLIDER = "trials"  # the description of the slider that is moved
TAG = "widget"  # the tag of the cell that shows it
HANG = 600  # seconds after which something must have stopped working
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]

KERNEL_IS_READY = """async () => {
    const panel = window.jupyterapp.shell.currentWidget;
    await panel.context.ready;
    await panel.sessionContext.ready;
    await panel.sessionContext.session.kernel.info;
}"""
# Starts the cells above the widget's, then the widget's own; the test waits for the flag it leaves.
RUN_TO_CELL = """position => {
    const {commands, shell} = window.jupyterapp;
    const notebook = shell.currentWidget.content;
    const run = async () => {
        notebook.activeCellIndex = position;
        await commands.execute('notebook:run-all-above');
        notebook.activeCellIndex = position;
        await commands.execute('notebook:run-cell');
        await notebook.scrollToItem(position, 'start');
    };
    run().finally(() => { window.tlcourseRan = true; });
}"""
ERRORS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
    .flatMap(cell => cell.cell_type === 'code' ? cell.outputs : [])
    .filter(output => output.output_type === 'error').map(output => output.evalue)"""
PICTURES = "cell => [...cell.querySelectorAll('img')].map(image => image.src)"
NEW_PICTURE = """([cell, before]) =>
    [...cell.querySelectorAll('img')].some(image => image.complete && !before.includes(image.src))
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextmanager
def jupyterlab(notebook, folder, environment):
    """Serve a copy of a notebook; yield the address that opens it."""
    (folder / "root").mkdir()
    shutil.copy(notebook, folder / "root")
    (folder / "settings").mkdir()
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    overrides = {"@jupyterlab/apputils-extension:notification": quiet}
    (folder / "settings" / "overrides.json").write_text(json.dumps(overrides))
    own = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    own += ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    environment = environment | {name: str(folder / name.lower()) for name in own}
    port, token = free_port(), secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser"]
    command += ["--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder / 'root'}"]
    command += ["--LabApp.expose_app_in_browser=True"]
    command += [f"--LabApp.app_settings_dir={folder / 'settings'}"]
    log = folder / "jupyterlab.log"
    with log.open("wb") as stream:
        server = subprocess.Popen(
            command, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", server, log)
        yield f"http://127.0.0.1:{port}/lab/tree/{notebook.name}?reset&token={token}"
    finally:
        os.killpg(server.pid, signal.SIGTERM)  # the server and the kernels it started
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def wait_for(address, server, log):
    for _ in range(HANG):
        try:
            return urllib.request.urlopen(address, timeout=5).read()
        except OSError:
            assert server.poll() is None, f"JupyterLab stopped: {log.read_text()[-2000:]}"
            time.sleep(1)
    raise TimeoutError(f"JupyterLab does not answer: {log.read_text()[-2000:]}")


def turn_the_knob(page, address, position):
    """Open a notebook, run it as far as the widget and move the slider; return the pictures."""
    page.goto(address)
    page.wait_for_selector(".jp-NotebookPanel .jp-Notebook")
    page.evaluate(KERNEL_IS_READY)
    page.evaluate(RUN_TO_CELL, position)
    page.wait_for_function("window.tlcourseRan")
    assert page.evaluate(ERRORS) == []
    cell = page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{position}"]')
    sliders = cell.locator(".widget-hslider").filter(has_text=SLIDER)
    handle = sliders.first.locator(".noUi-handle").first
    handle.scroll_into_view_if_needed()
    node = cell.element_handle()
    before = settled_pictures(page, node)
    handle.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(NEW_PICTURE, arg=[node, before], timeout=60_000)
    return before, settled_pictures(page, node)


def settled_pictures(page, node):
    """Return the pictures of a cell once no more of them come: a late one is not a redrawn one."""
    latest = []
    for _ in range(30):
        pictures = latest
        page.wait_for_timeout(2000)
        latest = node.evaluate(PICTURES)
        if latest and latest == pictures:
            return latest
    raise TimeoutError(f"the widget's cell shows {len(latest)} pictures, which keep changing")


def widget_cell(notebook):
    """Return the position of the cell that is tagged as the lesson's widget."""
    cells = nbformat.read(notebook, as_version=4).cells
    tagged = [n for n, cell in enumerate(cells) if TAG in cell.metadata.get("tags", [])]
    assert len(tagged) == 1, f"{notebook.name}: tag one cell '{TAG}', not {len(tagged)}"
    return tagged[0]


def visit(notebook, folder, environment, screenshot):
    """Start the server and the browser, turn the knob, keep a screenshot."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        cannot("playwright is not installed: pip install -e '.[test]'")

    options = {"executable_path": chromium(), "args": FLAGS, "headless": True}
    with jupyterlab(notebook, folder, environment) as address, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder / "profile", viewport={"width": 1280, "height": 900}, **options
        )
        context.set_default_timeout(1000 * HANG)
        page = context.pages[0]
        try:
            return turn_the_knob(page, address, widget_cell(notebook))
        finally:
            page.screenshot(path=screenshot)
            print("screenshot:", screenshot)
            context.close()


def test_the_slider_redraws_the_figure(tmp_path, offline_environment):
    pictures = Path(os.environ.get("TLCOURSE_SCREENSHOTS", tmp_path))
    pictures.mkdir(parents=True, exist_ok=True)
    before, after = visit(CHAPTER, tmp_path, offline_environment, pictures / "chapter-3.png")
    assert after and after != before
