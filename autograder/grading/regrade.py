"""Judge a class again from kept evidence: no box, no line of student code.

Theory. A judge is pure, so evidence and assignment are all it needs; when a check's points,
text or judge changes, every grade can be taken again in milliseconds. What cannot be judged
from what was kept (a check that asks something new) stays as it was and is named, so that
the class can be graded again for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from ..checks.judge import World
from ..course.config import Course
from ..errors import FiveBeatsError
from ..model import Result
from ..report import pages
from ..results import changes, files, lateness, provenance, totals
from ..results.changes import Change
from ..results.provenance import Images, Provenance, Rules
from ..results.store import Store
from .grader import Grader
from .grader import regrade as judge_again


class Judges:
    """A grader per device that the class was graded on; a context manager."""

    def __init__(self, make: Callable[[str], Grader]) -> None:
        self._make = make
        self._graders: dict[str, Grader] = {}

    def grader(self, device: str) -> Grader:
        """The grader that knows the thresholds of `device`."""
        if device not in self._graders:
            self._graders[device] = self._make(device)
        return self._graders[device]

    def world(self, result: Result) -> World:
        """What the judge of `result` may know."""
        device = result.environment.get("device")
        return self.grader(device if isinstance(device, str) else "cpu").world(result.assignment)

    def ids(self) -> list[str]:
        """The assignments of the course."""
        return self.grader("cpu").ids()

    def images(self, assignment: str) -> dict[str, Images]:
        """The images that an assignment is judged by now."""
        grader = self.grader("cpu")
        spec = grader.assignment(assignment)
        if spec.data is None:
            return {}
        return provenance.images(spec.data.dataset, grader.prepared(spec))

    def rules(self, assignment: str) -> Rules:
        """The rules of an assignment as they now stand."""
        grader = self.grader("cpu")
        spec = grader.assignment(assignment)
        return Rules.of(spec, grader.limits(spec))

    @property
    def course(self) -> Course | None:
        return self.grader("cpu").course

    def __enter__(self) -> Judges:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        for grader in self._graders.values():
            grader.close()


@dataclass(frozen=True)
class Regraded:
    """How many were judged again, what that changed, and which could not be judged and why; `table`
    is the list of the changes, if there are any.
    """

    judged: int
    changed: tuple[Change, ...]
    left: tuple[tuple[Result, str], ...]
    ungradable: bool
    rows: totals.Rows
    table: Path | None = None


def run(judges: Judges, out: Path) -> Regraded:
    """Judge everything in `out` again; write what that changes, then results and grades.csv.

    Raises `InputError` where this would judge by other images than those the class was graded on.
    """
    left: list[tuple[Result, str]] = []
    with Store(out / "store.sqlite"):  # holds off a grading that would write here meanwhile
        record = provenance.read(out)
        stored = files.read_results(out)
        rows = totals.rows(out, judges.course, stored)
        results = [r.seen or r for r in stored]
        for name in sorted({r.assignment for r in results} & set(judges.ids())):
            provenance.same_images(out, record, judges.images(name), named=True)
        judged = []
        for before in results:
            after, why = _again(judges, out, before)
            judged.append(after)
            if why:
                left.append((before, why))
        changed = changes.between(rows, totals.rows(out, judges.course, judged))
        name = changes.stamp()
        table = None
        if changed:
            pages.regraded(out / changes.FOLDER / f"{name}.html", changed, judges.course)
            table = changes.write(out, name, changed)
        for before, after in zip(results, judged, strict=True):
            if after != before:
                files.write_result(out, after)
        now = totals.settle(out, judges.course)
        provenance.write(out, _by_new_rules(judges, record, {r.assignment for r, _ in left}))
    broken = any(r.status == "ungradable" for r in now.results)
    return Regraded(len(stored) - len(left), tuple(changed), tuple(left), broken, now, table)


def _by_new_rules(judges: Judges, record: Provenance, left: set[str]) -> Provenance:
    """The record after everything but the assignments in `left` was judged by the rules that now
    stand. Limits stay those under which the programs ran.
    """
    assignments = dict(record.assignments)
    for name, graded in record.assignments.items():
        if graded.rules is not None and name not in left and name in judges.ids():
            now = judges.rules(name)
            assignments[name] = replace(graded, rules=replace(now, limits=graded.rules.limits))
    return replace(record, assignments=assignments)


def _again(judges: Judges, out: Path, before: Result) -> tuple[Result, str]:
    """The new result, or the old one with the reason why it stays."""
    if not before.submission:
        return before, "it was never taken in"
    folder = files.evidence_folder(out, before.student, before.assignment)
    try:
        load = files.read_load(folder)
        evidence = files.read_evidence(folder)
        if load is None or (before.status == "ungradable" and not evidence):
            return before, "no evidence was kept"
        if (folder / files.INDEX).exists() and not (files.owner(folder) or "").startswith(
            f"{before.submission}/"
        ):
            return before, "its evidence is torn, or another submission's (grade it again)"
        after = judge_again(
            judges.world(before),
            before.submission,
            before.student,
            load,
            evidence,
            notes=before.notes,
            environment=before.environment,
            submitted_at=before.submitted_at,
        )
    except FiveBeatsError as e:
        return before, str(e)
    if after.status == "ungradable" and not after.checks:
        return before, "; ".join(after.notes)
    after = replace(
        after,
        run=before.run,
        origin=before.origin,
        attention=before.attention,
        gone=before.gone,
    )
    return lateness.judged(after, judges.course), ""
