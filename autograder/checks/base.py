"""What a standard check is, and what its judge may know.

A check is two pure functions around a box: `requests` says which probes to run with which
secret inputs, `judge` turns the evidence into an outcome. Both see a `Context` and nothing
else, so a grade depends on (assignment, evidence, calibration) alone and can be taken again
from kept evidence without running a line of student code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from ..config import Assignment, CheckSpec
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
    """The reference solution's spread on exactly this root: accuracies in [0, 1]."""

    accuracies: tuple[float, ...]
    threshold: float
    floor: float


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

    def rng(self, name: str, *, shared: bool = False) -> np.random.Generator:
        """Secret randomness: the same for the same assignment, submission and `name`, so that what
        one submission may have told of its questions is of no use to the next. `shared`: one of
        `VARIANTS`, for questions whose answers take long to work out; a class then shares them.
        """
        spec = self.assignment
        key = f"{spec.id}/{spec.version}/{spec.seed}/{name}"
        if self.submission:
            whose = f"variant {self._variant}" if shared else self.submission
            key = f"{key}/{spec.secret}/{whose}"
        return np.random.default_rng(int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]))

    @property
    def _variant(self) -> int:
        spec = self.assignment
        key = f"{spec.id}/{spec.version}/{spec.seed}/{spec.secret}/{self.submission}"
        return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % VARIANTS

    @property
    def seed(self) -> int:
        """What a probe seeds its draws with: it enters the box, so it is not the assignment's."""
        if not self.submission:
            return self.assignment.seed
        return int(self.rng("seed", shared=True).integers(2**31))

    def option(self, name: str, default: Any = None) -> Any:
        """An option of the check's `with:` section."""
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


OPTIONS: Mapping[str, type | tuple[type, ...]] = MappingProxyType(
    {
        "arguments": list,
        "attributes": list,
        "batch": int,
        "class": str,
        "classes": int,
        "curve": list,
        "epochs": int,
        "evaluate": str,
        "file": str,
        "function": str,
        "functions": dict,
        "generators": list,
        "input": list,
        "kwargs": dict,
        "layers": list,
        "model": str,
        "name": str,
        "network": str,
        "optimizer": str,
        "parameters": int,
        "rate": (int, float),
        "seeding": str,
        "std": (int, float),
        "test": int,
        "train": int,
        "trainer": str,
        "wiring": bool,
    }
)
"""Every option that a check's `with:` may state, and what it holds; each check's module says what
its own mean. What is not here is a slip of the pen.
"""

Requests = Callable[[Context], Mapping[str, ProbeRequest]]
Judge = Callable[[Context, Mapping[str, Evidence]], Outcome]


@dataclass(frozen=True)
class StandardCheck:
    """A check by its name: its probes, its judge, the bugs it can name, and its teaching.

    `help` is shown where the check is not passed and no named bug has a text of its own.
    """

    name: str
    requests: Requests
    judge: Judge
    help: str
    bugs: tuple[str, ...] = field(default=())
