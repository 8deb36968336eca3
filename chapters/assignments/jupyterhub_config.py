"""JupyterHub for a class: each student has a server, and a copy of the lessons that stays his or hers.

    make hub     or:  jupyterhub --config chapters/assignments/jupyterhub_config.py

Add your own authenticator, see https://jupyterhub.readthedocs.io.
"""

import shutil
import sys
from contextlib import suppress
from pathlib import Path

CHAPTERS = Path(__file__).resolve().parent.parent
GIVEN = ["*.ipynb", "*.md", "figures/*", "assignments/release/*/*.ipynb"]  # never the solutions


def hand_out(spawner):
    """Copy into the student's home what is not there yet; what is there is never touched."""
    home = Path(spawner.user_env({})["HOME"])
    home.mkdir(parents=True, exist_ok=True)
    for source in (path for pattern in GIVEN for path in sorted(CHAPTERS.glob(pattern))):
        target = home / "tlcourse" / source.relative_to(CHAPTERS)
        for folder in [*reversed(target.relative_to(home).parents)][1:]:
            if not (home / folder).exists():
                (home / folder).mkdir()
                give(home / folder, spawner.user.name)
        if not target.exists():
            shutil.copyfile(source, target)
            give(target, spawner.user.name)


def give(path, student):
    """Make the student the owner; in a trial on a laptop there is no such account, nor a need."""
    with suppress(LookupError, PermissionError):
        shutil.chown(path, student)


c = get_config()  # noqa: F821
c.Spawner.pre_spawn_hook = hand_out
c.Spawner.cmd = [str(Path(sys.executable).with_name("jupyterhub-singleuser"))]
c.Spawner.default_url = "/lab/tree/tlcourse/01_concepts.ipynb"
# A lesson needs 2 GB and two cores; with one core it takes twice as long.
c.Spawner.mem_limit = "3G"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
# Real data sets are read by all: c.Spawner.environment = {"TLCOURSE_DATA": "/srv/tlcourse"}
