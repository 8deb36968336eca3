"""What JupyterHub starts for a student, with the student's own rights: hand out, then serve.

It may not run with the hub's rights: a link that a student made could lead the copies anywhere.
"""

import os
import sys
from pathlib import Path

from tlcourse.teaching.hand_out import hand_out

if __name__ == "__main__":
    hand_out(Path.home() / "tlcourse")
    server = Path(sys.executable).with_name("jupyterhub-singleuser")
    os.execv(server, [str(server), *sys.argv[1:]])
