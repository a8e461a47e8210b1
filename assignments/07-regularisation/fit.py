"""Judges of `fit_with_validation`.

It is driven on fixtures in two ways. With a real loss, three epochs: every step is explained by the
gradients of its batch, and the history held to what the network answered. With a loss whose values
follow a secret script: there the second epoch is the best whatever the network learns, while the
training loss falls to the end, so the weights that the model ends with tell what was kept.

Where the student's own `EarlyStopping` is what is wrong, one that answers by the script stands in
for it, so that its slip costs its own checks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.checks.answers import Answer, read
from autograder.checks.base import Context, Inconclusive, check, require, tensor_of
from autograder.checks.loops import (
    LOSS,
    LOSS_REDUCED,
    Loop,
    beats,
    clearing,
    graphs,
    must_follow,
    objective,
    raised,
)
from autograder.checks.reference.objective import loss
from autograder.checks.reference.replay import Call, Replay, number_of
from autograder.model import Array, Evidence, Outcome, ProbeRequest, Status

from .public_checks import ENDLESS, EPOCHS, FIT, fits, returned_by_fit, series, whole

MOST, PATIENCE, STOPS = 9, 3, 5
"""Of the scripted run that stops early: with its best epoch the second, three bad ones follow."""
WHOLE = 6
"""Epochs of the scripted run that does not."""
BEST = 2
SMOOTH = 0.01
"""By how much a label smoothing that was read off a gradient may miss."""

Found = Mapping[str, Evidence]
Scripted = Callable[["Script", Evidence], Outcome]


# -- with a real loss ------------------------------------------------------------------------------


def _real(ctx: Context) -> Mapping[str, ProbeRequest]:
    return fits(ctx) | fits(ctx, "other", epochs=2, patience=2)


def _replay(ctx: Context, evidence: Found, name: str = "main") -> Replay:
    """The run, read. Weights that are put back when it is over are no step."""
    done = require(whole(evidence, name))
    error = done.data.get("raised")
    if isinstance(error, dict):
        raise Inconclusive(raised(error))
    replay = FIT.read(ctx, done, "train" if name == "main" else name)
    must_follow(replay)
    if not replay.calls:
        raise Inconclusive(Outcome.failed("fit_with_validation returned without calling the model"))
    last = dataclasses.replace(replay.calls[-1], moved=False)
    return dataclasses.replace(replay, calls=(*replay.calls[:-1], last))


def _loop(ctx: Context, evidence: Found, name: str = "main") -> Loop:
    made = FIT.fixture(ctx, "train" if name == "main" else name)
    return Loop(_replay(ctx, evidence, name), FIT.function, made.batches)


@check(
    requests=_real,
    bugs=(
        "missing_zero_grad",
        "zero_grad_after_backward",
        "step_before_backward",
        "missing_backward",
        "missing_step",
        "stale_optimizer",
        "softmax_before_cross_entropy",
        "softmax_into_nll",
        "sum_instead_of_mean",
        "loss_graph_accumulated",
        "wrong_value",
    ),
    help="Zero, forward, loss, backward, step: each once per batch, in this order, every epoch.",
)
def fit_beats(ctx: Context, evidence: Found) -> Outcome:
    """Cleared gradients, one backward pass and one step a batch, on the loss handed over."""
    loop = _loop(ctx, evidence)
    outcomes = [
        clearing(loop),
        beats(loop, group=max(loop.batches)),
        objective(loop),
        graphs(loop),
    ]
    for found in outcomes:
        if found.status not in (Status.PASSED, Status.NOT_CHECKED):
            return found
    other = _loop(ctx, evidence, "other")
    again = objective(other, where=", when the loss function has label smoothing")
    if again.status is Status.FAILED:
        return again
    wanted = float(FIT.fixture(ctx, "other").values["smoothing"])
    slack = 5 * SMOOTH if other.replay.reduced else SMOOTH
    for s in other.replay.sources:
        if abs(s.objective.smoothing - wanted) > slack:
            return Outcome.failed(
                f"the loss function handed over has label smoothing of {wanted:g}; what was "
                f"differentiated has {s.objective.smoothing:.2g}",
                "wrong_value",
            )
    return next((o for o in outcomes if o.status is not Status.PASSED), outcomes[1])


@dataclass(frozen=True, eq=False)
class Epoch:
    """The calls of one epoch: those that trained, those that looked at the training images without,
    and those of the validation images.
    """

    trained: list[Call]
    again: list[Call]
    val: list[Call]


def _epochs(ctx: Context, replay: Replay) -> list[Epoch]:
    """The epochs: a new one begins where training images follow validation images."""
    n = len(FIT.fixture(ctx).known.labels)
    backward = any(c.pulls for c in replay.calls)
    found: list[Epoch] = []
    for c in replay.calls:
        if c.images is None:
            continue
        is_val = bool((c.images >= n).all())
        trains = not is_val and (c.pulls > 0 if backward else c.graph)
        if not found or (trains and found[-1].val):
            found.append(Epoch([], [], []))
        (found[-1].val if is_val else found[-1].trained if trains else found[-1].again).append(c)
    # images may be looked at before the first epoch, too
    return [e for e in found if e.trained or any(f.trained for f in found[: found.index(e)])]


def _validated(ctx: Context, replay: Replay) -> tuple[list[Epoch], list[Call]]:
    """The epochs and all calls on validation images; `Inconclusive` where there are none."""
    epochs = _epochs(ctx, replay)
    val = [c for e in epochs for c in e.val]
    if not val:
        raise Inconclusive(Outcome.not_checked("not checked: the model saw no validation image"))
    return epochs, val


@check(
    requests=_real,
    bugs=("missing_train_mode", "missing_eval_mode"),
    help="Training and validation each set the mode they need, in every epoch.",
)
def fit_modes(ctx: Context, evidence: Found) -> Outcome:
    """Which batches were answered in which mode."""
    replay = _replay(ctx, evidence)
    epochs, val = _validated(ctx, replay)
    off = [
        k for k, e in enumerate(epochs, 1) if any(not replay.effective_mode(c) for c in e.trained)
    ]
    on = sum(replay.effective_mode(c) for c in val)
    said, bugs = [], []
    if off:
        which = f"epoch {off[0]}" if len(off) == 1 else f"epochs {', '.join(map(str, off))}"
        said.append(f"{which} of {EPOCHS} trained in evaluation mode, with dropout off")
        bugs.append("missing_train_mode")
    if on:
        said.append(f"{on} of {len(val)} validation batches were answered in training mode")
        bugs.append("missing_eval_mode")
    return Outcome.failed("; ".join(said), *bugs) if bugs else Outcome.passed()


@check(
    requests=_real,
    bugs=("missing_no_grad",),
    help="Nothing is learnt from a validation, so nothing needs a graph.",
)
def fit_no_graph(ctx: Context, evidence: Found) -> Outcome:
    """Whether validation calls recorded graphs."""
    _, val = _validated(ctx, _replay(ctx, evidence))
    with_graph = sum(c.graph for c in val)
    if with_graph:
        return Outcome.failed(
            f"{with_graph} of {len(val)} validation batches recorded a graph for a backward pass "
            f"that never comes",
            "missing_no_grad",
        )
    return Outcome.passed()


# -- the numbers of the history --------------------------------------------------------------------


def _means(calls: Sequence[Call]) -> tuple[list[float], list[int]] | None:
    """The mean loss of each call and its rows; None where an answer was not seen."""
    import torch

    values = []
    for c in calls:
        if c.answers is None or c.labels is None:
            return None
        scores, labels = torch.from_numpy(c.answers), torch.from_numpy(c.labels)
        values.append(float(loss("cross_entropy", scores, labels)))
    return values, [c.rows for c in calls]


def _wrong(values: list[float], sizes: list[int]) -> list[tuple[float, str, str]]:
    """The usual wrong means: (value, bug, what it is)."""
    total, plain = sum(sizes), sum(values)
    mean = float(np.average(values, weights=sizes))
    return [
        (plain / len(values), "mean_of_batch_means", "the mean of the batches' means"),
        (plain / total, "loss_divided_twice", "the batches' means, added and divided by samples"),
        (mean / total, "loss_divided_twice", "the mean over samples, divided by them once more"),
        (mean / len(values), "loss_divided_twice", "the mean over samples, divided by the batches"),
        (plain, "wrong_value", "the sum of the batches' means"),
        (mean * total, "wrong_value", "the sum over all samples"),
        (values[-1], "wrong_value", "the loss of the last batch alone"),
    ]


def _faults(
    name: str, found: Sequence[float], epochs: Sequence[list[list[Call]]], tolerance: float
) -> Outcome | None:
    """What is wrong with a list; `epochs` are for each the calls that it may be the mean of."""
    kinds: list[tuple[str, str]] = []
    first = ""
    for value, ways in zip(found, epochs, strict=True):
        known = [m for m in map(_means, filter(None, ways)) if m is not None]
        if not known:
            return Outcome.not_checked(f"not checked: the losses behind {name} were not seen")
        right = [float(np.average(values, weights=sizes)) for values, sizes in known]

        def near(other: float, value: float = value) -> bool:
            return abs(value - other) <= tolerance * max(abs(other), 1e-12)

        if any(map(near, right)):
            continue
        first = first or f"{name} holds {value:.4f}, where the mean over samples is {right[0]:.4f}"
        wrong = [w for values, sizes in known for w in _wrong(values, sizes)]
        kinds.append(next(((bug, what) for v, bug, what in wrong if near(v)), ("", "")))
    if not kinds:
        return None
    if kinds[0][0] and all(kind == kinds[0] for kind in kinds):
        return Outcome.failed(f"{first}: that is {kinds[0][1]}", kinds[0][0])
    return Outcome.failed(first, "wrong_value")


@check(
    requests=_real,
    bugs=("mean_of_batch_means", "loss_divided_twice", "wrong_value", "wrong_history"),
    help="Weight each batch's mean by its samples: the last batch may be a short one.",
)
def fit_losses(ctx: Context, evidence: Found) -> Outcome:
    """Whether both lists hold means over the samples of their epoch."""
    replay = _replay(ctx, evidence)
    items = returned_by_fit(require(whole(evidence)))
    train, val = series(items, "train_loss"), series(items, "val_loss")
    epochs = [e for e in _epochs(ctx, replay) if e.trained or e.val]
    if len(epochs) != EPOCHS:
        return Outcome.not_checked(
            f"not checked: {len(epochs)} turns of training and validation were seen in {EPOCHS} "
            f"epochs"
        )
    tolerance = LOSS_REDUCED if replay.reduced else LOSS
    for name, found, ways in (
        ("train_loss", train, [[e.trained, e.again] for e in epochs]),
        ("val_loss", val, [[e.val] for e in epochs]),
    ):
        fault = _faults(name, found, ways, tolerance)
        if fault is not None:
            if (
                name == "val_loss"
                and _faults(name, found, [[e.trained] for e in epochs], tolerance) is None
            ):
                return Outcome.failed("val_loss holds the training losses", "wrong_value")
            return fault
    return Outcome.passed()


# -- with a loss that follows a script -------------------------------------------------------------


@dataclass(frozen=True)
class Script:
    """Validation losses, of which the second is the lowest until long after a stop; training losses
    that fall; and the loss before any training, which is worse than all.
    """

    curve: tuple[float, ...]
    falling: tuple[float, ...]
    epochs: int
    patience: int

    @property
    def run(self) -> int:
        """How many epochs there are to be."""
        return STOPS if self.patience < self.epochs else self.epochs


def _script(ctx: Context, epochs: int, patience: int) -> Script:
    rng = ctx.rng(f"script/{epochs}", shared=True)
    best = float(np.round(rng.uniform(0.5, 0.7), 3))
    worse = (best + rng.uniform(0.05, 0.4, epochs)).round(3).tolist()
    curve = [round(best + float(rng.uniform(0.5, 0.9)), 3), best, *worse[2:]]
    if patience < epochs:  # whoever goes on finds a better epoch
        curve[STOPS:] = (best - np.linspace(0.05, 0.2, epochs - STOPS)).round(3).tolist()
    falling = np.sort(rng.uniform(0.2, 2.0, epochs))[::-1].round(3).tolist()
    return Script(tuple(curve), tuple(falling), epochs, patience)


def _scripts(ctx: Context) -> dict[str, Script]:
    return {"whole": _script(ctx, WHOLE, WHOLE), "early": _script(ctx, MOST, PATIENCE)}


def _scripted(ctx: Context) -> Mapping[str, ProbeRequest]:
    found = {}
    for name, script in _scripts(ctx).items():
        made = FIT.request(ctx, epochs=script.epochs, patience=script.patience)
        args = {
            **made.args,
            "curve": list(script.curve),
            "falling": list(script.falling),
            "before": 9.0,
        }
        seen = script.curve[: script.run]
        lowest = [min(seen[: k + 1]) for k in range(len(seen))]
        stopper = {
            "stops": [script.run < script.epochs and k + 1 == script.run for k in range(len(seen))],
            "best": lowest,
            "best_step": [seen.index(v) for v in lowest],
        }
        found[name] = ProbeRequest("own:scripted", args, made.tensors)
        found[f"{name}/ready"] = ProbeRequest(
            "own:scripted", {**args, "stopper": stopper}, made.tensors
        )
    return found


def _answered(evidence: Evidence) -> tuple[Evidence, Mapping[str, Answer]]:
    """A scripted run and its history; raises `Inconclusive` where it has none."""
    done = require(evidence)
    error = done.data.get("raised")
    if isinstance(error, dict):
        raise Inconclusive(raised(error))
    answer = read(done.data.get("returned"), done)
    if answer.kind != "dict":
        raise Inconclusive(
            Outcome.failed(f"fit_with_validation returned {answer.words}, not a dict")
        )
    return done, answer.keys


def _held(done: Evidence) -> tuple[int, Array]:
    """The epoch whose weights the model ends with, from 1 (the last of several alike; 0 for none),
    and the weights at each validation, (E, P).
    """
    states = tensor_of(done, "states")
    if states.ndim != 2 or not len(states):
        raise Inconclusive(
            Outcome.not_checked("not checked: no validation came after a training epoch")
        )
    final = tensor_of(done, "final", (states.shape[1],))
    same = [k for k, s in enumerate(states, 1) if np.allclose(s, final, rtol=1e-5, atol=1e-7)]
    return (same[-1] if same else 0), states


def _kept(script: Script, evidence: Evidence) -> Outcome:
    """Whether the model ends with the weights of the best epoch, of those that were run."""
    done, _ = _answered(evidence)
    held, states = _held(done)
    n = len(states)
    best = int(np.argmin(script.curve[:n])) + 1
    if best < n and np.allclose(states[best - 1], states[-1], rtol=1e-5, atol=1e-7):
        return Outcome.not_checked(f"not checked: the training moved no weight after epoch {best}")
    if held == best:
        return Outcome.passed()
    said = f"epoch {best} of {n} had the lowest validation loss, and the model ends with "
    if held == n:
        if done.data.get("aliased") is True:
            return Outcome.failed(
                f"{said}the weights of the last: what was put back at the end were the live "
                f"weights themselves",
                "best_weights_aliased",
            )
        return Outcome.failed(f"{said}the weights of the last", "saves_last_not_best")
    if held:
        return Outcome.failed(f"{said}the weights of epoch {held}", "wrong_value")
    return Outcome.failed(f"{said}weights that it had at none of them", "wrong_value")


def _well_told(script: Script, evidence: Evidence) -> bool:
    """Whether a ready-made stopper, which answers by the script, was told the script's losses."""
    raw = evidence.data.get("told")
    told = [number_of(v) for v in raw] if isinstance(raw, list) else []
    right = script.curve[: len(told)]
    return len(right) == len(told) and bool(np.allclose(told, right, rtol=1e-4))


def _judged(judge: Scripted, script: Script, evidence: Evidence) -> Outcome:
    try:
        return judge(script, evidence)
    except Inconclusive as e:
        return e.outcome


def _in_both(ctx: Context, evidence: Found, judge: Scripted) -> Outcome:
    """A judge on both runs, each with the student's own stopper, and where that is not passed
    with a ready-made one; the first that neither passes, by what the student's own says.
    """
    found = Outcome.passed()
    for name, script in _scripts(ctx).items():
        found = _judged(judge, script, evidence[name])
        if found.status is Status.PASSED:
            continue
        if evidence[name].status in ENDLESS:
            return found
        ready = evidence[f"{name}/ready"]
        second = _judged(judge, script, ready)
        if second.status is not Status.PASSED or not _well_told(script, ready):
            return found
        found = second
    return found


@check(
    requests=_scripted,
    bugs=("missing_name", "best_weights_aliased", "saves_last_not_best", "wrong_value"),
    help="Copy the weights when they are the best so far, and put the copy back at the end.",
)
def fit_best(ctx: Context, evidence: Found) -> Outcome:
    """Whose weights the model ends with, in a fit that runs to its end and one that stops early."""
    return _in_both(ctx, evidence, _kept)


def _flag(answer: Answer | None) -> bool | None:
    """A yes or no, however it is written; None for what is neither."""
    if answer is None or answer.array is None or answer.array.size != 1:
        return None
    return bool(answer.array.item())


def _ends(script: Script, evidence: Evidence) -> Outcome:
    done, items = _answered(evidence)
    held, states = _held(done)
    if len(states) != script.run:
        off = abs(len(states) - script.run) == 1
        right = "run on" if script.run == script.epochs else f"stop after epoch {script.run}"
        return Outcome.failed(
            f"with a patience of {script.patience}, {script.epochs} epochs at most and the best "
            f"one number {BEST}, it has to {right}; it ran {len(states)}",
            "early_stop_off_by_one" if off else "wrong_value",
        )
    for name in ("train_loss", "val_loss"):
        kept = items[name].sequence() if name in items else None
        if kept is None or len(kept) != script.run:
            count = "none" if kept is None else str(len(kept))
            return Outcome.failed(
                f"after {script.run} epochs '{name}' has {count} entries", "wrong_history"
            )
    early = _flag(items.get("stopped_early"))
    if early is not (script.run < script.epochs):
        when = f"after epoch {script.run} of {script.epochs}"
        return Outcome.failed(f"it ended {when}, and 'stopped_early' is {early}", "wrong_history")
    best = items["best_epoch"].numeric() if "best_epoch" in items else None
    number = None if best is None or best.size != 1 else float(best.item())
    if number not in (BEST, held):  # which weights are kept is asked elsewhere
        said = "missing" if number is None else f"{number:g}"
        return Outcome.failed(
            f"the best epoch is number {BEST}, counted from 1, and 'best_epoch' is {said}",
            "wrong_history",
        )
    return Outcome.passed()


@check(
    requests=_scripted,
    bugs=("missing_name", "early_stop_off_by_one", "wrong_history", "wrong_value"),
    help="Ask the stopper after each epoch, leave the loop when it says so, and note that you did.",
)
def fit_stops(ctx: Context, evidence: Found) -> Outcome:
    """After how many epochs it ends, and what it says of that."""
    return _in_both(ctx, evidence, _ends)
