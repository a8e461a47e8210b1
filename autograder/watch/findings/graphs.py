"""Graphs that live too long, and errors of automatic differentiation by their cause.

Theory. After its backward pass a loss has done its work, and the next one takes its place; where
the graphs of earlier losses stay alive, one more with every batch, somebody adds the losses
themselves up. Where a backward pass raises, its graph tells why: it reaches back into an earlier
step through a loss, through a module called in both steps, or not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from .base import Finding, Log
from .timeline import windows

GROWTH = 4
"""So many times in a row one graph more than before is no coincidence."""
AGAIN = "backward through the graph a second time"
INPLACE = (
    "modified by an inplace operation",
    "a leaf Variable that requires grad is being used in an in-place operation",
    "a view of a leaf Variable that requires grad is being used in an in-place operation",
)


def _raised(log: Log, *texts: str) -> Mapping[str, Any] | None:
    """The first error of the program whose message holds one of `texts`."""
    return next((e for e in log.errors if any(t in str(e["message"]) for t in texts)), None)


def _place(error: Mapping[str, Any]) -> dict[str, Any]:
    return {"line": error.get("line"), "cell": error.get("cell")}


def loss_graph_accumulated(log: Log) -> Iterator[Finding]:
    """With every batch the graph of one more earlier loss is kept alive."""
    error = _raised(log, AGAIN)
    older = [e for e in log.of_kind("backward") if e.get("raised", {}).get("older") == "loss"]
    if error is not None and older:
        yield Finding(
            "loss_graph_accumulated",
            "the loss that was differentiated holds an earlier step's loss with its graph, which "
            "had been differentiated already",
            **_place(error),
        )
        return
    for window in windows(log):
        alive: dict[int, list[int]] = defaultdict(list)
        for e in window:
            if e["k"] != "backward":
                continue
            row = alive[e["at"]]
            if row and e["alive"] != row[-1] + 1:
                row.clear()
            row.append(e["alive"])
            if len(row) > GROWTH:
                yield Finding(
                    "loss_graph_accumulated",
                    f"at the backward pass the graphs of {e['alive']} earlier losses were still "
                    "alive, one more with every batch: the losses are added up or kept as tensors "
                    "that drag their graphs along",
                    **log.where(e),
                )
                return


def hidden_state_not_detached(log: Log) -> Iterator[Finding]:
    """A module's output of one step is its input in the next, with its graph."""
    error = _raised(log, AGAIN, INPLACE[0])
    carried = [e for e in log.of_kind("backward") if e.get("raised", {}).get("older") == "module"]
    if error is not None and carried:
        module = carried[0]["raised"]["module"]
        yield Finding(
            "hidden_state_not_detached",
            f"the backward pass ran into an earlier step's graph: an output of {module} from "
            f"before the last backward pass was handed to {module} again, with its graph "
            f'("{error["message"][:60]}…")',
            **_place(error),
            instead_of=("inplace_autograd_error", "loss_graph_accumulated"),
        )
        return
    for window in windows(log):
        sizes: dict[int, list[int]] = defaultdict(list)
        for e in window:
            if e["k"] not in ("backward", "grad") or not e["retain"]:
                continue
            row = sizes[e["at"]]
            if row and e["nodes"] <= row[-1]:
                row.clear()
            row.append(e["nodes"])
            if len(row) > GROWTH and row[-1] >= 3 * row[0]:
                yield Finding(
                    "hidden_state_not_detached",
                    f"the graph grew from {row[0]} to {row[-1]} nodes within {len(row)} steps and "
                    "is kept each time: every step is differentiated back to the first one",
                    **log.where(e),
                )
                return


def inplace_autograd_error(log: Log) -> Iterator[Finding]:
    """PyTorch refused: a value that the backward pass needs was overwritten."""
    error = _raised(log, *INPLACE)
    if error is not None:
        yield Finding(
            "inplace_autograd_error",
            "the program ended because a value that the backward pass needs was changed in place: "
            f"{error['message'][:160]}",
            **_place(error),
        )


FINDERS = (loss_graph_accumulated, hidden_state_not_detached, inplace_autograd_error)
