"""Sealing a freshly forked child: after this, nothing outside the box can be reached.

Order, each step possible only because of the one before (see docs/security.md):

    new user namespace             all capabilities, but over the new namespaces only
    mount, pid, net, ipc, uts      its own; the child of the next fork is pid 1
    cgroup                         its own, once the box is in its group
    mounts                         empty /tmp, /dev/shm, home; own data; fresh /proc
    user ids                       the supervisor's and the student's, where there are any to give
    capabilities, bounding set     dropped; no_new_privs so that nothing gives them back
    landlock                       a second fence for files; see `landlock`
    seccomp                        the filter the host built; inherited by every descendant

User ids. Whatever runs under one user may be limited, slowed down and counted together with all
else of that user. So where the room has ids to spare (it is made by root), each box gets two that
no other has: one for its supervisor, which keeps the few capabilities that it needs over the other,
and one for the student's processes, which keep none. Only a process of the room that may set ids
can write that map, so the template does. Elsewhere both are the room's user, and the filter denies
the calls that could touch pid 1.

Plain ctypes: the standard library of Python 3.11 has none of these calls. Sources:
user_namespaces(7), mount_namespaces(7), capabilities(7), seccomp(2), prctl(2).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from . import landlock

HOME = "/home/student"
SHELF = "/srv/data"
"""Where the template sees every prepared data root; hidden again in each sealed child."""

_CLONE = {
    "mount": 0x00020000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
_CLONE_CGROUP = 0x02000000
_SUPERVISING = (0, 1, 5, 6, 7, 19)
"""Capabilities of a supervisor over the student's user: CHOWN and DAC_OVERRIDE to lay out files,
KILL, SETGID and SETUID to become it, SYS_PTRACE to see whether a process has called `exec`.
"""
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_SECUREBITS, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 28, 36, 38
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_SECURE_NOROOT_LOCKED = 0b101111  # noroot, no_setuid_fixup, keep_caps off, each locked

_libc = ctypes.CDLL(None, use_errno=True)


class SealError(OSError):
    """A step of the sealing failed; the child must not go on."""


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise SealError(number, f"{what}: {os.strerror(number)}")


def _prctl(what: str, option: int, *args: int) -> None:
    padded = [ctypes.c_ulong(a) for a in (*args, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(option, *padded), what)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = _libc.mount(
        source.encode(),
        target.encode(),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        options.encode() or None,
    )
    _check(result, f"mount {target}")


def dumpable(*, yes: bool) -> None:
    """Whether this process may be traced and its /proc files read by its own uid."""
    _prctl("dumpable", _PR_SET_DUMPABLE, int(yes))


def adopt_orphans() -> None:
    """Become the parent of every orphaned descendant, as pid 1 is."""
    _prctl("subreaper", _PR_SET_CHILD_SUBREAPER, 1)


SUPERVISOR, STUDENT = 999, 1000
"""User (and group) ids as every box sees them, whichever ids of the machine stand behind them."""


@dataclass(frozen=True)
class Ids:
    """The user (and group) ids of the room that stand behind those of one box."""

    supervisor: int
    student: int


def spare_ids() -> range:
    """The user ids that are mapped into this namespace beside the process's own (two or more)."""
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, count = map(int, line.split())
        if count > 1 and os.getuid() not in range(first, first + count):
            return range(first, first + count)
    return range(0)


def map_ids(pid: int, ids: Ids) -> None:
    """Give the new user namespace of a child the ids of its box. Takes the capabilities SETUID and
    SETGID. Raises OSError.
    """
    for name in ("uid_map", "gid_map"):
        lines = f"{SUPERVISOR} {ids.supervisor} 1\n{STUDENT} {ids.student} 1\n"
        Path(f"/proc/{pid}/{name}").write_text(lines)


def new_namespaces(*, mapped: bool) -> None:
    """Enter namespaces of one's own, of which those of processes begin with the next fork. With
    `mapped` somebody else must then map the user ids, else only one's own is. Raises `SealError`.
    """
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:
        raise SealError(1, "a box is never sealed as uid 0")
    flags = 0
    for value in _CLONE.values():
        flags |= value
    _check(_libc.unshare(flags), "unshare")
    if not mapped:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{STUDENT} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{STUDENT} {gid} 1")


def _new_mounts(data: str | None, disk_mb: int) -> None:
    """Fresh writable places of a bounded size, the job's own data, and nothing else writable."""
    quiet = _MS_NOSUID | _MS_NODEV
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    size = f"size={disk_mb}m,nr_inodes=20000"
    _mount("tmpfs", "/tmp", "tmpfs", quiet, f"{size},mode=1777")  # noqa: S108 - the box's own
    _mount("tmpfs", "/dev/shm", "tmpfs", quiet, f"{size},mode=1777")  # noqa: S108
    _mount("tmpfs", HOME, "tmpfs", quiet, f"{size},mode=0755,uid={STUDENT},gid={STUDENT}")
    if data is not None:
        os.mkdir(f"{HOME}/data")
        _mount(f"{SHELF}/{data}", f"{HOME}/data", None, _MS_BIND)
    for shared in (SHELF, "/dev/pts"):  # other data; terminals of the room, a way to neighbours
        if os.path.isdir(shared):
            _mount("tmpfs", shared, "tmpfs", quiet | _MS_RDONLY, "size=4k,mode=0755")
    _mount("proc", "/proc", "proc", quiet | _MS_NOEXEC)


def _become(uid: int) -> None:
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def _keep_capabilities(*kept: int) -> None:
    """Drop every capability but `kept`, and make sure that none comes back."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    _prctl("securebits", _PR_SET_SECUREBITS, _SECURE_NOROOT_LOCKED)
    for capability in range(last + 1):
        _prctl("bounding set", _PR_CAPBSET_DROP, capability)
    _set_capabilities(*kept)


def _set_capabilities(*kept: int) -> None:
    class Header(ctypes.Structure):
        _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]

    bits = sum(1 << c for c in kept)  # all of them below 32, the first of two words
    header = Header(0x20080522, 0)
    words = (ctypes.c_uint32 * 6)(bits, bits)  # effective, permitted, inheritable; twice
    _check(_libc.capset(ctypes.byref(header), words), "capset")


def _filter_syscalls(program: bytes) -> None:
    class Fprog(ctypes.Structure):
        _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_char_p)]

    fprog = Fprog(len(program) // 8, program)
    _prctl("seccomp", _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(fprog))


def enter(data: str | None, disk_mb: int, syscalls: bytes, *, mapped: bool = False) -> None:
    """Seal this process, which is in `new_namespaces` and in its control group already. Returns
    only in the sealed child, which is pid 1 of its namespace.

    `data` is the folder below `SHELF` to mount as the job's `data/`; `disk_mb` bounds each
    writable place; `syscalls` is a classic BPF program. Where two ids are `mapped` the child
    becomes `SUPERVISOR`, and must become `STUDENT` where student code is to run. The calling
    process stays outside the pid namespace, waits for the child and ends with it. Raises
    `SealError`.
    """
    _check(_libc.unshare(_CLONE_CGROUP), "unshare cgroup")
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    if mapped:
        _become(SUPERVISOR)
    _prctl("pdeathsig", _PR_SET_PDEATHSIG, 9)  # after that: a change of user takes it away
    _new_mounts(data, disk_mb)
    _keep_capabilities(*(_SUPERVISING if mapped else ()))
    confine(syscalls)
    os.chdir(HOME)


@dataclass(frozen=True)
class Wall:
    """What a backend has put around a box, as far as the supervisor must know.

    own_pids: the box has a pid namespace, so every process in it is the submission's.
    counted: no other box runs under the same user, so `RLIMIT_NPROC` counts this one alone.
    uid: student processes become this user, the supervisor stays another; None: same user.
    syscalls: a filter that each student process still has to load; empty if inherited.
    readable: with a uid, all that its processes may read (Landlock); None for no such fence.
    """

    own_pids: bool
    counted: bool
    uid: int | None = None
    syscalls: bytes = b""
    readable: tuple[str, ...] | None = None

    def members(self, watched: int) -> list[int]:
        """The processes of the submission, as far as they can be told from others."""
        if not self.own_pids and self.uid is None:
            return [watched]
        pids = [int(p) for p in os.listdir("/proc") if p.isdigit() and p != "1"]
        if self.own_pids:
            return pids
        mine = []
        for pid in pids:
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{pid}").st_uid == self.uid:
                    mine.append(pid)
        return mine

    def holds(self, pid: int) -> bool:
        """Whether `pid` is the submission's, where that can be told. A supervisor that is root
        among other people's processes would else kill what it is told to.
        """
        if not self.own_pids and self.uid is None:
            return True
        return pid in self.members(pid)

    def end(self) -> bool:
        """Kill every process of the submission at once, as far as it can be told from others; True
        where none is left. All at once, since one may fork between a look and a kill.
        """
        left = self.members(0) if self.own_pids or self.uid is not None else []
        if left and self.own_pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        elif left and os.fork() == 0:
            with contextlib.suppress(OSError):
                assert self.uid is not None
                _become(self.uid)  # so that "all" are those of this user
                os.kill(-1, signal.SIGKILL)
            os._exit(0)
        return not left

    def give(self, output: int) -> None:
        """Make the pipe it prints on a student process's own, for it to open /dev/stdout."""
        if self.uid is not None:
            os.fchown(output, self.uid, self.uid)

    def enter(self) -> None:
        """In a forked student process: another user, no way back, the filter if not inherited."""
        if self.uid is not None:
            self.give(1)
            _become(self.uid)
            _set_capabilities()
        if self.syscalls:
            confine(self.syscalls, os.getcwd(), self.readable)


def confine(syscalls: bytes, home: str = HOME, readable: tuple[str, ...] | None = None) -> None:
    """No new privileges, Landlock's fence and the system-call filter, for good."""
    _prctl("no_new_privs", _PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict((home, "/tmp", "/dev/shm"), readable)  # noqa: S108 - the box's own
    _filter_syscalls(syscalls)
