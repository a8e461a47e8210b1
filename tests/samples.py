"""Sample submissions, filed by the verdict they must get; shared by `test_samples_<id>.py`.

`assignments/<id>/submissions/<folder>/` is one student's work. The folder's name is the
verdict: `correct_*` gets full marks and no bug, `bug_<id>[__variant]` loses exactly the
checks of its row in `expected.yml` and is named, `hostile_*` loses what its row says.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from autograder import config
from autograder.formats.folder import collect
from autograder.grade import Grader
from autograder.model import Limits, Result, Status

ROOT = Path(__file__).resolve().parent.parent
KEPT = {Status.PASSED, Status.DEFERRED}


class QuickGrader(Grader):
    """A grader that waits less for programs without an end than a class would."""

    def limits(self, assignment: config.Assignment) -> Limits:
        return dataclasses.replace(super().limits(assignment), wall_s=25.0)


def folders(assignment: str) -> list[Path]:
    """The sample folders of an assignment."""
    return sorted(
        p for p in (ROOT / "assignments" / assignment / "submissions").iterdir() if p.is_dir()
    )


def expected(assignment: str) -> dict[str, Any]:
    """The rows of an assignment's `expected.yml`."""
    path = ROOT / "assignments" / assignment / "submissions" / "expected.yml"
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def graded(grader: Grader, assignment: str, folder: Path) -> Result:
    """The result of one sample, by the way every submission goes."""
    spec = grader.assignment(assignment)
    found, refused = collect([folder], assignment, {spec.id: spec.module})
    assert not refused, refused
    (submission,) = found
    return grader.grade(submission).result


def problems(result: Result, folder: Path, row: dict[str, Any] | None) -> list[str]:
    """What is wrong with a sample's result, in words; empty if it is as its folder says."""
    lost = {c.id for c in result.checks if c.status not in KEPT}
    wrong = []
    if result.status != "graded":
        return [f"ungradable: {result.notes}"]
    if folder.name.startswith("correct_"):
        row = {"lost": [], "bugs": []}
    if row is None:
        return ["no row in expected.yml"]
    must, may = set(row.get("lost", [])), set(row.get("lost", [])) | set(row.get("also", []))
    if must == {"all"}:
        must = may = {c.id for c in result.checks if c.max_score}
        lost &= must
    said = {c.id: f"{c.status}: {c.message}" for c in result.checks}
    wrong += [f"should have lost {i}" for i in sorted(must - lost)]
    wrong += [f"should not have lost {i} ({said[i]})" for i in sorted(lost - may)]
    bugs, named = set(row.get("bugs", [])), set(result.bugs)
    wrong += [f"did not name {b}" for b in sorted(bugs - named)]
    wrong += [f"named {b} falsely" for b in sorted(named - bugs - set(row.get("also_bugs", [])))]
    return wrong


def check_points(result: Result) -> None:
    """Full marks where nothing is lost, and never more than the maximum."""
    assert 0 <= result.score <= result.max_score
    if all(c.status in KEPT for c in result.checks):
        assert result.score == result.max_score
