"""The whole program, run afresh on secret images with its network traced.

Theory. A program that trains at top level is judged as it wired itself: its own model, optimizer,
scaler and loaders, whoever holds them. It must read its images from `data/`, so it runs in a folder
whose `data/` holds a small secret set. What its functions return is noted; where `evaluate` is
asked to follow a script, it does its work all the same, and only what it answers is exchanged, so
that the best epoch is neither the first nor the last whatever the network learnt. A function that
the program defines and never calls is called once when it has ended, on what the program holds.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .. import absent
from ..exceptions import StopProgram
from ..plain import plain
from ..program import Program, first_error
from ..trace import Line, Trace
from .checkpoints import read_checkpoint, tensors_in
from .folder import secret_root, seed_from_outside, served, short_loaders

Result = tuple[dict[str, Any], dict[str, Tensor]]
TEXT_CAP, SAVES_CAP = 8_000, 32
BASELINE = 0.1
"""What a scripted evaluation answers of weights that no step has touched."""


class _Tee(io.TextIOBase):
    """A text stream that also keeps the last of what is written to it."""

    def __init__(self, stream: Any, kept: list[str]) -> None:
        self._stream, self._kept = stream, kept

    def write(self, text: str) -> int:
        self._kept.append(text)
        if len(self._kept) > TEXT_CAP:
            del self._kept[: TEXT_CAP // 2]
        self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        self._stream.flush()


@contextlib.contextmanager
def _printing(trace: Trace) -> Iterator[list[str]]:
    """Within, what is printed after the last backward pass is kept."""
    printed: list[str] = []
    trace.after_backward = printed.clear
    with (
        contextlib.redirect_stdout(_Tee(sys.stdout, printed)),
        contextlib.redirect_stderr(_Tee(sys.stderr, printed)),
    ):
        yield printed


class _Epochs:
    """Which epoch the network's weights are of: those that were evaluated, in their order, from 1;
    0 before the first step. The answers of a script, and the epochs that files were written at.
    """

    def __init__(self, trace: Trace, program: Program, curve: list[float]) -> None:
        self.trace, self.program, self.curve = trace, program, curve
        self.states: list[Tensor] = []
        self.evaluated: list[int] = []
        self._saves: list[tuple[str, int, int | None]] = []
        self._epochs: dict[int, int] = {}
        self._kept: list[Tensor] = []
        self._origin: dict[int, int] = {}
        self._taken = 0

    def _line(self) -> Line | None:
        model = self.program.namespace.get(self.trace.name)
        return self.trace.line_of(model) if isinstance(model, nn.Module) else None

    def _key(self) -> int:
        """A short name for the weights as they are now."""
        line = self._line()
        return hash(line.vector().numpy().tobytes()) if line and line.parameters else 0

    def _epoch(self) -> int:
        """The epoch of the weights that are evaluated now; a new one where they are new."""
        line = self._line()
        if line is None or not (line.steps or any(line.moved)):
            return 0
        key = self._key()
        if key not in self._epochs:
            self.states.append(line.vector())
            self._epochs[key] = len(self.states)
        return self._epochs[key]

    def answer(self, returned: Any) -> Any:
        """What the scripted curve says in the place of `returned`, in the same kind of number."""
        epoch = self._epoch()
        self.evaluated.append(epoch)
        value = BASELINE if epoch == 0 else self.curve[min(epoch, len(self.curve)) - 1]
        if isinstance(returned, Tensor) and returned.numel() == 1:
            return torch.full_like(returned, value, dtype=torch.float32)
        is_number = isinstance(returned, (int, float, np.number)) and not isinstance(returned, bool)
        return value if is_number else returned

    def of_file(self, state: dict[str, Tensor] | None) -> int | None:
        """The epoch whose weights a state_dict holds; -1 for none of them, None without one."""
        line = self._line()
        if state is None or line is None:
            return None
        model = self.program.namespace[self.trace.name]
        own = [*model.named_parameters(), *model.named_buffers()]
        names = dict(zip((id(p) for _, p in own), _bare([n for n, _ in own]), strict=True))
        held = dict(zip(_bare(list(state)), state.values(), strict=True))
        found = [held.get(names.get(id(p), "")) for p in line.parameters]
        there = [f.detach().reshape(-1).float() for f in found if f is not None]
        if not there or len(there) < len(found):
            return -1
        vector = torch.cat(there)
        for at, known in enumerate(self.states):
            if known.shape == vector.shape and torch.allclose(known, vector, atol=1e-6, rtol=1e-5):
                return at + 1
        return -1

    @property
    def saves(self) -> list[dict[str, Any]]:
        """Each save: the `file`'s name, the `epoch` of the weights then, and the one at which what
        was written had been `taken` (-1: not one evaluated).
        """
        return [
            {
                "file": name,
                "epoch": self._epochs.get(now, -1),
                "taken": -1 if taken is None else self._epochs.get(taken, -1),
            }
            for name, now, taken in self._saves
        ]

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Note which epoch each state_dict was taken at, and which of them each save wrote.

        A state_dict's tensors share the model's storage but are objects of their own, so an
        object taken at one epoch and written at a later one is a reference kept for too long.
        Where what is written are other objects (`w.detach()`), the last state_dict's epoch counts.
        """
        state_dict, save = nn.Module.state_dict, torch.save

        @functools.wraps(state_dict)
        def taking(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            state = state_dict(module, *args, **kwargs)
            if not args and kwargs.get("destination") is None and len(self._kept) < 10_000:
                self._taken = self._key()
                for tensor in tensors_in(state):
                    self._kept.append(tensor)
                    self._origin[id(tensor)] = self._taken
            return state

        @functools.wraps(save)
        def saving(obj: Any, f: Any, *args: Any, **kwargs: Any) -> None:
            save(obj, f, *args, **kwargs)
            if len(self._saves) < SAVES_CAP:
                taken = {self._origin.get(id(t), self._taken) for t in tensors_in(obj)}
                name = f if isinstance(f, (str, os.PathLike)) else getattr(f, "name", "")
                one = taken.pop() if len(taken) == 1 else None
                self._saves.append((os.path.basename(str(name))[-100:], self._key(), one))

        nn.Module.state_dict = taking  # type: ignore[method-assign,assignment]
        torch.save = saving
        try:
            yield
        finally:
            nn.Module.state_dict = state_dict  # type: ignore[method-assign]
            torch.save = save


def _bare(names: list[str]) -> list[str]:
    """The names of a network's tensors without what wrappers put before those of its layers."""
    parts = [n.split(".") for n in names]
    while layers := [p for p in parts if len(p) > 1]:
        if not all(len(p) > 2 and p[0] == layers[0][0] for p in layers):  # "fc1.weight" stays
            break
        parts = [p[1:] if len(p) > 1 else p for p in parts]
    return [".".join(p) for p in parts]


def _drive(program: Program, trace: Trace, functions: dict[str, str], noted: set[str]) -> str:
    """Call those `functions` that the program defined and never called; the error of the last.
    `noted` are those whose calls are written down; the others were bound by no definition.
    """
    called = {s.function for s in trace.spans}
    for name, loader in functions.items():
        function = program.namespace.get(name)
        if name in called or not callable(function):
            continue
        network = program.namespace.get(trace.name)
        if isinstance(network, nn.Module):  # in the mode that the function has to change
            network.train(name == "evaluate")
        for line in set(trace.lines.values()):
            line.make_room()  # the program's own run may have taken it all
        try:
            arguments = served(program, function, loader)
            written = function if name in noted else trace.around(name, function)
            written(**arguments)
        except StopProgram:
            break
        except Exception as e:
            return f"{type(e).__name__}: {e}"[:300]
    return ""


def _called(program: Program, trace: Trace, call: dict[str, Any] | None) -> nn.Module | None:
    """Call a function of the program's that trains by itself; the network that this call trained
    most, else that which the program did, or the first that it returned. Raises `MissingName` where
    there is no such function.
    """
    if call is None:
        return None
    function = program.get(call["function"])
    returned = None
    with contextlib.suppress(StopProgram), trace.span(call["function"]) as span:
        returned = function(*call["arguments"])
        span.ended = True
    several = returned if isinstance(returned, (tuple, list)) else [returned]
    modules = [m for m in several if isinstance(m, nn.Module)]  # perhaps a copy of what was trained
    pulls = [
        (
            sum(c.pulls for c in line.calls[span.first.get(key, 0) :]),
            sum(c.pulls for c in line.calls),
        )
        for key, line in trace.lines.items()
    ]
    ranked = sorted(zip(pulls, trace.lines.values(), strict=True), key=lambda x: x[0], reverse=True)
    trained = [line.network for (_, ever), line in ranked if ever]
    return next(iter([*trained, *modules]), None)


def _generators(function: Callable[[int], Any]) -> dict[str, bool]:
    """Which generators a function that seeds sets: two draws after the same seed agree."""

    def draws() -> dict[str, float]:
        return {
            "python": random.random(),  # noqa: S311 - what is seeded is asked
            "numpy": float(np.random.rand()),  # noqa: NPY002 - the generator that is seeded
            "torch": float(torch.rand(())),
        }

    function(1234)
    first = draws()
    function(1234)
    second = draws()
    return {name: first[name] == second[name] for name in first}


def program(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Run the program on our images and trace the global `network`.

    args: `network`, `folder` (of the images), `functions` {name: its loader's name}, `seed` (all
    generators are set by it beforehand), `keep`, `ray`, `tell` (see `Trace`); `curve` and `file`
    for a scripted evaluation; `call` {function, arguments} of a function that trains by itself and
    is called when the program has ended; `steps` after which the program is stopped, or None;
    `device`: "cpu" or "cuda", which is simulated and where loaders are cut to `batches` and the
    first evaluation after a step is the last; `seeding`: the name of a function to ask which
    generators it sets.

    tensors: see `secret_root`. Returns `Trace.report` of the network (without calls where it is
    none), `printed` after the last backward pass, the first `error` of the program and that of a
    `driven` function, `evaluated`, `saves`, `best_acc`, `file` (the fields of `read_checkpoint`
    and `epoch`), `generators`, and on a device `devices`, where the weights were at the first step.
    """
    torch.compiler.set_stance("force_eager")
    name, functions = args["network"], dict(args["functions"])
    tell = bool(args.get("tell"))
    trace = Trace(name, program.namespace, args["keep"], args["ray"], tell=tell)
    epochs = _Epochs(trace, program, [float(x) for x in args.get("curve") or []])
    limit, device = args.get("steps"), args.get("device", "cpu")
    noted: set[str] = set()
    for function in functions:
        answer = epochs.answer if args.get("curve") and function == "evaluate" else None
        program.on_definition(function, _noted(trace, function, answer, device, noted))
    if limit:

        def stop() -> None:
            if sum(len(line.steps) for line in set(trace.lines.values())) >= limit:
                raise StopProgram

        trace.after_step = stop
    devices: list[str] = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(secret_root(args["folder"], tensors))
        if device == "cuda":
            stack.enter_context(_accelerator(program, trace, devices, args["batches"]))
        stack.enter_context(epochs.watching())
        stack.enter_context(trace.watching())
        printed = stack.enter_context(_printing(trace))
        seed_from_outside(args["seed"])
        program.load()
        if not functions:
            absent.need_printed()  # what a bare script prints is judged
        driven = "" if program.stopped else _drive(program, trace, functions, noted)
        made = _called(program, trace, args.get("call"))
        file, state = read_checkpoint(args["file"]) if args.get("file") else ({}, None)
        net = program.namespace.get(name) if made is None else made
        data: dict[str, Any] = {"network": type(net).__name__[:80] if net is not None else ""}
        out: dict[str, Tensor] = {}
        if isinstance(net, nn.Module):  # while what is on a device still lives
            told, out = trace.report(net)
            data |= told
        epoch = epochs.of_file(state)
    setter = program.namespace.get(args.get("seeding") or "")
    data |= {
        "printed": "".join(printed)[-TEXT_CAP:],
        "error": first_error(program),
        "driven": driven,
        "evaluated": epochs.evaluated[:200],
        "saves": epochs.saves,
        "best_acc": plain(program.namespace.get("best_acc")),
        "file": {**file, "epoch": epoch},
        "devices": devices,
        "generators": _generators(setter) if callable(setter) else {},
    }
    return data, out


def _noted(
    trace: Trace, name: str, answer: Callable[[Any], Any] | None, device: str, done: set[str]
) -> Callable[[Any], Any]:
    """A wrap for `on_definition`: the calls of function `name` become spans of the trace, and the
    name is one of those `done`.
    """

    def wrap(original: Any) -> Any:
        if not callable(original):
            return original
        done.add(name)
        written = trace.around(name, original, answer)
        if device == "cpu" or name != "evaluate":
            return written

        @functools.wraps(original)
        def last(*args: Any, **kwargs: Any) -> Any:
            value = written(*args, **kwargs)
            if any(line.steps for line in trace.lines.values()):
                raise StopProgram
            return value

        return last

    return wrap


@contextlib.contextmanager
def _accelerator(
    program: Program, trace: Trace, devices: list[str], batches: int
) -> Iterator[None]:
    """Within, an accelerator seems to be there, and loaders hand out few batches."""
    from ..accelerator import simulation

    stop = trace.after_step

    def look() -> None:
        if not devices and trace.optimizers:
            held = [p for group in trace.optimizers[0].param_groups for p in group["params"]]
            devices.extend(sorted({p.device.type for p in held}))
        stop()

    trace.after_step = look
    with short_loaders(batches), simulation.accelerator():
        yield
        model = program.namespace.get(trace.name)
        if not devices and isinstance(model, nn.Module):
            devices.extend(sorted({p.device.type for p in model.parameters()}))
