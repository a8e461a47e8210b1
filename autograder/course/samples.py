"""Sample submissions, filed by the verdict they must get.

`assignments/<id>/submissions/<folder>/` is one student's work. The folder's name is the
verdict: `correct_*` gets full marks and no bug, `bug_<id>[__variant]` loses exactly the
checks of its row in `expected.yml` and is named, `hostile_*` loses what its row says. The
release gate and the tests hold every grader to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..model import Result, Status

KEPT = {Status.PASSED, Status.DEFERRED, Status.BY_HAND}


def folders(samples: Path) -> list[Path]:
    """The sample folders in an assignment's `submissions` folder; none where there is none."""
    return sorted(p for p in samples.iterdir() if p.is_dir()) if samples.is_dir() else []


def expected(samples: Path) -> dict[str, Any]:
    """The rows of its `expected.yml`, by folder name; none where there is no such file."""
    path = samples / "expected.yml"
    if not path.is_file():
        return {}
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return found


def problems(result: Result, folder: Path, row: dict[str, Any] | None) -> list[str]:
    """What is wrong with a sample's result, in words; empty if it is as its folder says."""
    lost = {c.id for c in result.checks if c.status not in KEPT}
    wrong = []
    if result.status != "graded":
        return [f"ungradable: {result.notes}"]
    if folder.name.startswith("correct_"):
        row = {"lost": [], "bugs": []}
        wrong += [f"also saw falsely: {one}" for one in result.also_seen]
    if row is None:
        return ["no row in expected.yml"]
    must, may = set(row.get("lost", [])), set(row.get("lost", [])) | set(row.get("also", []))
    if must == {"all"}:
        judged = (c for c in result.checks if c.status is not Status.BY_HAND)
        must = may = {c.id for c in judged if c.max_score}
        lost &= must
    # without a GPU, or a module that a part of the assignment requires, nobody can lose that part
    away = {c.id for c in result.checks if c.status is Status.DEFERRED}
    judged_at_all = not must or bool(must - away)
    must -= away
    said = {c.id: f"{c.status}: {c.message}" for c in result.checks}
    wrong += [f"should have lost {i}" for i in sorted(must - lost)]
    wrong += [f"should not have lost {i} ({said[i]})" for i in sorted(lost - may)]
    bugs, named = set(row.get("bugs", [])) if judged_at_all else set(), set(result.bugs)
    wrong += [f"did not name {b}" for b in sorted(bugs - named)]
    wrong += [f"named {b} falsely" for b in sorted(named - bugs - set(row.get("also_bugs", [])))]
    return wrong
