"""The system calls that boxed code may not make, as a classic BPF program.

Built on the host with libseccomp (through pyseccomp) and shipped as bytes, so that the box
needs no library. Everything else is allowed: the namespaces are the wall, this filter keeps
the kernel's rarely used and riskier doors shut. Training, DataLoader workers and threads
were seen to stay healthy under it.
"""

from __future__ import annotations

import base64
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
)


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
        try:
            rules.add_rule(denied, name)
        except (OSError, ValueError, RuntimeError):
            continue  # a call this kernel's or library's architecture does not know
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
