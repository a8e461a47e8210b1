"""The rows of a class: who has which score. The one place where totals are made.

    what the checks saw        OUT/results/<student>/<assignment>.json
    + lateness                 grading_config.yml, as it now stands (`lateness`)
    + the course's people      OUT/roster.csv: names, groups, and who handed in nothing (`roster`)
    = rows                     grades.csv, the pages, every export

Theory. Each of these can change by itself, at any time: a deadline is extended, a student leaves.
So a row is made anew from all of them whenever somebody asks, and whoever shows a score asks here.
A group that hands in together has one grade, and each member a row with it. Somebody on the roster
without any work has a row, too (`missing`), which is no zero until the course's policy says so; and
never while there is work of which nobody can tell that it is not theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..course.config import Course, instant
from ..model import Lateness, Result
from ..text import clean
from . import files, lateness
from .roster import COLUMNS, Matched, Person, Roster
from .roster import of as roster_of


@dataclass(frozen=True)
class Rows:
    """The rows of a class, in order, and the questions that a person has to answer about some of
    them, each with its reason.
    """

    results: tuple[Result, ...]
    questions: tuple[tuple[Result, str], ...] = ()
    roster: Roster | None = None

    def in_section(self, section: str) -> Rows:
        """The rows of one section's students."""
        here = tuple(r for r in self.results if r.person.get("section") == section)
        return Rows(here, tuple(q for q in self.questions if q[0] in here), self.roster)

    def of(self, result: Result) -> list[str]:
        """The questions about one row."""
        return [why for about, why in self.questions if about == result]


def rows(
    out: Path,
    course: Course | None,
    results: Sequence[Result] | None = None,
    now: datetime | None = None,
) -> Rows:
    """The rows of everything in OUT. `results` are what lies there, where they have been read.

    Raises `GraderError` where a result is broken, `InputError` where the roster is.
    """
    roster = roster_of(out)
    here = files.read_results(out) if results is None else results
    matched = _matched(here, roster)
    own = [_own(r, course, roster, matched) for r in here]
    if roster is None:
        return Rows(tuple(files.in_order(own)))
    return _with_people(own, course, roster, matched, now or datetime.now(UTC))


def settle(out: Path, course: Course | None, now: datetime | None = None) -> Rows:
    """The rows of everything in OUT; the results there, and grades.csv, are brought up to date."""
    before = files.read_results(out)
    roster = roster_of(out)
    matched = _matched(before, roster)
    for r in before:
        after = replace(_own(r, course, roster, matched), person={})
        if after != r:
            files.write_result(out, after)
    found = rows(out, course, before, now)
    files.write_table(out / "grades.csv", found.results, COLUMNS if roster is not None else ())
    return found


def _matched(results: Iterable[Result], roster: Roster | None) -> dict[str, Matched]:
    """Who is who, by assignment. Who left is nobody's question."""
    if roster is None:
        return {}
    here: dict[str, list[Result]] = {}
    for r in results:
        if not r.gone:
            here.setdefault(r.assignment, []).append(r)
    return {assignment: roster.match(several) for assignment, several in here.items()}


def _own(
    result: Result, course: Course | None, roster: Roster | None, matched: Mapping[str, Matched]
) -> Result:
    """A result with its person and its lateness, by the latest deadline of its group."""
    person: Person = {}
    if result.assignment in matched:
        person = matched[result.assignment].people.get(result.student, {})
    names = _ids([person] if person else [])
    if person and roster is not None and _is_shared(result.assignment, course):
        names = _ids(roster.groups.get(person["group"], [person]))
    return lateness.judged(replace(result, person=person), course, names)


def _ids(people: Iterable[Person]) -> list[str]:
    return [text for p in people for text in (p["student_id"], p["email"]) if text]


def _is_shared(assignment: str, course: Course | None) -> bool:
    """Whether groups hand this assignment in together."""
    return course is None or course.group_work is None or assignment in course.group_work


def _with_people(
    own: Sequence[Result],
    course: Course | None,
    roster: Roster,
    matched: Mapping[str, Matched],
    now: datetime,
) -> Rows:
    """The rows of those who handed in, of their groups, and of everybody else on the roster."""
    called = {r.person["student_id"]: r.student for r in own if r.person}
    made: list[Result] = []
    questions: list[tuple[Result, str]] = []
    for assignment in sorted({r.assignment for r in own}):
        here = [r for r in own if r.assignment == assignment]
        who = matched.get(assignment, Matched({}, {}, frozenset()))
        by_id = {r.person["student_id"]: r for r in here if r.person}
        questions += [(r, who.unknown[r.student]) for r in here if r.student in who.unknown]
        made += [r for r in here if not r.person]
        if not assignment:
            made += by_id.values()
            continue
        if _is_shared(assignment, course):
            questions += _share(by_id, roster, called)
        taken = {r.student for r in here}
        for person in roster.people:
            one = person["student_id"]
            if one not in by_id:
                most = max((r.max_score for r in here), default=0.0)
                name = called.get(one, one)
                if name in taken:  # somebody else's work is called so
                    name = f"{one} ({person['name'] or 'roster'})"
                missing = Result(assignment, name, "", "missing", 0.0, most, (), person=person)
                perhaps = one in who.maybe
                by_id[one] = _missing(missing, course, now, perhaps=perhaps)
                if perhaps:
                    why = "handed in nothing, unless it is what nobody on the roster is known by"
                    questions.append((by_id[one], why))
        made += by_id.values()
    return Rows(tuple(files.in_order(made)), tuple(questions), roster)


def _share(
    by_id: dict[str, Result], roster: Roster, called: Mapping[str, str]
) -> list[tuple[Result, str]]:
    """Give every member of a group its one grade, in place; returns what a person must decide."""
    questions = []
    for group, members in roster.groups.items():
        handed = [r for p in members if (r := by_id.get(p["student_id"])) is not None]
        if not handed:
            continue
        counts, several = _of_the_group(handed)
        if counts is None:
            names = ", ".join(clean(r.student) for r in handed)
            why = f"{group} handed in different work, and no time tells which counts: {names}"
            questions += [(r, why) for r in handed]
            continue
        told = f"the work of {group}, handed in by {clean(counts.student)}"
        told += f"; the newest of {several} counts" if several > 1 else ""
        for p in members:
            before = by_id.get(p["student_id"])
            name = called.get(p["student_id"], p["student_id"])
            by_id[p["student_id"]] = replace(
                counts,
                student=name if before is None else before.student,
                person=p,
                owner=counts.student,
                origin={} if before is None else before.origin,
                notes=(*counts.notes, told),
            )
    return questions


def _of_the_group(handed: Sequence[Result]) -> tuple[Result | None, int]:
    """The work that counts of what a group's members handed in, and of how many it is; what could
    not be graded gives way. None where they differ and no time tells which is the newest.
    """
    graded = [r for r in handed if r.status == "graded"] or list(handed)
    works = {r.submission: r for r in reversed(graded)}
    if len(works) == 1:
        return graded[0], 1
    times = {r.submission: r.submitted_at for r in graded}
    try:
        newest = sorted(works, key=lambda digest: instant(times[digest]))
    except ValueError:  # one of them has no time
        return None, len(works)
    if instant(times[newest[-1]]) == instant(times[newest[-2]]):
        return None, len(works)
    return works[newest[-1]], len(works)


def _missing(result: Result, course: Course | None, now: datetime, *, perhaps: bool) -> Result:
    """The row of somebody who handed in nothing: no grade, or a zero by the course's policy."""
    due = None
    if course is not None:
        due = lateness.deadline(course, result.assignment, [result.student, *_ids([result.person])])
    if course is None or due is None:
        return replace(result, notes=("nothing was handed in",))
    days = course.late.zero_after_days
    said = f"nothing was handed in; it was due {due}"
    if instant(due) >= now:
        said = f"nothing was handed in yet; it is due {due}"
    zero = days is not None and now > instant(due) + timedelta(days=days) and not perhaps
    if not zero:
        return replace(result, notes=(said,))
    late = Lateness(0.0, late=True, due=due, message=f"{said}, and counts as zero")
    return replace(result, late=late, notes=(late.message,))
