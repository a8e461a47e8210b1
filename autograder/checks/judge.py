"""From evidence to verdicts. Pure: no clock, no file, no box, no student code.

The judge asks for evidence through a function, `ask`, so that the same code grades live (a
box answers) and again (kept evidence answers). A check that rests on one that was not
passed is not asked at all.

Whose fault it is when a judge raises. A judge is a function of the context, which is ours, and of
the evidence, which is theirs. So the same judge is put the reference's answers to the same
questions, or to nobody's (see `credited`): where it gives credit to those, nothing but the evidence
can have made it raise, and that costs the check (`error`, with a flag for a person). Where it
raises over them too, or there are none to be had, the check is `ungradable` and never a zero. A box
that fails, while it is asked, is always our fault.

A check that is not passed is `ungradable`, too, where the program needed what the place of grading
lacks, such as a module that is not installed: whether the work is right cannot be told there.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ..bugs import BUGS, known
from ..course.config import Assignment, CheckSpec, did_you_mean, line_of
from ..errors import ConfigError, GraderError
from ..model import (
    OPEN,
    CheckResult,
    Evidence,
    LoadReport,
    Outcome,
    ProbeRequest,
    Status,
    Visibility,
)
from . import Calibration, Context, HiddenData, StandardCheck, own, registry
from .base import Inconclusive, Malformed
from .by_hand import NAME as BY_HAND
from .by_hand import rubric_of

Ask = Callable[[ProbeRequest], Evidence]
MESSAGE_CAP = 2_000
RAISED = "what your program answered here could not be judged; a person will look at it"
_CREDIT = {Status.PASSED, Status.PARTIAL}


@dataclass(frozen=True)
class World:
    """What judging depends on beside the evidence."""

    assignment: Assignment
    hidden: HiddenData | None = None
    calibration: Calibration | None = None
    device: str = "cpu"
    submission: str = ""
    """The digest of the work that is judged: on it depend the secret inputs."""
    reference: Ask | None = None
    """Answers as the box does, for the reference solution; None where that cannot be had."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """The texts that a person reads, by check."""
    lacks: frozenset[str] = frozenset()
    """Of what checks require, what the machine does not have."""

    @cached_property
    def own_names(self) -> Mapping[str, Any]:
        """What the assignment's own Python files define, read once for all checks."""
        return own.names(self.assignment)

    @cached_property
    def _own_checks(self) -> Mapping[str, StandardCheck]:
        return own.checks(self.assignment)

    def check(self, spec: CheckSpec) -> StandardCheck:
        """The check that an assignment's check is."""
        return check_of(self.assignment, spec, self._own_checks)

    def context(self, spec: CheckSpec) -> Context:
        return Context(
            self.assignment,
            self.check(spec).filled(spec),
            self.hidden,
            self.calibration,
            self.device,
            self.submission,
            self.own_names,
            self.reference,
        )


def check_of(
    assignment: Assignment, spec: CheckSpec, ours: Mapping[str, StandardCheck] | None = None
) -> StandardCheck:
    """The check behind an assignment's `use:` and `ask:`: its own, else the package's. `ours` are
    the assignment's own, where they have been read.

    Raises `ConfigError` where there is none.
    """
    ours = own.checks(assignment) if ours is None else ours
    found = ours.get(spec.key) or registry().get(spec.key)
    if found is None:
        what, remedy = _unknown(spec, ours)
        raise ConfigError(what, where=f"assignments/{assignment.id}/assignment.yml", remedy=remedy)
    return found


class _Asked(Mapping[str, Evidence]):
    """A check's evidence, each piece asked for when the judge first looks at it: what is only a
    second opinion costs nothing where the first is clear. `needs` is what the program was seen to
    need, and not to find, in the pieces that were asked for.
    """

    def __init__(self, requests: Mapping[str, ProbeRequest], ask: Ask) -> None:
        self._requests, self._ask = requests, ask
        self.needs: dict[str, None] = {}

    def __getitem__(self, label: str) -> Evidence:
        request = self._requests[label]
        try:
            evidence = self._ask(request)
        except GraderError:
            raise
        except Exception as e:
            raise GraderError(f"{request.probe} could not be asked: {type(e).__name__}: {e}") from e
        self.needs |= dict.fromkeys(evidence.needs)
        return evidence

    def __iter__(self) -> Iterator[str]:
        return iter(self._requests)

    def __len__(self) -> int:
        return len(self._requests)


def validate(assignment: Assignment, path: Path | None = None) -> None:
    """Raise `ConfigError` where a check names none that there is, or an option that it does not
    take, or one of another kind, or where its options do not fit together. `path` is the file,
    where the assignment was read from one.
    """
    where = path or Path("assignments") / assignment.id / "assignment.yml"
    world = World(assignment)
    ours = own.checks(assignment)
    open_names = own.names(assignment, public=True)

    def wrong(what: str, remedy: str, *keys: int | str) -> ConfigError:
        line = None if path is None else line_of(path, ("checks", *keys))
        return ConfigError(f"check '{spec.id}' {what}", where=where, line=line, remedy=remedy)

    for i, spec in enumerate(assignment.checks):
        found = ours.get(spec.key) or registry().get(spec.key)
        if found is None:
            what, remedy = _unknown(spec, ours)
            raise wrong(what, remedy, i, "ask" if what.startswith("asks") else "use")
        hidden = spec.key in ours and spec.use not in open_names
        if hidden and spec.visibility is Visibility.PUBLIC:
            remedy = f"move it to {own.PUBLIC}, which goes into the release"
            raise wrong(f"is public, and '{spec.use}' stands in {own.CHECKS}", remedy, i, "use")
        known = {o.name: o for o in found.options}
        for name, value in spec.options.items():
            if name not in known:
                takes = ", ".join(known) or "none"
                remedy = _near(name, known) or f"'{spec.key}' takes: {takes}"
                raise wrong(f"has the unknown option '{name}'", remedy, i, "with", name)
            if not known[name].fits(value):
                what = f"has the option '{name}' of another kind: {str(value)[:60]}"
                raise wrong(what, f"make it {known[name].words}", i, "with", name)
        lacking = [o.name for o in found.options if o.needed and o.name not in spec.options]
        if lacking:
            option = known[lacking[0]]
            raise wrong(
                f"lacks the option '{option.name}'", f"{option.words}: {option.meaning}", i, "use"
            )
        if found.examine is not None:
            try:
                found.examine(world.context(spec))
            except Malformed as e:
                raise wrong(str(e), e.remedy, i, "with") from e


def _unknown(spec: CheckSpec, ours: Iterable[str]) -> tuple[str, str]:
    """What is wrong with a `use:` and `ask:` that name no check, and the remedy."""
    families: dict[str, list[str]] = {}
    for name in [*registry(), *ours]:
        family, _, question = name.partition(".")
        families.setdefault(family, []).append(question)
    if spec.use not in families:
        listed = ", ".join(sorted(families))
        remedy = _near(spec.use, families) or f"use one of: {listed}"
        return f"uses '{spec.use}', which is no check", remedy
    questions = [q for q in families[spec.use] if q]
    if not questions:
        return f"asks '{spec.ask}', and '{spec.use}' asks one thing only", "leave `ask` out"
    listed = f"ask one of: {', '.join(questions)}"
    if not spec.ask:
        return f"uses '{spec.use}' without a question", listed
    what = f"asks '{spec.ask}', which is no question of '{spec.use}'"
    return what, _near(spec.ask, questions) or listed


def _near(word: str, known: Iterable[str]) -> str:
    return did_you_mean(word, known).removeprefix("; ")


def missing(assignment: Assignment, device: str, has: Callable[[str], bool]) -> frozenset[str]:
    """Of all that an assignment's checks require, what is not there; `has` tells of a module."""
    wanted = {name for spec in assignment.checks for name in spec.requires}
    return frozenset(n for n in wanted if not (device == n if n == "cuda" else has(n)))


def is_installed(module: str) -> bool:
    """Whether Python finds a module in this environment, which is the boxes' too."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


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


def _exists(assignment: Assignment, request: ProbeRequest) -> None:
    """Raise `GraderError` for a probe that the assignment's probes.py does not define: in the box
    that would look like an error of the student's.
    """
    module, _, function = request.probe.partition(":")
    if module == "own" and not own.asks(assignment, function):
        raise GraderError(f"{own.PROBES} of {assignment.id} defines no '{function}'")


def _outcome(world: World, spec: CheckSpec, load: LoadReport, ask: Ask) -> Outcome:
    if lacking := [r for r in spec.requires if r in world.lacks]:
        what = ", ".join(lacking)
        said = f"this part needs {what}, which is not there where it was graded; it costs nothing"
        return Outcome(Status.DEFERRED, 0.0, (), said)
    check = world.check(spec)
    context = world.context(spec)
    requests = check.requests(context)
    try:
        for request in requests.values():
            _exists(world.assignment, request)
    except GraderError as e:
        return _failed(str(e))
    asked = _Asked(requests, ask)
    try:
        outcome = check.judge(context, asked)
    except Inconclusive as e:
        outcome = e.outcome
    except GraderError:
        raise
    except Exception as e:  # noqa: BLE001 - whatever a judge raises has to be somebody's fault
        said = f"{type(e).__name__}: {e}"
        if world.reference is not None and credited(check, context, world.reference):
            flag = f"the judge raised over this evidence: {said}"
            return Outcome(Status.ERROR, 0.0, (), RAISED, flag=flag)
        return _failed(said)
    try:
        known(*outcome.bugs)
    except GraderError as e:
        return _failed(str(e))
    if asked.needs and outcome.status not in (Status.PASSED, Status.DEFERRED):
        return _lacking(asked.needs)
    return _unread(load, outcome)


def _failed(said: str) -> Outcome:
    """The outcome where the grader is at fault."""
    return Outcome(Status.UNGRADABLE, 0.0, (), f"the grader failed on this check: {said}")


def credited(check: StandardCheck, context: Context, reference: Ask) -> bool:
    """Whether a judge gives credit to the reference's answers: to the same questions or, where the
    reference cannot be asked those (a grader that travels carries answers only to what is asked of
    nobody in particular), to nobody's.
    """
    for asked in (context, replace(context, submission="")):
        try:
            found = check.judge(asked, _Asked(check.requests(asked), reference))
        except GraderError:
            continue
        except Exception:  # noqa: BLE001 - then the evidence is not shown to be what it raises over
            return False
        return found.status in _CREDIT
    return False


def _lacking(needs: Iterable[str]) -> Outcome:
    """The outcome where a program needs what the place of grading does not have."""
    what = ", ".join(needs)
    message = f"the program needs {what}, which is not there where it was graded; it costs nothing"
    if "the module '" in what:
        message += (
            " (install it there, list it under `modules:` in grading_config.yml, grade again)"
        )
    return Outcome(Status.UNGRADABLE, 0.0, (), message)


def _help(check: StandardCheck, spec: CheckSpec, outcome: Outcome) -> str:
    if outcome.status in (Status.PASSED, Status.NOT_CHECKED, Status.UNGRADABLE, *OPEN):
        return ""
    texts = [BUGS[bug].help for bug in outcome.bugs]
    return "\n\n".join(texts) or spec.help or check.help


def _unmet(spec: CheckSpec, done: dict[str, CheckResult]) -> Outcome | None:
    for need in spec.needs:
        if done[need].status in OPEN:
            return Outcome(Status.DEFERRED, 0.0, (), done[need].message)
        if done[need].status is Status.UNGRADABLE:
            return Outcome(Status.UNGRADABLE, 0.0, (), done[need].message)
        if done[need].status not in _CREDIT:
            return Outcome.not_checked(f"not checked, because it rests on “{done[need].title}”")
    return None


def judge(
    world: World, load: LoadReport, ask: Ask, reference: Ask | None = None
) -> tuple[CheckResult, ...]:
    """Every check of the assignment, in order. `reference` answers as `ask` does, for the reference
    solution; it is asked only where a judge raises. Raises `GraderError` only from `ask`.
    """
    stopped = fatal(load)
    done: dict[str, CheckResult] = {}
    for spec in world.assignment.checks:
        check = world.check(spec)
        alone = check.name == BY_HAND  # a person reads a text, whatever became of the program
        outcome = (not alone and stopped) or _unmet(spec, done) or _outcome(world, spec, load, ask)
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
            help=_help(check, spec, outcome),
            value=outcome.value,
            flag=outcome.flag[:MESSAGE_CAP],
            answer=world.answers.get(spec.id, "") if alone else "",
            rubric=rubric_of(spec) if alone else (),
        )
    return tuple(done.values())
