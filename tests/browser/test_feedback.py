"""An instructor reads a hostile submission in a real browser: nothing in it runs, figures still show."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import assignment as tool
import hostile
import pytest
import self_test
from browser.test_lab import FLAGS, free_port, wait_for
from graded import needs_a_wall
from repairing import read
from visitor import cannot, chromium

STUDENT = "runs_in_browsers"
PLACE = f"{hostile.ASSIGNMENT}/{hostile.FILE}"
LOADED = "[...document.images].filter(image => image.complete && image.naturalWidth > 20).length"
# What a script would do that came through: the policy has to stop it, not the cleaning.
INJECT = """() => {
    const part = document.createElement('div');
    part.innerHTML = "<img src=x onerror='document.title=`RAN`'><button onclick='document.title=`RAN`'>";
    document.body.append(part);
    part.querySelector('button').click();
    const script = document.createElement('script');
    script.textContent = "document.title = 'RAN'";
    document.body.append(script);
}"""


@pytest.fixture(scope="module")
def course(tmp_path_factory, module_environment):
    """A course in which the submission was graded, and feedback was made."""
    needs_a_wall()
    folder = tmp_path_factory.mktemp("course")
    for path in tool.COURSE.glob("*.py"):
        shutil.copy(path, folder)
    shutil.copytree(tool.COURSE / "source", folder / "source")

    def run(*command):
        options = {"cwd": folder, "env": module_environment, "capture_output": True, "text": True}
        done = subprocess.run([sys.executable, *command], check=False, **options)
        assert not done.returncode, done.stdout + done.stderr

    run("-m", "nbgrader", "generate_assignment", hostile.ASSIGNMENT, "--force")
    notebooks = read(folder / "release" / PLACE), read(folder / "source" / PLACE)
    self_test.hand_in(hostile.made(STUDENT, *notebooks), folder / "submitted" / STUDENT / PLACE)
    run("grading.py", hostile.ASSIGNMENT)
    run("-m", "nbgrader", "generate_feedback", hostile.ASSIGNMENT)
    return folder


@pytest.fixture(scope="module")
def module_environment(tmp_path_factory):
    """The environment of a process that shares no settings with this machine's user."""
    from conftest import kernel_environment

    folder = tmp_path_factory.mktemp("settings")
    own = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    return kernel_environment() | {name: str(folder / name.lower()) for name in own}


def until(tab, true):
    """Wait until an expression is true, asked from outside: the policy lets no page evaluate a text."""
    for _ in range(300):
        if tab.evaluate(true):
            return
        tab.wait_for_timeout(100)
    raise TimeoutError(true)


@pytest.fixture(scope="module")
def tab():
    """A tab of a real browser."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        cannot("playwright is not installed: pip install -e '.[test]'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS, headless=True)
        yield browser.new_page()
        browser.close()


@contextmanager
def server(course, environment):
    """Serve the course as an instructor does who starts Jupyter in its folder."""
    port, token = free_port(), secrets.token_hex(16)
    extensions = "{'nbgrader.server_extensions.formgrader': True, 'jupyterlab': False}"
    command = [sys.executable, "-m", "jupyter_server", "--allow-root", "--no-browser"]
    command += ["--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={token}"]
    command += [f"--ServerApp.jpserver_extensions={extensions}", f"--ServerApp.root_dir={course}"]
    log = course / "server.log"
    with log.open("wb") as stream:
        streams = {"stdout": stream, "stderr": stream, "start_new_session": True}
        started = subprocess.Popen(command, cwd=course, env=environment, **streams)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token={token}", started, log)
        yield f"http://127.0.0.1:{port}", token
    finally:
        os.killpg(started.pid, signal.SIGTERM)
        started.wait(60)


def number_of_submission(course):
    """The name under which the form grader shows the submission."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        name = hostile.FILE.removesuffix(".ipynb")
        return gradebook.find_submission_notebook(name, hostile.ASSIGNMENT, STUDENT).id


def nothing_runs(tab):
    """Give what might run the time to do so, then try to run something; the title tells."""
    tab.wait_for_timeout(500)
    title = tab.title()
    tab.evaluate(INJECT)
    tab.wait_for_timeout(500)
    return title == tab.title() != "RAN"


def test_feedback_shows_figures_and_runs_nothing(tab, course):
    tab.goto((course / "feedback" / STUDENT / PLACE).with_suffix(".html").as_uri())
    assert nothing_runs(tab)
    assert tab.evaluate(LOADED) >= 7, "those of the statement, and the student's own"
    assert tab.get_by_text("is still empty").count() >= 6
    tab.screenshot(path=course / "feedback.png", full_page=True)


def test_the_form_grader_works_shows_figures_and_runs_nothing_of_a_student(
    tab, course, module_environment
):
    with server(course, module_environment) as (address, token):
        tab.goto(f"{address}/tree?token={token}")
        answer = tab.goto(f"{address}/formgrader/submissions/{number_of_submission(course)}/")
        assert "script-src 'nonce-" in answer.headers["content-security-policy"]
        score = tab.locator("input#test-freeze.score")
        until(tab, "document.querySelector('input#test-freeze').placeholder !== ''")
        assert nothing_runs(tab)
        assert tab.evaluate(LOADED) >= 7
        score.fill("3")
        score.press("Tab")
        tab.wait_for_timeout(1500)
        tab.reload()
        until(tab, "document.querySelector('input#test-freeze').value === '3'")
        tab.screenshot(path=course / "form_grader.png", full_page=True)
