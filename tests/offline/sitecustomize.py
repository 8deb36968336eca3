"""Python imports this at start when its folder is on PYTHONPATH: the process has no network.

Loopback and Unix sockets still work, because a kernel talks to its notebook through them.
"""

import ipaddress
import socket
import sys

_real = {name: getattr(socket.socket, name) for name in ("connect", "connect_ex", "sendto")}
_real_lookup = socket.getaddrinfo


def _is_here(host):
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        return False


def _refuse(host):
    raise OSError(f"no network in the tests: {host!r} was asked for, and a lesson must run offline")


def _guarded(name):
    def call(self, *arguments):
        address = arguments[-1]  # sendto has flags before it
        if isinstance(address, tuple) and not _is_here(address[0]):
            _refuse(address[0])
        return _real[name](self, *arguments)

    return call


def _lookup(host, *arguments, **options):
    return _real_lookup(host, *arguments, **options) if _is_here(host) else _refuse(host)


for _name in _real:
    setattr(socket.socket, _name, _guarded(_name))
socket.getaddrinfo = _lookup

# Reading its grammar takes a second of every process that opens a notebook, and no notebook has such addresses.
sys.modules["rfc3987_syntax"] = None
