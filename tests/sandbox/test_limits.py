"""Limits that hold, on every backend: each ends as its own status, with the figure exceeded.

Beside each stands a program that comes near the limit, or is refused something and goes on: it
is accused of nothing.
"""

from __future__ import annotations

import pytest

from autograder.model import Limits
from autograder.sandbox import Sandbox
from tests.conftest import ENGINE
from tests.sandbox.conftest import call, run

pytestmark = pytest.mark.sandbox
SMALL = Limits(wall_s=20, check_s=10, cpu_s=20, memory_mb=1500, processes=24, file_mb=4)
PROCESSES = """
import os, time, threading
def fork(n, wait):
    made = []
    for _ in range(n):
        pid = os.fork()
        if pid == 0:
            time.sleep(wait)
            os._exit(0)
        made.append(pid)
    for pid in made: os.waitpid(pid, 0)
    return len(made)
def thread(n):
    made = [threading.Thread(target=time.sleep, args=(3,)) for _ in range(n)]
    for t in made: t.start()
    return len(made)
def patient(n):
    for _ in range(n):
        try:
            if os.fork() == 0: os._exit(0)
            os.wait()
        except OSError:
            pass
    return 'well'
"""
FILES = """
import os, torch, numpy as np
def write(mb):
    with open('f', 'wb') as f: f.write(bytes(mb << 20))
    os.remove('f')
    return 'well'
def save(mb): torch.save(torch.zeros(mb << 18), 'f.pt')
def array(mb): np.save('f.npy', np.zeros(mb << 17))
def opened(n):
    kept = [open('/dev/null') for _ in range(n)]
    return 'well'
def refused():
    for act in (lambda: write(40), lambda: opened(3000), lambda: open('/no/such/file')):
        try: act()
        except OSError: pass
    if os.path.exists('f'): os.remove('f')
    return 'well'
def fill(place, keep=True):
    try:
        for i in range(64):
            with open(f'{place}/f{i}', 'wb') as f: f.write(bytes(3 << 20))
    finally:
        if not keep:
            for i in range(64):
                if os.path.exists(f'{place}/f{i}'): os.remove(f'{place}/f{i}')
def many(place):
    for i in range(30_000): open(f'{place}/i{i}', 'w').close()
"""


def bounded(sandbox: Sandbox) -> bool:
    """Whether the backend counts the processes of a box and bounds its disk."""
    return sandbox.name in ("bubblewrap", ENGINE)


def test_processes_end_as_their_own_status(sandbox: Sandbox) -> None:
    if sandbox.name == "none":
        pytest.skip("without a box nobody tells one program's processes from another's")
    asked = [call("fork", 100, 5), call("thread", 100), call("fork", 10, 0.5), call("patient", 60)]
    load, answers = run(sandbox, PROCESSES, *asked, limits=SMALL)
    assert (load.status, load.detail) == ("done", "")
    for answer in answers[:2]:
        assert answer.status == "processes", answer
        assert "24 processes and threads allowed" in answer.detail
    assert [a.data["value"] for a in answers[2:]] == [10, "well"], answers


def test_the_load_says_which_limit_with_its_figure(sandbox: Sandbox) -> None:
    load, (after,) = run(
        sandbox, f"{FILES}\nwrite(9)\ndef late(): pass", call("late"), limits=SMALL
    )
    assert load.status == "done" and load.errors[0].type == "OSError"
    assert load.detail == "it wrote a file of more than the 4 MiB allowed"
    assert after.status == "files" and "'late' is not defined" in after.detail
    if sandbox.name != "none":
        load, _ = run(sandbox, f"{PROCESSES}\nfork(100, 9)", limits=SMALL)
        assert load.status in ("processes", "done") and "24 processes" in load.detail


def test_files_too_large_or_too_many_are_said_so(sandbox: Sandbox) -> None:
    asked = [call("write", 9), call("save", 9), call("array", 9), call("opened", 3000)]
    _, answers = run(sandbox, FILES, *asked, limits=SMALL)
    assert [a.status for a in answers] == ["files"] * 4, answers
    assert all("4 MiB allowed" in a.detail for a in answers[:3]), answers
    assert "1024 files allowed" in answers[3].detail


def test_whoever_is_refused_and_goes_on_is_accused_of_nothing(sandbox: Sandbox) -> None:
    load, answers = run(
        sandbox, f"{FILES}\nrefused()", call("refused"), call("write", 3), limits=SMALL
    )
    assert (load.status, load.detail, load.errors) == ("done", "", ())
    assert [a.status for a in answers] == ["done", "done"], answers


@pytest.mark.parametrize("place", [".", "/tmp", "/dev/shm"])
def test_a_full_disk_is_said_so(sandbox: Sandbox, place: str) -> None:
    if not bounded(sandbox):
        pytest.skip("this backend bounds the size of files, not the disk")
    _, (full,) = run(sandbox, FILES, call("fill", place), limits=SMALL)
    assert (full.status, full.detail) == ("disk", "it used more than the 16 MiB of disk allowed")


def test_files_that_do_not_fit_are_said_so(sandbox: Sandbox) -> None:
    if not bounded(sandbox):
        pytest.skip("this backend bounds the size of files, not the disk")
    load, _ = run(sandbox, "pass", limits=SMALL, files={"big.bin": bytes(17 << 20)})
    assert load.status == "disk" and "'big.bin' cannot be laid out" in load.detail
    assert "16 MiB of disk allowed" in load.detail


def test_too_many_files_are_said_so(sandbox: Sandbox) -> None:
    if sandbox.name != "bubblewrap":
        pytest.skip("only our own mounts bound the number of files")
    _, (full,) = run(sandbox, FILES, call("many", "."), limits=SMALL)
    assert (full.status, full.detail) == ("disk", "it made more files than its disk holds")


def test_another_error_beside_a_full_disk_is_itself(sandbox: Sandbox) -> None:
    text = f"{FILES}\ndef f():\n    try: fill('.')\n    finally: raise ValueError('no')"
    _, (answer,) = run(sandbox, text, call("f"), limits=SMALL)
    assert answer.status == "error" and answer.error is not None
    assert answer.error.type == "ValueError"


def test_time_and_memory_say_their_figures(sandbox: Sandbox) -> None:
    text = """
import signal, time
def spin():
    while True: pass
def deaf():
    signal.signal(signal.SIGXCPU, signal.SIG_IGN)
    spin()
def eat(): return [bytearray(b'x') * 2 ** 22 for _ in range(500)]
"""
    limits = Limits(wall_s=20, check_s=15, cpu_s=1)
    _, answers = run(sandbox, text, call("spin"), call("deaf"), limits=limits)
    said = "it used more than the 1 s of CPU time allowed"
    assert [(a.status, a.detail) for a in answers] == [("timeout", said)] * 2
    limits = Limits(wall_s=20, check_s=15, memory_mb=400)
    _, (full,) = run(sandbox, text, call("eat"), limits=limits)
    said = "it used more than the 400 MiB of memory allowed"
    assert (full.status, full.detail) == ("memory", said)
    _, (slow,) = run(sandbox, text, call("spin"), limits=Limits(check_s=0.5))
    assert (slow.status, slow.detail) == ("timeout", "it ran longer than the 0.5 s allowed")


def test_output_and_answers_say_their_figures(sandbox: Sandbox) -> None:
    text = "import torch\ndef f(): return torch.zeros(40 * 2 ** 20, dtype=torch.uint8)"
    _, (answer,) = run(sandbox, text, call("f"), limits=SMALL)
    assert answer.status == "output" and "over the limit of 33554432" in answer.detail
    load, _ = run(sandbox, "while True: print('x' * 99)", limits=Limits(wall_s=20, output_kb=16))
    assert load.status == "output" and "1 MiB allowed" in load.detail


def test_what_a_probe_left_running_is_ended_with_it(sandbox: Sandbox) -> None:
    """Else the next probe, which did nothing, would be over the limit, too."""
    if sandbox.name == "none":
        pytest.skip("without a box nobody tells one program's processes from another's")
    text = f"""{PROCESSES}
def scatter():
    for _ in range(100):
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
def g(): return 1
"""
    _, (excess, after) = run(sandbox, text, call("scatter"), call("g"), limits=SMALL)
    assert excess.status == "processes" and after.status == "done", (excess, after)
