"""The probes of this assignment: tables of rates, clipped gradients, checkpoints.

A schedule is a table of rates, so it is read off by driving it: an optimizer that holds one idle
parameter steps, the scheduler moves, and the rate of every step is noted.

A checkpoint is for another process, so it is written by one here: `interrupted` trains for a
while in a child, which saves and ends, and resumes in the parent with a new model, a new
optimizer and a new schedule, and with random numbers in another state. What was not in the
file is then nowhere. How bright each batch is drawn depends on torch's random generator, so
its state is part of the path, and the whole path can be computed outside.

`crashed` lets the child die at the worst moments while it writes over an older file:

* at a write beyond half of the file's size (`RLIMIT_FSIZE`, whose signal kills), or beyond the
  old file's whole size, which lets a copy of that be made first: the newer run has momenta, and
  so the larger file;
* when the old file itself is opened for writing, moved away or removed (an audit hook).

Nothing of the student's code runs after either, as in a power cut: no `except`, no `finally`.

`harmful` hands `load_checkpoint` files whose unpickling would leave a mark on the disk, by several
functions: what lets one of them through may refuse another.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import pickle
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from ..plain import finite, number
from ..program import Program, describe
from .checkpoints import read_checkpoint

Result = tuple[dict[str, Any], dict[str, Tensor]]
PATH = "checkpoint_of_the_grader.pt"
MARK = "this_file_was_made_by_unpickling"
SMALLEST_LIMIT = 512
"""Bytes; a limit below it might not let even an empty archive begin."""


class _Run:
    """A model in training: PyTorch's own modules and a buffer that counts batches, SGD with
    momentum in two groups of different rates, a cosine schedule.
    """

    def __init__(self, args: dict[str, Any], w1: Tensor, w2: Tensor) -> None:
        self.model = nn.Sequential(
            nn.Linear(w1.shape[1], w1.shape[0], bias=False),
            nn.Tanh(),
            nn.Linear(w2.shape[1], w2.shape[0], bias=False),
        )
        with torch.no_grad():
            for p, value in zip(self.model.parameters(), (w1, w2), strict=True):
                p.copy_(value)
        self.model.register_buffer("seen", torch.zeros(3))
        one, two = self.model.parameters()
        groups = [{"params": [one]}, {"params": [two], "lr": args["lr"] / 2}]
        self.optimizer = torch.optim.SGD(groups, lr=args["lr"], momentum=0.9)
        self.scheduler = CosineAnnealingLR(self.optimizer, T_max=args["horizon"])
        self.batch = args["batch"]

    def train(self, epochs: int, images: Tensor, labels: Tensor) -> None:
        """Train; each batch is multiplied by a random brightness from torch's generator."""
        for _ in range(epochs):
            batches = zip(
                torch.split(images, self.batch), torch.split(labels, self.batch), strict=True
            )
            for x, y in batches:
                self.optimizer.zero_grad()
                bright = 0.2 + 1.6 * torch.rand(())
                loss = nn.functional.cross_entropy(self.model(x * bright), y)
                loss.backward()  # type: ignore[no-untyped-call]
                self.optimizer.step()
                self.seen.add_(1.0)
            self.scheduler.step()

    @property
    def seen(self) -> Tensor:
        """The model's buffer (3,): how many batches it was trained on, three times."""
        return self.model.get_buffer("seen")

    def vector(self) -> Tensor:
        """All parameters as one vector."""
        return torch.cat([p.detach().reshape(-1) for p in self.model.parameters()])

    def take(self, vector: Tensor) -> None:
        """Set all parameters to those of a vector."""
        nn.utils.vector_to_parameters(vector.clone(), self.model.parameters())  # keeps views of it


class Gone(Exception):  # noqa: N818 - an answer, not an error
    """The student's code raised in a child; `told` is `describe`'s account of it."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(str(told["message"]))
        self.told = told


def _in_child(program: Program, work: Callable[[], None]) -> str:
    """Run `work` in a process of its own; returns "done", "killed" or "ended".

    Raises `Gone` with what the student's code raised there. The account comes back by a pipe,
    since files may be what the child is kept from writing.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read)
        status = 3
        try:
            work()
            status = 0
        except BaseException as e:
            told = json.dumps(describe(e, program.files)).encode()
            os.write(write, told[:60_000])  # below what a pipe holds, so that it cannot block
        finally:
            os._exit(status)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        raw = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        return "killed"
    if raw:
        raise Gone(json.loads(raw))
    return "done" if os.WEXITSTATUS(status) == 0 else "ended"


def interrupted(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Train, save and end; load elsewhere and train on.

    args: before, after (epochs), epoch (the number to save), lr, horizon, batch, seed,
    other_seed. tensors: w1, w2 (the model's), v1, v2 (a new model's), images, labels. Returns
    `stage` (where it came to: "save", "load", "done"), `raised`, the file's kind (`kind`,
    `detail` and `size`), the epoch returned (`epoch`), and the weights at the save, after the
    load and at the end as tensors `saved`, `loaded` and `last`; and `saved_seen` and `loaded_seen`,
    the model's buffer. Weights that did not come back are put back before training goes on, so
    that what else came back can be told.
    """
    save, load = program.get("save_checkpoint"), program.get("load_checkpoint")
    images, labels = tensors["images"], tensors["labels"].long()
    first = _Run(args, tensors["w1"], tensors["w2"])
    torch.manual_seed(args["seed"])
    first.train(args["before"], images, labels)
    here = {"stage": "save", "raised": None, "kind": "absent", "detail": "", "size": 0}

    def write() -> None:
        save(PATH, first.model, first.optimizer, first.scheduler, args["epoch"])

    try:
        _in_child(program, write)
    except Gone as e:
        return {**here, "raised": e.told}, {}
    here["stage"] = "load"
    there, _ = read_checkpoint(PATH)
    here.update(kind=there["kind"], detail=there["detail"])
    here["size"] = _size(PATH)
    second = _Run(args, tensors["v1"], tensors["v2"])
    torch.manual_seed(args["other_seed"])
    try:
        epoch = load(PATH, second.model, second.optimizer, second.scheduler)
    except NotImplementedError:
        raise
    except Exception as e:
        return {**here, "raised": describe(e, program.files)}, {}
    here["stage"] = "done"
    found = {"saved": first.vector(), "loaded": second.vector()}
    found |= {"saved_seen": first.seen.clone(), "loaded_seen": second.seen.clone()}
    second.take(found["saved"])
    second.train(args["after"], images, labels)
    found["last"] = second.vector()
    return {**here, "epoch": number(epoch)}, found


def _dies_beyond(size: int) -> None:
    """From now on a write beyond `size` bytes of any file ends the process at once."""
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    limit = max(SMALLEST_LIMIT, size)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def _dies_at_the_old_file(path: str) -> None:
    """From now on the process ends in the middle of whatever takes the old file away."""
    target = os.path.realpath(path)

    def same(name: Any) -> bool:
        try:
            return os.path.realpath(os.fsdecode(name)) == target
        except (TypeError, ValueError):  # an open file, by its number
            return False

    dying = False

    def hook(event: str, values: tuple[Any, ...]) -> None:
        nonlocal dying
        if dying or event not in ("open", "os.remove", "os.rename") or not same(values[0]):
            return
        flags = values[2] if event == "open" and isinstance(values[2], int) else 0
        if event == "open" and not flags & (os.O_WRONLY | os.O_RDWR):
            return
        dying = True
        if event == "open":
            os.truncate(target, os.path.getsize(target) // 2)
        elif event == "os.remove":
            os.remove(target)
        else:
            os.rename(target, os.fsdecode(values[1]))
        os._exit(0)

    sys.addaudithook(hook)


def _size(path: str) -> int:
    """Bytes of the file, 0 where there is none."""
    return os.path.getsize(path) if os.path.isfile(path) else 0


def crashed(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Save, then die while saving something newer over it, and see what loads.

    args and tensors as for `interrupted`; the older weights are v1, v2 and the newer w1, w2.
    Returns `stage` ("save" where the first save did not work, else "done"), `raised`, and
    `loads`, whether the first save's weights come back where nothing dies; `deaths`: for each way
    to die how the process ended, what `load_checkpoint` raised afterwards or None, and the weights
    it brought back as a tensor of that name.
    """
    save, load = program.get("save_checkpoint"), program.get("load_checkpoint")
    older = _Run(args, tensors["v1"], tensors["v2"])
    newer = _Run({**args, "lr": 0.0}, tensors["w1"], tensors["w2"])
    newer.train(1, tensors["images"], tensors["labels"].long())  # momenta, and the same weights
    loads = True
    deaths: dict[str, Any] = {}
    found: dict[str, Tensor] = {}
    ways: dict[str, Callable[[], None]] = {
        "half": lambda: _dies_beyond(_size(PATH) // 2),
        "grown": lambda: _dies_beyond(_size(PATH)),
        "old_file": lambda: _dies_at_the_old_file(PATH),
    }
    for way, arm in ways.items():

        def first() -> None:
            save(PATH, older.model, older.optimizer, older.scheduler, 1)

        def second(arm: Callable[[], None] = arm) -> None:
            arm()
            save(PATH, newer.model, newer.optimizer, newer.scheduler, 2)

        try:
            _in_child(program, first)
        except Gone as e:
            return {"stage": "save", "raised": e.told, "loads": False, "deaths": {}}, {}
        loads = loads and _brings_back(load, args, older)
        told: dict[str, Any] = {"raised": None}
        try:
            told["ended"] = _in_child(program, second)
        except Gone:  # a full disk is told to the caller: as good as a death
            told["ended"] = "raised"
        fresh = _Run(args, torch.zeros_like(tensors["v1"]), torch.zeros_like(tensors["v2"]))
        try:
            load(PATH, fresh.model, fresh.optimizer, fresh.scheduler)
        except NotImplementedError:
            raise
        except Exception as e:
            told["raised"] = describe(e, program.files)
        deaths[way], found[way] = told, fresh.vector()
    return {"stage": "done", "raised": None, "loads": loads, "deaths": deaths}, found


def _brings_back(load: Callable[..., Any], args: dict[str, Any], run: _Run) -> bool:
    """Whether loading the file as it is gives the weights of `run`."""
    zeros = [torch.zeros_like(p) for p in run.model.parameters()]
    fresh = _Run(args, *zeros)
    try:
        load(PATH, fresh.model, fresh.optimizer, fresh.scheduler)
    except NotImplementedError:
        raise
    except Exception:  # what it raises is for the first check of the task to say
        return False
    return torch.allclose(fresh.vector(), run.vector(), rtol=1e-2, atol=1e-3)  # or in 16 bits


class _Bomb:
    """Unpickling it calls a function."""

    def __init__(self, function: Callable[..., Any], *values: Any) -> None:
        self.call = (function, values)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def _bombs() -> list[_Bomb]:
    """Objects whose unpickling leaves a mark, each by a function of another module."""
    mark = os.path.abspath(MARK)
    inner = io.BytesIO()
    torch.save(_Bomb(open, mark, "w"), inner)
    return [
        _Bomb(open, mark, "w"),  # of _io
        _Bomb(eval, f"open({mark!r}, 'w')"),  # of builtins
        _Bomb(exec, f"open({mark!r}, 'w').close()"),
        _Bomb(os.mkdir, mark),  # of posix
        _Bomb(torch.storage._load_from_bytes, inner.getvalue()),  # noqa: SLF001 - reads a pickle
    ]


def _marked() -> bool:
    """Whether there is a mark; it is taken away."""
    there = os.path.lexists(MARK)
    if os.path.isdir(MARK):
        os.rmdir(MARK)
    elif there:
        os.remove(MARK)
    return there


def harmful(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """What `load_checkpoint` does with files that hold code: `files`, for each way of writing
    them whether unpickling one of them left its mark (`ran`) and whether every call raised
    (`raised`: an exception's name or ""). args and tensors as for `interrupted`.

    `loads` says whether it takes an honest file at all: one that refuses everything is not
    safe but useless. A file is made like one of the student's own, where that can be read,
    with one more entry, at its beginning or its end.
    """
    save, load = program.get("save_checkpoint"), program.get("load_checkpoint")
    run = _Run(args, tensors["w1"], tensors["w2"])
    save(PATH, run.model, run.optimizer, run.scheduler, 1)
    fresh = _Run(args, tensors["v1"], tensors["v2"])
    try:
        load(PATH, fresh.model, fresh.optimizer, fresh.scheduler)
    except NotImplementedError:
        raise
    except Exception:  # what is wrong with it is for its own checks to say
        return {"loads": False, "files": {}}, {}
    try:
        own = torch.load(PATH, weights_only=True)
    except Exception:  # of another format, or holding objects: a plain one stands in
        own = None
    plain = dict(own) if isinstance(own, dict) else {"model": run.model.state_dict(), "epoch": 1}
    bombs = _bombs()
    contents = [{"note": bomb, **plain} for bomb in bombs] + [{**plain, "note": bombs[0]}]
    told: dict[str, Any] = {}
    for way in ("torch", "pickle"):
        ran, raised = False, ["nothing"]
        for content in contents:
            if way == "torch":
                torch.save(content, PATH)
            else:
                with open(PATH, "wb") as file:
                    pickle.dump(content, file)
            fresh = _Run(args, tensors["v1"], tensors["v2"])
            try:
                load(PATH, fresh.model, fresh.optimizer, fresh.scheduler)
            except Exception as e:
                raised.append(type(e).__name__[:80])
            else:
                raised.append("")
            ran |= _marked()
        told[way] = {"ran": ran, "raised": raised[-1] if all(raised) else ""}
    return {"loads": True, "files": told}, {}


# --- schedules and clipping -----------------------------------------------------------------------

CAP = 400
"""Rates of a schedule that are handed out."""
PER_BATCH = "one-cycle"
"""The one schedule of the handout that moves after every batch."""


def table(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`lr_at(*call)` for each of `args["calls"]`: what each call returned."""
    function = program.get("lr_at")
    return {"returned": [number(function(*call)) for call in args["calls"]]}, {}


def traces(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """For each name of `args["names"]` the rate of every batch, driven as the handout says.

    args further: lengths ([epochs, steps_per_epoch] each), lr, unknown (a name that is to be
    refused). Returns `schedules`: {name: {"kind", "rates"}}, where `kind` is the returned type's
    name and rates, of all lengths in turn, are left out where it is no scheduler; `refused`: the
    name of the exception that the unknown name raised, or "".
    """
    function = program.get("make_scheduler")
    told: dict[str, Any] = {}
    for name, (epochs, steps_per_epoch) in itertools.product(args["names"], args["lengths"]):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=args["lr"], momentum=0.9)
        made = function(name, optimizer, epochs, steps_per_epoch)
        of_it = told.setdefault(name, {"kind": type(made).__name__[:80]})
        if not callable(getattr(made, "step", None)):
            continue
        rates: list[float | str] = of_it.setdefault("rates", [])
        for _ in range(epochs):
            for _ in range(steps_per_epoch):
                rates.append(finite(float(optimizer.param_groups[0]["lr"])))
                optimizer.step()
                if name == PER_BATCH:
                    made.step()
            if name != PER_BATCH:
                made.step()
        del rates[CAP:]
    refused = ""
    try:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=args["lr"])
        function(args["unknown"], optimizer, *args["lengths"][0])
    except Exception as e:
        refused = type(e).__name__[:80]
    return {"schedules": told, "refused": refused}, {}


def clip(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One call of `clip_gradients` for each limit in `args["limits"]`.

    The model has the parameters p0, p1, … and, as long as `tensors` holds them, the gradients
    g0, g1, …; a parameter without one keeps None. Returns for each limit the number returned,
    and the gradients afterwards as tensors `<limit's index>_g<i>`.
    """
    function = program.get("clip_gradients")
    told: list[dict[str, Any]] = []
    found: dict[str, Tensor] = {}
    for at, limit in enumerate(args["limits"]):
        model = nn.ParameterList(
            [nn.Parameter(tensors[f"p{i}"].clone()) for i in range(args["parameters"])]
        )
        for i, p in enumerate(model.parameters()):
            p.grad = tensors[f"g{i}"].clone() if f"g{i}" in tensors else None
        told.append(number(function(model, limit)))
        for i, p in enumerate(model.parameters()):
            if p.grad is not None:
                found[f"{at}_g{i}"] = p.grad.detach().float()
    return {"returned": told}, found
