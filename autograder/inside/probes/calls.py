"""Calling what the program defines on given arguments, and telling all that came of it.

    call    a function, once for each of some sets of arguments
    use     a class: an object of it, and what its methods do in a given order

Both serve any task: what is right is computed outside, by the same probe on another program. Only
how a name is found in the assignment's own probes.py depends on the task.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ..program import Program, describe
from ..trees import Maker, Teller, Tensors, leaves
from .own import TEXT

Result = tuple[dict[str, Any], Tensors]
NAMES_CAP = 300


def call(program: Program, args: dict[str, Any], tensors: Tensors) -> Result:
    """Call `args["function"]` once for each of `args["calls"]`, {"args": [tree, …], "kwargs":
    {name: tree}} (see `trees`), with generators seeded by `args["seed"]` each time.

    Returns `calls`, of each: `returned` (a tree) or `raised` (as `describe`, with the `classes` of
    the error); `touched`, the arguments that it changed; and as args ask for it `again`, what a
    second call on the same arguments gave; `gradients` (of a call on fresh ones, by the place of
    the argument, of a weighted sum of the result; for all arguments, or those whose positions
    `gradient` lists); `ran`, names of what PyTorch did within.
    """
    function = program.get(args["function"])
    out: Tensors = {}
    told = [
        _called(program, function, one, args, Maker(tensors, TEXT.find), Teller(out, str(i)))
        for i, one in enumerate(args["calls"])
    ]
    return {"calls": told}, out


def _called(
    program: Program,
    function: Callable[..., Any],
    one: dict[str, Any],
    args: dict[str, Any],
    maker: Maker,
    teller: Teller,
) -> dict[str, Any]:
    def made(differentiable: bool | list[int] = False) -> tuple[list[Any], dict[str, Any]]:
        """Fresh arguments. All of them require a gradient, or those at these positions."""
        every = differentiable is True
        some = differentiable if isinstance(differentiable, list) else []
        positional = [
            maker.make(t, differentiable=every or i in some) for i, t in enumerate(one["args"])
        ]
        named = one["kwargs"].items()
        return positional, {k: maker.make(t, differentiable=every) for k, t in named}

    positional, named = made()
    names = _places(function, positional, named)
    given = _Given(names)
    told: dict[str, Any] = {}
    try:
        _seed(args["seed"])
        told["returned"] = teller.tell(function(*positional, **named))
        if args.get("twice"):
            _seed(args["seed"])
            told["again"] = teller.tell(function(*positional, **named))
    except NotImplementedError:
        raise
    except Exception as e:
        told["raised"] = _error(e, program)
    told["touched"] = given.changed()
    if args.get("watch"):
        positional, named = made()
        _seed(args["seed"])
        told["ran"] = ran(lambda: teller.tell(function(*positional, **named)))
    if args.get("gradient") and "raised" not in told:
        positional, named = made(args["gradient"])
        inputs = dict(_floats(_places(function, positional, named)))
        _seed(args["seed"])
        told["gradients"] = _gradients(
            program, lambda: function(*positional, **named), inputs, teller
        )
    return told


def _error(error: BaseException, program: Program) -> dict[str, Any]:
    classes = [k.__name__[:80] for k in type(error).__mro__]
    return {**describe(error, program.files), "classes": classes}


def _seed(seed: int) -> None:
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the one that the program may draw from
    random.seed(seed)


def _places(
    function: Callable[..., Any], positional: list[Any], named: dict[str, Any]
) -> dict[str, Any]:
    """The arguments by the function's own names for them, by their number where it has none."""
    try:
        bound = inspect.signature(function).bind(*positional, **named).arguments
        return {str(k): v for k, v in bound.items()}
    except (TypeError, ValueError):
        return {**{str(i + 1): v for i, v in enumerate(positional)}, **named}


def _floats(places: dict[str, Any]) -> Iterator[tuple[str, Tensor]]:
    for name, value in places.items():
        for path, leaf in leaves(value):
            if isinstance(leaf, Tensor) and leaf.requires_grad:
                yield name + path, leaf


class _Given:
    """The tensors and arrays of some arguments, as they were."""

    def __init__(self, places: dict[str, Any]) -> None:
        self.before = [
            (name + path, leaf, copy.deepcopy(_state(leaf)))
            for name, value in places.items()
            for path, leaf in leaves(value)
        ]

    def changed(self) -> list[dict[str, str]]:
        """What is another now: `name` of the argument, and `what` of it changed."""
        found = []
        for name, leaf, (value, grad, flag) in self.before:
            now, grad_now, flag_now = _state(leaf)
            what = ""
            if not _same(now, value):
                what = "values"
            elif flag_now != flag:
                what = "requires_grad"
            elif (grad is None) != (grad_now is None) or not _same(grad_now, grad):
                what = ".grad"
            if what:
                found.append({"name": name[:80], "what": what})
        return found


def _state(leaf: Any) -> tuple[Any, Any, bool]:
    if isinstance(leaf, Tensor):
        grad = leaf.grad if leaf.is_leaf else None
        return leaf.detach(), None if grad is None else grad.detach(), leaf.requires_grad
    return torch.as_tensor(leaf), None, False


def _same(a: Tensor | None, b: Tensor | None) -> bool:
    if a is None or b is None:
        return a is b
    return (
        a.shape == b.shape and a.dtype == b.dtype and bool(((a == b) | (a != a) & (b != b)).all())
    )


def _gradients(
    program: Program,
    answer: Callable[[], Any],
    inputs: dict[str, Tensor],
    teller: Teller,
) -> dict[str, Any]:
    """The gradients of a weighted sum of all floats that were returned, by input; a sum with equal
    weights would not see an error that shifts one entry against another.
    """
    try:
        returned = answer()
        ends = [t for _, t in leaves(returned) if isinstance(t, Tensor) and t.requires_grad]
        if not ends:
            return {"graph": False}
        total = sum(
            (t * torch.linspace(0.5, 1.5, t.numel(), dtype=t.dtype).reshape(t.shape)).sum()
            for t in ends
        )
        found = torch.autograd.grad(total, list(inputs.values()), allow_unused=True)  # type: ignore[arg-type]
    except Exception as e:
        return {"raised": _error(e, program)}
    return {"graph": True, "of": {k: teller.tell(g) for k, g in zip(inputs, found, strict=True)}}


class _Operations(TorchDispatchMode):
    """Notes which kernels run, also where no line of Python calls them."""

    def __init__(self, names: set[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names = names

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(str(func.overloadpacket.__name__))
        return func(*args, **(kwargs or {}))


def _optimizer_steps() -> dict[Any, str]:
    """The code of PyTorch's own optimizers, by which a step of theirs is known: `optim.Adam`."""
    found = {}
    for kind in vars(torch.optim).values():
        if inspect.isclass(kind) and "step" in vars(kind):
            found[inspect.unwrap(vars(kind)["step"]).__code__] = f"optim.{kind.__name__}"
            functional = getattr(sys.modules[kind.__module__], kind.__name__.lower(), None)
            if inspect.isfunction(functional):
                found[inspect.unwrap(functional).__code__] = f"optim.{kind.__name__}"
    return found


def ran(work: Callable[[], Any]) -> list[str]:
    """What PyTorch did in `work`: its kernels and functions by name, and the class of each
    optimizer of its own whose step ran, as `optim.Adam`, whoever called it. What `work` raises is
    of no interest here.
    """
    names: set[str] = set()
    steps = _optimizer_steps()

    def called(frame: Any, event: str, what: Any) -> None:
        if event == "call":
            if frame.f_code in steps:
                names.add(steps[frame.f_code])
        elif event == "c_call":
            owner = getattr(what, "__self__", None)
            place = str(getattr(owner, "__module__", None) or getattr(owner, "__name__", ""))
            if isinstance(owner, Tensor) or place.startswith("torch"):
                names.add(str(what.__name__))

    before = sys.getprofile()
    with contextlib.suppress(Exception):
        try:
            with _Operations(names):
                sys.setprofile(called)
                work()
        finally:
            sys.setprofile(before)
    return sorted({n.strip("_")[:80] for n in names if n.strip("_")})[:NAMES_CAP]


def use(program: Program, args: dict[str, Any], tensors: Tensors) -> Result:
    """Make an object of `args["class"]` and do something with it, once for each of `args["runs"]`:
    {"let": {name: tree}, "new": {"args", "kwargs"}, "do": [step, …]}.

    A step is {"call": method, "args", "kwargs"}, {"get": attribute}, {"set": attribute, "to":
    tree}, {"own": name, "args"} or {"see": tree}. {"var": "self"} is the object, other variables
    are those of `let`. Generators are seeded by `args["seed"]` before each run. Returns `runs`, of
    each `new`, what making the object raised, if it did; `steps`, of each `returned` or `raised`;
    `touched`, the arguments of `new` that are others at the end; `ran` (where `args["watch"]`).
    """
    kind = program.get(args["class"])
    out: Tensors = {}
    told = []
    for i, one in enumerate(args["runs"]):
        said = _used(program, kind, one, args["seed"], tensors, Teller(out, str(i)))
        if args.get("watch"):
            again = Teller({}, "")
            work = functools.partial(_used, program, kind, one, args["seed"], tensors, again)
            said["ran"] = ran(work)
        told.append(said)
    return {"runs": told}, out


def _used(
    program: Program,
    kind: Callable[..., Any],
    one: dict[str, Any],
    seed: int,
    tensors: Tensors,
    teller: Teller,
) -> dict[str, Any]:
    maker = Maker(tensors, TEXT.find)
    maker.variables = {k: maker.make(t) for k, t in one["let"].items()}
    positional = [maker.make(t) for t in one["new"]["args"]]
    named = {k: maker.make(t) for k, t in one["new"]["kwargs"].items()}
    given = _Given(_places(kind, positional, named))
    _seed(seed)
    told: dict[str, Any] = {"steps": []}
    try:
        made = kind(*positional, **named)
    except NotImplementedError:
        raise
    except Exception as e:
        return {**told, "new": _error(e, program), "touched": given.changed()}
    maker.variables["self"] = made
    for step in one["do"]:
        try:
            told["steps"].append({"returned": teller.tell(_step(made, step, maker))})
        except NotImplementedError:
            raise
        except Exception as e:
            told["steps"].append({"raised": _error(e, program)})
    told["touched"] = given.changed()
    return told


def _step(made: Any, step: dict[str, Any], maker: Maker) -> Any:
    if "see" in step:
        return maker.make(step["see"])
    if "get" in step:
        return getattr(made, step["get"])
    if "set" in step:
        return setattr(made, step["set"], maker.make(step["to"]))
    positional = [maker.make(t) for t in step["args"]]
    if "own" in step:
        return maker.own(step["own"])(*positional)
    named = {k: maker.make(t) for k, t in step.get("kwargs", {}).items()}
    return getattr(made, step["call"])(*positional, **named)


def look(program: Program, args: dict[str, Any], tensors: Tensors) -> Result:
    """What the global `args["name"]` holds: `value` (a tree)."""
    out: Tensors = {}
    return {"value": Teller(out, "0").tell(program.get(args["name"]))}, out
