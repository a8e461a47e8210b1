"""How a folder of grades stands: what is graded, stale, missing, or waiting for a person.

Theory. Nothing is run and nothing is written. Stale is a grade that the same command would give
anew today: by other rules than the assignment now states, by other versions or another judge, or
of work that lies in the class folder in another form than the one that was graded. The folder of
the class is taken in as for grading, so that what is told here is what a grading would find.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..course import config
from ..course.config import Course
from ..errors import InputError
from ..model import Json, Status
from ..results import files, provenance, totals
from ..results.people import called
from ..results.provenance import Provenance, Rules
from .classes import again
from .environment import code_digest, versions


@dataclass(frozen=True)
class Standing:
    """One assignment: how many are graded, and who or what is not at rest, by kind."""

    assignment: str
    graded: int = 0
    missing: tuple[str, ...] = ()
    ungradable: tuple[str, ...] = ()
    by_hand: tuple[str, ...] = ()
    """Who waits for a person's points."""
    deferred: tuple[str, ...] = ()
    """Who waits for another device."""
    gone: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    """Whose work is another now, or is not graded yet."""
    outdated: tuple[str, ...] = ()
    """Why the whole class would be graded anew."""


@dataclass(frozen=True)
class Report:
    """A whole folder: what it rests on, in words, and its assignments in the course's order."""

    rests_on: Mapping[str, str]
    assignments: tuple[Standing, ...]
    untouched: tuple[str, ...] = ()
    """The course's assignments of which nothing was graded here."""

    def as_json(self) -> dict[str, Json]:
        """For machines."""
        return asdict(self)


def examine(out: Path, root: Path | None, section: str | None = None) -> Report:
    """How `out` stands. `root` is the course's folder; without one nothing can be stale.

    Raises `InputError` where roster or record are broken, `GraderError` where a result is.
    """
    course = None if root is None else config.course(root)
    stored = files.read_results(out)
    rows = totals.rows(out, course, stored)
    record = provenance.read(out)
    if section is not None:
        from ..results import roster

        roster.known_section(rows.roster, section, out)
        rows = rows.in_section(section)
    here = sorted({r.assignment for r in rows.results})
    order = [] if course is None else [i for i in course.assignments if i in here]
    ids = [*order, *(i for i in here if i not in order)]
    untouched = [] if course is None else [i for i in course.assignments if i not in here]
    found = []
    for name in ids:
        works = {r.student: r.submission for r in stored if r.assignment == name and not r.gone}
        if section is not None:
            inside = {r.owner or r.student for r in rows.results if r.assignment == name}
            works = {student: work for student, work in works.items() if student in inside}
        one = _standing(name, rows)
        if root is not None and name:
            changed = _stale(name, works, record, root, course, whole=section is None)
            one = replace(
                one,
                stale=tuple(changed),
                outdated=tuple(_outdated(name, record, root, course)),
            )
        found.append(one)
    return Report(_rests_on(rows, record, root, course), tuple(found), tuple(untouched))


def _rests_on(
    rows: totals.Rows, record: Provenance, root: Path | None, course: Course | None
) -> dict[str, str]:
    told = {}
    if course is not None and root is not None:
        told["course"] = f"{course.course} ({root})"
    if record.device:
        told["device"] = record.device
    for dataset, images in sorted(record.data.items()):
        told[dataset] = f"{images.root} ({images.images})"
    if rows.roster is not None:
        sections = ", ".join(rows.roster.sections)
        told["roster"] = f"{len(rows.roster.people)} students"
        told["roster"] += f", sections {sections}" if sections else ""
    decided = sum(len(r.adjusted) + sum(len(c.adjusted) for c in r.checks) for r in rows.results)
    if decided or rows.astray:
        told["decisions"] = f"{decided} by persons"
        told["decisions"] += f", and {len(rows.astray)} about nobody here" if rows.astray else ""
    return told


def _standing(assignment: str, rows: totals.Rows) -> Standing:
    """What the rows alone tell."""
    own = [r for r in rows.results if r.assignment == assignment]
    here = [r for r in own if not r.gone]
    asked = [f"{r.student}: {why}" for r, why in rows.questions if r.assignment == assignment]
    asked += [
        f"{r.student}: {said}"
        for r in here
        for said in (*r.attention, *(f"{c.title}: {c.flag}" for c in r.checks if c.flag))
    ]
    return Standing(
        assignment,
        sum(r.status == "graded" for r in here),
        tuple(called(r) for r in here if r.status == "missing"),
        tuple(r.student for r in here if r.status == "ungradable"),
        tuple(r.student for r in here if r.by_hand),
        tuple(r.student for r in here if any(c.status is Status.DEFERRED for c in r.checks)),
        tuple(r.student for r in own if r.gone),
        tuple(asked),
    )


def _outdated(assignment: str, record: Provenance, root: Path, course: Course | None) -> list[str]:
    """Why everybody would be graded anew."""
    graded = record.assignments.get(assignment)
    path = root / "assignments" / assignment / "assignment.yml"
    if graded is None or graded.rules is None or not path.is_file():
        return []
    spec = config.assignment(path)
    now = Rules.of(spec, config.limits_for(spec, course))
    why = []
    if graded.rules != now:
        why.append(f"graded by other {provenance.difference(graded.rules, now)}")
    fresh = {**versions(), "code": code_digest()}
    for name, before in graded.versions.items():
        if name == "code" and fresh[name] != before:
            why.append("what runs and judges a program has changed")
        elif fresh.get(name, before) != before:
            why.append(f"graded with {name} {before}, and here is {fresh[name]}")
    return why


def _stale(
    assignment: str,
    works: Mapping[str, str],
    record: Provenance,
    root: Path,
    course: Course | None,
    *,
    whole: bool,
) -> list[str]:
    """Whose work in the class folder is another than the one that was graded, of `works`: the
    digests by student; and where these are the `whole` class, whose is not graded yet.
    """
    try:
        here = again(assignment, record, root, course)
    except InputError as e:
        return [str(e)]
    found = []
    for s in here:
        if s.student not in works:
            found += [f"{s.student}: not graded yet"] if whole else []
        elif works[s.student] != s.digest:
            found.append(f"{s.student}: the work is another than the one that was graded")
    return found
