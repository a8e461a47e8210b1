"""The program that each result is of, kept so that a page can show the lines it speaks of.

    OUT/programs/<student>/<assignment>.json    the submission's digest, and its program

Theory. It is shown, never run, and only beside a result of the very same submission. What is not
there, or is no program of ours, shows nothing and costs nobody a page.
"""

from __future__ import annotations

import json
from pathlib import Path

from ..model import Program, Submission
from ..text import slug
from .files import UNKNOWN, write_whole

CAP = 2 << 20
"""Bytes up to which a program is kept: no one writes more by hand."""


def path_of(out: Path, student: str, assignment: str) -> Path:
    """Where the program of a student's assignment lies."""
    return out / "programs" / slug(student) / f"{assignment or UNKNOWN}.json"


def write(out: Path, s: Submission) -> None:
    """Keep the program of a submission that was graded, in place of an older one."""
    kept = {"submission": s.digest, "kind": s.program.kind, "main": s.program.main}
    raw = json.dumps({**kept, "cells": list(s.program.cells)}).encode()
    path = path_of(out, s.student, s.assignment)
    if len(raw) > CAP:
        path.unlink(missing_ok=True)
    elif not path.is_file() or path.read_bytes() != raw:
        write_whole(path, raw)


def read(out: Path, student: str, assignment: str, submission: str) -> Program | None:
    """The program of exactly this `submission`; None where it was not kept."""
    try:
        raw = json.loads(path_of(out, student, assignment).read_bytes())
        if raw["submission"] != submission or raw["kind"] not in ("script", "notebook"):
            return None
        return Program(raw["kind"], str(raw["main"]), tuple(map(str, raw["cells"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
