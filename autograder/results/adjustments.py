"""What persons decided, over what the checks saw: OUT/adjustments.json.

    {"schema": 1, "adjustments": [
      {"student": "s1001", "assignment": "04-training-loop", "check": "zero_grad", "kind": "add",
       "points": 1.5, "reason": "…", "by": "ada", "when": "2026-10-20T09:00:00+00:00", …}]}

Theory. The file is a log: a decision is added and never changed, so who decided what, and when,
stays. What stands is read off it (`standing`): the newest points by hand, every change of points
once, every comment once, and nothing from before the newest withdrawal. So the same command twice
is the same as once. Results lie beside it as the checks made them, and `results.totals` brings the
two together whenever somebody asks for a score; a judge that changes, a class that is graded anew
and a resubmission take nothing from it. Where such a thing took the ground from a decision, it
still counts, and a person is asked to look at it (`doubts`).

A score stays between 0 and the check's maximum; only a change that was stated as a bonus may go
above it.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ..course.config import did_you_mean
from ..errors import GraderError, InputError
from ..model import OPEN, Adjustment, CheckResult, Result, Status, total
from ..text import clean, number
from .files import write_whole
from .tables import Table, read_table

NAME = "adjustments.json"
SCHEMA = 1
WHOLE = "total"
"""What the whole of a result is called, where no check has that id."""
REASON_CAP = 500
"""Characters; a sentence or three."""
NAME_CAP = 80
POINTS_CAP = 1000.0
"""No assignment is worth more; what is typed above it is a slip."""
_WAITS = (*OPEN, Status.UNGRADABLE)
"""What has no points of its own, and so takes points by hand."""
_POINTS = re.compile(r"([+-]?)(\d{1,6}(?:[.,]\d{1,4})?)")
_COLUMNS = ("student", "assignment", "check", "points", "change", "reason", "bonus", "by")


# -- the log ---------------------------------------------------------------------------------------


def read(out: Path) -> list[Adjustment]:
    """Everything that was decided in OUT, the oldest first. Raises `GraderError`."""
    path = out / NAME
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as e:
        raise _broken(path, e) from e
    try:
        if raw["schema"] != SCHEMA:
            raise ValueError(f"schema {raw['schema']}, and this version knows {SCHEMA}")
        found = [Adjustment(**one) for one in raw["adjustments"]]
        for a in found:
            texts = (a.student, a.assignment, a.check, a.reason, a.by, a.when, a.submission)
            if a.kind not in ("add", "set", "comment", "withdraw") or not all(
                isinstance(text, str) for text in texts
            ):
                raise ValueError("a record of another kind")
            if not -POINTS_CAP <= float(a.points) <= POINTS_CAP:
                raise ValueError("points out of range")
    except (KeyError, TypeError, ValueError) as e:
        raise _broken(path, e) from e
    return found


def _broken(path: Path, e: Exception) -> GraderError:
    return GraderError(
        f"cannot be read: {type(e).__name__}: {e}",
        where=path,
        remedy="put back a copy of it, or move it away: what persons decided is then gone",
    )


@contextmanager
def locked(out: Path) -> Iterator[None]:
    """Hold the log, so that two people who decide at once lose nothing; the other waits."""
    path = out / f"{NAME}.lock"
    try:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as e:
        raise InputError(
            f"cannot be written to: {e.strerror}", where=out, remedy="let it be written to"
        ) from e
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def write(out: Path, log: Iterable[Adjustment]) -> None:
    """Put the log into OUT, whole or not at all."""
    raw = {"schema": SCHEMA, "adjustments": [asdict(a) for a in log]}
    text = json.dumps(raw, indent=1, ensure_ascii=True, allow_nan=False) + "\n"
    write_whole(out / NAME, text.encode())


def _same(a: Adjustment) -> tuple[object, ...]:
    """What makes a decision the same as another: on whatever ground, by whomever."""
    if a.kind == "set":
        return (a.assignment, a.check, a.kind)
    return (a.assignment, a.check, a.kind, a.points, a.reason, a.bonus)


def standing(log: Iterable[Adjustment]) -> list[Adjustment]:
    """What of one student's log stands, the oldest first; of the same decision the newest."""
    found: dict[tuple[object, ...], Adjustment] = {}
    for a in log:
        if a.kind == "withdraw":
            found = {
                key: b
                for key, b in found.items()
                if (b.assignment, b.check) != (a.assignment, a.check)
            }
        else:
            found.pop(_same(a), None)
            found[_same(a)] = a
    return list(found.values())


def by_student(log: Sequence[Adjustment]) -> list[Adjustment]:
    """What stands, of everybody."""
    names = dict.fromkeys(a.student for a in log)
    return [a for name in names for a in standing(b for b in log if b.student == name)]


# -- what it makes of a result ---------------------------------------------------------------------


def on_checks(result: Result, decided: Sequence[Adjustment]) -> Result:
    """The result with what was decided about its checks, before any lateness."""
    checks = tuple(
        _decided(c, [a for a in decided if a.check == c.id and a.check]) for c in result.checks
    )
    if checks == result.checks:
        return result
    score, maximum, gradable = total(checks)
    return replace(
        result,
        checks=checks,
        status="graded" if gradable else "ungradable",
        score=score,
        max_score=maximum,
        late=None,
    )


def _decided(check: CheckResult, own: Sequence[Adjustment]) -> CheckResult:
    if not own:
        return check
    by_hand = [a.points for a in own if a.kind == "set"]
    if check.status in _WAITS and not by_hand:
        return replace(check, adjusted=tuple(own))
    base = by_hand[-1] if by_hand else check.score
    score = _within(base, check.max_score, own)
    status = check.status
    if by_hand or score != check.score:
        status = Status.PARTIAL if score > 0 else Status.FAILED
        status = Status.PASSED if score >= check.max_score else status
    told = "" if by_hand and check.status in _WAITS else check.message
    return replace(
        check, status=status, score=score, message=told, adjusted=tuple(own), flag=check.flag
    )


def _within(base: float, most: float, own: Sequence[Adjustment]) -> float:
    """Points after every change: from 0 to `most`, and above that what was stated as a bonus."""
    plain = base + sum(a.points for a in own if a.kind == "add" and not a.bonus)
    extra = sum(a.points for a in own if a.kind == "add" and a.bonus)
    return round(max(0.0, min(max(plain, 0.0), max(most, base)) + extra), 4)


def on_whole(result: Result, decided: Sequence[Adjustment]) -> Result:
    """The result, lateness taken off, with what was decided about the whole. Points by hand are
    what a person gives in all, and nothing is taken off them.
    """
    own = [a for a in decided if not a.check]
    if not own:
        return result
    by_hand = [a.points for a in own if a.kind == "set"]
    if result.status != "graded" and not by_hand:
        return replace(result, adjusted=tuple(own))
    late = result.late
    if by_hand and late is not None:
        late = replace(late, raw_score=by_hand[-1], deducted=0.0, message="")
    base = by_hand[-1] if by_hand else result.score
    score = _within(base, result.max_score, own)
    return replace(result, status="graded", score=score, late=late, adjusted=tuple(own))


def doubts(seen: Result, decided: Sequence[Adjustment]) -> list[str]:
    """What a person should look at again: decisions about other work, or about another finding,
    than there is now. `seen` is the result as the checks made it.
    """
    found = []
    for a in decided:
        if a.kind == "comment":
            continue
        saw, what = _seen_of(seen, a.check)
        called = a.check or WHOLE
        again = f"look again at what {a.by} decided about {called} ({a.words}): "
        if saw is None and what == "gone":
            found.append(f"{again}there is no such check any more, and it counts for nothing")
        elif a.submission != seen.submission:
            found.append(f"{again}it was about an earlier submission; it still counts")
        elif a.saw != saw:
            gave = "nothing" if a.saw is None else number(a.saw)
            now = "nothing" if saw is None else number(saw)
            found.append(f"{again}the checks gave {gave} then and give {now} now")
    return found


def _seen_of(seen: Result, check: str) -> tuple[float | None, str]:
    """The points that the checks gave; None where they gave none, and why."""
    if not check:
        return (seen.raw_score, "") if seen.status == "graded" else (None, "waits")
    one = next((c for c in seen.checks if c.id == check), None)
    if one is None:
        return None, "gone"
    return (None, "waits") if one.status in _WAITS else (one.score, "")


# -- a new decision --------------------------------------------------------------------------------


def named(text: str) -> str:
    """Somebody's name as it is kept."""
    return clean(text)[:NAME_CAP]


def who() -> str:
    """The system's user. Raises `InputError` where it does not say."""
    try:
        return named(getpass.getuser())
    except (OSError, KeyError, ImportError) as e:
        raise InputError("the system does not say who you are", remedy="say it with --by") from e


def parse(text: str) -> tuple[Literal["add", "set"], float]:
    """`+1.5` and `-1` change points, `3` gives them by hand; a comma may stand for the point.
    Raises `InputError`.
    """
    said = _POINTS.fullmatch(text.strip().replace("\u2212", "-"))
    value = float(said[2].replace(",", ".")) if said else POINTS_CAP + 1
    if said is None or value > POINTS_CAP:
        raise InputError(
            f"'{clean(text)[:40]}' are no points",
            remedy="+1.5 or -1 changes what the check gave, 3 gives points by hand",
        )
    return ("add", -value if said[1] == "-" else value) if said[1] else ("set", value)


def reason_of(text: str) -> str:
    """A reason as it is kept. Raises `InputError` where there is none."""
    reason = clean(text)
    if not reason:
        raise InputError("a decision needs a reason", remedy='say it with --reason "…"')
    if len(reason) > REASON_CAP:
        what = f"the reason has {len(reason)} characters"
        raise InputError(what, remedy=f"write at most {REASON_CAP}")
    return reason


def decide(
    rows: Iterable[Result],
    student: str,
    check: str,
    assignment: str | None,
    decision: Adjustment,
) -> tuple[Adjustment, Result]:
    """`decision`, of which student, assignment and check are still open, about the row that is
    meant; and that row. Raises `InputError` where it is not exactly one, or where it cannot be.
    """
    row, spec = _meant(list(rows), student, check, assignment)
    seen = row.seen or row
    saw, _ = _seen_of(seen, "" if spec is None else spec.id)
    made = replace(
        decision,
        student=row.person.get("student_id") or row.student,
        assignment=row.assignment,
        check="" if spec is None else spec.id,
        submission=seen.submission,
        saw=saw,
    )
    most = row.max_score if spec is None else spec.max_score
    called = f"{spec.title} ({spec.id})" if spec is not None else row.assignment
    if made.kind == "set":
        if saw is not None:
            raise InputError(
                f"{called} has {number(saw)} points by the checks",
                remedy=f"change them, with a sign: +{number(made.points)} or "
                f"-{number(made.points)}",
            )
        if made.points > most:
            raise InputError(
                f"{called} is worth {number(most)} points, and these are {number(made.points)}",
                remedy=f"give at most {number(most)}; what goes above is a change, with --bonus",
            )
    if made.kind == "add":
        _examine(made, row, spec, called, most)
    return made, row


def _examine(
    made: Adjustment, row: Result, spec: CheckResult | None, called: str, most: float
) -> None:
    """Raise `InputError` where a change of points leaves what may be, or has nothing to change."""
    waits = row.status != "graded" if spec is None else spec.status in _WAITS
    if waits:
        raise InputError(
            f"{called} has no points yet",
            remedy="give points by hand, without a sign",
        )
    if made.bonus and made.points <= 0:
        raise InputError("a bonus takes nothing away", remedy="leave --bonus out")
    there = row.adjusted if spec is None else spec.adjusted
    if any(_same(a) == _same(made) for a in there):
        return  # it stands already, or on other ground
    score = row.score if spec is None else spec.score
    now = round(score + made.points, 4)
    if now < 0:
        what = f"{called} has {number(score)} points, of which {number(-made.points)} cannot go"
        raise InputError(what, remedy=f"take at most {number(score)}")
    if now > max(most, score) and not made.bonus:
        raise InputError(
            f"{called} would have {number(now)} of {number(most)} points",
            remedy="say --bonus where it may go above the maximum",
        )


def _meant(
    rows: list[Result], student: str, check: str, assignment: str | None
) -> tuple[Result, CheckResult | None]:
    """The row and the check that are meant; no check where it is the whole."""
    wanted = student.strip().casefold()
    known = {name: r for r in rows for name in _names(r)}
    own = [r for r in rows if wanted in {name.casefold() for name in _names(r)}]
    if not own:
        near = did_you_mean(student, known)
        raise InputError(
            f"no result is of '{clean(student)}'{near}",
            remedy="name the student as in grades.csv, or by the roster's id or address",
        )
    here = [r for r in own if assignment in (None, r.assignment)]
    here = [r for r in here if not r.gone] or here
    if not here:
        has = ", ".join(r.assignment for r in own)
        what = f"'{clean(student)}' has no result of {assignment}"
        raise InputError(what, remedy=f"there is: {has}")
    fits = [(r, c) for r in here for c in r.checks if c.id == check]
    whole = [(r, None) for r in here] if check == WHOLE and not fits else []
    found: list[tuple[Result, CheckResult | None]] = [*fits, *whole]
    if not found:
        ids = list(dict.fromkeys(c.id for r in here for c in r.checks))
        raise InputError(
            f"no check is called '{clean(check)}'{did_you_mean(check, ids)}",
            remedy=f"the checks are {', '.join(ids)}; {WHOLE} is the whole"
            if ids
            else f"only {WHOLE}, the whole, can be decided here",
        )
    if len(found) > 1:
        if len({r.assignment for r, _ in found}) > 1:
            ids = sorted({r.assignment for r, _ in found})
            what, remedy = f"{clean(student)} has several", f"say which, with -a: {', '.join(ids)}"
        else:
            names = ", ".join(clean(r.student) for r, _ in found)
            what, remedy = f"'{clean(student)}' may be {names}", "name one as in grades.csv"
        raise InputError(what, remedy=remedy)
    return found[0]


def _names(r: Result) -> set[str]:
    said = (r.student, *(r.person.get(key, "") for key in ("student_id", "email", "name")))
    return {text for text in said if text}


def add(out: Path, new: Sequence[Adjustment]) -> list[bool]:
    """Put decisions into the log; for each whether it is new there. The caller holds the log."""
    log = read(out)
    fresh = []
    for a in new:
        own = [b for b in log if b.student == a.student]
        if a.kind == "withdraw":
            is_new = any((b.assignment, b.check) == (a.assignment, a.check) for b in standing(own))
        else:
            ground = {(_same(b), b.points, b.reason, b.submission, b.saw) for b in standing(own)}
            is_new = (_same(a), a.points, a.reason, a.submission, a.saw) not in ground
        if is_new:
            log.append(a)
        fresh.append(is_new)
    if any(fresh):
        write(out, log)
    return fresh


def now() -> str:
    """The time, as it is kept: ISO 8601, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


# -- a file of them --------------------------------------------------------------------------------


def from_table(
    path: Path, rows: Iterable[Result], by: str, when: str
) -> list[tuple[Adjustment, Result]]:
    """The decisions of a CSV, about these rows; every line is good, or none counts.

    Columns: `student`, `check`, `reason`; `points` (by hand, or with a sign a change), or `change`,
    where a spreadsheet may have eaten the plus; neither for a comment; `assignment`, `bonus` (yes)
    and `by` where they are needed. Raises `InputError` with line and column.
    """
    table = read_table(path)
    header = [clean(cell).strip().casefold() for cell in table.rows[0]]
    for name in ("student", "check", "reason"):
        if name not in header:
            near = did_you_mean(name, header)
            raise InputError(
                f"has no column {name}{near}",
                where=path,
                line=1,
                remedy=f"the columns are {', '.join(_COLUMNS)}",
            )
    unknown = [name for name in header if name and name not in _COLUMNS]
    twice = [name for name in header if name and header.count(name) > 1]
    if unknown or twice:
        name = (unknown or twice)[0]
        what = f"has a column '{name}'" if unknown else f"names the column {name} twice"
        raise InputError(what, where=path, line=1, remedy=f"the columns are {', '.join(_COLUMNS)}")
    everybody = list(rows)
    made = [
        _line(table, i, header, everybody, path, by, when)
        for i in range(1, len(table.rows))
        if any(text.strip() for text in table.rows[i])
    ]
    if not made:
        raise InputError("decides nothing", where=path, remedy="write a line for each decision")
    return made


def _line(
    table: Table,
    i: int,
    header: Sequence[str],
    rows: list[Result],
    path: Path,
    by: str,
    when: str,
) -> tuple[Adjustment, Result]:
    cells = {name: table.cell(i, column).strip() for column, name in enumerate(header) if name}
    column = "student"
    try:
        if len(table.rows[i]) > len(header):
            what = f"has {len(table.rows[i])} cells, and the header {len(header)}"
            column = "reason"
            raise InputError(what, remedy="put what holds a comma in quotes")
        column = "reason"
        reason = reason_of(cells["reason"])
        points, change = cells.get("points", ""), cells.get("change", "")
        column = "change"
        if points and change:
            raise InputError("points by hand and a change", remedy="write one of the two")
        kind: Literal["add", "set", "comment"] = "comment"
        value = 0.0
        if change:
            value, kind = parse(change)[1], "add"
        column = "points"
        if points:
            kind, value = parse(points)
        column = "bonus"
        said = cells.get("bonus", "").casefold()
        if said not in ("", "yes", "no"):
            raise InputError(
                f"'{clean(said)[:40]}' is neither yes nor no", remedy="write yes or no"
            )
        column = "student, check, points"
        whose = named(cells.get("by", "")) or by
        decision = Adjustment("", "", "", kind, value, reason, whose, when, bonus=said == "yes")
        meant = cells.get("assignment") or None
        return decide(rows, cells["student"], cells["check"], meant, decision)
    except InputError as e:
        raise InputError(
            f"column {column}: {e.what}", where=path, line=table.line(i), remedy=e.remedy
        ) from e
