"""What a check is, how it is declared, and what its judge may know.

A check is two pure functions around a box: `requests` says which probes to run with which
secret inputs, `judge` turns the evidence into an outcome. Both see a `Context` and nothing
else, so a grade depends on (assignment, evidence, calibration) alone and can be taken again
from kept evidence without running a line of student code.

It is declared in one place, by a decorator on its judge:

    @check(
        bugs=("wrong_value", "missing_name"),
        help="Adding one number to all logits of a row changes no probability.",
        main=lambda ctx: probe("rows", {}, {"logits": secret(ctx)}),
    )
    def stable_rows(ctx: Context, main: Evidence) -> Outcome: ...

Each further keyword names a piece of evidence and says how it is asked for; the judge gets it under
that name. A parameter annotated `Later` is asked for only when it is called.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, cast

import numpy as np

from ..bugs import known
from ..course.config import Assignment, CheckSpec
from ..errors import GraderError
from ..model import Array, Evidence, Json, Outcome, ProbeRequest, Status

VARIANTS = 8
"""How many sets of shared questions there are. To simulate every known bug of one takes 0.3 to
1.1 s of CPU time (4 s for three epochs of assignment 04) and up to 14 MB, and is done where a loop
is not the correct one: a class of any size pays that eight times at most.
"""


@dataclass(frozen=True)
class HiddenData:
    """Images set aside from the mounted root, with the labels the box never sees.

    images: (N, 28, 28) uint8; labels: (N,) int64. `dataset` names the root's content
    (`mnist`, `fashion-mnist`, `digits`), `fingerprint` is the key of its calibration.
    """

    dataset: str
    fingerprint: str
    images: Array
    labels: Array


@dataclass(frozen=True)
class Calibration:
    """The reference solution's spread on exactly this root: accuracies in [0, 1].

    `measured` says where and by what (`grading.calibration.place`); empty where that was not kept.
    """

    accuracies: tuple[float, ...]
    threshold: float
    floor: float
    measured: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What `requests` and `judge` may know of the world."""

    assignment: Assignment
    spec: CheckSpec
    hidden: HiddenData | None = None
    calibration: Calibration | None = None
    device: str = "cpu"
    submission: str = ""
    """As in `judge.World`; "" where it is nobody's in particular."""
    names: Mapping[str, Any] = field(default_factory=dict)
    """What the assignment's own checks.py defines, by name."""
    reference: Callable[[ProbeRequest], Evidence] | None = None
    """Answers a request for the reference solution; None where that cannot be had."""

    def rng(self, name: str, *, shared: bool = False) -> np.random.Generator:
        """Secret randomness: the same for the same assignment, submission and `name`, so that what
        one submission may have told of its questions is of no use to the next. `shared`: one of
        `VARIANTS`, for questions whose answers take long to work out; a class then shares them.
        """
        spec = self.assignment
        key = f"{spec.id}/{spec.version}/{spec.seed}/{name}"
        if self.submission:
            whose = f"variant {self.variant}" if shared else self.submission
            key = f"{key}/{spec.secret}/{whose}"
        return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]))

    @property
    def variant(self) -> int:
        """Which of the sets of shared questions is this submission's."""
        spec = self.assignment
        key = f"{spec.id}/{spec.version}/{spec.seed}/{spec.secret}/{self.submission}"
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % VARIANTS

    @property
    def seed(self) -> int:
        """What a probe seeds its draws with: it enters the box, so it is not the assignment's."""
        if not self.submission:
            return self.assignment.seed
        return int(self.rng("seed", shared=True).integers(2**31))

    def right(self, request: ProbeRequest) -> Evidence:
        """What the reference solution answers. Raises `GraderError` where that is not known."""
        if self.reference is None:
            raise GraderError(
                f"the reference's answers for the check '{self.spec.id}' are not here",
                remedy="grade where the assignment's source is, or package the assignment anew",
            )
        return self.reference(request)

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the check's `with:` section; where that leaves it out, the default that the
        check declares for it.
        """
        return self.spec.options.get(name, default)


class Inconclusive(Exception):  # noqa: N818 - an answer, not an error
    """Evidence that ends the judging early, with the outcome it stands for."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def require(evidence: Evidence) -> Evidence:
    """The evidence if the probe ran through; else raises `Inconclusive` with what happened."""
    if evidence.status == "done":
        return evidence
    error = evidence.error
    if error is not None and error.type == "MissingName":
        raise Inconclusive(Outcome.failed(f"{error.message}", "missing_name"))
    if error is not None and error.type == "NotImplementedError":
        raise Inconclusive(
            Outcome.failed("not written yet: the stub still raises NotImplementedError")
        )
    words = {
        "error": f"your code raised {error}",
        "crash": f"the process ended by itself: {evidence.detail}",
    }.get(evidence.status, f"stopped: {evidence.detail}")
    status = {"timeout": Status.TIMEOUT, "memory": Status.MEMORY}.get(evidence.status, Status.ERROR)
    raise Inconclusive(Outcome(status, 0.0, (), words))


def place(error: Mapping[str, Any]) -> str:
    """Where a program stopped, as " at line 3 of code cell 2": what the box tells of an error has a
    `line`, and of a notebook the `cell`, counted from 0; "" where it tells none.
    """
    line, cell = error.get("line"), error.get("cell")
    if not isinstance(line, int):
        return ""
    return f" at line {line}" + (f" of code cell {cell + 1}" if isinstance(cell, int) else "")


def field_of(evidence: Evidence, name: str, kind: type | tuple[type, ...]) -> Json:
    """A value of the evidence, or `Inconclusive` if it is absent or of another type.

    Evidence is untrusted: a judge takes every field through here or through `tensor_of`.
    """
    value = evidence.data.get(name)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind in (int, float)):
        raise Inconclusive(
            Outcome(Status.ERROR, 0.0, (), f"the probe's answer was tampered with: '{name}'")
        )
    return value


def tensor_of(evidence: Evidence, name: str, shape: tuple[int | None, ...] | None = None) -> Array:
    """A tensor of the evidence, of the asked-for shape (None: any length), else `Inconclusive`."""
    array = evidence.tensors.get(name)
    fits = array is not None and (
        shape is None
        or (
            array.ndim == len(shape)
            and all(
                want is None or want == got for want, got in zip(shape, array.shape, strict=True)
            )
        )
    )
    if array is None or not fits:
        raise Inconclusive(
            Outcome(Status.ERROR, 0.0, (), f"the probe's answer was tampered with: tensor '{name}'")
        )
    return array


# --- declaring a check ----------------------------------------------------------------------------

Requests = Callable[[Context], Mapping[str, ProbeRequest]]
Judge = Callable[[Context, Mapping[str, Evidence]], Outcome]


class Later(Protocol):
    """A piece of evidence that is asked for when it is called."""

    def __call__(self) -> Evidence: ...


Kind = type | tuple[type, ...]
KINDS: Mapping[type, str] = MappingProxyType(
    {
        str: "a text",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        list: "a list",
        dict: "a mapping",
    }
)
"""What an option may be, in words."""


@dataclass(frozen=True)
class Option:
    """One option of a check's `with:`: what it may be, what it means, and what holds without it.

    `needed`: it has to be stated. `made`: it names a file that the student's run leaves behind.
    """

    name: str
    kind: Kind
    meaning: str
    default: Any = None
    needed: bool = False
    made: bool = False

    @property
    def kinds(self) -> tuple[type, ...]:
        return self.kind if isinstance(self.kind, tuple) else (self.kind,)

    @property
    def words(self) -> str:
        """What it may be, as `a text or a list`."""
        return " or ".join(KINDS[k] for k in self.kinds)

    def fits(self, value: Any) -> bool:
        """Whether a value is of a kind that this option takes; a whole number is a number too."""
        if isinstance(value, bool):
            return bool in self.kinds
        return isinstance(value, self.kinds) or (float in self.kinds and isinstance(value, int))


class Malformed(ValueError):  # noqa: N818 - what `examine` raises, not an error of ours
    """What is wrong with a check's options, in one line, and its remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy


@dataclass(frozen=True)
class StandardCheck:
    """A check by its name: its probes, its judge, the bugs it can name, and its teaching.

    `name` is what an assignment's `use:` says, or `family.question` where `ask:` says which
    question of a family. `help` is shown where the check is not passed and names no bug. `bugs` are
    ids of `bugs.py`; another raises `GraderError`. `calibrated`: its threshold is measured by
    training the reference. `examine` raises `Malformed` where options that are of the right kind do
    not fit together. `expects` are the requests whose answers by the reference solution the judge
    compares with.
    """

    name: str
    requests: Requests
    judge: Judge
    help: str
    bugs: tuple[str, ...] = field(default=())
    options: tuple[Option, ...] = ()
    calibrated: bool = False
    examine: Callable[[Context], None] | None = None
    asks: str = ""
    """The question in a few words, for the list of checks."""
    expects: Callable[[Context], Sequence[ProbeRequest]] = lambda ctx: ()

    def __post_init__(self) -> None:
        known(*self.bugs)

    @property
    def family(self) -> str:
        return self.name.partition(".")[0]

    @property
    def question(self) -> str:
        return self.name.partition(".")[2]

    def filled(self, spec: CheckSpec) -> CheckSpec:
        """An assignment's check with the defaults of the options that it leaves out."""
        defaults = {o.name: o.default for o in self.options if o.default is not None}
        return spec.model_copy(update={"options": {**defaults, **spec.options}})

    def leaves(self, spec: CheckSpec) -> list[str]:
        """The files that the student's run is to leave behind, by this check's options."""
        stated = self.filled(spec).options
        return [str(stated[o.name]) for o in self.options if o.made and stated.get(o.name)]


def probe(
    name: str,
    args: Mapping[str, Json] | None = None,
    tensors: Mapping[str, Array] | None = None,
    *,
    start: Literal["loaded", "fresh"] = "loaded",
    check_s: float | None = None,
) -> ProbeRequest:
    """Ask for the probe `module:function`, or for `name` of the assignment's own probes.py."""
    full = name if ":" in name else f"own:{name}"
    return ProbeRequest(full, dict(args or {}), dict(tensors or {}), start, check_s)


Ask = Callable[[Context], ProbeRequest]


def check(
    *,
    bugs: Sequence[str] = (),
    help: str = "",
    family: str = "",
    ask: str = "",
    options: Sequence[Option] = (),
    calibrated: bool = False,
    examine: Callable[[Context], None] | None = None,
    expects: Callable[[Context], Sequence[ProbeRequest]] = lambda ctx: (),
    requests: Requests | None = None,
    **evidence: Ask,
) -> Callable[[Callable[..., Outcome]], StandardCheck]:
    """Declare a check: the function below is its judge, and what it returns is the check.

    Its name is the function's, or `family` and the question `ask`. Each keyword in `evidence` is a
    parameter of the judge, after the context; with `requests` in their place the judge takes the
    context and a mapping of whatever that asks for. Raises `TypeError` where the parameters are
    others, `GraderError` for an unknown bug.
    """

    def declare(function: Callable[..., Outcome]) -> StandardCheck:
        name = f"{family}.{ask}".rstrip(".") if family else getattr(function, "__name__", "")
        asked, judge = _by_name(name, function, requests, evidence)
        said = (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")
        return StandardCheck(
            name,
            asked,
            judge,
            help,
            tuple(bugs),
            tuple(options),
            calibrated,
            examine,
            said,
            expects,
        )

    return declare


def _by_name(
    name: str,
    function: Callable[..., Outcome],
    requests: Requests | None,
    evidence: Mapping[str, Ask],
) -> tuple[Requests, Judge]:
    """What a declared check asks for, and its judge as the grader calls it."""
    given = list(inspect.signature(function, follow_wrapped=False).parameters.values())
    if requests is not None:
        if evidence or len(given) != 2:
            raise TypeError(f"check '{name}': with `requests` a judge takes (ctx, evidence)")
        return requests, cast("Judge", function)
    names = [p.name for p in given[1:]]
    if sorted(names) != sorted(evidence):
        raise TypeError(
            f"check '{name}' takes the evidence ({', '.join(names)}) and asks for "
            f"({', '.join(evidence)})"
        )
    later = {p.name for p in given[1:] if _is_later(p.annotation)}

    def asked(ctx: Context) -> Mapping[str, ProbeRequest]:
        return {label: make(ctx) for label, make in evidence.items()}

    def judge(ctx: Context, found: Mapping[str, Evidence]) -> Outcome:
        def taken(label: str) -> Any:
            return (lambda: found[label]) if label in later else found[label]

        return function(ctx, **{label: taken(label) for label in names})

    return asked, judge


def _is_later(annotation: Any) -> bool:
    """Whether a parameter is `Later`, written as a name or, under lazy annotations, as text."""
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return text.rpartition(".")[2] == "Later"
