"""Replays of `train_one_epoch()` and `evaluate()` of a program that works on its globals.

The same watched net, loader and optimizer as for functions with arguments (`nets.py`), reached
through `Binding`; its exchange is deep where the args say `deep`. Two things are different here.
The loss is the program's own `criterion` unless asked otherwise, because a softmax before NLLLoss
shows only together with it. And there is a `GradScaler`: a real one, disabled, or enabled on the
CPU with a fixed scale, that counts what is asked of it.
"""

from __future__ import annotations

import inspect
import types
from typing import Any

import torch
from torch import Tensor, nn

from ..plain import number
from ..program import Program, describe
from .binding import Binding
from .nets import Diary, Net, WatchedSGD, loader

Result = tuple[dict[str, Any], dict[str, Tensor]]
SNAPSHOTS = 40


class _Bound(Net):
    """The watched network in the place of the program's own `model`: it also has the methods of
    that model's class, because a program may call its model's `predict`.
    """

    def __init__(self, tensors: dict[str, Tensor], diary: Diary, own: Any) -> None:
        super().__init__(tensors, diary)
        self._own = type(own)

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            own = self.__dict__.get("_own")
            method = None if own is None else inspect.getattr_static(own, name, None)
            if not isinstance(method, types.FunctionType):
                raise
            return types.MethodType(method, self)


class WatchedScaler(torch.amp.GradScaler):
    """torch's GradScaler on the CPU that counts its calls; `scale` None means disabled.

    Its scale never changes, so that a replay of a few steps is a fixed computation.
    """

    def __init__(self, scale: float | None) -> None:
        super().__init__(
            "cpu", init_scale=scale or 1.0, growth_interval=10**9, enabled=scale is not None
        )
        self.calls = {"scale": 0, "unscale_": 0, "step": 0, "update": 0}

    def scale(self, outputs: Any) -> Any:
        self.calls["scale"] += 1
        return super().scale(outputs)

    def unscale_(self, optimizer: torch.optim.Optimizer) -> None:
        self.calls["unscale_"] += 1
        super().unscale_(optimizer)

    def step(self, optimizer: torch.optim.Optimizer, *args: Any, **kwargs: Any) -> Any:
        self.calls["step"] += 1
        return super().step(optimizer, *args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        self.calls["update"] += 1
        super().update(new_scale)


def _outputs(program: Program, images: Tensor) -> str:
    """What the rows of the program's own `model` are: `log_probabilities`, `probabilities`,
    `logits`, or `unknown` where it does not run.
    """
    model = program.namespace.get("model")
    if not isinstance(model, nn.Module):
        return "unknown"
    was = model.training
    try:
        with torch.no_grad():
            rows = model.eval()(images).float()
    except Exception:  # its own checks say what is wrong with it
        return "unknown"
    finally:
        model.train(was)
    if rows.dim() != 2:
        return "unknown"
    if torch.allclose(rows.logsumexp(1), torch.zeros(len(rows)), atol=1e-3):
        return "log_probabilities"
    if bool((rows >= 0).all()) and torch.allclose(rows.sum(1), torch.ones(len(rows)), atol=1e-3):
        return "probabilities"
    return "logits"


def epoch(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One call of `train_one_epoch` on a watched net, bound to the globals.

    args: batch, lr, momentum, smoothing, seed; `training`: the mode the net is left in before the
    call; `criterion`: "own" or "plain" (a CrossEntropyLoss of ours); `scale`: the scaler's fixed
    scale, or None for a disabled one; `deep`. tensors: w1, w2, mask, images, labels. Returns the
    diary, the returned number, the scaler's `calls`, what the program's own model `outputs`,
    `raised` and `weights` (K, P) as `training:one_epoch` does.
    """
    for name in ("train_one_epoch", "model", "train_loader", "optimizer"):
        program.get(name)
    outputs = _outputs(program, tensors["images"][:4])
    torch.manual_seed(args["seed"])
    diary = Diary()
    net = _Bound(tensors, diary, program.get("model"))
    net.train(args["training"])
    snapshots: list[Tensor] = []

    def on_batch() -> None:
        if len(snapshots) < SNAPSHOTS:
            snapshots.append(net.vector())

    batches = loader(tensors["images"], tensors["labels"], args["batch"], diary, "train", on_batch)
    optimizer = WatchedSGD(net.parameters(), lr=args["lr"], momentum=args["momentum"])
    optimizer.watched(net, diary)
    scaler = WatchedScaler(args["scale"])
    objects: dict[str, Any] = {
        "model": net,
        "train_loader": batches,
        "optimizer": optimizer,
        "scaler": scaler,
    }
    if args["criterion"] != "own" or not callable(program.namespace.get("criterion")):
        objects["criterion"] = nn.CrossEntropyLoss(label_smoothing=args["smoothing"])
    binding = Binding(program, objects, args.get("deep", False))
    returned, raised = None, None
    try:
        returned = binding.call("train_one_epoch", "train_loader")
    except RuntimeError as e:
        if not diary.stepped_too_early():
            raise
        raised = describe(e, program.files)
    diary.count_graphs()
    snapshots.append(net.vector())
    data = {
        "returned": number(returned),
        "raised": raised,
        "calls": scaler.calls,
        "outputs": outputs,
        **diary.report(),
    }
    return data, {"weights": torch.stack(snapshots)}


def evaluation(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One call of `evaluate` on a watched net and secret batches, bound to the globals.

    args: batch, seed, `training`: the mode the net is left in before the call; `deep`. tensors as
    for `epoch`. Returns the diary and the returned number.
    """
    for name in ("evaluate", "model", "test_loader"):
        program.get(name)
    torch.manual_seed(args["seed"])
    diary = Diary()
    net = _Bound(tensors, diary, program.get("model"))
    net.train(args["training"])
    batches = loader(tensors["images"], tensors["labels"], args["batch"], diary, "test")
    objects = {"model": net, "test_loader": batches}
    returned = Binding(program, objects, args.get("deep", False)).call("evaluate", "test_loader")
    return {"returned": number(returned), **diary.report()}, {}
