"""The late policy: from the time of a submission to points, and to words about it.

    deadline   the assignment's due time, or the student's extension where that is later
    late       submission - deadline > grace
    days       the days begun between deadline and submission, of 24 hours each
    deducted   min(days * per_day, cap) * max_score, and never more than the score

Theory. Times are compared as instants: an offset is part of a time, so that a change to or
from daylight saving time moves nobody's deadline, and a day is 24 hours on every date. A time
without an offset is one of the course's `timezone`, else UTC. Grace is forbearance and not an
extension: who comes within it loses nothing, who comes after it is charged from the deadline on.
Where the time is not known, nothing is deducted, though the tool it came from may have marked it
late. What could not be graded has no points to lose and stays `ungradable`.

`judged` starts from the score before any deduction, so it may be applied again and again: after
an extension was granted, `autograder report OUT` gives the points back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from ..course.config import Course, LatePolicy, instant
from ..model import Lateness, Result
from ..text import points

DAY = timedelta(days=1)


def deadline(course: Course, assignment: str, names: Iterable[str]) -> str | None:
    """When the work of a student known by `names` was due, as it is written in the config;
    None where the assignment has no due time.
    """
    due = course.due.get(assignment)
    if due is None:
        return None
    granted = course.late.extensions.get(assignment, {})
    own = [granted[name] for name in names if name in granted]
    return max((_whole(text, course.zone) for text in [due, *own]), key=instant)


def _whole(text: str, zone: tzinfo | None) -> str:
    """A time as it is written, with the offset of `zone` where it states none."""
    stated = zone is None or datetime.fromisoformat(text).tzinfo is not None
    return text if stated else instant(text, zone).isoformat()


def days_begun(after: timedelta) -> int:
    """How many days of 24 hours have begun `after` the deadline; 0 at or before it."""
    return max(0, math.ceil(after / DAY))


def deduction(after: timedelta, max_score: float, policy: LatePolicy) -> float:
    """The points that being late by `after` costs, of a score of which `max_score` is full."""
    if after <= timedelta(minutes=policy.grace_minutes):
        return 0.0
    return round(min(days_begun(after) * policy.per_day, policy.cap) * max_score, 4)


def judged(result: Result, course: Course | None, names: Iterable[str] = ()) -> Result:
    """`result` with its lateness and with what that costs taken off its score. An extension may
    also go by one of `names`.
    """
    if course is None:
        return result
    raw = result.raw_score
    due = deadline(course, result.assignment, [*_names(result), *names])
    try:
        when = instant(result.submitted_at, course.zone) if result.submitted_at else None
    except ValueError:
        when = None
    if due is None or when is None:
        return replace(result, score=raw, late=_unknown(result, raw))
    after = when - instant(due)
    late = after > timedelta(minutes=course.late.grace_minutes)
    graded = result.status == "graded"
    lost = min(deduction(after, result.max_score, course.late), max(raw, 0.0)) if graded else 0.0
    lateness = Lateness(
        raw_score=raw,
        late=late,
        due=due,
        after_s=round(after.total_seconds()),
        days=days_begun(after) if late else 0,
        deducted=lost,
    )
    message = _words(lateness, result.max_score, course.late)
    return replace(result, score=round(raw - lost, 4), late=replace(lateness, message=message))


def _names(result: Result) -> list[str]:
    """What an extension may call this student: the name, or an id of the tool it came from."""
    known = [result.origin.get("user", ""), *result.origin.get("emails", [])]
    return [result.student, *(str(name) for name in known if name)]


def _unknown(result: Result, raw: float) -> Lateness | None:
    """Lateness where the times do not tell: what the tool it came from said, if it spoke."""
    if not result.origin.get("late"):
        return None
    message = "marked late where it was handed in; when it came is not known, so no points are off"
    return Lateness(raw_score=raw, late=True, message=message)


def _words(lateness: Lateness, max_score: float, policy: LatePolicy) -> str:
    if not lateness.late:
        return ""
    hours, minutes = divmod(lateness.after_s // 60, 60)
    days, hours = divmod(hours, 24)
    spans = ((days, "day"), (hours, "hour"), (minutes, "minute"))
    span = " ".join(f"{n} {unit}{'s' * (n != 1)}" for n, unit in spans if n)
    said = f"handed in {span or 'less than a minute'} after {lateness.due}"
    if not policy.per_day:
        return said
    begun = f"{lateness.days} day{'s' * (lateness.days != 1)} begun"
    rate = f"{100 * policy.per_day:g} % of {points(max_score)} a day"
    most = f", at most {100 * policy.cap:g} %" if policy.cap < 1 else ""
    return f"{said}: {points(lateness.deducted)} points off ({begun}, {rate}{most})"
