"""Functions of assignment 08 put to its checks, each in place of the reference's own."""

from __future__ import annotations

import textwrap
from functools import lru_cache

from autograder.authoring.master import reference
from autograder.course import config
from autograder.model import CheckResult
from tests.harness import ROOT, ForkedRun, judge_program

ID = "08-schedule-and-resume"
SPEC = config.assignment(ROOT / "assignments" / ID / "assignment.yml")
REFERENCE = reference(ROOT / "source" / ID, SPEC, "script").text


def task(*names: str) -> tuple[str, ...]:
    """The ids of the checks that begin with one of `names`."""
    return tuple(c.id for c in SPEC.checks if c.id.startswith(names))


@lru_cache(maxsize=256)
def results(source: str, *checks: str) -> dict[str, CheckResult]:
    """What the named checks say of the reference with `source` run after it, by check id."""
    program = REFERENCE + "\n\n" + textwrap.dedent(source)
    run = ForkedRun("script", f"{SPEC.module}.py", [program])
    return judge_program(SPEC, run, list(checks))


def lost(source: str, *checks: str) -> dict[str, tuple[str, ...]]:
    """The named checks that are not passed, with the bugs they name."""
    found = results(source, *checks)
    return {k: r.bugs for k, r in found.items() if r.status != "passed"}


def report(source: str, *checks: str) -> dict[str, tuple[str, tuple[str, ...], str]]:
    """Status, bugs and message of the named checks: what a red test wants to show."""
    found = results(source, *checks)
    return {k: (str(r.status), r.bugs, r.message) for k, r in found.items()}
