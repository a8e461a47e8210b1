"""A class on a cluster of real processes: the same bytes as here, whoever is lost on the way."""

from __future__ import annotations

import contextlib
import fractions
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from autograder.course.config import Assignment
from autograder.errors import InputError, MachineLostError, SandboxError, Stopped
from autograder.grading import batch, worker
from autograder.grading import cluster as clusters
from autograder.grading.cluster import Cluster
from autograder.grading.grader import MACHINES, Grader
from autograder.model import Job, Limits, LoadReport, ProbeRequest, Program, Result, Submission
from autograder.results import files
from autograder.results.store import Store
from tests.clusters import DASK, Processes
from tests.clusters import cluster as started

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
HERE = Path(__file__).resolve().parents[2]
A = "04-training-loop"
GOOD = """
import time
import torch
from torch import nn
from torchvision import datasets

images = datasets.MNIST("data", download=True)
assert len(images) == 2_000 or len(images) < 1_200
time.sleep({seconds})

class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 128), nn.ReLU(),
            nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10),
        )

    def forward(self, x):
        return {answer}
"""
LOGITS, SOFTMAX = "self.net(x)", "torch.softmax(self.net(x), 1)"


def work(student: str, n: int, answer: str = LOGITS, seconds: float = 0.0) -> Submission:
    text = f"# {n}\n{GOOD.format(answer=answer, seconds=seconds)}"
    program = Program("script", "training_loop.py", (text,))
    return Submission(student, A, program, {"training_loop.py": text.encode()})


def some(seconds: float = 0.0) -> list[Submission]:
    """Eight students: right, wrong, two of the same, one whose program kills itself."""
    found = [work(f"s{i}", i // 2 * 2, (LOGITS, SOFTMAX)[i % 3 == 0], seconds) for i in range(7)]
    dead = "import os\nos.kill(os.getpid(), 9)\n"
    return [*found, Submission("dead", A, Program("script", "training_loop.py", (dead,)), {})]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real assignment, cut down to two checks of its model, with its images."""
    root = tmp_path_factory.mktemp("course")
    raw = yaml.safe_load((HERE / "assignments" / A / "assignment.yml").read_text())
    raw["checks"] = [c for c in raw["checks"] if c["id"] in ("mlp_shape", "mlp_logits")]
    (root / "assignments" / A).mkdir(parents=True)
    (root / "assignments" / A / "assignment.yml").write_text(yaml.safe_dump(raw))
    (root / "grading_config.yml").write_text(f"course: Small\nassignments: [{A}]\n")
    return root


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """A scheduler, and one worker that stays."""
    with started(tmp_path_factory.mktemp("cluster"), workers=1) as made:
        yield made


def graded(
    grader: Grader, submissions: Sequence[Submission], out: Path, jobs: int = 8, **more: Any
) -> batch.Batch:
    return batch.run(
        grader, submissions, [], out, jobs=jobs, environment=grader.environment, **more
    )


def plain(result: Result) -> dict[str, object]:
    """A result without what a clock told."""
    told = result.to_json()
    return {**told, "run": {"exit": told["run"].get("exit")}}


@pytest.fixture(scope="module")
def alone(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The class, graded on this machine."""
    out = tmp_path_factory.mktemp("alone")
    with Grader(course, "bubblewrap") as grader:
        done = graded(grader, some(), out, jobs=2)
    assert [r.status for r in done.results] == ["graded"] * 8
    assert len({r.score for r in done.results}) == 3
    return out


def same(out: Path, alone: Path) -> None:
    """The same bytes in the table, the same results, the same questions asked."""
    assert (out / "grades.csv").read_bytes() == (alone / "grades.csv").read_bytes()
    ours, theirs = (list(map(plain, files.read_results(o))) for o in (out, alone))
    assert ours == theirs
    names = [sorted(str(p.relative_to(o)) for p in o.glob("evidence/**/*")) for o in (out, alone)]
    assert names[0] == names[1]


# -- a class ---------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_in_the_middle_costs_nothing(
    there: Processes, course: Path, tmp_path: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL while a student's program runs on it; and what it had begun has gone with it."""
    doomed = there.worker()
    submit = Cluster._submit
    asked: Counter[str] = Counter()
    left: list[psutil.Process] = []
    lock = threading.Lock()
    with Cluster(there.address, "bubblewrap") as cluster:
        addresses = list(cluster.workers)
        pid = partial(cluster._client.submit, os.getpid, pure=False)
        pids = {a: pid(workers=[a]).result() for a in addresses}
        assert len(addresses) == 2 and doomed.pid in pids.values()

        def killing(self: Cluster, to: str, order: Callable[..., bytes], *args: Any) -> Any:
            future = submit(self, to, order, *args)
            with lock:
                asked[order.__name__] += 1
                asked[f"{order.__name__} {to}"] += 1
                if pids.get(to) == doomed.pid and asked[f"load {to}"] == 2 and not left:
                    left.extend(psutil.Process(doomed.pid).children(recursive=True))
                    doomed.kill()
            return future

        monkeypatch.setattr(Cluster, "_submit", killing)
        with Grader(course, cluster) as grader:
            done = graded(grader, some(), tmp_path)
    assert left and doomed.wait(timeout=10) == -signal.SIGKILL
    # the one of which the program ran, perhaps one that waited behind it
    assert asked["load"] > 7, "seven are different"
    assert [r.status for r in done.results] == ["graded"] * 8 and not done.waiting
    same(tmp_path, alone)
    with Store(tmp_path / "store.sqlite") as store:
        assert store.states() == {"done": 7}
    _, living = psutil.wait_procs(left, timeout=20)
    assert living == [], "boxes and templates end with their worker"


def test_a_run_goes_on_elsewhere(
    there: Processes, course: Path, tmp_path: Path, alone: Path
) -> None:
    """Half of a class on a cluster, the rest here: nothing runs twice, the bytes are the same."""
    with Cluster(there.address) as cluster, Grader(course, cluster) as grader:
        graded(grader, some()[:4], tmp_path)
    with Grader(course, "bubblewrap") as grader:
        done = graded(grader, some(), tmp_path, jobs=2)
    assert done.reused == 4
    same(tmp_path, alone)


def test_ctrl_c_begins_nothing_more(
    there: Processes, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that wait for a place on a worker are not begun when the run is broken off."""
    stop = threading.Event()
    loads: list[str] = []
    load = clusters._FarBox.load

    def noting(self: clusters._FarBox) -> LoadReport:
        loads.append(self._name)
        return load(self)

    def tick(done: int, total: int, result: Result) -> None:
        raise Stopped

    monkeypatch.setattr(clusters._FarBox, "load", noting)
    with Cluster(there.address, stop=stop) as cluster, Grader(course, cluster) as grader:
        done = graded(grader, some(), tmp_path, stop=stop, progress=tick)
    assert done.interrupted and len(loads) <= 4, "two have room at a time on one thread"
    with Grader(course, "bubblewrap") as grader:
        done = graded(grader, some(), tmp_path, jobs=2)
    assert [r.status for r in done.results] == ["graded"] * 8


def test_without_its_scheduler_a_run_ends_and_is_nobodys_zero(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: Path
) -> None:
    (tmp_path / "there").mkdir()
    load = clusters._FarBox.load
    with started(tmp_path / "there", workers=1) as there, Cluster(there.address) as cluster:

        def killing(self: clusters._FarBox) -> LoadReport:
            there.scheduler.kill()
            return load(self)

        monkeypatch.setattr(clusters._FarBox, "load", killing)
        with Grader(course, cluster) as grader:
            done = graded(grader, some()[:3], tmp_path / "out")
    assert {r.status for r in done.results} == {"ungradable"}
    assert all("is gone" in r.notes[0] for r in done.results), done.results
    monkeypatch.undo()
    with Grader(course, "bubblewrap") as grader:
        graded(grader, some(), tmp_path / "out", jobs=2)
    same(tmp_path / "out", alone)


def test_what_is_lost_again_and_again_is_told(
    there: Processes, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def lost(self: clusters._FarBox, request: ProbeRequest) -> object:
        tried.append(request)
        raise MachineLostError("worker x was lost")

    monkeypatch.setattr(clusters._FarBox, "probe", lost)
    with Cluster(there.address) as cluster, Grader(course, cluster) as grader:
        result = grader.grade(work("ann", 0)).result
        assert all(n == 0 for n in cluster._open.values()), "each place was given back"
    assert result.status == "ungradable" and result.notes == ("worker x was lost",)
    assert len(tried) == MACHINES


def test_what_travels_is_what_enters_a_box(
    there: Processes, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[bytes] = []
    submit = Cluster._submit

    def noting(self: Cluster, to: str, order: Callable[..., bytes], *args: Any) -> Any:
        assert all(isinstance(a, str | bytes | bool | tuple) for a in args)
        sent.extend(a if isinstance(a, bytes) else repr(a).encode() for a in args)
        return submit(self, to, order, *args)

    monkeypatch.setattr(Cluster, "_submit", noting)
    with Cluster(there.address) as cluster, Grader(course, cluster) as grader:
        submission = work("Ann Andersson", 1, SOFTMAX)
        assert grader.grade(submission).result.bugs == ("softmax_before_cross_entropy",)
        spec: Assignment = grader.assignment(A)
        prepared = grader.prepared(spec)
    whole = b"\n".join(sent)
    assert submission.program.text.encode() in whole.replace(b"\\n", b"\n").replace(b'\\"', b'"')
    assert prepared is not None
    for secret in (
        *(c.title.encode() for c in spec.checks),
        *(c.id.encode() for c in spec.checks),
        b"Andersson",
        b"softmax_before_cross_entropy",
        prepared.hidden_labels.astype("uint8").tobytes()[:40],
        prepared.hidden_images.tobytes()[784 * 3 : 784 * 4],
    ):
        assert secret not in whole, secret


# -- who is fit ------------------------------------------------------------------------------------


def refusal(there: Processes, **more: Any) -> str:
    with pytest.raises(InputError) as e, Cluster(there.address, **more):
        pass
    assert "\n" not in str(e.value)
    return str(e.value)


def package(folder: Path, change: str) -> dict[str, str]:
    """The environment of a worker whose package is a copy, with a file changed."""
    shutil.copytree(
        HERE / "autograder", folder / "autograder", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (folder / "autograder" / change).open("a") as f:
        f.write("# a word more\n")
    return {"PYTHONPATH": str(folder)}


def gone(there: Processes, process: subprocess.Popen[bytes]) -> None:
    """End a worker, and wait until the scheduler knows."""
    process.terminate()
    process.wait(timeout=30)
    there.workers.remove(process)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("judge", r"worker tcp://\S+: code [0-9a-f]{16}, here [0-9a-f]{16} \(set it up as"),
        ("worker", r"worker tcp://\S+: worker [0-9a-f]{16}, here [0-9a-f]{16} \(set it up as"),
        ("package", r"worker tcp://\S+: \w*Error: .* \(set it up as"),
        ("box", r"worker tcp://\S+: .*bubblewrap.* \(set it up as"),
    ],
)
def test_a_worker_that_is_not_fit_is_refused_in_one_line(
    tmp_path: Path, there: Processes, what: str, said: str
) -> None:
    if what == "package":
        (tmp_path / "autograder").mkdir()
        (tmp_path / "autograder" / "__init__.py").write_text("raise ImportError('another one')\n")
        more = {"PYTHONPATH": str(tmp_path)}
    elif what == "box":
        more = {"PATH": str(tmp_path)}
    else:
        changed = "checks/judge.py" if what == "judge" else "grading/worker.py"
        more = package(tmp_path, changed)
    bad = there.worker(more=more)
    try:
        assert re.search(said, refusal(there, sandbox="bubblewrap"))
    finally:
        gone(there, bad)


def test_workers_need_what_was_promised(there: Processes) -> None:
    assert "lacks the modules no_such_module_1" in refusal(
        there, modules=("json", "no_such_module_1.x")
    )


def test_no_worker_runs_without_a_sandbox(there: Processes) -> None:
    assert "without a sandbox nothing is run on a cluster" in refusal(there, sandbox="none")


def test_a_cluster_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "CONNECT_S", 0.5)
    with pytest.raises(InputError, match="no scheduler answers at tcp://127") as e:
        Cluster("tcp://127.0.0.1:9")
    assert "\n" not in str(e.value)
    with (
        started(tmp_path) as empty,
        pytest.raises(InputError, match="has no worker"),
    ):
        Cluster(empty.address)


def test_without_dask_it_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match="not installed") as e:
        Cluster("tcp://127.0.0.1:9")
    assert "five-beats[cluster]" in str(e.value)


def test_who_comes_later_is_examined_then(tmp_path: Path, there: Processes) -> None:
    with Cluster(there.address) as cluster:
        first = set(cluster.workers)
        bad = there.worker(more=package(tmp_path, "checks/judge.py"))
        good = there.worker()
        end = time.monotonic() + 120
        while (len(cluster.workers) < 2 or not cluster.refused) and time.monotonic() < end:
            time.sleep(0.1)
        (why,) = cluster.refused.values()
        assert re.match("code [0-9a-f]{16}, here", why)
        assert len(cluster.workers) == 2 and first < set(cluster.workers)
        assert not cluster.refused.keys() & cluster.workers.keys()
        for process in (bad, good):
            gone(there, process)
        while len(cluster.workers) > 1 and time.monotonic() < end:
            time.sleep(0.1)
        assert set(cluster.workers) == first


def test_where_nobody_is_left_the_wait_ends(
    there: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "PATIENCE_S", 0.2)
    with Cluster(there.address) as cluster:
        monkeypatch.setattr(cluster, "_fit", set())
        with pytest.raises(SandboxError, match="has no worker any more"):
            cluster.open(worker.TRY)


def test_who_holds_a_box_never_waits_for_itself(there: Processes) -> None:
    """A judge may ask the reference, in a box of its own, while the student's is open."""
    with Cluster(there.address) as cluster:
        room = sum(cluster.workers.values()) + clusters.AHEAD
        began = threading.Event()

        def another() -> None:
            with cluster.open(worker.TRY):
                began.set()

        waits = threading.Thread(target=another)
        with contextlib.ExitStack() as held:
            for _ in range(room + 1):
                held.enter_context(cluster.open(worker.TRY))
            waits.start()
            assert not began.wait(3), "another one does wait"
        waits.join(timeout=60)
        assert began.is_set() and cluster._holding == 0


# -- what comes back -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [None, 1, "text", b"", b"x", b"+", b"+\0\0", b"+" + worker.pack(b"{}", b"x") + b"more"],
)
def test_an_answer_that_is_none_is_our_fault_and_no_crash(
    there: Processes, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    with Cluster(there.address) as cluster, cluster.open(worker.TRY) as box:
        monkeypatch.setattr(cluster, "_answer", lambda *args: answer)
        with pytest.raises(SandboxError):
            box.load()
        monkeypatch.undo()


@pytest.mark.parametrize("header", [b"[]", b"{", b'{"status": "passed"}', b'{"data": 1e999}'])
def test_evidence_is_read_again_by_the_same_rules(
    there: Processes, monkeypatch: pytest.MonkeyPatch, header: bytes
) -> None:
    with Cluster(there.address) as cluster, cluster.open(worker.TRY) as box:
        monkeypatch.setattr(cluster, "_answer", lambda *args: b"+" + worker.pack(header))
        found = box.probe(ProbeRequest("values:call"))
        assert found.error is not None and found.error.type == "EvidenceRefused"
        assert box.load().status == "crash"
        monkeypatch.undo()


def test_no_pickle_is_an_answer(there: Processes) -> None:
    with Cluster(there.address) as cluster:
        submit = cluster._client.submit
        assert submit(bytes.fromhex, "00ff", pure=False).result() == b"\x00\xff"
        with pytest.raises(TypeError, match="only able to deserialize"):
            submit(fractions.Fraction, 1, 2, pure=False).result()


# -- a worker by itself ----------------------------------------------------------------------------


class FakeBox:
    """A box that notes its end."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    def load(self) -> LoadReport:
        raise RuntimeError("a fault of ours")

    def probe(self, request: ProbeRequest) -> Any:
        raise SandboxError("it broke", where="there")

    def __enter__(self) -> FakeBox:
        return self

    def __exit__(self, *_: object) -> None:
        self.log.append("box closed")


class FakeSandbox:
    name = "fake"

    def __init__(self) -> None:
        self.log: list[str] = []

    def open(self, job: Job) -> FakeBox:
        return FakeBox(self.log)

    def close(self) -> None:
        self.log.append("sandbox closed")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeSandbox]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = FakeSandbox()
    monkeypatch.setattr(worker, "choose", lambda *args, **options: made)
    yield made
    worker._end_all()


JOB = Job(Program("script", "a.py", ("x = 'é\ud800'",)), {"b": b"1", "a": b"22"}, Limits(wall_s=7))


def test_faults_of_a_worker_are_answers(fake: FakeSandbox) -> None:
    assert worker.open_box("one", "fake", worker.pack_job(JOB)) == worker.DONE
    assert worker.load("one") == worker.FAILED + b"RuntimeError: a fault of ours"
    asked = worker.pack_request(ProbeRequest("m:f"))
    assert worker.probe("one", asked) == worker.FAILED + b"there: it broke"
    assert worker.load("two").startswith(worker.LOST)
    assert worker.leave() == worker.DONE and fake.log == [], "somebody's box is open"
    assert worker.close("one") == worker.close("one") == worker.DONE
    assert worker.leave() == worker.DONE and fake.log == ["box closed", "sandbox closed"]


def test_a_job_arrives_as_it_was_sent(fake: FakeSandbox, tmp_path: Path) -> None:
    root = tmp_path / "elsewhere" / "digits-1"
    assert worker._job(worker.pack_job(JOB)) == JOB
    with pytest.raises(MachineLostError, match="images"):
        worker._job(worker.pack_job(Job(JOB.program, {}, Limits(), root)))
    listed, blob = worker.pack_files({"MNIST/raw/x": b"12"})
    raw = worker.pack(str(listed).replace("'", '"').encode(), blob)
    assert worker.place("digits-1", raw) == worker.DONE
    there = worker._job(worker.pack_job(Job(JOB.program, {}, Limits(), root))).data
    assert there is not None and (there / "MNIST" / "raw" / "x").read_bytes() == b"12"
    for name in ("../x", "a/b", "", ".", ".."):
        assert worker.place(name, raw).startswith(worker.FAILED), name


def test_boxes_of_a_client_that_is_gone_are_closed(
    fake: FakeSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LEASE_S", 0.2)
    assert worker.open_box("one", "fake", worker.pack_job(JOB)) == worker.DONE
    end = time.monotonic() + 20
    while len(fake.log) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert fake.log == ["box closed", "sandbox closed"] and worker.load("one")[:1] == worker.LOST


# -- the page --------------------------------------------------------------------------------------

PAGE = (HERE / "docs" / "cluster.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(?P<kind>console|python)\n(?P<text>.*?)```\n", re.DOTALL)


def free_port() -> str:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


@pytest.mark.parametrize("way", ["commands", "python"])
def test_every_documented_command_works(course: Path, tmp_path: Path, way: str) -> None:
    """docs/cluster.md as a person would type it: a cluster by commands, then one from Python."""
    page = PAGE.replace("8786", free_port())
    blocks = list(BLOCK.finditer(page))
    lines = [line for b in blocks if b["kind"] == "console" for line in b["text"].splitlines()]
    scripts = [b["text"] for b in blocks if b["kind"] == "python"]
    assert all(line.startswith("$ ") for line in lines)
    for script in scripts:
        compile(script, "page", "exec")
    (grade,) = [line.split()[2:] for line in lines if line.startswith("$ autograder ")]
    dask = [line.split()[2:] for line in lines if line.startswith("$ dask ")]
    assert len(dask) == len(lines) - 1 == 3
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(HERE)}
    (tmp_path / "class").mkdir()
    for i in range(3):
        text = textwrap.dedent(work(f"s{i}", i).program.text)
        (tmp_path / "class" / f"s{i}.py").write_text(text)
    begun: list[subprocess.Popen[bytes]] = []
    try:
        if way == "commands":
            begun += [subprocess.Popen([DASK, *words], cwd=tmp_path, env=env) for words in dask]
        else:
            (local,) = [s for s in scripts if "LocalCluster" in s]
            (tmp_path / "local.py").write_text(local)
            begun += [
                subprocess.Popen(
                    [sys.executable, "local.py"], cwd=tmp_path, env=env, stdin=subprocess.PIPE
                )
            ]
        command = [sys.executable, "-m", "autograder", *grade, "--root", str(course)]
        end = time.monotonic() + 120
        while True:
            done = subprocess.run(
                command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
            )
            early = "has no worker" in done.stderr or "no scheduler answers" in done.stderr
            if not early or time.monotonic() > end:
                break
    finally:
        for process in reversed(begun):
            if process.stdin is not None:
                process.communicate(b"\n", timeout=60)
            process.terminate()
            process.wait(timeout=60)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^cluster: [12] workers? with [12] threads, boxes by ", done.stderr)
    assert "3 submissions in" in done.stdout
