"""Cases of `summary` and `is_real_gain`, and the judges of rules, tables and decisions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks.answers import Answer, read
from autograder.checks.base import (
    Context,
    Inconclusive,
    check,
    field_of,
    probe,
    require,
    tensor_of,
)
from autograder.checks.calls import Case, Numpy, call
from autograder.checks.reference.replay import number_of
from autograder.model import Array, Evidence, Outcome, ProbeRequest, Status

__all__ = [
    "absolute",
    "alarm_rates",
    "alarm_rng",
    "best_mean",
    "best_of_each",
    "decision",
    "either_deviation",
    "gains",
    "over_n",
    "runs",
    "smaller",
    "table_rows",
    "widths",
]

# -- tasks 2 and 3 ---------------------------------------------------------------------------------


def runs(rng: np.random.Generator) -> Iterator[Case]:
    """Accuracies of a few runs, of two, of runs that agree; one run and none are refused."""
    for n in (5, 2, 9, 3):
        yield call(rng.uniform(0.6, 0.95, n).round(4).tolist())
    yield call([0.75, 0.75, 0.75])
    yield call([0.8])
    yield call([])


def _deviation(values: Sequence[float]) -> float:
    return float(np.std(values, ddof=1))


def over_n(accuracies: list[float]) -> tuple[float, float]:
    """The deviation divides by n."""
    return float(np.mean(accuracies)), float(np.std(accuracies))


def best_mean(accuracies: list[float]) -> tuple[float, float]:
    """The best in place of the mean."""
    return max(accuracies), _deviation(accuracies)


def _group(rng: np.random.Generator, n: int, mean: float, deviation: float) -> list[float]:
    """So many numbers of exactly this mean and sample deviation."""
    drawn = rng.normal(size=n)
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return (mean + deviation * drawn).tolist()


def _tailed(n: int, mean: float, deviation: float, sign: int) -> list[float]:
    """So many numbers of this mean and deviation, one of them far to one side."""
    drawn = np.zeros(n)
    drawn[-1] = sign
    drawn = (drawn - drawn.mean()) / drawn.std(ddof=1)
    return (mean + deviation * drawn).tolist()


def gains(rng: np.random.Generator) -> Iterator[Case]:
    """Pairs of groups, each on one side of what one wrong rule confuses, close to the threshold."""
    low = float(rng.uniform(0.6, 0.8))
    size = float(rng.uniform(0.005, 0.02))

    def pair(
        gain: float, first: float, second: float, n: int = 5, m: int = 5
    ) -> tuple[list[float], list[float]]:
        return _group(rng, n, low, first * size), _group(rng, m, low + gain * size, second * size)

    # a loss that is larger than both deviations; the deviation over n would not matter
    yield call(*pair(-1.5, 1, 0.8))
    # the best of b is far above the best of a, but the means lie close
    yield call(_tailed(6, low, size, -1), _tailed(6, low + 0.3 * size, size, 1))
    # and the other way round: a gain, though the best of a is the best of all
    yield call(_tailed(6, low, size, 1), _tailed(6, low + 1.2 * size, size, -1))
    # a gain above the smaller deviation and below the larger one, on either side
    yield call(*pair(0.7, 1, 0.4))
    yield call(*pair(0.7, 0.4, 1))
    # just below and just above; over n a group of four would have 0.87 of its deviation
    yield call(*pair(0.93, 1, 0.9, 4, 4))
    yield call(*pair(0.985, 1, 0.5, 5, 8))
    yield call(*pair(1.015, 1, 0.9, 8, 5))
    yield call(*pair(1.015, 0.9, 1, 3, 4))
    same = rng.uniform(0.6, 0.9, 5).round(4).tolist()
    yield call(same, list(same))
    yield call(Numpy(pair(2.0, 1, 1)[0]), Numpy([low + 3 * size, low + 3.2 * size]))


def absolute(a: Sequence[float], b: Sequence[float]) -> bool:
    """A loss counts as a gain."""
    return abs(np.mean(b) - np.mean(a)) > max(_deviation(a), _deviation(b))


def best_of_each(a: Sequence[float], b: Sequence[float]) -> bool:
    """The best runs are compared."""
    return bool(max(b) - max(a) > max(_deviation(a), _deviation(b)))


def smaller(a: Sequence[float], b: Sequence[float]) -> bool:
    """The smaller deviation is the threshold."""
    return bool(np.mean(b) - np.mean(a) > min(_deviation(a), _deviation(b)))


def either_deviation(a: Sequence[float], b: Sequence[float]) -> bool:
    """The deviations are taken over n."""
    return bool(np.mean(b) - np.mean(a) > max(np.std(a), np.std(b)))


# -- task 4 ----------------------------------------------------------------------------------------

TRIALS = 2_000
ERRORS = 4.0
"""How many standard errors a rate or a mean may lie off; four are met once in 16,000 times."""
GROUPS = (("apart", 2), ("middle", 4), ("deviation", 3), ("apart", 3))


def _rate(name: str, n: int) -> float:
    """How often a rule is fooled by groups of n. All of one group above all of the other is one of
    the (2n)! / n!² ways to share 2n ranks; the last is measured, to 0.0005.
    """
    if name == "apart":
        return 1 / math.comb(2 * n, n)
    if name == "middle":
        return 0.5
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400_000, n))
    most = np.maximum(a.std(1, ddof=1), b.std(1, ddof=1))
    return float((b.mean(1) - a.mean(1) > most).mean())


def _asked(ctx: Context) -> ProbeRequest:
    rng = ctx.rng("alarms", shared=True)
    asked = [[name, n, TRIALS, int(rng.integers(2**31))] for name, n in GROUPS]
    return probe("alarms", {"asked": asked, "seed": ctx.seed % 10**6})


def _list(done: Evidence, name: str) -> list[Any]:
    found = field_of(done, name, list)
    if not isinstance(found, list) or len(found) != len(GROUPS):
        raise Inconclusive(
            Outcome(Status.ERROR, 0.0, (), f"the probe's answer was tampered with: '{name}'")
        )
    return found


def _rates(done: Evidence) -> list[tuple[float, float]]:
    pairs = _list(done, "rates")
    found = []
    for pair in pairs:
        values = [number_of(v) for v in pair] if isinstance(pair, list) else []
        if len(values) != 2 or not np.isfinite(values).all():
            raise Inconclusive(
                Outcome.failed("false_alarm_rate did not return a finite number", "wrong_value")
            )
        found.append((values[0], values[1]))
    return found


@check(
    bugs=("missing_name", "wrong_value"),
    help="Two groups of n from one distribution, one question, `trials` times; the share of True.",
    main=_asked,
)
def alarm_rates(ctx: Context, main: Evidence) -> Outcome:
    """Whether groups are drawn as they have to be, and alarms are counted."""
    done = require(main)
    rates, counts, sizes = _rates(done), _list(done, "asked"), _list(done, "sizes")
    same = _list(done, "same")
    for k, (name, n) in enumerate(GROUPS):
        words = f"false_alarm_rate with n = {n}, trials = {TRIALS}"
        if counts[k] != TRIALS:
            said = f"{words} asked the rule {counts[k]} times"
            return Outcome.failed(said, "wrong_value")
        if sizes[k] != [n]:
            said = f"{words} asked the rule about groups of {str(sizes[k])[:40]}"
            return Outcome.failed(said, "wrong_value")
        if same[k]:
            return Outcome.failed(
                f"{words} asked the rule {same[k]} times about a group and the same group again",
                "wrong_value",
            )
        fault = _one_distribution(
            tensor_of(done, f"means.{k}", (TRIALS, 2)).astype(np.float64),
            tensor_of(done, f"spreads.{k}", (TRIALS, 2)).astype(np.float64),
        )
        if fault:
            return Outcome.failed(f"{words}: {fault}", "wrong_value")
        right = _rate(name, n)
        error = math.sqrt(right * (1 - right) / TRIALS)
        if abs(rates[k][0] - right) > ERRORS * error:
            more = ""
            if abs(rates[k][0] - TRIALS * right) < ERRORS * error * TRIALS and rates[k][0] > 1:
                more = "; that is how many there were, not their share"
            return Outcome.failed(
                f"{words} gave {rates[k][0]:.4g} for a rule that is fooled in {right:.1%} of the "
                f"cases{more}",
                "wrong_value",
            )
    return Outcome.passed()


def _one_distribution(means: Array, spreads: Array) -> str:
    """What speaks against one distribution for both groups, and for all draws; "" for nothing."""
    apart = means[:, 1] - means[:, 0]
    error = float(apart.std()) / math.sqrt(len(apart))
    if not np.isfinite(means).all() or abs(float(apart.mean())) > (ERRORS + 1) * max(error, 1e-300):
        return "the means of the two groups differ: both are to come from one distribution"
    logs = np.log(np.maximum(spreads, 1e-300))
    apart = logs[:, 1] - logs[:, 0]
    error = float(apart.std()) / math.sqrt(len(apart))
    if abs(float(apart.mean())) > (ERRORS + 1) * max(error, 1e-300):
        return "the spreads of the two groups differ: both are to come from one distribution"
    if len(np.unique(means[:, 0])) < len(means) / 2:
        return "the same numbers are drawn again and again"
    return ""


@check(
    bugs=("missing_name", "wrong_value", "incomplete_seeding"),
    help="Everything random comes from the `rng` that is given, and from nothing else.",
    main=_asked,
)
def alarm_rng(ctx: Context, main: Evidence) -> Outcome:
    """Whether the generator that is given is the only one that is drawn from."""
    done = require(main)
    for k, (first, again) in enumerate(_rates(done)):
        if first != again:
            return Outcome.failed(
                f"the same `rng` gave {first:.4f} and {again:.4f}", "incomplete_seeding"
            )
        if _list(done, "globals")[k] is True:
            return Outcome.failed(
                "a global generator was drawn from, or set: draw from `rng`", "incomplete_seeding"
            )
    return Outcome.passed()


# -- task 5 ----------------------------------------------------------------------------------------


def widths(ctx: Context) -> Mapping[str, list[float]]:
    """Results for a table: names of several kinds, not always as many runs."""
    rng = ctx.rng("table", shared=True)
    return {
        name: rng.uniform(0.6, 0.95, n).round(4).tolist()
        for name, n in (("256", 5), ("512", 7), ("with dropout 0.2", 3), ("SGD", 2))
    }


_FOUR = re.compile(r"[*_`]*(-?\d+\.\d{4})[*_`]*")


@check(
    bugs=("missing_name", "wrong_value"),
    help="A header, a line of dashes, and a row for each name: name, n, mean, deviation.",
    main=lambda ctx: probe("tabled", {"results": dict(widths(ctx))}),
)
def table_rows(ctx: Context, main: Evidence) -> Outcome:
    """Whether the table is one, and its rows say what they have to."""
    text = read(field_of(require(main), "returned", dict), main)
    if text.kind != "text":
        return Outcome.failed(f"table returned {text.words}; one text is asked for", "wrong_value")
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.text.splitlines()
        if "|" in line
    ]
    dashes = [k for k, row in enumerate(rows) if all(re.fullmatch(r":?-+:?", c) for c in row)]
    if dashes != [1]:
        said = "the table has no line of dashes below its header, as Markdown asks for"
        return Outcome.failed(said, "wrong_value")
    if {len(row) for row in rows} != {len(rows[0])} or len(rows[0]) < 4:
        said = (
            f"rows of the table have {sorted({len(r) for r in rows})} columns; four are asked for"
        )
        return Outcome.failed(said, "wrong_value")
    by_name = {row[0].strip("*_` "): row for row in rows[2:]}
    order = []
    for name, values in widths(ctx).items():
        row = by_name.get(name)
        if row is None:
            return Outcome.failed(f"the table has no row named {name!r}", "wrong_value")
        order.append(rows.index(row))
        mean, deviation = float(np.mean(values)), _deviation(values)
        if row[1].strip("*_`") != str(len(values)):
            said = f"the row of {name!r} says {row[1][:20]!r} for n; {len(values)} runs are given"
            return Outcome.failed(said, "wrong_value")
        for what, cell, right in (("mean", row[2], mean), ("deviation", row[3], deviation)):
            found = _FOUR.fullmatch(cell)
            if found is None or abs(float(found[1]) - right) > 0.51e-4:
                said = f"the row of {name!r} says {cell[:20]!r} for the {what}; it is {right:.4f}"
                return Outcome.failed(said, "wrong_value")
    if order != sorted(order):
        return Outcome.failed("the rows stand in another order than the results", "wrong_value")
    return Outcome.passed()


ASKED = ("256", "512")
NEAR = 1e-4
"""A gain so near to the threshold may have been rounded over it."""


def _groups(results: Answer) -> list[Array]:
    """The accuracies of both widths; `Inconclusive` where they are not there."""
    if results.kind != "dict":
        said = f"RESULTS is {results.words}; a dictionary with '256' and '512' is asked for"
        raise Inconclusive(Outcome.failed(said, "wrong_value"))
    groups = []
    for name in ASKED:
        values = results.keys[name].numeric() if name in results.keys else None
        if values is None or values.ndim != 1 or len(values) < 5:
            has = "is missing" if values is None else f"has {values.size} accuracies"
            raise Inconclusive(
                Outcome.failed(f"RESULTS[{name!r}] {has}; five runs are asked for", "wrong_value")
            )
        if not ((values >= 0) & (values <= 1)).all():
            raise Inconclusive(
                Outcome.failed(f"RESULTS[{name!r}] holds no fractions", "wrong_accuracy")
            )
        if np.ptp(values) == 0:
            said = f"the runs in RESULTS[{name!r}] all have {values[0]:.4f}: were the seeds others?"
            raise Inconclusive(Outcome.failed(said, "wrong_value"))
        groups.append(values)
    if len(groups[0]) == len(groups[1]) and np.array_equal(*groups):
        said = "RESULTS has the same accuracies for both widths"
        raise Inconclusive(Outcome.failed(said, "wrong_value"))
    return groups


@check(
    bugs=("missing_name", "wrong_value", "wrong_accuracy", "wrong_claim"),
    help="Apply the rule of task 3 to your own table, and say what it says.",
    main=lambda ctx: probe("decided", {"seed": ctx.seed}),
)
def decision(ctx: Context, main: Evidence) -> Outcome:
    """Whether the decision follows from the student's own results."""
    done = require(main)
    groups = _groups(read(field_of(done, "results", dict), main))
    said = read(field_of(done, "decision", dict), main)
    words = " ".join(said.text.casefold().split()) if said.kind == "text" else ""
    if words not in ("real", "not shown"):
        what = f'DECISION is {said.words}; "real" or "not shown" is asked for'
        return Outcome.failed(what, "wrong_value")
    a, b = groups
    gain, most = float(b.mean() - a.mean()), max(_deviation(a), _deviation(b))
    claims = words == "real"
    by_own_rule = done.data.get("own") is claims  # a slip in task 3 costs no points here again
    if claims == (gain > most) or abs(gain - most) < NEAR or by_own_rule:
        return Outcome.passed()
    return Outcome.failed(
        f"by your own results the gain is {gain:.4f} and the larger deviation {most:.4f}; the "
        f'decision says "{words}"',
        "wrong_claim",
    )
