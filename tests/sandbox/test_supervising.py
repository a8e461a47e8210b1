"""What a submission cannot hold up, touch or wear out: its supervisor, its clocks, its neighbours.

Where the grader is root each box has two users of its own; elsewhere all share one, and the filter
of system calls keeps them off pid 1. Both are tried here.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.errors import SandboxError
from autograder.model import Job, Limits, ProbeRequest, Program
from autograder.sandbox import Bubblewrap, bubblewrap
from tests.sandbox.conftest import call

pytestmark = pytest.mark.sandbox
LIMITS = Limits(wall_s=20, check_s=10, memory_mb=600, processes=48)
SLACK_S = 25.0
"""What a busy machine may take beside a clock; the host gives up after thirty seconds."""


@pytest.fixture(scope="module", params=[pytest.param("two users", marks=pytest.mark.root), "one"])
def sandbox(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bubblewrap]:
    shelf = tmp_path_factory.mktemp("shelf")
    shelf.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "one":
            patch.setattr(bubblewrap, "user_namespace", lambda: contextlib.nullcontext(None))
        with Bubblewrap(shelf) as made:
            yield made


def job(text: str, limits: Limits = LIMITS) -> Job:
    return Job(Program("script", "w.py", (text,)), {}, limits)


TOUCH = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
two = (ctypes.c_ulong * 2)(3, 3)
zero, mask = ctypes.c_int(0), ctypes.c_ulong(1)
attributes = (ctypes.c_uint32 * 12)(48, 3)
def calls(pid):
    n = ctypes.c_long(pid)
    return {
        "prlimit64": (302, n, 7, two, None),
        "sched_setparam": (142, n, ctypes.byref(zero)),
        "sched_setscheduler": (144, n, 3, ctypes.byref(zero)),
        "sched_setaffinity": (203, n, 8, ctypes.byref(mask)),
        "sched_setattr": (314, n, attributes, 0),
        "setpriority": (141, 0, n, 19),
        "ioprio_set": (251, 1, n, 3 << 13),
        "migrate_pages": (256, n, 8, ctypes.byref(mask), ctypes.byref(mask)),
        "move_pages": (279, n, ctypes.c_long(0), None, None, None, 0),
    }
def touch(pid):
    got = {}
    for name, words in calls(pid).items():
        ctypes.set_errno(0)
        got[name] = "done" if libc.syscall(*words) >= 0 else os.strerror(ctypes.get_errno())
    return got
def f(): return touch(1)
def g(): return touch(2 ** 32 + 1)  # the kernel reads the lower half
def h():
    os.setpriority(os.PRIO_USER, os.getuid(), 19)
    libc.syscall(251, 3, ctypes.c_long(os.getuid()), 3 << 13)
    return os.getpriority(os.PRIO_PROCESS, 1)
def own():
    return {n: r for n, r in touch(os.getpid()).items() if n in ("prlimit64", "setpriority")}
"""


def test_pid_1_cannot_be_touched(sandbox: Bubblewrap) -> None:
    with sandbox.open(job(TOUCH)) as box:
        assert box.load().status == "done"
        for name in ("f", "g"):
            answer = box.probe(call(name))
            assert answer.status == "done", answer
            assert set(answer.data["value"].values()) == {"Operation not permitted"}, answer
        assert box.probe(call("h")).data["value"] == 0, "all of its user's were made nice"
        assert set(box.probe(call("own")).data["value"].values()) == {"done"}


def test_every_box_sees_the_same_ids(sandbox: Bubblewrap) -> None:
    """A program that prints its user id prints the same tomorrow."""
    text = "import os\ndef f(): return [os.getuid(), os.getgid(), os.getgroups()]"
    for _ in range(2):
        with sandbox.open(job(text)) as box:
            box.load()
            user, group, groups = box.probe(call("f")).data["value"]
            assert (user, group) == (1000, 1000) and 0 not in groups


@pytest.mark.parametrize("start", ["fresh", "loaded"])
def test_its_output_can_be_opened_by_name(sandbox: Bubblewrap, start: str) -> None:
    text = """
import os
def f():
    for name in ("/dev/stdout", "/dev/stderr", "/proc/self/fd/1"):
        with open(name, "w") as out: out.write("seen")
    return 3
"""
    with sandbox.open(job(text + "f()")) as box:
        assert box.load().output == "seen" * 3
        assert box.probe(call("f", start=start)).data["value"] == 3


STARTS = {
    "holds": """
import os
if os.fork() == 0:
    held, me = [], os.getpid()
    while True:
        for pid in os.listdir('/proc'):
            if pid.isdigit() and int(pid) not in (1, me):
                try: found = os.listdir(f'/proc/{pid}/fd')
                except OSError: continue
                for fd in found:
                    try: held.append(os.open(f'/proc/{pid}/fd/{fd}', os.O_WRONLY | os.O_NONBLOCK))
                    except OSError: pass
        for fd in held[:-200]: os.close(fd)
        held = held[-200:]
def f(): return 1
""",
    "stops": """
import os, signal
if os.fork() == 0:
    me = os.getpid()
    while True:
        for pid in os.listdir('/proc'):
            if pid.isdigit() and int(pid) > me:
                try: os.kill(int(pid), signal.SIGSTOP)
                except OSError: pass
def f(): return 1
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("code", STARTS.values(), ids=STARTS)
@pytest.mark.parametrize("start", ["fresh", "loaded"])
def test_no_start_is_waited_for_without_end(sandbox: Bubblewrap, code: str, start: str) -> None:
    """It may cost the submission a check, and never makes the grader seem at fault."""
    with sandbox.open(job(code)) as box:
        assert box.load().status == "done"
        for _ in range(2):
            answer = box.probe(call("f", start=start))
            assert answer.status in ("done", "crash", "timeout"), answer


EMPTIES = """
import os
def thief(fd):
    if os.fork() == 0:
        taken = os.open(f'/proc/self/fd/{fd}', os.O_RDONLY)
        while True: os.read(taken, 65536)
def out():
    thief(1)
    while True: print('x' * 99)
def answers():
    for fd in range(3, 64):
        try:
            if 'pipe' in os.readlink(f'/proc/self/fd/{fd}'): thief(fd)
        except OSError: pass
    while True:
        for fd in range(3, 64):
            try: os.write(fd, bytes(7))
            except OSError: pass
"""


@pytest.mark.parametrize("name", ["out", "answers"])
def test_a_pipe_that_is_emptied_by_others_stops_no_clock(sandbox: Bubblewrap, name: str) -> None:
    limits = Limits(wall_s=20, check_s=2, memory_mb=600)
    with sandbox.open(job(EMPTIES, limits)) as box:
        assert box.load().status == "done"
        start = time.monotonic()
        assert box.probe(call(name)).status in ("timeout", "output", "crash")
        assert time.monotonic() - start < limits.check_s + SLACK_S


@pytest.mark.parametrize("start", ["fresh", "loaded"])
def test_the_end_of_a_process_is_seen_whoever_adopts_it(sandbox: Bubblewrap, start: str) -> None:
    text = "import ctypes, os\nctypes.CDLL(None).prctl(36, 1, 0, 0, 0)\ndef f(): os._exit(3)"
    with sandbox.open(job(text)) as box:
        box.load()
        answer = box.probe(call("f", start=start))
    assert answer.status == "crash" and "before it was done" in answer.detail, answer


def test_all_runs_together_have_one_clock(sandbox: Bubblewrap) -> None:
    """A thread makes each check load the program again; so does nobody else's limit grow."""
    text = """
import threading, time
threading.Thread(target=threading.Event().wait, daemon=True).start()
time.sleep(1)
def f(): return 1
"""
    limits = Limits(wall_s=5, check_s=5, memory_mb=600, total_s=4.5)
    with sandbox.open(job(text, limits)) as box:
        assert box.load().status == "done"
        answers = [box.probe(call("f")) for _ in range(6)]
    assert answers[0].status == "done"
    said = "all its runs together took longer than the 4.5 s allowed"
    assert (answers[-1].status, answers[-1].detail) == ("timeout", said)


BURN = """
import os, time
def burn(s):
    end = time.process_time() + s
    while time.process_time() < end: pass
def many(n, s):
    made = []
    for _ in range(n):
        pid = os.fork()
        if pid == 0:
            burn(s)
            os._exit(0)
        made.append(pid)
    for pid in made: os.waitpid(pid, 0)
    return 1
def unseen(n, s):
    import signal
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them, nobody counts them
    for _ in range(n):
        if os.fork() == 0:
            burn(s)
            os._exit(0)
        time.sleep(s)
    time.sleep(0.3)
    return 1
"""


@pytest.mark.parametrize("name", ["many", "unseen"])
def test_all_processes_together_have_one_clock(sandbox: Bubblewrap, name: str) -> None:
    limits = Limits(wall_s=20, check_s=20, cpu_s=10, memory_mb=600, total_cpu_s=2)
    with sandbox.open(job(BURN, limits)) as box:
        assert box.load().status == "done"
        answers = [box.probe(call(name, 4, 0.25)) for _ in range(4)]
    assert answers[0].status == "done", answers
    said = "all its runs together used more than the 2 s of CPU time allowed"
    assert (answers[-1].status, answers[-1].detail) == ("timeout", said)


MEMORY = """
import ctypes, os, subprocess, sys, time
KEEP = "kept = bytearray(b'x') * ({mb} << 20)\\ntime.sleep(1.5)"
def programs(n, mb):
    code = 'import time\\n' + KEEP.format(mb=mb)
    made = [subprocess.Popen([sys.executable, '-c', code]) for _ in range(n)]
    return [p.wait() for p in made]
def hidden(n, mb):
    code = f'''
import ctypes, os, time
ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # nobody may look into it
for _ in range({n}):
    if os.fork() == 0:
        {KEEP.format(mb=mb).replace(chr(10), chr(10) + ' ' * 8)}
        os._exit(0)
for _ in range({n}): os.wait()
'''
    return subprocess.run([sys.executable, '-c', code]).returncode
def forks(n):
    for _ in range(n):
        if os.fork() == 0:
            time.sleep(0.5)
            os._exit(0)
    for _ in range(n): os.wait()
    return 1
"""


@pytest.mark.slow
def test_only_what_is_still_the_templates_is_taken_off(sandbox: Bubblewrap) -> None:
    """Another program shares no page with the template, so its memory counts from the first."""
    asked = [call("programs", 8, 100), call("hidden", 8, 100)]
    fine = [call("programs", 3, 100), call("forks", 12)]
    with sandbox.open(job(MEMORY)) as box:
        assert box.load().status == "done"
        assert [box.probe(r).status for r in asked] == ["memory", "memory"]
        assert [box.probe(r).status for r in fine] == ["done", "done"]


FLIGHT = """
import socket
a, b = socket.socketpair()
a.setblocking(False)
try:
    while True: socket.send_fds(a, [b'x'], [0] * 50)
except OSError:
    pass
"""
WORKERS = """
import torch
from torch.utils.data import DataLoader, TensorDataset
def f(n):
    data = TensorDataset(torch.ones(4000, 10))
    return sum(x.sum().item() for x, in DataLoader(data, 800, num_workers=n))
"""


def test_files_in_flight_keep_no_neighbour_from_working(
    sandbox: Bubblewrap, request: pytest.FixtureRequest
) -> None:
    """The kernel counts them for a user, whatever namespace that is in."""
    own = "two users" in request.node.name
    with sandbox.open(job(FLIGHT)) as attack:
        attack.load()
        with sandbox.open(job(WORKERS)) as box:
            assert box.load().status == "done"
            for start in ("fresh", "loaded"):
                answer = box.probe(call("f", 2 if own else 0, start=start))
                assert answer.data.get("value") == 40_000, answer


def test_what_a_template_cannot_do_for_one_box_ends_no_other(sandbox: Bubblewrap) -> None:
    """A box without a process says so, and the template lives on."""
    with sandbox.open(job("def f(): return 1")) as box:
        assert box.load().status == "done"
        template = sandbox._template
        assert template is not None
        message = {"data": "none", "disk_mb": 8}
        with (
            template.open(job("x = 1"), message, lambda: None) as bad,
            pytest.raises(SandboxError, match="could not be made ready"),
        ):
            bad.load()
        assert box.probe(call("f")).data["value"] == 1
    assert template.alive


def test_a_flood_of_ended_processes_is_collected_in_parts() -> None:
    from autograder.inside.box.monitor import AT_ONCE, REMEMBERED, Reaper

    reaper = Reaper()
    for pid in range(REMEMBERED + 10):
        reaper._ended[pid] = (0, 0.0)
    assert AT_ONCE < REMEMBERED
    reaper.collect()
    assert len(reaper._ended) <= REMEMBERED + 10


def test_a_question_in_time_is_answered_at_leisure(tmp_path: Path) -> None:
    """The whole clock stands while the judge thinks."""
    tmp_path.chmod(0o755)
    limits = Limits(wall_s=5, check_s=5, memory_mb=600, total_s=3)
    with Bubblewrap(tmp_path) as made, made.open(job("def f(): return 1", limits)) as box:
        box.load()
        time.sleep(3.5)
        assert box.probe(ProbeRequest("values:call", {"name": "f"})).status == "done"
