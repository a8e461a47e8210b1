"""One submission's way: pack the job, open a box, load, probe as the judge asks, add up.

    Submission -> Job -> Box -> LoadReport, Evidence -> judge -> Result

What is the student's doing ends as a status of a check; what is ours, as `ungradable` with
the reason. Nothing here raises for a submission's sake. Everything the judge used is
returned beside the result, so that `regrade` can judge again without a box.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType, TracebackType
from typing import Self

import torch

from ..authoring.master import given_files
from ..checks import HiddenData, own
from ..checks.also import also_seen
from ..checks.by_hand import answers_of
from ..checks.judge import Ask, World, is_installed, judge, missing, validate
from ..course.config import Assignment
from ..course.folder import CourseFolder
from ..course.images import ImageShelf, Prepared, cache_folder
from ..errors import FiveBeatsError, GraderError, InputError, MachineLostError
from ..model import (
    RAISED,
    Evidence,
    Graded,
    Job,
    Limits,
    LoadReport,
    ProbeRequest,
    Result,
    Submission,
    total,
)
from ..sandbox import Sandbox, choose, gpu_devices
from ..text import clean
from .calibration import calibration_for, moved, place
from .environment import environment, versions
from .expected import FOLDER, Expected, source_digest

SECRETS = "by submission"
"""How secret inputs are drawn, as a result's environment says."""
MACHINES = 5
"""How many machines a submission may lose before that is told as the grader's fault."""


_judging = {"threads": 0, "judges": 0}
_judging_lock = threading.Lock()


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Judge with one torch thread, whatever this process had, which it has again afterwards.

    A judge multiplies matrices of a few dozen rows. Handing those to several threads costs more
    than it gives (judging 05 on two cores: 1.7 s of processor time, and 0.4 s with one), several
    workers would each do so, and sums would be rounded differently on another machine.
    """
    with _judging_lock:
        if not _judging["judges"]:
            _judging["threads"] = torch.get_num_threads()
            torch.set_num_threads(1)
        _judging["judges"] += 1
    try:
        yield
    finally:
        with _judging_lock:
            _judging["judges"] -= 1
            if not _judging["judges"]:
                torch.set_num_threads(_judging["threads"])


def job_for(
    submission: Submission,
    limits: Limits,
    data: Path | None,
    *,
    gpu: bool = False,
    made: Collection[str] = (),
    given: Mapping[str, bytes] = MappingProxyType({}),
    probes: str = "",
) -> Job:
    """All that enters the box. Raises `InputError` for a file name that leaves the folder.

    `made` names the files that the run is to leave behind: an older one that was handed in with
    the program would pass for its work. `given` are the files that the handout gives beside the
    program: whatever became of them in a student's hands, the run finds them as they were given.
    """
    for name in submission.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
            raise InputError(f"file name {name!r} leaves the working folder")
    files = {
        n: b
        for n, b in submission.files.items()
        if PurePosixPath(n).parts[0] != "data" and PurePosixPath(n).as_posix() not in made
    }
    return Job(submission.program, {**files, **given}, limits, data, gpu, probes)


def regrade(
    world: World,
    submission: str,
    student: str,
    load: LoadReport,
    evidence: Mapping[str, Evidence],
    *,
    notes: tuple[str, ...] = (),
    environment: Mapping[str, object] | None = None,
    submitted_at: str = "",
) -> Result:
    """Judge again from kept evidence; no line of student code runs."""
    about = environment or {}
    # what was graded before secret inputs were drawn for each submission was asked what all were
    asked = submission if about.get("secrets") == SECRETS else ""

    def kept(request: ProbeRequest) -> Evidence:
        found = evidence.get(request.digest)
        if found is None:
            raise GraderError(
                f"no evidence of '{request.probe}' was kept", remedy="grade this submission again"
            )
        return found

    world = replace(world, submission=asked)
    return _result(world, submission, student, load, kept, notes, about, submitted_at)


def _result(
    world: World,
    submission: str,
    student: str,
    load: LoadReport,
    ask: Ask,
    notes: tuple[str, ...],
    environment: Mapping[str, object],
    submitted_at: str,
) -> Result:
    try:
        with one_thread():
            checks = judge(world, load, ask)
            named = {b for c in checks for b in c.bugs}
            also, looked = also_seen(world.assignment, load, ask, named)
    except MachineLostError:
        raise
    except GraderError as e:
        return Result.ungradable(
            world.assignment.id,
            student,
            str(e),
            world.assignment.points,
            submission=submission,
            environment=versions(),
            submitted_at=submitted_at,
        )
    score, maximum, gradable = total(checks)
    return Result(
        assignment=world.assignment.id,
        student=student,
        submission=submission,
        status="graded" if gradable else "ungradable",
        score=score,
        max_score=maximum,
        checks=checks,
        notes=notes,
        run={
            "wall_s": load.usage.wall_s,
            "cpu_s": load.usage.cpu_s,
            "max_rss_mb": load.usage.max_rss_mb,
            "exit": load.status if not load.detail else f"{load.status}: {load.detail}",
            "recorder": looked,
        },
        environment=dict(environment),
        submitted_at=submitted_at,
        also_seen=also,
    )


class Grader:
    """Grades submissions of one course. Thread-safe; close it when done.

    `root` and `public` are `CourseFolder`'s, `data` and `remembered` are `ImageShelf`'s. `sandbox`
    is the name of this machine's, or makes boxes itself, here or elsewhere; it is then closed, too.
    """

    def __init__(
        self,
        root: Path,
        sandbox: str | Sandbox = "auto",
        data: Path | None = None,
        device: str = "cpu",
        cache: Path | None = None,
        public: Path | None = None,
        remembered: Mapping[str, Path] = MappingProxyType({}),
    ) -> None:
        self.folder = CourseFolder(root, public, validate)
        self.root, self.course = self.folder.root, self.folder.settings
        self.device = device
        self.cache = cache or cache_folder()
        named = self.course.data if self.course else None
        self.images = ImageShelf(self.cache / "data", data, named, remembered)
        self._worlds: dict[str, World] = {}
        self._lock = threading.RLock()
        self.gpu = device == "cuda"
        self._installed()
        if isinstance(sandbox, str):
            if self.gpu and not gpu_devices():
                raise InputError("this machine has no NVIDIA GPU", remedy="use --device cpu")
            sandbox = choose(sandbox, self.images.folder, (self.root,), gpu=self.gpu)
        self.sandbox: Sandbox = sandbox

    def _installed(self) -> None:
        """Raise `InputError` where the course promised students a module that is not here."""
        for module in () if self.course is None else self.course.modules:
            if importlib.util.find_spec(module.partition(".")[0]) is None:
                raise InputError(
                    f"modules: '{module}' is not installed in this environment",
                    where=self.root / "grading_config.yml",
                    remedy="install it, or take it off the list; `autograder doctor` tries each",
                )

    def ids(self) -> list[str]:
        """The assignments this grader knows, in the course's order."""
        return self.folder.ids()

    def assignment(self, assignment: str) -> Assignment:
        """One assignment, checked. Raises `InputError` for an unknown id."""
        return self.folder.assignment(assignment)

    def prepared(self, assignment: Assignment) -> Prepared | None:
        """The data root the box gets, and the hidden half; None for a task without images."""
        return self.images.prepared(assignment)

    def world(self, assignment_id: str) -> World:
        """What the judge may know for one assignment on this machine's data."""
        with self._lock:
            if assignment_id not in self._worlds:
                self._worlds[assignment_id] = self._make_world(self.assignment(assignment_id))
            return self._worlds[assignment_id]

    def _make_world(self, assignment: Assignment) -> World:
        prepared = self.prepared(assignment)
        world = World(
            assignment,
            device=self.device,
            lacks=missing(assignment, self.device, is_installed),
        )
        if self.folder.public is None:
            data = None if prepared is None else prepared.root
            ran = " ".join(map(str, versions().values()))
            expected = Expected(
                assignment, self.root, self.sandbox, self.limits(assignment), data, self.cache, ran
            )
            world = replace(world, reference=expected)
        if prepared is None or self.folder.public is not None:
            return world
        hidden = HiddenData(
            prepared.dataset, prepared.fingerprint, prepared.hidden_images, prepared.hidden_labels
        )
        world = replace(world, hidden=hidden)
        if not any(world.check(spec).calibrated for spec in assignment.checks):
            return world
        calibration = calibration_for(
            world, self.root, self.sandbox, self.limits(assignment), prepared.root, self.cache
        )
        return replace(world, calibration=calibration)

    def own_digest(self, assignment: Assignment) -> str:
        """A name for what is the assignment's own and a grade depends on: its code, the files it
        gives and, where checks compare with it, its solution; "" where there is none of these.
        """
        source = self.root / "source" / assignment.id
        parts = [own.digest(assignment.folder)]
        parts += [
            f"{n} {hashlib.sha256(raw).hexdigest()}" for n, raw in given_files(source).items()
        ]
        world = self.world(assignment.id)
        if any(world.check(c).expects(world.context(c)) for c in assignment.checks):
            carried = sorted(
                p.name for p in (self.folder.file(assignment.id).parent / FOLDER).glob("*")
            )
            parts += [source_digest(source, assignment) or " ".join(carried)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16] if any(parts) else ""

    def limits(self, assignment: Assignment) -> Limits:
        return self.folder.limits(assignment)

    def environment(self, assignment_id: str) -> dict[str, str]:
        """What a grade of one assignment depends on beside the submission and the assignment."""
        assignment = self.assignment(assignment_id)
        prepared, calibration = self.prepared(assignment), self.world(assignment_id).calibration
        return environment(
            sandbox=self.sandbox.name,
            device=self.device,
            data="" if prepared is None else prepared.fingerprint,
            limits=self.limits(assignment),
            own=self.own_digest(assignment),
            threshold="" if calibration is None else f"{calibration.threshold:.4f}",
        )

    def elsewhere(self, assignment_id: str) -> list[str]:
        """In what this place differs from the one where the thresholds of an assignment were
        measured, in words; nothing where it cannot matter.
        """
        try:
            calibration = self.world(assignment_id).calibration
        except FiveBeatsError:  # each result says it
            return []
        if calibration is None:
            return []
        return moved(calibration.measured, place(self.device))

    def grade(self, submission: Submission) -> Graded:
        """Grade one submission. What goes wrong on our side is an `ungradable` result."""
        try:
            assignment = self.assignment(submission.assignment)
        except FiveBeatsError as e:
            return self._lost(None, submission, e)
        for machine in range(1, MACHINES + 1):
            try:
                return self._grade(submission, assignment)
            except FiveBeatsError as e:
                if machine == MACHINES or not isinstance(e, MachineLostError):
                    return self._lost(assignment, submission, e)
        raise AssertionError  # the last machine has returned

    def _lost(
        self, assignment: Assignment | None, submission: Submission, e: FiveBeatsError
    ) -> Graded:
        result = Result.ungradable(
            assignment.id if assignment else "",
            submission.student,
            str(e),
            assignment.points if assignment else 0.0,
            submission=submission.digest,
            environment=versions(),
            submitted_at=submission.submitted_at,
        )
        return Graded(result, LoadReport("crash", detail=str(e)))

    def _grade(self, submission: Submission, assignment: Assignment) -> Graded:
        world = self.world(assignment.id)
        prepared = self.prepared(assignment)
        data = None if prepared is None else prepared.root
        job = job_for(
            submission,
            self.limits(assignment),
            data,
            gpu=self.gpu,
            made={name for c in assignment.checks for name in world.check(c).leaves(c)},
            given=given_files(self.root / "source" / assignment.id),
            probes=own.probes(assignment),
        )
        world = replace(world, answers=answers_of(submission.program, assignment))
        evidence: dict[str, Evidence] = {}
        with self.sandbox.open(job) as box:

            def ask(request: ProbeRequest) -> Evidence:
                key = request.digest
                if key not in evidence:
                    evidence[key] = box.probe(request)
                return evidence[key]

            load = box.load()
            world = replace(world, submission=submission.digest)
            result = _result(
                world,
                submission.digest,
                submission.student,
                load,
                ask,
                _notes(load, prepared),
                {
                    **versions(),
                    "sandbox": self.sandbox.name,
                    "device": self.device,
                    "secrets": SECRETS,
                },
                submission.submitted_at,
            )
        return Graded(result, load, evidence)

    def close(self) -> None:
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _absent(load: LoadReport) -> tuple[str, ...]:
    """The modules that the program had no more than a stand-in for; the box's word for it."""
    told = load.data.get("absent")
    names = [n for n in told if isinstance(n, str)] if isinstance(told, list) else []
    if not names:
        return ()
    listed = ", ".join(clean(n)[:60] for n in names[:10])
    return (f"not installed where this was graded: {listed}; what they draw or print was left out",)


def _notes(load: LoadReport, prepared: Prepared | None) -> tuple[str, ...]:
    """What a reader should know beside the checks."""
    notes = [f"{RAISED}{e}" for e in load.errors[:5]]
    if len(load.errors) > 5:
        notes.append(f"and {len(load.errors) - 5} more cells raised")
    notes += _absent(load)
    if prepared is not None:
        sizes = f"{prepared.n_train} training and {prepared.n_test} test images"
        notes.append(f"data: {prepared.dataset}, {sizes}")
    return tuple(notes)
