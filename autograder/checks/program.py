"""Judges of `train_one_epoch()` in a program of globals: replayed as a function would be, and more.

The replay, its reading and its verdicts are those of `training`; what differs is said here.

* The loss is the program's own `criterion`. Where the weights then end at no known place, a
  second replay with a plain cross-entropy decides: the handout leaves a smoothed or weighted
  criterion free.
* A path that no known loop takes is still right where each beat stands in its place and the first
  step has the direction of the true gradient: clipping, schedules and weightings look like that.
* The mode may be set around the call as well as in it, so it is judged by the program's own run.
* Its objects may be held where the replay does not exchange them, so what is not passed gets a
  second opinion from a deep exchange (`second_opinion`).
* There is a scaler: used once per batch, and with a large scale the optimizer must see the same
  gradients as without one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from ..model import Evidence, Outcome, ProbeRequest, Status
from . import training
from .base import Context, Inconclusive, Judge, Requests, StandardCheck, field_of, require
from .device import accelerated_request
from .reading import Reading, raised, read, scene
from .replay import Recipe, Scene, simulate

DEEP = "deep "
"""What the name of a piece of evidence begins with where the exchange went deep."""
SOUND = 2
LARGE_SCALE = 65536.0
ALONG = 0.95
"""Cosine to the true first step from which a departing path counts as a variation of it."""
SAME = (0.5, 2.0)
"""How far the norm that an optimizer sees may move when the scale does; a scale left in moves it
by four orders of magnitude."""


@lru_cache(maxsize=64)
def _request(
    made: Scene, seed: int, criterion: str, scale: float | None, mode: bool, deep: bool
) -> ProbeRequest:
    args = {
        "batch": made.batch,
        "lr": made.lr,
        "momentum": made.momentum,
        "smoothing": made.smoothing,
        "seed": seed,
        "criterion": criterion,
        "scale": scale,
        "training": mode,
        **({"deep": True} if deep else {}),
    }
    return ProbeRequest("globals_loop:epoch", args, made.tensors())


def replay(
    ctx: Context,
    criterion: str = "own",
    *,
    scale: float | None = None,
    mode: bool = True,
    deep: bool,
) -> ProbeRequest:
    """The replay of the program's epoch: whose criterion, which scale, left in which mode, and
    whether the exchange of its objects goes deep.
    """
    return _request(scene(ctx), ctx.seed, criterion, scale, mode, deep)


def modes_request() -> ProbeRequest:
    """The program's own run over a few batches, with the mode of each forward call."""
    return ProbeRequest("wired:modes", {"batches": 2}, start="fresh")


def twice(asked: Callable[[bool], Mapping[str, ProbeRequest]]) -> Mapping[str, ProbeRequest]:
    """The requests for a first opinion, and those for the second, which go deep."""
    return {
        (DEEP if deep else "") + label: request
        for deep in (False, True)
        for label, request in asked(deep).items()
    }


def _opinion(judge: Judge, ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    try:
        return judge(ctx, evidence)
    except Inconclusive as e:
        return e.outcome


def second_opinion(
    judge: Judge, label: str = "main", rank: Callable[[Context, Evidence], int] | None = None
) -> Judge:
    """`judge`, and where it does not pass, or not on a sound replay, `judge` on a deep exchange.

    `label` is the replay that tells whether the deep exchange reached the watched network. Where it
    did, and explains itself no worse than the first (`rank`), it decides, for or against: it binds
    all that the first one binds and more, and what a loop does wrong it does in both. Where the
    program raised because some other thing belonged to the old objects, the first one stands.
    """

    def decided(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
        first = _opinion(judge, ctx, evidence)
        if first.status in (Status.TIMEOUT, Status.MEMORY):  # so would the second, for as long
            return first
        sound = rank is None or rank(ctx, evidence[label]) == SOUND
        if first.status is Status.PASSED and sound:
            return first
        plain, deep = evidence[label], evidence[DEEP + label]
        reached = deep.status == "done" and "f" in str(deep.data.get("beats"))
        if not reached or (rank is not None and rank(ctx, deep) < rank(ctx, plain)):
            return first
        labels = [name for name in evidence if not name.startswith(DEEP)]
        return _opinion(judge, ctx, {name: evidence[DEEP + name] for name in labels})

    return decided


def _loop_requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    return twice(
        lambda deep: {"main": replay(ctx, deep=deep), "plain": replay(ctx, "plain", deep=deep)}
    )


def reading(ctx: Context, evidence: Mapping[str, Evidence]) -> Reading:
    """The replay under the program's criterion, or, where that names no loop and a plain
    cross-entropy does, the replay under that.
    """
    own = read(ctx, evidence["main"])
    if not own.forwards:
        raise Inconclusive(Outcome.failed("train_one_epoch never called the global 'model'"))
    if own.match.recipe is None and not own.match.still and evidence["plain"].status == "done":
        plain = read(ctx, evidence["plain"])
        if plain.match.recipe is not None and not plain.match.still:
            return plain
    return own


def orderly(seen: Reading) -> bool:
    """Every batch had its forward, backward and step in this order, from clean gradients."""
    letters = re.sub("[ez]", "", seen.beats)
    clean = all(norm <= 1e-9 for norm in seen.dirty)
    moved = bool(seen.stepped) and min(seen.stepped) > 0
    return re.fullmatch("(h+f+b+s)+h*", letters) is not None and clean and moved


def along(seen: Reading) -> float:
    """Cosine between the first step seen and the correct loop's first step; 0 where unknown."""
    start = seen.scene.start
    moved = [w for w in np.asarray(seen.snapshots, dtype=np.float64) - start if np.any(w)]
    right = simulate(seen.scene, Recipe()).weights[1] - start
    if not moved:
        return 0.0
    return float(moved[0] @ right / (np.linalg.norm(moved[0]) * np.linalg.norm(right)))


def _rank(ctx: Context, evidence: Evidence) -> int:
    """How well a replay explains itself: `SOUND` as a loop without a bug, 1 by a known bug, 0 not.

    The parts of one that is not sound are not judged one by one: with a held reference bypassed,
    a loop that clears its gradients too early looks like one that only never clears them.
    """
    try:
        seen = read(ctx, evidence)
    except Inconclusive:
        return 0
    if seen.match.still:
        return 0 if seen.others else 1  # what stepped was not the watched optimizer
    if seen.match.recipe is None:
        return SOUND if orderly(seen) and along(seen) >= ALONG else 0
    return 1 if seen.match.recipe.bugs else SOUND


def _free(judge: Callable[[Reading], Outcome], seen: Reading) -> Outcome:
    """`judge`, but an unknown path of orderly beats along the true gradient passes."""
    unknown = seen.match.recipe is None and not seen.match.still
    # the beats are only told, the first step is computed: without it nothing is taken on trust
    if unknown and orderly(seen) and along(seen) >= ALONG:
        return Outcome.passed("another path than the plain loop's, with every beat in place")
    return judge(seen)


def _objective(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """`training.objective`; raw outputs into NLLLoss are judged with the program's own model."""
    seen = reading(ctx, evidence)
    recipe = seen.match.recipe
    if recipe is not None and recipe.objective == "raw_nll":
        outputs = evidence["main"].data.get("outputs")
        if outputs == "log_probabilities":
            return Outcome.passed("log-probabilities into NLLLoss are the same loss")
        if outputs == "probabilities":
            return Outcome.failed(
                "the model's rows sum to 1 and go into NLLLoss as they are", "softmax_into_nll"
            )
        return Outcome.failed(
            "the model's raw outputs go into NLLLoss, which expects log-probabilities"
        )
    return _free(training.objective, seen)


def _loss(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    seen = reading(ctx, evidence)
    verdict = training.loss(seen)
    if verdict.status is Status.PASSED or evidence["plain"].status != "done":
        return verdict
    # the program's criterion may weigh its losses; the sum over samples is judged with a plain one
    return training.loss(read(ctx, evidence["plain"])) if seen.match.recipe is None else verdict


def calls(evidence: Evidence, function: str) -> list[Mapping[str, Any]]:
    """The calls of `function` in the program's own run that used a model."""
    if evidence.status != "done":
        return []
    found = [c for c in field_of(evidence, "calls", list) if isinstance(c, Mapping)]
    counts = ("forwards", "training", "graphs")
    return [
        c
        for c in found
        if c.get("function") == function
        and all(isinstance(c.get(k), int) for k in counts)
        and c["forwards"] > 0
    ]


def _mode_requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    return twice(
        lambda deep: {"main": modes_request(), "after": replay(ctx, mode=False, deep=deep)}
    )


def _mode(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """By the program's own epochs where it ran two; else by a call on a model left in eval()."""
    epochs = calls(evidence["main"], "train_one_epoch")
    for k, call in enumerate(epochs):
        if call["training"] < call["forwards"]:
            return Outcome.failed(
                f"in epoch {k + 1} the model was trained in evaluation mode", "missing_train_mode"
            )
    if len(epochs) > 1:
        return Outcome.passed()
    return training.mode(read(ctx, evidence["after"]))


def _scaler_requests(ctx: Context) -> Mapping[str, ProbeRequest]:
    return twice(
        lambda deep: {
            "main": replay(ctx, deep=deep),
            "scaled": replay(ctx, scale=LARGE_SCALE, deep=deep),
            "accelerated": accelerated_request(),
        }
    )


def _counts(evidence: Evidence, name: str = "calls") -> dict[str, int]:
    raw = field_of(evidence, name, dict)
    names = ("scale", "unscale_", "step", "update")
    return {k: v if isinstance(v := raw.get(k), int) else 0 for k in names}


def _scaler(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """Calls are counted where the scaler is enabled, if that replay came through, else where an
    accelerator seems to be; the size of the first step's gradients is compared between a large
    scale and none.
    """
    main, scaled = evidence["main"], evidence["scaled"]
    seen = read(ctx, main)
    batches = len(seen.scene.sizes)
    if "f" not in seen.beats or ("s" not in seen.beats and seen.match.still):
        return Outcome.not_checked("not checked: the loop took no step")
    counts = _counts(main)
    if scaled.status == "done" and _counts(scaled)["step"]:
        counts = _counts(scaled)
    if not counts["step"]:
        there = evidence["accelerated"]
        used = _counts(there, "scaler") if there.status == "done" else counts
        if used["step"] and used["scale"] and used["update"] == used["step"]:
            return Outcome.passed("used where there is an accelerator")
        return Outcome.failed(
            f"in {batches} batches the scaler's step was never called", "wrong_value"
        )
    if not counts["scale"] and "b" not in seen.beats:
        return Outcome.not_checked("not checked: no backward pass, so no loss to scale")
    if not counts["scale"]:
        return Outcome.failed(
            f"in {batches} batches no loss was scaled by the scaler", "wrong_value"
        )
    if counts["update"] != counts["step"]:
        return Outcome.failed(
            f"the scaler was updated {counts['update']} times in {counts['step']} steps",
            "wrong_value",
        )
    if not seen.stepped or not 0 < seen.stepped[0] < np.inf:
        return Outcome.passed("the calls are right; the first step had no gradients to compare")
    if scaled.status != "done":
        require(scaled)
    large = read(ctx, scaled)
    if any(f.get("dtype") == "float16" for f in large.forwards):
        return Outcome.passed("the calls are right; float16 on a CPU overflows at a large scale")
    if not large.stepped:
        return Outcome.failed(
            f"with a scale of {LARGE_SCALE:g} the optimizer never stepped", "wrong_value"
        )
    ratio = large.stepped[0] / seen.stepped[0]
    if SAME[0] <= ratio <= SAME[1]:
        return Outcome.passed()
    told = f"with a scale of {LARGE_SCALE:g} the first step saw gradients {ratio:.2g} times as long"
    if ratio < 1:
        return Outcome.failed(told, "clip_before_unscale")
    return Outcome.failed(told, "wrong_value")


def _check(
    name: str,
    judge: Judge,
    teaching: str,
    *bugs: str,
    requests: Requests = _loop_requests,
) -> StandardCheck:
    return StandardCheck(name, requests, second_opinion(judge, rank=_rank), teaching, bugs)


def _zero_grad(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    return _free(training.zero_grad, reading(ctx, evidence))


def _beats(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    if raised(evidence["main"]):
        return training.judge_beats(ctx, evidence)
    return _free(training.beats, reading(ctx, evidence))


CHECKS: tuple[StandardCheck, ...] = (
    _check(
        "epoch_runs",
        training.judge_runs,
        "train_one_epoch works on the globals of the program, goes through train_loader once, and "
        "returns the mean training loss as a number.",
        "missing_name",
        "wrong_value",
    ),
    _check(
        "epoch_zero_grad",
        _zero_grad,
        "Gradients add up in `.grad` until they are cleared.",
        "missing_zero_grad",
    ),
    _check(
        "epoch_beats",
        _beats,
        "Zero, forward, loss, backward, step: each once per batch, in this order.",
        "zero_grad_after_backward",
        "step_before_backward",
        "missing_backward",
        "missing_step",
        "stale_optimizer",
    ),
    _check(
        "epoch_objective",
        _objective,
        "The criterion takes raw logits and labels, and its value is what the backward pass starts "
        "from.",
        "softmax_before_cross_entropy",
        "softmax_into_nll",
        "sum_instead_of_mean",
    ),
    StandardCheck(
        "epoch_mode",
        _mode_requests,
        second_opinion(_mode, "after"),
        "Evaluation leaves the model in evaluation mode; somebody has to switch it back before the "
        "next epoch.",
        ("missing_train_mode",),
    ),
    _check(
        "epoch_loss",
        _loss,
        "The mean over samples weights every sample the same, in a short last batch too.",
        "mean_of_batch_means",
        "loss_divided_twice",
        "wrong_value",
    ),
    _check(
        "epoch_scaler",
        _scaler,
        "A gradient scaler multiplies the loss before the backward pass and divides the gradients "
        "before the step, so that small gradients survive 16-bit numbers. It does so only if all "
        "of its parts are used, once per batch: scale, step, update.",
        "clip_before_unscale",
        "wrong_value",
        requests=_scaler_requests,
    ),
)
