"""The system calls that boxed code may not make, as a classic BPF program.

Built on the host with libseccomp (through pyseccomp) and shipped as bytes, so that the box
needs no library. Everything else is allowed: the namespaces are the wall, this filter keeps
the kernel's rarely used and riskier doors shut. Training, DataLoader workers and threads
were seen to stay healthy under it.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import socket
import tempfile
from functools import lru_cache

from ..errors import SandboxError

DENIED = (
    # other processes
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "kcmp",
    "pidfd_getfd",
    "process_madvise",
    # new namespaces and mounts, from inside
    "unshare",
    "setns",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "open_tree_attr",
    # kernel interfaces with a history of holes
    "bpf",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "userfaultfd",
    "keyctl",
    "add_key",
    "request_key",
    "perf_event_open",
    "open_by_handle_at",
    "name_to_handle_at",
    "personality",
    # memory that no limit counts
    "memfd_create",
    "memfd_secret",
    "shmget",
    "shmat",
    "msgget",
    "semget",
    # the machine itself
    "kexec_load",
    "kexec_file_load",
    "init_module",
    "finit_module",
    "delete_module",
    "reboot",
    "swapon",
    "swapoff",
    "syslog",
    "acct",
    "quotactl",
    "settimeofday",
    "clock_settime",
    "adjtimex",
    "sethostname",
    "setdomainname",
    "iopl",
    "ioperm",
    "vhangup",
    "nfsservctl",
    "lookup_dcookie",
    "mknod",
    "mknodat",
    # where the host keeps what is mounted
    "statmount",
    "listmount",
)
NUMBERS = {"statmount": 457, "listmount": 458, "open_tree_attr": 467}
"""Calls that are newer than many a libseccomp; from 424 on, a call has one number everywhere."""
OF_PROCESS = (
    "prlimit64",
    "sched_setaffinity",
    "sched_setscheduler",
    "sched_setparam",
    "sched_setattr",
    "migrate_pages",
    "move_pages",
    "pidfd_open",
)
"""Calls that change the process that their first argument names. In a box pid 1 is the supervisor,
and all others are the submission's own.
"""
OF_MANY = {"setpriority": (0, 2), "ioprio_set": (1, 3)}
"""Calls that name a process, or every process of a user, by the kind in their first argument and
the number in their second: the two kinds.
"""
_INT = 0xFFFFFFFF
"""The kernel reads only so many bits of an argument that is an int."""


@lru_cache(maxsize=1)
def program() -> bytes:
    """The filter as BPF bytes. Raises `SandboxError` where libseccomp is missing."""
    try:
        import pyseccomp as seccomp
    except (ImportError, RuntimeError, OSError) as e:
        raise SandboxError(
            f"the system-call filter cannot be built: {e}",
            remedy="install libseccomp: `apt-get install libseccomp2`",
        ) from e
    denied = seccomp.ERRNO(errno.EPERM)
    rules = seccomp.SyscallFilter(seccomp.ALLOW)
    for name in DENIED:
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            rules.add_rule(denied, NUMBERS.get(name, name))
            # else a call this kernel's or library's architecture does not know
    init = seccomp.Arg(0, seccomp.MASKED_EQ, _INT, 1)
    for name in OF_PROCESS:
        rules.add_rule(denied, name, init)
    for name, (one, user) in OF_MANY.items():
        kind = seccomp.Arg(0, seccomp.MASKED_EQ, _INT, one)
        rules.add_rule(denied, name, kind, seccomp.Arg(1, seccomp.MASKED_EQ, _INT, 1))
        # asked for all processes of its user, it is told yes and nothing is done: the supervisor
        # may be among them
        rules.add_rule(seccomp.ERRNO(0), name, seccomp.Arg(0, seccomp.MASKED_EQ, _INT, user))
    # glibc falls back to clone when clone3 is said not to exist; clone's flags can be filtered
    rules.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")
    for flag in (0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000, 0x04000000):
        rules.add_rule(denied, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
    rules.add_rule(denied, "socket", seccomp.Arg(0, seccomp.NE, int(socket.AF_UNIX)))
    with tempfile.TemporaryFile() as f:
        rules.export_bpf(f)
        f.seek(0)
        return f.read()


def encoded() -> str:
    """The filter as base64, the way it travels to a template."""
    return base64.b64encode(program()).decode()
