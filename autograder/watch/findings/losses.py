"""Bugs of what goes into a loss: squashed twice, one output too few, shapes that broadcast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

from .base import Event, Finding, Log
from .timeline import number

LOOKS, NUMBERS = 3, 200
"""How many looks, and how many numbers in them, count as always."""
SQUASHED = ("Sigmoid", "Softmax")
LINEAR = ("Addmm", "Mm", "Linear", "MkldnnLinear", "Baddbmm", "Bmm", "Convolution")
"""What a layer with a weight matrix ends in."""
_NOUNS = {
    "probabilities": "probabilities where their logarithms belong",
    "logits": "raw scores where logarithms of probabilities belong",
}
BY_HAND = ("Reciprocal", "Div", "Mul")
"""What a sigmoid written as 1 / (1 + exp(-x)) ends in."""


def _losses(log: Log, *functions: str) -> list[Event]:
    return [e for e in log.of_kind("loss") if e["fn"] in functions and e["look"]]


def _values(events: Sequence[Event]) -> list[float]:
    return [e["value"] for e in events if isinstance(e["value"], float)]


def softmax_before_cross_entropy(log: Log) -> Iterator[Finding]:
    """What cross-entropy is given came out of a softmax, or its rows always sum to one."""
    events = [e for e in _losses(log, "cross_entropy") if e["numbers"] > 1]
    made = [e for e in events if e["made"] == "Softmax"]
    sums = [e for e in events if e["look"] == "probabilities"]
    always = len(sums) == len(events) >= LOOKS and sum(e["rows"] for e in sums) > 2 * LOOKS
    if not made and not always:
        return
    first = (made or sums)[0]
    rows = f"its rows sum to 1 in {len(sums)} of {len(events)} calls looked at"
    came = f"the input of cross_entropy came out of a softmax{'; ' + rows if sums else ''}"
    yield Finding(
        "softmax_before_cross_entropy",
        came if made else f"the input of cross_entropy are probabilities: {rows}",
        weight=float(len(made) + len(sums)),
        **log.where(first),
    )


def softmax_into_nll(log: Log) -> Iterator[Finding]:
    """What the negative log-likelihood is given are probabilities, not their logarithms."""
    events = [e for e in _losses(log, "nll_loss") if e["numbers"] > 1]
    made = [e for e in events if e["made"] == "Softmax"]
    sums = [e for e in events if e["look"] == "probabilities"]
    if not made and not (len(sums) == len(events) >= LOOKS):
        return
    first = (made or sums)[0]
    low = min(_values(made or sums), default=None)
    value = f", and the loss is negative ({low:.3f})" if low is not None and low < 0 else ""
    yield Finding(
        "softmax_into_nll",
        f"nll_loss was given probabilities in {len(made or sums)} of the {len(events)} calls "
        f"looked at: its rows sum to 1{value}",
        **log.where(first),
    )


def sigmoid_into_bce_with_logits(log: Log) -> Iterator[Finding]:
    """What the loss with logits is given came out of a sigmoid."""
    events = _losses(log, "binary_cross_entropy_with_logits")
    made = [e for e in events if e["made"] in SQUASHED]
    unit = [e for e in events if e["look"] in ("unit", "probabilities") and e["made"] in BY_HAND]
    if not made and not (
        len(unit) == len(events) >= LOOKS and sum(e["numbers"] for e in unit) >= NUMBERS
    ):
        return
    first = (made or unit)[0]
    values = _values(made or unit)
    least = f"; the least loss seen is {min(values):.3f}" if values else ""
    yield Finding(
        "sigmoid_into_bce_with_logits",
        "the input of binary_cross_entropy_with_logits was squashed into [0, 1] already, in "
        f"{len(made or unit)} of the {len(events)} calls looked at{least}",
        **log.where(first),
    )


def cross_entropy_single_output(log: Log) -> Iterator[Finding]:
    """Cross-entropy over one class."""
    events = _losses(log, "cross_entropy", "nll_loss")
    single = [e for e in events if len(e["input"]) > 1 and e["input"][1] == 1]
    if not single or len(single) < len(events) / 2:
        return
    first = single[0]
    value = first["value"]
    worth = (
        f"the loss is {value:.3g}" if isinstance(value, float) else "the loss cannot be computed"
    )
    yield Finding(
        "cross_entropy_single_output",
        f"{first['fn']} was given one output per sample (shape {first['input']}): {worth}",
        **log.where(first),
    )


def broadcast(a: Sequence[int], b: Sequence[int]) -> list[int] | None:
    """The shape that two shapes broadcast to; None where they do not."""
    width = max(len(a), len(b))
    left = [1] * (width - len(a)) + list(a)
    right = [1] * (width - len(b)) + list(b)
    if any(x != y and 1 not in (x, y) for x, y in zip(left, right, strict=True)):
        return None
    return [max(x, y) for x, y in zip(left, right, strict=True)]


def _spreads(a: Sequence[int], b: Sequence[int]) -> list[int] | None:
    """The table that two shapes of as many numbers, but of different rank, spread out to."""
    if prod(a) != prod(b) or prod(a) <= 1 or len(a) == len(b):
        return None
    table = broadcast(a, b)
    return table if table is not None and prod(table) > prod(a) else None


def mse_broadcast(log: Log) -> Iterator[Finding]:
    """A loss of differences between (N, 1) and (N), which is one of N times N."""
    for e in log.of_kind("loss", "compare"):
        if e["k"] == "loss":
            if e["fn"] not in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
                continue
            a, b, what = e["input"], e["target"], e["fn"]
        else:  # by hand: an output of a model less what nothing is learnt from
            if e["of"] != "minus" or e["fair"] or not e["output"] or all(e["grad"]):
                continue
            (a, b), what = e["shapes"], "a difference"
        table = _spreads(a, b)
        if table is not None:
            yield Finding(
                "mse_broadcast",
                f"{what} of shapes {tuple(a)} and {tuple(b)} broadcast to {tuple(table)}: every "
                "prediction was compared with every target",
                **log.where(e),
            )
            return


def wrong_loss(log: Log) -> Iterator[Finding]:
    """A loss that is made for logarithms of probabilities is given something else."""
    for fn, why in (
        ("kl_div", _no_logarithms),
        ("ctc_loss", _no_logarithms),
        ("nll_loss", _raw_scores),
        ("poisson_nll_loss", _rates),
    ):
        events = [e for e in _losses(log, fn) if e["numbers"] > 1]
        said = [why(e) for e in events]
        wrong = [(e, w) for e, w in zip(events, said, strict=True) if w]
        if len(wrong) < LOOKS or len(wrong) < len(events):
            continue
        low = min(_values([e for e, _ in wrong]), default=0.0)
        below = f"; the loss fell to {low:.3f}, which it cannot" if low < 0 else ""
        event, what = wrong[0]
        learnt = any(e["weight"] is not None for e, _ in wrong)
        yield Finding(
            "wrong_loss",
            f"{fn} was given {what} in all of the {len(events)} calls looked at{below}",
            kind="bug" if learnt else "note",
            instead_of=("nan_loss", "lr_too_high"),
            **log.where(event),
        )
        return


def _no_logarithms(event: Event) -> str:
    """What is no logarithm of a probability in a divergence, or in a loss over alignments."""
    if event["fn"] == "ctc_loss":
        # scores of another make may be logarithms less those of a prior
        sure = event["look"] == "probabilities" or event["made"] in LINEAR
        return _NOUNS.get(event["look"], "") if sure else ""
    if event["look"] == "probabilities" and event["aim"] in ("probabilities", "unit"):
        return "probabilities in the place of their logarithms"
    if event["aim"] == "log_probabilities" and not event["logs"]:
        return "a target of logarithms, as if they were probabilities"
    if event["aim"] == "probabilities" and event["logs"]:
        return "a target of probabilities, as if they were logarithms"
    scores = event["look"] == "logits" and number(event["high"]) > 0
    if scores and event["aim"] == "probabilities" and event["made"] in LINEAR:
        return "scores in the place of logarithms of probabilities"
    return ""


def _raw_scores(event: Event) -> str:
    scores = event["look"] == "logits" and event["made"] in LINEAR and len(event["input"]) > 1
    return "scores that no log_softmax has turned into logarithms" if scores else ""


def _rates(event: Event) -> str:
    rates = event["logs"] and event["made"] == "Exp"
    return "rates in the place of their logarithms" if rates else ""


FINDERS = (
    wrong_loss,
    softmax_before_cross_entropy,
    softmax_into_nll,
    sigmoid_into_bce_with_logits,
    cross_entropy_single_output,
    mse_broadcast,
)
