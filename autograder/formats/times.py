"""When work was handed in, told apart from the work: a table of times.

    student,submitted_at,assignment
    1234,2026-10-13T00:20:00+02:00,
    jane doe_101,2026-10-12 23:58:00+02:00,04-training-loop

Canvas and Moodle pack submissions without their times, which the late policy needs. The columns
are those of `grades.csv`, in any order, others beside them; `assignment` may be empty or missing.
A student goes by the name in `grades.csv` or by the id of the tool the work came from. A time
without an offset counts as UTC, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ..errors import InputError
from ..model import Submission
from ..text import clean
from .handback import read_table


def timed(path: Path, found: Sequence[Submission]) -> tuple[list[Submission], list[str]]:
    """The submissions with the times that the table at `path` states, and whom of the table none
    is by. Raises `InputError` with the line for a table or a time that cannot be read.
    """
    table = read_table(path)
    header = [c.strip().casefold() for c in table.rows[0]]
    if "student" not in header or "submitted_at" not in header:
        raise InputError(
            "has no columns student and submitted_at", where=path, line=1, remedy="name them so"
        )
    who, when = header.index("student"), header.index("submitted_at")
    what = header.index("assignment") if "assignment" in header else -1
    stated: dict[tuple[str, str], str] = {}
    names: dict[str, str] = {}
    for i in range(1, len(table.rows)):
        student, text = table.cell(i, who).strip(), table.cell(i, when).strip()
        if not student or not text:
            continue
        try:
            moment = datetime.fromisoformat(text).isoformat()
        except ValueError as e:
            raise InputError(
                f"'{clean(text)[:40]}' is not a time",
                where=path,
                line=i + 1,
                remedy="write it as 2026-03-01T23:59:00+01:00",
            ) from e
        stated[student.casefold(), table.cell(i, what).strip()] = moment
        names[student.casefold()] = student
    used: set[str] = set()
    now = []
    for s in found:
        called = [s.student.casefold(), str(s.origin.get("user", "")).casefold()]
        keys = [(name, of) for of in (s.assignment, "") for name in called if name]
        key = next((k for k in keys if k in stated), None)
        if key is not None:
            used.add(key[0])
            s = replace(s, submitted_at=stated[key])
        now.append(s)
    return now, [clean(names[name]) for name in names if name not in used]
