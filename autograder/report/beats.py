"""The five beats of a student's loop as the evidence saw them, beside those of a right loop.

Theory. The trace of a network (`inside/trace.py`) writes the order of things down as letters: z a
call of `zero_grad`, f a forward pass, b a backward pass, s a step with gradients, n one without, |
the end of a function. What repeats in them is the loop. The loss has no letter: a backward pass
starts from one, so it lies somewhere between the two passes, and it is shown before the backward
pass.

A mark needs two witnesses: the judge, who named the bug, and the letters, in which the beat is
missing or out of place. Letters alone prove nothing (gradients can be cleared, and weights moved,
by hand). So an order that is unusual, and of which no judge complains, is not shown at all.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..model import Json
from ..text import clean

RIGHT = ("zero_grad", "forward", "loss", "backward", "step")
LETTERS_CAP, PERIOD_CAP, SPANS_CAP, SHOWN = 2_000, 24, 200, 3
CLEAN = 1e-9
"""Norm of the gradients that a backward pass found, up to which they were cleared; as in the judge.
"""
_WHOLE = re.compile(r"(?:z*f+z*b+(?:f+b+)*s+z*)+")
"""A right order, read from behind a step; several small batches may share one step."""
_LOSSES = ("softmax_before_cross_entropy", "softmax_into_nll", "sum_instead_of_mean", "wrong_loss")
MARKS = frozenset(_LOSSES) | {
    "missing_zero_grad", "zero_grad_after_backward", "missing_backward", "missing_step",
    "step_before_backward", "stale_optimizer", "missing_train_mode",
}  # fmt: skip
"""The bugs that can mark a beat."""


@dataclass(frozen=True)
class Beat:
    """One beat. `tone` is "" where it is as it should be, "lost" where it is missing, "wrong" where
    it is misplaced or does something else, "calm" where it was not seen; `note` says so in words.
    """

    name: str
    tone: str = ""
    note: str = ""


@dataclass(frozen=True)
class Loop:
    """A loop: the `functions` that it stands in ("" for the program itself) and its beats."""

    functions: tuple[str, ...]
    beats: tuple[Beat, ...]

    @property
    def marked(self) -> bool:
        """Whether a beat is missing or misplaced."""
        return any(b.tone in ("lost", "wrong") for b in self.beats)


def loops(evidence: Iterable[Mapping[str, Json]], bugs: Collection[str]) -> list[Loop]:
    """The loops that the pieces of `evidence` (their data) show: those with a mark, else the first
    that is right. `bugs` are what the judges named, as far as the student may know.
    """
    seen: dict[str, tuple[str, bool, int]] = {}
    for data in evidence:
        for function, letters in _functions(data).items():
            cycle, length = _cycle(letters)
            if cycle and length > seen.get(function, ("", True, 0))[2]:
                seen[function] = (cycle, _cleared(data), length)
    alone = len({cycle for cycle, _, _ in seen.values()}) == 1
    found: dict[tuple[Beat, ...], list[str]] = {}
    for function in sorted(seen, key=lambda f: (not f, f)):
        cycle, cleared, _ = seen[function]
        found.setdefault(_marked(cycle, cleared, bugs, alone), []).append(function)
    found.pop((), None)
    shown = [Loop(tuple(f for f in names if f), own) for own, names in found.items()]
    return [loop for loop in shown if loop.marked][:SHOWN] or shown[:1]


def _functions(data: Mapping[str, Json]) -> dict[str, str]:
    """The letters of each function, its calls one behind the other; "" holds what lies before the
    first call of any. What is malformed gives nothing.
    """
    letters, spans = data.get("letters"), data.get("spans")
    if not isinstance(letters, str) or not re.fullmatch("[zfbsn|]+", letters[:LETTERS_CAP]):
        return {}
    letters = letters[:LETTERS_CAP]
    starts = [
        (at, str(span.get("function", ""))[:80])
        for span in (spans if isinstance(spans, list) else [])[:SPANS_CAP]
        if isinstance(span, dict) and isinstance(at := span.get("letter"), int)
    ]
    first = min((at for at, _ in starts), default=len(letters))
    parts: dict[str, str] = {"": letters[: max(first, 0)].replace("|", "")}
    for k, (at, name) in enumerate(starts):
        end = letters.find("|", at) if at >= 0 else -1
        end = len(letters) if end < 0 else end
        inner = min((other for other, _ in starts[k + 1 :]), default=end)
        parts[clean(name)] = parts.get(clean(name), "") + letters[max(at, 0) : min(end, inner)]
    return {name: part for name, part in parts.items() if part}


def _cycle(letters: str) -> tuple[str, int]:
    """What repeats longest in `letters`, at least twice and over half of them, and how long it
    does; "" where nothing does, or where it is no loop that a backward pass or a step is part of.
    """
    text = letters.replace("n", "s")
    best, score, length = "", 0, 0
    for period in range(2, min(PERIOD_CAP, len(text) // 2) + 1):
        start = 0
        for k in range(period, len(text) + 1):
            if k < len(text) and text[k] == text[k - period]:
                continue
            run = k - start
            if run >= 2 * period and run - period > score:
                best, score, length = text[start : start + period], run - period, run
            start = k - period + 1
    sound = "f" in best and ("b" in best or "s" in best) and 2 * length >= len(text)
    return (best, length) if sound else ("", 0)


def _cleared(data: Mapping[str, Json]) -> bool:
    """Whether every backward pass but the first found cleared gradients."""
    calls, dirty = data.get("calls"), data.get("dirty")
    if not isinstance(calls, list) or not isinstance(dirty, list):
        return False
    found = [
        norm
        for call, norm in zip(calls, dirty, strict=False)
        if isinstance(call, list) and len(call) > 5 and isinstance(call[5], int) and call[5] > 0
    ][1:]
    return bool(found) and all(isinstance(n, int | float) and n <= CLEAN for n in found)


def _marked(cycle: str, cleared: bool, bugs: Collection[str], alone: bool) -> tuple[Beat, ...]:
    """The beats of one cycle with their marks; () where they are neither right nor marked."""
    marks: dict[str, Beat] = {}
    between = _between(cycle)
    if "z" not in cycle:
        if "missing_zero_grad" in bugs and not cleared:
            marks["z"] = Beat("zero_grad", "lost", "missing")
        elif cleared:
            marks["z"] = Beat("zero_grad", "", "done in a way of your own")
    elif between and "zero_grad_after_backward" in bugs:
        marks["z"] = Beat("zero_grad", "wrong", "between backward and step")
    if "b" not in cycle and "missing_backward" in bugs:
        marks["b"] = Beat("backward", "lost", "missing")
    if "s" not in cycle:
        if "missing_step" in bugs:
            marks["s"] = Beat("step", "lost", "missing")
    elif "step_before_backward" in bugs and -1 < cycle.find("s") < cycle.find("b"):
        marks["s"] = Beat("step", "wrong", "before backward")
    elif "stale_optimizer" in bugs and alone:
        marks["s"] = Beat("step", "wrong", "moves other weights")
    if alone and "b" in cycle and any(b in bugs for b in _LOSSES):
        marks["l"] = Beat("loss", "wrong", "not the loss asked for")
    if alone and "missing_train_mode" in bugs:
        marks["f"] = Beat("forward", "wrong", "in evaluation mode")
    order = _turned(
        cycle, late=between, early="s" in marks and marks["s"].note.startswith("before")
    )
    accused = any(beat.tone for beat in marks.values())
    if not accused and not (_WHOLE.fullmatch(_behind_step(cycle)) and ("z" in cycle or cleared)):
        return ()
    return tuple(_beats(order, marks))


def _behind_step(cycle: str) -> str:
    at = cycle.rfind("s") + 1
    return cycle[at:] + cycle[:at]


def _between(cycle: str) -> bool:
    """Whether gradients are cleared between a backward pass and the step that should use it."""
    return re.search("bz+s", cycle + cycle) is not None


def _turned(cycle: str, *, late: bool, early: bool) -> str:
    """A cycle from where a reader would begin: at the clearing, or at the forward pass. One whose
    step comes too early begins where the loop did.
    """
    if early:
        return cycle
    behind = _behind_step(cycle)
    if late or "z" not in behind:
        at = behind.find("f")
    else:
        at = behind.find("z") if behind.find("z") < behind.find("f") else behind.find("f")
        at = behind.rfind("z") if behind.endswith("z") and "z" not in behind[:-1] else at
    return behind[at:] + behind[:at]


def _beats(order: str, marks: Mapping[str, Beat]) -> Sequence[Beat]:
    """The beats in `order`, with those that are missing where a right loop has them."""
    beats: list[Beat] = []
    times = max((len(m) // 2 for m in re.findall("(?:fb)+", order)), default=1)
    again = f"{times} times" if times > 1 else ""
    order = re.sub(r"([zfbs])\1+", r"\1", re.sub("(?:fb)+", "fb", order))
    if "z" not in order and "z" in marks:
        beats.append(marks["z"])
    for k, letter in enumerate(order):
        if letter == "f":
            beats.append(marks.get("f", Beat("forward", note=again)))
            if "b" not in order:
                beats.append(Beat("loss", "calm", "not seen"))
                beats += [marks["b"]] if "b" in marks else []
        elif letter == "b":
            if "f" in order[:k] or "s" in order[:k]:
                beats.append(marks.get("l", Beat("loss", note=again)))
            beats.append(Beat("backward", note=again))
        elif letter == "z":
            beats.append(marks.get("z", Beat("zero_grad")))
        else:
            beats.append(marks.get("s", Beat("step")))
    if "s" not in order and "s" in marks:
        beats.append(marks["s"])
    return beats
