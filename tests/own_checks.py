"""A small assignment that exists for one test: its folder, a reference, and students' programs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from autograder.checks import own
from autograder.checks.judge import World, judge, validate
from autograder.course import config
from autograder.model import CheckResult, Evidence, LoadReport, ProbeRequest
from tests.harness import ForkedRun

HEAD = "import math\nimport numpy as np\nimport torch\nfrom torch import nn\n"


class Lab:
    """An assignment `t` in `folder`, whose checks are asked of programs without a box."""

    def __init__(self, folder: Path, reference: str = "", **files: str) -> None:
        self.folder = folder
        self.reference = HEAD + textwrap.dedent(reference)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(text))

    def assignment(self, *checks: Mapping[str, Any]) -> config.Assignment:
        """The assignment with these checks, read from its file and looked through."""
        rows = [
            {"id": f"c{i}", "title": f"C{i}", "task": 1, "points": 2} for i in range(len(checks))
        ]
        raw = {
            "id": "t",
            "title": "T",
            "version": 1,
            "module": "m",
            "checks": [{**row, **one} for row, one in zip(rows, checks, strict=True)],
        }
        path = self.folder / "assignment.yml"
        path.write_text(yaml.safe_dump(raw))
        config.assignment.cache_clear()
        found = config.assignment(path)
        validate(found, path)
        return found

    def ask(self, program: str, *checks: Mapping[str, Any]) -> list[CheckResult]:
        """What the checks say of a program."""
        assignment = self.assignment(*checks)
        probes = own.probes(assignment)
        world = World(assignment, reference=_answers(self.reference, probes))
        found = judge(world, LoadReport("done"), _answers(HEAD + textwrap.dedent(program), probes))
        return list(found)

    def one(self, program: str, check: Mapping[str, Any]) -> CheckResult:
        """What a single check says."""
        (found,) = self.ask(program, check)
        return found


def _answers(source: str, probes: str) -> Any:
    run = ForkedRun("script", "m.py", [source])
    run.probes = probes
    known: dict[str, Evidence] = {}

    def ask(request: ProbeRequest) -> Evidence:
        if request.digest not in known:
            known[request.digest] = run.ask(request)
        return known[request.digest]

    return ask


def outline(found: CheckResult) -> tuple[str, Sequence[str]]:
    """Its status, and the bugs that it names."""
    return str(found.status), list(found.bugs)
