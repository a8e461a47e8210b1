"""`autograder watch` in real boxes: what a user sees of a script, whatever the script is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from autograder import cli, cli_watch
from autograder.errors import InputError
from autograder.watching import Watcher

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
    assert status == 0
    assert told["schema"] == 1
    assert told["strip"][0]["steps"][0][2] == ["zero", "forward", "loss", "backward", "step"]
    _, shown = run(str(path))
    assert "\x1b" not in shown
    assert "[bold]red[/bold]" in shown


def test_the_command_documents_itself() -> None:
    assert "beats" in (cli_watch.watch.__doc__ or "")
