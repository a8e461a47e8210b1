"""Landlock: file rights that a process gives up for itself and all that come after it.

A second fence behind the mounts (and, where there are none, the first): writing only below the
places named, reading only below others if they are named, no TCP, and, where the kernel
knows how, no abstract sockets or signals to processes outside. A kernel without Landlock is
no error: the fence behind it still stands. Source: landlock(7), linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_CHANGE = sum(1 << bit for bit in range(4, 13))  # remove and make entries of every kind
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract UNIX sockets, signals

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """The kernel's Landlock version, 0 where there is none."""
    found = _libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    return max(0, int(found))


def _rights(abi: int) -> tuple[int, int]:
    """(all that writing takes, all that reading takes) in this version."""
    write = _WRITE | _CHANGE | (_REFER if abi >= 2 else 0) | (_TRUNCATE if abi >= 3 else 0)
    return write, _EXECUTE | _READ | _READ_DIR


def restrict(writable: Sequence[str], readable: Sequence[str] | None = None) -> int:
    """Fence this process in; returns the version used, 0 where the kernel has none.

    `writable` folders may be written and read; `/dev` keeps its devices. With `readable`, only
    those folders may be read at all. Needs no_new_privs. Raises OSError where the kernel
    refuses.
    """
    abi = version()
    if abi == 0:
        return 0
    write, read = _rights(abi)
    handled = write | (read if readable is not None else 0)
    attributes = _Ruleset(handled, _TCP if abi >= 4 else 0, _SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _call(_CREATE, ctypes.byref(attributes), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for place in writable:
            _allow(ruleset, place, handled)
        _allow(ruleset, "/dev", (_WRITE | read) & handled)
        for place in readable or ():
            _allow(ruleset, place, read)
        _call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, place: str, rights: int) -> None:
    try:
        fd = os.open(place, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(place):
            rights &= _EXECUTE | _READ | _WRITE | _TRUNCATE
        rule = _PathBeneath(rights, fd)
        _call(
            _ADD_RULE,
            ctypes.c_int(ruleset),
            ctypes.c_int(_PATH_BENEATH),
            ctypes.byref(rule),
            ctypes.c_uint32(0),
        )
    finally:
        os.close(fd)


def _call(number: int, *args: object) -> int:
    result = int(_libc.syscall(number, *args))
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"landlock: {os.strerror(error)}")
    return result
