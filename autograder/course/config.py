"""Configuration as frozen, typed values; an unknown key is refused with file, line and remedy.

Two kinds of file, both YAML:

    grading_config.yml              the course: order, weights, limits, late policy, feedback
    assignments/<id>/assignment.yml one assignment's hidden half: checks, data, limits, seed
    release/<id>/public.yml         its public part, the same shape with public checks only

PyYAML builds the tree, pydantic checks it, and the node marks of the YAML tree give the
line of whatever pydantic refuses.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_origin
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from ..errors import ConfigError
from ..model import Limits, Visibility

T = TypeVar("T", bound="Strict")
RELEASED = "checks"
"""The folder of a release in which the code of its public checks lies."""
ID_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
MODULES = (
    "torch", "torchvision", "numpy", "matplotlib", "PIL", "tqdm", "rich", "IPython", "safetensors",
)  # fmt: skip
"""What a submission may import wherever it is graded, beside Python's own modules."""


class Strict(BaseModel):
    """Base of every section: frozen, no unknown keys, no silent coercion of strings."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _moment(value: object) -> object:
    """A time as ISO 8601 text, whether YAML took it for a time or for text; with its hour, since
    midnight at a day's beginning is hardly ever what a bare date is meant to say.
    """
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date) or (isinstance(value, str) and len(value) <= 10):
        raise ValueError(f"{value} has no time of day; write 2026-03-01T23:59:00+01:00")
    if isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError as e:
            raise ValueError(f"'{value}' is not a time; write 2026-03-01T23:59:00+01:00") from e
    return value


Moment = Annotated[str, BeforeValidator(_moment)]
"""A point in time, ISO 8601 with its offset; without one it is in the course's time zone."""


def instant(text: str, zone: tzinfo | None = None) -> datetime:
    """The instant an ISO 8601 time names, with its offset; without one it is in `zone`, else UTC.

    An hour that the clocks of `zone` show twice is taken for the first. Raises `ValueError` where
    it is no time.
    """
    when = datetime.fromisoformat(text)
    return when if when.tzinfo else when.replace(tzinfo=zone or UTC)


def _zone(name: object) -> object:
    """A time zone's name, checked: `Europe/Berlin`, `America/New_York`, `UTC`."""
    if not isinstance(name, str):
        raise ValueError("a time zone is a name, as Europe/Berlin or America/New_York")
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as e:
        known = available_timezones()
        raise ValueError(f"there is no time zone '{name}'{did_you_mean(name, known)}") from e
    return name


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` where a known word is near, else ""."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


class LimitsSpec(Strict):
    """The limits a file states; what it leaves out comes from the level above."""

    wall_s: float | None = Field(None, gt=0, le=86_400)
    check_s: float | None = Field(None, gt=0, le=86_400)
    cpu_s: float | None = Field(None, gt=0, le=86_400)
    memory_mb: int | None = Field(None, ge=256)
    processes: int | None = Field(None, ge=1, le=4096)
    file_mb: int | None = Field(None, ge=1)
    output_kb: int | None = Field(None, ge=1, le=65_536)
    total_s: float | None = Field(None, gt=0, le=86_400)
    total_cpu_s: float | None = Field(None, gt=0, le=864_000)

    def over(self, base: Limits) -> Limits:
        """`base` with what this section states put in its place."""
        stated = {k: v for k, v in self.model_dump().items() if v is not None}
        return Limits(**{**base.__dict__, **stated})


class DataSpec(Strict):
    """Which images an assignment works on, and how many the mounted root holds.

    `train`, `test` and `hidden` are upper bounds in images; the root is a stratified,
    seeded subset of the real one, `hidden` images are set aside from its `t10k`.
    """

    dataset: Literal["mnist", "fashion-mnist"]
    train: int = Field(gt=0)
    test: int = Field(gt=0)
    hidden: int = Field(gt=0)


class CheckSpec(Strict):
    """One check of an assignment: which check it is, for how much, and with what options.

    `use` names a family of checks or one of the assignment's own, `ask` the question of a family
    that has several. `requires` are what the machine that grades must have for it: `cuda`, or
    modules as an import names them; where one is absent the check is `deferred`.
    """

    id: str = Field(pattern=ID_PATTERN)
    use: str
    ask: str = ""
    title: str
    task: int = Field(ge=0)
    points: float = Field(ge=0)
    visibility: Visibility = Visibility.HIDDEN
    needs: tuple[str, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict, alias="with")
    help: str = ""
    check_s: float | None = Field(None, gt=0)
    requires: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name of the check: `use`, or `use.ask`."""
        return f"{self.use}.{self.ask}" if self.ask else self.use


class Assignment(Strict):
    """An assignment as the grader needs it."""

    id: str = Field(pattern=ID_PATTERN)
    title: str
    version: int = Field(ge=1)
    module: str = Field(pattern=r"^[a-z_][a-z0-9_]*$")
    seed: int = 0
    secret: str = ""
    """A word that nobody can guess: with it and a submission's digest are secret inputs drawn. (The
    seed also cuts the images, which a box shows, and a short one could be found by trying.)
    """
    data: DataSpec | None = None
    limits: LimitsSpec = LimitsSpec()
    checks: tuple[CheckSpec, ...]
    shown: tuple[str | int | float, ...] = ()
    """Lines of the solution and numbers of hidden checks that the handout states on purpose."""
    _folder: Path | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path | None:
        """Where it was read, and where its own checks.py and probes.py lie; None where it was not
        read from a file.
        """
        return self._folder

    @model_validator(mode="after")
    def _consistent(self) -> Assignment:
        seen: set[str] = set()
        for check in self.checks:
            if check.id in seen:
                raise ValueError(f"check id '{check.id}' is used twice; ids must be unique")
            for need in check.needs:
                if need not in seen:
                    raise ValueError(
                        f"check '{check.id}' needs '{need}', which is not a check above it"
                        + did_you_mean(need, seen)
                    )
            seen.add(check.id)
        return self

    @property
    def points(self) -> float:
        """The maximum score."""
        return sum(check.points for check in self.checks)

    def public(self) -> Assignment:
        """The part a student may see: public checks, and a seed of its own."""
        kept = tuple(c for c in self.checks if c.visibility is Visibility.PUBLIC)
        ids = {c.id for c in kept}
        kept = tuple(
            c.model_copy(update={"needs": tuple(n for n in c.needs if n in ids)}) for c in kept
        )
        return self.model_copy(update={"checks": kept, "seed": 0, "secret": "", "shown": ()})


Student = Annotated[str, BeforeValidator(lambda key: str(key) if isinstance(key, int) else key)]
"""Whom a key names; an id that is a number need not stand in quotes."""


class LatePolicy(Strict):
    """What lateness costs: `per_day` is a fraction of the maximum score, `cap` its limit.

    `extensions` are later deadlines by assignment and student (the name in grades.csv, an id or
    address of the roster, or the id, login or address by which Canvas, Moodle or Gradescope know
    the student). `zero_after_days` is when nothing handed in becomes a zero, in days of 24 hours
    after the student's own deadline; never, where it is left out.
    """

    grace_minutes: int = Field(0, ge=0)
    per_day: float = Field(0.0, ge=0, le=1)
    cap: float = Field(1.0, ge=0, le=1)
    zero_after_days: float | None = Field(None, ge=0, le=3660)
    extensions: dict[str, dict[Student, Moment]] = Field(default_factory=dict)


class Feedback(Strict):
    """What a feedback page shows of hidden checks: the whole line, its title, or nothing."""

    hidden: Literal["full", "title", "none"] = "full"


ModuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")]
"""A module as an import statement names it: `sklearn`, and not `scikit-learn`."""


class Course(Strict):
    """grading_config.yml."""

    course: str
    assignments: tuple[str, ...]
    weights: dict[str, float] = Field(default_factory=dict)
    limits: LimitsSpec = LimitsSpec()
    devices: tuple[Literal["cpu", "cuda"], ...] = ("cpu",)
    due: dict[str, Moment] = Field(default_factory=dict)
    timezone: Annotated[str, BeforeValidator(_zone)] | None = None
    """The zone of every time that states no offset; without it such times are UTC's."""
    late: LatePolicy = LatePolicy()
    feedback: Feedback = Feedback()
    data: Path | None = None
    modules: tuple[ModuleName, ...] = ()
    """What students may import beside `MODULES`; installed in the environment that grades."""
    roster: Path | None = None
    """A CSV of the course's students (`results/roster.py`)."""
    group_work: tuple[str, ...] | None = None
    """The assignments that the roster's groups hand in together; all, where it is left out."""

    @model_validator(mode="after")
    def _known(self) -> Course:
        for section, mapping in (("weights", self.weights), ("due", self.due)):
            for key in mapping:
                if key not in self.assignments:
                    near = did_you_mean(key, self.assignments)
                    raise ValueError(f"{section} names '{key}', which is not in assignments{near}")
        for key in self.group_work or ():
            if key not in self.assignments:
                near = did_you_mean(key, self.assignments)
                raise ValueError(f"group_work names '{key}', which is not in assignments{near}")
        for key, granted in self.late.extensions.items():
            if key not in self.due:
                near = did_you_mean(key, self.due)
                raise ValueError(f"late.extensions names '{key}', which has no due time{near}")
            for student, until in granted.items():
                if instant(until, self.zone) < instant(self.due[key], self.zone):
                    raise ValueError(f"the extension of '{student}' ends before '{key}' is due")
        return self

    @property
    def zone(self) -> tzinfo | None:
        """The course's time zone, None where it states none."""
        return None if self.timezone is None else ZoneInfo(self.timezone)

    @property
    def floating(self) -> tuple[str, ...]:
        """The times that have neither an offset nor a zone, which are taken for UTC's."""
        granted = [until for one in self.late.extensions.values() for until in one.values()]
        times = [*self.due.values(), *granted] if self.timezone is None else []
        return tuple(t for t in times if datetime.fromisoformat(t).tzinfo is None)


def _line(node: yaml.Node | None, path: tuple[int | str, ...]) -> int | None:
    """The 1-based line of the value at `path`, or of the nearest parent that exists."""
    line = None if node is None else node.start_mark.line + 1
    for step in path:
        if isinstance(node, yaml.MappingNode):
            pair = next(((k, v) for k, v in node.value if k.value == str(step)), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def line_of(path: Path, keys: tuple[int | str, ...]) -> int | None:
    """The line of a YAML file at which the value at `keys` stands; None where it cannot be told."""
    try:
        return _line(yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader), keys)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None


def _twice(node: yaml.Node | None, seen: set[int] | None = None) -> yaml.Node | None:
    """A key that stands twice in one mapping, of which YAML would silently take the last."""
    seen = set() if seen is None else seen
    if node is None or id(node) in seen:  # what an anchor names stands in several places
        return None
    seen.add(id(node))
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        names: set[str] = set()
        for key, value in node.value:
            if key.value in names:
                return key  # type: ignore[no-any-return] # a node, as yaml's stubs do not say
            names.add(str(key.value))
            inner.append(value)
    elif isinstance(node, yaml.SequenceNode):
        inner = list(node.value)
    return next((found for one in inner if (found := _twice(one, seen)) is not None), None)


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The keys allowed where pydantic met an unknown one (`path` ends in that key)."""
    current: Any = model
    named = False
    for step in path[:-1]:
        if isinstance(step, int) or named:  # one of a list, or of a mapping by any names
            named = False
            continue
        fields = getattr(current, "model_fields", {})
        field = next((f for n, f in fields.items() if step in (n, f.alias)), None)
        if field is None:
            return []
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        current = next((c for c in candidates if hasattr(c, "model_fields")), None)
        named = get_origin(field.annotation) is dict
    return [f.alias or n for n, f in getattr(current, "model_fields", {}).items()]


def load(path: Path, model: type[T]) -> T:
    """Read and check one YAML file.

    Raises `ConfigError` with file, line and remedy for a missing file, bad YAML, an
    unknown key, or a value of the wrong kind.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"cannot be read: {e}", where=path, remedy="check the path") from e
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        raise ConfigError(
            f"is not valid YAML: {getattr(e, 'problem', None) or e}",
            where=path,
            line=None if mark is None else mark.line + 1,
            remedy="mend the indentation or quoting there",
        ) from e
    if not isinstance(raw, dict):
        raise ConfigError("must be a mapping of keys to values", where=path, line=1)
    twice = _twice(node)
    if twice is not None:
        line = twice.start_mark.line + 1
        what = f"the key '{twice.value}' stands twice, and only the last would count"
        raise ConfigError(what, where=path, line=line, remedy="remove one of them")
    try:
        return model.model_validate(raw)
    except ValidationError as e:
        # A misspelt key is also a missing one; the misspelling is what the reader wants to hear.
        found = e.errors()
        first = next((x for x in found if x["type"] == "extra_forbidden"), found[0])
        place = first["loc"]
        key = ".".join(str(p) for p in place)
        if first["type"] == "extra_forbidden":
            known = _known_keys(model, place)
            near = difflib.get_close_matches(str(place[-1]), known, n=1)
            remedy = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
            what = f"unknown key '{key}'"
        elif first["type"] == "missing":
            what, remedy = f"the key '{key}' is missing", "add it"
        else:
            said = first["msg"].removeprefix("Value error, ")
            what = f"'{key}': {said}" if key else said
            remedy = "correct the value"
        raise ConfigError(what, where=path, line=_line(node, place), remedy=remedy) from e


@lru_cache(maxsize=64)
def course(root: Path) -> Course:
    """The course configuration of the repository at `root`.

    A relative `data` is a folder of the repository, where it has one of that name; a relative
    `roster` is a file of the repository.
    """
    read = load(root / "grading_config.yml", Course)
    own = None if read.data is None else root.resolve() / read.data
    if own is not None and own.is_dir():
        read = read.model_copy(update={"data": own})
    if read.roster is not None:
        read = read.model_copy(update={"roster": root.resolve() / read.roster})
    return read


def modules_of(root: Path) -> tuple[str, ...]:
    """The modules that the course at `root` lists; none where there is no course."""
    return course(root).modules if (root / "grading_config.yml").is_file() else ()


def requirements(modules: Iterable[str]) -> list[str]:
    """The distributions that hold these modules here, as `name==version`, in name order.

    Raises `ConfigError` for a module that no distribution of this environment holds.
    """
    wanted = list(modules)
    holders = metadata.packages_distributions() if wanted else {}
    found: set[str] = set()
    for module in wanted:
        names = holders.get(module.partition(".")[0], [])
        if not names:
            raise ConfigError(
                f"modules: '{module}' is not installed in this environment",
                where="grading_config.yml",
                remedy=f"{sys.executable} -m pip install the package that holds it",
            )
        found |= {f"{name}=={metadata.version(name)}" for name in names}
    return sorted(found)


@lru_cache(maxsize=64)
def assignment(path: Path) -> Assignment:
    """One assignment from its `assignment.yml` or `public.yml`."""
    found = load(path, Assignment)
    here = path.resolve().parent
    inner = here if path.name == "assignment.yml" else here / RELEASED
    found._folder = inner  # noqa: SLF001 - known here, and stated by nobody
    return found


def limits_for(spec: Assignment, over: Course | None) -> Limits:
    """Built-in limits, under the course's, under the assignment's."""
    base = Limits()
    if over is not None:
        base = over.limits.over(base)
    return spec.limits.over(base)
