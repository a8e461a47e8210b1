"""From evidence to verdicts. Pure: no clock, no file, no box, no student code.

The judge asks for evidence through a function, `ask`, so that the same code grades live (a
box answers) and again (kept evidence answers). A check that rests on one that was not
passed is not asked at all. A judge that raises is the grader's fault: its check becomes
`ungradable` and never a zero.

So does a check that is not passed where the program needed what the place of grading lacks, such as
a module that is not installed: whether the work is right cannot be told there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .checks import Calibration, Context, HiddenData, registry
from .checks.base import Inconclusive
from .checks.help import HELP
from .config import Assignment, CheckSpec
from .errors import ConfigError, GraderError
from .model import CheckResult, Evidence, LoadReport, Outcome, ProbeRequest, Status

Ask = Callable[[ProbeRequest], Evidence]
MESSAGE_CAP = 2_000
_CREDIT = {Status.PASSED, Status.PARTIAL}


@dataclass(frozen=True)
class World:
    """What judging depends on beside the evidence."""

    assignment: Assignment
    hidden: HiddenData | None = None
    calibration: Calibration | None = None
    device: str = "cpu"

    def context(self, spec: CheckSpec) -> Context:
        return Context(self.assignment, spec, self.hidden, self.calibration, self.device)


class _Asked(Mapping[str, Evidence]):
    """A check's evidence, each piece asked for when the judge first looks at it: what is only a
    second opinion costs nothing where the first is clear. `needs` is what the program was seen to
    need, and not to find, in the pieces that were asked for.
    """

    def __init__(self, requests: Mapping[str, ProbeRequest], ask: Ask) -> None:
        self._requests, self._ask = requests, ask
        self.needs: dict[str, None] = {}

    def __getitem__(self, label: str) -> Evidence:
        evidence = self._ask(self._requests[label])
        self.needs |= dict.fromkeys(evidence.needs)
        return evidence

    def __iter__(self) -> Iterator[str]:
        return iter(self._requests)

    def __len__(self) -> int:
        return len(self._requests)


def validate(assignment: Assignment) -> None:
    """Raise `ConfigError` where a check's `use:` names no standard check."""
    for spec in assignment.checks:
        if spec.use not in registry():
            raise ConfigError(
                f"check '{spec.id}' uses '{spec.use}', which is no standard check",
                where=f"assignments/{assignment.id}/assignment.yml",
                remedy=f"use one of: {', '.join(sorted(registry()))}",
            )


def fatal(load: LoadReport) -> Outcome | None:
    """The outcome of every check where the program did not begin, or not come to an end."""
    if load.status in ("done", "error"):
        if load.data.get("unread") is True and load.errors:
            return Outcome(Status.ERROR, 0.0, (), f"Python cannot read your code: {load.errors[0]}")
        return None
    status = {"timeout": Status.TIMEOUT, "memory": Status.MEMORY}.get(load.status, Status.ERROR)
    ended = load.status == "crash"
    what = "your program's process ended by itself" if ended else "your program was stopped"
    return Outcome(status, 0.0, (), f"{what} before it could be checked: {load.detail}")


def _unread(load: LoadReport, outcome: Outcome) -> Outcome:
    """A check's outcome, where a cell that Python cannot read explains that a name is missing."""
    unread = next((e for e in load.errors if e.unread), None)
    if unread is None or "missing_name" not in outcome.bugs:
        return outcome
    bugs = tuple(b for b in outcome.bugs if b != "missing_name")
    said = f"Python cannot read your code: {unread}"
    more = "" if unread.message in outcome.message else f"; {outcome.message}"
    return Outcome(Status.ERROR, 0.0, bugs, said + more)


def _outcome(world: World, spec: CheckSpec, load: LoadReport, ask: Ask) -> Outcome:
    check = registry()[spec.use]
    context = world.context(spec)
    asked = _Asked(check.requests(context), ask)
    try:
        outcome = check.judge(context, asked)
    except Inconclusive as e:
        outcome = e.outcome
    except GraderError:
        raise
    except Exception as e:  # noqa: BLE001 - our own fault must not become a student's zero
        where = f"{type(e).__name__}: {e}"
        return Outcome(Status.UNGRADABLE, 0.0, (), f"the grader failed on this check: {where}")
    if asked.needs and outcome.status not in (Status.PASSED, Status.DEFERRED):
        return _lacking(asked.needs)
    return _unread(load, outcome)


def _lacking(needs: Iterable[str]) -> Outcome:
    """The outcome where a program needs what the place of grading does not have."""
    what = ", ".join(needs)
    message = f"the program needs {what}, which is not there where it was graded; it costs nothing"
    if "the module '" in what:
        message += (
            " (install it there, list it under `modules:` in grading_config.yml, grade again)"
        )
    return Outcome(Status.UNGRADABLE, 0.0, (), message)


def _help(spec: CheckSpec, outcome: Outcome) -> str:
    if outcome.status in (Status.PASSED, Status.NOT_CHECKED, Status.DEFERRED, Status.UNGRADABLE):
        return ""
    texts = [HELP[bug] for bug in outcome.bugs if bug in HELP]
    return "\n\n".join(texts) or spec.help or registry()[spec.use].help


def _unmet(spec: CheckSpec, done: dict[str, CheckResult]) -> Outcome | None:
    for need in spec.needs:
        if done[need].status in (Status.DEFERRED, Status.UNGRADABLE):
            return Outcome(done[need].status, 0.0, (), done[need].message)
        if done[need].status not in _CREDIT:
            return Outcome.not_checked(f"not checked, because it rests on “{done[need].title}”")
    return None


def judge(world: World, load: LoadReport, ask: Ask) -> tuple[CheckResult, ...]:
    """Every check of the assignment, in order. Raises `GraderError` only from `ask`."""
    stopped = fatal(load)
    done: dict[str, CheckResult] = {}
    for spec in world.assignment.checks:
        outcome = stopped or _unmet(spec, done) or _outcome(world, spec, load, ask)
        done[spec.id] = CheckResult(
            id=spec.id,
            title=spec.title,
            task=spec.task,
            status=outcome.status,
            score=round(spec.points * outcome.fraction, 4) if outcome.status in _CREDIT else 0.0,
            max_score=spec.points,
            visibility=spec.visibility,
            bugs=outcome.bugs,
            message=outcome.message[:MESSAGE_CAP],
            help=_help(spec, outcome),
            value=outcome.value,
        )
    return tuple(done.values())


def total(checks: Iterable[CheckResult]) -> tuple[float, float, bool]:
    """(score, maximum, gradable): deferred checks count on neither side; one ungradable
    check makes the whole ungradable, for no point may be lost to our fault.
    """
    kept = [c for c in checks if c.status is not Status.DEFERRED]
    score = round(sum(c.score for c in kept), 4)
    maximum = round(sum(c.max_score for c in kept), 4)
    return score, maximum, all(c.status is not Status.UNGRADABLE for c in kept)
