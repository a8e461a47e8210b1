"""The flight recorder beside a program: what `begin` puts in place, and probes that ask for it.

    own_run       of the run that grading makes of the program anyway, and has recorded
    record        the program as it is, up to a time or a number of steps
    accelerated   its first steps on a machine that seems to have an accelerator
    first_steps   its first steps from outside seeds

Theory. Grading runs a program once and then forks its probes from it. So the recorder listens from
before the program's first line to its last (`begin`, and what it returns), then everything is as it
was; what is asked of models and data sets is asked in the fork that answers `own_run`, and is seen
by no other probe. Where the recorder fails, the run goes on without it. The other three are behind
`autograder watch`, and run the program anew.

torchvision's data sets are served from the folder `data` of the box, whatever root the program
names: it holds what the user gave, or the built-in images.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from .. import alone
from ..exceptions import StopProgram
from ..program import Program, first_error
from ..recorder import Flight, Observer, texts
from ..recorder.answers import Answers
from ..recorder.beats import Beats
from ..recorder.control import Control
from ..recorder.files import Files
from ..recorder.forwards import Forwards
from ..recorder.loaders import Loaders
from ..recorder.log import Looks
from ..recorder.losses import Losses
from ..recorder.rows import Rows
from ..recorder.scores import Scores
from ..recorder.seeds import Seeds
from ..recorder.stopping import Stopping
from ..recorder.targets import Targets
from .folder import own_folder, short_loaders

Result = tuple[dict[str, Any], dict[str, torch.Tensor]]
OBSERVERS: tuple[Callable[[Flight], Observer], ...] = (
    Forwards,
    Losses,
    Answers,
    Beats,
    Control,
    Loaders,
    Files,
    Seeds,
    Scores,
    Rows,
    Stopping,
    Targets,
)
TRAINED = ("forward", "backward", "grad", "step")
PRINTED_CAP, LINES_CAP = 300, 2_000
BESIDE = Looks(first=8, more=2, most=40)
"""How closely the run that is graded is looked at: a look costs some tenths of a millisecond, and a
training of the size that assignments ask for is short.
"""


@contextlib.contextmanager
def served(folder: str) -> Iterator[None]:
    """Within, torchvision's image data sets read `folder`, if it holds them."""
    from torchvision import datasets

    kinds = [k for k in (datasets.MNIST, datasets.FashionMNIST) if "__init__" in vars(k)]
    original = {k: k.__init__ for k in kinds}

    def serving(build: Any) -> Any:
        @functools.wraps(build)
        def built(self: Any, root: Any = None, *args: Any, **kwargs: Any) -> None:
            held = os.path.join(folder, type(self).__name__)
            build(self, folder if os.path.isdir(held) else root, *args, **kwargs)

        return built

    for kind in kinds:
        kind.__init__ = serving(original[kind])
    try:
        yield
    finally:
        for kind in kinds:
            kind.__init__ = original[kind]


@contextlib.contextmanager
def _data() -> Iterator[None]:
    """The box's data root, wherever the program now works."""
    with served(os.path.realpath("data")):
        yield


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within, the program is stopped after `seconds`, as if it had ended."""

    def stop(signum: int, frame: Any) -> None:
        raise StopProgram

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _Tape:
    """Stdout, with each line noted in the log as it is printed."""

    def __init__(self, flight: Flight, stream: Any) -> None:
        self.flight = flight
        self.stream = stream
        self.pending = ""
        self.lines = 0

    def write(self, text: str) -> int:
        if self.flight.placed.on:
            self.flight.aside(self._note, text)
        return int(self.stream.write(text))

    def _note(self, text: str) -> None:
        self.pending += text
        *whole, self.pending = self.pending[-10 * PRINTED_CAP :].split("\n")
        for line in whole:
            if line.strip() and self.lines < LINES_CAP:
                self.lines += 1
                self.flight.always("print", text=line[:PRINTED_CAP], step=self.flight.step)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def _prepare(program: Program, args: dict[str, Any]) -> None:
    """Hand a program its arguments and the folders that lie beside it, and do without what a box
    has none of: a compiler, and a network even for a group of one process.
    """
    program.argv = [str(a) for a in args.get("argv", [])]
    for folder in args.get("folders", []):
        os.makedirs(folder, exist_ok=True)
    torch.compiler.set_stance("force_eager")
    alone.provide()


@dataclass
class _OwnRun:
    """What was seen of the program that this process runs: `flight`, or why there is none."""

    program: Program | None = None
    flight: Flight | None = None
    fault: str = "the program was loaded anew"


_own = _OwnRun()


def begin(program: Program) -> Callable[[], bool]:
    """Begin to record `program`, before it loads; returns what is to be called when it has ended,
    and after which torch is as it was: it says whether a model was called or anything was trained.
    Neither raises.
    """
    _own.flight, _own.fault = None, ""
    flight, stdout = Flight(program, BESIDE), sys.stdout

    def end(why: str = "") -> bool:
        try:
            if isinstance(sys.stdout, _Tape):
                sys.stdout = sys.stdout.stream
            flight.placed.take_away()
        except Exception as e:
            why = f"{type(e).__name__}: {e}"[:200]
        flight.close = False
        _own.flight, _own.fault = (None, why) if why else (flight, "")
        return bool(why) or any(flight.counts[kind] for kind in TRAINED)

    try:
        flight.install(OBSERVERS)
        sys.stdout = _Tape(flight, stdout)
    except Exception as e:
        why = f"{type(e).__name__}: {e}"[:200]
        end(why)
        return lambda: True
    return end


def own_run(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """The record of the run that this process was forked from, as `record` returns it; `{"unseen":
    why}` where there is none.
    """
    flight = _own.flight
    if flight is None or flight.program is not program:
        return {"unseen": _own.fault or "the program has not ended"}, {}
    torch.manual_seed(0)  # what is asked of models is drawn
    return _told(program, flight), {}


def _told(program: Program, flight: Flight) -> dict[str, Any]:
    """The whole record of a run that has ended."""
    told = flight.report()
    texts.mark(told["events"], flight.sources())
    told["ended"] = "stopped" if program.stopped else "raised" if program.errors else "ran"
    told["errors"] = [
        {k: e[k] for k in ("type", "message", "line", "cell")} for e in program.errors[:10]
    ]
    return told


def record(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Run the program under the recorder (args: `seconds`, `steps` or None, `argv`).

    Returns the `Flight`'s report with `ended` ("ran", "stopped", "raised") and `errors`.
    """
    _prepare(program, args)
    flight = Flight(program)
    flight.install(OBSERVERS)
    limit = args.get("steps")
    if limit:

        def counted(optimizer: Any, a: Any, k: Any) -> None:
            if flight.step >= limit:
                raise StopProgram

        register_optimizer_step_post_hook(counted)
    stdout = sys.stdout
    sys.stdout = _Tape(flight, stdout)
    try:
        with _data(), at_most(float(args["seconds"])):
            program.load()
    except StopProgram:
        program.stopped = True
    finally:
        sys.stdout = stdout
    flight.close = False
    return _told(program, flight), {}


def accelerated(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """Run the program on a machine that seems to have an accelerator, its loaders cut to
    `batches` batches, for at most `seconds`.

    Returns `devices`, the types of the weights at the first step; `on_device`, whether anything
    was put there; and the first `error`.
    """
    from ..accelerator import simulation

    _prepare(program, args)
    devices: set[str] = set()

    def stepped(optimizer: Any, a: Any, k: Any) -> None:
        if not devices:
            held = [p for group in optimizer.param_groups for p in group["params"]]
            devices.update(p.device.type for p in held)

    register_optimizer_step_post_hook(stepped)
    with (
        _data(),
        own_folder(),
        short_loaders(args["batches"]),
        at_most(float(args["seconds"])),
        simulation.accelerator(),
    ):
        program.load()
    return {"devices": sorted(devices), "error": first_error(program)}, {}


def first_steps(program: Program, args: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Result:
    """As `wholerun:first_steps`, with the program's arguments and data, for `seconds`."""
    from .wholerun import first_steps as run

    _prepare(program, args)
    with _data(), at_most(float(args["seconds"])):
        return run(program, args, tensors)
