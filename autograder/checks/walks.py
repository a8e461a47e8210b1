"""Walks: the evidence of a function that was called again and again, read.

A walk is what the probes of `inside/probes/amp.py` bring back: the weights after each call, the
numbers returned, the diary's letters, and the error that ended it, if one did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..model import Evidence, Outcome, Status
from .base import Inconclusive, place, tensor_of
from .paths import Found, Recipe
from .reading import REDUCED

R = TypeVar("R", bound=Recipe)


@dataclass(frozen=True)
class Walk(Generic[R]):
    """One walk, read. `found` is None where it has no finite weights to compare.

    `beats` are the letters of the diary, a bar after each call; `returned` each call's number
    or None; `left` the norm of the gradients that each call left behind; `raised` the error
    that ended the walk, in words.
    """

    found: Found[R] | None
    seen: NDArray[np.generic]
    beats: str
    returned: tuple[float | None, ...]
    left: tuple[float, ...]
    scales: tuple[float, ...]
    raised: str
    reduced: bool

    @property
    def calls(self) -> int:
        """How many calls came through."""
        return len(self.returned)

    @property
    def recipe(self) -> R | None:
        """What the walk was made by, where it is known and moved at all."""
        return None if self.found is None or self.found.still else self.found.recipe

    @property
    def still(self) -> bool:
        return self.found is not None and self.found.still


def _number(value: Any) -> float:
    """A figure of the evidence; "inf" and whatever is no number become nan."""
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if fits else float("nan")


def _tampered(name: str) -> Inconclusive:
    said = f"the probe's answer was tampered with: '{name}'"
    return Inconclusive(Outcome(Status.ERROR, 0.0, (), said))


def _list(told: Mapping[str, Any], name: str) -> list[Any]:
    value = told.get(name)
    if not isinstance(value, list):
        raise _tampered(name)
    return value


def read_walk(
    told: Mapping[str, Any], seen: NDArray[np.generic], calls: int, *, scaled: bool = False
) -> Walk[Any]:
    """A walk of `calls` calls, if none raised, without its `found`; `scaled`: with the scaler's
    scales. Raises `Inconclusive` for one whose parts have lengths that do not belong together.
    """
    error, raised = told.get("raised"), ""
    if isinstance(error, dict):
        line = place(error)
        raised = f"{str(error.get('type'))[:80]}{line}: {str(error.get('message'))[:300]}"
    elif error is not None:
        raise _tampered("raised")
    returned = [v if isinstance(v, dict) else {} for v in _list(told, "returned")]
    numbers = [_number(v["value"]) if "value" in v else None for v in returned]
    if len(numbers) > calls or (not raised and len(numbers) < calls):
        raise _tampered("returned")
    # what raised after its step has moved the weights once more
    if len(seen) - 1 - len(numbers) not in ((0, 1) if raised else (0,)):
        raise _tampered("weights")
    left, scales = _list(told, "left"), _list(told, "scales") if scaled else []
    for name, parts in (("left", left), ("scales", scales)):
        if len(parts) != (len(numbers) if name == "left" or scaled else 0):
            raise _tampered(name)
    forwards = [f for f in _list(told, "forwards") if isinstance(f, dict)]
    return Walk(
        found=None,
        seen=seen,
        beats=str(told.get("beats"))[:2000],
        returned=tuple(numbers),
        left=tuple(_number(v) for v in left),
        scales=tuple(_number(v) for v in scales),
        raised=raised,
        reduced=any(str(f.get("dtype")) in REDUCED for f in forwards),
    )


def weights_of(
    evidence: Evidence, name: str, calls: int, start: NDArray[np.generic]
) -> NDArray[np.generic]:
    """The weights of a walk, (K, P) with 1 <= K <= calls + 1, of which the first are those that it
    was given; else `Inconclusive`.
    """
    seen = tensor_of(evidence, name, (None, len(start)))
    given = np.asarray(start, dtype=np.float32)
    if not 1 <= len(seen) <= calls + 1 or not np.array_equal(seen[0], given):
        raise _tampered(name)
    return seen


def unseen(walk: Walk[Any]) -> Outcome | None:
    """`not_checked` where the plain walk shows nothing, else None."""
    if walk.still:
        return Outcome.not_checked("not checked: no weight moved, so nothing can be seen of it")
    if walk.recipe is None:
        why = "the weights became nan or infinite"
        if walk.found is not None:
            why = walk.found.departure
        return Outcome.not_checked(f"not checked: {why}, and as no known mistake does")
    return None


def said(walk: Walk[Any]) -> str:
    """Where the walk leaves the correct path, in words; "" where nothing was compared."""
    return walk.found.departure if walk.found is not None else ""


def stepped_too_early(walk: Walk[Any]) -> bool:
    """Whether in the call that raised the optimizer stepped between forward and backward."""
    last = walk.beats.rpartition("|")[2]
    return "s" in last[last.find("f") + 1 :] and "b" not in last and "f" in last


def why_still(walk: Walk[Any]) -> Outcome:
    """No weight moved: the letters say which beat is missing or misplaced."""
    backward, steps = walk.beats.count("b"), walk.beats.count("s")
    where = f"no weight moved in {walk.calls} calls"
    if "f" not in walk.beats:
        return Outcome.failed(f"{where}: the model was never called")
    if not backward:
        return Outcome.failed(
            f"{where}: no backward pass reached the model's output",
            *(["missing_backward"] if steps else ["missing_backward", "missing_step"]),
        )
    if not steps:
        return Outcome.failed(
            f"{where}: {backward} backward passes, and the optimizer never stepped", "missing_step"
        )
    first = walk.beats.partition("|")[0]
    if "s" in first and first.index("s") < first.find("b"):
        return Outcome.failed(
            f"{where}: the optimizer stepped before the backward pass, and found no gradient",
            "step_before_backward",
        )
    return Outcome.failed(
        f"{where}: {backward} backward passes made gradients, and at each of {steps} steps they "
        f"were gone again",
        "zero_grad_after_backward",
    )


_OBJECTIVES = {
    "softmax_before_cross_entropy": "whose loss is given probabilities in place of logits",
    "softmax_into_nll": "whose negative log-likelihood is given plain probabilities",
    "sum_instead_of_mean": "whose loss is summed over the batch, not averaged",
    "wrong_value": "that does not minimise the loss function handed to it",
}


def wrong_objective(walk: Walk[Any], name: str) -> Outcome | None:
    """A failure where the recipe differentiates something else, else None."""
    if walk.recipe is None or walk.recipe.objective == "given":
        return None
    bug = next(b for b in walk.recipe.bugs if b in _OBJECTIVES)
    return Outcome.failed(f"{said(walk)}, and end where {name} ends {_OBJECTIVES[bug]}", bug)
