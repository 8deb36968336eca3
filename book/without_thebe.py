"""A Sphinx extension that keeps Thebe out of the book.

jupyter-book always loads it; every page would name a script from elsewhere, and declare it twice.
"""


def setup(app):
    """Let Sphinx call this once all extensions have announced themselves."""
    app.connect("builder-inited", disconnect, priority=1000)
    return {"parallel_read_safe": True}


def disconnect(app):
    """Take back what Thebe wants to be called for."""
    for listeners in app.events.listeners.values():
        for listener in [it for it in listeners if it.handler.__module__ == "sphinx_thebe"]:
            listeners.remove(listener)
