"""What each step of a loop was made of, and the rate it was taken at.

Theory. At a step the parameters' gradients are, for any loop built from these beats,

    held = c * (sum of the gradients that came since the last step) + a * (what the last step held)
           + d * weights

The first number tells clipping and scaling, the second whether the gradients were cleared, the
third a penalty in the loss. Least squares finds them, because a network has many more weights than
there are columns; the simplest account that leaves no more than rounding error is taken first, so
that no bug is named where its absence explains as much. A step written by hand holds nothing that
could be looked at, so the change of the weights takes the place of what was held: there `a` near
one is a gradient used again, and anything below it momentum.

Whether the weights then moved as an optimizer of PyTorch's moves them is found by running it on
what was held, with the settings that it told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]

EXACT, EXACT_REDUCED = 2e-3, 0.08
"""A residual, relative to what is explained, that is rounding error: float32 against float64 leaves
1e-6 to 1e-4 of a gradient (most where it is small), 16 bits some percent."""
AGAIN = 0.985
"""A used gradient that counts as much as a fresh one was not cleared; momentum fades faster, and
nobody sets it closer to 1."""
LEFT = 0.05
"""A share of the last step's gradients below which they count as cleared."""
NOISE = 0.5
"""Cosine from which a gradient that something was added to (noise, a hook) is still one's own."""
OPTIMIZERS = (
    "SGD", "Adam", "AdamW", "NAdam", "RAdam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "ASGD",
    "Rprop",
)  # fmt: skip
SETTINGS = {
    "lr", "betas", "eps", "weight_decay", "momentum", "dampening", "nesterov", "amsgrad",
    "maximize", "alpha", "centered", "lr_decay", "initial_accumulator_value", "rho", "lambd",
    "momentum_decay", "decoupled_weight_decay", "etas", "step_sizes", "t0",
}  # fmt: skip


@dataclass(frozen=True)
class Account:
    """One step, explained. `own`: how many times the fresh gradients went in (their mean, where
    there are several); `uses`: that of each fresh gradient; `again`: how many times what the last
    step held went in; `decay`: of the weights; `residual` relative to what is explained; `how`:
    "exact", "clamped" (each value cut off), "blocks" (each parameter by itself), "noisy" (more than
    the fresh gradients, along them), or "unknown".
    """

    own: float
    uses: tuple[float, ...]
    again: float
    decay: float
    residual: float
    how: str
    stale: float = 0.0
    """How many times the gradients went in that were fresh one step before, and not used then."""

    @property
    def kept(self) -> bool:
        """Whether what an earlier step had used was there again, uncleared."""
        if self.how in ("unknown", "noisy") or not self.again > 0:
            return False
        return self.again >= AGAIN * self.own if self.own > 0 else self.again > LEFT

    @property
    def known(self) -> bool:
        return self.how != "unknown"


def _solve(columns: list[Floats], target: Floats) -> tuple[Floats, float]:
    """Least squares of `target` on `columns`: (coefficients, relative residual)."""
    size = float(np.linalg.norm(target)) or 1.0
    if not columns:
        return np.zeros(0), 1.0
    scale = [float(np.linalg.norm(c)) or 1.0 for c in columns]
    a = np.stack([c / s for c, s in zip(columns, scale, strict=True)])
    gram = a @ a.T + 1e-12 * np.eye(len(a))
    x = np.linalg.solve(gram, a @ (target / size))
    left = float(np.linalg.norm(target / size - x @ a))
    return np.asarray(x * size / np.array(scale)), left


def _clamped(target: Floats, fresh: Floats, last: Floats | None) -> Account | None:
    """Values cut off at one limit: the fresh gradients, or these and what the last step held."""
    limit = float(np.abs(target).max())
    for again, basis in ((0.0, fresh), (1.0, None if last is None else fresh + last)):
        if basis is None or not np.abs(basis).max() > limit * 1.001:
            continue
        apart = float(np.linalg.norm(np.clip(basis, -limit, limit) - target))
        if apart <= EXACT * float(np.linalg.norm(target)):
            return Account(1.0, (1.0,), again, 0.0, apart, "clamped")
    return None


def explain(
    target: Floats,
    fresh: Sequence[Floats],
    last: Floats | None,
    weights: Floats | None,
    *,
    earlier: Sequence[Floats] = (),
    blocks: Sequence[int] = (),
    reduced: bool = False,
) -> Account:
    """Account for what a step held, (D,): fresh gradients, what the last step held, the weights,
    and the gradients that were fresh one step `earlier`. `blocks`: numbers per parameter tensor.
    """
    close = EXACT_REDUCED if reduced else EXACT
    target = np.asarray(target, dtype=np.float64)
    there = [np.asarray(g, dtype=np.float64) for g in fresh]
    used = [g for g in there if g.any()]
    n = len(there)
    if not target.any():
        return Account(0.0, (0.0,) * n, 0.0, 0.0, 0.0, "exact")

    def told(x: Floats, left: float, how: str, *, leftover: bool, decay: bool) -> Account:
        values = iter(x.tolist())
        uses = tuple(next(values) if g.any() else 0.0 for g in there)
        again = next(values) if leftover else 0.0
        mean = float(np.mean([u for u, g in zip(uses, there, strict=True) if g.any()] or [0.0]))
        return Account(mean, uses, again, next(values) if decay else 0.0, left, how)

    tries: list[tuple[list[Floats], bool, bool]] = [(used, False, False)]
    if weights is not None:
        tries.append(([*used, weights], False, True))
    if last is not None and last.any():
        tries.append(([*used, last], True, False))
        if weights is not None:
            tries.append(([*used, last, weights], True, True))
    if len(used) > 1:  # all alike first: one number for a whole group
        x, left = _solve([np.sum(used, axis=0)], target)
        if left <= close and x[0] > 0:
            return told(np.repeat(x, len(used)), left, "exact", leftover=False, decay=False)
    best: Account | None = None
    for columns, leftover, decay in tries:
        x, left = _solve(columns, target)
        account = told(x, left, "exact", leftover=leftover, decay=decay)
        if left <= close:
            return account
        best = account if best is None or left < best.residual else best
    late = [np.asarray(g, dtype=np.float64) for g in earlier if g.any()]
    if late:
        x, left = _solve([np.sum(late, axis=0), *used], target)
        if left <= close and x[0] > 0:
            account = told(x[1:], left, "exact", leftover=False, decay=False)
            return replace(account, stale=float(x[0]))
    if len(used) == 1:
        cut = _clamped(target, used[0], last)
        if cut is not None:
            return cut
    apart = _by_blocks(target, used, last, blocks, close)
    if apart is not None:
        return apart
    assert best is not None
    whole = np.sum(used, axis=0) if used else np.zeros_like(target)
    size = float(np.linalg.norm(target) * np.linalg.norm(whole)) or 1.0
    along = float(target @ whole) / size
    how = "noisy" if used and along >= NOISE and best.own > 0 else "unknown"
    return Account(best.own, best.uses, best.again, best.decay, best.residual, how)


def _by_blocks(
    target: Floats,
    used: Sequence[Floats],
    last: Floats | None,
    blocks: Sequence[int],
    close: float,
) -> Account | None:
    """Each parameter by itself: clipped by its own norm, or cleared while others were not."""
    if len(blocks) < 2 or sum(blocks) != len(target) or len(used) != 1:
        return None
    at, left, owns, agains = 0, 0.0, [], []
    for size in blocks:
        part = slice(at, at + size)
        at += size
        if not target[part].any():
            continue
        fits: tuple[Floats, float] | None = None
        for columns in ([used[0][part]], [] if last is None else [used[0][part], last[part]]):
            x, rest = _solve([c for c in columns if c.any()], target[part])
            if rest <= close and len(x) == len(columns):
                fits = x, rest
                break
        if fits is None:
            return None
        x, rest = fits
        left += (rest * float(np.linalg.norm(target[part]))) ** 2
        owns.append(float(x[0]))
        agains.append(float(x[1]) if len(x) > 1 else 0.0)
    if not owns:
        return None
    kept = max(range(len(owns)), key=lambda i: agains[i])
    whole = float(np.linalg.norm(target)) or 1.0
    own = owns[kept] if agains[kept] else float(np.mean(owns))
    return Account(own, (own,), agains[kept], 0.0, float(np.sqrt(left)) / whole, "blocks")


@dataclass(frozen=True)
class Optimized:
    """Whether an optimizer of PyTorch's explains how the weights moved: its residual, relative to
    the way they went.
    """

    name: str
    residual: float

    @property
    def fits(self) -> bool:
        return self.residual <= 0.02  # float32 weights hold a step of 1e-3 of their size to 1e-4


def run_optimizer(
    told: Mapping[str, Any],
    held: Sequence[Floats],
    rates: Sequence[Sequence[float]],
    states: Sequence[tuple[Floats, Floats]],
    sizes: Sequence[int],
) -> Optimized | None:
    """Run the optimizer that `told` describes (see `Trace.report`) on what was `held` at its steps,
    at the `rates` told, and compare with the weights (before, after) of each; None where it is not
    one of PyTorch's that work on each number by itself. `sizes`: numbers per parameter tensor.
    """
    name = str(told.get("type"))
    groups, member = told.get("groups"), told.get("member")
    if name not in OPTIMIZERS or not told.get("known") or not isinstance(groups, list):
        return None
    if not isinstance(member, list) or len(member) != len(sizes) or not held:
        return None
    place = np.repeat(np.array(member, dtype=np.int64), sizes)
    moved, apart = 0.0, 0.0
    for at, settings in enumerate(groups):
        own = place == at
        if not own.any() or not isinstance(settings, Mapping):
            continue
        start = torch.from_numpy(states[0][0][own].copy()).requires_grad_()
        try:
            optimizer: torch.optim.Optimizer = getattr(torch.optim, name)(
                [start], **_settings(settings, name)
            )
        except (TypeError, ValueError):
            return None
        for k, (gradient, (before, after)) in enumerate(zip(held, states, strict=True)):
            rate = rates[k][at] if at < len(rates[k]) else float("nan")
            if not np.isfinite(rate):
                return None
            optimizer.param_groups[0]["lr"] = rate
            with torch.no_grad():
                start.copy_(torch.from_numpy(before[own]))
            start.grad = torch.from_numpy(gradient[own].copy())
            optimizer.step()
            went = start.detach().numpy() - before[own]
            apart += float(((went - (after[own] - before[own])) ** 2).sum())
            moved += float(((after[own] - before[own]) ** 2).sum())
    return Optimized(name, float(np.sqrt(apart / moved)) if moved > 0 else 0.0)


def _settings(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The settings of a group as the optimizer's class takes them."""
    found: dict[str, Any] = {}
    for key, value in told.items():
        if key in SETTINGS and value is not None and not isinstance(value, str):
            found[key] = tuple(value) if isinstance(value, list) else value
    if name == "AdamW":
        found.pop("decoupled_weight_decay", None)
    return found
