"""Checks of `train_one_epoch`: one replay, seven questions; and of how a program wires it.

All but `train_setup` judge the same run of one probe. The final weights are compared with
the trajectories of `replay`; what the probe saw on its way (letters, gradient norms) names
the cause where the weights never moved, and makes the messages concrete. A check whose
answer cannot be seen in a run (is a gradient cleared, when nothing ever moved?) says so
with `not_checked` instead of guessing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..model import Evidence, Outcome, ProbeRequest, Status
from . import losses
from .base import Context, StandardCheck, field_of, require
from .reading import Reading, raised, read, read_on, request, scene

GRAPHS = 4
"""More forward graphs than this alive at once, out of seven, are kept by something."""

UNSEEN = {"first_only"}
"""Recipes with a single step, after which nothing can be said about the next one."""


def judge_runs(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """It took batches, called the model, and returned one finite number."""
    done = require(evidence["main"])
    if error := raised(done):
        return Outcome(Status.ERROR, 0.0, (), f"your code raised {error}")
    beats, returned = field_of(done, "beats", str), field_of(done, "returned", dict)
    if "h" not in beats:
        return Outcome.failed("train_one_epoch returned without taking a batch from the loader")
    if "f" not in beats:
        return Outcome.failed("train_one_epoch took batches but never called the model")
    value = returned.get("value")
    if value is None:
        kind = str(returned.get("kind", "nothing"))[:80]
        return Outcome.failed(f"train_one_epoch returned {kind}, not a number", "wrong_value")
    if not isinstance(value, (int, float)):
        return Outcome.failed(f"train_one_epoch returned {str(value)[:20]}", "wrong_value")
    return Outcome.passed(f"it returned {value:.4g}")


def zero_grad(reading: Reading) -> Outcome:
    """Whether each step starts from cleared gradients, as far as the weights show it."""
    m = reading.match
    if m.still:
        return Outcome.not_checked("not checked: no weight moved, so nothing can be seen of it")
    recipe = m.recipe
    if recipe is None:
        later = reading.dirty[1:]
        if later and min(later) > 1e-9:
            return Outcome.failed(
                f"{reading.departure}; every backward pass after the first found gradients of an "
                f"earlier one still there",
                "missing_zero_grad",
            )
        return Outcome.not_checked(f"not checked: {reading.departure}, and not as any known loop")
    if "missing_zero_grad" in recipe.bugs:
        left = f" of norm {reading.dirty[1]:.2g}" if len(reading.dirty) > 1 else ""
        return Outcome.failed(
            f"the gradients of step 1{left} were still there at step 2: {reading.departure}, and "
            f"end where a loop ends that adds every batch's gradients to those before",
            "missing_zero_grad",
        )
    if recipe.beats in UNSEEN:
        return Outcome.not_checked("not checked: there was only one step")
    return Outcome.passed()


_BEAT_BUGS = (
    "zero_grad_after_backward",
    "step_before_backward",
    "missing_backward",
    "missing_step",
)


def _still(reading: Reading) -> Outcome:
    """No weight moved: the letters say which beat is missing or misplaced."""
    n, beats = len(reading.scene.sizes), reading.beats
    if "f" not in beats:
        return Outcome.failed("no weight moved: the model was never called")
    backward, steps = beats.count("b"), beats.count("s")
    if not steps and reading.others:
        return Outcome.failed(
            f"no weight moved: an optimizer stepped {reading.others} times, but neither the one "
            f"handed to the function nor for this model",
            "stale_optimizer",
        )
    if not backward and not steps:
        return Outcome.failed(
            f"no weight moved in {n} batches: there was no backward pass and no step",
            "missing_backward",
            "missing_step",
        )
    if not backward:
        return Outcome.failed(
            f"no weight moved: the optimizer stepped {steps} times, but no backward pass ever "
            f"reached the model's output",
            "missing_backward",
        )
    if not steps:
        return Outcome.failed(
            f"no weight moved: {backward} backward passes, and the optimizer never stepped",
            "missing_step",
        )
    if reading.stepped and max(reading.stepped) > 0:
        return Outcome.failed(
            f"no weight moved, although the optimizer stepped {steps} times with gradients: "
            f"the weights came back to where they began"
        )
    if beats.index("s") < beats.index("b"):
        return Outcome.failed(
            f"no weight moved: each of {steps} steps came before the backward pass of its batch, "
            f"and found no gradient",
            "step_before_backward",
        )
    return Outcome.failed(
        f"no weight moved: {backward} backward passes made gradients, and at each of {steps} steps "
        f"they were gone again",
        "zero_grad_after_backward",
    )


def beats(reading: Reading) -> Outcome:
    """Whether backward and step happen once per batch, in their order."""
    m = reading.match
    if m.still:
        return _still(reading)
    if m.recipe is None:
        own = "" if "s" in reading.beats else "; the optimizer handed over never stepped"
        return Outcome.failed(
            f"{reading.departure}{own} (their whole update is {m.moved:.2f} times as long as the "
            f"correct one)"
        )
    named = [b for b in m.recipe.bugs if b in _BEAT_BUGS]
    n = len(reading.scene.sizes)
    if "step_before_backward" in named:
        return Outcome.failed(
            "each step moved the weights by the gradients of the batch before: the step came "
            "before this batch's backward pass",
            *named,
        )
    if named:
        return Outcome.failed(
            f"the weights moved once in {n} batches: the step is not taken once per batch", *named
        )
    if m.recipe.beats == "first_only":
        return Outcome.failed(f"only the first of {n} batches was trained on")
    if m.recipe.beats == "ragged_skipped" and reading.beats.count("b") >= n:
        return Outcome.failed(
            "each batch's gradients were used one batch later, and the last batch's never: the "
            "step comes before the backward pass",
            "step_before_backward",
        )
    if m.recipe.beats == "ragged_skipped":
        short = reading.scene.sizes[-1]
        return Outcome.failed(f"the last batch, of {short} samples, was not trained on")
    if m.recipe.clip is not None:
        return Outcome.passed(f"with gradients clipped at {m.recipe.clip:g}")
    return Outcome.passed()


def judge_beats(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """`beats`, or the error that a step before the backward pass leads to."""
    if raised(evidence["main"]):
        return Outcome.failed(
            "the optimizer stepped between the forward and the backward pass of a batch: the "
            "backward pass then found weights changed that it needed, and raised",
            "step_before_backward",
        )
    return beats(read(ctx, evidence["main"]))


_SAID = {
    "softmax_before_cross_entropy": "whose cross-entropy is given probabilities in place of logits",
    "softmax_into_nll": "whose negative log-likelihood is given plain probabilities",
    "sum_instead_of_mean": "whose loss is summed over the batch, not averaged",
    "wrong_value": "that does not minimise the loss function handed to it",
}


def objective(reading: Reading, where: str = "") -> Outcome:
    """Whether what was differentiated is the loss function's mean over the batch."""
    m = reading.match
    if m.still:
        return Outcome.not_checked("not checked: no weight moved, so no gradient can be seen")
    if m.recipe is None:
        return Outcome.not_checked(f"not checked: {reading.departure}, and not as any known loop")
    named = [b for b in m.recipe.bugs if b in _SAID]
    if named:
        return Outcome.failed(
            f"{reading.departure}{where}, and end where a loop ends {_SAID[named[0]]}", *named
        )
    return Outcome.passed()


def judge_objective(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """`objective` on the plain scene, then on the one with another loss and optimizer."""
    first = objective(read(ctx, evidence["main"]))
    if first.status is not Status.PASSED:
        return first
    other = read_on(scene(ctx, "other"), require(evidence["other"]))
    where = ", when the loss function has label smoothing"
    second = objective(other, where)
    if second.status is Status.NOT_CHECKED:
        return Outcome.failed(f"{other.departure}{where} and the optimizer has momentum")
    return second


def mode(reading: Reading) -> Outcome:
    """Whether the model, handed over in evaluation mode, was trained in training mode."""
    if not reading.forwards:
        return Outcome.not_checked("not checked: the model was never called")
    recipe = reading.match.recipe
    if recipe is not None and not reading.match.still:
        right = recipe.training
    else:
        right = all(f.get("training") is True for f in reading.trained)
    if right:
        return Outcome.passed()
    return Outcome.failed(
        "the model came in evaluation mode, as after an evaluation, and was trained in that mode: "
        "its dropout was off",
        "missing_train_mode",
    )


def graph(reading: Reading) -> Outcome:
    """Whether the graphs of earlier steps are let go."""
    made = sum(f.get("graph") is True for f in reading.forwards)
    if made <= GRAPHS:
        return Outcome.not_checked("not checked: there were too few forward calls with a graph")
    if reading.graphs > GRAPHS:
        return Outcome.failed(
            f"the graphs of {reading.graphs} steps were alive at the same time: something keeps "
            f"each step's loss or output as a tensor",
            "loss_graph_accumulated",
        )
    return Outcome.passed()


def loss(reading: Reading) -> Outcome:
    """Whether the number returned is the mean over samples of the losses on the way."""
    value = reading.returned.get("value")
    if not isinstance(value, (int, float)):
        return Outcome.failed("no finite number was returned", "wrong_value")
    return losses.judge(
        float(value),
        reading.scene,
        reading.match,
        reading.snapshots,
        training=reading.training,
        reduced=reading.reduced,
    )


def reading_check(
    name: str, judge: Callable[[Reading], Outcome], teaching: str, *bugs: str
) -> StandardCheck:
    """A check that judges the plain replay alone."""

    def requests(ctx: Context) -> Mapping[str, ProbeRequest]:
        return {"main": request(ctx)}

    def decide(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
        return judge(read(ctx, evidence["main"]))

    return StandardCheck(name, requests, decide, teaching, bugs)


CHECKS: tuple[StandardCheck, ...] = (
    StandardCheck(
        "train_runs",
        lambda ctx: {"main": request(ctx)},
        judge_runs,
        "The function goes through the loader once and returns the mean training loss as a number.",
        ("missing_name", "wrong_value"),
    ),
    reading_check(
        "train_zero_grad",
        zero_grad,
        "Gradients add up in `.grad` until they are cleared.",
        "missing_zero_grad",
    ),
    StandardCheck(
        "train_beats",
        lambda ctx: {"main": request(ctx)},
        judge_beats,
        "Zero, forward, loss, backward, step: each once per batch, in this order.",
        (*_BEAT_BUGS, "stale_optimizer"),
    ),
    StandardCheck(
        "train_objective",
        lambda ctx: {"main": request(ctx), "other": request(ctx, "other")},
        judge_objective,
        "The loss function takes the model's raw logits and the labels, and its value is what the "
        "backward pass starts from.",
        tuple(_SAID),
    ),
    reading_check(
        "train_mode",
        mode,
        "The function cannot know in which mode it finds the model.",
        "missing_train_mode",
    ),
    reading_check(
        "train_loss",
        loss,
        "The mean over samples weights every sample the same, in a short last batch too.",
        "mean_of_batch_means",
        "loss_divided_twice",
        "wrong_value",
    ),
    reading_check(
        "train_graph",
        graph,
        "A tensor that requires a gradient keeps alive the graph that made it.",
        "loss_graph_accumulated",
    ),
)
