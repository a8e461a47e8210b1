"""Probes of `train_one_epoch(model, dataloader, loss_fn, optimizer)` and of the whole run.

`one_epoch` replays the student's function once on a secret net and secret batches. The
final weights are the testimony that counts; weights seen when a batch is handed out, the
letters of the diary and the losses only help to put a name to a departure.

`setup` follows the first steps of `train_mnist` as the program wired itself: whose
parameters the stepping optimizer holds, at which rate, and whether the loss falls.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
)

from ..plain import finite, number
from ..program import Program, StopProgram, describe
from .nets import Diary, Net, WatchedSGD, loader

SNAPSHOTS = 40


def one_epoch(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One call of the student's function on a fresh net that was left in evaluation mode.

    args: batch, lr, momentum, smoothing, seed. tensors: w1, w2, mask, images, labels.
    Returns the diary, the returned number, and `weights` (K, P): when each batch was handed
    out, and last after the return. A step between forward and backward changes what the
    backward pass needs, which raises; that one error is returned, as `raised`, with the diary.
    """
    function = program.get("train_one_epoch")
    torch.manual_seed(args["seed"])
    diary = Diary()
    net = Net(tensors, diary)
    net.eval()
    snapshots: list[Tensor] = []

    def on_batch() -> None:
        if len(snapshots) < SNAPSHOTS:
            snapshots.append(net.vector())

    batches = loader(tensors["images"], tensors["labels"], args["batch"], diary, "train", on_batch)
    optimizer = WatchedSGD(net.parameters(), lr=args["lr"], momentum=args["momentum"])
    optimizer.watched(net, diary)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=args["smoothing"])
    returned, raised = None, None
    try:
        returned = function(net, batches, loss_fn, optimizer)
    except RuntimeError as e:
        if not diary.stepped_too_early():
            raise
        raised = describe(e, program.files)
    diary.count_graphs()
    snapshots.append(net.vector())
    data = {"returned": number(returned), "raised": raised, **diary.report()}
    return data, {"weights": torch.stack(snapshots)}


class _Wiring:
    """Hooks that follow the optimizer, the net that runs forward, and the loss of a program."""

    def __init__(self, steps: int) -> None:
        self.limit = steps
        self.steps = 0
        self.optimizer = ""
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.held: list[int] = []
        self.fed: list[int] = []
        self.total: list[int] = []
        self.root: nn.Module | None = None
        self._depth = 0

    def entering(self, module: nn.Module, inputs: Any) -> None:
        self._depth += 1
        if self._depth == 1 and torch.is_grad_enabled() and not isinstance(module, _LOSSES):
            self.root = module

    def leaving(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self._depth = max(0, self._depth - 1)

    def stepping(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        """Before a step: how many of the running net's parameters does this optimizer feed?"""
        mine = [p for group in optimizer.param_groups for p in group["params"]]
        ids = {id(p) for p in mine}
        net = list(self.root.parameters()) if self.root is not None else []
        self.optimizer = type(optimizer).__name__[:40]
        self.rates.append(float(optimizer.param_groups[0]["lr"]))
        self.total.append(len(net))
        self.held.append(sum(id(p) in ids for p in net))
        self.fed.append(sum(id(p) in ids and p.requires_grad for p in net))

    def stepped(self, optimizer: torch.optim.Optimizer, args: Any, kwargs: Any) -> None:
        self.steps += 1
        if self.steps >= self.limit:
            raise StopProgram

    def loss(self, original: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """`original`, with the mean over samples of what it returns in training noted."""

        def noted(*args: Any, **kwargs: Any) -> Tensor:
            value = original(*args, **kwargs)
            if value.requires_grad and len(self.losses) < 10 * self.limit:
                mean = float(value.detach().float().mean())
                if kwargs.get("reduction", "mean") == "sum":
                    mean /= max(1, len(args[0] if args else kwargs["input"]))
                self.losses.append(mean)
            return value

        return noted


_LOSSES = nn.L1Loss.__mro__[1]
"""The base class of torch's loss modules."""


def setup(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The first `args["steps"]` steps of the student's `train_mnist`, on the root at `data`.

    Returns: steps, optimizer (class name), rates (largest, last), losses (the first, the mean
    of the last three, the worst, and how many), and of the net's parameters how many there
    are, how many the optimizer holds, and how many of those ask for a gradient.
    """
    function = program.get("train_mnist")
    wiring = _Wiring(args["steps"])
    functional = torch.nn.functional
    functional.cross_entropy = wiring.loss(functional.cross_entropy)
    functional.nll_loss = wiring.loss(functional.nll_loss)
    nn.modules.module.register_module_forward_pre_hook(wiring.entering)
    nn.modules.module.register_module_forward_hook(wiring.leaving, always_call=True)
    register_optimizer_step_pre_hook(wiring.stepping)
    register_optimizer_step_post_hook(wiring.stepped)
    ended = True
    try:
        function("data", 1, args["seed"])
    except StopProgram:
        ended = False
    losses = wiring.losses
    data = {
        "ended": ended,
        "steps": wiring.steps,
        "optimizer": wiring.optimizer,
        "rate": finite(max(wiring.rates)) if wiring.rates else 0.0,
        "last_rate": finite(wiring.rates[-1]) if wiring.rates else 0.0,
        "n_losses": len(losses),
        "first_loss": finite(losses[0]) if losses else 0.0,
        "last_loss": finite(statistics.fmean(losses[-3:])) if losses else 0.0,
        "worst_loss": finite(max(losses)) if losses else 0.0,
        "parameters": max(wiring.total, default=0),
        "held": max(wiring.held, default=0),
        "fed": max(wiring.fed, default=0),
    }
    return data, {}
