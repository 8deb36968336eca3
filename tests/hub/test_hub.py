"""A class on one server: a real JupyterHub, two students, and the first cells of a lesson."""

import json
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from course_wheel import ROOT

PROXY = Path(sys.prefix) / "hub" / "node_modules" / ".bin" / "configurable-http-proxy"
CONFIG = ROOT / "chapters" / "assignments" / "jupyterhub_config.py"
MINE = "# my own work\n"
TRIAL = """
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {homes!r} + "/{{username}}"
c.Authenticator.allow_all = True
c.Spawner.args = ["--allow-root"]
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_port = {hub}
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{api}"
c.JupyterHub.cookie_secret_file = {homes!r} + "/secret"
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.services = [{{"name": "test", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [{{"name": "test", "services": ["test"], "scopes": [
    "admin:users", "admin:servers", "access:servers", "tokens"]}}]
"""


def free_ports(n):
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


class Hub:
    """The hub's and the servers' REST interface."""

    def __init__(self, port, token):
        self.at, self.token = f"http://127.0.0.1:{port}", token

    def ask(self, path, method="GET", body=None, wait=0):
        """Return the answer; where nothing is ready, ask again for `wait` seconds."""
        headers = {"Authorization": f"token {self.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.at + path, data, headers, method=method)
        end = time.monotonic() + wait
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    text = answer.read()
                    return json.loads(text) if text else None
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > end:
                    raise
                time.sleep(0.5)


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(scope="module")
def hub(homes):
    assert PROXY.exists(), "the proxy is missing: make test-hub installs it"
    port, hub_port, api = free_ports(3)
    token, trial = secrets.token_hex(16), homes / "config.py"
    options = {"homes": str(homes), "port": port, "hub": hub_port, "api": api}
    own = TRIAL.format(**options, proxy=str(PROXY), token=token)
    trial.write_text(f"load_subconfig({str(CONFIG)!r})\n{own}")
    log = (homes / "hub.log").open("wb")
    command = [sys.executable, "-m", "jupyterhub", "--config", str(trial)]
    server = subprocess.Popen(command, cwd=homes, stdout=log, stderr=log, start_new_session=True)
    try:
        made = Hub(port, token)
        made.ask("/hub/api/", wait=120)
        yield made
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def start(hub, student):
    hub.ask(f"/hub/api/users/{student}", "POST")
    hub.ask(f"/hub/api/users/{student}/server", "POST")
    hub.ask(f"/user/{student}/api/status", wait=120)


def run(hub, student, code):
    """Run code in a new kernel of a student's server; return what it prints."""
    from websocket import create_connection

    kernel = hub.ask(f"/user/{student}/api/kernels", "POST", {}, wait=30)
    at = hub.at.replace("http", "ws") + f"/user/{student}/api/kernels/{kernel['id']}/channels"
    channel = create_connection(at, timeout=120, header=[f"Authorization: token {hub.token}"])
    header = {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": student,
              "version": "5.3", "date": "2026-01-01T00:00:00Z"}  # fmt: skip
    content = {"code": code, "silent": False, "store_history": False, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
    channel.send(json.dumps(message | {"channel": "shell", "buffers": []}))
    printed = ""
    while True:
        answer = json.loads(channel.recv())
        if answer["parent_header"].get("msg_id") != "1":
            continue
        assert answer["msg_type"] != "error", answer["content"]
        printed += answer["content"].get("text", "")
        if answer["content"].get("execution_state") == "idle":
            return printed


@pytest.mark.parametrize("student", ["ada", "grace"])
def test_a_student_has_the_lessons_and_runs_one(hub, homes, student):
    own = homes / student / "tlcourse" / "03_tuning.ipynb"
    own.parent.mkdir(parents=True)
    own.write_text(MINE)
    start(hub, student)
    assert own.read_text() == MINE, "a student's work was overwritten"
    given = hub.ask(f"/user/{student}/api/contents/tlcourse?content=1")["content"]
    names = {entry["name"] for entry in given}
    assert {"01_concepts.ipynb", "glossary.md", "figures", "assignments"} <= names
    assert not list((homes / student).rglob("source")), "solutions were handed out"
    assert len(list((homes / student).glob("tlcourse/assignments/release/*/*.ipynb"))) == 7
    lesson = nbformat.read(homes / student / "tlcourse" / "01_concepts.ipynb", as_version=4)
    first = "\n".join(c.source for c in lesson.cells[1:4] if c.cell_type == "code")
    printed = run(hub, student, f"{first}\nimport os\nprint(os.environ['HOME'])")
    assert "scale        quick" in printed and printed.strip().endswith(str(homes / student))
