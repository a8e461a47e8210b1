"""Reading a graph before it is differentiated: what it reaches, and what older work it hangs on.

Theory. `AccumulateGrad` nodes are the leaves that a backward pass fills. A node of the graph can
carry a note in its `metadata`, which lives exactly as long as the node. So a note on the root of
an earlier loss tells how long its graph is kept alive, and a note on the outputs of modules tells,
when a pass fails, whether the graph reaches back into an earlier step, and through what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

NODES_CAP, LEAVES_CAP, OUTPUTS_CAP, MARKED_CAP = 20_000, 400, 8, 16
ROOT, OUTPUT = "five_beats_root", "five_beats_output"
_SCALAR_OPS = ("Add", "Sub", "Mul", "Div", "Sum", "Mean", "Stack", "Sqrt", "Squeeze", "Neg", "To")
_SHAPE_OPS = ("View", "Cat", "Reshape", "UnsafeView", "T", "Transpose", "Stack", "To", "Sum")


class Mark:
    """A note in the metadata of a root: it dies with the node. `backward` numbers its pass."""

    def __init__(self, backward: int) -> None:
        self.backward = backward


@dataclass(frozen=True)
class Older:
    """What of earlier passes a graph hangs on: `root`, an earlier loss; `module`, the class of a
    module that was called both before and after the last pass, or "".
    """

    root: bool
    module: str


def operation(node: Any) -> str:
    """A node's operation without its suffix: "Mul" of `MulBackward0`."""
    return str(node.name()).split("Backward", 1)[0].rsplit("::", 1)[-1]


def root_operation(root: torch.Tensor) -> str:
    """The operation that made a loss, a change of its sign apart; "" of a leaf."""
    node = root.grad_fn
    while node is not None and operation(node) == "Neg":
        node = next(iter(children(node)), None)
    return operation(node) if node is not None else ""


def notes(node: Any) -> dict[str, Any]:
    """What is noted on a node; torch's stubs take this property for a method."""
    held: dict[str, Any] = node.metadata
    return held


def children(node: Any) -> list[Any]:
    """The nodes that a node passes gradients on to."""
    return [n for n, _ in node.next_functions if n is not None]


def nodes(roots: list[torch.Tensor]) -> Iterator[Any]:
    """Every node below `roots`, once each, up to a cap."""
    seen: set[Any] = set()
    todo = [r.grad_fn for r in roots if r.grad_fn is not None]
    while todo and len(seen) < NODES_CAP:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(children(node))
            yield node


def mark_root(root: torch.Tensor, mark: Mark) -> None:
    """Note a mark on what made a loss: on its root, and below that on each sum, product or scaling
    of numbers, down to what these numbers were made by. A program may keep any of them; what an
    earlier pass has marked stays that pass's own.
    """
    todo = [root.grad_fn]
    seen = 0
    while todo and seen < MARKED_CAP:
        node = todo.pop()
        if node is None or getattr(node, "variable", None) is not None or ROOT in notes(node):
            continue
        notes(node)[ROOT] = mark
        seen += 1
        if operation(node).startswith(_SCALAR_OPS[:4]):
            todo.extend(children(node))


def when_differentiated(tensor: torch.Tensor, arrived: Callable[[torch.Tensor], None]) -> None:
    """Have `arrived` called with each gradient that comes for a tensor which requires one. It is
    noted on the tensor's node, not on the tensor: that is the program's, to be saved or copied.
    """
    edge = torch.autograd.graph.get_gradient_edge(tensor)
    place = edge.output_nr

    def coming(gradients: tuple[torch.Tensor | None, ...]) -> None:
        gradient = gradients[place]
        if gradient is not None:
            arrived(gradient)

    edge.node.register_prehook(coming)


def reached(roots: list[torch.Tensor]) -> tuple[list[torch.Tensor], int]:
    """The leaves that a backward pass from `roots` fills, and the number of its nodes."""
    found = {id(r): r for r in roots if r.grad_fn is None and r.requires_grad}
    count = 0
    for node in nodes(roots):
        count += 1
        variable = getattr(node, "variable", None)
        if isinstance(variable, torch.Tensor) and len(found) < LEAVES_CAP:
            found[id(variable)] = variable
    return list(found.values()), count


def nearest(roots: list[torch.Tensor], wanted: set[int]) -> int:
    """The id of the leaf among `wanted` that is fewest operations from the loss; 0 if none is."""
    seen: set[Any] = set()
    row = [r.grad_fn for r in roots if r.grad_fn is not None]
    while row and len(seen) < NODES_CAP:
        found = [id(v) for n in row if (v := getattr(n, "variable", None)) is not None]
        near = [i for i in found if i in wanted]
        if near:
            return near[0]
        seen.update(row)
        row = list({n: None for node in row for n in children(node) if n not in seen})
    return 0


def older(roots: list[torch.Tensor], backward: int) -> Older:
    """What of passes before number `backward` the graph hangs on; see `Older`."""
    root = False
    calls: dict[int, set[bool]] = {}
    names: dict[int, str] = {}
    for node in nodes(roots):
        held = notes(node)
        mark = held.get(ROOT)
        root = root or (isinstance(mark, Mark) and mark.backward < backward)
        for module, (name, at) in (held.get(OUTPUT) or {}).items():
            calls.setdefault(module, set()).add(at < backward)
            names[module] = name
    carried = [names[m] for m, when in calls.items() if len(when) == 2]
    return Older(root, carried[0] if carried else "")


def mark_outputs(module: torch.nn.Module, output: Any, backward: int) -> None:
    """Note on the nodes of a module's outputs that it was called before pass `backward`."""
    todo, marked = [output], 0
    while todo and marked < OUTPUTS_CAP:
        value = todo.pop()
        if isinstance(value, torch.Tensor):
            if value.grad_fn is not None:
                made = notes(value.grad_fn).setdefault(OUTPUT, {})
                made[id(module)] = (type(module).__name__[:80], backward)
                marked += 1
        elif isinstance(value, (list, tuple)):
            todo.extend(value[:OUTPUTS_CAP])


def _factor(node: Any) -> float:
    """The sign of a product with a plain number, 0.0 where that number is zero."""
    for name in ("_saved_other", "_saved_self"):
        value = getattr(node, name, None)
        if isinstance(value, torch.Tensor) and value.numel() == 1 and not value.requires_grad:
            return float((value > 0).float() - (value < 0).float())
    return 1.0


def penalised(root: torch.Tensor) -> dict[int, tuple[torch.Tensor, float]]:
    """The leaves whose own square or norm is added to a loss, by id, with the sign of its weight.

    From the root down only sums and products of numbers are followed, then one square or norm,
    then changes of shape: so a square within a model or of a difference is no penalty.
    """
    found: dict[int, tuple[torch.Tensor, float]] = {}
    todo: list[tuple[Any, float, bool]] = [(root.grad_fn, 1.0, False)]
    seen = 0
    while todo and seen < NODES_CAP:
        node, sign, squared = todo.pop()
        seen += 1
        if node is None or sign == 0:
            continue
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, torch.Tensor):
            if squared:
                found[id(leaf)] = (leaf, sign)
            continue
        kind, below = operation(node), [n for n, _ in node.next_functions]
        twice = kind in ("Mul", "Dot") and len(below) == 2 and below[0] is below[1]
        if kind in ("Pow", "Norm", "LinalgVectorNorm") or (twice and below[0] is not None):
            if squared and kind == "Pow":
                continue
            todo.append((below[0], sign, kind != "Pow" or not _is_region(below[0])))
        elif squared:
            if kind.startswith(_SHAPE_OPS):
                todo.extend((n, sign, True) for n in below)
        elif kind in _SCALAR_OPS:
            sign *= _factor(node) if kind in ("Mul", "Div") and None in below else 1.0
            flips = [1.0, -1.0] if kind == "Sub" else [1.0] * len(below)
            todo.extend((n, sign * f, False) for n, f in zip(below, flips, strict=False))
    return found


def _is_region(node: Any) -> bool:
    """Whether a square is taken of a norm (`w.norm() ** 2`), which is no square of its own."""
    return node is not None and operation(node) in ("Norm", "LinalgVectorNorm")
