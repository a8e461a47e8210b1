"""Boxes by another user id: on one machine, no two of them share one."""

from __future__ import annotations

import itertools
import threading

import pytest

from autograder.errors import SandboxError
from autograder.model import Job, Limits, LoadReport, Program
from autograder.sandbox import uid
from autograder.sandbox.uid import FIRST, Uid

pytestmark = [pytest.mark.root, pytest.mark.sandbox, pytest.mark.slow]
NAP = "import os, time\nprint(os.getuid())\ntime.sleep(3)\n"


def job(text: str) -> Job:
    return Job(Program("script", "x.py", (text,)), {}, Limits())


def test_two_graders_leave_each_others_boxes_alive() -> None:
    """Closing a box kills whatever runs under its user id, so the id must be its own."""
    first, second = Uid(), Uid()
    first._uids = iter(range(FIRST, FIRST + 9))
    second._uids = iter(range(FIRST, FIRST + 9))
    seen: list[LoadReport] = []
    try:
        with first.open(job(NAP)) as napping:
            thread = threading.Thread(target=lambda: seen.append(napping.load()))
            thread.start()
            with second.open(job("import os\nprint(os.getuid())\n")) as quick:
                other = quick.load()
            thread.join()
    finally:
        first.close()
        second.close()
    assert [r.status for r in (*seen, other)] == ["done", "done"], seen
    assert seen[0].output != other.output


def test_where_no_id_is_left_it_is_our_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uid, "COUNT", 1)
    sandbox = Uid()
    sandbox._uids = itertools.repeat(FIRST + 1_999)
    try:
        with (
            sandbox.open(job("x = 1")) as box,
            pytest.raises(SandboxError, match="1 user ids for boxes are taken"),
        ):
            sandbox.open(job("x = 1"))
        assert box is not None
        sandbox.open(job("x = 1")).__exit__(None, None, None)
    finally:
        sandbox.close()
