"""Build the wall from inside new Linux namespaces, then go on: ``mounts.py PLAN COMMAND``.

`walls.by_namespaces` starts it through `unshare`. It makes a root folder that holds what the plan
shows and nothing else, goes there for good, gives up every right, and starts the command.
"""

import ctypes
import json
import os
import sys
from pathlib import Path

READ_ONLY, NO_SUID, NO_DEVICE, NO_EXEC, REMOUNT, BIND, RECURSIVE = 1, 2, 4, 8, 32, 4096, 16384
PRIVATE, DETACH = 1 << 18, 2
MOUNT_SETATTR, EVERYTHING_BELOW = 442, 0x8000  # one number on every architecture; Linux 5.12
DROP_BOUND, NO_NEW_PRIVILEGES, DUMPABLE, NEW_USER = 24, 38, 4, 0x10000000
NOBODY = 65534
DEVICES = ("null", "zero", "full", "random", "urandom")
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    """Call the C library; raise OSError where it says that something failed."""
    given = [os.fsencode(a) if isinstance(a, str | Path) else a for a in arguments]
    if getattr(libc, name)(*given) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", str(arguments[0]))


def mount(source, target, kind=None, flags=0, options=None):
    """Mount something; see mount(2)."""
    call("mount", source, target, kind, ctypes.c_ulong(flags), options)


def show(source, target, flags=READ_ONLY | NO_SUID | NO_DEVICE):
    """Make a folder or a file of the machine seen at another place, with all that is below it."""
    if Path(source).is_dir():
        target.mkdir(parents=True, exist_ok=True)
    elif not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()
    mount(source, target, None, BIND | RECURSIVE)
    seal(target, flags)


def seal(target, flags=READ_ONLY | NO_SUID | NO_DEVICE):
    """Make a mount, and all below it, read-only and free of devices."""
    attributes = (ctypes.c_uint64 * 4)(flags, 0, 0, 0)
    size = ctypes.c_size_t(ctypes.sizeof(attributes))
    path = os.fsencode(target)
    if libc.syscall(MOUNT_SETATTR, -100, path, EVERYTHING_BELOW, attributes, size) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"mount_setattr: {os.strerror(number)}", str(target))


def furnish(root, plan):
    """Fill the new root folder; what is shown may lie in a folder that is otherwise its own."""
    mount("tmpfs", root, "tmpfs", NO_SUID | NO_DEVICE, b"mode=755,size=4m")
    for name in ("proc", "dev", "tmp", "home", "etc"):
        (root / name).mkdir()
    mount("proc", root / "proc", "proc", NO_SUID | NO_DEVICE | NO_EXEC)
    for name in DEVICES:
        show(f"/dev/{name}", root / "dev" / name, NO_SUID)
    for name, place in {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        (root / "dev" / name).symlink_to(f"/proc/self/{place}")
    give_room(root, plan)
    for source, target in plan["shown"]:
        show(source, root / target.lstrip("/"))
    (root / "etc/passwd").write_text(f"student:x:{NOBODY}:{NOBODY}::{plan['home']}:/bin/sh\n")


def give_room(root, plan):
    """Make the folders that may be written: the home and those for temporary files, one disk."""
    disk = f"mode=755,size={plan['disk']},nr_inodes=20000".encode()
    mount("tmpfs", root / "home", "tmpfs", NO_SUID | NO_DEVICE, disk)
    for place in ("tmp", "dev/shm"):
        part = root / "home" / f".{place.replace('/', '-')}"
        part.mkdir()
        part.chmod(0o1777)
        (root / place).mkdir(exist_ok=True)
        mount(part, root / place, None, BIND)
    home = root / plan["home"].lstrip("/")
    home.mkdir()
    if plan["real"]:
        os.chown(home, NOBODY, NOBODY)


def enter(root):
    """Make a folder the root of everything, and let go of the old one."""
    os.chdir(root)
    call("pivot_root", b".", b".")
    call("umount2", b".", DETACH)
    os.chdir("/")
    mount(None, "/", None, REMOUNT | BIND | READ_ONLY | NO_SUID | NO_DEVICE)


def give_up(real):
    """Give up all rights, for this process and whatever it starts."""
    Path("/proc/self/oom_score_adj").write_text("1000")  # the first to go when memory runs out
    if real:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    call("prctl", DUMPABLE, 1, 0, 0, 0)  # else /proc/self belongs to root
    stay_nobody()
    for right in range(64):
        if libc.prctl(DROP_BOUND, right, 0, 0, 0) == -1:
            break
    call("prctl", NO_NEW_PRIVILEGES, 1, 0, 0, 0)


def stay_nobody():
    """Become nobody in a namespace where no other may be made: in a new one all rights come back.

    It also counts this submission's processes apart from all others of the same user.
    """
    user, group = os.geteuid(), os.getegid()
    if libc.unshare(NEW_USER) == -1:
        return  # the system forbids such namespaces to everybody, so to submissions too
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{NOBODY} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{NOBODY} {group} 1")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")


def main(path, *command):
    """Build the wall and start the command behind it."""
    plan = json.loads(Path(path).read_text())
    call("prctl", 1, 9, 0, 0, 0)  # end with the one who started this
    plan["real"] = int(Path("/proc/self/uid_map").read_text().split()[2]) > NOBODY
    mount(None, "/", None, RECURSIVE | PRIVATE)
    root = Path(plan["root"])
    furnish(root, plan)
    libc.sethostname(b"student", 7)
    enter(root)
    give_up(plan["real"])
    os.chdir(plan["home"])
    os.execve(command[0], command, plan["environment"])


if __name__ == "__main__":
    main(*sys.argv[1:])
