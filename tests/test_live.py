"""Which work a hidden test in a notebook grades; the real tools call it in tests/end_to_end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from autograder import live
from autograder.course import config
from autograder.model import CheckResult, Status, Visibility
from tests.samples import ROOT

NAME = "08-schedule-and-resume"
MINE = "def lr_at(step, total, base_lr, warmup):\n    return base_lr\n"
OTTERS = "from otter import Notebook"


@pytest.fixture
def assignment() -> config.Assignment:
    return config.assignment(ROOT / "assignments" / NAME / "assignment.yml")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cells that IPython says ran in this process."""
    cells = ["", OTTERS, MINE.strip()]
    monkeypatch.setattr(sys.modules["__main__"], "In", cells, raising=False)
    return cells


def test_a_script_of_any_name_is_found_by_what_ran(
    assignment: config.Assignment, tmp_path: Path, ran: list[str]
) -> None:
    (tmp_path / "alice_final.py").write_text(MINE)
    (tmp_path / "helpers.py").write_text("x = 1\n")
    (tmp_path / "written.py").write_text("by a cell")
    os.utime(tmp_path / "helpers.py", (0, 0))  # older than this process: it was handed in
    found = live.submission(assignment, tmp_path, tmp_path)
    assert (found.program.kind, found.program.cells) == ("script", (MINE,))
    assert set(found.files) == {"helpers.py"}


def test_a_notebook_beside_it_is_the_work(
    assignment: config.Assignment, tmp_path: Path, ran: list[str]
) -> None:
    cell = {"cell_type": "code", "source": "a = 1", "metadata": {}, "outputs": []}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    (tmp_path / "mine.ipynb").write_text(json.dumps(book))
    (tmp_path / "alice_final.py").write_text(MINE)
    found = live.submission(assignment, tmp_path, tmp_path)
    assert found.program.cells == ("a = 1",)


def test_without_a_file_what_ran_is_the_work(
    assignment: config.Assignment, tmp_path: Path, ran: list[str]
) -> None:
    (tmp_path / "helpers.py").write_text("x = 1\n")
    ran.append("from autograder.live import grade\n\ngrade('lr_curve')")
    found = live.submission(assignment, tmp_path, tmp_path)
    assert found.program.cells == (OTTERS, MINE.strip())


@pytest.mark.parametrize(
    ("status", "score", "said"),
    [
        (Status.PASSED, 1.0, None),
        (Status.PARTIAL, 0.5, "(earned 0.5000 of 1 points)"),
        (Status.FAILED, 0.0, "(earned 0.0000 of 1 points)"),
        (Status.DEFERRED, 0.0, "(earned 0.0000 of 1 points)"),
    ],
)
def test_only_what_was_earned_counts_in_otter(
    monkeypatch: pytest.MonkeyPatch, status: Status, score: float, said: str | None
) -> None:
    """A case that passes gets all of its points there, so a check left open may not pass."""
    found = CheckResult("gpu", "On a GPU", 1, status, score, 1.0, Visibility.HIDDEN)
    monkeypatch.setattr(live, "outcomes", lambda checks, assignment: [found])
    if said is None:
        live.demand("gpu")
    else:
        with pytest.raises(live.NotPassed, match=r"\(earned") as raised:
            live.demand("gpu")
        assert str(raised.value).endswith(said)
