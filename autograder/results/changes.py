"""What a regrading changed: before, after and why, check by check, as OUT/regrades/<time>.csv.

Theory. No grade changes in silence. So the list is made of what the rows were and what they will
be, and is written before the first result is; a regrading that dies in between leaves the whole
list, and the next one only what is still to be changed. A list is never overwritten, and where
nothing changes there is none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ..model import CheckResult, Result
from ..text import cell
from .files import summary, write_whole
from .totals import Rows

FOLDER = "regrades"
COLUMNS = (
    "student", "assignment", "check", "title", "before", "after", "max_score",
    "status_before", "status_after", "bugs_before", "bugs_after", "why_before", "why_after",
)  # fmt: skip


@dataclass(frozen=True)
class Side:
    """One check, or the whole, as it was or as it is. No score where it has none."""

    score: float | None
    max_score: float
    status: str
    bugs: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Change:
    """What changed of one student's check, or (`check` "") of the whole; None on the side on which
    there is no such check.
    """

    student: str
    assignment: str
    check: str
    title: str
    before: Side | None
    after: Side | None


def between(before: Rows, after: Rows) -> list[Change]:
    """Every difference, in the order of the rows: of the whole first, then check by check."""
    was = {(r.student, r.assignment): r for r in before.results}
    found = []
    for new in after.results:
        old = was.get((new.student, new.assignment))
        if old is not None and old != new:
            found += _of(old, new)
    return found


def _of(old: Result, new: Result) -> list[Change]:
    def change(check: str, title: str, a: Side | None, b: Side | None) -> list[Change]:
        return [] if a == b else [Change(new.student, new.assignment, check, title, a, b)]

    found = change("", "", _whole(old), _whole(new))
    was, now = ({c.id: c for c in r.checks} for r in (old, new))
    for name in [*now, *(i for i in was if i not in now)]:
        title = (now.get(name) or was[name]).title
        found += change(name, title, _side(was.get(name)), _side(now.get(name)))
    return found


def _whole(r: Result) -> Side:
    why = "" if r.status == "graded" else summary(r)
    return Side(r.score if r.scored else None, r.max_score, r.status, r.bugs, why)


def _side(c: CheckResult | None) -> Side | None:
    return None if c is None else Side(c.score, c.max_score, str(c.status), c.bugs, c.message)


def stamp() -> str:
    """The time as the name of a list: `2026-10-20T090000.123456Z`."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H%M%S.%fZ")


def table(changes: Iterable[Change]) -> bytes:
    """The list as a CSV; no cell runs as a formula."""
    text = io.StringIO()
    made = csv.writer(text, lineterminator="\n")
    made.writerow(COLUMNS)
    for c in changes:
        nothing = Side(None, 0.0, "")
        a, b = c.before or nothing, c.after or nothing
        most = (c.after or a).max_score
        cells: list[object] = [c.student, c.assignment, c.check or "total", c.title]
        cells += [a.score, b.score, most, a.status, b.status]
        cells += [";".join(a.bugs), ";".join(b.bugs), a.why, b.why]
        made.writerow(map(cell, cells))
    return text.getvalue().encode()


def write(out: Path, name: str, changes: Sequence[Change]) -> Path:
    """Write the list; returns its path."""
    path = out / FOLDER / f"{name}.csv"
    write_whole(path, table(changes))
    return path
