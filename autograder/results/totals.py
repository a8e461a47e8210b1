"""The rows of a class: who has which score. The one place where totals are made.

    what the checks saw        OUT/results/<student>/<assignment>.json
    + what persons decided     OUT/adjustments.json (`adjustments`)
    + lateness                 grading_config.yml, as it now stands (`lateness`)
    + the course's people      OUT/roster.csv: names, groups, and who handed in nothing (`roster`)
    = rows                     grades.csv, the pages, every export

Theory. Each of these can change by itself, at any time: a deadline is extended, a student leaves.
So a row is made anew from all of them whenever somebody asks, and whoever shows a score asks here.
What the checks saw stays in the result as they saw it (`seen`). A decision about a check comes
before lateness is taken off, one about the whole after that.
A group that hands in together has one grade, and each member a row with it. Somebody on the roster
without any work has a row, too (`missing`), which is no zero until the course's policy says so; and
never while there is work of which nobody can tell that it is not theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ..course.config import Course, instant
from ..model import Adjustment, Lateness, Result
from ..text import clean
from . import adjustments, files, lateness
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
    astray: tuple[Adjustment, ...] = ()
    """What was decided about somebody who has no row."""

    def in_section(self, section: str) -> Rows:
        """The rows of one section's students."""
        here = tuple(r for r in self.results if r.person.get("section") == section)
        return Rows(here, tuple(q for q in self.questions if q[0] in here), self.roster)

    def about(self, keys: Collection[tuple[str, str]]) -> Rows:
        """The rows of these students and assignments, with what has to be asked about them."""
        here = tuple(r for r in self.results if _key(r) in keys)
        asked = tuple(q for q in self.questions if _key(q[0]) in keys)
        return Rows(here, asked, self.roster)

    def find(self, result: Result) -> Result:
        """The row of a result; itself where there is none."""
        key = (result.student, result.assignment)
        return next((r for r in self.results if (r.student, r.assignment) == key), result)

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

    Raises `GraderError` where a result or the log of decisions is broken, `InputError` where the
    roster is.
    """
    here = files.read_results(out) if results is None else results
    made = _Class(out, course, here)
    return made.rows([made.own(r) for r in here], now or datetime.now(UTC))


def settle(out: Path, course: Course | None, now: datetime | None = None) -> Rows:
    """The rows of everything in OUT; the results there, and grades.csv, are brought up to date."""
    before = files.read_results(out)
    made = _Class(out, course, before)
    own = [made.own(r) for r in before]
    for r, after in zip(before, own, strict=True):
        after = replace(after, person={})
        if after != r:
            files.write_result(out, after)
    found = made.rows(own, now or datetime.now(UTC))
    columns = COLUMNS if found.roster is not None else ()
    files.write_table(out / "grades.csv", found.results, columns)
    return found


class _Class:
    """Everything beside a result that its row depends on."""

    def __init__(self, out: Path, course: Course | None, results: Sequence[Result]) -> None:
        self.course = course
        self.roster = roster_of(out)
        self.log = adjustments.read(out)
        here: dict[str, list[Result]] = {}
        for r in results:
            if not r.gone:  # who left is nobody's question
                here.setdefault(r.assignment, []).append(r)
        self.matched: dict[str, Matched] = {}
        if self.roster is not None:
            self.matched = {a: self.roster.match(several) for a, several in here.items()}

    def own(self, result: Result) -> Result:
        """A result with its person, with what was decided about it, and with its lateness, by the
        latest deadline of its group.
        """
        person: Person = {}
        if result.assignment in self.matched:
            person = self.matched[result.assignment].people.get(result.student, {})
        seen = replace(result.seen or result, gone=result.gone, person=person)
        return self._decided(seen, self._mates(seen))

    def _decided(self, seen: Result, names: Iterable[str]) -> Result:
        """The row of a result as the checks made it; `names` are all that its people go by."""
        names = list(names)
        decided = self.decided(seen, names)
        seen = lateness.judged(seen, self.course, names)
        raw = replace(seen, score=seen.raw_score, late=None)
        row = adjustments.on_checks(raw, decided)
        if row == raw:
            row = seen
        elif self.course is None and seen.late is not None:  # the share that was last taken off
            share = seen.late.deducted / seen.max_score if seen.max_score > 0 else 0.0
            lost = round(min(share * row.max_score, row.score), 4)
            late = replace(seen.late, raw_score=row.score, deducted=lost)
            row = replace(row, score=round(row.score - lost, 4), late=late)
        else:
            row = lateness.judged(row, self.course, names)
        row = adjustments.on_whole(row, decided)
        return row if row == seen else replace(row, seen=replace(seen, person={}))

    def decided(self, seen: Result, names: Iterable[str]) -> list[Adjustment]:
        """What was decided about a result and stands."""
        wanted = {seen.student, *names}
        return adjustments.standing(
            a for a in self.log if a.assignment == seen.assignment and a.student in wanted
        )

    def _mates(self, result: Result) -> list[str]:
        """The ids, addresses and names of all whose work a result is."""
        if not result.person or self.roster is None:
            return []
        people = [result.person]
        if _is_shared(result.assignment, self.course):
            people = self.roster.groups.get(result.person["group"], people)
        ids = {p["student_id"] for p in people}
        matched = self.matched[result.assignment].people
        called = [student for student, p in matched.items() if p["student_id"] in ids]
        return [*_ids(people), *called]

    def rows(self, own: Sequence[Result], now: datetime) -> Rows:
        """Everybody's rows, of the results with their decisions."""
        decided = [(r, self.decided(r.seen or r, self._mates(r))) for r in own]
        questions = [(r, why) for r, d in decided for why in adjustments.doubts(r.seen or r, d)]
        made = list(own)
        if self.roster is not None:
            made, more = self._with_people(own, self.roster, now)
            by_key = {_key(r): r for r in made}
            questions = [(by_key.get(_key(r), r), why) for r, why in questions] + more
        heard = {_mark(a) for _, d in decided for a in d}
        heard |= {_mark(a) for r in made for a in r.adjusted}
        everything = adjustments.by_student(self.log)
        astray = tuple(a for a in everything if _mark(a) not in heard)
        return Rows(tuple(files.in_order(made)), tuple(questions), self.roster, astray)

    def _with_people(
        self, own: Sequence[Result], roster: Roster, now: datetime
    ) -> tuple[list[Result], list[tuple[Result, str]]]:
        """The rows of those who handed in, of their groups, and of everybody else on the roster."""
        called = {r.person["student_id"]: r.student for r in own if r.person}
        made: list[Result] = []
        questions: list[tuple[Result, str]] = []
        for assignment in sorted({r.assignment for r in own}):
            here = [r for r in own if r.assignment == assignment]
            who = self.matched.get(assignment, Matched({}, {}, frozenset()))
            by_id = {r.person["student_id"]: r for r in here if r.person}
            questions += [(r, who.unknown[r.student]) for r in here if r.student in who.unknown]
            made += [r for r in here if not r.person]
            if not assignment:
                made += by_id.values()
                continue
            if _is_shared(assignment, self.course):
                questions += _share(by_id, roster, called)
            most = max((r.max_score for r in here), default=0.0)
            taken = {r.student for r in here}
            left = roster.match([r for r in here if r.gone]).people.values()
            ghosts = {p["student_id"] for p in left}  # who is asked about by that row
            for person in roster.people:
                one = person["student_id"]
                if one in by_id or one in ghosts:
                    continue
                name = called.get(one, one)
                if name in taken:  # somebody else's work is called so
                    name = f"{one} ({person['name'] or 'roster'})"
                row = Result(assignment, name, "", "missing", 0.0, most, (), person=person)
                row = self._missing(row, now, perhaps=one in who.maybe)
                by_id[one] = row
                if one in who.maybe and row.status == "missing":
                    why = "handed in nothing, unless it is what nobody on the roster is known by"
                    questions.append((row, why))
            made += by_id.values()
        return made, questions

    def _missing(self, row: Result, now: datetime, *, perhaps: bool) -> Result:
        """The row of somebody who handed in nothing: no grade, or a zero by the course's policy, or
        what a person decided.
        """
        row = _nothing(row, self.course, now, perhaps=perhaps)
        after = adjustments.on_whole(row, self.decided(row, _ids([row.person])))
        return row if after == row else replace(after, seen=row)


def _key(r: Result) -> tuple[str, str]:
    return (r.student, r.assignment)


def _mark(a: Adjustment) -> tuple[object, ...]:
    return (a.student, a.assignment, a.check, a.kind, a.points, a.reason, a.bonus, a.when)


def _ids(people: Iterable[Person]) -> list[str]:
    return [text for p in people for text in (p["student_id"], p["email"]) if text]


def _is_shared(assignment: str, course: Course | None) -> bool:
    """Whether groups hand this assignment in together."""
    return course is None or course.group_work is None or assignment in course.group_work


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


def _nothing(result: Result, course: Course | None, now: datetime, *, perhaps: bool) -> Result:
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
