"""JupyterHub for a class: each student has a server, and a copy of the lessons to keep.

    make hub     or:  jupyterhub --config chapters/assignments/jupyterhub_config.py

Add your own authenticator, see https://jupyterhub.readthedocs.io.
"""

import sys
from pathlib import Path

c = get_config()  # noqa: F821
c.Spawner.cmd = [sys.executable, str(Path(__file__).resolve().with_name("start_student.py"))]
c.Spawner.default_url = "/lab/tree/tlcourse/01_concepts.ipynb"
# A lesson needs 2 GB and two cores; with one core it takes twice as long. Not every spawner can limit.
c.Spawner.mem_limit = "3G"
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
# Real data sets are read by all: c.Spawner.environment = {"TLCOURSE_DATA": "/srv/tlcourse"}
