"""A Sphinx extension: what the book's other extensions leave to do."""


def setup(app):
    """Let Sphinx call these once all extensions have announced themselves."""
    app.connect("builder-inited", without_thebe, priority=1000)
    app.connect("builder-inited", follow_imports, priority=1000)
    return {"parallel_read_safe": True}


def without_thebe(app):
    """Take back what Thebe wants to be called for.

    jupyter-book always loads it; every page would name a script from elsewhere, and declare it twice.
    """
    for listeners in app.events.listeners.values():
        for listener in [it for it in listeners if it.handler.__module__ == "sphinx_thebe"]:
            listeners.remove(listener)


def follow_imports(app):
    """Let ``plots.robustness`` in a lesson's code lead to ``plots.curves``, where it is defined."""
    objects = app.env.autoapi_all_objects.items()
    found = {name: it.obj["original_path"] for name, it in objects if it.obj.get("original_path")}
    app.config.codeautolink_inventory_map.update(found)
