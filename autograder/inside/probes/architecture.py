"""Probe of a model class: its answers on chosen inputs, and the parameters behind them.

One run answers all five questions about an architecture. Before its answers are recorded
every parameter is set to secret random values (normal, scaled by fan-in), so that an unusual
initialisation, such as a last layer of zeros, hides nothing. The tensors that an answer
really depends on are found by walking the autograd graph to its leaves, whatever Python
object holds them: a leaf that `parameters()` does not list is not registered.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ..program import Program

WEIGHTS_CAP = 2_000_000
"""Numbers of a network whose weights leave the process."""


def leaves(output: Tensor) -> Iterator[Tensor]:
    """The leaf tensors that ask for a gradient and that `output` was computed from."""
    seen: set[Any] = set()
    stack = [output.grad_fn]
    while stack:
        node = stack.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        variable = getattr(node, "variable", None)
        if variable is not None:
            yield variable
        stack.extend(parent for parent, _ in node.next_functions)


def _build(program: Program, args: dict[str, Any]) -> nn.Module:
    cls = program.get(args["class"])
    torch.manual_seed(args["seed"])
    model = cls if isinstance(cls, nn.Module) else cls(**args["kwargs"])
    if not isinstance(model, nn.Module):
        raise TypeError(f"{args['class']}(...) is a {type(model).__name__}, not an nn.Module")
    return model


def _refill(tensors: list[Tensor], seed: int) -> None:
    """Secret random values, scaled so that activations keep their size from layer to layer."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for t in tensors:
            fan_in = t[0].numel() if t.dim() > 1 else 16
            t.copy_(torch.randn(t.shape, generator=generator).to(t) * (2.0 / fan_in) ** 0.5)


def _is_nll(criterion: Any) -> bool:
    """Whether the program's own loss is a mean negative log-likelihood, found by its value."""
    scores, classes = torch.randn(6, 10), torch.arange(6)
    try:
        return bool(torch.isclose(criterion(scores, classes), -scores[classes, classes].mean()))
    except Exception:  # no loss of scores and classes
        return False


def forward(
    program: Program, args: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Build `args["class"](**args["kwargs"])`, or take it where it is a network already, and ask
    it for logits.

    args: class, kwargs, seed, attributes. tensors: `images` (N, …) ordinary ones, `wide`
    (M, …) of both signs and large, `points` (4 k, …): k quadruples 0, a, b, a + b stacked
    as four blocks.

    Returns `logits`, `wide`, `points`, and `changed`: the logits of `images` with the first
    image replaced by the last; `weights`, all registered parameters as one vector, and their
    `shapes` as data, where they are not too many; as data the dtype, the shape, whether two
    calls agree, the sizes of registered parameters and of leaves that are not registered, and
    missing attributes. Everything after the first call is in evaluation mode.
    """
    model = _build(program, args)
    images = tensors["images"]
    first = model(images)
    if not isinstance(first, Tensor):
        raise TypeError(f"the model returned a {type(first).__name__}, not a tensor")
    model.eval()
    with torch.enable_grad():
        out = model(images)
        registered = list(model.parameters())
        ids = {id(p) for p in registered}
        found = list({id(t): t for t in leaves(out)}.values())
        strays = [t for t in found if id(t) not in ids]
    data: dict[str, Any] = {
        "shape": list(out.shape),
        "dtype": str(out.dtype).removeprefix("torch."),
        "registered": sum(p.numel() for p in registered),
        "strays": [list(t.shape) for t in strays][:50],
        "stray_size": sum(t.numel() for t in strays),
        "missing": [a for a in args["attributes"] if not hasattr(model, a)],
        "nll": _is_nll(program.namespace.get("criterion")),
    }
    _refill([*registered, *strays], args["seed"])
    with torch.no_grad():
        logits = model(images)
        changed = images.clone()
        changed[0] = images[-1]
        answers = {
            "logits": logits,
            "again": model(images),
            "changed": model(changed),
            "wide": model(tensors["wide"]),
            "points": model(tensors["points"]),
        }
    if not strays and data["registered"] <= WEIGHTS_CAP:
        data["shapes"] = [list(p.shape) for p in registered][:64]
        answers["weights"] = torch.cat([p.detach().reshape(-1) for p in registered] or [out[:0, 0]])
    return data, {k: v.detach().double() for k, v in answers.items()}
