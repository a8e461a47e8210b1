"""What boxed code cannot reach, tried from inside: hidden things, other processes, the world.

Each attempt is student code that reports what it got. The honest expectation stands in the
test; a box that leaks turns it red.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import autograder
from autograder.model import Job, Limits, ProbeRequest, Program
from autograder.sandbox.bubblewrap import Bubblewrap

pytestmark = pytest.mark.sandbox
ROOT = Path(autograder.__file__).resolve().parent.parent
LIMITS = Limits(wall_s=30, check_s=20, memory_mb=600, processes=32, file_mb=4)
MARK = "five_beats_confinement_secret"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bubblewrap]:
    shelf = tmp_path_factory.mktemp("shelf")
    for name in ("mine", "other"):
        (shelf / name).mkdir()
        (shelf / name / "hello").write_text(name)
    made = Bubblewrap(shelf, (ROOT,))
    yield made
    made.close()


def tried(sandbox: Bubblewrap, expression: str, setup: str = "") -> object:
    """The value of `expression` in a box, or the type of what it raised, as text."""
    text = f"""
import os, sys, socket, ctypes, subprocess, glob, gc
{setup}
def f():
    try:
        return {expression}
    except BaseException as e:
        return "raised " + type(e).__name__
"""
    job = Job(Program("script", "work.py", (text,)), {}, LIMITS, sandbox.data / "mine")
    with sandbox.open(job) as box:
        load = box.load()
        assert load.status == "done" and load.errors == (), load
        answer = box.probe(ProbeRequest("values:call", {"name": "f"}))
    assert answer.status == "done", answer
    return answer.data["value"]


def test_the_repository_is_not_there(sandbox: Bubblewrap) -> None:
    for path in ("assignments", "source", "tests", "autograder", "grading_config.yml", ".git"):
        assert tried(sandbox, f"os.path.exists({str(ROOT / path)!r})") is False, path


def test_no_judge_can_be_imported_or_found(sandbox: Bubblewrap) -> None:
    assert tried(sandbox, "__import__('autograder.checks.judge')") == "raised ModuleNotFoundError"
    found = """[p for top in ('/srv', '/home', '/work', '/root', '/opt', '/usr', '/tmp')
        for folder, _, names in os.walk(top) for p in names
        if p in ('judge.py', 'assignment.yml', 'calibration.yml', 'expected.yml', 'replay.py')]"""
    assert tried(sandbox, found) == []


def test_no_judge_or_label_is_in_the_process(sandbox: Bubblewrap) -> None:
    modules = "sorted(m for m in sys.modules if 'judge' in m or 'autograder' in m)"
    assert tried(sandbox, modules) == []


def test_only_its_own_data_is_there_and_read_only(sandbox: Bubblewrap) -> None:
    assert tried(sandbox, "open('data/hello').read()") == "mine"
    assert tried(sandbox, "os.listdir('/srv/data')") == []
    assert tried(sandbox, "open('data/new', 'w')") == "raised OSError"


def test_nothing_of_one_submission_reaches_the_next(sandbox: Bubblewrap) -> None:
    write = """
for place in ('/tmp', '/dev/shm', '.', '/home/student'):
    open(place + '/left', 'w').write('x')
"""
    assert tried(sandbox, "os.path.exists('/tmp/left')", write) is True
    left = "[p for p in ('/tmp/left', '/dev/shm/left', 'left') if os.path.exists(p)]"
    assert tried(sandbox, left) == []


def test_nothing_can_be_written_but_in_its_own_places(sandbox: Bubblewrap) -> None:
    setup = """
def writable():
    found = set()
    for line in open('/proc/self/mounts'):
        place, options = line.split()[1], line.split()[3].split(',')
        if 'rw' in options:
            found.add(place)
    for folder, folders, _ in os.walk('/'):
        if folder.startswith(('/proc', '/tmp', '/dev/shm', '/home/student')):
            folders[:] = []
        elif os.access(folder, os.W_OK):
            found.add('writable ' + folder)
    return sorted(found)
"""
    found = tried(sandbox, "writable()", setup)
    assert isinstance(found, list)
    devices = ["full", "null", "random", "tty", "urandom", "zero"]
    # the mount of /dev/pts below is the room's, covered by a read-only one
    allowed = {"/tmp", "/dev/shm", "/home/student", "/proc", "/dev/pts"}
    assert set(found) - {f"/dev/{d}" for d in devices} <= allowed


def test_the_disk_is_bounded(sandbox: Bubblewrap) -> None:
    fill = "[open(f'/tmp/{i}', 'wb').write(b'x' * 2 ** 21) for i in range(64)]"
    assert tried(sandbox, fill) == "raised OSError"
    assert tried(sandbox, "open('/tmp/big', 'wb').write(b'x' * 2 ** 23)") == "raised OSError"


def test_there_is_no_network(sandbox: Bubblewrap) -> None:
    assert tried(sandbox, "socket.socket()") == "raised PermissionError"
    assert tried(sandbox, "os.listdir('/sys/class/net')") == "raised FileNotFoundError"


def test_only_its_own_processes_exist(sandbox: Bubblewrap) -> None:
    pids = tried(sandbox, "sorted(int(p) for p in os.listdir('/proc') if p.isdigit())")
    assert isinstance(pids, list) and pids[0] == 1 and max(pids) < 10


def test_the_supervisor_cannot_be_read_traced_or_killed(sandbox: Bubblewrap) -> None:
    assert tried(sandbox, "open('/proc/1/mem', 'rb')") == "raised PermissionError"
    assert tried(sandbox, "open('/proc/1/environ').read()") == "raised PermissionError"
    assert tried(sandbox, "os.listdir('/proc/1/fd')") == "raised PermissionError"
    assert tried(sandbox, "ctypes.CDLL(None).ptrace(16, 1, 0, 0)") == -1
    kill = """
def kill():
    for s in (9, 19, 15, 11, 2):
        try: os.kill(1, s)
        except PermissionError: pass
    return 'alive'
"""
    assert tried(sandbox, "kill()", kill) == "alive"


def test_it_is_nobody_without_capabilities_under_a_filter(sandbox: Bubblewrap) -> None:
    assert tried(sandbox, "os.getuid() != 0") is True
    lines = "open('/proc/self/status').read().splitlines()"
    status = tried(sandbox, f"dict(l.split(':\\t') for l in {lines} if ':\\t' in l)")
    assert isinstance(status, dict)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[name], 16) == 0, name
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


@pytest.mark.parametrize(
    "call",
    [
        "unshare(0x10000000)",
        "setns(3, 0)",
        "mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "syscall(319, b'x', 0)",
        "shmget(0, 4096, 0o1600)",
        "personality(0x0040000)",
    ],
)
def test_denied_calls_fail(sandbox: Bubblewrap, call: str) -> None:
    assert tried(sandbox, f"ctypes.CDLL(None).{call}") == -1


def test_the_kernel_settings_cannot_be_written(sandbox: Bubblewrap) -> None:
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/self/uid_map"):
        assert "raised" in str(
            tried(sandbox, f"os.write(os.open({path!r}, os.O_WRONLY), b'0 0 1')")
        ), path


def test_no_descriptor_of_ours_is_inherited_but_its_own_pipes(sandbox: Bubblewrap) -> None:
    setup = """
def kinds():
    found = set()
    for n in os.listdir('/proc/self/fd'):
        try:
            found.add(os.readlink('/proc/self/fd/' + n).split(':')[0])
        except FileNotFoundError:
            pass
    return sorted(found)
"""
    found = tried(sandbox, "kinds()", setup)
    assert isinstance(found, list)
    assert all(
        k in ("pipe", "socket", "/dev/null", "anon_inode") or k.startswith("/proc") for k in found
    ), found


def test_nothing_outlives_its_box(sandbox: Bubblewrap) -> None:
    setup = f"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        subprocess.Popen(['sleep', '313.5'])
        import time
        time.sleep(300)
    os._exit(0)
{MARK} = 1
"""
    assert tried(sandbox, MARK, setup) == 1
    for _ in range(50):
        listed = subprocess.run(
            ["ps", "axww", "-o", "args"], capture_output=True, text=True, check=True
        )
        if "sleep 313.5" not in listed.stdout:
            return
        time.sleep(0.1)
    pytest.fail("a daemon outlived its box")


def test_a_dead_template_is_started_again(sandbox: Bubblewrap) -> None:
    assert tried(sandbox, "1") == 1
    assert sandbox._template is not None
    os.kill(sandbox._template.process.pid, signal.SIGKILL)
    sandbox._template.process.wait()
    assert tried(sandbox, "2") == 2


def test_a_box_is_never_entered_as_root(sandbox: Bubblewrap) -> None:
    assert tried(sandbox, "os.getuid()") != 0
    assert tried(sandbox, "open('/proc/self/uid_map').read().split()[1] != '0'") is True


def test_landlock_stands_behind_the_mounts(sandbox: Bubblewrap) -> None:
    """Where the kernel has it: even a writable mount elsewhere could not be written."""
    from autograder.inside.box import landlock

    if landlock.version() == 0:
        pytest.skip("this kernel has no Landlock; `autograder doctor` says so")
    assert tried(sandbox, "open('/proc/self/comm', 'w')") == "raised PermissionError"
    assert tried(sandbox, "open('/dev/null', 'w').write('x')") == 1
    assert tried(sandbox, "os.replace(open('a', 'w').name, '/home/student/b')") is None


@pytest.mark.root
def test_another_user_reads_only_what_a_program_needs(tmp_path: Path) -> None:
    from autograder.inside.box import landlock
    from autograder.sandbox.uid import Uid

    open_to_all = Path("/var/tmp") / f"five-beats-open-{os.getpid()}"
    open_to_all.write_text(MARK)
    text = """
import os
def f(path):
    try:
        return open(path).read()
    except OSError as e:
        return "raised " + type(e).__name__
"""
    try:
        with Uid() as made, made.open(Job(Program("script", "w.py", (text,)), {}, LIMITS)) as box:
            assert box.load().status == "done"

            def read(path: str) -> object:
                request = ProbeRequest("values:call", {"name": "f", "positional": [path]})
                return box.probe(request).data["value"]

            if landlock.version():
                assert read(str(open_to_all)) == "raised PermissionError"
            assert read("/etc/shadow") == "raised PermissionError"
            assert read(f"/proc/{os.getpid()}/environ") == "raised PermissionError"
    finally:
        open_to_all.unlink()


@pytest.mark.root
def test_the_hidden_half_must_be_closed_to_other_users(tmp_path: Path) -> None:
    from autograder.errors import SandboxError
    from autograder.sandbox.uid import Uid

    course = Path("/var/tmp") / f"five-beats-course-{os.getpid()}"
    (course / "assignments").mkdir(parents=True)
    course.chmod(0o755)
    (course / "assignments").chmod(0o755)
    try:
        with pytest.raises(SandboxError, match="chmod o-rwx"):
            Uid((course,))
        (course / "assignments").chmod(0o750)
        Uid((course,)).close()
    finally:
        (course / "assignments").rmdir()
        course.rmdir()


def test_an_ended_box_leaves_no_zombie(sandbox: Bubblewrap) -> None:
    """It is reaped when it ends, not when the next one opens."""
    assert tried(sandbox, "1") == 1
    time.sleep(1)
    before = family(os.getpid())
    assert tried(sandbox, "2") == 2
    for _ in range(100):
        now = family(os.getpid())
        left = {p: s for p, s in now.items() if p not in before}
        # the process that waits for the next box is another one, and as many
        if len(now) == len(before) and "Z" not in left.values():
            return
        time.sleep(0.02)
    pytest.fail(f"of a box that has ended there is left: {left}")


def family(of: int) -> dict[int, str]:
    """Every descendant of a process, itself included, with its state."""
    parents: dict[int, tuple[int, str]] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        parents[int(pid)] = (int(words[1]), words[0])
    found = {of: parents[of][1]}
    while more := {p: s for p, (q, s) in parents.items() if q in found and p not in found}:
        found |= more
    return found
