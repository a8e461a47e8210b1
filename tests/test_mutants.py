"""With any one judge switched off, a sample no longer gets its verdict.

For each assignment the fewest samples are graded whose rows of `expected.yml` together lose every
check. Then each check's judge in turn is made to pass everything, the kept evidence is judged
again, and some sample must come out wrong; else nothing would notice that judge's loss.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from autograder import checks
from autograder.course import config
from autograder.grading.grader import regrade
from autograder.intake.collect import collect
from autograder.model import Graded, Outcome
from tests.samples import ROOT, QuickGrader, expected, problems

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
COURSE = config.course(ROOT).assignments


def loses(assignment: str) -> dict[str, set[str]]:
    """Per sample: the checks that its row says it must lose, one by one or all of them."""
    return {name: set(row.get("lost", [])) for name, row in expected(assignment).items()}


def fewest(wanted: set[str], rows: dict[str, set[str]]) -> list[str]:
    """Samples that together lose every wanted check, the most telling first.

    A sample with a bug that loses just what it should comes before one that loses everything.
    """
    chosen: list[str] = []
    exact = {n: lost for n, lost in rows.items() if "all" not in lost and n.startswith("bug_")}
    while wanted:
        best = max(sorted(exact), key=lambda n: len(exact[n] & wanted))
        if not exact[best] & wanted:
            nothing = [n for n in sorted(rows) if "all" in rows[n]]
            assert nothing, f"no sample loses {sorted(wanted)}"
            return [*chosen, *nothing[:2]]
        chosen.append(best)
        wanted = wanted - exact[best]
    return chosen


@pytest.mark.parametrize("assignment", COURSE)
def test_every_judge_is_missed(assignment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = loses(assignment)
    kept: dict[str, Graded] = {}
    with QuickGrader(ROOT) as grader:
        spec = grader.assignment(assignment)
        world = grader.world(assignment)
        for name in fewest({c.id for c in spec.checks if c.points}, rows):
            folder = ROOT / "assignments" / assignment / "submissions" / name
            (submission,), _ = collect([folder], assignment, {spec.id: spec.module})
            kept[name] = grader.grade(submission)

    def wrong() -> list[str]:
        found = []
        for name, graded in kept.items():
            result = regrade(
                world,
                graded.result.submission,
                name,
                graded.load,
                graded.evidence,
                environment=graded.result.environment,
            )
            row = expected(assignment)[name]
            found += [f"{name}: {p}" for p in problems(result, Path(name), row)]
        return found

    assert wrong() == []
    registry = dict(checks.registry())
    unnoticed = []
    for use in sorted({c.use for c in spec.checks if c.points}):
        blind = dataclasses.replace(registry[use], judge=lambda ctx, evidence: Outcome.passed())
        with monkeypatch.context() as patch:
            patch.setattr(
                "autograder.checks.judge.registry", lambda b=blind: {**registry, b.name: b}
            )
            if not wrong():
                unnoticed.append(use)
    assert unnoticed == []
