"""What one student reads of one piece of work: the same view for a page, a comment and a terminal.

    mend        what costs points, one entry for each cause, in the order in which to mend it
    waiting     checks that nobody can look at before something else is mended
    also        what was seen and costs nothing
    loops       the five beats of the student's loops (`beats`)
    runs        what functions of theirs returned, call by call; the accuracies with their bands
    tasks       every check in its place
    sums        how the points add up, with the checks that the course does not show

Theory. One cause often costs several checks, so what the judges named alike, or said in the same
words, is told once. First comes what other checks rest on, then what wins most.

What a student sees of hidden checks is the course's `feedback.hidden`: `full`, `title` (the verdict
without message, bugs and help) or `none` (only how many points they gave). Whatever rests on the
evidence of hidden checks (beats, what functions returned) is shown in `full` only.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..course.config import Course
from ..errors import GraderError
from ..model import (
    OPEN,
    CheckResult,
    ErrorInfo,
    Json,
    LoadReport,
    Program,
    Result,
    Status,
    Visibility,
)
from ..results import files, programs
from ..results.store import Attempt, Attempts
from ..text import clean, number, points
from . import beats, source
from .source import Excerpt

MESSAGE_CAP, LINES_CAP = 2_000, 6
"""Characters of a message; messages of one cause."""
ERRORS_SHOWN = 10
_LOST = (Status.FAILED, Status.PARTIAL, Status.ERROR, Status.TIMEOUT, Status.MEMORY)
_RESTS = re.compile("rests on “(.*)”$")
"""How `checks/judge.py` says which check another rests on."""
_BAND = re.compile(r"full marks from (\d+(?:\.\d+)?)%(?:, none up to (\d+(?:\.\d+)?)%)?")
"""How `checks/accuracy.py` says its threshold and its floor."""
TOOLS = {"canvas": "in Canvas", "moodle": "in Moodle", "gradescope": "in Gradescope"}


@dataclass(frozen=True)
class Said:
    """One message: of which checks, by title and id, and the lines of the program that it speaks
    of, if any.
    """

    text: str
    titles: tuple[str, ...]
    checks: tuple[str, ...]
    code: Excerpt | None = None


@dataclass(frozen=True)
class Cause:
    """One thing to mend. `wins` points, and `opens` so many more whose checks rest on it; `silent`
    where the course tells the verdict and nothing else.
    """

    title: str
    more: int
    status: Status
    wins: float
    opens: float
    bugs: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    help: str = ""
    silent: bool = False
    checks: tuple[str, ...] = ()
    """The ids of its checks."""


@dataclass(frozen=True)
class Curve:
    """What a function of the program's returned, call by call."""

    function: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Accuracy:
    """An accuracy that was measured, in [0, 1], with the band in which points begin to count:
    from `floor` (None where it was not said) to `threshold`.
    """

    title: str
    value: float
    threshold: float
    floor: float | None


@dataclass(frozen=True)
class Task:
    """The checks of one task, 0 for the whole program."""

    number: int
    checks: tuple[CheckResult, ...]

    @property
    def name(self) -> str:
        return f"Task {self.number}" if self.number else "The whole program"

    @property
    def score(self) -> float:
        return sum(c.score for c in self.checks if c.status not in OPEN)

    @property
    def max_score(self) -> float:
        return sum(c.max_score for c in self.checks if c.status not in OPEN)


@dataclass(frozen=True)
class Work:
    """One assignment as its student may see it."""

    result: Result
    mend: tuple[Cause, ...] = ()
    waiting: tuple[CheckResult, ...] = ()
    also: tuple[Said, ...] = ()
    loops: tuple[beats.Loop, ...] = ()
    curves: tuple[Curve, ...] = ()
    accuracies: tuple[Accuracy, ...] = ()
    tasks: tuple[Task, ...] = ()
    by_person: tuple[CheckResult, ...] = ()
    """The checks that a person reads."""
    sums: tuple[tuple[str, str], ...] = ()
    """(what, points in words), which add up to the score."""
    away: tuple[CheckResult, ...] = ()
    """The checks that are not shown."""
    errors: tuple[tuple[ErrorInfo, Excerpt | None], ...] = ()
    again: str = ""
    """How to hand in again; "" where nothing is to be won."""


@dataclass(frozen=True)
class Seen:
    """What lies beside a result: how the run went, the evidence's data, the program."""

    load: LoadReport | None = None
    evidence: tuple[Mapping[str, Json], ...] = ()
    program: Program | None = None


@dataclass(frozen=True)
class Look:
    """A piece of work with all that is told of it: `attempts` are the student's works of this
    assignment that were graded here, the oldest first; `notes` what could not be shown.
    """

    work: Work
    load: LoadReport | None = None
    attempts: tuple[Attempt, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Group:
    checks: list[CheckResult] = field(default_factory=list)
    opens: float = 0.0


def look(out: Path, r: Result, course: Course | None, past: Attempts) -> Look:
    """What the student of `r` may read of what `out` holds; `past` are all attempts made there."""
    owner = r.owner or r.student
    folder = files.evidence_folder(out, owner, r.assignment)
    attempts = tuple(past.get((owner, r.assignment), ()))
    try:
        load = files.read_load(folder)
        full = course is None or course.feedback.hidden == "full"
        kept = tuple(files.loop_data(folder)) if full else ()
    except GraderError as e:  # one torn file costs nobody else a page
        told = f"what the program printed cannot be shown: {e.what}"
        return Look(work(r, Seen(), course), None, attempts, (told,))
    program = programs.read(out, owner, r.assignment, r.submission)
    return Look(work(r, Seen(load, kept, program), course), load, attempts)


def work(r: Result, seen: Seen, course: Course | None) -> Work:
    """What the student of `r` may read of it."""
    hidden = course.feedback.hidden if course is not None else "full"
    shown = [c for c in r.checks if hidden != "none" or c.visibility is Visibility.PUBLIC]
    away = tuple(c for c in r.checks if c not in shown)
    told = [c if _tells(c, hidden) else _silenced(c) for c in shown]
    read = tuple(c for c in told if c.status is Status.BY_HAND or c.rubric)
    mend = _causes([c for c in told if c not in read], hidden, seen)
    full = hidden == "full"
    bugs = {bug for c in told for bug in c.bugs}
    return Work(
        r,
        mend=mend,
        waiting=tuple(c for c in told if c.status is Status.NOT_CHECKED),
        also=(*_also(told, seen.program), *(_own_run(r, seen.program) if full else ())),
        loops=tuple(beats.loops(seen.evidence, bugs)) if full else (),
        curves=tuple(_curves(seen.evidence)) if full else (),
        accuracies=tuple(accuracies_of(told)),
        tasks=tasks_of(told),
        by_person=read,
        sums=_sums(r, told, away),
        away=away,
        errors=_errors(seen),
        again=_again(r, course) if mend or _refused(r) else "",
    )


def _tells(c: CheckResult, hidden: str) -> bool:
    return hidden == "full" or c.visibility is Visibility.PUBLIC


def _silenced(c: CheckResult) -> CheckResult:
    """A check of which the course tells the verdict alone."""
    message = c.message if c.status is Status.NOT_CHECKED and _RESTS.search(c.message) else ""
    return replace(c, message=message, help="", bugs=(), rubric=(), answer="", flag="", value=None)


def shortened(text: str, cap: int = MESSAGE_CAP) -> str:
    """`text`, cleaned, on one line; where it is longer than `cap`, up to the end of a word, and it
    is said that more followed.
    """
    text = clean(text)
    if len(text) <= cap:
        return text
    head = text[:cap].rsplit(" ", 1)[0]
    return f"{head} … ({len(text) - len(head):,} more characters)"


# -- what to mend ------------------------------------------------------------------------------


def _causes(checks: Sequence[CheckResult], hidden: str, seen: Seen) -> tuple[Cause, ...]:
    """One entry for each cause, in the order in which to mend them."""
    groups: dict[object, _Group] = {}
    of: dict[str, _Group] = {}
    for c in checks:
        if c.status not in _LOST or c.max_score <= 0 or c.score >= c.max_score:
            continue
        key: object = c.bugs or c.message or c.id
        group = groups.setdefault(key, _Group())
        group.checks.append(c)
        of[c.title] = group
    for c in checks:
        rests = _RESTS.search(c.message) if c.status is Status.NOT_CHECKED else None
        if rests is not None and rests[1] in of:
            of[c.title] = of[rests[1]]
            of[c.title].opens += c.max_score
    found = [_cause(g, hidden, seen.program) for g in groups.values()]
    return tuple(sorted(found, key=lambda c: (c.opens <= 0, -c.wins - c.opens)))


def _cause(group: _Group, hidden: str, program: Program | None) -> Cause:
    first = group.checks[0]
    helps = dict.fromkeys(clean(c.help) for c in group.checks if c.help)
    return Cause(
        title=clean(first.title),
        more=len(group.checks) - 1,
        status=first.status,
        wins=sum(c.max_score - c.score for c in group.checks),
        opens=group.opens,
        bugs=tuple(clean(b) for b in first.bugs),
        said=_said(group.checks, program),
        help="\n\n".join(helps),
        silent=not _tells(first, hidden),
        checks=tuple(c.id for c in group.checks),
    )


def _said(checks: Iterable[CheckResult], program: Program | None) -> tuple[Said, ...]:
    """What is said of checks, each message once, with the lines that it speaks of."""
    told: dict[str, list[CheckResult]] = {}
    for c in checks:
        if c.message:
            told.setdefault(shortened(c.message), []).append(c)
    said = []
    for text, own in told.items():
        place = source.place_in(text)
        code = None if place is None else source.excerpt(program, *place)
        said.append(Said(text, tuple(clean(c.title) for c in own), tuple(c.id for c in own), code))
    return tuple(said)


def _also(checks: Iterable[CheckResult], program: Program | None) -> tuple[Said, ...]:
    """What was seen and costs nothing: bugs in checks that passed, or that are worth no points."""
    free = [
        c
        for c in checks
        if (c.status is Status.PASSED and c.bugs) or (c.status in _LOST and c.max_score <= 0)
    ]
    return _said(free, program)


def _own_run(r: Result, program: Program | None) -> Iterator[Said]:
    """What the finders of `watch` saw in the student's own run beyond the checks."""
    for one in r.also_seen:
        code = None if one.file else source.excerpt(program, one.line, one.cell)
        yield Said(shortened(str(one)), (), (), code)


# -- what the run showed -----------------------------------------------------------------------


def _curves(evidence: Iterable[Mapping[str, Json]]) -> Iterator[Curve]:
    """The numbers that functions returned in the run that called each most often. Only calls that
    the program made by itself: what is called within a function that a check drives is no run.
    """
    longest: dict[str, tuple[float, ...]] = {}
    for data in evidence:
        spans = data.get("spans")
        values: dict[str, list[float]] = {}
        for span in (spans if isinstance(spans, list) else [])[:200]:
            outer = isinstance(span, dict) and span.get("depth") == 0
            returned = span.get("returned") if outer else None
            value = returned.get("value") if isinstance(returned, dict) else None
            if isinstance(value, int | float) and math.isfinite(value):
                values.setdefault(clean(str(span.get("function", "")))[:60], []).append(value)
        for name, numbers in values.items():
            if len(numbers) > len(longest.get(name, ())):
                longest[name] = tuple(numbers[:100])
    for name in sorted(longest):
        if name and len(longest[name]) > 1:
            yield Curve(name, longest[name])


def accuracies_of(checks: Iterable[CheckResult]) -> Iterator[Accuracy]:
    """The accuracies that checks measured, with what they ask for."""
    for c in checks:
        band = _BAND.search(c.message)
        if c.value is not None and band is not None and 0 <= c.value <= 1:
            floor = None if band[2] is None else float(band[2]) / 100
            yield Accuracy(clean(c.title), c.value, float(band[1]) / 100, floor)


def _errors(seen: Seen) -> tuple[tuple[ErrorInfo, Excerpt | None], ...]:
    """What the cells raised, with the lines where."""
    errors = () if seen.load is None else seen.load.errors[:ERRORS_SHOWN]
    return tuple((e, source.excerpt(seen.program, e.line, e.cell)) for e in errors)


# -- how it adds up ----------------------------------------------------------------------------


def tasks_of(checks: Iterable[CheckResult]) -> tuple[Task, ...]:
    """The checks by task, in the assignment's order."""
    groups: dict[int, list[CheckResult]] = {}
    for c in checks:
        groups.setdefault(c.task, []).append(c)
    return tuple(Task(n, tuple(own)) for n, own in groups.items())


def _sums(
    r: Result, shown: Sequence[CheckResult], away: Sequence[CheckResult]
) -> tuple[tuple[str, str], ...]:
    """How the score is made, where that is more than the tasks alone."""
    if not r.scored or not r.checks:
        return ()
    lines = [
        (t.name, f"{points(t.score)} of {points(t.max_score)}")
        for t in tasks_of(shown)
        if t.max_score
    ]
    counted = sum(c.score for c in r.checks if c.status not in OPEN)
    if away:
        rest = Task(0, tuple(away))
        lines.append(("hidden checks", f"{points(rest.score)} of {points(rest.max_score)}"))
    late = r.late.deducted if r.late is not None else 0.0
    person = round(r.score + late - counted, 4)
    if late:
        lines.append(("for lateness", f"−{points(late)}"))  # noqa: RUF001 - a minus sign
    if person:
        sign = "+" if person > 0 else "−"  # noqa: RUF001 - a minus sign
        lines.append(("by a person, about the whole", f"{sign}{points(abs(person))}"))
    return tuple(lines)


def _refused(r: Result) -> bool:
    """Whether the work could not be taken in, which the student can mend."""
    return r.status == "ungradable" and any(n.startswith("not taken in") for n in r.notes)


def _again(r: Result, course: Course | None) -> str:
    """How to hand in again."""
    tool = r.origin.get("tool")
    where = TOOLS.get(tool, "as before") if isinstance(tool, str) else "as before"
    due = r.late.due if r.late is not None else ""
    if not due and course is not None:
        due = course.due.get(r.assignment, "")
    when = f" It is due {clean(due)}." if due else ""
    return (
        "Mend your own file, run `autograder check` on it until its public checks pass, and hand "
        f"it in again {where}, under the same name. The newest complete version counts.{when}"
    )


def withheld(away: Sequence[CheckResult]) -> str:
    """What is said of checks that are not shown; "" where there are none."""
    if not away:
        return ""
    many = "hidden check is" if len(away) == 1 else "hidden checks are"
    kept = [c for c in away if c.status not in OPEN]
    got, worth = (points(sum(getattr(c, n) for c in kept)) for n in ("score", "max_score"))
    return f"{len(away)} {many} not shown here. Hidden checks: {got} of {worth} points."


def percent(value: float) -> str:
    """`86.3 %`"""
    return f"{number(round(100 * value, 1))} %"


def promise(cause: Cause) -> str:
    """What mending it wins: `2 points, and opens checks worth 3 more`."""
    one = f"{points(cause.wins)} point{'s' * (round(cause.wins, 2) != 1)}"
    return f"{one}, and opens checks worth {points(cause.opens)} more" if cause.opens else one
