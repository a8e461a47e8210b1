"""Bugs of what acts on gradients: clipping that comes too early or too late, batches accumulated
without dividing, a penalty on top of a decay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from .base import Event, Finding, Log
from .beats import optimizers
from .timeline import Span, number, spans, windows

MEASURING = 1e6
"""Whoever clips to such a norm only wants to know the norm."""
EPOCHS = 2
"""What happens at the end of so many epochs alike is how the loop is written."""
NEAR = 0.02
MEANS = ("Mean", "NllLoss", "MseLoss", "SmoothL1Loss", "HuberLoss", "BinaryCrossEntropy")


def clip_before_unscale(log: Log) -> Iterator[Finding]:
    """Gradients are clipped while they still carry the scaler's factor."""
    early: list[tuple[Event, float]] = []
    seen = 0
    for window in windows(log):
        scale = 0.0
        for i, e in enumerate(window):
            if e["k"] == "scaled":
                scale = number(e["scale"])
            elif e["k"] in ("unscale", "step", "scaled_step"):
                scale = 0.0
            elif e["k"] == "clip" and e["tensors"] and number(e["limit"]):
                seen += 1
                since = {x["k"] for x in window[i + 1 :]}
                scaled = scale > 1 and "backward" in {x["k"] for x in window[:i]}
                own = e["limit"] >= scale  # the limit was scaled along
                if scaled and not own and since & {"unscale", "scaled_step"}:
                    early.append((e, scale))
    if early and len(early) * 2 >= seen:
        event, scale = early[0]
        yield Finding(
            "clip_before_unscale",
            f"gradients were clipped to {event['limit']:g} while they were still multiplied by the "
            f"scaler's {scale:g} (their norm was {number(event['before']):.3g}), so after "
            f"unscaling at most {event['limit'] / scale:.1g} of it was left; in {len(early)} of "
            f"{seen} clippings looked at",
            **log.where(event),
        )


def clipped_by_hand(log: Log) -> Iterator[Finding]:
    """What is unscaled has one and the same norm each time, although what arrived had not."""
    found: list[tuple[Event, float, float]] = []
    for window in windows(log):
        last: Event | None = None
        for e in window:
            if e["k"] == "backward":
                last = e
            elif e["k"] == "unscale" and last is not None and number(e["scale"]) > 1:
                found.append((e, number(last.get("after")), number(e["found"])))
                last = None
    cut = [(e, a, f) for e, a, f in found if 0 < f < a * (1 - NEAR)]
    norms = [f for _, _, f in cut]
    if len(cut) < 3 or len(cut) * 2 < len(found) or max(norms) > min(norms) * (1 + NEAR):
        return
    arrived = [a for _, a, _ in cut]
    if max(arrived) > min(arrived) * (1 + 5 * NEAR):
        event, a, f = cut[0]
        yield Finding(
            "clip_before_unscale",
            f"gradients were cut down to a norm of {f:.3g} while they were still multiplied by the "
            f"scaler's {number(event['scale']):g} (it had been {a:.3g}), in {len(cut)} of "
            f"{len(found)} steps looked at",
            **log.where(event),
        )


def clip_no_effect(log: Log) -> Iterator[Finding]:
    """Every clipping finds no gradient, or gradients that were used already."""
    clips: list[tuple[Event, str]] = []
    for window in windows(log):
        waiting: set[int] = set()
        passed = False
        for e in window:
            if e["k"] == "backward":
                waiting |= set(e["into"])
                passed = True
            elif e["k"] == "grad":
                waiting |= {i for i, _ in optimizers(log)}
            elif e["k"] in ("step", "scaled_step"):
                waiting.discard(e.get("optimizer", -1))
            elif e["k"] == "clip" and 0 < number(e["limit"]) < MEASURING:
                why = ""
                if not e["tensors"]:
                    why = "it was given no tensors at all"
                elif e["before"] == 0:
                    why = "there were no gradients yet"
                elif e["of"] and passed and not waiting & set(e["of"]):
                    why = "the step had already used these gradients"
                clips.append((e, why))
    idle = [(e, why) for e, why in clips if why]
    if len(idle) > 1 and len(idle) >= len(clips) - 1 and log.counts.get("backward"):
        event, why = idle[-1]
        yield Finding(
            "clip_no_effect",
            f"clipping to {event['limit']:g} changed no step: {why}, in {len(idle)} of the "
            f"{len(clips)} clippings looked at",
            **log.where(event),
        )


def _advance(a: Event, b: Event, marks: dict[int, float | str | None], loaders: bool) -> bool:
    """Whether two backward passes from one line come from different batches of the same pass."""
    if a["at"] != b["at"] or a["p"] != b["p"] or not b["stale"] or b["reused"]:
        return False
    if loaders:
        return bool(b["batch"] > a["batch"])
    return marks.get(id(a)) is not None and marks.get(id(a)) != marks.get(id(b))


def _undivided(span: Span, passes: Sequence[Event]) -> bool:
    """Whether every loss of a span was a mean and was differentiated with weight one, and the sum
    of the gradients reached the step as it was.
    """
    scale = next((number(e["scale"]) for e in span.events if e["k"] == "scaled"), 0.0) or 1.0
    losses = [e for e in span.events if e["k"] == "loss" and e["weight"] is not None]
    for e in losses:
        even = e["reduction"] == "mean" and abs(number(e["weight"]) / scale - 1) < NEAR
        if not even or e["rows"] < 2:
            return False
    made = [e["op"] for e in span.events if e["k"] == "scaled"] or [e["op"] for e in passes]
    if not losses and not all(op.startswith(MEANS) for op in made):
        return False
    found = next((e["before"] for e in span.events if e["k"] == "clip"), span.step["norm"])
    last = number(passes[-1].get("after"))
    shares = [number(found) / last, number(found) * scale / last] if last else []
    return any(abs(share - 1) < NEAR for share in shares)


def accumulation_not_scaled(log: Log) -> Iterator[Finding]:
    """Several batches' gradients add up to one step, each with the weight of a whole batch."""
    loaders = bool(log.section("data", "passes"))
    if log.counts.get("grad"):
        return
    marks: dict[int, float | str | None] = {}
    for window in windows(log):
        mark = None
        for e in window:
            if e["k"] == "forward" and e["grad"]:
                mark = e.get("mark")
            elif e["k"] == "backward":
                marks[id(e)] = mark
    for index, _ in optimizers(log):
        judged = [s for s in spans(log, index) if not s.step["closure"]]
        found: list[tuple[Span, list[Event]]] = []
        for s in judged:
            passes = s.backwards(index)
            steady = all(_advance(a, b, marks, loaders) for a, b in pairwise(passes))
            least = 2 if loaders else 3
            if len(passes) >= least and steady and _undivided(s, passes):
                found.append((s, passes))
        if found and len(found) * 2 >= len(judged) and (loaders or len(found) > 1):
            span, passes = found[-1]
            yield Finding(
                "accumulation_not_scaled",
                f"{len(passes)} batches were accumulated for one step and each counted in full: "
                f"the step's gradient (norm {number(span.step['norm']):.3g}) is the sum of "
                f"{len(passes)} means, not their mean; in {len(found)} of the {len(judged)} steps "
                "looked at",
                **log.where(passes[0]),
                instead_of=("lr_too_high",),
            )


def batches_lost(log: Log) -> Iterator[Finding]:
    """Gradients of several batches are added up for a step, and those of the last batches of each
    epoch are cleared away before any step; or the first batch of each makes a step by itself.
    """
    stepped = [k for _, k in optimizers(log) if k["steps"]]
    windows_seen = [int(n) for n in log.sections.get("beats", {}).get("windows", [])]
    if len(stepped) != 1 or log.counts.get("grad"):
        return
    sizes = Counter(n for n in windows_seen if n > 0)
    often = max(sizes.values(), default=0)
    usual = max((n for n, times in sizes.items() if 2 * times >= often), default=0)
    if usual < 2:
        return
    runs: list[list[int]] = [[]]  # from one clearing without a step to the next
    lost: list[int] = []
    for n in windows_seen:
        if n > 0:
            runs[-1].append(n)
        else:
            lost.append(-n)
            runs.append([])
    where = {"at": log.sections["beats"].get("thrown", -1)}
    between = {tuple(run) for run in runs[:-1]}
    if len(lost) >= EPOCHS and len(set(lost)) == 1 and lost[0] < usual and len(between) == 1:
        steps = len(runs[0])
        yield Finding(
            "batches_lost",
            f"{usual} batches are added up for a step, and after every {steps} step"
            f"{'s' if steps > 1 else ''} the gradients of {lost[0]} more were cleared away before "
            f"any step used them: {sum(lost)} batches were never learnt from",
            kind="note",
            **log.where(where),
        )
        return
    first = _first_windows(log)
    if len(first) >= EPOCHS and set(first) == {1}:
        step = next((e for e in log.of_kind("step")), where)
        yield Finding(
            "batches_lost",
            f"{usual} batches are added up for a step, but the first batch of each epoch made a "
            "step by itself, with the weight of one of several: the count of batches begins at 0",
            kind="note",
            **log.where(step),
        )


def _first_windows(log: Log) -> list[int]:
    """How many backward passes came before the first step of each pass over a loader, where nothing
    was left over from the pass before and all of it was seen.
    """
    found: list[int] = []
    begun: dict[int, int] = {}
    for e in log.events:
        at = int(e.get("p", -1))
        if e["k"] == "pass":
            begun[int(e["number"])] = 0
        elif e["k"] == "cut" or (e["k"] == "backward" and begun.get(at) == 0 and e["stale"]):
            begun.pop(at, None)
        elif e["k"] == "backward" and at in begun:
            begun[at] += 1
        elif e["k"] == "step" and at in begun:
            found.append(begun.pop(at))
    return found


def wrong_weight_decay(log: Log) -> Iterator[Finding]:
    """The weights' squares are in the loss, and the optimizer decays the same weights."""
    for e in log.of_kind("backward"):
        told = e["penalty"]
        if not told or not told["leaves"]:
            continue
        if told["negative"] * 2 > told["leaves"]:
            yield Finding(
                "wrong_weight_decay",
                f"the squares of {told['negative']} weight tensors are subtracted from the loss, "
                "so that each step makes them larger",
                **log.where(e),
            )
            return
        own = told["optimizer"] == "AdamW" and told["decay"] == 0.01  # what it does unasked
        if told["decayed"] and not own:
            yield Finding(
                "wrong_weight_decay",
                f"{told['decayed']} weight tensors shrink twice: their squares are added to the "
                f"loss, and the {told['optimizer']} optimizer decays them by "
                f"{told['decay']:g} as well",
                **log.where(e),
            )
            return
    yield from _by_hand(log)


def _by_hand(log: Log) -> Iterator[Finding]:
    """Weights multiplied by one factor below one between the steps of a decaying optimizer."""
    shrunk = [e for e in log.of_kind("backward", "step") if 0.5 < number(e["shrunk"]) < 1]
    for index, known in optimizers(log):
        decay = max((number(g.get("weight_decay")) for g in known["groups"]), default=0.0)
        of_it = [e for e in shrunk if index in e.get("into", [e.get("optimizer")])]
        factors = {e["shrunk"] for e in of_it}
        if decay and len(of_it) > 2 and max(factors) - min(factors) < 1e-3:
            yield Finding(
                "wrong_weight_decay",
                "the weights shrink twice: between two steps they are multiplied by "
                f"{of_it[0]['shrunk']:.6g}, and the {known['type']} optimizer decays them by "
                f"{decay:g} as well",
                **log.where(of_it[0]),
            )


FINDERS = (
    clip_before_unscale,
    clipped_by_hand,
    clip_no_effect,
    accumulation_not_scaled,
    batches_lost,
    wrong_weight_decay,
)
