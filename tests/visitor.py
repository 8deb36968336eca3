"""A real browser, for the tests of the lessons in JupyterLab, of the book and of the slides."""

import os
import re
import shutil
from urllib.parse import urlsplit

import pytest

BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
CDN = re.compile(r"unpkg\.com|jsdelivr\.net|cdnjs\.|googleapis\.com")


def cannot(reason):
    """Skip on a reader's machine; fail where every test must run."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)


def chromium():
    """Return the path of an installed browser."""
    found = [path for path in map(shutil.which, BROWSERS) if path]
    if not found:
        cannot("no chromium on PATH: install it (Debian: apt-get install chromium)")
    return found[0]


def is_elsewhere(address):
    return address.startswith("//") or bool(urlsplit(address).scheme)


def visit(browser, site):
    """Return a tab in which every request that leaves the site fails, and the list of its faults."""
    tab = browser.new_page()
    faults = []
    tab.route(lambda address: not address.startswith((site, "data:")), lambda r: r.abort())
    tab.on("requestfailed", lambda request: faults.append(f"not loaded: {request.url}"))
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    return tab, faults
