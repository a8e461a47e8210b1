"""A trace, read: every call with its images and labels, every step with what it was made of.

A `Replay` is the same whatever form the loop had (a function on fixtures, a whole program, a bare
script), so that one set of judges serves them all. Everything in it that can be computed is: which
images went in, what the network must answer at the weights seen, which gradient follows from the
pull seen, what each step used of it. What is only told (the mode, who stepped, how many graphs were
alive) is marked so in the judges that use it.

The evidence is untrusted: shapes, lengths and ranges are checked here, and evidence that does not
fit ends the judging with `error`.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model import Evidence, Outcome, Status
from ..base import Inconclusive, field_of, tensor_of
from .images import Ints, Known, Preparation, by_prints, match, mixed, prepare
from .network import Chain, Floats, Sample, agree, identify
from .objective import Objective, name_objective
from .updates import Account, Optimized, explain, run_optimizer

TINY = 1e-3
"""A share of the largest below which a gradient had no part in a step but by rounding."""
DOWNHILL = 0.05
"""Cosine between a step and the descent from which it counts as one: that of noise is below 0.02 in
as many dimensions as a network has; an adaptive optimizer's is 0.3 and more."""
REDUCED = {"bfloat16", "float16"}
"""Answers of these types were computed in reduced precision."""
PARAMETERS_CAP, CALLS_CAP, ROWS_CAP, KEPT_CAP = 2_000_000, 10_000, 60_000, 64


@dataclass(frozen=True, eq=False)
class Call:
    """One forward pass. `images` (B,) which of our images went in, -1 for none of them, None where
    it was not written down; `prints` (B,), equal for equal images; `labels` (B,); `inputs` (B, V),
    `answers`, `pull` (B, C) where they were kept; `state` an index of `Replay.states`, -1 for none;
    `begun` and `pulled`: when the call began and when a backward pass last came back to it (-1:
    never), by the trace's clock.
    """

    index: int
    rows: int
    span: int
    training: bool
    grad: bool
    graph: bool
    pulls: int
    moved: bool
    state: int
    alive: int
    begun: int
    pulled: int
    dirty: float
    images: Ints | None
    prints: Floats | None
    labels: Ints | None
    inputs: Floats | None
    answers: Floats | None
    pull: Floats | None
    delta: Floats | None
    wish: Floats | None


@dataclass(frozen=True, eq=False)
class Step:
    """One optimizer step; see `trace.Step`. `gradient` (D,) what was held, None where unknown."""

    index: int
    call: int
    at: int
    optimizer: int
    span: int
    held: int
    given: int
    before: int
    after: int
    moved: bool
    norm: float
    rates: tuple[float, ...]
    gradient: Floats | None


@dataclass(frozen=True)
class Span:
    """One call of a watched function: the calls of the network in it, [first, last)."""

    function: str
    first: int
    last: int
    returned: Mapping[str, Any]
    ended: bool
    letter: int


@dataclass(frozen=True, eq=False)
class Source:
    """A call that a backward pass came back to, with what was differentiated and the gradient (D,)
    that follows from it at the weights of that call.
    """

    call: Call
    objective: Objective
    gradient: Floats


@dataclass(frozen=True, eq=False)
class Update:
    """A change of the weights, or an attempt: by an optimizer's `step`, or by hand (None).

    `call` counts the calls before it, `at` is when it was; `fresh` the indices (into
    `Replay.sources`) of the gradients that came since the last update of the same kind; `open` that
    of a call which had begun and was not differentiated yet; `account` explains what was used, None
    where nothing could be compared; `moved`: the weights are others afterwards.
    """

    step: Step | None
    call: int
    at: float
    fresh: tuple[int, ...]
    open: tuple[int, ...]
    account: Account | None
    moved: bool
    before: int
    after: int


@dataclass(frozen=True, eq=False)
class Replay:
    """One trace, read. `states` (S, D) and `offsets` (S, H) as the network's `chain` takes them;
    `chain` None where the network is none, or its answers are none a chain gives.
    """

    calls: tuple[Call, ...]
    steps: tuple[Step, ...]
    spans: tuple[Span, ...]
    shapes: tuple[tuple[int, ...], ...]
    states: Floats
    offsets: Floats
    columns: Ints
    chain: Chain | None
    preparation: Preparation | None
    letters: str
    optimizers: tuple[Mapping[str, Any], ...]
    strangers: int
    unfollowed: int
    opening: tuple[tuple[float, ...], ...]
    """Of the first calls with a graph, of any network: how many images, the sum of their prints,
    the sum of the weights and their norm; told."""
    scaler: Mapping[str, int]
    known: Known
    both: Known
    """`known` are the images to be judged by; `both` those that calls count their images in."""
    reduced: bool
    linear: bool
    """Whether states hold weights, not sketches of them (see `trace.packed`)."""
    frozen: tuple[int, ...]
    """The parameter tensors that never moved, where others did; told."""
    smoothing: float = 0.0
    """The label smoothing of the loss that is expected."""
    mixed: bool = False
    """Whether what went in were batches of our images in another shape, each row of many images."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """The rest of the evidence, as it came."""

    # --- which calls -----------------------------------------------------------------------------

    @cached_property
    def trained(self) -> tuple[Call, ...]:
        """The training calls: those that a backward pass reached; else those with a graph."""
        reached = tuple(c for c in self.calls if c.pulls)
        return reached or tuple(c for c in self.calls if c.graph)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """The kept calls that a backward pass reached, in order, with their gradients."""
        if self.chain is None:
            return self._told()
        found = []
        for c in self.calls:
            if c.pull is None or c.inputs is None or c.labels is None or not c.pulls:
                continue
            if c.state < 0 or not np.isfinite(c.pull).all():
                continue
            sample = self._sample(c)
            scores = self.chain.scores(
                sample.state, sample.offset, sample.inputs, training=sample.training
            )
            if not np.isfinite(scores).all():
                continue
            objective = name_objective(
                c.pull,
                scores,
                c.labels,
                head=self.chain.head,
                reduced=self.reduced,
                hint=self.smoothing,
            )
            found.append(Source(c, objective, self.chain.gradient(sample, c.pull)))
        return tuple(found)

    @cached_property
    def wished(self) -> tuple[Source, ...]:
        """Where no backward pass ever came: what one would have differentiated, by the loss that
        was computed of the answers.
        """
        found = []
        for c in self.calls:
            if c.wish is None or c.labels is None or c.answers is None or c.pulls:
                continue
            if not np.isfinite(c.wish).all() or not np.isfinite(c.answers).all():
                continue
            head, scores = head_of(c.answers)
            objective = name_objective(
                c.wish, scores, c.labels, head=head, reduced=self.reduced, hint=self.smoothing
            )
            found.append(Source(c, objective, np.zeros(0)))
        return tuple(found)

    def _told(self) -> tuple[Source, ...]:
        """The sources of a network that cannot be computed here: with the gradients that the box
        told, and what was differentiated by the answers that it told. Testimony.
        """
        found = []
        for c in self.calls:
            if c.pull is None or c.delta is None or c.labels is None or c.answers is None:
                continue
            if not np.isfinite(c.pull).all() or not np.isfinite(c.answers).all():
                continue
            head, scores = head_of(c.answers)
            objective = name_objective(
                c.pull, scores, c.labels, head=head, reduced=self.reduced, hint=self.smoothing
            )
            found.append(Source(c, objective, c.delta))
        return tuple(found)

    def _sample(self, call: Call) -> Sample:
        assert call.inputs is not None
        answers = call.answers if call.answers is not None else np.zeros((0, 0))
        training = self.effective_mode(call)
        state, offset = self.states[call.state], self.offsets[call.state]
        return Sample(state, offset, call.inputs, answers, training)

    def effective_mode(self, call: Call) -> bool:
        """Whether the network really answered as in training mode: computed where it differs."""
        if self.chain is None or self.chain.mask is None or call.state < 0:
            return call.training
        if call.inputs is None or call.answers is None:
            return call.training
        state, offset = self.states[call.state], self.offsets[call.state]
        for training in (call.training, not call.training):
            ours = self.chain.answers(state, offset, call.inputs, training=training)
            if agree(ours, call.answers, reduced=self.reduced):
                return training
        return call.training

    # --- how the weights moved -------------------------------------------------------------------

    @cached_property
    def updates(self) -> tuple[Update, ...]:
        """Every step and every change by hand, in order."""
        marks: list[tuple[float, int, Step | None]] = [(s.at, s.call, s) for s in self.steps]
        ends = [c.begun for c in self.calls[1:]] + [10**9]
        stepped = sorted(s.at for s in self.steps if s.moved)
        # weights that are set before any gradient was asked for are initialised, not trained
        began = next((c.begun for c in self.calls if c.pulls), -1)
        for c, end in zip(self.calls, ends, strict=False):
            by_step = bisect(stepped, c.begun) < bisect(stepped, end)
            if c.moved and not by_step and end > began:
                marks.append((end - 0.5, c.index + 1, None))
        found: list[Update] = []
        for at, call, step in sorted(marks, key=lambda m: m[0]):
            found.append(self._update(at, call, step, found))
        return tuple(found)

    def _update(self, at: float, call: int, step: Step | None, done: list[Update]) -> Update:
        last = self._before(at, step, done)
        since = last.at if last is not None else -1.0
        sources = list(enumerate(self.sources))
        fresh = tuple(i for i, s in sources if since < s.call.pulled < at)
        waiting = tuple(i for i, s in sources if s.call.begun < at < s.call.pulled)
        before, after = self._around(call) if step is None else (step.before, step.after)
        moved = step is None or step.moved
        came = sum(since < c.pulled < at for c in self.calls)
        account = None
        if came == len(fresh):  # else some of what went in was not kept
            account = self._account(step, before, after, fresh, last)
        return Update(step, call, at, fresh, waiting, account, moved, before, after)

    def _before(self, at: float, step: Step | None, done: list[Update]) -> Update | None:
        """The update that used the gradients before those of this one: the last of the same
        optimizer, or of any other that holds some of its parameters, such as one that is made anew
        for each batch. Where no gradient came since that other one, both steps belong to one batch
        (an optimizer around another), and it does not count.
        """
        if step is None:
            return next((u for u in reversed(done) if u.step is None), None)
        steps = [(u, u.step) for u in reversed(done) if u.step is not None]
        mine = next((u for u, s in steps if s.optimizer == step.optimizer), None)
        near = next((u for u, s in steps if self._share(s, step)), None)
        if near is not None and any(near.at < c.pulled < at for c in self.calls):
            return near
        return mine

    def _share(self, a: Step, b: Step) -> bool:
        """Whether two steps are of optimizers that hold a parameter in common, as far as known."""
        held = [self._members(s) for s in (a, b)]
        return None in held or bool(set.intersection(*(h for h in held if h is not None)))

    def _members(self, step: Step) -> set[int] | None:
        """The parameter tensors that a step's optimizer holds; None where that is unknown."""
        known = 0 <= step.optimizer < len(self.optimizers)
        member = self.optimizers[step.optimizer].get("member") if known else None
        return {i for i, m in enumerate(member) if m != -1} if isinstance(member, list) else None

    def _around(self, call: int) -> tuple[int, int]:
        """The states before and after a change by hand that follows call `call` - 1."""
        before = self.calls[call - 1].state
        after = self.calls[call].state if call < len(self.calls) else len(self.states) - 1
        return before, after

    def _target(self, step: Step | None, before: int, after: int) -> Floats | None:
        if step is not None:
            return step.gradient
        if min(before, after) < 0:
            return None
        return np.asarray(self.states[before] - self.states[after])

    def _account(
        self,
        step: Step | None,
        before: int,
        after: int,
        fresh: tuple[int, ...],
        last: Update | None,
    ) -> Account | None:
        target = self._target(step, before, after)
        if target is None or not np.isfinite(target).all():
            return None
        own = self._own(step)
        gradients = [self.sources[i].gradient[own] for i in fresh]
        used = None if last is None else self._target(last.step, last.before, last.after)
        left = None if used is None or len(used) != len(target) else used[own]
        weights = self.states[before][own] if before >= 0 else None
        before_that = () if last is None else last.fresh
        earlier = [self.sources[i].gradient[own] for i in before_that]
        ends = np.cumsum(self.sizes, dtype=np.int64)[:-1]
        return explain(
            target[own],
            gradients,
            left,
            weights,
            earlier=earlier,
            blocks=[n for part in np.split(own, ends) if (n := int(part.sum()))],
            reduced=self.reduced,
        )

    def _own(self, step: Step | None) -> NDArray[np.bool_]:
        """The numbers of a state that a step can move: those of the parameters that its optimizer
        holds and that had a gradient.
        """
        sizes = self.sizes
        own = np.ones(sum(sizes) or self.states.shape[1], dtype=bool)
        if step is None or not sizes:
            return own
        if 0 <= step.optimizer < len(self.optimizers):
            member = self.optimizers[step.optimizer].get("member")
            if isinstance(member, list) and len(member) == len(sizes):
                own = np.repeat(np.array([m != -1 for m in member], dtype=bool), sizes)
        if step.gradient is not None:
            at = 0
            for size in sizes:
                own[at : at + size] &= bool(step.gradient[at : at + size].any())
                at += size
        return own

    @property
    def sizes(self) -> list[int]:
        """Numbers per parameter in a state; empty where states are sketches."""
        if not self.shapes or not self.linear:
            return []
        cut = [(self.shapes[0][0], len(self.columns)), *self.shapes[1:]]
        return [math.prod(s) for s in cut]

    @property
    def holders(self) -> tuple[Mapping[str, Any], ...]:
        """The optimizers that stepped; where none did, those that were made."""
        stepped = tuple(o for o in self.optimizers if o.get("stepped") is True)
        return stepped or self.optimizers

    @property
    def held(self) -> set[int]:
        """The parameter tensors that these hold."""
        return {
            i
            for o in self.holders
            for i, group in enumerate(o.get("member") or [])
            if isinstance(group, int) and group >= 0
        }

    @cached_property
    def still(self) -> bool:
        """Whether no weight ever moved, from one call to the next or at any step. That they did is
        told, and not believed where all weights that were sent, from first to last, are the same.
        """
        if len(self.states) and not (self.states != self.states[0]).any():
            return True
        return not any(c.moved for c in self.calls) and not any(u.moved for u in self.updates)

    @cached_property
    def put_back(self) -> bool:
        """Whether steps moved the weights, and every batch found them as the first one had: what
        was learned is undone each time.
        """
        kept = [c for c in self.trained if c.state >= 0]
        if len(kept) < 3 or self.still:
            return False
        first = self.states[kept[0].state]
        if any(not np.array_equal(self.states[c.state], first) for c in kept[1:]):
            return False
        moved = [u for u in self.updates if u.moved and u.step is not None]
        return sum(kept[0].begun < u.at < kept[-1].begun for u in moved) > 1

    def led(self, update: Update) -> bool:
        """Whether the weights moved as a step of what was held moves them: as the optimizer moves
        them when it is run here, or at least downhill. Steps whose weights were not kept say
        nothing against it.
        """
        step = update.step
        if step is None or step.gradient is None or min(step.before, step.after) < 0:
            return True
        change = self.states[step.after] - self.states[step.before]
        if not change.any():
            return True
        fits = self._fits.setdefault(step.optimizer, self.optimized(step.optimizer))
        if fits is not None and fits.fits:
            return True
        size = float(np.linalg.norm(change) * np.linalg.norm(step.gradient)) or 1.0
        return -float(change @ step.gradient) > DOWNHILL * size

    @cached_property
    def _fits(self) -> dict[int, Optimized | None]:
        return {}

    def optimized(self, index: int) -> Optimized | None:
        """Whether optimizer `index`, run on what its first steps held, moves the weights so."""
        if not 0 <= index < len(self.optimizers) or not self.linear:
            return None
        steps = []
        for s in self.steps:
            if s.optimizer != index:
                continue
            if not s.given and not s.moved:
                continue  # nothing was there to use
            if s.gradient is None or min(s.before, s.after) < 0:
                break
            steps.append(s)
        if not steps:
            return None
        held = [s.gradient for s in steps if s.gradient is not None]
        around = [(self.states[s.before], self.states[s.after]) for s in steps]
        rates = [s.rates for s in steps]
        return run_optimizer(self.optimizers[index], held, rates, around, self.sizes)

    def effective_rates(self, batch: int = 0) -> tuple[list[float], str]:
        """How many times the mean loss's gradient each explained step was long, and by which
        optimizer, "" for plain descent. Empty where no step could be explained. Small batches that
        make one of `batch` images together count as one.
        """
        found: list[float] = []
        name = ""
        for u in self.updates:
            account = u.account
            if account is None or not account.known or not u.moved or not account.own > 0:
                continue
            sources = [self.sources[i] for i in u.fresh]
            times = [use * s.objective.factor for use, s in zip(account.uses, sources, strict=True)]
            times = [t for t in times if t > TINY * max(times)]
            one = sum(s.call.rows for s in sources) <= batch
            uses = (float(np.sum(times)) if one else float(np.mean(times))) if times else 0.0
            if u.step is None:
                found.append(uses)
                continue
            known = 0 <= u.step.optimizer < len(self.optimizers)
            told = self.optimizers[u.step.optimizer] if known else {}
            name = str(told.get("type", ""))[:40]
            rate = u.step.rates[0] if u.step.rates else float("nan")
            found.append(rate if name != "SGD" else rate * uses)
        return found, "" if name == "SGD" else name

    def accuracy(self, state: int) -> NDArray[np.bool_] | None:
        """Which of the known images the network gets right at a state, in evaluation mode; None
        where that cannot be computed.
        """
        if self.chain is None or self.preparation is None or state < 0:
            return None
        scores = self.chain.scores(
            self.states[state], self.offsets[state], self.preparation.of(self.known.images)
        )
        return np.asarray(scores.argmax(1) == self.known.labels)


# --- reading -------------------------------------------------------------------------------------


def _forged(what: str) -> Inconclusive:
    return Inconclusive(
        Outcome(Status.ERROR, 0.0, (), f"the probe's answer was tampered with: {what}")
    )


def _array(
    evidence: Evidence, name: str, shape: tuple[int | None, ...], kind: str = "f"
) -> NDArray[Any]:
    """A tensor of that shape and kind ("f": float64, where what is no finite number is inf; "i":
    int64); `Inconclusive` for any other.
    """
    found = tensor_of(evidence, name, shape)
    if found.dtype.kind not in ("iub" if kind == "i" else "f"):
        raise _forged(f"tensor '{name}'")
    if kind == "i":
        return found.astype(np.int64)
    wide = found.astype(np.float64)
    return np.where(np.isfinite(wide) & (np.abs(wide) < 1e30), wide, np.inf)


def _shapes(evidence: Evidence) -> tuple[tuple[int, ...], ...]:
    raw = field_of(evidence, "shapes", list)
    shapes = [tuple(s) for s in raw if isinstance(s, list) and len(s) < 8]
    sound = all(isinstance(n, int) and 0 <= n <= PARAMETERS_CAP for s in shapes for n in s)
    if not sound or len(shapes) != len(raw) or sum(math.prod(s) for s in shapes) > PARAMETERS_CAP:
        raise _forged("'shapes'")
    return tuple(shapes)


def _table(evidence: Evidence, name: str, width: int, cap: int) -> list[list[int]]:
    """A list of rows of `width` integers each, none above 10 million."""
    raw = field_of(evidence, name, list)
    rows = [
        r
        for r in raw
        if isinstance(r, list)
        and len(r) == width
        and all(isinstance(v, int) and -1 <= v <= 10**7 for v in r)
    ]
    if len(rows) != len(raw) or len(rows) > cap:
        raise _forged(f"'{name}'")
    return rows


SKETCH = 4096
"""As in `inside/trace.py`, which no module here imports."""


def head_of(answers: Floats) -> tuple[str, Floats]:
    """What follows a network's last layer, by its answers (B, C), and scores that lead to them."""
    if np.allclose(np.log(np.exp(np.minimum(answers, 80)).sum(1)), 0, atol=1e-3):
        return "log_softmax", answers
    if (answers >= 0).all() and np.allclose(answers.sum(1), 1, atol=1e-3):
        return "softmax", np.log(np.maximum(answers, 1e-30))
    return "none", answers


def number_of(value: Any) -> float:
    """A figure of the evidence; "inf" and whatever is no number become nan."""
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if fits else float("nan")


def _numbers(evidence: Evidence, name: str, count: int) -> list[float]:
    raw = field_of(evidence, name, list)
    if len(raw) != count:
        raise _forged(f"'{name}'")
    return [math.inf if isinstance(v, str) else number_of(v) for v in raw]


@lru_cache(maxsize=32)  # the judges of one submission ask for some ten runs again and again
def read(
    evidence: Evidence,
    known: Known,
    *,
    ray: int,
    mask: tuple[float, ...] | None = None,
    tests: Known | None = None,
    smoothing: float = 0.0,
) -> Replay:
    """The evidence of a traced run as a `Replay`. `known` are our training images, `tests` those
    that an evaluation may see; both may go into any call;
    `smoothing` is that of the loss expected. Raises `Inconclusive`.
    """
    shapes = _shapes(evidence)
    table = _table(evidence, "calls", 12, CALLS_CAP)
    steps = _table(evidence, "steps", 10, CALLS_CAP)
    dirty = _numbers(evidence, "dirty", len(table))
    reduced = any(isinstance(d, str) and d in REDUCED for d in field_of(evidence, "dtypes", list))
    both = known
    if tests is not None:
        both = Known(
            np.concatenate([known.images, tests.images]),
            np.concatenate([known.labels, tests.labels]),
        )
    tensors = _Tensors(evidence, shapes, table, both, ray)
    calls = tuple(tensors.call(i, row, dirty[i]) for i, row in enumerate(table))
    chain = tensors.chain(calls, mask, reduced=reduced)
    norms = _numbers(evidence, "norms", len(steps))
    rates = field_of(evidence, "rates", list)
    scaler = field_of(evidence, "scaler", dict)
    return Replay(
        calls=calls,
        steps=tuple(
            tensors.step(i, row, norms[i], rates[i] if i < len(rates) else [])
            for i, row in enumerate(steps)
        ),
        spans=_spans(evidence, len(calls)),
        shapes=shapes,
        states=tensors.states,
        offsets=tensors.offsets,
        columns=tensors.columns,
        chain=chain,
        preparation=tensors.preparation,
        letters=field_of(evidence, "letters", str)[:2000],
        optimizers=_optimizers(evidence),
        strangers=field_of(evidence, "strangers", int),
        unfollowed=field_of(evidence, "unfollowed", int),
        opening=_opening(evidence),
        scaler={k: v if isinstance(v := scaler.get(k), int) else 0 for k in SCALER},
        known=known if tests is None else tests,
        both=both,
        reduced=reduced,
        linear=tensors.linear,
        frozen=_indices(evidence, "still", len(shapes)),
        smoothing=smoothing,
        mixed=tensors.mixed,
        data=evidence.data,
    )


def _optimizers(evidence: Evidence) -> tuple[Mapping[str, Any], ...]:
    """The first optimizers, each with its `groups`, and for each parameter the group that it is a
    `member` of.
    """
    raw = field_of(evidence, "optimizers", list)[:8]
    for told in raw:
        if not isinstance(told, dict):
            raise _forged("'optimizers'")
        member, groups = told.get("member", []), told.get("groups", [])
        lists = isinstance(member, list) and isinstance(groups, list)
        if not lists or not all(isinstance(m, int) for m in member):
            raise _forged("'optimizers'")
        if not all(isinstance(g, dict) for g in groups):
            raise _forged("'optimizers'")
    return tuple(raw)


def _indices(evidence: Evidence, name: str, below: int) -> tuple[int, ...]:
    """A list of indices, without those that are none."""
    raw = field_of(evidence, name, list)
    return tuple(i for i in raw[:below] if isinstance(i, int) and 0 <= i < below)


def _opening(evidence: Evidence) -> tuple[tuple[float, ...], ...]:
    raw = field_of(evidence, "opening", list)[:8]
    if not all(isinstance(o, list) and len(o) == 4 for o in raw):
        raise _forged("'opening'")
    return tuple(tuple(number_of(v) for v in o) for o in raw)


SCALER = ("scale", "unscale_", "step", "update", "early")


def _spans(evidence: Evidence, calls: int) -> tuple[Span, ...]:
    found = []
    for raw in field_of(evidence, "spans", list)[:200]:
        if not isinstance(raw, dict):
            raise _forged("'spans'")
        first, last, letter = (raw.get(k) for k in ("first", "last", "letter"))
        if not all(isinstance(v, int) for v in (first, last, letter)):
            raise _forged("'spans'")
        assert isinstance(first, int)
        assert isinstance(last, int)
        if not 0 <= first <= last <= calls:
            raise _forged("'spans'")
        returned = raw.get("returned")
        found.append(
            Span(
                function=str(raw.get("function"))[:80],
                first=first,
                last=last,
                returned=returned if isinstance(returned, dict) else {},
                ended=raw.get("ended") is True,
                letter=int(letter or 0),
            )
        )
    return tuple(found)


class _Tensors:
    """The tensors of a trace, taken apart by calls and steps."""

    def __init__(
        self,
        evidence: Evidence,
        shapes: tuple[tuple[int, ...], ...],
        table: list[list[int]],
        both: Known,
        ray: int,
    ) -> None:
        self.shapes, self.both = shapes, both
        self.states: Floats = np.zeros((0, 0))
        self.offsets: Floats = np.zeros((0, 0))
        self.columns: Ints = np.zeros(0, dtype=np.int64)
        self.gradients: Floats = np.zeros((0, 0))
        self.deltas: Floats = np.zeros((0, 0))
        self.preparation: Preparation | None = None
        self.mixed = False
        self._inputs: list[Floats] = []
        self._pulls: list[Floats] = []
        self._wishes: list[Floats] = []
        self.linear = False
        """Whether the first layer takes the pixels, so that states are weights and not sketches."""
        self._answers: dict[int, Floats] = {}
        self._aims: dict[int, Ints] = {}
        self._images: dict[int, Ints] = {}
        self._prints: dict[int, Floats] = {}
        self._kept = {row[8]: i for i, row in enumerate(table) if row[8] >= 0}
        self._read_answers(evidence, table)
        if "states" in evidence.tensors:
            self._read_states(evidence, table)
        self._read_prints(evidence, table, ray)

    def _read_answers(self, evidence: Evidence, table: list[list[int]]) -> None:
        if "answers" not in evidence.tensors:
            return
        rows = _array(evidence, "answered", (len(table),), "i")
        if len(rows) and (rows.min() < 0 or rows.max() > ROWS_CAP):
            raise _forged("tensor 'answered'")
        answers = _array(evidence, "answers", (int(rows.sum()), None))
        aims = _array(evidence, "aims", (int(rows.sum()),), "i")
        ends = np.cumsum(rows)
        for i, (n, end) in enumerate(zip(rows, ends, strict=True)):
            if n:
                self._answers[i] = answers[end - n : end]
                if (aims[end - n : end] >= 0).all():
                    self._aims[i] = aims[end - n : end]

    def _read_states(self, evidence: Evidence, table: list[list[int]]) -> None:
        constant = _array(evidence, "constant", (None,))
        pixels = len(constant)
        self.columns = _array(evidence, "columns", (None,), "i")
        width = len(self.columns)
        if width and (self.columns.min() < 0 or self.columns.max() >= pixels):
            raise _forged("tensor 'columns'")
        size = SKETCH
        self.linear = "offsets" in evidence.tensors
        if self.linear:
            if not self.shapes or len(self.shapes[0]) != 2 or self.shapes[0][1] != pixels:
                raise _forged("'shapes'")
            size = self.shapes[0][0] * width + sum(math.prod(s) for s in self.shapes[1:])
        self.states = _array(evidence, "states", (None, size))
        self.gradients = _array(evidence, "gradients", (None, size))
        if self.linear:
            self.offsets = _array(evidence, "offsets", (len(self.states), self.shapes[0][0]))
        if len(self.states) > 10 * KEPT_CAP or len(self.gradients) > KEPT_CAP:
            raise _forged("tensor 'states'")
        order = sorted(self._kept)
        if order != list(range(len(order))) or len(order) > 10 * KEPT_CAP:
            raise _forged("'calls'")
        if "deltas" in evidence.tensors:
            self.deltas = _array(evidence, "deltas", (len(order), size))
        counts = [table[self._kept[k]][0] for k in order]
        total = sum(counts)
        if total > ROWS_CAP:
            raise _forged("'calls'")
        inputs = _array(evidence, "inputs", (total, width))
        pulls = _array(evidence, "pulls", (total, None))
        ends = np.cumsum(counts)[:-1]
        self._inputs, self._pulls = np.split(inputs, ends), np.split(pulls, ends)
        if "wishes" in evidence.tensors:
            wishes = _array(evidence, "wishes", (total, None))
            self._wishes = np.split(wishes, ends)
        if self.both.images.shape[1] == pixels and np.isfinite(inputs).all():
            self._match(constant, table, order)

    def _match(self, constant: Floats, table: list[list[int]], order: list[int]) -> None:
        """Find how the program prepares its images, and which images the kept calls saw: by all of
        them together, else by the largest call that fits, else by those without gradients (where
        only training images are changed at random).
        """
        looked = [k for k in order if not table[self._kept[k]][3]]
        large = sorted(order, key=lambda k: -len(self._inputs[k]))[:4]
        for group in (order, *([k] for k in large), looked):
            if not group:
                continue
            rows = np.concatenate([self._inputs[k] for k in group])
            fitted = prepare(rows, self.both.images, self.columns, constant)
            if fitted is not None:
                self.preparation = fitted[0]
                break
        if self.preparation is None:
            for k in large[:2]:
                rows = np.tile(constant, (len(self._inputs[k]), 1))
                rows[:, self.columns] = self._inputs[k]
                self.mixed |= len(rows) > 1 and mixed(rows, self.both.images)
            return
        ours = self.preparation.of(self.both.images)
        for k in order:
            rows = self._inputs[k]
            found = match(rows, self.both.images, self.columns)
            apart = np.abs(ours[found] - rows).max(axis=1)
            same = apart <= 1e-3 * max(float(np.ptp(ours)), 1e-9)
            self._images[self._kept[k]] = np.where(same, found, -1)

    def _read_prints(self, evidence: Evidence, table: list[list[int]], ray: int) -> None:
        prints = _array(evidence, "prints", (None,))
        found = np.full(len(prints), -1, dtype=np.int64)
        if self.preparation is not None and len(prints):
            expected = self.preparation.prints(self.both.images, ray)
            found = by_prints(prints, expected)
        at = 0
        for i, row in enumerate(table):
            if at + row[0] > len(found):
                break
            self._prints[i] = prints[at : at + row[0]]
            self._images.setdefault(i, found[at : at + row[0]])
            at += row[0]

    def call(self, index: int, row: list[int], dirty: float) -> Call:
        rows, span, training, grad, graph, pulls, moved, state, kept, alive, begun, pulled = row
        inputs = self._inputs[kept] if 0 <= kept < len(self._inputs) else None
        pull = self._pulls[kept] if 0 <= kept < len(self._pulls) else None
        wish = self._wishes[kept] if 0 <= kept < len(self._wishes) else None
        images = self._images.get(index)
        answers = self._answers.get(index)
        labels = None
        if images is not None and len(images) == rows and (images >= 0).all():
            labels = self.both.labels[images]
        elif pulls:
            labels = self._aims.get(index)  # what the loss pushes up most, whatever the loss
        if labels is not None and answers is not None and len(labels) != len(answers):
            raise _forged("tensor 'answers'")
        for given, name in ((pull, "pulls"), (wish, "wishes")):
            if given is not None and answers is not None and given.shape != answers.shape:
                raise _forged(f"tensor '{name}'")
        if answers is not None and labels is not None and labels.max(initial=0) >= answers.shape[1]:
            labels = None
        return Call(
            index=index,
            rows=rows,
            span=span,
            training=training == 1,
            grad=grad == 1,
            graph=graph == 1,
            pulls=pulls,
            moved=moved == 1,
            state=state if 0 <= state < len(self.states) else -1,
            alive=alive,
            begun=begun,
            pulled=pulled,
            dirty=dirty,
            images=images,
            prints=self._prints.get(index),
            labels=labels,
            inputs=inputs,
            answers=answers,
            pull=pull if pulls else None,
            delta=self.deltas[kept] if 0 <= kept < len(self.deltas) else None,
            wish=wish if wish is not None and wish.any() else None,
        )

    def step(self, index: int, row: list[int], norm: float, rates: Any) -> Step:
        call, at, optimizer, span, held, given, before, after, kept, moved = row
        count = len(self.states)
        told = [number_of(r) for r in rates[:8]] if isinstance(rates, list) else []
        return Step(
            index=index,
            call=call,
            at=at,
            optimizer=optimizer,
            span=span,
            held=held,
            given=given,
            before=before if 0 <= before < count else -1,
            after=after if 0 <= after < count else -1,
            moved=moved == 1,
            norm=norm,
            rates=tuple(told),
            gradient=self.gradients[kept] if 0 <= kept < len(self.gradients) else None,
        )

    def chain(
        self, calls: tuple[Call, ...], mask: tuple[float, ...] | None, *, reduced: bool
    ) -> Chain | None:
        """The chain that gives the answers seen, in the mode that was told or, for a fixture, in
        the other.
        """
        if not self.linear:
            return None
        shown = [
            c
            for c in calls
            if c.inputs is not None
            and c.answers is not None
            and c.state >= 0
            and np.isfinite(self.states[c.state]).all()
            and np.isfinite(c.answers).all()
        ]
        few = [*shown[:2], *[c for c in shown[2:] if not c.grad][:1]]
        for flip in (False, True) if mask is not None else (False,):
            samples = [
                Sample(
                    self.states[c.state],
                    self.offsets[c.state],
                    c.inputs,
                    c.answers,
                    c.training != flip,
                )
                for c in few
                if c.inputs is not None and c.answers is not None
            ]
            cut = ((self.shapes[0][0], len(self.columns)), *self.shapes[1:]) if samples else ()
            found = identify(cut, samples, mask, reduced=reduced)
            if found is not None:
                return found
        return None
