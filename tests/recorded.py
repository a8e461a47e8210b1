"""A program under the flight recorder without a box, for tests: in a fork of the test's process.

`watched(source, home)` is the quickest way to a `Log`; `bugs(source)` and `notes(source)` are the
ids of its findings.
The record still passes through the wire and the evidence reader.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from autograder.model import Json, ProbeRequest
from autograder.watch.findings import Finding, Log, findings
from tests.harness import ForkedRun

HEADER = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
"""


def watched(
    source: str | list[str],
    home: Path | None = None,
    *,
    header: str = HEADER,
    seconds: float = 30.0,
    steps: int | None = None,
) -> Log:
    """The flight record of a script (or of a notebook's cells), after `header`.

    `home` is a folder of data that the program finds as `data`. Raises AssertionError where the
    probe itself failed or an observer noted a fault of its own.
    """
    kind = "script" if isinstance(source, str) else "notebook"
    cells = [source] if isinstance(source, str) else source
    cells = [header, *(textwrap.dedent(c) for c in cells)]
    run = ForkedRun(kind, "train.py", cells, home)
    args: dict[str, Json] = {"seconds": seconds, "steps": steps, "argv": []}
    evidence = run.ask(ProbeRequest("flight:record", args, start="fresh"))
    assert evidence.status == "done", (evidence.status, evidence.error, evidence.detail)
    log = Log.of(evidence.data)
    assert not log.faults, log.faults
    return log


def accusations(log: Log) -> dict[str, Finding]:
    """The bugs found, by id; notes left out."""
    return {f.bug: f for f in findings(log) if f.kind == "bug"}


def notes(source: str | list[str], home: Path | None = None) -> list[str]:
    """The ids of what is noted of a program, and no bug, where it runs through without raising."""
    log = watched(source, home)
    assert log.ended == "ran", list(log.errors)
    return sorted(f.bug for f in findings(log) if f.kind == "note")


def bugs(source: str | list[str], home: Path | None = None) -> list[str]:
    """The ids of the bugs found in a program that runs through without raising."""
    log = watched(source, home)
    assert log.ended == "ran", list(log.errors)
    return sorted(accusations(log))
