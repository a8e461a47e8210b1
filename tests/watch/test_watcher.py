"""`autograder watch` in real boxes: what a user sees of a script, whatever the script is."""

from __future__ import annotations

import contextlib
import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from typer.testing import CliRunner

from autograder.cli import main as cli
from autograder.cli import watch
from autograder.errors import InputError
from autograder.model import Evidence, Job, ProbeRequest
from autograder.watch.watcher import Watcher

pytestmark = pytest.mark.sandbox

LOOP = """
import torch
from torch import nn
torch.manual_seed(0)
x = torch.randn(64, 6)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))
sgd = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(20):
    sgd.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    sgd.step()
"""
FORGETFUL = LOOP.replace("    sgd.zero_grad()\n", "")


@pytest.fixture(scope="module")
def watcher() -> Iterator[Watcher]:
    with Watcher("auto") as one:
        yield one


def script(home: Path, text: str, name: str = "train.py") -> Path:
    path = home / name
    path.write_text(text, encoding="utf-8")
    return path


def named(watcher: Watcher, path: Path, **how: object) -> list[str]:
    seen = watcher.watch(path, **how)  # type: ignore[arg-type]
    assert not seen.failed
    assert not seen.faults
    return [f.bug for f in seen.findings if f.kind == "bug"]


def test_a_right_loop_is_left_alone_and_its_beats_are_told(
    watcher: Watcher, tmp_path: Path
) -> None:
    seen = watcher.watch(script(tmp_path, LOOP))
    assert (seen.ended, seen.steps, seen.findings, seen.faults) == ("ran", 20, (), ())
    (row,) = seen.rows
    assert row.kind == "training"
    assert row.steps == ((1, 20, ("zero", "forward", "loss", "backward", "step")),)


def test_a_bug_is_named_with_its_line(watcher: Watcher, tmp_path: Path) -> None:
    seen = watcher.watch(script(tmp_path, FORGETFUL))
    (finding,) = seen.findings
    assert (finding.bug, finding.kind) == ("missing_zero_grad", "bug")
    assert FORGETFUL.splitlines()[finding.line - 1].strip() == "loss.backward()"  # type: ignore[operator]


def test_a_notebook_is_told_by_cell(watcher: Watcher, tmp_path: Path) -> None:
    head, body = FORGETFUL.split("for step", 1)
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(head), nbformat.v4.new_code_cell("for step" + body)]
    path = tmp_path / "train.ipynb"
    nbformat.write(book, path)
    (finding,) = watcher.watch(path).findings
    assert (finding.bug, finding.cell) == ("missing_zero_grad", 1)


def test_arguments_and_the_files_beside_a_script_reach_the_box(
    watcher: Watcher, tmp_path: Path
) -> None:
    script(tmp_path, "from more.words import RATE\n", "helper.py")
    (tmp_path / "more").mkdir()
    script(tmp_path, "RATE = 0.1\n", "more/words.py")
    script(tmp_path, "12", "size.txt")
    script(tmp_path, "must stay outside", "secret.txt")
    text = (
        "import sys, os, helper\n"
        "assert sys.argv[1:] == ['--epochs', '3'], sys.argv\n"
        "assert open('size.txt').read() == '12'\n"
        "assert not os.path.exists('sec' + 'ret.txt')\n"
    )
    seen = watcher.watch(script(tmp_path, text), ["--epochs", "3"])
    assert (seen.ended, seen.errors) == ("ran", ())


def test_image_data_sets_are_served_whatever_root_is_named(
    watcher: Watcher, tmp_path: Path
) -> None:
    text = (
        "from torchvision import datasets\n"
        "for kind in (datasets.MNIST, datasets.FashionMNIST):\n"
        "    assert len(kind('/somewhere/else', train=True, download=True)) > 500\n"
        "    assert len(kind(root='~/d', train=False)) > 100\n"
    )
    seen = watcher.watch(script(tmp_path, text))
    assert (seen.ended, seen.errors) == ("ran", ())


def test_a_long_run_ends_early_with_what_was_seen(watcher: Watcher, tmp_path: Path) -> None:
    endless = FORGETFUL.replace("for step in range(20):", "while True:")
    seen = watcher.watch(script(tmp_path, endless), seconds=3)
    assert seen.ended == "stopped"
    assert seen.steps > 20
    assert [f.bug for f in seen.findings] == ["missing_zero_grad"]
    assert watcher.watch(script(tmp_path, endless), steps=7).steps == 7


NOTHING = {
    "print('hello')\n": "no model was called",
    "import torch\nprint(torch.nn.Linear(2, 2)(torch.ones(1, 2)))\n": "called 1 times",
    "raise SystemExit('no data')\n": "nothing was trained",
    "import somewhere_else\n": "raised before anything was trained",
    "def train():\n    pass\n": "no model was called",
    LOOP + "1 / 0\n": "the program raised, so",
}


@pytest.mark.parametrize("text", NOTHING)
def test_where_little_was_seen_there_is_no_all_clear(
    watcher: Watcher, tmp_path: Path, text: str
) -> None:
    seen = watcher.watch(script(tmp_path, text))
    assert NOTHING[text] in seen.doubt
    assert not seen.clear
    assert not [f for f in seen.findings if f.kind == "bug"]


def test_an_end_that_is_asked_for_is_none_of_the_worse(watcher: Watcher, tmp_path: Path) -> None:
    seen = watcher.watch(script(tmp_path, LOOP + "raise SystemExit(0)\n"))
    assert (seen.doubt, seen.clear) == ("", True)


def test_the_time_is_that_of_all_runs_together(
    watcher: Watcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless run uses all of it up: none is left for the runs of other seeds and devices."""
    asked: list[tuple[str, float]] = []
    opened = watcher.sandbox.open

    @contextlib.contextmanager
    def opening(job: Job) -> Iterator[Any]:
        with opened(job) as box:

            def probe(request: ProbeRequest) -> Evidence:
                asked.append((request.probe, float(str(request.args["seconds"]))))
                return box.probe(request)

            yield types.SimpleNamespace(probe=probe)

    monkeypatch.setattr(watcher.sandbox, "open", opening)
    device = LOOP.replace("for step in range(20):", "net.to('cpu')\nSEED = 0\nwhile True:")
    watcher.watch(script(tmp_path, device), seconds=2)
    assert [probe for probe, _ in asked] == ["flight:record"]
    asked.clear()
    watcher.watch(script(tmp_path, LOOP + "net.to('cpu')\nSEED = 0\n"), seconds=20)
    more = ["flight:accelerated", "flight:first_steps", "flight:first_steps"]
    assert [probe for probe, _ in asked] == ["flight:record", *more]
    assert all(clock <= 20.0 for _, clock in asked)


def test_a_finding_in_a_module_beside_the_script_names_its_file(
    watcher: Watcher, tmp_path: Path
) -> None:
    (tmp_path / "engine").mkdir()
    script(tmp_path, "from .loop import fit\n", "engine/__init__.py")
    head, body = FORGETFUL.split("for step", 1)
    loop = (
        "\n" * 50
        + "from torch import nn\ndef fit(net, sgd, x, y):\n    for step"
        + body.replace("\n", "\n    ")
    )
    script(tmp_path, loop, "engine/loop.py")
    path = script(tmp_path, head + "from engine import fit\nfit(net, sgd, x, y)\n")
    seen = watcher.watch(path)
    (finding,) = seen.findings
    assert (finding.bug, finding.file) == ("missing_zero_grad", "engine/loop.py")
    assert loop.splitlines()[finding.line - 1].strip() == "loss.backward()"  # type: ignore[operator]
    assert seen.rows[0].file == "engine/loop.py"
    assert seen.as_json()["findings"][0]["file"] == "engine/loop.py"
    _, shown = run(str(path))
    assert f"engine/loop.py line {finding.line}" in shown


def test_a_notebook_with_magics_finds_its_modules(watcher: Watcher, tmp_path: Path) -> None:
    script(tmp_path, LOOP, "helper.py")
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell("%matplotlib inline\nimport helper\nhelper.sgd")]
    nbformat.write(book, tmp_path / "train.ipynb")
    seen = watcher.watch(tmp_path / "train.ipynb")
    assert (seen.ended, seen.errors, seen.steps, seen.clear) == ("ran", (), 20, True)


def test_a_program_reads_and_writes_in_its_own_folders(watcher: Watcher, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "data").mkdir()
    script(tmp_path, "1,2\n3,4\n", "data/rows.csv")
    text = LOOP + (
        "import os\nfrom torchvision import datasets\n"
        "assert open('./data/rows.csv').read().startswith('1,2')\n"
        "assert len(datasets.MNIST('./data', download=True)) > 500\n"
        "open('data/made.txt', 'w').write('x')\n"
        "torch.save(net.state_dict(), './runs/last.pt')\n"
        "net.load_state_dict(torch.load(os.path.join('runs', 'last.pt')))\n"
    )
    seen = watcher.watch(script(tmp_path, text))
    assert (seen.ended, seen.errors) == ("ran", ())


def test_a_group_of_one_process_needs_no_network(watcher: Watcher, tmp_path: Path) -> None:
    group = (
        "import torch.distributed as dist\n"
        "dist.init_process_group('gloo', init_method='{}', rank=0, world_size={})\n"
    )
    head, body = LOOP.split("for step", 1)
    wrapped = "net = nn.parallel.DistributedDataParallel(net)\nfor step"
    for method in ("tcp://127.0.0.1:29655", "file:///tmp/a-group"):
        text = head + group.format(method, 1) + wrapped + body
        seen = watcher.watch(script(tmp_path, text))
        assert (seen.ended, seen.errors, seen.steps, seen.clear) == ("ran", (), 20, True)
    alone = watcher.watch(script(tmp_path, head + group.format("tcp://127.0.0.1:29656", 2)))
    assert alone.ended == "raised"  # there is nobody else


def test_a_script_that_raises_says_so(watcher: Watcher, tmp_path: Path) -> None:
    seen = watcher.watch(script(tmp_path, LOOP + "raise ValueError('enough')\n"))
    assert seen.ended == "raised"
    assert seen.errors[0]["message"] == "enough"


def test_a_program_that_ends_its_process_is_a_failure_to_watch(
    watcher: Watcher, tmp_path: Path
) -> None:
    assert watcher.watch(script(tmp_path, "import os; os._exit(3)\n")).failed


DEVICE = """
device = "cuda" if torch.cuda.is_available() else "cpu"
net = net.to(device)
sgd = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(3):
    sgd.zero_grad()
    nn.functional.cross_entropy(net(BATCH), y.to(device)).backward()
    sgd.step()
"""


def test_a_batch_on_the_wrong_device_is_named(watcher: Watcher, tmp_path: Path) -> None:
    head = LOOP.split("for step", maxsplit=1)[0]
    wrong = script(tmp_path, head + DEVICE.replace("BATCH", "x"))
    assert named(watcher, wrong) == ["wrong_device"]
    right = script(tmp_path, head + DEVICE.replace("BATCH", "x.to(device)"), "right.py")
    assert named(watcher, right) == []


SEEDED = "import random\nimport numpy as np\nSEED = 3\nrandom.seed(SEED)\nnp.random.seed(SEED)\n"


def test_a_program_that_seeds_in_part_is_named(watcher: Watcher, tmp_path: Path) -> None:
    partly = LOOP.replace("torch.manual_seed(0)\n", SEEDED)
    assert named(watcher, script(tmp_path, partly)) == ["incomplete_seeding"]
    wholly = LOOP.replace("torch.manual_seed(0)\n", SEEDED + "torch.manual_seed(SEED)\n")
    assert named(watcher, script(tmp_path, wholly, "wholly.py")) == []
    never = LOOP.replace("torch.manual_seed(0)\n", "")
    assert named(watcher, script(tmp_path, never, "never.py")) == []


def test_the_same_program_gives_the_same_findings_as_script_and_notebook_every_time(
    watcher: Watcher, tmp_path: Path
) -> None:
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(FORGETFUL)]
    nbformat.write(book, tmp_path / "train.ipynb")
    path = script(tmp_path, FORGETFUL)
    told = {(f.bug, f.message) for _ in range(3) for f in watcher.watch(path).findings}
    told |= {(f.bug, f.message) for f in watcher.watch(tmp_path / "train.ipynb").findings}
    assert len(told) == 1


@pytest.mark.parametrize(("name", "text"), [("notes.txt", "x"), ("gone.py", None)])
def test_what_is_no_program_is_refused(
    watcher: Watcher, tmp_path: Path, name: str, text: str | None
) -> None:
    if text is not None:
        script(tmp_path, text, name)
    with pytest.raises(InputError):
        watcher.watch(tmp_path / name)


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["watch", *words])
    return done.exit_code, done.output


def test_the_command_shows_beats_and_findings(tmp_path: Path) -> None:
    status, shown = run(str(script(tmp_path, FORGETFUL)), "--seconds", "20")
    assert status == 1
    assert "steps 1-20" in shown
    assert "missing_zero_grad" in shown
    assert "line 11" in shown
    status, shown = run(str(script(tmp_path, LOOP, "right.py")))
    assert status == 0
    assert "nothing wrong was seen" in shown


def test_the_command_writes_json_and_escapes_what_a_program_says(tmp_path: Path) -> None:
    hostile = LOOP + "raise ValueError('\\x1b[31m[bold]red[/bold]')\n"
    path = script(tmp_path, hostile)
    status, shown = run(str(path), "--json")
    told = json.loads(shown)
    assert status == 1
    assert told["schema"] == 1
    assert "raised" in told["doubt"]
    assert told["strip"][0]["steps"][0][2] == ["zero", "forward", "loss", "backward", "step"]
    _, shown = run(str(path))
    assert "\x1b" not in shown
    assert "[bold]red[/bold]" in shown


def test_the_command_documents_itself() -> None:
    assert "beats" in (watch.watch.__doc__ or "")
