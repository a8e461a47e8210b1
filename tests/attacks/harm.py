"""Attacks that try to harm: to flood, to crash, to outlive, to wear the machine down.

Each is student code, run as a submission. Every flood has an end of its own, so that a box
that leaks is found out without bringing the machine down. `unended` ones may use their clock
to the end.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Harm:
    """One attack: its name, the harm it tries, its code; `{mark}` is a number to be found by."""

    name: str
    harm: str
    code: str


HARM = (
    Harm(
        "forks",
        "exhaust the processes",
        "import os, time\nfor _ in range(2000):\n    try:\n        if os.fork() == 0:\n            time.sleep({mark})\n            os._exit(0)\n    except OSError:\n        break",
    ),
    Harm(
        "fork_bomb",
        "double the processes without end",
        "import os, time\nend = time.time() + 3\nwhile time.time() < end:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    ),
    Harm(
        "threads",
        "exhaust the threads",
        "import threading, time\nmade = []\ntry:\n    for _ in range(5000):\n        t = threading.Thread(target=time.sleep, args=({mark},), daemon=True)\n        t.start()\n        made.append(t)\nexcept RuntimeError:\n    pass",
    ),
    Harm(
        "memory",
        "exhaust the memory",
        "kept = []\nfor _ in range(4096): kept.append(bytearray(b'x') * 2 ** 22)",
    ),
    Harm(
        "memory_of_many",
        "exhaust the memory by many processes",
        "import os, time\nfor _ in range(20):\n    if os.fork() == 0:\n        kept = bytearray(b'x') * (200 * 2 ** 20)\n        time.sleep({mark})\n        os._exit(0)\ntime.sleep(3)",
    ),
    Harm(
        "shared_memory",
        "exhaust the shared memory",
        "import torch, mmap\nkept = []\ntry:\n    for _ in range(400): kept.append(torch.ones(2 ** 20).share_memory_())\nexcept RuntimeError:\n    pass\nm = [mmap.mmap(-1, 2 ** 24) for _ in range(200)]\nfor x in m: x.write(b'x' * 2 ** 24)",
    ),
    Harm(
        "disk",
        "fill the disk",
        "import os\nfor place in ('/tmp', '/dev/shm', '.', '/home/student', '/var/tmp'):\n    for i in range(300):\n        try:\n            open(f'{place}/f{i}', 'wb').write(b'x' * 2 ** 22)\n        except OSError:\n            break",
    ),
    Harm(
        "inodes",
        "use up the files of the disk",
        "import os\nfor place in ('/tmp', '.', '/dev/shm'):\n    try:\n        for i in range(60_000): open(f'{place}/i{i}', 'w').close()\n    except OSError:\n        pass",
    ),
    Harm(
        "open_files",
        "use up the open files",
        "import os\nkept = []\ntry:\n    for _ in range(5000): kept.append(open('/dev/null'))\nexcept OSError:\n    pass\ntry:\n    for _ in range(5000): kept.append(os.pipe())\nexcept OSError:\n    pass",
    ),
    Harm(
        "sockets_in_flight",
        "queue descriptors in a socket",
        "import socket\na, b = socket.socketpair()\na.setblocking(False)\ntry:\n    for _ in range(4000): socket.send_fds(a, [b'x'], [0, 1, 2])\nexcept OSError:\n    pass",
    ),
    Harm(
        "output", "print a gigabyte", "import os\nfor _ in range(1024): os.write(1, b'x' * 2 ** 20)"
    ),
    Harm("output_of_lines", "print very many lines", "for i in range(3_000_000): print(i)"),
    Harm(
        "evidence",
        "send more evidence than is taken",
        "import torch\ndef f(): return torch.zeros(64 * 2 ** 20, dtype=torch.uint8)",
    ),
    Harm(
        "many_tensors",
        "name more things than anybody reads",
        "for i in range(50_000): globals()[f'name_{i}'] = i",
    ),
    Harm(
        "deep",
        "return something nested without end",
        "def f():\n    x = []\n    for _ in range(100_000): x = [x]\n    return x",
    ),
    Harm(
        "long_error",
        "raise an error of a hundred megabytes",
        "def f(): raise ValueError('x' * 10 ** 8)\nraise ValueError('x' * 10 ** 8)",
    ),
    Harm(
        "hostile_error",
        "raise an error that raises when it is told",
        "class E(Exception):\n    def __str__(self): raise E()\n    __repr__ = __str__\nraise E()",
    ),
    Harm(
        "signals",
        "signal the supervisor and everybody",
        "import os, signal\nfor s in range(1, 65):\n    if s in (9, 19): continue\n    try: signal.signal(s, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nfor s in range(1, 65):\n    for pid in (1, -1, 0):\n        if (pid, s) == (0, 9) or (pid, s) == (0, 19): continue\n        try: os.kill(pid, s)\n        except OSError: pass",
    ),
    Harm(
        "stops_itself",
        "stand still for ever",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    ),
    Harm(
        "stops_its_probes",
        "stand still in a probe",
        "import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGSTOP)",
    ),
    Harm("sleeps", "wait for ever", "import time\nwhile True: time.sleep({mark})"),
    Harm(
        "daemon",
        "outlive its box",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        for fd in range(1024):\n            try: os.close(fd)\n            except OSError: pass\n        time.sleep({mark})\n    os._exit(0)",
    ),
    Harm(
        "subprocess",
        "outlive its box as another program",
        "import subprocess\nsubprocess.Popen(['sleep', '{mark}'], start_new_session=True)\nsubprocess.Popen('nohup sleep {mark} &', shell=True)",
    ),
    Harm(
        "renews_itself",
        "fork faster than it can be killed",
        "import os, time\nend = time.time() + 20\nif os.fork() == 0:\n    os.setsid()\n    while time.time() < end:\n        try:\n            if os.fork(): os._exit(0)\n        except OSError: pass",
    ),
    Harm("closes_everything", "close every descriptor", "import os\nos.closerange(0, 4096)"),
    Harm(
        "closes_its_output",
        "close what it prints to",
        "import os, sys\nsys.stdout.close()\nsys.stderr.close()\nsys.stdout = sys.stderr = None\nos.close(1)\nos.close(2)",
    ),
    Harm(
        "keeps_its_pipes",
        "keep the box waiting by open pipes",
        "import os, time\nif os.fork() == 0:\n    time.sleep({mark})\nos._exit(0)",
    ),
    Harm(
        "removes_its_home",
        "remove its own folder",
        "import os, shutil\nshutil.rmtree('.', ignore_errors=True)\nshutil.rmtree('/home/student', ignore_errors=True)\nos.chdir('/')",
    ),
    Harm(
        "removes_tmp",
        "remove /tmp and everything it may",
        "import shutil\nfor p in ('/tmp', '/dev/shm', '/var', '/usr', '/srv', '/home', '/'):\n    shutil.rmtree(p, ignore_errors=True)",
    ),
    Harm(
        "changes_modes",
        "take every right from its folders",
        "import os\nfor p in ('.', '/tmp', '/dev/shm'):\n    try: os.chmod(p, 0)\n    except OSError: pass",
    ),
    Harm(
        "recursion",
        "overflow the stack",
        "import sys\nsys.setrecursionlimit(10 ** 9)\nimport threading\ndef g(x): return g(repr(x) and [x])\ng(1)",
    ),
    Harm("segfault", "crash the interpreter", "import ctypes\nctypes.string_at(0)"),
    Harm(
        "segfault_in_probe",
        "crash the interpreter in a probe",
        "import ctypes\ndef f(): return ctypes.string_at(0)",
    ),
    Harm(
        "abort",
        "dump a core",
        "import resource, os\ntry: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))\nexcept (OSError, ValueError): pass\nos.abort()",
    ),
    Harm(
        "limits",
        "raise its own limits",
        "import resource\nfor n in dir(resource):\n    if n.startswith('RLIMIT_'):\n        try: resource.setrlimit(getattr(resource, n), (-1, -1))\n        except (OSError, ValueError): pass\nkept = [bytearray(b'x') * 2 ** 22 for _ in range(2048)]",
    ),
    Harm(
        "priority",
        "push everybody else aside",
        "import os\nfor n in (-20, -1):\n    try: os.nice(n)\n    except OSError: pass\ntry: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99))\nexcept OSError: pass\nwhile True: pass",
    ),
    Harm(
        "many_threads_of_torch",
        "take every core",
        "import torch\ntorch.set_num_threads(64)\nx = torch.randn(500, 500)\nfor _ in range(50): x = (x @ x).tanh()",
    ),
    Harm(
        "ignores_the_end",
        "refuse to be ended",
        "import signal\nfor s in range(1, 65):\n    try: signal.signal(s, lambda *a: None)\n    except (OSError, ValueError): pass\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ),
    Harm(
        "clock",
        "turn back the clock",
        "import time, ctypes, struct\ntry: time.clock_settime(time.CLOCK_REALTIME, 0)\nexcept OSError: pass\ntime.time = time.monotonic = time.perf_counter = lambda: 0.0",
    ),
    Harm(
        "leaves_files",
        "leave files for the next",
        "import os\nfor place in ('/tmp', '/dev/shm', '.', '/var/tmp', '/run', '/home', '/srv', '/etc', '/dev'):\n    try: open(place + '/left-{mark}', 'w').write('x')\n    except OSError: pass",
    ),
    Harm(
        "leaves_modules",
        "leave a changed torch for the next",
        "import torch, numpy, sys\ntorch.arange = lambda *a: 1 / 0\ntorch.Tensor.sum = None\nsys.modules['torch'] = None\nfor p in sys.path:\n    try: open(p + '/torch.py', 'w').write('1 / 0')\n    except OSError: pass",
    ),
)
