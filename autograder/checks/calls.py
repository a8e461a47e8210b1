"""Calls of a student's function or object, as an assignment writes them down.

In an assignment's checks.py, where inputs are drawn:

    def rows(rng):
        yield call(rng.normal(size=(3, 5)).astype("float32"))          # a torch tensor
        yield call(Tensor(x, requires_grad=True), steps=12)
        yield call(Own("square"), x)             # a function of the assignment's probes.py
        yield call(Own("mix")(0.3, 1.2), x)      # what calling one gives
        yield call(x, y).refused("ValueError")
        yield call([1.0, 2.0]).gives(1.5)        # the right answer, stated

    def stops(rng):
        yield run(call(2), do("step", 0.9), do("step", 0.95), get("best"))
        yield run(call([Var("w")], lr=0.1), own("pull", Var("w")), do("step"), see("w"), w=w)

and in its assignment.yml the same as plain data, for public examples:

    with:
      examples:
      - {call: [[2.5, 3.1, 4.0], [3.0, 3.0, 4.0]], gives: 0.0867, tolerance: 1.0e-3}
      - {call: [[[1.0], [2.0]], [1.0, 2.0]], refused: ValueError}
      - {new: [2], do: [{step: [0.9]}, {step: [0.95]}, best], gives: [false, false, 0.9]}

There a list of numbers is a tensor (float32, or int64 where all are whole); a list stays one as
`{list: [...]}`; `{tensor: [...], dtype: float64, requires_grad: true, grad: [...]}`, `{array:
[...]}` (numpy), `{own: name, args: [...]}` and `{var: name}` say more. In Python a numpy array
becomes a tensor, and `Numpy(array)` stays one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ..model import Array, Json
from .base import Malformed

UNSTATED: Any = object()
"""In place of a right answer that only the reference solution can tell."""
EXAMPLE_KEYS = {"call", "new", "do", "let", "with", "gives", "refused", "tolerance"}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A torch tensor as an argument, where more than its values matters."""

    data: Array
    requires_grad: bool = False
    grad: Array | None = None


@dataclass(frozen=True, eq=False)
class Numpy:
    """A numpy array as an argument."""

    data: Array


@dataclass(frozen=True)
class Own:
    """Something that the assignment's probes.py defines; called, what calling it gives."""

    name: str
    args: tuple[Any, ...] | None = None

    def __call__(self, *args: Any) -> Own:
        return Own(self.name, args)


@dataclass(frozen=True)
class Var:
    """A variable of a run: one of those that it begins with, or `self`, the object."""

    name: str


@dataclass(frozen=True, eq=False)
class Case:
    """One call. `answer` is the right one where it is stated, `refusal` the error that is right,
    `tolerance` the relative one of this case alone.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    answer: Any = UNSTATED
    refusal: str = ""
    tolerance: float | None = None

    def gives(self, answer: Any) -> Case:
        """The same call with its right answer."""
        return replace(self, answer=answer)

    def refused(self, error: str = "ValueError") -> Case:
        """The same call, which has to raise this error."""
        return replace(self, refusal=error)

    @property
    def stated(self) -> bool:
        """Whether what is right is known without a reference."""
        return self.answer is not UNSTATED or bool(self.refusal)


def call(*args: Any, **kwargs: Any) -> Case:
    """A call with these arguments."""
    return Case(args, kwargs)


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that is done with an object: `kind` call, get, set, own or see, and its `name`."""

    kind: str
    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        if self.kind == "call":
            return f"{self.name}({words_of(self.args, self.kwargs)})"
        return f"{self.name} = {word(self.args[0])}" if self.kind == "set" else self.name


def do(method: str, *args: Any, **kwargs: Any) -> Step:
    """Call a method; `__call__`, `__getitem__` and `__len__` are methods too."""
    return Step("call", method, args, kwargs)


def get(attribute: str) -> Step:
    """Read an attribute."""
    return Step("get", attribute)


def put(attribute: str, value: Any) -> Step:
    """Set an attribute."""
    return Step("set", attribute, (value,))


def own(name: str, *args: Any) -> Step:
    """Call a function of the assignment's probes.py."""
    return Step("own", name, args)


def see(variable: str) -> Step:
    """Look at a variable."""
    return Step("see", variable)


@dataclass(frozen=True, eq=False)
class Run:
    """An object that is made and used. `answers`: the right ones of the steps, where stated."""

    new: Case
    steps: tuple[Step, ...]
    let: Mapping[str, Any] = field(default_factory=dict)
    answers: Any = UNSTATED
    tolerance: float | None = None

    def gives(self, *answers: Any) -> Run:
        """The same run with the right answer of each step."""
        return replace(self, answers=answers)

    @property
    def stated(self) -> bool:
        """Whether what is right is known without a reference."""
        return self.answers is not UNSTATED or bool(self.new.refusal)


def run(new: Case, *steps: Step, **let: Any) -> Run:
    """Make an object by `new` and take these steps; `let` are the variables of both."""
    return Run(new, steps, let)


def as_python(case: Case | Run) -> tuple[Any, ...]:
    """What a function of checks.py is called with: a call's arguments, tensors as arrays; or a run,
    as it is.
    """

    def bare(value: Any) -> Any:
        if isinstance(value, Tensor | Numpy):
            return value.data
        if isinstance(value, Mapping):
            return {k: bare(v) for k, v in value.items()}
        return [bare(v) for v in value] if isinstance(value, list | tuple) else value

    if isinstance(case, Run):
        return (case,)
    return tuple(bare(v) for v in (*case.args, *case.kwargs.values()))


# --- words ---------------------------------------------------------------------------------------


def words_of(args: Sequence[Any], kwargs: Mapping[str, Any] = MappingProxyType({})) -> str:
    """Arguments in a few words."""
    told = [*map(word, args), *(f"{k}={word(v)}" for k, v in kwargs.items())]
    return ", ".join(told)[:200]


def word(value: Any) -> str:
    """One argument in a few words: small numbers and texts as they are, of a tensor its shape."""
    if isinstance(value, Tensor | Numpy):
        value = value.data
    if isinstance(value, np.ndarray):
        if value.size <= 4 and value.ndim <= 1:
            return str(np.round(value.astype(float), 4).tolist())
        return f"<{'x'.join(map(str, value.shape))}>"
    if isinstance(value, Own):
        return value.name
    if isinstance(value, Var):
        return value.name
    if isinstance(value, list | tuple):
        inner = ", ".join(map(word, value[:4])) + (", …" if len(value) > 4 else "")
        return f"[{inner}]"
    if isinstance(value, float):
        return f"{value:.6g}"
    return repr(value)[:40]


# --- into a request ------------------------------------------------------------------------------


class Packer:
    """Turns arguments into the trees of `inside/trees.py`; their tensors gather in `tensors`."""

    def __init__(self) -> None:
        self.tensors: dict[str, Array] = {}

    def _kept(self, data: Any) -> str:
        key = f"a{len(self.tensors)}"
        self.tensors[key] = np.ascontiguousarray(data)
        return key

    def pack(self, value: Any) -> Json:
        """One argument as a tree. Raises `TypeError` for what cannot be an argument."""
        if value is None or isinstance(value, bool | int | str):
            return value
        if isinstance(value, np.generic):
            return self.pack(value.item())
        if isinstance(value, float):
            return value if math.isfinite(value) else {"float": str(value)}
        if isinstance(value, np.ndarray):
            return {"tensor": self._kept(value)}
        if isinstance(value, Tensor):
            tree: dict[str, Json] = {"tensor": self._kept(value.data)}
            if value.requires_grad:
                tree["requires_grad"] = True
            if value.grad is not None:
                tree["grad"] = self._kept(value.grad)
            return tree
        if isinstance(value, Numpy):
            return {"array": self._kept(value.data)}
        if isinstance(value, list | tuple):
            return {type(value).__name__: [self.pack(v) for v in value]}
        if isinstance(value, Mapping):
            return {"dict": [[k, self.pack(v)] for k, v in value.items()]}
        if isinstance(value, Own):
            args = {} if value.args is None else {"args": [self.pack(v) for v in value.args]}
            return {"own": value.name, **args}
        if isinstance(value, Var):
            return {"var": value.name}
        raise TypeError(f"a {type(value).__name__} cannot be an argument of a case")

    def case(self, case: Case) -> Json:
        """A call's arguments."""
        kwargs = {k: self.pack(v) for k, v in case.kwargs.items()}
        return {"args": [self.pack(v) for v in case.args], "kwargs": kwargs}

    def run(self, one: Run) -> Json:
        """A run's variables, its first call and its steps."""
        let = {k: self.pack(v) for k, v in one.let.items()}
        return {"let": let, "new": self.case(one.new), "do": [self._step(s) for s in one.steps]}

    def _step(self, step: Step) -> Json:
        if step.kind == "get":
            return {"get": step.name}
        if step.kind == "set":
            return {"set": step.name, "to": self.pack(step.args[0])}
        if step.kind == "see":
            return {"see": {"var": step.name}}
        args = [self.pack(v) for v in step.args]
        if step.kind == "own":
            return {"own": step.name, "args": args}
        kwargs = {k: self.pack(v) for k, v in step.kwargs.items()}
        return {"call": step.name, "args": args, "kwargs": kwargs}


def floats_in(value: Any) -> Iterator[str]:
    """The dtypes of all tensors and arrays of floats in an argument."""
    if isinstance(value, Tensor | Numpy):
        value = value.data
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            yield str(value.dtype)
    elif isinstance(value, Own):
        yield from floats_in(list(value.args or ()))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from floats_in(one)
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from floats_in(one)


# --- examples of an assignment.yml ---------------------------------------------------------------


def numbers_of(value: Any) -> Array | None:
    """A list of numbers, however deep, as an array (int64 or float32); None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    try:
        array = np.array(value)
    except ValueError:
        return None
    if array.dtype.kind == "i":
        return array.astype(np.int64)
    return array.astype(np.float32) if array.dtype.kind == "f" else None


def plainly(value: Any) -> Any:
    """An argument of an example as Python has it. Raises `Malformed`."""
    if isinstance(value, list):
        array = numbers_of(value)
        if array is None:
            raise Malformed(
                f"has an example with a list that is no tensor: {str(value)[:60]}",
                "write {list: [...]} for a list",
            )
        return array
    if not isinstance(value, Mapping):
        return value
    if "list" in value:
        return [v if not isinstance(v, list | Mapping) else plainly(v) for v in value["list"]]
    if "tensor" in value or "array" in value:
        return _array(value)
    if "own" in value:
        named = Own(str(value["own"]))
        return named(*map(plainly, value["args"])) if "args" in value else named
    if "var" in value:
        return Var(str(value["var"]))
    if "dict" in value:
        return {k: plainly(v) for k, v in value["dict"].items()}
    raise Malformed(
        f"has an example with an argument that is none: {str(dict(value))[:60]}",
        "write one of {tensor: …}, {array: …}, {list: …}, {dict: …}, {own: …}, {var: …}",
    )


def _array(value: Mapping[str, Any]) -> Tensor | Numpy:
    kind = "tensor" if "tensor" in value else "array"
    try:
        data = np.array(value[kind], dtype=value.get("dtype"))
    except (ValueError, TypeError) as e:
        raise Malformed(f"has an example that is no array: {e}", "numbers, and a dtype") from e
    if data.dtype == np.float64 and "dtype" not in value:
        data = data.astype(np.float32)
    if kind == "array":
        return Numpy(data)
    grad = value.get("grad")
    return Tensor(
        data,
        bool(value.get("requires_grad")),
        None if grad is None else np.array(grad, dtype=data.dtype),
    )


def example(raw: Any) -> Case | Run:
    """One entry of `examples:`. Raises `Malformed`."""
    if not isinstance(raw, Mapping) or set(raw) - EXAMPLE_KEYS or ("call" in raw) == ("new" in raw):
        raise Malformed(
            f"has an example of another form: {str(raw)[:80]}",
            "write - {call: [arguments], gives: answer}, or {new: [arguments], do: [steps], "
            "gives: [answers]}",
        )
    args = raw.get("call", raw.get("new"))
    if not isinstance(args, list):
        raise Malformed(f"has an example whose arguments are no list: {str(args)[:60]}", "[...]")
    kwargs = {str(k): plainly(v) for k, v in dict(raw.get("with") or {}).items()}
    case = Case(
        tuple(map(plainly, args)),
        kwargs,
        refusal=str(raw.get("refused", "")),
        tolerance=raw.get("tolerance"),
    )
    if "call" in raw:
        return case.gives(raw["gives"]) if "gives" in raw else case
    steps = tuple(map(_step_of, raw.get("do") or ()))
    let = {str(k): plainly(v) for k, v in dict(raw.get("let") or {}).items()}
    made = Run(case, steps, let, tolerance=raw.get("tolerance"))
    if "gives" not in raw:
        return made
    if not isinstance(raw["gives"], list) or len(raw["gives"]) != len(steps):
        raise Malformed(
            f"has an example of {len(steps)} steps whose answers are others in number",
            "write one answer a step under gives:",
        )
    return made.gives(*raw["gives"])


def _step_of(raw: Any) -> Step:
    """A step: `attribute`, `{method: [arguments]}`, `{see: variable}`, `{own: name, args: […]}`."""
    if isinstance(raw, str):
        return get(raw)
    if isinstance(raw, Mapping) and "own" in raw:
        return own(str(raw["own"]), *map(plainly, raw.get("args", ())))
    if isinstance(raw, Mapping) and len(raw) == 1:
        ((name, args),) = raw.items()
        if name == "see":
            return see(str(args))
        if isinstance(args, list):
            return do(str(name), *map(plainly, args))
    raise Malformed(
        f"has a step of another form: {str(raw)[:60]}",
        "write an attribute's name, or {method: [arguments]}",
    )


def all_stated(cases: Iterable[Case | Run]) -> bool:
    """Whether the right answer of each is stated."""
    return all(c.stated for c in cases)
