"""A whole class: many submissions through one grader, with nothing lost on the way.

Theory. Each submission is claimed, graded, written to disk and then committed, in that
order, so a run can be ended at any instant (Ctrl-C, SIGKILL, a power cut) and the same
command goes on where it stopped. What ends up in `grades.csv` does not depend on the number
of threads, nor on how often the run was broken off. Students who handed in the same bytes
share one run of them. A fault of the grader makes one submission `ungradable` and the class
goes on; a run that was interrupted commits nothing it was in the middle of.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from ..course.config import Assignment, Course, instant
from ..errors import FiveBeatsError, GraderError, InputError, Stopped
from ..intake.collect import Refused
from ..model import Graded, Json, Result, Submission
from ..results import files, lateness, programs, provenance, roster, totals
from ..results.roster import Roster
from ..results.store import Key, Store, Verdict, fingerprint
from ..text import clean
from .fairness import Turns


class Grader(Protocol):
    """What a batch asks of a grader; `grade` may be called from several threads at once."""

    def assignment(self, assignment: str, /) -> Assignment: ...
    def grade(self, submission: Submission, /) -> Graded: ...


Environment = Callable[[str], Mapping[str, Json]]
"""Everything beside the submission that a grade of this assignment depends on, as data."""

Progress = Callable[[int, int, Result], None]
"""Called with (done, total, result), always in the thread that called `run`."""


NO_ROWS = totals.Rows(())


@dataclass(frozen=True)
class Batch:
    """How a run went. `results` are this run's, in order; `reused` had been graded before; `gone`
    are those in the folder whose students are not in their class any more; `stopped` is the signal
    that broke it off, if one did; `rows` are those of everything in the folder; `again` ran once
    more alone, since a busy machine had a part in how they ended.
    """

    results: tuple[Result, ...]
    reused: int = 0
    waiting: int = 0
    seconds: float = 0.0
    gone: tuple[Result, ...] = ()
    stopped: Stopped | None = None
    rows: totals.Rows = NO_ROWS
    again: int = 0

    @property
    def interrupted(self) -> bool:
        """Whether some submissions are still waiting because the run was broken off."""
        return self.waiting > 0

    @property
    def ungradable(self) -> tuple[Result, ...]:
        return tuple(r for r in self.results if r.status == "ungradable")


def newest(submissions: Sequence[Submission]) -> list[Submission]:
    """One submission per student and assignment: the latest, else the last; the others noted."""
    groups: dict[tuple[str, str], list[Submission]] = {}
    for s in submissions:
        groups.setdefault((s.student, s.assignment), []).append(s)
    kept_ones = []
    for several in groups.values():
        *older, last = sorted(several, key=_handed_in)
        if older:
            note = f"handed in {len(several)} times; the newest was graded"
            last = replace(last, notes=(*last.notes, note))
        kept_ones.append(last)
    return kept_ones


def _handed_in(s: Submission) -> tuple[bool, float]:
    """When a submission came, to order by; one without a time goes first."""
    return (True, instant(s.submitted_at).timestamp()) if s.submitted_at else (False, 0.0)


def run(
    grader: Grader,
    submissions: Sequence[Submission],
    refused: Sequence[Refused],
    out: Path,
    *,
    jobs: int = 1,
    environment: Environment | None = None,
    course: Course | None = None,
    progress: Progress | None = None,
    told: provenance.Run | None = None,
    people: Roster | None = None,
    stop: threading.Event | None = None,
) -> Batch:
    """Grade a class into `out`; safe to repeat, and to break off.

    `environment` tells whatever else a grade of an assignment depends on (versions, device,
    data): where it differs from an earlier run's, submissions are graded anew. `told` is what `out`
    is to remember of this run, `people` its roster; `stop` is set when no submission is to be begun
    any more. Writes results, evidence and grades.csv. Raises
    `InputError` if `out` cannot be used, or if its grades are of another kind; a second Ctrl-C
    passes.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise InputError(
            f"cannot be made a folder: {e.strerror}", where=out, remedy="choose another -o"
        ) from e
    began = time.monotonic()
    gone: tuple[Result, ...] = ()
    with Store(out / "store.sqlite") as store:
        if told is not None:
            before = provenance.standing(out)
            provenance.agree(out, before, told)
            now = provenance.merged(before, told, done=False)
            provenance.write(out, now)
            gone = provenance.mark(out, now)
        if people is not None:
            roster.keep(out, people)
        work = _Work(
            grader, store, out, environment or (lambda _: {}), course, stop or threading.Event()
        )
        results = [work.record(r) for r in refused]
        groups = work.groups(newest(submissions))
        total = sum(map(len, groups.values())) + len(results)
        if progress is not None:
            for done, result in enumerate(results, 1):
                progress(done, total, result)
        stopped = _drain(work, groups, jobs, total, results, progress)
        if told is not None and len(results) == total:
            provenance.write(out, provenance.merged(before, told, done=True))
    rows = totals.settle(out, course)
    return Batch(
        tuple(rows.find(r) for r in files.in_order(results)),
        work.reused,
        total - len(results),
        time.monotonic() - began,
        gone,
        stopped,
        rows,
        work.turns.again,
    )


def _drain(
    work: _Work,
    groups: Mapping[Key, Sequence[Submission]],
    jobs: int,
    total: int,
    results: list[Result],
    progress: Progress | None,
) -> Stopped | None:
    """Run the groups in threads and gather into `results`; a signal stops it in good order, and is
    returned.
    """
    stopped: Stopped | None = None

    def gather(future: Future[list[Result]]) -> None:
        for result in future.result():
            results.append(result)
            if progress is not None:
                progress(len(results), total, result)

    pool = ThreadPoolExecutor(max(1, jobs), thread_name_prefix="grade")
    waiting = {pool.submit(work.one, key, group) for key, group in groups.items()}
    try:
        for future in as_completed(tuple(waiting)):
            waiting.discard(future)
            gather(future)
    except (Stopped, KeyboardInterrupt) as e:
        stopped = e if isinstance(e, Stopped) else Stopped()
        work.stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
        progress = None
        for future in waiting:
            if not future.cancelled():
                gather(future)
    finally:
        work.stop.set()
        pool.shutdown(wait=False, cancel_futures=True)
    return stopped


class _Work:
    """One run's grading of single submissions, shared by its threads."""

    def __init__(
        self,
        grader: Grader,
        store: Store,
        out: Path,
        environment: Environment,
        course: Course | None,
        stop: threading.Event,
    ) -> None:
        self.grader = grader
        self.course = course
        self.store = store
        self.out = out
        self.environment = environment
        self.stop = stop
        self.turns = Turns(stop)
        self.reused = 0
        self._count = threading.Lock()

    def groups(self, submissions: Sequence[Submission]) -> dict[Key, list[Submission]]:
        """Submissions by what their grade depends on; the same bytes are run once."""
        groups: dict[Key, list[Submission]] = {}
        worlds: dict[str, str] = {}
        for s in submissions:
            assignment = self.grader.assignment(s.assignment)
            if s.assignment not in worlds:
                text = assignment.model_dump(mode="json", exclude={"shown"})
                world = {**self.environment(s.assignment), "assignment": text}
                worlds[s.assignment] = fingerprint(world)
            key = Key(s.digest, s.assignment, assignment.version, worlds[s.assignment])
            groups.setdefault(key, []).append(s)
        return groups

    def record(self, refused: Refused) -> Result:
        """The result that stands for work which could not be taken in."""
        points = 0.0
        if refused.assignment:
            points = self.grader.assignment(refused.assignment).points
        why = f"not taken in: {refused.reason}"
        result = Result.ungradable(
            refused.assignment, refused.student, why, points, origin=refused.origin
        )
        files.write_result(self.out, result)
        return result

    def one(self, key: Key, group: Sequence[Submission]) -> list[Result]:
        """Grade one group, or find it graded; empty if the run was broken off meanwhile."""
        if self.stop.is_set():
            return []
        first = group[0]
        verdict = self.store.claim(key)
        if verdict is not None:
            before = self._before(key, verdict, group)
            if before is not None:
                with self._count:
                    self.reused += len(group)
                return [self._hand(before[0], s, before[1]) for s in group]
            self.store.claim_again(key)
        folder = files.evidence_folder(self.out, first.student, first.assignment)
        try:
            result = self._grade(key, first, folder)
        except BaseException:
            self.store.give_back(key)
            raise
        if self.stop.is_set():  # a box may have died of the very Ctrl-C that stopped the run
            self.store.give_back(key)
            return []
        result = replace(
            result,
            notes=tuple(n for n in result.notes if n not in first.notes),
            attention=tuple(a for a in result.attention if a not in first.attention),
        )
        handed = [self._hand(result, s, folder) for s in group]
        self.store.finish(key, result.to_json(), str(folder.relative_to(self.out)))
        return handed

    def _before(
        self, key: Key, verdict: Verdict, group: Sequence[Submission]
    ) -> tuple[Result, Path] | None:
        """What was found before, with a folder where its evidence is whole; None where it must be
        graded again, since evidence is lost, torn, or another submission's by now.
        """
        own = [files.evidence_folder(self.out, s.student, s.assignment) for s in group]
        places = [self.out / verdict.evidence, *own]
        folder = next((p for p in places if files.owner(p) == key.name), None)
        try:
            return None if folder is None else (Result.from_json(verdict.result), folder)
        except (KeyError, TypeError, ValueError):
            return None

    def _grade(self, key: Key, submission: Submission, folder: Path) -> Result:
        """The grader's answer with its evidence kept; its own fault becomes `ungradable`."""
        try:
            graded = self.turns.grade(lambda: self.grader.grade(submission))
            notes = files.write_evidence(folder, graded.load, graded.evidence, key.name)
            return replace(graded.result, notes=(*graded.result.notes, *notes))
        except Exception as e:  # noqa: BLE001 - a fault of ours must not cost the class its grades
            what = str(e) if isinstance(e, FiveBeatsError) else f"{type(e).__name__}: {e}"
            assignment = self.grader.assignment(submission.assignment)
            return Result.ungradable(
                submission.assignment,
                submission.student,
                f"the grader failed, which is not the student's fault: {clean(what)}",
                assignment.points,
                submission=submission.digest,
            )

    def _hand(self, result: Result, submission: Submission, folder: Path) -> Result:
        """The group's result as this student's own, with its evidence beside it."""
        own = replace(
            result,
            student=submission.student,
            submitted_at=submission.submitted_at,
            notes=tuple(dict.fromkeys((*result.notes, *submission.notes))),
            attention=tuple(dict.fromkeys((*result.attention, *submission.attention))),
            origin=submission.origin,
        )
        own = lateness.judged(own, self.course)
        place = files.evidence_folder(self.out, submission.student, submission.assignment)
        if place != folder and folder.is_dir():
            try:
                shutil.rmtree(place, ignore_errors=True)
                shutil.copytree(folder, place)
            except OSError as e:
                raise GraderError(
                    f"evidence cannot be written: {e.strerror or e}",
                    where=place,
                    remedy="make room there; the same command then goes on where it stopped",
                ) from e
        programs.write(self.out, submission)
        files.write_result(self.out, own)
        return own
