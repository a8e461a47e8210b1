"""Attacks that try to reach something: secrets, other processes, the host, the network.

Each is student code that prints `WON` and what it got if it succeeds. Placeholders, filled in
by the test: {root} the course, {canary} a word planted in every place
that is secret (written in two parts, so that code does not find itself),
{host_pid} a process of the grader, {other} another submission's folder, {port} a TCP port the
host listens on, {host_file} a file the attack must not be able to write.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """One attack: its name, the harm it tries, its code."""

    name: str
    harm: str
    code: str


_FIND = """
import os
def look(tops, depth=6):
    for top in tops:
        for folder, folders, names in os.walk(top, onerror=lambda e: None):
            if folder.count('/') > depth or folder.startswith(('/proc', '/sys', '/usr/lib')):
                folders[:] = []
                continue
            for name in names:
                path = os.path.join(folder, name)
                try:
                    if os.path.getsize(path) < 2 ** 20 and ({canary}) in open(path, errors='ignore').read():
                        if os.path.abspath(path) != os.path.abspath(__file__): print('WON', path)
                except OSError:
                    pass
"""

REACH = (
    Attack(
        "assignment_file",
        "read the hidden checks",
        "import glob\nfor p in glob.glob('{root}/assignments/*/*'): print('WON', p)",
    ),
    Attack(
        "walk_the_disk",
        "find a secret anywhere on the disk",
        _FIND + "look(['/srv', '/home', '/tmp', '/var', '/root', '/opt', '/mnt', '{root}'])",
    ),
    Attack(
        "up_from_here",
        "climb out of the working folder",
        "import os\np = os.path.join('../' * 12, '{root}'.lstrip('/'), 'grading_config.yml')\n"
        "if os.path.exists(p): print('WON', open(p).read())",
    ),
    Attack(
        "symlink_out",
        "reach a secret through a link of its own making",
        "import os\nos.symlink('{root}/grading_config.yml', 'link')\nprint('WON', open('link').read())",
    ),
    Attack(
        "proc_root",
        "leave through another process's root folder",
        "import os\nfor p in os.listdir('/proc'):\n    if p.isdigit() and os.path.exists(f'/proc/{{p}}/root{root}/grading_config.yml'):\n        print('WON', p)",
    ),
    Attack(
        "host_process",
        "see a process of the host",
        "import os\nif os.path.exists('/proc/{host_pid}/cmdline') and 'pytest' in open('/proc/{host_pid}/cmdline').read(): print('WON')",
    ),
    Attack(
        "supervisor_memory",
        "read what the supervisor holds",
        "print('WON', open('/proc/1/mem', 'rb').read(1))",
    ),
    Attack(
        "supervisor_descriptors",
        "open the supervisor's socket to the host",
        "import os\nprint('WON', os.listdir('/proc/1/fd'))",
    ),
    Attack(
        "supervisor_environment",
        "read the supervisor's environment",
        "text = open('/proc/1/environ').read()\nprint('WON' if ({canary}) in text else '')",
    ),
    Attack(
        "own_environment",
        "find the grader's environment in its own",
        "import os\nprint('WON' if ({canary}) in repr(dict(os.environ)) else '')",
    ),
    Attack(
        "frames",
        "walk up the Python frames to the grader's objects",
        "import sys\nf = sys._getframe()\nseen = []\nwhile f:\n    seen.append(repr(f.f_locals) + repr(list(f.f_globals)))\n    f = f.f_back\nprint('WON' if ({canary}) in ''.join(seen) or 'hidden' + '_labels' in ''.join(seen) else '')",
    ),
    Attack(
        "garbage",
        "find a judge, label or expected value among all live objects",
        "import gc\nhits = [o for o in gc.get_objects() if isinstance(o, dict) and ('hidden_labels' in o or 'calibration' in o or 'threshold' in o and 'floor' in o)]\nprint('WON' if hits else '')",
    ),
    Attack(
        "modules",
        "import the judge",
        "import importlib, sys\nfor name in ('autograder.checks.judge', 'autograder.checks.replay', 'checks.judge', 'checks.replay'):\n    try:\n        importlib.import_module(name)\n        print('WON', name)\n    except ImportError:\n        pass",
    ),
    Attack(
        "ptrace_the_supervisor",
        "take over the supervisor",
        "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nprint('WON' if libc.ptrace(16, 1, 0, 0) == 0 else '')",
    ),
    Attack(
        "process_vm_readv",
        "read the supervisor's memory by a system call",
        "import ctypes\nlibc = ctypes.CDLL(None)\nbuf = ctypes.create_string_buffer(8)\nclass V(ctypes.Structure): _fields_ = [('b', ctypes.c_void_p), ('n', ctypes.c_size_t)]\nl, r = V(ctypes.addressof(buf), 8), V(id(buf), 8)\nprint('WON' if libc.process_vm_readv(1, ctypes.byref(l), 1, ctypes.byref(r), 1, 0) > 0 else '')",
    ),
    Attack(
        "pidfd",
        "steal the supervisor's descriptors",
        "import os, ctypes\nfd = os.pidfd_open(1)\nprint('WON' if any(ctypes.CDLL(None).syscall(438, fd, n, 0) >= 0 for n in range(16)) else '')",
    ),
    Attack(
        "new_user_namespace",
        "become root in a namespace of its own",
        "import ctypes, os\nprint('WON' if ctypes.CDLL(None).unshare(0x10000000) == 0 else '')",
    ),
    Attack(
        "clone_namespace",
        "the same by clone's flags",
        "import ctypes\npid = ctypes.CDLL(None).syscall(56, 0x10000000 | 17, 0, 0, 0, 0)\nif pid == 0:\n    import os\n    os._exit(0)\nprint('WON' if pid > 0 else '')",
    ),
    Attack(
        "join_a_namespace",
        "enter the supervisor's namespaces",
        "import ctypes, os\nfd = os.open('/proc/1/ns/mnt', os.O_RDONLY)\nprint('WON' if ctypes.CDLL(None).setns(fd, 0) == 0 else '')",
    ),
    Attack(
        "mount",
        "mount over the box",
        "import ctypes\nprint('WON' if ctypes.CDLL(None).mount(b'none', b'/tmp', b'tmpfs', 0, None) == 0 else '')",
    ),
    Attack(
        "unmount_the_hiding",
        "take away what hides the other data",
        "import ctypes\nlibc = ctypes.CDLL(None)\nif libc.umount2(b'/srv/data', 2) == 0: print('WON')",
    ),
    Attack(
        "chroot",
        "change the root folder",
        "import os\nos.chroot('/tmp')\nprint('WON')",
    ),
    Attack(
        "device_nodes",
        "make a device node",
        "import os\nos.mknod('/tmp/disk', 0o60660, os.makedev(254, 0))\nprint('WON')",
    ),
    Attack(
        "setuid_root",
        "become root by a setuid program",
        "import subprocess\nout = ''\nfor c in (['su', '-c', 'id'], ['sudo', '-n', 'id'], ['mount'], ['newuidmap']):\n    try:\n        out += subprocess.run(c, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=5).stdout\n    except Exception:\n        pass\nprint('WON' if 'uid=0' in out else '')",
    ),
    Attack("setuid", "become root by asking", "import os\nos.setuid(0)\nprint('WON')"),
    Attack(
        "internet",
        "open a network connection",
        "import socket\ns = socket.create_connection(('127.0.0.1', {port}), timeout=3)\nprint('WON')",
    ),
    Attack(
        "udp",
        "send a datagram",
        "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b'x', ('127.0.0.1', {port}))\nprint('WON')",
    ),
    Attack(
        "raw_and_netlink",
        "open an exotic socket",
        "import socket\nfor family in (socket.AF_NETLINK, socket.AF_PACKET, socket.AF_INET6):\n    try:\n        socket.socket(family, socket.SOCK_RAW)\n        print('WON', family)\n    except OSError:\n        pass",
    ),
    Attack(
        "abstract_socket",
        "talk to the host through an abstract UNIX socket",
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect('\\0five-beats-{port}')\nprint('WON')",
    ),
    Attack(
        "write_the_library",
        "leave a changed torch for the next submission",
        "import torch\nopen(torch.__file__, 'a').write('#')\nprint('WON')",
    ),
    Attack(
        "write_the_inside",
        "change the supervisor's own code",
        "import sys, os\npaths = [m.__file__ for n, m in sys.modules.items() if n.startswith('inside') and getattr(m, '__file__', None)]\nfor p in paths:\n    try:\n        open(p, 'a').write('#')\n        print('WON', p)\n    except OSError:\n        pass",
    ),
    Attack(
        "write_the_data",
        "poison the data set for the next submission",
        "import os\nfor name in os.listdir('data'):\n    try:\n        open('data/' + name, 'a').write('x')\n        print('WON')\n    except OSError:\n        pass",
    ),
    Attack(
        "write_the_host",
        "write a file of the host",
        "open('{host_file}', 'w').write('mine')\nprint('WON')",
    ),
    Attack(
        "cron",
        "leave a job behind on the machine",
        "import os\nfor p in ('/etc/cron.d/x', '/var/spool/cron/x', '/etc/profile.d/x.sh', '/root/.bashrc'):\n    try:\n        open(p, 'a').write('x')\n        print('WON', p)\n    except OSError:\n        pass",
    ),
    Attack(
        "kernel_settings",
        "write a setting of the kernel",
        "import os\nfor p in ('/proc/sys/kernel/core_pattern', '/proc/sysrq-trigger', '/proc/sys/kernel/hostname', '/sys/kernel/mm/transparent_hugepage/enabled'):\n    try:\n        os.write(os.open(p, os.O_WRONLY), b'x')\n        print('WON', p)\n    except OSError:\n        pass",
    ),
    Attack(
        "kill_everything",
        "kill the grader and its neighbours",
        "import os, signal\nfor s in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP):\n    for pid in (1, {host_pid}):\n        try:\n            os.kill(pid, s)\n        except OSError:\n            pass",
    ),
    Attack(
        "shared_memory",
        "find another submission's shared memory",
        "import os, ctypes\nprint('WON' if os.listdir('/dev/shm') else '')\nprint('WON' if ctypes.CDLL(None).shmget(0x5eed, 4096, 0o1666) >= 0 else '')",
    ),
    Attack(
        "leftovers",
        "find what another submission left in a shared place",
        _FIND + "look(['/tmp', '/var/tmp', '/dev/shm', '/home'])",
    ),
)
