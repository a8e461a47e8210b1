"""The words of the project as types: what goes into a box, what comes out, what it is worth.

Everything here is frozen and free of behaviour beyond arithmetic on its own fields. The
way of one submission in these types:

    Submission -> Job -> (LoadReport, Evidence per ProbeRequest) -> Outcome -> CheckResult -> Result

Arrays at this border are numpy's: the host decodes what a box sent without importing
torch, and a judge that wants torch converts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .text import number

Json = Any
Array = NDArray[Any]


class Status(StrEnum):
    """What became of one check. `by_hand`, `deferred` and `ungradable` are never counted as zero:
    a person, another machine, or a repaired grader has still to look.
    """

    PASSED = "passed"
    FAILED = "failed"
    PARTIAL = "partial"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    NOT_CHECKED = "not_checked"
    BY_HAND = "by_hand"
    DEFERRED = "deferred"
    UNGRADABLE = "ungradable"


OPEN = frozenset((Status.DEFERRED, Status.BY_HAND))
"""What is still open and counts on neither side."""


class Visibility(StrEnum):
    """Who may see a check before the deadline."""

    PUBLIC = "public"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Seconds, mebibytes, kibibytes and counts.

    `wall_s` bounds the loading of the program, `check_s` each probe on its own, not counting
    the time in which it is ready and no processor is free (up to `stretch` times as long); `cpu_s`
    bounds the CPU time of each process of the box. `memory_mb` and `processes` (threads
    counted) bound the box as a whole, and so do `total_s` and `total_cpu_s`, where they are
    stated, what all its runs together may take.
    """

    wall_s: float = 120.0
    check_s: float = 20.0
    cpu_s: float = 120.0
    memory_mb: int = 2048
    processes: int = 64
    file_mb: int = 64
    output_kb: int = 256
    total_s: float | None = None
    total_cpu_s: float | None = None

    @property
    def budget_s(self) -> float:
        """Wall time of all runs together. Left open, it is enough for a program that keeps a thread
        and so is loaded again for each of a dozen checks, at half a minute each, twice over.
        """
        stated = self.total_s
        return 3 * self.wall_s + 10 * self.check_s if stated is None else stated

    @property
    def budget_cpu_s(self) -> float:
        """CPU time of all processes together; left open, that of four that use all of theirs."""
        return 4 * self.cpu_s if self.total_cpu_s is None else self.total_cpu_s

    @property
    def stretch(self) -> float:
        """How many times its clock a run may take at most, where it waits for a processor. Three:
        on a machine with three times as many runs as cores it still has all that was promised.
        """
        return 3.0

    @property
    def disk_mb(self) -> int:
        """The size of each place that can be written, where a backend can bound it."""
        return 4 * self.file_mb


@dataclass(frozen=True)
class Program:
    """A submission's code, ready to run: the text of a script, or a notebook's code cells.

    `main` is the file's name as `__file__` and tracebacks show it; `texts` are a notebook's cells
    of text that a person reads, by grade id.
    """

    kind: Literal["script", "notebook"]
    main: str
    cells: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n\n".join(self.cells)


@dataclass(frozen=True)
class Submission:
    """One student's work as intake found it.

    `files` are the files beside the program (name -> bytes), the program's own included;
    `submitted_at` is ISO 8601 or "" when unknown. `notes` is what intake has to say of it
    (a file left out, an older version); they are no part of the digest.
    """

    student: str
    assignment: str
    program: Program
    files: Mapping[str, bytes]
    submitted_at: str = ""
    notes: tuple[str, ...] = ()
    origin: Mapping[str, Json] = field(default_factory=dict)
    """Whose it is and where it lay in the tool it came from, for the way back; not in the digest.

    `tool` names it (canvas, moodle, gradescope), `user` is the student's id there, `file` what
    the file or folder was called, `late` whether the tool marked it so.
    """
    attention: tuple[str, ...] = ()
    """What a person should look at, though the work is graded; not in the digest."""

    @property
    def digest(self) -> str:
        """`sha256:…` over the program and every file, in name order."""
        h = hashlib.sha256()
        h.update(json.dumps([self.program.kind, self.program.main, self.program.cells]).encode())
        for name in sorted(self.files):
            h.update(json.dumps([name, len(self.files[name])]).encode())
            h.update(self.files[name])
        if self.program.texts:
            h.update(json.dumps(dict(self.program.texts), sort_keys=True).encode())
        return "sha256:" + h.hexdigest()


@dataclass(frozen=True)
class ProbeRequest:
    """One question put to a box: which probe, with which secret inputs.

    `probe` is `module:function` below `inside/probes`, or `own:function` of the assignment's own
    probes.py. `start` says what the probe finds:
    `loaded` is a fork of the loaded program, `fresh` a process in which nothing of the
    student's has run yet and which the probe loads itself (`program.load()`).
    """

    probe: str
    args: Mapping[str, Json] = field(default_factory=dict)
    tensors: Mapping[str, Array] = field(default_factory=dict)
    start: Literal["loaded", "fresh"] = "loaded"
    check_s: float | None = None

    @cached_property
    def digest(self) -> str:
        """Content address: two checks that ask the same thing share one run of the probe."""
        h = hashlib.sha256()
        h.update(
            json.dumps(
                [self.probe, self.start, self.check_s, dict(self.args)], sort_keys=True
            ).encode()
        )
        for name in sorted(self.tensors):
            a = np.ascontiguousarray(self.tensors[name])
            h.update(json.dumps([name, a.dtype.str, a.shape]).encode())
            h.update(a.tobytes())
        return h.hexdigest()[:24]


@dataclass(frozen=True)
class ErrorInfo:
    """An exception of the student's code, as text. `line` is in the student's file or cell."""

    type: str
    message: str
    line: int | None = None
    cell: int | None = None
    traceback: str = ""

    @property
    def unread(self) -> bool:
        """Whether Python could not read the code at all."""
        return self.type in ("SyntaxError", "IndentationError", "TabError")

    def __str__(self) -> str:
        where = "" if self.line is None else f" at line {self.line}"
        if self.cell is not None:
            where += f" of code cell {self.cell + 1}"
        return f"{self.type}{where}: {self.message}" if self.message else f"{self.type}{where}"


@dataclass(frozen=True)
class Usage:
    """What a process used. `waited_s` of its wall time it was ready and no processor was free."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    max_rss_mb: float = 0.0
    waited_s: float = 0.0


EvidenceStatus = Literal[
    "done", "error", "timeout", "memory", "processes", "files", "disk", "output", "crash"
]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one probe brought out of the box: testimony, not truth. Two pieces are never equal, so
    that what a judge works out of one can be kept with it.

    `done`: `data` (JSON) and `tensors` hold what the probe returned. `error`: the student's
    code raised. The others say how the process ended; `detail` names the figure exceeded.
    `needs` names what the program needed and did not find where it ran ("the module 'pandas'").
    """

    status: EvidenceStatus
    data: Mapping[str, Json] = field(default_factory=dict)
    tensors: Mapping[str, Array] = field(default_factory=dict)
    error: ErrorInfo | None = None
    detail: str = ""
    usage: Usage = field(default_factory=Usage)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class LoadReport:
    """How the run of the program itself went.

    `status` as in `Evidence`; `errors` are the cells that raised (a script has one cell);
    `names` the public names it defined; `output` what it printed, capped; `data` what the
    recorder saw.
    """

    status: EvidenceStatus
    errors: tuple[ErrorInfo, ...] = ()
    names: tuple[str, ...] = ()
    output: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)
    detail: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class Job:
    """All that enters a box at its start. Nothing expected, no score, no other submission."""

    program: Program
    files: Mapping[str, bytes]
    limits: Limits
    data: Path | None = None
    """A torchvision root on the host, mounted read-only at `data/`."""
    gpu: bool = False
    """Whether the sandbox that runs it passes a GPU in."""
    probes: str = ""
    """The text of the assignment's own probes, which requests call `own:function`."""


@dataclass(frozen=True)
class Outcome:
    """A judge's answer for one check. `fraction` in [0, 1] of the check's points; `value` is the
    figure that was measured where a check measures one (an accuracy, in [0, 1]); `flag` is what a
    person should look at, and no student reads.
    """

    status: Status
    fraction: float = 0.0
    bugs: tuple[str, ...] = ()
    message: str = ""
    value: float | None = None
    flag: str = ""

    @classmethod
    def passed(cls, message: str = "") -> Outcome:
        return cls(Status.PASSED, 1.0, (), message)

    @classmethod
    def failed(cls, message: str, *bugs: str) -> Outcome:
        return cls(Status.FAILED, 0.0, bugs, message)

    @classmethod
    def partial(cls, fraction: float, message: str, *bugs: str) -> Outcome:
        return cls(Status.PARTIAL, min(max(fraction, 0.0), 1.0), bugs, message)

    @classmethod
    def not_checked(cls, message: str) -> Outcome:
        return cls(Status.NOT_CHECKED, 0.0, (), message)


@dataclass(frozen=True)
class Adjustment:
    """What a person decided about one check of a student's work, or (`check` "") about the whole.

    `add` changes the points by `points`, `set` puts them in place of what the checks gave,
    `comment` says something, `withdraw` takes back all that was decided there before. `bonus` lets
    `add` go above the maximum. `by` is whose decision it was, `when` is ISO 8601 in UTC;
    `submission` and `saw` are the work, and the points that the checks gave it, when it was made.
    """

    student: str
    assignment: str
    check: str
    kind: Literal["add", "set", "comment", "withdraw"]
    points: float
    reason: str
    by: str
    when: str
    submission: str = ""
    saw: float | None = None
    bonus: bool = False

    @property
    def lost(self) -> str:
        """What to say of it where there is nobody it could be about."""
        return (
            f"{self.by} decided about {self.check or 'the whole'} ({self.words}), and nobody has "
            "this name here; decide it again under the new one"
        )

    @property
    def words(self) -> str:
        """What a student reads of it."""
        if self.kind == "set":
            return f"{number(self.points)} points by hand: {self.reason}"
        if self.kind == "add":
            above = ", which may go above the maximum" if self.bonus else ""
            return f"{'+' * (self.points >= 0)}{number(self.points)} points{above}: {self.reason}"
        return self.reason


@dataclass(frozen=True)
class CheckResult:
    """One line of a result: a check's outcome with its points and its teaching."""

    id: str
    title: str
    task: int
    status: Status
    score: float
    max_score: float
    visibility: Visibility
    bugs: tuple[str, ...] = ()
    message: str = ""
    help: str = ""
    value: float | None = None
    """As in `Outcome`."""
    flag: str = ""
    """As in `Outcome`."""
    answer: str = ""
    """The student's text, of a check that a person reads."""
    rubric: tuple[tuple[float, str], ...] = ()
    """What that person gives points for: (points, line)."""
    adjusted: tuple[Adjustment, ...] = ()
    """What a person decided about it; status and score are then those after that."""


def total(checks: Iterable[CheckResult]) -> tuple[float, float, bool]:
    """(score, maximum, gradable): what is still open counts on neither side; one ungradable
    check makes the whole ungradable, for no point may be lost to our fault.
    """
    kept = [c for c in checks if c.status not in OPEN]
    score = round(sum(c.score for c in kept), 4)
    maximum = round(sum(c.max_score for c in kept), 4)
    return score, maximum, all(c.status is not Status.UNGRADABLE for c in kept)


@dataclass(frozen=True)
class Lateness:
    """What the course's late policy made of a submission's time (see `results/lateness.py`).

    `raw_score` is the score before `deducted` points were taken off; `due` the student's own
    deadline as ISO 8601, `after_s` the seconds since then (negative: in time), `days` the days
    begun that are charged. `late` may be so by another tool's word alone; then there is no `due`.
    """

    raw_score: float
    late: bool
    due: str = ""
    after_s: int = 0
    days: int = 0
    deducted: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class AlsoSeen:
    """What a finder saw in the student's own run and no check named; it costs no points.

    `bug` is an id of `bugs.py`, `message` one sentence; `line` is in the program (`cell` for a
    notebook, counted from 0), or in `file`, a module beside it.
    """

    bug: str
    message: str
    file: str = ""
    line: int | None = None
    cell: int | None = None

    def __str__(self) -> str:
        where = "" if self.line is None else f" (line {self.line}"
        if where and self.file:
            where = f" (in {self.file}, line {self.line}"
        elif where and self.cell is not None:
            where += f" of code cell {self.cell + 1}"
        return f"{self.bug}: {self.message}{where and where + ')'}"


RAISED = "while running the program: "
"""How the note of a result begins that says what a cell or a script raised."""


@dataclass(frozen=True)
class Result:
    """The grade of one submission; serialised as result.json (see `to_json`).

    `missing` is the row of somebody on the roster who handed in nothing; it is made when rows are
    made and never lies in a file.
    """

    assignment: str
    student: str
    submission: str
    status: Literal["graded", "ungradable", "missing"]
    score: float
    max_score: float
    checks: tuple[CheckResult, ...]
    notes: tuple[str, ...] = ()
    run: Mapping[str, Json] = field(default_factory=dict)
    environment: Mapping[str, Json] = field(default_factory=dict)
    submitted_at: str = ""
    late: Lateness | None = None
    """None where a due time or the submission's time is unknown."""
    origin: Mapping[str, Json] = field(default_factory=dict)
    """As in `Submission`."""
    attention: tuple[str, ...] = ()
    """What a person should look at, though there is a grade."""
    also_seen: tuple[AlsoSeen, ...] = ()
    """What the finders of `watch` saw in the student's own run beyond `bugs`."""
    gone: bool = False
    """Whether the student's work was not in the newest class of this assignment any more."""
    adjusted: tuple[Adjustment, ...] = ()
    """What a person decided about the whole."""
    seen: Result | None = None
    """The result as the checks made it, where a person's decision has changed it."""
    person: Mapping[str, str] = field(default_factory=dict)
    """What the roster says of the student, by column; not in result.json."""
    owner: str = ""
    """Who handed the work in, where a group shares it; not in result.json."""

    @classmethod
    def ungradable(
        cls,
        assignment: str,
        student: str,
        why: str,
        max_score: float = 0.0,
        *,
        submission: str = "",
        environment: Mapping[str, Json] = MappingProxyType({}),
        submitted_at: str = "",
        origin: Mapping[str, Json] = MappingProxyType({}),
    ) -> Result:
        """The result of work that could not be graded, with the reason; `assignment` is "" where it
        is not known.
        """
        return cls(
            assignment=assignment,
            student=student,
            submission=submission,
            status="ungradable",
            score=0.0,
            max_score=max_score,
            checks=(),
            notes=(why,),
            environment=dict(environment),
            submitted_at=submitted_at,
            origin=dict(origin),
        )

    @property
    def scored(self) -> bool:
        """Whether there is a score: what was graded, and what the late policy makes a zero."""
        return self.status == "graded" or (
            self.status == "missing" and self.late is not None and self.late.late
        )

    @property
    def raw_score(self) -> float:
        """The score before any deduction for lateness."""
        return self.score if self.late is None else self.late.raw_score

    @property
    def by_hand(self) -> tuple[CheckResult, ...]:
        """The checks whose points a person has still to enter."""
        return tuple(c for c in self.checks if c.status is Status.BY_HAND)

    @property
    def bugs(self) -> tuple[str, ...]:
        """Every bug id named, in the order of the checks, once each."""
        return tuple(dict.fromkeys(b for c in self.checks for b in c.bugs))

    def to_json(self) -> dict[str, Json]:
        """The `result.json` of the contract, schema 1, as plain values."""
        return {
            "schema": 1,
            "assignment": self.assignment,
            "student": self.student,
            "submission": self.submission,
            "status": self.status,
            "score": self.score,
            "max_score": self.max_score,
            "checks": [
                {
                    "id": c.id,
                    "title": c.title,
                    "task": c.task,
                    "status": str(c.status),
                    "score": c.score,
                    "max_score": c.max_score,
                    "visibility": str(c.visibility),
                    "bugs": list(c.bugs),
                    "message": c.message,
                    "help": c.help,
                    "value": c.value,
                    **({"flag": c.flag} if c.flag else {}),
                    **({"answer": c.answer, "rubric": list(c.rubric)} if c.rubric else {}),
                    **_listed(c.adjusted),
                }
                for c in self.checks
            ],
            "notes": list(self.notes),
            "run": dict(self.run),
            "environment": dict(self.environment),
            "submitted_at": self.submitted_at,
            "late": None if self.late is None else asdict(self.late),
            "origin": dict(self.origin),
            "attention": list(self.attention),
            **({"also_seen": [asdict(a) for a in self.also_seen]} if self.also_seen else {}),
            "gone": self.gone,
            **_listed(self.adjusted),
            **_seen(self.seen),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Json]) -> Result:
        """The inverse of `to_json`, for files this program wrote itself."""
        return cls(
            assignment=raw["assignment"],
            student=raw["student"],
            submission=raw["submission"],
            status=raw["status"],
            score=raw["score"],
            max_score=raw["max_score"],
            checks=tuple(
                CheckResult(
                    id=c["id"],
                    title=c["title"],
                    task=c["task"],
                    status=Status(c["status"]),
                    score=c["score"],
                    max_score=c["max_score"],
                    visibility=Visibility(c["visibility"]),
                    bugs=tuple(c["bugs"]),
                    message=c["message"],
                    help=c["help"],
                    value=c.get("value"),
                    flag=c.get("flag", ""),
                    answer=c.get("answer", ""),
                    rubric=tuple((float(p), str(line)) for p, line in c.get("rubric", ())),
                    adjusted=tuple(Adjustment(**a) for a in c.get("adjusted", ())),
                )
                for c in raw["checks"]
            ),
            notes=tuple(raw["notes"]),
            run=raw["run"],
            environment=raw["environment"],
            submitted_at=raw.get("submitted_at", ""),
            late=Lateness(**raw["late"]) if raw.get("late") else None,
            origin=raw.get("origin", {}),
            attention=tuple(raw.get("attention", ())),
            also_seen=tuple(AlsoSeen(**a) for a in raw.get("also_seen", ())),
            gone=raw.get("gone", False),
            adjusted=tuple(Adjustment(**a) for a in raw.get("adjusted", ())),
            seen=cls.from_json({**raw, **raw["seen"], "adjusted": (), "seen": None})
            if raw.get("seen")
            else None,
        )


def _seen(result: Result | None) -> dict[str, Json]:
    """What a person's decision changes of a result, as it was before."""
    if result is None:
        return {}
    keys = ("status", "score", "max_score", "checks", "late")
    return {"seen": {key: value for key, value in result.to_json().items() if key in keys}}


def _listed(adjusted: tuple[Adjustment, ...]) -> dict[str, Json]:
    return {"adjusted": [asdict(a) for a in adjusted]} if adjusted else {}


@dataclass(frozen=True)
class Graded:
    """A result with the evidence it rests on, by request digest."""

    result: Result
    load: LoadReport
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
