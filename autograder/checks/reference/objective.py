"""What a loop differentiates, read off the gradient (the pull) at the network's answers.

Theory. For logits z with probabilities p, the cross-entropy of a batch pulls each row by
a (p - q), where q is the row's target (one-hot, or smoothed) and a the row's share: 1/B for a mean,
1 for a sum, its class's weight for a weighted loss. Everything that is not of this form is another
objective, and the usual mistakes are tried by differentiating them here. The *factor* of a pull is
the sum of its shares: 1 for a mean, B for a sum, the scale under a gradient scaler, 1/n where a
group's losses are divided by n.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from .network import HEADS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLOSE, CLOSE_REDUCED = 1e-3, 0.06
"""Relative to the length of the pull; the second where answers came in 16 bits."""
USUAL = 0.1
"""The label smoothing that is usual: nobody asked for it, and it is no mistake."""
ALONG = 0.9
"""Cosine to the cross-entropy's pull above which an unknown loss counts as a variation of it."""

BUGS = {
    "softmax": "softmax_before_cross_entropy",
    "softmax_nll": "softmax_into_nll",
    "raw_nll": "wrong_value",
    "mse": "wrong_value",
    "other": "wrong_value",
}


@dataclass(frozen=True)
class Objective:
    """What was differentiated. `name`: "cross_entropy" (the loss that is asked for, or one of its
    variations), a key of `BUGS`, or "variation" (unknown, but pulling the right way); `factor`: how
    many times the mean's pull; `smoothing` that fits; `weighted`: classes count differently;
    `along`: cosine to the pull of the cross-entropy.
    """

    name: str
    factor: float
    smoothing: float = 0.0
    weighted: bool = False
    along: float = 1.0
    weights: tuple[float, ...] = ()
    """Of a weighted loss: each class's weight over that of a mean, nan for one not seen."""

    @property
    def right(self) -> bool:
        """Whether this is the loss that is asked for, or a variation of it."""
        return self.name in ("cross_entropy", "variation")


def loss(name: str, logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """The mean objective of this name, of logits (B, C) and labels (B,)."""
    match name:
        case "cross_entropy":
            return F.cross_entropy(logits, labels, label_smoothing=smoothing)
        case "softmax":
            return F.cross_entropy(logits.softmax(1), labels, label_smoothing=smoothing)
        case "softmax_nll":
            return F.nll_loss(logits.softmax(1), labels)
        case "raw_nll":
            return F.nll_loss(logits, labels)
        case "mse":
            return F.mse_loss(logits, F.one_hot(labels, logits.shape[1]).to(logits.dtype))
        case _:
            raise KeyError(name)


def pull_of(name: str, logits: Floats, labels: Ints, smoothing: float = 0.0) -> Floats:
    """The pull (B, C) of an objective on the logits."""
    z = torch.from_numpy(np.array(logits, dtype=np.float64)).requires_grad_()
    (pull,) = torch.autograd.grad(loss(name, z, torch.from_numpy(labels), smoothing), z)
    return np.asarray(pull.numpy())


def at_logits(pull: Floats, logits: Floats, head: str) -> Floats:
    """A pull on the answers as the pull on the logits that it leads to."""
    if head == "none":
        return pull
    z = torch.from_numpy(np.array(logits, dtype=np.float64)).requires_grad_()
    (back,) = torch.autograd.grad(HEADS[head](z), z, torch.from_numpy(pull))
    return np.asarray(back.numpy())


def _cosine(a: Floats, b: Floats) -> float:
    return float((a * b).sum() / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-300))


@dataclass(frozen=True)
class _Fit:
    """One account of a pull: what it would be of, and what it leaves, relative to the pull."""

    objective: Objective
    left: float


def _probabilities(logits: Floats) -> Floats:
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def _fit(name: str, pull: Floats, other: Floats, rows: int, smoothing: float = 0.0) -> _Fit | None:
    """The pull as a multiple of another; None where it points the other way."""
    times = float((pull * other).sum() / max(float((other * other).sum()), 1e-300))
    if not 0 < times < np.inf or not np.isfinite(times * rows):
        return None
    left = float(np.linalg.norm(pull - times * other) / (np.linalg.norm(pull) or 1.0))
    return _Fit(Objective(name, times * rows, smoothing), left)


def _as_cross_entropy(pull: Floats, logits: Floats, labels: Ints, hint: float) -> list[_Fit]:
    """The pull as a (p - q) with one share for all rows: unsmoothed, smoothed as expected, and
    smoothed as fits best.

    Where the network is still undecided, p is the same for all classes, and a smoothed target looks
    like an unsmoothed one that counts less; so smoothing is fitted for all rows together.
    """
    rows, classes = np.arange(len(labels)), logits.shape[1]
    plain = _probabilities(logits)
    plain[rows, labels] -= 1.0
    flat = np.full_like(plain, -1.0 / classes)  # what smoothing adds: a eps (onehot - 1/C)
    flat[rows, labels] += 1.0
    fits = [
        _fit("cross_entropy", pull, plain + smoothing * flat, len(labels), smoothing)
        for smoothing in dict.fromkeys((0.0, hint, USUAL, _smoothing(pull, plain, flat)))
    ]
    return [f for f in fits if f is not None]


def _odd(factor: float, rows: int) -> float:
    """How far a factor is from those that loops have: 1, the number of rows, a power of two, or one
    part of up to eight.
    """
    power = 2.0 ** round(float(np.log2(factor)))
    part = 1.0 / round(min(max(1.0 / factor, 1.0), 8.0))
    return min(abs(factor / plain - 1) for plain in (1.0, float(rows), power, part))


def _smoothing(pull: Floats, plain: Floats, flat: Floats) -> float:
    """The smoothing that fits all rows best, where it can be told; else 0."""
    pp, ff, pf = float((plain**2).sum()), float((flat**2).sum()), float((plain * flat).sum())
    det = pp * ff - pf**2
    if det <= 1e-4 * pp * ff:
        return 0.0
    dp, df = float((pull * plain).sum()), float((pull * flat).sum())
    share, times = (dp * ff - df * pf) / det, (df * pp - dp * pf) / det
    return float(np.clip(times / share, 0.0, 0.6)) if share > 0 else 0.0


def _weighted(pull: Floats, logits: Floats, labels: Ints) -> _Fit | None:
    """The pull as a (p - onehot) with a share for each class: its weight."""
    plain = _probabilities(logits)
    plain[np.arange(len(labels)), labels] -= 1.0
    shares = (pull * plain).sum(1) / np.maximum((plain**2).sum(1), 1e-300)
    if shares.min() < 0:
        return None
    means = {c: shares[labels == c].mean() for c in np.unique(labels)}
    by_class = np.array([means[c] for c in labels])
    left = np.linalg.norm(pull - by_class[:, None] * plain) / (np.linalg.norm(pull) or 1.0)
    weights = tuple(float(means.get(c, np.nan)) for c in range(logits.shape[1]))
    factor = float(shares.sum())
    return _Fit(Objective("cross_entropy", factor, weighted=True, weights=weights), float(left))


def _wrong(pull: Floats, logits: Floats, labels: Ints, hint: float) -> list[_Fit]:
    """The pull as that of each usual mistake."""
    tries = [(name, 0.0) for name in ("softmax", "softmax_nll", "raw_nll", "mse")]
    tries += [("softmax", hint)] if hint else []
    fits = [
        _fit(name, pull, pull_of(name, logits, labels, smoothing), 1, smoothing)
        for name, smoothing in tries
    ]
    return [f for f in fits if f is not None]


CLEAR = 3.0
"""A mistake must leave so many times less than the loss that is asked for to be named, and an
account that leaves so many times less than another is the better one, whatever its factor."""
EVEN, EVEN_REDUCED = 1e-5, 4e-3
"""Accounts that leave no more than this are equally good: the rounding of float32, and 2**-8."""


def name_objective(
    pull: Floats,
    logits: Floats,
    labels: Ints,
    *,
    head: str = "none",
    reduced: bool = False,
    hint: float = 0.0,
) -> Objective:
    """Name what was differentiated. pull (B, C) on the answers, logits (B, C), labels (B,); `hint`:
    the label smoothing of the loss that is expected.

    Of the accounts that leave no more than rounding error the loss that is asked for wins, unless a
    mistake leaves far less.
    """
    close = CLOSE_REDUCED if reduced else CLOSE
    if head == "softmax":
        # the network's own mistake, and not the loop's: its answers are given to the right loss
        given = _as_cross_entropy(pull, _probabilities(logits), labels, hint)
        fits = [f for f in given if f.left <= close]
        if fits:
            return min(fits, key=lambda f: _odd(f.objective.factor, len(labels))).objective
    at = at_logits(pull, logits, head)
    right = pull_of("cross_entropy", logits, labels)
    along = _cosine(at, right)
    asked = _as_cross_entropy(at, logits, labels, hint)
    if not reduced and min((f.left for f in asked), default=np.inf) <= EVEN / CLEAR:
        wrong, limit = None, EVEN  # no mistake can leave far less: they need not be tried
    else:
        wrong = min(_wrong(at, logits, labels, hint), key=lambda f: f.left, default=None)
        limit = min(close, max(CLEAR * (np.inf if wrong is None else wrong.left), EVEN))
    plain = [f for f in asked if f.left <= limit]
    if plain:
        near = max(CLEAR * min(f.left for f in plain), EVEN_REDUCED if reduced else EVEN)
        even = [f for f in plain if f.left <= near]
        best = min(even, key=lambda f: _odd(f.objective.factor, len(labels)))
        return replace(best.objective, along=along)
    weighted = _weighted(at, logits, labels)
    if weighted is not None and weighted.left <= limit:
        return replace(weighted.objective, along=along)
    if wrong is not None and wrong.left <= close:
        return replace(wrong.objective, along=along)
    factor = float((at * right).sum() / max(float((right * right).sum()), 1e-300))
    return Objective("variation" if along >= ALONG else "other", factor, along=along)
