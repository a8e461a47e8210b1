"""Hidden checks of `train_amp_step` and `accumulate_step`: what a step used of the true gradients.

How the runs are made that they look at, and what the words mean, says `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from autograder.checks.base import Context, Inconclusive, check
from autograder.checks.loops import Loop, beats, clearing, given, objective, put_back
from autograder.checks.reference.objective import loss
from autograder.checks.reference.replay import Replay, Update
from autograder.model import Evidence, Outcome, ProbeRequest, Status

from .steps import (
    BATCH,
    BRIGHT,
    BRIGHT_GROUPS,
    CLIP_EPS,
    CLOSE,
    CLOSE_REDUCED,
    GROUPS,
    INTERVAL,
    LARGE,
    LOSS_REDUCED,
    LOSS_TOLERANCE,
    OVERFLOW_AT,
    SAID,
    SMOOTHING,
    WIDE_REDUCED,
    Run,
    fixture_of,
    four_runs,
    read_run,
    run_of,
    step_request,
)


def _off(ctx: Context, evidence: Mapping[str, Evidence]) -> Run:
    """The run with a disabled scaler, which must have run for anything else to be asked."""
    if evidence["off"].status != "done":
        why = "not checked: train_amp_step did not run; see the first check of its task"
        raise Inconclusive(Outcome.not_checked(why))
    run = run_of(ctx, evidence, "off")
    if not run.calls:
        why = f"train_amp_step raised {run.raised}"
        raise Inconclusive(Outcome.not_checked(f"not checked: {why}"))
    return run


def _unseen(run: Run) -> Outcome | None:
    """`not_checked` where no step of the run can be compared, else None."""
    if run.replay.still:
        return Outcome.not_checked("not checked: no weight moved, so nothing can be seen of it")
    if all(run.excess(u) is None for u in run.replay.updates):
        return Outcome.not_checked("not checked: the steps are made of no gradient we can compute")
    return None


@check(
    requests=four_runs,
    bugs=("missing_zero_grad",),
    help="Gradients add up in `.grad` until they are cleared.",
)
def amp_zero(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """No gradient of an earlier call is left, under a disabled scaler and one of scale 1."""
    _off(ctx, evidence)
    made = fixture_of(ctx)
    first = clearing(read_run(evidence["off"], made).loop)
    if first.status is not Status.PASSED:
        return first
    again = clearing(read_run(evidence["one"], made).loop)
    return again if again.status is Status.FAILED else first


@check(
    requests=four_runs,
    bugs=(
        "zero_grad_after_backward",
        "step_before_backward",
        "missing_backward",
        "missing_step",
    ),
    help=(
        "Zero, forward, loss, backward, step: each once, in this order. The scaler takes part "
        "in the backward pass and in the step, and adds no beat of its own to either."
    ),
)
def amp_beats(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """One backward pass and one step a call, in their order."""
    _off(ctx, evidence)
    run = read_run(evidence["off"], fixture_of(ctx))
    if run.loop.early:
        return Outcome.failed(
            f"call {run.calls + 1} stepped between the forward and the backward pass: the "
            f"latter then found weights changed that it needed, and raised",
            "step_before_backward",
        )
    return beats(run.loop)


@check(
    requests=four_runs,
    bugs=(
        "softmax_before_cross_entropy",
        "softmax_into_nll",
        "sum_instead_of_mean",
        "wrong_value",
    ),
    help="What is differentiated is the mean loss of the batch, by the loss function given.",
)
def amp_objective(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """What was differentiated is the mean loss of the batch, by the loss function given."""
    return given_objective(_off(ctx, evidence).replay)


def given_objective(replay: Replay, scale: float = 1.0) -> Outcome:
    """Whether what was differentiated is the smoothed loss of a step fixture."""
    found = objective(Loop(replay, ""), scale=scale)
    if found.status is not Status.PASSED:
        return found
    slack = 0.05 if replay.reduced else 0.01
    for k, s in enumerate(replay.sources):
        if abs(s.objective.smoothing - SMOOTHING) > slack:
            return Outcome.failed(
                f"the gradient of batch {k + 1} is that of a cross-entropy, but not of the loss "
                f"function handed over, which smooths its labels",
                "wrong_value",
            )
    return found


@check(
    requests=four_runs,
    bugs=("clip_no_effect", "clip_before_unscale"),
    help=(
        "The limit is meant for the true gradients: those after the backward pass, divided by "
        "the scale again, just before the step."
    ),
)
def amp_clip(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Gradients are clipped after they were unscaled and before the step uses them."""
    off = _off(ctx, evidence)
    for name in ("off", "one", "large"):
        wrong = clip_fault(run_of(ctx, evidence, name), SAID[name])
        if wrong is not None:
            return wrong
    if hidden := _unseen(off):
        return hidden
    large = run_of(ctx, evidence, "large")
    if _unseen(large) is not None:
        why = large.raised or "its steps are made of no gradient we can compute"
        return Outcome.not_checked(f"not checked: {SAID['large']}, {why}")
    return Outcome.passed()


def clip_fault(run: Run, where: str) -> Outcome | None:
    """What is wrong with the lengths of a run's steps that clipping explains, or None. An excess
    that is the same for clipped and for unclipped steps is a matter of scaling, not of clipping.
    """
    seen = [(u, e) for u in run.replay.updates if (e := run.excess(u)) is not None]
    close = CLOSE_REDUCED if run.replay.reduced else CLOSE
    wrong = [(u, e) for u, e in seen if abs(e - 1) > close]
    if not wrong:
        return None
    values = np.array([e for _, e in seen])
    if len(values) > 2 and np.ptp(values) <= close * np.abs(values).max():
        return None
    limit = run.made.max_norm
    if all(_misscaled(run, u, close) for u, _ in wrong):  # the scaler's part
        return None
    at = wrong[0][0]
    length, used = run.lengths(at)
    said = (
        f"{where} and a limit of {limit:.3g}, the step of call {at.call} used gradients of norm "
        f"{used:.3g}, where {min(length, limit):.3g} is right (they were {length:.3g} long)"
    )
    if all(abs(e * min(1.0, limit / run.lengths(u)[0]) - 1) <= close for u, e in wrong):
        return Outcome.failed(f"{said}: they were not clipped", "clip_no_effect")
    compared = [  # the norm that the limit was held against, if it was the scaled one
        (*run.lengths(u), run.replay.sources[u.fresh[0]].objective.factor / run.scaled)
        for u, _ in wrong
    ]
    if all(
        factor > 1.5 and abs(used / long / min(1.0, limit / (factor * long)) - 1) <= close
        for long, used, factor in compared
    ):
        return Outcome.failed(
            f"{said}: as where the limit is compared with gradients that still carry the scale",
            "clip_before_unscale",
        )
    return Outcome.failed(said, "wrong_value")


def _misscaled(run: Run, update: Update, close: float) -> bool:
    """Whether what was clipped, and then used, still carried the scale, or was divided by it
    although the loss had not been multiplied.
    """
    length, used = run.lengths(update)
    factors = [run.replay.sources[update.fresh[0]].objective.factor / run.scaled]
    if update.step is not None and update.step.span < len(run.scales):
        factors.append(1.0 / max(run.scales[max(update.step.span - 1, 0)], 1e-30))
    limit = run.made.max_norm
    return any(
        abs(np.log(f)) > 0.4 and abs(used / min(limit, f * length) - 1) <= close for f in factors
    )


_REFUSALS = {
    "since the last update": "it was not updated after the step before",
    "after step()": "it was not updated after the step before",
    "_scale is None": "no loss was scaled by it",
    "prior to update": "it was updated before its step, which is where it looks for an overflow",
    "No inf checks": "it was to step without gradients that came from a scaled loss",
}
"""What an enabled scaler says when it is used in a wrong order, and what that means here."""


def _refusal(run: Run) -> str:
    """Why the scaler itself refused a call, in words; "" where it did not."""
    for said_by_it, meaning in _REFUSALS.items():
        if said_by_it in run.raised:
            return f"the scaler refused call {run.calls + 1}: {meaning} ({run.raised})"
    return ""


def _scales(calls: int) -> list[float]:
    """The scale after each call of the run `large`, updated once per step."""
    return [LARGE * 2.0 ** ((k + 1) // INTERVAL) for k in range(calls)]


@check(
    requests=four_runs,
    bugs=("wrong_value",),
    help=(
        "A gradient scaler multiplies the loss before the backward pass and divides the "
        "gradients before the step; after the step it has to be told, so that it can adapt the "
        "scale."
    ),
)
def amp_scaler(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """With a large scale the optimizer gets the same steps, and the scale grows as it should."""
    off, large = _off(ctx, evidence), run_of(ctx, evidence, "large")
    if hidden := _unseen(off):
        return hidden
    if read_run(evidence["large"], fixture_of(ctx)).early_updates:
        return Outcome.failed(
            f"{SAID['large']}, update came before step: it ends the scaler's turn, so step no "
            f"longer knows what became of these gradients, and divides by the scale once more",
            "wrong_value",
        )
    if refusal := _refusal(large):
        return Outcome.failed(f"{SAID['large']}, {refusal}", "wrong_value")
    if large.raised:
        return Outcome(Status.ERROR, 0.0, (), f"{SAID['large']} your code raised {large.raised}")
    if large.replay.still:
        return Outcome.failed(f"{SAID['large']} no weight moved", "wrong_value")
    excesses = [e for u in large.replay.updates if (e := large.excess(u)) is not None]
    close = CLOSE_REDUCED if large.replay.reduced else CLOSE
    if not excesses:
        return Outcome.failed(
            f"{SAID['large']} the steps are made of no gradient of the loss", "wrong_value"
        )
    values = np.array(excesses)
    alike = np.ptp(values) <= close * np.abs(values).max()
    scale_left = abs(values - 1).max() > close and clip_fault(large, "") is None
    if scale_left and not alike:
        return Outcome.failed(
            f"{SAID['large']}, the optimizer used gradients that were multiplied by the scale, or "
            f"divided by it, once too often",
            "wrong_value",
        )
    if abs(values - 1).min() > close and alike:
        return Outcome.failed(
            f"{SAID['large']}, each step used {values[0]:.3g} times the loss's gradient: the scale "
            f"was multiplied into it or divided out of it once too often or too seldom",
            "wrong_value",
        )
    for call, (got, right) in enumerate(zip(large.scales, _scales(len(BRIGHT)), strict=False), 1):
        if got != right:
            return Outcome.failed(
                f"after call {call} the scale is {got:g}; updated once per step it is {right:g}",
                "wrong_value",
            )
    return Outcome.passed()


@check(
    requests=four_runs,
    bugs=("wrong_value",),
    help=(
        "Where a scaled gradient is infinite, the scaler's own step leaves the weights alone, "
        "and its update lowers the scale. An optimizer that steps by itself knows nothing of it."
    ),
)
def amp_overflow(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The call whose scaled gradients are infinite moves nothing, and lowers the scale."""
    off = _off(ctx, evidence)
    if hidden := _unseen(off):
        return hidden
    if "step_before_backward" in beats(off.loop).bugs:
        why = "each step uses the gradients of the call before"
        return Outcome.not_checked(f"not checked: {why}")
    first = _overflow(run_of(ctx, evidence, "overflow"))
    if first.status is not Status.PASSED:
        return first
    own = run_of(ctx, evidence, "own")
    if own.raised and own.calls == OVERFLOW_AT:
        return Outcome.failed(
            f"call {own.calls + 1}, whose scaled gradients overflow, raised {own.raised}; the "
            f"scaler's step is to skip it",
            "wrong_value",
        )
    return first


def _overflow(run: Run) -> Outcome:
    at = OVERFLOW_AT
    if run.calls <= at or len(run.scales) <= at:
        return Outcome.not_checked(
            f"not checked: call {run.calls + 1} of {len(BRIGHT)} raised {run.raised}"
        )
    inside = [c for c in run.replay.calls if c.span == at]
    moved = any(c.moved for c in inside) or any(s.moved for s in run.replay.steps if s.span == at)
    if moved:
        return Outcome.failed(
            f"call {at + 1}, whose scaled gradients overflow, moved the weights; it is to be "
            f"skipped",
            "wrong_value",
        )
    if not run.scales[at] < run.scales[at - 1]:
        return Outcome.failed(
            f"call {at + 1} was skipped, but the scale stayed at {run.scales[at]:g}: the scaler "
            f"did not learn of the overflow",
            "wrong_value",
        )
    return Outcome.passed()


@check(
    requests=four_runs,
    bugs=("wrong_value",),
    help="The scale is there for the gradients. Whoever calls wants to see the loss itself.",
)
def amp_loss(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The number returned is the batch's loss, not the scaled one."""
    _off(ctx, evidence)
    compared = 0
    for name in ("off", "large"):
        run = run_of(ctx, evidence, name)
        tolerance = LOSS_REDUCED if run.replay.reduced else LOSS_TOLERANCE
        for call, got in enumerate(run.returned):
            allowed = losses_of(run.replay, call)
            compared += bool(allowed)
            value = float("nan") if got is None else got
            if not allowed or any(abs(value - v) <= tolerance * abs(v) for v in allowed):
                continue
            scaled = abs(value / (allowed[0] * LARGE) - 1) < tolerance
            what = "it is the scaled loss" if scaled else f"the loss is {allowed[0]:.4g}"
            return Outcome.failed(
                f"{SAID[name]}, call {call + 1} returned {value:.4g}: {what}", "wrong_value"
            )
    if not compared:
        return Outcome.not_checked("not checked: the losses could not be computed")
    return Outcome.passed()


def losses_of(replay: Replay, span: int) -> list[float]:
    """What the loss of a call's batches may be: the mean of the loss given over them, and of what
    was differentiated.
    """
    import torch

    calls = [c for c in replay.calls if c.span == span and c.graph]
    names = ["cross_entropy", *{s.objective.name for s in replay.sources}]
    found = []
    for name in dict.fromkeys(names):
        if name in ("variation", "other"):
            continue
        smoothing = SMOOTHING if name in ("cross_entropy", "softmax") else 0.0
        values = [
            float(loss(name, torch.from_numpy(c.answers), torch.from_numpy(c.labels), smoothing))
            for c in calls
            if c.answers is not None and c.labels is not None
        ]
        found += [float(np.mean(values))] if values else []
    return found


# --- accumulate_step -----------------------------------------------------------------------------


def _groups(ctx: Context) -> Mapping[str, ProbeRequest]:
    made = fixture_of(ctx, BRIGHT_GROUPS)
    arguments = ["model", "group", "loss_fn", "optimizer", "max_norm"]
    values = {"groups": list(GROUPS)}
    return {"main": step_request(ctx, "accumulate_step", arguments, made, len(GROUPS), values)}


def _grouped(ctx: Context, evidence: Evidence) -> Run:
    """The run, which must have come to its end."""
    run = read_run(evidence, fixture_of(ctx, BRIGHT_GROUPS))
    if run.raised:
        raise Inconclusive(Outcome(Status.ERROR, 0.0, (), f"your code raised {run.raised}"))
    return run


def _of_group(run: Run, call: int) -> list[Update]:
    """The updates within one call."""
    return [u for u in run.replay.updates if u.step is not None and u.step.span == call]


@dataclass(frozen=True)
class Share:
    """How many times a step may have used the gradient of each batch of its group before clipping,
    in the mean: 1/n where they are averaged, 1 where they are added. Where clipping hides which it
    was, both are among `parts`. `clipped`: whether the limit explains what is left.
    """

    parts: tuple[float, ...]
    seen: float
    clipped: bool


def _share(run: Run, update: Update) -> Share | None:
    """The share of one step; None where its gradients cannot be computed. A loss that is summed
    over the images of its batch, which is another mistake, is taken for their mean.
    """
    account, step = update.account, update.step
    sources = [run.replay.sources[i] for i in update.fresh]
    known = account is not None and account.known and account.own > 0 and step is not None
    if not known or any(not s.objective.factor > 0 for s in sources):
        return None
    assert account is not None
    assert step is not None
    per_image = BATCH if _summed(run) is not None else 1
    rows = sum(s.call.rows for s in sources) / BATCH  # a whole group may go through as one batch
    times = [s.objective.factor * BATCH / s.call.rows for s in sources]
    each = float(np.mean(times)) / per_image
    close = WIDE_REDUCED if run.replay.reduced else CLOSE
    parts = []
    for after in (1.0, 1.0 / rows):  # gradients may be divided after their backward passes, too
        before = step.norm * after / account.own
        clip = min(1.0, run.made.max_norm / (before + CLIP_EPS))
        if abs(account.own / (clip * after) - 1) <= close:
            parts.append(each * after)
    return Share(tuple(parts), account.own * each, bool(parts))


@check(
    requests=_groups,
    bugs=("missing_name", "accumulation_not_scaled"),
    help=(
        "Several small batches stand for a large one. The mean over the large one is the mean "
        "of the small ones' means."
    ),
)
def accumulate_scaled(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The gradients of a group are averaged, not summed."""
    run = _grouped(ctx, evidence["main"])
    if run.replay.still:
        return Outcome.not_checked("not checked: no weight moved, so nothing can be seen of it")
    for call, size in enumerate(GROUPS):
        updates = _of_group(run, call)
        rows = sum(run.replay.sources[i].call.rows for u in updates for i in u.fresh)
        if len(updates) != 1 or rows != size * BATCH:
            return Outcome.not_checked("not checked: a step is taken for every batch of a group")
        share = _share(run, updates[0])
        if share is None:
            return Outcome.not_checked(
                "not checked: the step is made of no gradients we can compute"
            )
        parts = share.parts or (share.seen,)
        if all(abs(p - 1) <= 0.1 for p in parts):
            return Outcome.failed(
                f"in call {call + 1} each of {size} batches counts {parts[0]:.3g} times, where "
                f"{1 / size:.3g} is right: the losses of a group are added and not averaged",
                "accumulation_not_scaled",
            )
    return Outcome.passed()


@check(
    requests=_groups,
    bugs=(
        "missing_zero_grad",
        "zero_grad_after_backward",
        "missing_backward",
        "missing_step",
        "clip_no_effect",
        "sum_instead_of_mean",
        "softmax_before_cross_entropy",
        "softmax_into_nll",
        "step_before_backward",
        "wrong_value",
    ),
    help="Gradients are cleared once, added up over the batches, clipped once, and used once.",
)
def accumulate_step(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """One clipped step a group, from cleared gradients, that minimises the loss given."""
    run = _grouped(ctx, evidence["main"])
    replay = run.replay
    loop = Loop(replay, "", [BATCH] * sum(GROUPS))
    if replay.still:
        return beats(loop)
    if fault := put_back(replay) or given(loop):
        return fault
    for call, size in enumerate(GROUPS):
        updates = _of_group(run, call)
        if len(updates) > 1:
            return Outcome.failed(
                f"in call {call + 1} the weights moved {len(updates)} times for {size} batches: a "
                f"step is taken for every batch of a group",
                "wrong_value",
            )
        if not updates:
            return Outcome.failed(f"call {call + 1} took no step", "missing_step")
    again = clearing(Loop(replay, ""))
    if again.status is Status.FAILED:
        return again
    for call, size in enumerate(GROUPS):
        wrong = _group_fault(run, _of_group(run, call)[0], call, size)
        if wrong is not None:
            return wrong
    return _summed(run) or given_smoothing(replay) or Outcome.passed()


def _group_fault(run: Run, update: Update, call: int, size: int) -> Outcome | None:
    """What is wrong with the one step of a group, or None."""
    account, where = update.account, f"the step of call {call + 1}"
    if account is None or not account.known:
        return Outcome.failed(f"{where} is no combination of its batches' gradients")
    if update.open:
        return Outcome.failed(
            f"{where} came before the backward pass of its last batch", "step_before_backward"
        )
    wrong = [s for i in update.fresh if not (s := run.replay.sources[i]).objective.right]
    if wrong:
        return given_objective(run.replay)
    largest = max(account.uses, default=0.0)
    lost = sum(u <= 0.01 * largest for u in account.uses)
    if lost:
        return Outcome.failed(
            f"{where} used {size - lost} of its {size} batches: gradients are cleared between the "
            f"batches of a group",
            "zero_grad_after_backward",
        )
    if max(account.uses) - min(account.uses) > 0.02 * largest:
        return Outcome.failed(
            f"{where} used its batches' gradients {min(account.uses):.3g} to {largest:.3g} times: "
            f"they are clipped after every batch of a group, not once before the step",
            "wrong_value",
        )
    return _group_clip(run, update, where, size)


def _group_clip(run: Run, update: Update, where: str, size: int) -> Outcome | None:
    """Whether a group's gradients were clipped to the limit, and count as one large batch or, which
    is judged by itself, as their sum.
    """
    share = _share(run, update)
    if share is None:
        return None
    step = update.step
    assert step is not None
    plain = (1.0 / size, 1.0)
    if share.clipped and any(abs(p / v - 1) <= 0.1 for p in share.parts for v in plain):
        return None
    limit = run.made.max_norm
    said = f"{where} used gradients of norm {step.norm:.3g} under a limit of {limit:.3g}"
    if step.norm > limit * 1.01 and any(abs(share.seen / v - 1) <= 0.1 for v in plain):
        return Outcome.failed(f"{said}: they were not clipped", "clip_no_effect")
    return Outcome.failed(
        f"{said}: each of its {size} batches counts {share.seen:.3g} times", "wrong_value"
    )


def _summed(run: Run) -> Outcome | None:
    """A loss that is summed over the images of a batch."""
    factors = [s.objective.factor / s.call.rows for s in run.replay.sources]
    spans = [s.call.span for s in run.replay.sources]
    sizes = [GROUPS[k] if 0 <= k < len(GROUPS) else 1 for k in spans]
    plain = all(abs(f - 1) < 0.02 for f in factors)
    shared = all(abs(f * n - 1) < 0.02 for f, n in zip(factors, sizes, strict=True))
    if not factors or not (plain or shared):
        return None
    return Outcome.failed(
        f"the gradient of a batch of {BATCH} is {BATCH} times that of the mean: the loss is "
        f"summed, not averaged",
        "sum_instead_of_mean",
    )


def given_smoothing(replay: Replay) -> Outcome | None:
    """A cross-entropy that is not the loss function handed over."""
    slack = 0.05 if replay.reduced else 0.01
    if all(abs(s.objective.smoothing - SMOOTHING) <= slack for s in replay.sources):
        return None
    return Outcome.failed(
        "what is differentiated is a cross-entropy, but not the loss function handed over, which "
        "smooths its labels",
        "wrong_value",
    )


@check(
    requests=_groups,
    bugs=("wrong_value",),
    help="What is returned describes the group as a whole: the mean over its batches.",
)
def accumulate_loss(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The number returned is the mean loss over the group."""
    run = _grouped(ctx, evidence["main"])
    tolerance = LOSS_REDUCED if run.replay.reduced else LOSS_TOLERANCE
    for call, size in enumerate(GROUPS):
        allowed = losses_of(run.replay, call)[:1]
        value = run.returned[call] if call < run.calls else None
        if not allowed:
            return Outcome.not_checked("not checked: the losses could not be computed")
        if value is None or not abs(value / allowed[0] - 1) <= tolerance:
            got = "no number" if value is None else f"{value:.4g}"
            return Outcome.failed(
                f"call {call + 1} returned {got}; the mean loss of its {size} batches is "
                f"{allowed[0]:.4g}",
                "wrong_value",
            )
    return Outcome.passed()
