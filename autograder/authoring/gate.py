"""The release gate: what must be true before anything is given to students.

    rule            what it holds the release to
    config          the assignment.yml can be read, and each check names one that there is, with
                    options that it takes                                           (judge.validate)
    wrong programs  each edit of wrong.yml finds its text in the solution           (course.wrong)
    ids and points  each check in one cell of its own task, for its own points      (release)
    leak            no solution, hidden test, threshold or seed in any byte         (leaks)
    reproducible    another process, with another hash seed, place and language, makes the same
                    bytes
    reference       gets full marks, as a script and as a notebook
    untouched       the release as it is gets next to nothing, as a script and as a notebook
    samples         each bug_* sample loses exactly its checks, each correct_* sample none

The last three run in boxes, the way every submission goes, and take some minutes for each
assignment; a quick gate leaves them out. A gate changes nothing: it only says what is wrong.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ..checks.judge import validate
from ..course import config, samples
from ..course.config import Assignment
from ..course.wrong import wrong_programs
from ..errors import ConfigError, FiveBeatsError, GraderError
from ..intake.collect import collect
from ..intake.program import read_program
from ..model import Graded, Program, Result, Submission
from ..text import clean
from .build import digest, files_of
from .leaks import LeakError
from .master import reference

NEAR_ZERO = 0.05
"""The part of all points that work left undone may get at most."""
_DIGEST = (
    "import sys; from pathlib import Path; from autograder.authoring import build; "
    "from autograder.course import config; "
    "print(build.digest(Path(sys.argv[1]), config.assignment(Path(sys.argv[2]))))"
)
Progress = Callable[[int, int, Result], None]


class Judge(Protocol):
    """What the gate asks of a grader; called from several threads at once."""

    def grade(self, submission: Submission, /) -> Graded: ...


@dataclass(frozen=True)
class Failure:
    """A rule that the release breaks: where, what was found, and the remedy."""

    rule: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return clean(f"{self.where}: {self.rule}: {self.what} ({self.remedy})")


@dataclass(frozen=True)
class _Trial:
    """One submission for the boxes, and what its result must be."""

    submission: Submission
    verdict: Callable[[Result], Failure | None]


def quick(root: Path, name: str) -> list[Failure]:
    """The rules that need no box, for one assignment of the course at `root`."""
    source, settings = root / "source" / name, root / "assignments" / name / "assignment.yml"
    try:
        assignment = config.assignment(settings)
        validate(assignment, settings)
    except ConfigError as e:
        return [Failure("config", _at(e.where or name, e.line), e.what, e.remedy or "mend it")]
    try:
        here = digest(source, assignment)
    except LeakError as e:
        return [
            Failure("leak", _at(e.where or name, x.secret.line), x.message, x.secret.remedy)
            for x in e.leaks
        ]
    except FiveBeatsError as e:
        remedy = e.remedy or "mend the source"
        return [Failure("ids and points", _at(e.where or name, e.line), e.what, remedy)]
    done = subprocess.run(
        [sys.executable, "-c", _DIGEST, str(source.resolve()), str(settings.resolve())],
        cwd="/",
        env={**os.environ, "PYTHONHASHSEED": "271", "TZ": "Asia/Tokyo", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GraderError(
            f"the release could not be made a second time: {done.stderr[-200:]}", where=name
        )
    if done.stdout.strip() != here:
        what = "another process makes other bytes of the same source"
        return [Failure("reproducible", name, what, "take time, place and chance out of it")]
    try:
        wrong_programs(settings.parent, reference(source, assignment, "script").cells[0])
    except ConfigError as e:
        return [Failure("wrong programs", _at(e.where or name, e.line), e.what, e.remedy or "")]
    return []


def _at(where: str, line: int | None) -> str:
    """A place as `file:line`."""
    return where if line is None else f"{where}:{line}"


def in_boxes(
    grader: Judge, root: Path, name: str, jobs: int = 1, progress: Progress | None = None
) -> list[Failure]:
    """The rules that run code, for one assignment; `grader` knows the course at `root`."""
    trials = _trials(root, name)
    found: dict[int, Failure | None] = {}
    with ThreadPoolExecutor(max(1, jobs), thread_name_prefix="gate") as pool:
        waiting = {pool.submit(grader.grade, t.submission): i for i, t in enumerate(trials)}
        try:
            for done in as_completed(waiting):
                at, result = waiting[done], done.result().result
                found[at] = trials[at].verdict(result)
                if progress is not None:
                    progress(len(found), len(trials), result)
        except BaseException:  # broken off, or no box to be had: what waits need not run
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [failure for _, failure in sorted(found.items()) if failure is not None]


def runs(root: Path, name: str) -> int:
    """How many runs `in_boxes` is, to say so before they begin."""
    return len(_trials(root, name))


def _trials(root: Path, name: str) -> list[_Trial]:
    assignment = config.assignment(root / "assignments" / name / "assignment.yml")
    return [
        *_references(root / "source" / name, assignment),
        *_untouched(root / "source" / name, assignment),
        *_samples(root / "assignments" / name / "submissions", assignment),
    ]


def _said(result: Result) -> str:
    """What a result lost, or why there is none."""
    if result.status != "graded":
        return "; ".join(result.notes)
    lost = [f"{c.id}: {c.status}: {c.message}" for c in result.checks if c.score < c.max_score]
    return "; ".join(lost[:4]) + (f"; and {len(lost) - 4} more" if len(lost) > 4 else "")


def _submission(assignment: Assignment, program: Program, who: str) -> Submission:
    return Submission(who, assignment.id, program, {})


def _references(source: Path, assignment: Assignment) -> Sequence[_Trial]:
    def verdict(result: Result) -> Failure | None:
        where = f"{assignment.id} as a {result.student.removeprefix('reference-')}"
        if result.status == "graded" and result.score == result.max_score:
            if not result.also_seen:
                return None
            what = f"its own run shows {result.also_seen[0]}"
            return Failure("reference", where, what, "mend the solution, or what its cells run")
        what = f"gets {result.score:g} of {result.max_score:g} points: {_said(result)}"
        return Failure("reference", where, what, "mend the solution, or the check that fails it")

    return [
        _Trial(
            _submission(assignment, reference(source, assignment, kind), f"reference-{kind}"),
            verdict,
        )
        for kind in ("script", "notebook")
    ]


def _untouched(source: Path, assignment: Assignment) -> Sequence[_Trial]:
    files = files_of(source, assignment)

    def verdict(result: Result) -> Failure | None:
        if result.status == "graded" and result.score <= NEAR_ZERO * result.max_score:
            return None
        given = [c.id for c in result.checks if c.score]
        what = f"gets {result.score:g} of {result.max_score:g} points, from {', '.join(given)}"
        if result.status != "graded":
            what = _said(result)
        remedy = "let these checks ask for work, or the stub do less"
        return Failure("untouched", f"{assignment.id}: {result.student}", what, remedy)

    return [
        _Trial(_submission(assignment, read_program(name, files[name])[0], name), verdict)
        for name in (f"{assignment.module}.py", f"{assignment.module}.ipynb")
    ]


def _samples(folder: Path, assignment: Assignment) -> Sequence[_Trial]:
    rows = samples.expected(folder)
    wanted = [p for p in samples.folders(folder) if p.name.startswith(("bug_", "correct_"))]
    trials = []
    for sample in wanted:
        taken, refused = collect([sample], assignment.id, {assignment.id: assignment.module})
        for one in refused:
            raise GraderError(one.reason, where=sample, remedy="mend the sample")

        def verdict(result: Result, sample: Path = sample) -> Failure | None:
            wrong = samples.problems(result, sample, rows.get(sample.name))
            if not wrong:
                return None
            remedy = "mend the check, the sample, or its row in expected.yml"
            return Failure("samples", f"{assignment.id}/{sample.name}", "; ".join(wrong), remedy)

        trials += [_Trial(one, verdict) for one in taken]
    return trials
