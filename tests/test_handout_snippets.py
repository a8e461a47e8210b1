"""What a handout offers to paste into a cell of one's own runs behind the finished work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pytest

from autograder.authoring.master import master_path, read_master, reference
from autograder.course import config
from autograder.course.images import cache_folder, showcase

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
MANY = {"04-training-loop": 1, "05-five-beats": 1, "08-schedule-and-resume": 2}


@pytest.mark.parametrize("assignment", MANY)
def test_it_runs_behind_the_finished_work(
    assignment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = config.assignment(ROOT / "assignments" / assignment / "assignment.yml")
    source = ROOT / "source" / assignment
    cells = read_master(master_path(source, spec))
    texts = [c.source for c in cells if c.kind == "markdown"]
    blocks = [block for text in texts for block in BLOCK.findall(text)]
    assert len(blocks) == MANY[assignment]
    (tmp_path / "data").symlink_to(showcase(cache_folder() / "data"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(plt, "show", lambda: None)
    names: dict[str, Any] = {"__name__": "__main__"}
    for code in (*reference(source, spec, "notebook").cells, *blocks):
        exec(compile(code, assignment, "exec"), names)
    plt.close("all")
    if assignment == "04-training-loop":
        assert names["wrong"] and all(label != guess for _, label, guess in names["wrong"])
