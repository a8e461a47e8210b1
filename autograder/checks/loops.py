"""Judges of a training loop, one question each, whatever form it has: see `forms`.

    runs        it took batches, called the network, and returned what it should
    clearing    each step starts from cleared gradients
    beats       backward and step, once per batch, in their order
    objective   what is differentiated is the loss that is asked for
    mode        the network is trained in training mode
    mean_loss   what is returned is the mean over samples
    graphs      no graph outlives its step

A check says what is driven by `function` and `arguments`, or by `network` and `functions`. What the
handout leaves open passes: clipping, schedules, momentum, decay, other optimizers, smoothed or
weighted losses, 16-bit arithmetic, noise on gradients, further forward passes. A bug is named only
where its absence explains the steps no better.

Where the cause of a failure is named by one judge, the others judge what can still be seen: the
gradient at the answers tells the objective although no weight moved.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from ..model import Evidence, Outcome, ProbeRequest, Status
from .base import (
    Context,
    Inconclusive,
    Judge,
    Requests,
    StandardCheck,
    check,
    place,
    require,
)
from .forms import FUNCTION, RUN, FunctionForm, ProgramForm, examine_form, form_of
from .reference.objective import BUGS, loss
from .reference.replay import Call, Replay, Source, Span, Update, number_of
from .reference.updates import LEFT

GRAPHS = 2
"""Graphs, per forward call of a step, that may be alive when its backward pass comes: its own, and
one before, since a second name for the last loss is common."""
CLEAN = 1e-9
"""Norm of the gradients found by a backward pass up to which they count as cleared."""
LOSS, LOSS_REDUCED = 2e-4, 7e-3
"""How near a returned loss must be, relative; the second where answers came in 16 bits. The ways to
average differ by 0.5 % at least."""
RATE = 0.03
"""Relative: how well a rate must agree with the one asked for. Schedules move it further."""


class Loop:
    """A replay with the spans of the training function, for the judges below."""

    def __init__(
        self, replay: Replay, name: str, batches: Sequence[int] = (), *, asks_wiring: bool = False
    ) -> None:
        self.replay, self.name, self.batches = replay, name, batches
        self.asks_wiring = asks_wiring
        """Whether another check asks whose parameters the optimizer holds."""
        self.spans = [s for s in replay.spans if s.function == name] if name else []
        self.unit = f"{len(batches)} batches" if batches else "its batches"

    @property
    def calls(self) -> tuple[Call, ...]:
        """The training calls of the loop."""
        return self.replay.trained

    @property
    def updates(self) -> list[Update]:
        """Those whose gradients, or whose change, are known."""
        return [u for u in self.replay.updates if u.account is not None]

    @property
    def raised(self) -> str:
        """The error that ended the calls, in words; "" where there was none."""
        error = self.replay.data.get("raised") or self.replay.data.get("error")
        if not isinstance(error, Mapping):
            return ""
        message = str(error.get("message"))[:300]
        return f"{str(error.get('type'))[:80]}{place(error)}: {message}"

    @property
    def early(self) -> bool:
        """Whether the run broke because a step came between a forward and its backward pass."""
        if "modified by an inplace operation" not in self.raised:
            return False
        letters = self.replay.letters.rstrip("|z")
        return "s" in letters[letters.rfind("f") :]


def _loop(
    ctx: Context, evidence: Mapping[str, Evidence], label: str = "main", *, first: bool = False
) -> Loop:
    """The run, read; raises `Inconclusive` where there is nothing to judge. Of a function that did
    not run, the `first` check says why, and the others that they could not ask.
    """
    form = form_of(ctx)
    if isinstance(form, FunctionForm):
        if evidence[label].status != "done" and not first:
            raise Inconclusive(
                Outcome.not_checked(
                    f"not checked: {form.function} did not run; see the first check of its task"
                )
            )
        made = form.fixture(ctx, "other" if label == "other" else "train")
        replay = form.read(ctx, evidence[label], "other" if label == "other" else "train")
        must_follow(replay)
        return Loop(replay, form.function, made.batches)
    missing_network(form, require(evidence[label]))
    name = "train_one_epoch" if "train_one_epoch" in form.functions else ""
    wiring = ctx.option("wiring") is True
    replay = form.replay(ctx, evidence)
    must_follow(replay)
    return Loop(replay, str(ctx.option("train", name)), asks_wiring=wiring)


NOT_FOLLOWED = Outcome(
    Status.UNGRADABLE,
    0.0,
    (),
    "the network's weights are used in a way that cannot be followed; a person has to look",
)
"""Whether such a loop is right cannot be told, so it is no zero."""


def must_follow(replay: Replay) -> None:
    """Raises `Inconclusive` where the network was trained, and no call of it was seen."""
    if replay.unfollowed and not any(c.pulls for c in replay.calls):
        raise Inconclusive(NOT_FOLLOWED)


def missing_network(form: ProgramForm, done: Evidence) -> None:
    """Raises `Inconclusive` where the program has no such network."""
    if "calls" in done.data:
        return
    raise Inconclusive(
        stopped(done)
        or Outcome.failed(
            f"'{form.network}' is not a network of torch.nn after the program ran", "missing_name"
        )
    )


def raised(error: Mapping[str, Any]) -> Outcome:
    """The outcome of a function that raised."""
    if error.get("type") == "NotImplementedError":
        return Outcome.failed("not written yet: the stub still raises NotImplementedError")
    message = str(error.get("message"))[:300]
    kind = str(error.get("type"))[:80]
    return Outcome(Status.ERROR, 0.0, (), f"your code raised {kind}{place(error)}: {message}")


def stopped(done: Evidence) -> Outcome | None:
    """The outcome of a program that raised, or None."""
    error = done.data.get("error")
    if not isinstance(error, Mapping):
        return None
    kind, message, line = (
        str(error.get("type"))[:100],
        str(error.get("message"))[:300],
        place(error),
    )
    if kind == "NotImplementedError":
        return Outcome.failed(f"not written yet: the program stops{line}")
    return Outcome(Status.ERROR, 0.0, (), f"your program stopped{line}: {kind}: {message}")


def _requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = form_of(ctx)
    if isinstance(form, ProgramForm):
        return form.requests(ctx)
    return {"main": form.request(ctx)}


def _both(ctx: Context) -> Mapping[str, ProbeRequest]:
    form = form_of(ctx)
    other = {"other": form.request(ctx, "other")} if isinstance(form, FunctionForm) else {}
    return {**_requests(ctx), **other}


# --- does it run ---------------------------------------------------------------------------------


def _runs(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether it runs, calls the network and returns a number."""
    loop = _loop(ctx, evidence, first=True)
    name = loop.name
    if loop.raised and not (loop.spans and loop.spans[-1].ended):
        error = loop.replay.data.get("raised") or loop.replay.data.get("error")
        return raised(error if isinstance(error, Mapping) else {})
    if not loop.replay.calls:
        return Outcome.failed(f"{name} returned without calling the model")
    told = returned_by(loop)
    if not told:
        return never_called(loop.replay, name)
    value = told[0].get("value")
    if value is None:
        kind = str(told[0].get("kind", "nothing"))[:80]
        return Outcome.failed(f"{name} returned {kind}, not a number", "wrong_value")
    if not isinstance(value, (int, float)):
        return Outcome.failed(f"{name} returned {str(value)[:20]}", "wrong_value")
    return Outcome.passed(f"it returned {value:.4g}")


def returned_by(loop: Loop) -> list[Mapping[str, object]]:
    """What each call of the function returned, as plain data."""
    told = loop.replay.data.get("returned")
    if isinstance(told, list):
        return [t for t in told if isinstance(t, Mapping)]
    return [s.returned for s in loop.spans if s.ended]


def never_called(replay: Replay, name: str) -> Outcome:
    """The outcome of a function of the program's that was not called, or not to its end."""
    driven = replay.data.get("driven")
    if isinstance(driven, str) and driven:
        return Outcome(Status.ERROR, 0.0, (), f"{name} was called, and raised {driven[:300]}")
    if any(s.function == name for s in replay.spans):
        return Outcome(Status.ERROR, 0.0, (), f"{name} did not run to its end")
    return Outcome.failed(f"'{name}' is not defined", "missing_name")


# --- the gradients -------------------------------------------------------------------------------


def clearing(loop: Loop) -> Outcome:
    """Whether each step starts from cleared gradients, as far as the steps show it."""
    r = loop.replay
    seen = [u for u in loop.updates if u.account is not None and (u.account.own or u.account.again)]
    for k, u in enumerate(seen):
        account = u.account
        assert account is not None
        if k and account.kept:
            return Outcome.failed(
                f"step {k + 1} was made of its own batch's gradients and, {account.again:.3g} "
                f"times, of those that step {k} had used: they were still there",
                "missing_zero_grad",
            )
    left = _left_over(r)
    if left is not None:
        return left
    if len(seen) > 1:
        return Outcome.passed()
    if not r.steps and r.strangers:  # what is cleared are another network's gradients
        cleared = r.letters.count("z") >= max(1, len(loop.calls) - 1)
        return Outcome.passed("as its optimizer clears them") if cleared else _NOT_CLEARED
    dirty = [c.dirty for c in loop.calls if c.pulls][1:]
    if dirty and min(dirty) > CLEAN:
        return _NOT_CLEARED
    if dirty:
        return Outcome.passed("every backward pass found cleared gradients")
    if not any(c.pulls for c in r.calls) and r.letters.count("z") >= max(1, len(loop.calls) - 1):
        return Outcome.passed("gradients were cleared once per batch, though none ever came")
    return Outcome.not_checked("not checked: there were not two backward passes to compare")


_NOT_CLEARED = Outcome.failed(
    "every backward pass after the first found gradients of an earlier one still there",
    "missing_zero_grad",
)


def _left_over(r: Replay) -> Outcome | None:
    """Gradients that a large scale hides: divided by it once more at the next step, they hardly
    count there, but the next backward pass found them, as long as the step before had left them.
    """
    steps = [s for s in r.steps if s.norm > 0]
    for source in r.sources:
        if not source.objective.factor > 2 or source.objective.factor == source.call.rows:
            continue
        before = [s for s in steps if s.at < source.call.pulled]
        since = before[-1].at if before else -1
        if not before or any(since < c.pulled < source.call.pulled for c in r.calls):
            continue
        if abs(source.call.dirty / before[-1].norm - 1) < 0.01:
            return Outcome.failed(
                f"the gradients of norm {before[-1].norm:.3g} that a step had used were still "
                f"there at the next backward pass; only the scaler's scale hides them",
                "missing_zero_grad",
            )
    return None


def _elsewhere(loop: Loop) -> bool:
    """Whether the loop's beats work on an optimizer that holds nothing of the network. Where
    another check asks for that, the beats are judged by their order.
    """
    return loop.asks_wiring and not loop.replay.steps and loop.replay.strangers > 0


def _idle(loop: Loop) -> bool:
    """Whether gradients came, and every step that is known found only zeros."""
    came = any(s.gradient.any() for s in loop.replay.sources)
    known = [u for u in loop.updates if u.step is not None]
    return came and bool(known) and not any(u.step.norm for u in known if u.step is not None)


def explain_unmoved(loop: Loop, what: str = "no weight moved") -> Outcome:
    """No weight moved: what was seen says which beat is missing or misplaced."""
    r = loop.replay
    n = len(loop.calls)
    if not n:
        return Outcome.failed(f"{what}: the model was never called")
    backward, steps = sum(c.pulls > 0 for c in r.calls), len(r.steps)
    where = f"{what} in {n} batches"
    if not steps and r.strangers and backward:
        return Outcome.failed(
            f"{where}: an optimizer stepped {r.strangers} times, but it holds not one parameter of "
            f"this model",
            "stale_optimizer",
        )
    if not backward and not steps:
        bugs = ("missing_backward",) if r.strangers else ("missing_backward", "missing_step")
        said = "no backward pass" + ("" if r.strangers else " and no step")
        return Outcome.failed(f"{where}: there was {said}", *bugs)
    if not backward:
        return Outcome.failed(
            f"{where}: the optimizer stepped {steps} times, but no backward pass ever reached the "
            f"model's output",
            "missing_backward",
        )
    if not steps:
        return Outcome.failed(
            f"{where}: {backward} backward passes, and the optimizer never stepped", "missing_step"
        )
    if any(s.norm > 0 for s in r.steps):
        return Outcome.failed(
            f"{where}, although the optimizer stepped {steps} times with gradients there"
        )
    if late_steps(r) or any(c.begun < s.at < c.pulled for s in r.steps for c in r.calls if c.pulls):
        return Outcome.failed(
            f"{where}: each step came before the backward pass of its batch, and found no gradient",
            "step_before_backward",
        )
    return Outcome.failed(
        f"{where}: {backward} backward passes made gradients, and at each of {steps} steps they "
        f"were gone again",
        "zero_grad_after_backward",
    )


def beats(loop: Loop, *, group: int = 0) -> Outcome:
    """Whether backward and step happen once per batch, in their order. With `group`, small batches
    that make one of so many images may share a step.
    """
    r = loop.replay
    if _elsewhere(loop):
        return _order_alone(loop)
    if r.still:
        return explain_unmoved(loop)
    if undone := put_back(r):
        return undone
    if _idle(loop):  # what moved them is the decay of an optimizer that found no gradient
        return explain_unmoved(loop, "no step used a gradient")
    if (
        r.frozen
        and not loop.asks_wiring
        and not any(u.account and u.account.how == "unknown" for u in loop.updates)
    ):
        return Outcome.failed(
            f"{len(r.frozen)} of the {len(r.shapes)} parameters of the network never moved",
            "stale_optimizer",
        )
    for k, u in enumerate(loop.updates):
        account = u.account
        assert account is not None
        if not u.moved and not account.own and not account.again:
            continue
        late = account.stale > 0 and account.own < LEFT * account.stale
        if late or (u.open and (account.own > 0 or account.again > 0)):
            return Outcome.failed(
                f"step {k + 1} was made of the gradients of the batch before: it came before the "
                f"backward pass of its own batch",
                "step_before_backward",
            )
        if not account.known:
            return Outcome.failed(
                f"step {k + 1} is no combination of the batches' gradients ({account.residual:.0%} "
                f"of it is left over)"
            )
        lost = [use <= 0 for use in account.uses]
        # a gradient may have been looked at before the training
        looked = k == 0 and any(len(v.fresh) == 1 for v in loop.updates[1:2])
        if any(lost[:-1]) and not lost[-1] and not looked:
            return Outcome.failed(
                f"of {len(lost)} batches only the gradients of {lost.count(False)} went into step "
                f"{k + 1}: the others were cleared before a step was taken",
                "missing_step",
            )
        if account.own < 0:
            return Outcome.failed(f"step {k + 1} goes up its batch's gradient, not down")
        if not r.led(u):
            return Outcome.failed(
                f"the weights did not move along the gradients that step {k + 1} was given"
            )
    return _every_batch(loop, group) or given(loop) or Outcome.passed(_variation(loop))


def _order_alone(loop: Loop) -> Outcome:
    """The beats of a loop whose optimizer is another network's: by their order alone."""
    letters = loop.replay.letters.replace("z", "").replace("|", "")
    if re.fullmatch("(f+b+n)+f*", letters):
        return Outcome.passed("in their order, though the optimizer is another network's")
    return explain_unmoved(loop)


def put_back(r: Replay) -> Outcome | None:
    """Of a loop that undoes its steps: what was seen. It has all the beats, and learns nothing."""
    if not r.put_back:
        return None
    return Outcome.failed(
        "each step moved the weights, and before the next batch they were what they had been: "
        "something puts them back, and nothing is learned"
    )


def given(loop: Loop) -> Outcome | None:
    """Of a function on fixtures: whether the optimizer that it was handed ever stepped, where
    another one did.
    """
    r = loop.replay
    told = r.data.get("given")
    if not isinstance(told, int) or not 0 <= told < len(r.optimizers):
        return None
    others = r.strangers or any(s.optimizer != told for s in r.steps)
    if not others or any(s.optimizer == told for s in r.steps):
        return None
    return Outcome.failed("the optimizer handed to the function never stepped: another one did")


def _every_batch(loop: Loop, group: int) -> Outcome | None:
    """Whether each batch, or each group of small ones that make one, had its step, and whether
    every batch was trained on.
    """
    r = loop.replay
    reached = [c for c in r.calls if c.pulls]
    moves = sorted(u.at for u in r.updates if u.moved or _nothing_to_move(r, u))
    if not moves:
        return None
    first = moves[0]
    trained = [c for c in reached if c.pulled < moves[-1]]
    waiting: list[Call] = []
    early, shared, at = 0, 0, 0
    for c in trained:
        waiting = [] if at < len(moves) and moves[at] < c.begun else waiting
        while at < len(moves) and moves[at] < c.pulled:
            at += 1
        if waiting and c.images is not None and _same_images(waiting[-1], c):
            waiting[-1] = c  # one batch that went through the network twice
            continue
        waiting.append(c)
        if len(waiting) > 1 and sum(w.rows for w in waiting) > group:
            if c.pulled < first:
                early = len(waiting)
            else:
                shared = max(shared, len(waiting))
    tail = [c for c in reached if c.pulled > moves[-1]]
    if len(moves) == 1:  # what came before the only step was no look beforehand
        shared = max(shared, early)
    steps = len(moves)
    n = len(loop.batches) or len(reached)
    if shared:
        return Outcome.failed(
            f"the weights moved {steps} times in {len(reached)} batches: the step is not taken "
            f"once per batch",
            "missing_step",
        )
    if loop.batches:
        return _covered(loop, steps, n, tail)
    if tail and late_steps(r) and not _looked_once(r, tail):
        return Outcome.failed(
            "each batch's gradients were used one batch later, and the last one's never: the step "
            "comes before the backward pass",
            "step_before_backward",
        )
    return None


def _nothing_to_move(r: Replay, u: Update) -> bool:
    """Whether a step was taken whose gradients are rightly zero, as those of a dead network are."""
    if u.step is None or not u.step.given or not u.fresh or u.step.norm:
        return False
    return all(not r.sources[i].gradient.any() for i in u.fresh)


def _same_images(a: Call, b: Call) -> bool:
    return a.images is not None and b.images is not None and np.array_equal(a.images, b.images)


def late_steps(r: Replay) -> bool:
    """Whether an optimizer stepped before the first forward pass, or found nothing at first."""
    first = min((c.begun for c in r.calls if c.pulls), default=0)
    return any(s.at < first for s in r.steps) or r.letters.lstrip("z|").startswith(("s", "n"))


def _looked_once(r: Replay, tail: Sequence[Call]) -> bool:
    """Whether the last gradients were of images that were looked at once more than trained on."""
    reached = [c.images for c in r.calls if c.pulls and c.images is not None]
    last = tail[0].images
    if last is None or not reached:
        return False
    images, counts = np.unique(np.concatenate(reached), return_counts=True)
    its = counts[np.searchsorted(images, last)]
    return bool(np.median(its) != np.median(counts))


def _covered(loop: Loop, steps: int, n: int, tail: Sequence[Call]) -> Outcome | None:
    """Of a fixture, whose batches are known: whether all of them were trained on."""
    r = loop.replay
    reached = [c for c in r.calls if c.pulls]
    if tail and len(reached) >= n and late_steps(r):
        return Outcome.failed(
            "each batch's gradients were used one batch later, and the last batch's never: the "
            "step comes before the backward pass",
            "step_before_backward",
        )
    if tail:
        return Outcome.failed(
            f"the weights moved {steps} times in {len(reached)} batches: the step is not taken "
            f"once per batch",
            "missing_step",
        )
    seen = {int(i) for c in reached if c.images is not None for i in c.images}
    total = sum(loop.batches)
    there = len({i for i in seen if 0 <= i < total})
    if any(c.images is None or (c.images < 0).any() for c in reached) or there >= total:
        return None
    if there == loop.batches[0]:
        return Outcome.failed(f"only the first of {n} batches was trained on")
    if there == total - loop.batches[-1]:
        return Outcome.failed(f"the last batch, of {loop.batches[-1]} samples, was not trained on")
    return Outcome.failed(f"{there} of {total} samples were trained on")


def _variation(loop: Loop) -> str:
    """What the handout leaves open and this loop does."""
    accounts = [u.account for u in loop.updates if u.account is not None]
    if accounts and loop.replay.chain is None:
        return "by the gradients that were seen: this network could not be computed again"
    if any(a.how == "clamped" for a in accounts):
        return "with gradients clipped by value"
    if any(a.how == "noisy" for a in accounts):
        return "with something added to the gradients"
    if min((a.own for a in accounts if a.own), default=1.0) < 0.999:
        return "with shortened gradients"
    return ""


# --- the loss ------------------------------------------------------------------------------------

SAID = {
    "softmax": "a cross-entropy that is given probabilities in place of logits",
    "softmax_nll": "a negative log-likelihood that is given plain probabilities",
    "raw_nll": "a negative log-likelihood that is given raw scores",
    "mse": "a squared error",
    "other": "something else",
}


def objective(loop: Loop, *, scale: float = 1.0, strict: bool = True, where: str = "") -> Outcome:
    """Whether what was differentiated is the mean loss over the batch. `scale`: by how much the
    loss was meant to be multiplied; `strict`: a constant factor is a mistake.
    """
    sources = loop.replay.sources or loop.replay.wished
    if not sources:
        if not any(c.pulls for c in loop.replay.calls):
            return Outcome.not_checked("not checked: no backward pass, so no gradient can be seen")
        return Outcome.not_checked(
            "not checked: the network's answers could not be computed again, so neither could the "
            "gradient"
        )
    for k, s in enumerate(sources):
        o = s.objective
        if not o.right:
            return Outcome.failed(
                f"the gradient of batch {k + 1} is that of {SAID[o.name]}{where}", BUGS[o.name]
            )
    shares = _shares(loop, sources, scale)
    slack = 0.1 if loop.replay.reduced else 0.02
    if all(abs(f / n - 1) < slack for f, n in shares) and max(n for _, n in shares) > 1:
        factor, rows = shares[0]
        return Outcome.failed(
            f"the gradient is {factor:.4g} times that of the mean{where}, with {rows} images in "
            f"the batch: the loss is summed, not averaged",
            "sum_instead_of_mean",
        )
    weighted = any(s.objective.weighted for s in sources)
    wrong = [f for f, _ in shares if abs(f - 1) > slack]
    if strict and not weighted and wrong:
        return Outcome.failed(
            f"the gradient of a batch is {wrong[0]:.4g} times that of the loss{where}",
            "wrong_value",
        )
    return Outcome.passed()


def _shares(loop: Loop, sources: Sequence[Source], scale: float) -> list[tuple[float, int]]:
    """(factor, images) of each batch: of the small ones that one step used together, their sum."""
    limit = max(loop.batches, default=0)
    found, used = [], set[int]()
    for u in loop.replay.updates:
        rows = sum(sources[i].call.rows for i in u.fresh if i < len(sources))
        if len(u.fresh) > 1 and rows <= limit:
            total = sum(sources[i].objective.factor for i in u.fresh)
            found.append((total / scale, rows))
            used |= set(u.fresh)
    found += [
        (s.objective.factor / scale, s.call.rows) for i, s in enumerate(sources) if i not in used
    ]
    return found


def _objective(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether what is differentiated is the loss that is asked for.

    On the plain fixture, then on one with another loss and optimizer.
    """
    if isinstance(form_of(ctx), ProgramForm):
        loop = _loop(ctx, evidence)
        found = objective(loop, strict=False)
        rate = float(ctx.option("rate", 0.0))
        if "sum_instead_of_mean" in found.bugs and rate:  # a rate may make up for a sum
            steps, optimizer = loop.replay.effective_rates(int(ctx.option("batch", 0)))
            # a short batch moves them less, as where a sum is divided by the usual size
            if steps and not optimizer and abs(float(np.median(steps)) / rate - 1) < RATE:
                return Outcome.passed("a sum, and a rate that makes up for it")
        return found
    first = objective(_loop(ctx, evidence))
    if first.status is not Status.PASSED:
        return first
    other = _loop(ctx, evidence, "other")
    where = ", when the loss function has label smoothing"
    second = objective(other, where=where)
    if second.status is not Status.PASSED:
        return second
    made = form_of(ctx)
    assert isinstance(made, FunctionForm)
    wanted = float(made.fixture(ctx, "other").values["smoothing"])
    slack = 0.05 if other.replay.reduced else 0.01
    for k, s in enumerate(other.replay.sources):
        if abs(s.objective.smoothing - wanted) > slack:
            return Outcome.failed(
                f"the loss function handed over has label smoothing of {wanted:g}; the gradient of "
                f"batch {k + 1} is that of a loss with {s.objective.smoothing:.2g}",
                "wrong_value",
            )
    return first


def mean_loss(loop: Loop, returned: float, span: Span | None, smoothing: float) -> Outcome:
    """Whether the number returned is the mean over samples of the losses on the way."""
    r = loop.replay
    calls = [c for c in loop.calls if span is None or span.first <= c.index < span.last]
    known = [c for c in calls if c.answers is not None and c.labels is not None]
    if not known or len(known) < len(calls):
        return Outcome.not_checked("not checked: the losses on the way could not be computed")
    ways = _ways(r, known, smoothing)
    tolerance = LOSS_REDUCED if r.reduced else LOSS

    def near(other: float) -> float:
        return abs(returned - other) / max(abs(other), 1e-12)

    right = [float(np.average(w, weights=[c.rows for c in known])) for w in ways]
    right += _others(r, known)
    if min(near(v) for v in right) <= tolerance:
        return Outcome.passed()
    if any(near(v) <= tolerance for v in _afterwards(r, known, span, smoothing)):
        return Outcome.passed("measured again after the epoch")
    sizes = [c.rows for c in known]
    wrong = [w for means in ways for w in _wrong(np.array(means), sizes)]
    bug, closest, what = min(wrong, key=lambda w: near(w[1]))
    said = f"it returned {returned:.4f}, where the mean over samples is {right[0]:.4f}"
    if near(closest) <= tolerance:
        return Outcome.failed(f"{said}: that is {what}", bug)
    return Outcome.failed(said, "wrong_value")


def _ways(r: Replay, calls: Sequence[Call], smoothing: float) -> list[list[float]]:
    """The batch means that a loop may have met: of what it differentiates, and of the plain."""
    names = {s.objective.name for s in r.sources} & {"softmax", "softmax_nll", "raw_nll", "mse"}
    shapes = [("cross_entropy", smoothing)]
    shapes += [("cross_entropy", 0.0)] if smoothing else []
    shapes += [(name, 0.0) for name in sorted(names)]
    found = []
    for name, smooth in shapes:
        found.append([_mean(name, _scores(r, c), _labels(c), smooth) for c in calls])
    if r.chain is not None and r.chain.head != "none":  # what the loss was given are the answers
        given = ("cross_entropy", "raw_nll")
        found += [[_mean(name, _answers(c), _labels(c), 0.0) for c in calls] for name in given]
    return found


def _others(r: Replay, calls: Sequence[Call]) -> list[float]:
    """Mean losses of a loop whose loss weighs its classes, or is summed over the batch: what it
    sums is judged by itself, and how it averages that is asked here.
    """
    rows = np.array([c.rows for c in calls], dtype=float)
    found = []
    weights = next((s.objective.weights for s in r.sources if s.objective.weights), ())
    if weights and np.isfinite(weights).all():
        means = []
        for c in calls:
            own = np.array([weights[y] for y in _labels(c)])
            each = np.array(
                [
                    _mean("cross_entropy", _scores(r, c)[i : i + 1], _labels(c)[i : i + 1], 0.0)
                    for i in range(c.rows)
                ]
            )
            means.append(float((own * each).sum() / own.sum()))
        found.append(float(np.average(means, weights=rows)))
    factors = [s.objective.factor / s.call.rows for s in r.sources]
    if factors and all(abs(f - 1) < 0.02 for f in factors):
        sums = np.array([_mean("cross_entropy", _scores(r, c), _labels(c), 0.0) for c in calls])
        sums *= rows
        found += [float((sums * rows).sum() / rows.sum()), float(sums.sum() / rows.sum())]
        found.append(float(sums.mean()))
    return found


def _labels(c: Call) -> np.ndarray:
    assert c.labels is not None
    return c.labels


def _answers(c: Call) -> np.ndarray:
    assert c.answers is not None
    return c.answers


def _mean(name: str, scores: np.ndarray, labels: np.ndarray, smoothing: float) -> float:
    import torch

    return float(loss(name, torch.from_numpy(scores), torch.from_numpy(labels), smoothing))


def _scores(r: Replay, c: Call) -> np.ndarray:
    """The logits of a call: computed where the network is known, else those seen."""
    if r.chain is not None and c.inputs is not None and c.state >= 0:
        return r.chain.scores(
            r.states[c.state], r.offsets[c.state], c.inputs, training=r.effective_mode(c)
        )
    return _answers(c)


def _afterwards(
    r: Replay, calls: Sequence[Call], span: Span | None, smoothing: float
) -> list[float]:
    """The mean loss of the same images, measured once more at the end of the function."""
    if r.chain is None:
        return []
    later = [c for c in r.calls if span is None or span.first <= c.index < span.last]
    asked = [c for c in later if not c.pulls and c.answers is not None and c.labels is not None]
    ends = [c.answers for c in asked if c.answers is not None]
    if not ends or sum(len(a) for a in ends) < sum(c.rows for c in calls):
        return []
    scores = np.concatenate(ends)
    labels = np.concatenate([c.labels for c in asked if c.labels is not None])
    return [_mean("cross_entropy", scores, labels, s) for s in {smoothing, 0.0}]


def _wrong(losses: np.ndarray, sizes: list[int]) -> list[tuple[str, float, str]]:
    """(bug, value, what it is) for each wrong way to combine batch means."""
    n = np.array(sizes, dtype=float)
    total, batches = float(n.sum()), len(losses)
    mean, plain = float(np.average(losses, weights=n)), float(losses.sum())
    return [
        ("mean_of_batch_means", plain / batches, "the mean of the batches' means"),
        ("loss_divided_twice", plain / total, "the sum of the batches' means over all samples"),
        ("loss_divided_twice", mean / total, "the mean over samples, divided by them once more"),
        ("loss_divided_twice", plain / batches / total, "the mean loss, divided by the samples"),
        ("wrong_value", plain, "the sum of the batches' means"),
        ("wrong_value", mean * total, "the sum over all samples"),
        ("wrong_value", mean * total / batches, "the sum over samples over the number of batches"),
        ("wrong_value", mean * total / (batches * sizes[0]), "as if the last batch were full"),
        ("wrong_value", float(losses[-1]), "the loss of the last batch alone"),
        ("wrong_value", float(losses[0]), "the loss of the first batch alone"),
    ]


def loss_of(loop: Loop) -> Outcome:
    """Whether the first number that a loop returned is its mean loss over samples."""
    span = next((s for s in loop.spans if s.ended and s.first < s.last), None)
    told = returned_by(loop) if span is None or loop.batches else [span.returned]
    if not told:
        return never_called(loop.replay, loop.name)
    smoothing = max((s.objective.smoothing for s in loop.replay.sources), default=0.0)
    value = number_of(told[0].get("value"))
    if not np.isfinite(value):
        return Outcome.failed("no finite number was returned", "wrong_value")
    return mean_loss(loop, value, span, smoothing)


def _mean_loss(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether the number returned is the mean loss over samples."""
    return loss_of(_loop(ctx, evidence))


# --- the mode, and what lives on -----------------------------------------------------------------


def mode(loop: Loop) -> Outcome:
    """Whether every training call found the network in training mode."""
    if not loop.calls:
        return Outcome.not_checked("not checked: the model was never called")
    off = [k for k, c in enumerate(loop.calls) if not loop.replay.effective_mode(c)]
    if not off:
        return Outcome.passed()
    if loop.batches:
        return Outcome.failed(
            "the model came in evaluation mode, as after an evaluation, and was trained in that "
            "mode: its dropout was off",
            "missing_train_mode",
        )
    return Outcome.failed(
        f"from training batch {off[0] + 1} on, {len(off)} of {len(loop.calls)} were trained on in "
        f"evaluation mode",
        "missing_train_mode",
    )


def graphs(loop: Loop) -> Outcome:
    """Whether the graphs of earlier steps are let go."""
    made = [c for c in loop.replay.calls if c.graph]
    reached = any(c.pulls for c in loop.calls)
    if len(made) <= (GRAPHS if reached else GRAPHS + 1):
        return Outcome.not_checked("not checked: there were too few forward calls with a graph")
    first, alive = loop.calls[0], max(c.alive for c in loop.calls)
    if not reached:
        alive -= first.alive  # what was looked at before may be kept
    if alive > GRAPHS * _a_step([c for c in made if c.index >= first.index]):
        return Outcome.failed(
            f"{alive} graphs were alive at the same time: something keeps each step's loss or "
            f"output as a tensor",
            "loss_graph_accumulated",
        )
    return Outcome.passed()


def _a_step(calls: Sequence[Call]) -> int:
    """The most calls with a graph that one step of the weights had; 1 where none was taken."""
    sizes = [0]
    for c in calls:
        sizes[-1] += 1
        if c.moved:
            sizes.append(0)
    return max(sizes[:-1], default=1)


# --- checks --------------------------------------------------------------------------------------


def _judged(judge: Callable[[Loop], Outcome]) -> Judge:
    """A judge of the one run; where that broke off, a failure is no proof."""

    @functools.wraps(judge)
    def decide(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
        loop = _loop(ctx, evidence)
        return _unless_broken(loop, judge(loop))

    return cast("Judge", decide)


def _unless_broken(loop: Loop, outcome: Outcome) -> Outcome:
    """The outcome, or that a run which broke off too early was not checked."""
    if outcome.status is Status.PASSED or not loop.raised or len(loop.calls) > 2:
        return outcome
    return Outcome.not_checked(
        f"not checked: {loop.name or 'the program'} did not run to its end; see the first check of "
        f"its task"
    )


def _beats(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Whether backward and step happen once per batch, in their order."""
    loop = _loop(ctx, evidence)
    if loop.early:
        return Outcome.failed(
            "the optimizer stepped between the forward and the backward pass of a batch: the "
            "backward pass then found weights changed that it needed, and raised",
            "step_before_backward",
        )
    group = max(loop.batches, default=int(ctx.option("batch", 0)))
    return _unless_broken(loop, beats(loop, group=group))


def _question(
    ask: str, help: str, *bugs: str, requests: Requests = _requests
) -> Callable[[Judge], StandardCheck]:
    return check(
        family="training",
        ask=ask,
        help=help,
        bugs=bugs,
        requests=requests,
        options=FUNCTION + RUN,
        examine=examine_form,
    )


training_runs = _question(
    "runs",
    "The function goes once through the loader and returns the mean training loss as a number.",
    "missing_name",
    "wrong_value",
)(_runs)
training_clearing = _question(
    "clearing",
    "Gradients add up in `.grad` until they are cleared.",
    "missing_zero_grad",
)(_judged(clearing))
training_beats = _question(
    "beats",
    "Zero, forward, loss, backward, step: each once per batch, in this order.",
    "zero_grad_after_backward",
    "step_before_backward",
    "missing_backward",
    "missing_step",
    "stale_optimizer",
)(_beats)
training_objective = _question(
    "objective",
    "The loss function takes the model's raw logits and the labels, and its value is what the "
    "backward pass starts from.",
    "softmax_before_cross_entropy",
    "softmax_into_nll",
    "sum_instead_of_mean",
    "wrong_value",
    requests=_both,
)(_objective)
training_mode = _question(
    "mode",
    "The function cannot know in which mode it finds the model.",
    "missing_train_mode",
)(_judged(mode))
training_loss = _question(
    "loss",
    "The mean over samples weights every sample the same, in a short last batch too.",
    "mean_of_batch_means",
    "loss_divided_twice",
    "wrong_value",
)(_mean_loss)
training_graphs = _question(
    "graphs",
    "A tensor that requires a gradient keeps alive the graph that made it.",
    "loss_graph_accumulated",
)(_judged(graphs))
