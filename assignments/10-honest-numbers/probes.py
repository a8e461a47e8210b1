"""The probes of this assignment: trainings on images that bear their numbers, rules that are asked
about groups, and one step of a Lightning module.

It holds no secret and no answer: numbers come with the request.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
import zlib
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_forward_hook,
    register_module_forward_pre_hook,
)
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)
from torch.utils.data import DataLoader, TensorDataset

from ..plain import finite, plain
from ..program import Program, describe
from ..trees import Teller
from .folder import secret_root, seed_from_outside

Result = tuple[dict[str, Any], dict[str, Tensor]]
BITS = 11
"""Pixels of an image's first row that hold its number, the highest bit first; the next two are dark
and bright, whatever the image.
"""
CALLS_CAP, STEPS_CAP, CLOCKS_CAP, ROWS_CAP = 400, 400, 200, 20_000
READS = ("item", "tolist", "cpu", "numpy", "__float__", "__int__", "__bool__")
"""Methods of a tensor that wait for the GPU, as `synchronize` does."""
CLOCKS = ("perf_counter", "perf_counter_ns", "time", "time_ns", "monotonic", "monotonic_ns")


# -- what a training looks at, and with what -------------------------------------------------------


def indices(images: Tensor) -> list[int]:
    """The numbers that images bear, -1 for none: a pixel is set where it is nearer to the bright
    one than to the dark one, so that shifting and scaling change nothing.
    """
    if images[0].numel() < BITS + 2:
        return []
    head = images.detach().reshape(len(images), -1)[:, : BITS + 2].double().cpu()
    dark, bright = head[:, BITS], head[:, BITS + 1]
    share = (head[:, :BITS] - dark[:, None]) / (bright - dark)[:, None]
    bits = share.round()
    found = (bits * 2.0 ** torch.arange(BITS - 1, -1, -1)).sum(1)
    sound = ((share - bits).abs() < 0.05).all(1) & ((bits == 0) | (bits == 1)).all(1)
    return [int(v) if ok else -1 for v, ok in zip(found, sound.tolist(), strict=True)]


def _first(value: Any) -> Tensor | None:
    """The first tensor of what a module was given or gave."""
    if isinstance(value, Tensor):
        return value
    held = value.values() if isinstance(value, dict) else value
    if isinstance(held, (list, tuple)) or isinstance(value, dict):
        return next((v for v in held if isinstance(v, Tensor)), None)
    return None


class _Watch:
    """What networks are asked about images, and which steps their optimizers take.

    A call is one of an outermost module; it was trained on if a gradient flowed back through what
    it gave. `ray` is a direction, along which weights are told.
    """

    def __init__(self, ray: Tensor) -> None:
        self.ray = ray
        self.inside: list[nn.Module] = []
        self.calls: list[dict[str, Any]] = []
        self.models: list[nn.Module] = []
        self.optimizers: list[torch.optim.Optimizer] = []
        self.steps: list[dict[str, Any]] = []
        self.clock: list[str] = []
        self.seen: tuple[set[int], set[int]] = (set(), set())
        """The numbers of the images that were asked about, and of those that were trained on."""
        self.stepped: torch.optim.Optimizer | None = None
        self.unclear: torch.optim.Optimizer | None = None
        """The optimizer whose used gradients were there when the last backward pass began."""
        self.stale = 0

    def _along(self, module: nn.Module) -> float:
        weights = [p.detach().reshape(-1) for p in module.parameters()]
        if not weights:
            return 0.0
        flat = torch.cat(weights).double().cpu()[: len(self.ray)]
        return round(float(flat @ self.ray[: len(flat)]), 9)

    def entered(self, module: nn.Module, given: Any) -> None:
        x = _first(given)
        outermost = not self.inside and x is not None and x.ndim > 1 and len(x)
        if x is not None and outermost and x[0].numel() == 784:
            numbers = indices(x)
            kind = x.device.type
            if not any(module is m for m in self.models):
                self.models.append(module)
            call = {
                "trained": False,
                "model": next(k for k, m in enumerate(self.models) if m is module),
                "rows": len(x),
                "which": zlib.crc32(repr(numbers).encode()),
                "parameters": sum(p.numel() for p in module.parameters()),
                "at": self._along(module) if torch.is_grad_enabled() else 0.0,
                "half": bool(torch.is_autocast_enabled(kind)),
                "numbers": numbers,
            }
            self.calls.append(call)
            self.clock.append("call")
            self.seen[0].update(numbers)
        self.inside.append(module)

    def left(self, module: nn.Module, given: Any, gave: Any) -> None:
        while self.inside and self.inside.pop() is not module:
            pass
        result = _first(gave)
        if self.inside or not self.calls or result is None or not result.requires_grad:
            return
        call = self.calls[-1]

        def flowed(gradient: Tensor) -> None:
            if not call["trained"]:
                call["trained"] = True
                self.seen[1].update(call["numbers"])

        result.register_hook(flowed)

    def before(self, *args: Any, **kwargs: Any) -> None:
        """Before a backward pass: whether gradients are there that a step has used."""
        if self.stepped is not None:
            held = [p for group in self.stepped.param_groups for p in group["params"]]
            full = any(p.grad is not None and bool(p.grad.any()) for p in held)
            self.unclear = self.stepped if full else None
        self.stepped = None

    def step(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        if not any(optimizer is o for o in self.optimizers):
            self.optimizers.append(optimizer)
        which = next(k for k, o in enumerate(self.optimizers) if o is optimizer)
        self.stale += self.unclear is optimizer
        self.unclear = None
        self.steps.append({"optimizer": which, "calls": len(self.calls)})
        self.clock.append("step")

    def after(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        self.stepped = optimizer

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        backward = torch.autograd.backward

        def watched(*args: Any, **kwargs: Any) -> Any:
            self.before()
            return backward(*args, **kwargs)

        with contextlib.ExitStack() as stack:
            for hook in (
                register_module_forward_pre_hook(self.entered),
                register_module_forward_hook(self.left, always_call=True),
                register_optimizer_step_pre_hook(self.step),
                register_optimizer_step_post_hook(self.after),
            ):
                stack.callback(hook.remove)
            torch.autograd.backward = watched
            try:
                yield
            finally:
                torch.autograd.backward = backward

    def _held(self, optimizer: torch.optim.Optimizer) -> list[int]:
        """Which models an optimizer holds parameters of."""
        held = {id(p) for group in optimizer.param_groups for p in group["params"]}
        return [k for k, m in enumerate(self.models) if any(id(p) in held for p in m.parameters())][
            :40
        ]

    def report(self) -> dict[str, Any]:
        """`calls` (trained ones), `steps` (of which optimizer, after how many trained calls),
        `optimizers`, `stale` (backward passes onto used gradients), and the numbers `asked` about
        and `trained` on.
        """
        trained = [i for i, c in enumerate(self.calls) if c["trained"]]
        kept = ("model", "rows", "which", "parameters", "at", "half")
        groups = [o.param_groups[0] for o in self.optimizers]
        return {
            "calls": [{k: self.calls[i][k] for k in kept} for i in trained[:CALLS_CAP]],
            "steps": [
                [s["optimizer"], sum(i < s["calls"] for i in trained)]
                for s in self.steps[:STEPS_CAP]
            ],
            "optimizers": [
                {
                    "kind": type(o).__name__[:80],
                    "rate": plain(g.get("lr")),
                    "momentum": plain(g.get("momentum", 0.0)),
                    "models": self._held(o),
                }
                for o, g in zip(self.optimizers, groups, strict=True)
            ][:40],
            "stale": int(self.stale),
            "asked": sorted(self.seen[0])[:2_000],
            "trained": sorted(self.seen[1])[:2_000],
        }


def play(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Call `args["function"]` as each of `args["calls"]`, [arguments, keywords], says, on images
    that bear numbers, below "data". Before a call all generators are set, by `seed`, or where
    `steady` is not asked for by another number each time.

    Data: `played`, for each call `returned` (a tree), `raised`, and the report of a `_Watch`;
    `files`, the names of files that were not there before.
    """
    function = program.get(args["function"])
    ray = tensors.pop("ray").double()
    played: list[dict[str, Any]] = []
    out: dict[str, Tensor] = {}
    with secret_root("FashionMNIST", tensors):
        before = set(os.listdir())
        for k, (given, named) in enumerate(args["calls"]):
            seed_from_outside(args["seed"] + (0 if args.get("steady") else k))
            watch, told, raised = _Watch(ray), None, None
            with watch.watching():
                try:
                    told = Teller(out, f"r{k}").tell(function(*_tuples(given), **named))
                except NotImplementedError:
                    raise
                except Exception as e:
                    raised = describe(e, program.files)
            played.append({"returned": told, "raised": raised, **watch.report()})
            if raised is not None:
                break
        files = sorted(set(os.listdir()) - before)
    return {"played": played, "files": [f[:80] for f in files[:20]]}, out


def _tuples(given: list[Any]) -> list[Any]:
    """Arguments as they came, lists of lists as lists of tuples."""
    return [
        [tuple(v) if isinstance(v, list) else v for v in one] if isinstance(one, list) else one
        for one in given
    ]


# -- task 4: rules ---------------------------------------------------------------------------------


def always(a: Any, b: Any) -> bool:
    """A rule that sees a gain everywhere."""
    return True


def generator(seed: int) -> np.random.Generator:
    """A generator of numpy's."""
    return np.random.default_rng(seed)


def _apart(a: Any, b: Any) -> bool:
    """All of b lie above all of a."""
    return bool(min(b) > max(a))


def _middle(a: Any, b: Any) -> bool:
    """The mean of b is above that of a."""
    return bool(np.mean(b) > np.mean(a))


def _deviation(a: Any, b: Any) -> bool:
    """The means differ by more than the larger sample deviation."""
    return bool(np.mean(b) - np.mean(a) > max(np.std(a, ddof=1), np.std(b, ddof=1)))


RULES: dict[str, Callable[[Any, Any], bool]] = {
    "apart": _apart,
    "middle": _middle,
    "deviation": _deviation,
}


def _states() -> bytes:
    """The global generators, as bytes."""
    told = repr((random.getstate(), np.random.get_state()))  # noqa: NPY002 - what is looked at
    return told.encode() + torch.get_rng_state().numpy().tobytes()


Groups = list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]


def _noting(rule: Callable[[Any, Any], bool], asked: Groups) -> Callable[[Any, Any], bool]:
    """The rule; the groups that it is asked about are kept in `asked`."""

    def noting(a: Any, b: Any) -> bool:
        first, second = np.array(a, dtype=float).ravel(), np.array(b, dtype=float).ravel()
        asked.append((first, second))
        return rule(first, second)

    return noting


def alarms(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`false_alarm_rate(rule, n, trials, default_rng(seed))` for each of `asked`: [rule, n, trials,
    seed], twice over, with the global generators set to other numbers each time.

    Data: `rates` [[first, again], …]; of the second: `asked` (how often the rule was), `sizes` (of
    the groups), `same` (how often both were the same group); `globals` (whether a global generator
    was drawn from). Tensors: `means.k` and `spreads.k`, (asked, 2).
    """
    function = program.get("false_alarm_rate")
    data: dict[str, Any] = {"rates": [], "asked": [], "sizes": [], "same": [], "globals": []}
    out: dict[str, Tensor] = {}
    for k, (name, n, trials, seed) in enumerate(args["asked"]):
        rates, drawn = [], False
        groups: Groups = []
        for turn in range(2):
            groups = []
            seed_from_outside(args["seed"] + 7 * k + turn)
            before = _states()
            returned = function(
                _noting(RULES[name], groups), n, trials, np.random.default_rng(seed)
            )
            drawn = drawn or before != _states()
            rates.append(plain(returned))
        data["rates"].append(rates)
        data["asked"].append(len(groups))
        data["sizes"].append(sorted({g.size for pair in groups for g in pair})[:4])
        data["same"].append(sum(np.array_equal(a, b) for a, b in groups))
        data["globals"].append(drawn)
        kept = groups[:ROWS_CAP]
        out[f"means.{k}"] = torch.tensor([[g.mean() for g in pair] for pair in kept])
        out[f"spreads.{k}"] = torch.tensor([[g.std() for g in pair] for pair in kept])
    return data, out


# -- task 5: the table and the decision ------------------------------------------------------------


def tabled(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`table(results)` as a tree."""
    out: dict[str, Tensor] = {}
    given = {name: list(values) for name, values in args["results"].items()}
    return {"returned": Teller(out, "r").tell(program.get("table")(given))}, out


def decided(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`RESULTS` and `DECISION` as trees, and what the program's own rule says of the results."""
    results, decision = program.get("RESULTS"), program.get("DECISION")
    out: dict[str, Tensor] = {}
    data: dict[str, Any] = {
        "results": Teller(out, "r").tell(results),
        "decision": Teller(out, "d").tell(decision),
        "own": None,
    }
    with contextlib.suppress(Exception):  # the rule has checks of its own
        by_name = {str(k): v for k, v in results.items()}
        data["own"] = bool(program.get("is_real_gain")(by_name["256"], by_name["512"]))
    return data, out


# -- task 6: on a GPU ------------------------------------------------------------------------------


@contextlib.contextmanager
def _clocks(told: list[str]) -> Iterator[None]:
    """Within, looks at a clock, waits, resets and peaks are written down in their order."""
    kept: list[tuple[Any, str, Any]] = []

    def note(owner: Any, name: str, word: str) -> None:
        original = getattr(owner, name, None)
        if original is None:
            return

        def noted(*args: Any, **kwargs: Any) -> Any:
            told.append(word)
            return original(*args, **kwargs)

        kept.append((owner, name, original))
        setattr(owner, name, noted)

    for name in CLOCKS:
        note(time, name, "clock")
    note(torch.cuda, "synchronize", "wait")
    for name in READS:
        note(Tensor, name, "wait")
    note(torch.cuda.Event, "elapsed_time", "event")
    for name in ("reset_peak_memory_stats", "reset_max_memory_allocated"):
        note(torch.cuda, name, "reset")
        note(torch.cuda.memory, name, "reset")
    for name in ("max_memory_allocated", "memory_stats"):
        note(torch.cuda, name, "peak")
        note(torch.cuda.memory, name, "peak")
    try:
        yield
    finally:
        for owner, name, original in reversed(kept):
            setattr(owner, name, original)


def payoff(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """`amp_payoff(epochs, device, limit)` on images that bear numbers. Returns `returned` (a tree),
    `raised`, the report of a `_Watch`, and `clock`: looks at the clock, waits, resets, peaks, and
    the calls and steps between them, in their order, neighbours that are alike told once.
    """
    function = program.get("amp_payoff")
    watch = _Watch(tensors.pop("ray").double())
    out: dict[str, Tensor] = {}
    data: dict[str, Any] = {"returned": None, "raised": None}
    seed_from_outside(args["seed"])
    with secret_root("FashionMNIST", tensors), watch.watching(), _clocks(watch.clock):
        for name in CLOCKS:  # `from time import perf_counter` has a name of its own
            for key, value in list(program.namespace.items()):
                if isinstance(value, BuiltinFunctionType) and value.__name__ == name:
                    program.namespace[key] = getattr(time, name)
        try:
            told = function(epochs=args["epochs"], device=args["device"], limit=args["limit"])
            data["returned"] = Teller(out, "r").tell(told)
        except NotImplementedError:
            raise
        except Exception as e:
            data["raised"] = describe(e, program.files)
    clock = [w for k, w in enumerate(watch.clock) if k == 0 or w != watch.clock[k - 1]]
    return {**data, **watch.report(), "clock": clock[-CLOCKS_CAP:]}, out


# -- task 7: one step of a Lightning module --------------------------------------------------------


def lit_step(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One batch (`x`, `y`) through a Trainer, with `LitMLP(hidden)`: its `logits` before the step,
    and `loss`, the number that the backward pass began from (None without one).
    """
    import lightning

    torch.manual_seed(args["seed"])
    model = program.get("LitMLP")(args["hidden"])
    with torch.no_grad():
        logits = model(tensors["x"]).detach().double()
    losses: list[Any] = []
    backward = torch.autograd.backward

    def watched(tensor: Any, *rest: Any, **named: Any) -> Any:
        first = _first(tensor)
        losses.append(None if first is None else finite(float(first.detach().sum())))
        return backward(tensor, *rest, **named)

    trainer = lightning.Trainer(
        max_steps=1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        limit_val_batches=0,
    )
    torch.autograd.backward = watched
    try:
        batch = TensorDataset(tensors["x"], tensors["y"].long())
        trainer.fit(model, DataLoader(batch, batch_size=len(batch)))
    finally:
        torch.autograd.backward = backward
    return {"loss": losses[0] if losses else None}, {"logits": logits}
