"""Settings of nbgrader for this course; every nbgrader command run in this folder reads them."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))  # nbgrader may be started elsewhere
from grading import Exporter, Repair

# nbgrader starts `alembic` by its bare name, which fails when the environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

c = get_config()  # noqa: F821 - nbgrader defines it
c.CourseDirectory.course_id = "tlcourse"
c.CourseDirectory.root = str(HERE)

# With nbgrader's 30 s, importing torch on a busy machine counts as a wrong answer.
c.Execute.timeout = 300
c.Execute.iopub_timeout = 60

# A warning, a log line or a progress bar is no mistake; nbgrader takes all text on stderr for one.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = "^"  # whatever it says

# Copied or deleted cells would stop nbgrader, and with it the rest of the class.
c.Autograde.exporter_class = Exporter
c.Autograde.sanitize_preprocessors = [
    Repair,
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# Moves the random cases of the hidden tests. Take a number of your own: this one is public.
os.environ.setdefault("TLCOURSE_HIDDEN_SEED", "1000")
os.environ["TLCOURSE_DEVICE"] = "cpu"  # grading is the same on every machine
