"""From evidence to verdicts. Pure: no clock, no file, no box, no student code.

The judge asks for evidence through a function, `ask`, so that the same code grades live (a
box answers) and again (kept evidence answers). A check that rests on one that was not
passed is not asked at all. A judge that raises is the grader's fault: its check becomes
`ungradable` and never a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .checks import Calibration, Context, HiddenData, StandardCheck, own, registry
from .checks.base import Inconclusive, Malformed
from .checks.by_hand import NAME as BY_HAND
from .checks.by_hand import rubric_of
from .checks.help import HELP
from .config import Assignment, CheckSpec, did_you_mean, line_of
from .errors import ConfigError, GraderError
from .model import CheckResult, Evidence, LoadReport, Outcome, ProbeRequest, Status, Visibility

Ask = Callable[[ProbeRequest], Evidence]
MESSAGE_CAP = 2_000
_CREDIT = {Status.PASSED, Status.PARTIAL}
OPEN = {Status.DEFERRED, Status.BY_HAND}
"""What counts on neither side: another machine, or a person, has still to look."""


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

    def check(self, spec: CheckSpec) -> StandardCheck:
        """The check that an assignment's check is."""
        return check_of(self.assignment, spec)

    def context(self, spec: CheckSpec) -> Context:
        return Context(
            self.assignment,
            self.check(spec).filled(spec),
            self.hidden,
            self.calibration,
            self.device,
            self.submission,
            own.names(self.assignment),
            self.reference,
        )


def check_of(assignment: Assignment, spec: CheckSpec) -> StandardCheck:
    """The check behind an assignment's `use:` and `ask:`: its own, else the package's.

    Raises `ConfigError` where there is none.
    """
    ours = own.checks(assignment)
    found = ours.get(spec.key) or registry().get(spec.key)
    if found is None:
        what, remedy = _unknown(spec, ours)
        raise ConfigError(what, where=f"assignments/{assignment.id}/assignment.yml", remedy=remedy)
    return found


class _Asked(Mapping[str, Evidence]):
    """A check's evidence, each piece asked for when the judge first looks at it: what is only a
    second opinion costs nothing where the first is clear.
    """

    def __init__(self, requests: Mapping[str, ProbeRequest], ask: Ask) -> None:
        self._requests, self._ask = requests, ask

    def __getitem__(self, label: str) -> Evidence:
        return self._ask(self._requests[label])

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
            raise wrong(what, remedy, i, "ask" if spec.ask else "use")
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


def fatal(load: LoadReport) -> Outcome | None:
    """The outcome of every check where the program itself did not come to an end."""
    if load.status in ("done", "error"):
        return None
    status = {"timeout": Status.TIMEOUT, "memory": Status.MEMORY}.get(load.status, Status.ERROR)
    ended = load.status == "crash"
    what = "your program's process ended by itself" if ended else "your program was stopped"
    return Outcome(status, 0.0, (), f"{what} before it could be checked: {load.detail}")


def _outcome(world: World, spec: CheckSpec, ask: Ask) -> Outcome:
    if lacking := [r for r in spec.requires if r in world.lacks]:
        what = ", ".join(lacking)
        said = f"this part needs {what}, which is not there where it was graded; it costs nothing"
        return Outcome(Status.DEFERRED, 0.0, (), said)
    check = world.check(spec)
    context = world.context(spec)
    try:
        return check.judge(context, _Asked(check.requests(context), ask))
    except Inconclusive as e:
        return e.outcome
    except GraderError:
        raise
    except Exception as e:  # noqa: BLE001 - our own fault must not become a student's zero
        where = f"{type(e).__name__}: {e}"
        return Outcome(Status.UNGRADABLE, 0.0, (), f"the grader failed on this check: {where}")


def _help(check: StandardCheck, spec: CheckSpec, outcome: Outcome) -> str:
    if outcome.status in (Status.PASSED, Status.NOT_CHECKED, Status.UNGRADABLE, *OPEN):
        return ""
    texts = [HELP[bug] for bug in outcome.bugs if bug in HELP]
    return "\n\n".join(texts) or spec.help or check.help


def _unmet(spec: CheckSpec, done: dict[str, CheckResult]) -> Outcome | None:
    for need in spec.needs:
        if done[need].status in OPEN:
            return Outcome(Status.DEFERRED, 0.0, (), done[need].message)
        if done[need].status not in _CREDIT:
            return Outcome.not_checked(f"not checked, because it rests on “{done[need].title}”")
    return None


def judge(world: World, load: LoadReport, ask: Ask) -> tuple[CheckResult, ...]:
    """Every check of the assignment, in order. Raises `GraderError` only from `ask`."""
    stopped = fatal(load)
    done: dict[str, CheckResult] = {}
    for spec in world.assignment.checks:
        check = world.check(spec)
        alone = check.name == BY_HAND  # a person reads a text, whatever became of the program
        outcome = (not alone and stopped) or _unmet(spec, done) or _outcome(world, spec, ask)
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
            answer=world.answers.get(spec.id, "") if alone else "",
            rubric=rubric_of(spec) if alone else (),
        )
    return tuple(done.values())


def total(checks: Iterable[CheckResult]) -> tuple[float, float, bool]:
    """(score, maximum, gradable): what is still open counts on neither side; one ungradable
    check makes the whole ungradable, for no point may be lost to our fault.
    """
    kept = [c for c in checks if c.status not in OPEN]
    score = round(sum(c.score for c in kept), 4)
    maximum = round(sum(c.max_score for c in kept), 4)
    return score, maximum, all(c.status is not Status.UNGRADABLE for c in kept)
