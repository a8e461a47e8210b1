"""Optimizers that hold the wrong tensors: those of an old model, or none that learn.

Theory. A tensor that gradients arrive at, that no optimizer holds and that never moves is not yet
a fault: a fixed network through which gradients pass to a picture, or to a new head, is such a one.
It is one where at the same time the optimizer holds tensors that no gradient ever reaches and no
model that was called contains: those it was meant to hold have been replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .base import Event, Finding, Log
from .beats import optimizers
from .timeline import holds, spans

OFTEN = 3
"""What happens in so many steps is no accident."""
FROZEN = "does not require grad and does not have a grad_fn"


def _left(log: Log) -> tuple[int, str, int]:
    """Tensors reached by gradients, held by no optimizer and never moved: how many, of which model,
    and how many of them were frozen at first.
    """
    found = [
        (int(told["left"]), log.model_name(i), int(told["thawed"]))
        for i, told in enumerate(log.section("beats", "leaves"))
    ]
    return max(found, default=(0, "", 0))


def stale_optimizer(log: Log) -> Iterator[Finding]:
    """The optimizer holds tensors that do not learn, and those that would learn are not held."""
    left, model, thawed = _left(log)
    for index, known in optimizers(log):
        made = [e for e in log.of_kind("step") if e["optimizer"] == index]
        if known["steps"] < 2 or not made:
            continue
        where = log.where(made[-1])
        if known["reached"] == 0 and not any(e["nonzero"] for e in made):
            yield from _starved(log, index, known, made[0])
        elif left and known["idle"]:
            yield Finding(
                "stale_optimizer",
                f"{known['idle']} tensors that the optimizer holds belong to no model that was "
                f"called and never had a gradient, while {left} tensors of {model} had gradients, "
                "are held by no optimizer and never moved",
                **where,
                instead_of=("not_in_optimizer",),
            )
        elif left and _abandoned(log, index):
            yield Finding(
                "stale_optimizer",
                "in its last steps no gradient reached the tensors that the optimizer holds; the "
                f"gradients went to {left} tensors of {model}, held by no optimizer, which never "
                "moved",
                **where,
                instead_of=("not_in_optimizer",),
            )
        elif left and _replaced(log, index) == left:
            yield Finding(
                "stale_optimizer",
                f"of the {known['held']} tensors that the optimizer holds {left} had gradients at "
                f"first and have none any more; as many others of {model} have them instead, are "
                "held by no optimizer and never moved",
                **where,
                instead_of=("not_in_optimizer",),
            )
    if thawed:
        yield Finding(
            "stale_optimizer",
            f"{thawed} tensors of {model} were frozen at first and had gradients later, but no "
            "optimizer holds them: they never moved",
            instead_of=("not_in_optimizer",),
        )
    yield from _frozen(log)


def _starved(log: Log, index: int, known: Mapping[str, Any], step: Event) -> Iterator[Finding]:
    """No gradient ever reached an optimizer's tensors, although gradients were computed."""
    left, model, _ = _left(log)
    passes = log.of_kind("backward")
    if not passes or any(index in e["into"] for e in passes):  # a gradient of zero is one, too
        return
    what = (
        f"the gradients went to {left} tensors of {model}, which no optimizer holds"
        if left
        else "the graph of the loss does not lead to them"
    )
    called = any(holds(log, index, e["model"]) for e in log.of_kind("forward"))
    if left or called:
        yield Finding(
            "stale_optimizer",
            f"in {known['steps']} steps no gradient ever reached any of the {known['held']} "
            f"tensors that the optimizer holds: {what}",
            **log.where(step),
            weight=2.0,
            instead_of=("not_in_optimizer",),
        )


def _abandoned(log: Log, index: int) -> bool:
    """Whether in an optimizer's last steps backward passes were made, and all of them passed by
    it.
    """
    last = [s for s in spans(log, index) if not s.opening][-2:]
    passes = [[e for e in s.events if e["k"] == "backward"] for s in last]
    return len(last) == 2 and all(
        row and all(index not in e["into"] and e["unheld"] for e in row) and s.step["reached"] == 0
        for s, row in zip(last, passes, strict=True)
    )


def _replaced(log: Log, index: int) -> int:
    """How many of an optimizer's tensors had gradients in its first step and none in its last ones,
    where each of these went to as many tensors that nobody holds; else 0.
    """
    found = spans(log, index)
    if len(found) < 3 or found[0].step["reached"] < found[0].step["held"]:
        return 0
    lost = [int(s.step["held"]) - int(s.step["reached"]) for s in found[-2:]]
    passes = [s.backwards(index) for s in found[-2:]]
    same = len(set(lost)) == 1 and lost[0] > 0
    return (
        lost[0]
        if same and all(row and all(e["unheld"] == lost[0] for e in row) for row in passes)
        else 0
    )


def _frozen(log: Log) -> Iterator[Finding]:
    """Everything that an optimizer holds of a model is frozen, so nothing can be differentiated."""
    error = next((e for e in log.errors if FROZEN in str(e["message"])), None)
    if error is None:
        return
    for _, known in optimizers(log):
        for i, model in enumerate(log.models):
            held = known["holds"][i] if i < len(known["holds"]) else 0
            if held and int(model.get("frozen", 0)) >= held:
                yield Finding(
                    "stale_optimizer",
                    f"all {held} tensors of {log.model_name(i)} that the optimizer holds are "
                    "frozen, so the loss depends on nothing that could learn",
                    line=error.get("line"),
                    cell=error.get("cell"),
                )
                return


def not_in_optimizer(log: Log) -> Iterator[Finding]:
    """Parameters that gradients arrive at in every step, that no optimizer holds and that never
    move. Where all of them are the program's own, not those of a layer of PyTorch's, which may be
    kept still on purpose, and stand next to the loss, somebody meant them to be learnt.
    """
    steps = sum(k["steps"] for _, k in optimizers(log))
    passes = len(log.of_kind("backward"))
    left = log.section("beats", "outside")
    often = [t for t in left if t["passes"] >= OFTEN and t["passes"] * 2 >= passes]
    if not often or steps < OFTEN or log.counts.get("grad"):
        return
    # what lies before all that learns, as below a new head, may be kept still on purpose
    near = all(e.get("near") for e in log.of_kind("backward") if e["unheld"])
    own = near and not any(t["standard"] for t in left)
    names = ", ".join(f"'{t['name']}'" if t["name"] else "one" for t in often[:4])
    owners = sorted({t["owner"] for t in often} - {""})
    of = f" of {' and '.join(owners[:3])}" if owners else ""
    made = next((k for _, k in optimizers(log) if k["steps"]), {"at": -1})
    yield Finding(
        "not_in_optimizer",
        f"{len(often)} parameter{'s' if len(often) > 1 else ''} ({names}){of} got a gradient in "
        f"each of the {passes} backward passes looked at, belong to no optimizer and never moved",
        kind="bug" if own else "note",
        **log.where(made),
    )


FINDERS = (stale_optimizer, not_in_optimizer)
