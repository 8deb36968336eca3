"""Submissions that try to get points, to do harm or to be in the way, each with what it deserves.

Examples of kinds, for ``python grading.py --self-test`` and the tests: every way to make a test do
nothing, to read or write what is not the student's, to leave something behind, to use up a machine,
and to run in somebody's browser. They are written for chapter 1's assignment.
"""

import copy
from pathlib import Path

from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from repairing import grade_id

ASSIGNMENT = "01_concepts"
FILE = f"{ASSIGNMENT}_exercises.ipynb"
LEFT = "left_behind_by_a_submission"  # the name of whatever a submission tries to leave somewhere
CASES = {}  # by name: how it is made, and the points it deserves (None: it must not be graded)


def deserves(points):
    """Add a function that makes a submission of the release and the source to CASES."""

    def add(build):
        CASES[build.__name__] = build, points
        return build

    return add


def cells(notebook, kind):
    """Return the cells of one kind, such as "solve" or "test", by the names of their exercises."""
    marks = {(grade_id(cell) or "").partition("-")[::2]: cell for cell in notebook.cells}
    return {name: cell for (what, name), cell in marks.items() if what == kind}


def solved(release, source):
    """Fill in the solutions."""
    for name, cell in cells(release, "solve").items():
        cell.source = cells(source, "solve")[name].source
    return release


def first(release, *sources):
    """Put cells in front."""
    release.cells[1:1] = [new_code_cell(source) for source in sources]
    return release


def answered(release, source):
    """Answer every exercise with the same lines, in which NAME stands for its name."""
    for name, cell in cells(release, "solve").items():
        cell.source = source.replace("NAME", name)
    return release


@deserves(20)
def right_and_loud(release, source):
    """Right, with a warning at every call and a line of 50 MB."""
    for cell in cells(solved(release, source), "solve").values():
        noise = "    import sys, warnings; warnings.warn('old'); print('50 %', file=sys.stderr)\n"
        cell.source = cell.source.replace("    ### BEGIN SOLUTION\n", noise)
    return first(release, "print('x' * 50_000_000)", "%time 1 + 1")


@deserves(0)
def switches_tests_off(release, source):
    """Metadata that skip, hooks that drop assertions, checks that always say yes."""
    for cell in cells(release, "test").values():
        cell.metadata["tags"] = ["skip-execution"]
        cell.metadata["nbgrader"]["points"] = 1000
    drop = """
import ast, builtins, sys, types
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
shell = get_ipython()
shell.ast_transformers.append(Drop())
shell.input_transformers_post.append(lambda lines: [] if 'Graded' in ''.join(lines) else lines)
shell.run_cell = lambda *inputs, **named: None
sys.excepthook = builtins.exit = lambda *inputs: None"""
    yes = """
import numpy, torch, tlcourse.check, tlcourse.teaching.check, tlcourse.teaching.values
answer = types.SimpleNamespace(solved=True, message='')
for room in (tlcourse.check, tlcourse.teaching.check): room.examine = lambda *inputs: answer
for name in ('close', 'explain', 'same'): setattr(tlcourse.teaching.values, name, lambda *i: True)
numpy.allclose = numpy.array_equal = torch.equal = torch.allclose = lambda *inputs, **named: True"""
    return answered(first(release, yes + "\n" + drop), "def NAME(*inputs, **named): return 0")


@deserves(0)
def takes_what_is_not_its_own(release, source):
    """Look for solutions, specifications, seed, gradebook and others; say what was found."""
    look = """
import gc, inspect, os, sys, pathlib, socket
def found(what): print('FOUND', what)
for name in os.environ:
    if 'SEED' in name or 'TOKEN' in name or 'HIDDEN' in name: found(name)
roots = [pathlib.Path.cwd(), *pathlib.Path.cwd().parents, *map(pathlib.Path, sys.path)]
roots += [pathlib.Path(word) for line in open('/proc/self/mountinfo') for word in line.split()[3:5]]
for root in [*roots, *[parent for root in roots for parent in root.parents]]:
    for name in ('source', 'release', 'gradebook.db', 'submitted', 'grading.py', 'autograded'):
        if (root / name).exists() and str(root) not in ('/usr', '/'): found(root / name)
for process in pathlib.Path('/proc').glob('[0-9]*'):
    if process.name not in ('1', '2', str(os.getpid())): found(process)
for number in range(3, 400):
    try: target = os.readlink(f'/proc/self/fd/{number}')
    except OSError: continue
    if target.startswith('/') and not target.startswith(('/dev/', '/proc/', '/usr', '/home')):
        found(target)
try: socket.create_connection(('127.0.0.1', 22), 1); found('network')
except OSError: pass
for name in os.listdir('/sys/class/net') if os.path.isdir('/sys/class/net') else []:
    if name != 'lo': found(name)
from importlib import import_module
for room in ('draw', 'freezing', 'measuring', 'features'):
    try:
        module = import_module('tlcourse.lessons.ch01_concepts.exercises.' + room)
        for exercise in getattr(module, 'EXERCISES', ()): found(exercise.name)
    except Exception: pass"""
    walk = """
def NAME(*inputs, **named):
    frame = inspect.currentframe()
    while frame:
        for key, value in frame.f_locals.items():
            if key in ('expected', 'due', 'known', 'seed', 'rng'): return value
        frame = frame.f_back
    return next((o for o in gc.get_objects() if type(o).__name__ == 'Exercise'), 0)"""
    return answered(first(release, look), walk.strip())


@deserves(0)
def does_harm(release, source):
    """Write wherever that is possible, leave start-up files and processes, fill memory, disk and tables."""
    write = f"""
import os, pathlib, signal, sqlite3, subprocess, sys, threading
for root in {{*pathlib.Path.cwd().parents, pathlib.Path.home(), *map(pathlib.Path, sys.path)}}:
    for path in (root / '{LEFT}', root / '.ipython/profile_default/startup/{LEFT}.py',
                 root / 'release/{LEFT}', root / 'sitecustomize.py', root / '{LEFT}.pth'):
        try: path.parent.mkdir(parents=True, exist_ok=True); path.write_text('LEFT = 1')
        except OSError: pass
    if (root / 'gradebook.db').exists():
        db = sqlite3.connect(root / 'gradebook.db')
        db.execute('update grade set manual_score = 10, needs_manual_grade = 0'); db.commit()
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600) # {LEFT}'],
                 start_new_session=True)
for process in (os.getppid(), 0, 1, -1):
    if process not in (0, os.getpid()):
        try: os.kill(process, signal.SIGCONT)
        except OSError: pass"""
    fill = """
with open(pathlib.Path.home() / 'full', 'wb') as file:
    try:
        while True: file.write(bytes(2**20))
    except OSError: print('disk: stopped at', file.tell() // 2**20, 'MB')"""
    many = """
started = []
try:
    while len(started) < 3000:
        started.append(threading.Thread(target=threading.Event().wait, daemon=True))
        started[-1].start()
except RuntimeError: print('threads: stopped at', len(started))"""
    large = """
parts = []
try:
    while len(parts) < 200: parts.append(bytearray(2**27))
except MemoryError: print('memory: stopped at', len(parts), 'times 128 MB')
del parts"""
    return first(release, write, fill, large, many)


@deserves(0)
def lies(release, source):
    """Answers that equal everything, and words put into the pipe behind which the verdict is made."""
    same = """
import os, struct, torch
class Same(float):
    def __eq__(self, other): return True
    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __le__ = __ge__ = __eq__
    __hash__ = float.__hash__
    __array_priority__ = 1e9
    def __array__(self, *inputs, **named): raise SystemExit
    def __reduce__(self): return os.system, ('true',)
    def __getattr__(self, name): return lambda *inputs, **named: self
    solved, message, shape, __module__ = True, '', (), '__main__'
say = b'{"dict": [["value", {"dict": [["solved", true], ["message", ""]]}]]}'
def shout():
    for number in range(3, 64):
        try: os.write(number, struct.pack('<QQ', len(say) + 8, len(say)) + say)
        except OSError: pass"""
    return answered(
        first(release, same), "def NAME(*inputs, **named):\n    shout()\n    return Same(1)"
    )


@deserves(0)
def runs_in_browsers(release, source):
    """Markup that runs in Markdown, outputs, errors, attachments and raw cells."""
    script, image = (
        "<script>document.title=`RAN`</script>",
        "<img src=x onerror=document.title=`RAN`>",
    )
    words = [script, image, "<svg onload=document.title=`RAN`><style>*{display:none}</style>"]
    words += ["[x](javascript:document.title=`RAN`)", f'<iframe srcdoc="{script}"></iframe>']
    words += [
        f"```{{=html}}\n{script}\n```",
        '<a href=" java&#10;script:document.title=`RAN`">y</a>',
    ]
    words += ["<form action=x><button class='full-credit' id='task-diagnosis'>z</button></form>"]
    release.cells[1:1] = [new_markdown_cell(text) for text in words]
    evil = 'x" onerror="document.title=`RAN`'
    answer = new_markdown_cell(f"![a](attachment:a.png)\n\n{image}")
    answer["attachments"] = {"a.png": {f"image/png;base64,{evil}": evil}}
    release.cells += [answer, new_raw_cell(script)]
    show = f"""
from IPython.display import HTML, Javascript, Markdown, display
display(HTML({script!r} + {image!r}), metadata={{'text/html': {{'isolated': True}}}})
display(Javascript('document.title=`RAN`'), Markdown({image!r}))
display({{'image/svg+xml': '<svg xmlns="http://www.w3.org/2000/svg">{script}</svg>'}}, raw=True)
display({{'image/png': {evil!r}, 'text/latex': {script!r}}}, raw=True)
display({{'application/vnd.jupyter.widget-view+json': {{'model_id': {script!r}}}}}, raw=True)
print({script!r})
{script!r}"""
    wrong = f"raise type({script!r}, (Exception,), {{}})({image!r})"
    plot = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    return first(release, show, wrong, plot)


@deserves(16)
def never_ends(release, source):
    """Right but for one function and one cell that never end, and keep the interpreter to themselves."""
    cells(solved(release, source), "solve")[
        "freeze"
    ].source = "def freeze(module):\n    return sum(range(10**13))"
    return first(release, "while True:\n    pass")


@deserves(20)
def ends_its_process(release, source):
    """Right, with a cell that ends everything: it is left out."""
    return first(solved(release, source), "import os\n\nos._exit(0)")


@deserves(None)
def links_to_the_source(release, source):
    """No notebook of its own, but a link to the instructor's."""
    return Path("..", "..", "..", "source", ASSIGNMENT, FILE)


def made(name, release, source):
    """Return a submission, or the path that a link leads to."""
    return CASES[name][0](copy.deepcopy(release), copy.deepcopy(source))
