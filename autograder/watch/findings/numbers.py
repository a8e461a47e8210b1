"""Bugs of the figures that a program reports: held against the parts that they were made of.

Theory. What was printed of an epoch is a loss or an accuracy to so many digits; what the batches
were is known (`tally`). Each way of putting them together gives a number. A wrong way is named
only where what was printed equals it to every printed digit, equals no right one, and does so
each time that line was printed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .base import Event, Finding, Log

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.(\d+))?(?:[eE]([-+]?\d+))?(?![\w.]*\d)\s*(%?)")
_LOSS = re.compile(r"loss|mse|nll|bce|cost|error\b|\bce\b", re.I)
_ACCURACY = re.compile(r"acc|correct", re.I)
_PART = re.compile(r"\b(train|val|valid|validation|test|dev|eval)", re.I)
MANY = 4
"""Digits from which on a figure that is called by its part of the data alone is told by value."""
DIGITS = 2
"""Significant digits that a printed figure must have; one alone must have one more."""
APART = 0.02
"""By how much a mean of batch means must be off to matter, relative for a loss."""
SKEW = 0.1
"""By how much more than its share the smallest batch must count in a mean of batch means."""
READ = 0.8
"""The largest share of a data set of which it can be said that a pass read only a part."""
POINTS = 0.005
"""The same for an accuracy, absolute."""


@dataclass(frozen=True)
class Figure:
    """A number as it was printed: half of its last digit is its `tolerance`."""

    label: str
    value: float
    tolerance: float
    digits: int
    percent: bool

    def is_(self, value: float) -> bool:
        """Whether `value` would have been printed so."""
        return bool(abs(self.value - value) <= self.tolerance * 1.02 + 1e-9 * abs(value))


def figures(text: str, written: Iterable[Sequence[int]] = ()) -> list[Figure]:
    """The numbers of a printed line, each with the words before it (those of the number before,
    where there are none). Those that were `written` down in the program, from one place of the line
    to another, are words.
    """
    found: list[Figure] = []
    label, begins = "", 0
    words_of_text = [range(*span) for span in written]
    for match in _NUMBER.finditer(text):
        if any(match.start() in span for span in words_of_text):
            continue
        words = text[begins : match.start()]
        label = words if re.search(r"[A-Za-z]", words) else label
        begins = match.end()
        decimals, exponent, percent = match.groups()
        shown = match.group(0).rstrip("% ")
        scale = 10.0 ** (int(exponent or 0) - len(decimals or ""))
        mantissa = re.sub(r"[eE].*|[-+.]", "", shown).lstrip("0")
        found.append(Figure(label, float(shown), 0.5 * scale, len(mantissa), bool(percent)))
    return found


Ways = Mapping[str, float]


def _kind(log: Log, tally: Event) -> tuple[Any, ...]:
    """What tallies of one kind share: the loss, and the loader."""
    passes, number = log.section("data", "passes"), tally["p"]
    loader = passes[number]["loader"] if 0 <= number < len(passes) else -1
    return tally["what"], tally["fn"], tally["summed"], loader


def _printed(log: Log, begin: int, tally: Event) -> Iterator[tuple[Event, int, Figure]]:
    """What was printed after a tally was opened and before the next of its kind."""
    kind = _kind(log, tally)
    for e in log.events[begin + 1 :]:
        if e["k"] == "tally" and _kind(log, e) == kind:
            return
        if e["k"] == "print":
            shown = figures(str(e["text"]), e.get("written", ()))
            for place, figure in enumerate(shown):
                yield e, place, figure


def _counts(log: Log) -> set[float]:
    """The sizes that a program may print beside its figures: of data sets, loaders and passes."""
    passes = log.section("data", "passes")
    sizes = [d["length"] for d in log.section("data", "datasets")]
    sizes += [b["batch_size"] for b in log.section("data", "loaders")]
    sizes += [p[k] for p in passes for k in ("batches", "rows", "last")]
    sizes += [e[k] for e in log.of_kind("tally") for k in ("n", "rows", "least", "most")]
    sizes += [int(e["last"]) for e in log.of_kind("tally") if e["what"] == "equal" and e["summed"]]
    return {float(s) for s in (*sizes, log.steps) if isinstance(s, int)}


def _length(log: Log, tally: Event) -> int:
    """The length of the data set behind a tally's pass, where the pass read a part of it only."""
    passes, number = log.section("data", "passes"), tally["p"]
    loaders, datasets = log.section("data", "loaders"), log.section("data", "datasets")
    if not 0 <= number < len(passes) or not 0 <= passes[number]["loader"] < len(loaders):
        return 0
    length = int(datasets[loaders[passes[number]["loader"]]["dataset"]]["length"])
    return length if length * READ > tally["rows"] > 0 else 0


def _whole(log: Log, tally: Event) -> bool:
    """Whether every batch of the pass is in it."""
    passes = log.section("data", "passes")
    number = tally["p"]
    if 0 <= number < len(passes):
        return bool(passes[number]["whole"] and passes[number]["batches"] == tally["n"])
    return bool(tally["n"])


def _matches(
    log: Log,
    what: str,
    label: re.Pattern[str],
    ways: Callable[[Log, Event], tuple[list[float], Ways]],
) -> Iterator[tuple[str, Event, Figure, Event]]:
    """(wrong way, print, figure, tally) for each line that shows a wrong way's number
    wherever it shows no right one, and in most of its figures.
    """
    scales = (1.0, 100.0) if what == "equal" else (1.0,)
    counts = _counts(log)
    cleared: set[tuple[int, int]] = set()
    seen: dict[Any, list[tuple[tuple[int, int], set[str], Event, Figure, Event]]] = defaultdict(
        list
    )
    for begin, tally in enumerate(log.events):
        if tally["k"] != "tally" or tally["what"] != what or not _whole(log, tally):
            continue
        right, wrong = ways(log, tally)
        for shown, place, figure in _printed(log, begin, tally):
            called = label.search(figure.label) or (
                figure.digits >= MANY and _PART.search(figure.label)
            )
            if not called or figure.digits < DIGITS:
                continue
            here = (id(shown), place)
            if figure.tolerance == 0.5 and figure.value in counts:
                cleared.add(here)  # a whole number that is a size
            elif any(figure.is_(s * r) for r in right for s in scales):
                cleared.add(here)
            elif wrong:
                names = {n for n, w in wrong.items() if any(figure.is_(s * w) for s in scales)}
                key = (shown["at"], place, *_kind(log, tally))
                seen[key].append((here, names, shown, figure, tally))
    for entries in seen.values():
        left = [e for e in entries if e[0] not in cleared]
        if 2 * len(left) <= len(entries):  # two ways may agree to so many digits now and then
            continue
        names = set.intersection(*(n for _, n, *_ in left))
        enough = len(left) > 1 or left[0][3].digits > DIGITS
        for name in sorted(names) if enough else ():
            _, _, shown, figure, tally = left[0]
            yield name, shown, figure, tally


def _loss_ways(log: Log, tally: Event) -> tuple[list[float], Ways]:
    n, rows, total, weighted = tally["n"], tally["rows"], tally["total"], tally["weighted"]
    if n == 0 or rows <= n:
        return [], {}
    mean, batches = weighted / rows, total / n
    length = _length(log, tally)
    if tally["summed"]:
        return [total / rows, batches, total], {"part": total / length} if length else {}
    wrong = {"twice": total / rows}
    if length:
        wrong["part"] = weighted / length
    return [mean, batches, total, weighted, tally["last"]], wrong


def loss_divided_twice(log: Log) -> Iterator[Finding]:
    """A sum of mean losses was divided by the number of samples; or the sum over a part of a data
    set by the length of the whole.
    """
    for way, shown, figure, tally in _matches(log, "loss", _LOSS, _loss_ways):
        n, rows = tally["n"], tally["rows"]
        mean = (tally["total"] if tally["summed"] else tally["weighted"]) / rows
        how = (
            f"the losses of the {rows} samples of this pass, divided by the {_length(log, tally)} "
            f"of the whole data set; their mean is {mean:.4g}"
            if way == "part"
            else f"the {n} mean losses, which add up to {tally['total']:.6g}, divided by the "
            f"{rows} samples; their mean is {mean:.4g}"
        )
        yield Finding(
            "loss_divided_twice", f"{figure.value:.6g} was printed: {how}", **log.where(shown)
        )
        return


def _mean_ways(log: Log, tally: Event) -> tuple[list[float], Ways]:
    n, rows = tally["n"], tally["rows"]
    if n < 2 or tally["p"] < 0 or 1 / n - tally["least"] / max(rows, 1) < SKEW:
        return [], {}
    if tally["what"] == "equal":
        right, wrong = tally["total"] / rows, tally["ratios"] / n
        return [right], {"mean": wrong} if abs(wrong - right) >= POINTS else {}
    if tally["summed"]:
        return [], {}
    right, wrong = tally["weighted"] / rows, tally["total"] / n
    return [right], {"mean": wrong} if abs(wrong - right) >= APART * abs(right) else {}


def mean_of_batch_means(log: Log) -> Iterator[Finding]:
    """Means over batches of different sizes were averaged with equal weights, visibly."""
    for what, label in (("loss", _LOSS), ("equal", _ACCURACY)):
        for _, shown, figure, tally in _matches(log, what, label, _mean_ways):
            total = tally["total"] if what == "equal" else tally["weighted"]
            yield Finding(
                "mean_of_batch_means",
                f"{figure.value:.6g} was printed, the plain mean over {tally['n']} batches; they "
                f"hold between {tally['least']} and {tally['most']} samples, and the mean over all "
                f"{tally['rows']} samples is {total / tally['rows']:.4g}",
                **log.where(shown),
            )
            return


def _accuracy_ways(log: Log, tally: Event) -> tuple[list[float], Ways]:
    n, rows, total = tally["n"], tally["rows"], tally["total"]
    if not rows or not total:
        return [], {}
    wrong = {"batches": total / n} if rows > n > 1 else {}
    if n > 1:
        wrong["ratios"] = tally["ratios"]
        wrong["again"] = tally["ratios"] / rows
        if tally["least"] < tally["most"] and n * tally["most"] != rows:
            wrong["full"] = total / (n * tally["most"])
    length = _length(log, tally)
    if length:
        wrong["part"] = total / length
    right = [total / rows, tally["ratios"] / n, total, total / 100.0]
    if not tally["summed"]:  # else it counts the right answers of the last batch: see _counts
        right.append(tally["last"])
    return right, wrong


_DIVISORS = {
    "batches": "the {right} right answers divided by the {n} batches",
    "ratios": "the accuracies of {n} batches, added up",
    "again": "the accuracies of {n} batches, divided by the {rows} samples",
    "part": "the {right} right answers divided by the {length} samples of the whole data set",
    "full": "the {right} right answers divided by {n} times {most}",
}


def wrong_accuracy(log: Log) -> Iterator[Finding]:
    """An accuracy over the wrong axis, of a table instead of a list, or over the wrong divisor."""
    for e in log.of_kind("compare"):
        if e["of"] != "equal":
            continue
        best = e["best"]
        if best is not None and best[1] > 1 and best[2] > 1 and best[0] != 1:
            along = "over all of" if best[0] < 0 else "along axis 0 of"
            yield Finding(
                "wrong_accuracy",
                f"the best was picked {along} an output of shape {tuple(best[1:])}, and compared "
                "with targets: the classes lie along axis 1",
                **log.where(e),
            )
            return
        column = e["answers"][1:] == [1] or best is not None
        if not e["fair"] and column and e["answers"][:1] == [max(e["result"])]:
            a, b = e["shapes"]
            yield Finding(
                "wrong_accuracy",
                f"predictions and targets of shapes {tuple(a)} and {tuple(b)} were compared: that "
                f"makes a table of {tuple(e['result'])}, every prediction against every target",
                **log.where(e),
            )
            return
    yield from _failed_axis(log)
    for name, shown, figure, tally in _matches(log, "equal", _ACCURACY, _accuracy_ways):
        how = _DIVISORS[name].format(
            right=round(tally["total"]),
            n=tally["n"],
            rows=tally["rows"],
            most=tally["most"],
            length=_length(log, tally),
        )
        yield Finding(
            "wrong_accuracy",
            f"{figure.value:.6g} was printed: {how}; {round(tally['total'])} of {tally['rows']} "
            f"answers were right, {tally['total'] / tally['rows']:.4g}",
            **log.where(shown),
        )
        return


def _failed_axis(log: Log) -> Iterator[Finding]:
    """The comparison with the targets raised, after the best along axis 0 had been picked."""
    last = log.of_kind("best")[-1:]
    if not log.errors or not last or last[0]["dim"] != 0 or log.ended != "raised":
        return
    message, (rows, classes) = str(log.errors[0]["message"]), last[0]["shape"]
    if "must match the size of tensor" in message and {str(rows), str(classes)} <= set(
        re.findall(r"\d+", message)
    ):
        yield Finding(
            "wrong_accuracy",
            f"the best was picked along axis 0 of an output of shape {(rows, classes)}, which "
            f"gives {classes} numbers for {rows} targets",
            **log.where(last[0]),
        )


FINDERS = (loss_divided_twice, mean_of_batch_means, wrong_accuracy)
