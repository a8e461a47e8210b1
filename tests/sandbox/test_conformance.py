"""What every sandbox must do alike: run a program, answer probes, keep the clocks.

The same questions are put to each backend this machine can run. Confinement (what only a
sealed box does) is in `test_confinement.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder.model import Limits, ProbeRequest
from autograder.sandbox import Sandbox
from tests.sandbox.conftest import BACKENDS, FAST, call, opened, run

pytestmark = pytest.mark.sandbox


@pytest.fixture(scope="module", params=[*BACKENDS, "cluster"])
def sandbox(request: pytest.FixtureRequest, shelf: Path) -> Iterator[Sandbox]:
    """Each backend that this machine can run, and one whose boxes are a worker's."""
    yield from opened(request, shelf)


@pytest.mark.parametrize("kind", ["script", "notebook"])
@pytest.mark.parametrize("start", ["loaded", "fresh"])
def test_a_probe_calls_into_the_program(sandbox: Sandbox, start: str, kind: str) -> None:
    text = "print('hello')\ndef f(x): return x + 1"
    load, (answer,) = run(sandbox, text, call("f", 41, start=start), kind=kind)
    assert (load.status, load.output, load.errors) == ("done", "hello\n", ())
    assert answer.status == "done" and answer.data["value"] == 42


def test_tensors_go_in_and_out_unchanged(sandbox: Sandbox) -> None:
    x = np.arange(6, dtype=np.float64).reshape(2, 3)
    request = ProbeRequest("values:call", {"name": "f", "positional": [{"tensor": "x"}]}, {"x": x})
    _, (answer,) = run(sandbox, "def f(x): return x.t() * 2", request)
    np.testing.assert_array_equal(answer.tensors["result"], x.T * 2)


def test_probes_do_not_see_each_other(sandbox: Sandbox) -> None:
    text = "n = 0\ndef f():\n    global n\n    n += 1\n    return n"
    _, answers = run(sandbox, text, call("f"), call("f"))
    assert [a.data["value"] for a in answers] == [1, 1]


def test_training_is_healthy_in_a_box(sandbox: Sandbox) -> None:
    text = """
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
def f(workers):
    torch.manual_seed(0)
    data = TensorDataset(torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,)))
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 26 * 26, 10))
    optimizer = torch.optim.Adam(net.parameters())
    for x, y in DataLoader(data, 16, shuffle=True, num_workers=workers):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
    return loss.item()
"""
    slow = Limits(wall_s=20, check_s=20, memory_mb=1500)
    _, answers = run(sandbox, text, call("f", 0), call("f", 2), limits=slow)
    assert [a.status for a in answers] == ["done", "done"], answers
    assert answers[0].data["value"] == answers[1].data["value"]


def test_files_and_data_are_laid_out(sandbox: Sandbox, shelf: Path) -> None:
    text = """
import helpers
x = [helpers.y, open('sub/a.txt').read(), open('data/hello').read()]
def f(): return x
"""
    files = {"helpers.py": b"y = 1", "sub/a.txt": b"a"}
    load, (answer,) = run(sandbox, text, call("f"), files=files, data=shelf / "root")
    assert load.errors == () and answer.data["value"] == [1, "a", "data"]


def test_an_endless_load_is_a_timeout(sandbox: Sandbox) -> None:
    load, _ = run(sandbox, "while True: pass", limits=Limits(wall_s=1))
    assert load.status == "timeout" and "1 s" in load.detail
    counted = load.usage.wall_s - load.usage.waited_s
    assert counted >= 0.99, "what it waits for a processor is not taken off its second"
    assert load.usage.waited_s <= 2, "nor does it last longer than three times that"


def test_a_hanging_probe_costs_one_probe(sandbox: Sandbox) -> None:
    text = "def f():\n    while True: pass\ndef g(): return 1"
    limits = Limits(wall_s=3, check_s=0.5)
    load, (hung, fine) = run(sandbox, text, call("f"), call("g"), limits=limits)
    assert (load.status, hung.status, fine.status) == ("done", "timeout", "done")


def test_cpu_time_is_limited_apart_from_wall_time(sandbox: Sandbox) -> None:
    load, _ = run(sandbox, "while True: pass", limits=Limits(wall_s=30, cpu_s=1))
    assert load.status == "timeout" and "CPU" in load.detail


def test_memory_is_limited(sandbox: Sandbox) -> None:
    greedy = "kept = []\ndef f():\n    while True: kept.append(bytearray(2 ** 22))"
    load, (eaten,) = run(sandbox, greedy, call("f"), limits=Limits(check_s=20, memory_mb=300))
    assert (load.status, eaten.status) == ("done", "memory")
    load, _ = run(sandbox, greedy + "\nf()", limits=Limits(wall_s=20, memory_mb=300))
    assert load.status == "memory" or load.errors[0].type == "MemoryError"


def test_one_huge_tensor_is_refused_as_memory(sandbox: Sandbox) -> None:
    text = "import torch\ndef f(): return torch.ones(10 ** 10)"
    _, (answer,) = run(sandbox, text, call("f"))
    assert answer.status == "memory"


def test_memory_that_ran_out_while_loading_is_said_so(sandbox: Sandbox) -> None:
    load, (answer,) = run(sandbox, "import torch\ntorch.ones(10 ** 10)\ndef f(): pass", call("f"))
    assert load.errors[0].line == 2
    assert answer.status == "memory"
    assert "'f' is not defined" in answer.detail


def test_output_without_end_is_stopped_and_capped(sandbox: Sandbox) -> None:
    load, _ = run(sandbox, "while True: print('x' * 99)", limits=FAST)
    assert load.status == "output" and len(load.output) < 17 * 1024 and "not kept" in load.output


@pytest.mark.parametrize("code", ["os._exit(0)", "os.abort()", "os.kill(os.getpid(), 9)"])
def test_an_end_by_itself_is_a_crash(sandbox: Sandbox, code: str) -> None:
    load, (answer,) = run(sandbox, f"import os\n{code}", call("f"))
    assert load.status == "crash"
    assert answer.status in ("crash", "error")
    _, (answer,) = run(sandbox, f"import os\ndef f(): {code}", call("f"))
    assert answer.status == "crash"


def test_what_a_probe_raises_is_located(sandbox: Sandbox) -> None:
    _, (answer,) = run(sandbox, "def f():\n    x = 1\n    return x / 0", call("f"))
    assert answer.error is not None
    assert (answer.status, answer.error.type, answer.error.line) == (
        "error",
        "ZeroDivisionError",
        3,
    )


def test_a_program_with_threads_is_loaded_afresh_for_each_probe(sandbox: Sandbox) -> None:
    text = """
import threading, queue
asked, told = queue.Queue(), queue.Queue()
def serve():
    while True: told.put(asked.get() + 1)
threading.Thread(target=serve, daemon=True).start()
def f():
    asked.put(41)
    return told.get(timeout=1)
"""
    _, (answer,) = run(sandbox, text, call("f"), limits=Limits(wall_s=5, check_s=5))
    assert answer.status == "done" and answer.data["value"] == 42


def test_seeds_are_the_same_in_every_box(sandbox: Sandbox) -> None:
    text = """
import torch, random, numpy
def f(): return [torch.rand(1).item(), random.random(), numpy.random.rand()]
"""
    first, second = (run(sandbox, text, call("f"))[1][0].data["value"] for _ in range(2))
    assert first == second


def test_not_a_number_is_refused_not_believed(sandbox: Sandbox) -> None:
    _, (answer,) = run(sandbox, "def f(): return float('nan')", call("f"))
    assert answer.status == "error"


def test_an_answer_over_the_cap_is_refused(sandbox: Sandbox) -> None:
    text = "import torch\ndef f(): return torch.zeros(40 * 2 ** 20, dtype=torch.uint8)"
    _, (answer, after) = run(sandbox, text + "\ndef g(): return 1", call("f"), call("g"))
    assert answer.status == "output" and after.status == "done"
