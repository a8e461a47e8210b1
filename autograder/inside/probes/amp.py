"""Probes of `clip_gradients`, `train_amp_step` and `accumulate_step`.

The functions are called a few times on a secret net, one batch or group of batches a call, and
the weights are noted after each call: a path that can be computed outside. `steps` walks
several such paths, because what one scaler shows another hides: a large scale shows whether
the gradients were clipped before they were divided by it, and hides gradients that were left
from the call before; a disabled scaler shows those. One call in the path `overflow` gets a
loss so large that its scaled gradients are infinite, as happens in float16.

Where the program has a `clip_gradients` of its own, PyTorch's clipping takes its place: that
function has a check of its own, and one mistake should cost one check.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..plain import finite, number
from ..program import Program, describe
from .nets import Diary, Net, WatchedSGD, gradient_norm

Result = tuple[dict[str, Any], dict[str, Tensor]]


def clip(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One call of `clip_gradients` for each limit in `args["limits"]`.

    The model has the parameters p0, p1, … and, as long as `tensors` holds them, the gradients
    g0, g1, …; a parameter without one keeps None. Returns for each limit the number returned,
    and the gradients afterwards as tensors `<limit's index>_g<i>`; `raised` as in `steps`.
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


def _clip_gradients(model: nn.Module, max_norm: float) -> float:
    """PyTorch's clipping under the handout's name."""
    return float(nn.utils.clip_grad_norm_(model.parameters(), max_norm))


def _bind(program: Program) -> None:
    if "clip_gradients" in program.namespace:
        program.rebind({"clip_gradients": _clip_gradients})


class _Walk:
    """One net with its optimizer, called again and again; what it did is in `told` and `seen`."""

    def __init__(self, args: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        torch.manual_seed(args["seed"])
        self.diary = Diary()
        self.net = Net(tensors, self.diary).train()
        self.optimizer = WatchedSGD(self.net.parameters(), lr=args["lr"])
        self.optimizer.watched(self.net, self.diary)
        self.seen = [self.net.vector()]
        self.returned: list[dict[str, Any]] = []
        self.left: list[float | str] = []
        self.raised: dict[str, Any] | None = None

    def call(self, program: Program, function: Callable[[], Any]) -> bool:
        """Call once and note the weights; False where it raised, which is told.

        An error may come after the step: the weights are noted if they moved.
        """
        try:
            self.returned.append(number(function()))
        except NotImplementedError:
            raise
        except Exception as e:
            self.raised = describe(e, program.files)
            if not torch.equal(self.net.vector(), self.seen[-1]):
                self.seen.append(self.net.vector())
            return False
        self.seen.append(self.net.vector())
        self.left.append(finite(gradient_norm(self.net)))
        self.diary.beat("|")
        return True

    def report(self) -> dict[str, Any]:
        """The walk as plain data; `beats` has a bar after each call, `left` the norm of the
        gradients that each call left behind.
        """
        return {
            **self.diary.report(),
            "returned": self.returned,
            "left": self.left,
            "raised": self.raised,
        }


def steps(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Walks of `train_amp_step`, one for each of `args["walks"]`.

    A walk: name, enabled, scale, interval (the scaler's growth interval), overflow (the call
    whose loss overflows, or -1). args further: batch, lr, max_norm, smoothing, factor (what
    the overflowing loss is multiplied by), seed. tensors: w1, w2, mask, images, labels.
    Returns for each walk its report with the scaler's `scales` after each call, and the
    weights before the first and after each call as tensor (calls + 1, P) of its name.
    """
    function = program.get("train_amp_step")
    _bind(program)
    data: dict[str, Any] = {}
    found: dict[str, Tensor] = {}
    for asked in args["walks"]:
        data[asked["name"]], found[asked["name"]] = _step_walk(
            program, function, {**args, **asked}, tensors
        )
    return data, found


def _step_walk(
    program: Program, function: Callable[..., Any], args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], Tensor]:
    """One walk of `steps`."""
    walk = _Walk(args, tensors)
    mean = nn.CrossEntropyLoss(label_smoothing=args["smoothing"])
    scaler = torch.amp.GradScaler(
        "cpu",
        init_scale=args["scale"],
        growth_interval=args["interval"],
        enabled=args["enabled"],
    )
    scales: list[float | str] = []
    for k, batch in enumerate(_batches(args, tensors)):

        def loss_fn(logits: Tensor, labels: Tensor, k: int = k) -> Tensor:
            loss: Tensor = mean(logits, labels)
            return loss * (args["factor"] if k == args["overflow"] else 1.0)

        def call(batch: list[Tensor] = batch) -> Any:
            return function(walk.net, batch, loss_fn, walk.optimizer, scaler, args["max_norm"])

        if not walk.call(program, call):
            break
        scales.append(finite(float(scaler.get_scale())))
    return {**walk.report(), "scales": scales}, torch.stack(walk.seen)


def _batches(args: dict[str, Any], tensors: dict[str, Tensor]) -> list[list[Tensor]]:
    """Pairs of images and labels, as a DataLoader's default collation gives them."""
    x = torch.split(tensors["images"], args["batch"])
    y = torch.split(tensors["labels"].long(), args["batch"])
    return [list(pair) for pair in zip(x, y, strict=True)]


def groups(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One walk of `accumulate_step`, `args["groups"]` batches a call.

    args further: batch, lr, max_norm, smoothing, seed. Returns the walk's report and the
    weights before the first and after each call as tensor `weights` (calls + 1, P).
    """
    function = program.get("accumulate_step")
    _bind(program)
    loss_fn = nn.CrossEntropyLoss(label_smoothing=args["smoothing"])
    batches = _batches(args, tensors)
    walk = _Walk(args, tensors)
    for size in args["groups"]:
        group, batches = batches[:size], batches[size:]

        def call(group: list[list[Tensor]] = group) -> Any:
            return function(walk.net, group, loss_fn, walk.optimizer, args["max_norm"])

        if not walk.call(program, call):
            break
    return walk.report(), {"weights": torch.stack(walk.seen)}
