"""Judges of `make_mlp` and `with_and_without`.

Where dropout stands is read off a few paths through the network, for which its weights are set:
each leads from a pixel or a bias to one logit, and a logit is zero exactly where a dropout on its
path dropped it. How often it is zero counts the dropouts, whatever they multiply by.

`with_and_without` is asked twice at most. First with a stand-in for `fit_with_validation`, which
trains nothing and notes what it was given: two networks, loaders, optimizers. A program that trains
in another way trains for real on a few hundred images. The images bear their numbers, so what was
read is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.checks.answers import Answer, read
from autograder.checks.base import Context, Inconclusive, check, field_of, probe, require, tensor_of
from autograder.checks.loops import raised
from autograder.model import Array, Evidence, Outcome, ProbeRequest, Status

P, CALLS, ROWS = 0.5, 250, 8
"""Each call draws for itself, so that a dropout with one mask a batch is counted, too."""
ERRORS = 5.0
SIZES = ((128, 784), (64, 128), (10, 64))
TRAIN, TEST, BITS = 700, 100, 11
EPOCHS, RATE, BATCH = 10, 1e-3, 64
CLOSE = 0.03
"""Relative: how well a share or a rate must agree with the one asked for."""

Found = Mapping[str, Evidence]


# -- where dropout stands --------------------------------------------------------------------------


def _weights() -> dict[str, Array]:
    """Weights of the paths. Logit 0 is a bias, 1 comes from a hidden unit of the second layer that
    is a bias, 2 from one of the first layer, and 3 from a pixel, each of them 1 where nothing is
    dropped. Logits 4 and 5 come from hidden units below zero, and are 0 behind a ReLU.
    """
    w = [np.zeros(s, dtype=np.float32) for s in SIZES]
    b = [np.zeros(s[0], dtype=np.float32) for s in SIZES]
    b[2][0] = 1.0
    b[1][1], w[2][1, 1] = 1.0, 1.0
    b[0][2], w[1][2, 2], w[2][2, 2] = 1.0, 1.0, 1.0
    w[0][3, 400], w[1][3, 3], w[2][3, 3] = 1.0, 1.0, 1.0
    b[1][4], w[2][4, 4] = -1.0, 1.0
    b[0][5], w[1][5, 5], w[2][5, 5] = -1.0, -1.0, 1.0
    return {f"w{i}": w[i] for i in range(3)} | {f"b{i}": b[i] for i in range(3)}


def _mlp(ctx: Context) -> Mapping[str, ProbeRequest]:
    images = np.ones((ROWS, 1, 28, 28), dtype=np.float32)
    args = {"p": P, "calls": CALLS, "seed": ctx.seed}
    tensors = {**_weights(), "x": images}
    return {
        "main": probe("mlp", args, tensors),
        "ready": probe("mlp", {**args, "ready_made": True}, tensors),
    }


def _layers(evidence: Evidence) -> Outcome:
    done = require(evidence)
    if "trained" not in done.tensors:
        shapes = field_of(done, "shapes", list)
        return Outcome.failed(
            f"make_mlp has parameters of the shapes {str(shapes)[:160]}, not 784-128-64-10's",
            "wrong_architecture",
        )
    first, again = (tensor_of(done, n, (ROWS, 10)) for n in ("evaluated", "again"))
    plain = tensor_of(done, "plain", (ROWS, 10))
    trained = tensor_of(done, "trained", (ROWS * CALLS, 10))
    if not np.array_equal(first, again):
        return Outcome.failed(
            "in evaluation mode the same images got different answers", "dropout_always_on"
        )
    if first[:, 4:6].any():
        return Outcome.failed(
            "a hidden unit below zero reaches the next layer: each is to have a ReLU",
            "no_nonlinearity" if np.allclose(first[:, 4], -1) else "wrong_architecture",
        )
    if not np.allclose(plain[:, :4], 1, atol=1e-5) or not np.allclose(first[:, :4], 1, atol=1e-5):
        return Outcome.failed(
            "ones that go through the layers do not come out as ones, without dropout",
            "wrong_architecture",
        )
    passed = [_dropouts(trained[:, k]) for k in range(4)]
    if passed[0]:
        return Outcome.failed("entries of the logits themselves are dropped", "wrong_architecture")
    where = {
        "the second hidden layer": (passed[1], 1),
        "the first hidden layer": (passed[2] - passed[1], 1),
        "the image": (passed[3] - passed[2], 0),
    }
    for name, (count, right) in where.items():
        if count != right:
            said = "is not dropped" if count < right else "is dropped"
            times = f" {count} times over" if count > 1 else ""
            return Outcome.failed(f"{name} {said}{times} in training mode", "wrong_architecture")
    return Outcome.passed()


def _dropouts(values: Array) -> int:
    """How many dropouts stand on a path, by the share of zeros that comes out of it."""
    share = 1 - float((values == 0).mean())
    counts = range(5)
    return min(counts, key=lambda n: abs((1 - P) ** n - share))


def _either(evidence: Found, judge: Any, *labels: str) -> Outcome:
    """The judge on each piece of evidence until one passes; else what the first said."""
    outcomes: list[Outcome] = []
    for label in labels:
        try:
            outcomes.append(judge(evidence[label]))
        except Inconclusive as e:
            outcomes.append(e.outcome)
        if outcomes[-1].status is Status.PASSED:
            break
    passed = [o for o in outcomes if o.status is Status.PASSED]
    return passed[0] if passed else outcomes[0]


@check(
    requests=_mlp,
    bugs=("missing_name", "wrong_architecture", "dropout_always_on", "no_nonlinearity"),
    help="Two dropouts, each after a ReLU; logits are left alone, and evaluation is deterministic.",
)
def mlp_dropout(ctx: Context, evidence: Found) -> Outcome:
    """Where dropout stands, and that it does nothing in evaluation."""
    return _either(evidence, _layers, "main", "ready")


# -- the pair --------------------------------------------------------------------------------------


def _images(ctx: Context) -> dict[str, Array]:
    """Images of ten patterns that bear their numbers in their first row: the training images from 0
    on, the test images after them.
    """
    rng = ctx.rng("pair", shared=True)
    count = TRAIN + TEST
    labels = rng.permutation(np.arange(count) % 10)
    patterns = (rng.random((10, 28, 28)) < 0.3) * 200.0
    images = np.clip(patterns[labels] + rng.normal(0, 60, (count, 28, 28)), 0, 255)
    bits = (np.arange(count)[:, None] >> np.arange(BITS - 1, -1, -1)) & 1
    images[:, 0, :BITS] = 255 * bits
    images[:, 0, BITS], images[:, 0, BITS + 1] = 0, 255
    found = np.rint(images).astype(np.uint8)
    kinds = labels.astype(np.uint8)
    return {
        "train_images": found[:TRAIN],
        "train_labels": kinds[:TRAIN],
        "test_images": found[TRAIN:],
        "test_labels": kinds[TRAIN:],
    }


def _histories(ctx: Context) -> list[dict[str, Any]]:
    """What the stand-in answers: a history for the first call, and another for the second."""
    rng = ctx.rng("pair/histories", shared=True)
    return [
        {
            "train_loss": np.sort(rng.uniform(0.1, 2.3, EPOCHS))[::-1].round(4).tolist(),
            "val_loss": rng.uniform(0.3, 2.3, EPOCHS).round(4).tolist(),
            "best_epoch": int(rng.integers(2, EPOCHS)),
            "stopped_early": False,
        }
        for _ in range(2)
    ]


def _pair(ctx: Context) -> Mapping[str, ProbeRequest]:
    seed = int(ctx.rng("pair/seed", shared=True).integers(1, 1000))
    args = {"p": 0.2, "epochs": EPOCHS, "seed": seed}
    images = _images(ctx)
    ray = ctx.rng("pair/ray", shared=True).normal(size=120_000)
    noting = {**args, "histories": _histories(ctx)}
    return {
        "main": probe("pair", noting, {**images, "ray": ray}),
        "ready": probe("pair", {**noting, "ready_made": True}, {**images, "ray": ray}),
        "trained": probe("pair", {**args, "ready_made": True}, images),
    }


def _fits(done: Evidence) -> list[Mapping[str, Any]]:
    return [f for f in field_of(done, "fits", list) if isinstance(f, dict)]  # type: ignore[union-attr]


def _numbers(value: Any) -> list[int]:
    found = value if isinstance(value, list) else []
    return [v for v in found if isinstance(v, int) and not isinstance(v, bool)]


def _run(evidence: Found) -> Evidence:
    """The run with the stand-in, where that was used; else the one that trained."""
    done = evidence["main"]
    if done.status == "done" and len(_fits(done)) == 2 and not done.data.get("raised"):
        return done
    if done.status in ("timeout", "memory"):  # then it is not tried again
        require(done)
    trained = require(evidence["trained"])
    error = trained.data.get("raised")
    if isinstance(error, dict):
        raise Inconclusive(raised(error))
    return trained


@check(
    requests=_pair,
    bugs=("missing_name", "selects_on_test", "split_overlap", "incomplete_seeding", "wrong_value"),
    help="Split the training images, five to one; whatever is chosen, the test images stay away.",
)
def pair_split(ctx: Context, evidence: Found) -> Outcome:
    """Which images trained, which validated, and whether any was a test image."""
    done = _run(evidence)
    fits = _fits(done)
    seen = set(_numbers(done.data.get("seen")))
    for one in fits:
        seen |= {*_numbers(one.get("train")), *_numbers(one.get("val"))}
    known = {n for n in seen if 0 <= n < TRAIN + TEST}
    if not known:
        return Outcome.failed("no image of the folder that it was given was used", "wrong_value")
    tests = sum(n >= TRAIN for n in known)
    if tests:
        return Outcome.failed(
            f"{tests} of {TEST} test images were looked at: they are kept for the very end",
            "selects_on_test",
        )
    for k, one in enumerate(fits, 1):
        train, val = _numbers(one.get("train")), _numbers(one.get("val"))
        both = set(train) & set(val)
        if both:
            return Outcome.failed(
                f"for network {k}, {len(both)} of {len(val)} validation images are trained on, too",
                "split_overlap",
            )
        # whoever leaves a short last batch out still trains on nearly all of them
        missing = TRAIN - len(set(train) | set(val))
        if abs(6 * len(set(val)) / TRAIN - 1) > CLOSE or missing >= BATCH:
            return Outcome.failed(
                f"for network {k}, {len(train)} of {TRAIN} images are trained on and {len(val)} "
                f"validate; five sixths and one sixth are asked for",
                "wrong_value",
            )
    if len(fits) == 2 and set(_numbers(fits[0].get("val"))) != set(_numbers(fits[1].get("val"))):
        return Outcome.failed(
            "the two networks are validated on different images", "incomplete_seeding"
        )
    return Outcome.passed()


def _told(done: Evidence) -> Mapping[str, Answer]:
    """The histories that came back, by name; `Inconclusive` where there are none."""
    answer = read(done.data.get("returned"), done)
    keys = answer.keys if answer.kind == "dict" else {}
    for name in ("plain", "dropout"):
        if name not in keys or keys[name].kind != "dict":
            raise Inconclusive(
                Outcome.failed(
                    f"with_and_without returned {answer.words}; 'plain' and 'dropout' are asked "
                    f"for, each with a history",
                    "wrong_history",
                )
            )
    return keys


def _losses(told: Mapping[str, Answer], name: str, kind: str = "train_loss") -> Array:
    """One list of a history that came back, (EPOCHS,); else `Inconclusive`."""
    found = told[name].keys.get(kind)
    values = None if found is None else found.numeric()
    if values is None or values.shape != (EPOCHS,):
        has = "nothing" if values is None else f"{values.size} entries"
        raise Inconclusive(
            Outcome.failed(
                f"'{kind}' of '{name}' holds {has} after {EPOCHS} epochs", "wrong_history"
            )
        )
    return values


def _noted(ctx: Context, done: Evidence) -> Outcome:
    """Two fits that were noted: what they were given, and where their histories went."""
    fits, told = _fits(done), _told(done)
    which = {}
    for name in ("plain", "dropout"):
        values = _losses(told, name)
        at = [
            k
            for k, h in enumerate(_histories(ctx))
            if np.allclose(values, h["train_loss"], rtol=1e-6)
        ]
        if not at:
            return Outcome.failed(f"'{name}' is not what fit_with_validation returned")
        which[name] = fits[at[0]]
    if which["plain"] is which["dropout"]:
        return Outcome.failed("'plain' and 'dropout' hold one and the same run", "wrong_history")
    if which["plain"].get("wanders") is True or which["dropout"].get("wanders") is not True:
        exchanged = which["plain"].get("wanders") is True and not which["dropout"].get("wanders")
        said = "'plain' is the run with dropout, and 'dropout' that without" if exchanged else ""
        return Outcome.failed(
            said or "one of the two networks is to have dropout, and the other none",
            "wrong_history" if exchanged else "wrong_architecture",
        )
    for name, one in which.items():
        fault = _given(name, one)
        if fault is not None:
            return fault
    starts = [float(one.get("start") or 0.0) for one in which.values()]
    if abs(starts[0] - starts[1]) > 1e-6 * max(map(abs, starts)):
        return Outcome.failed(
            "the two networks do not begin with the same weights: set the seed anew for each",
            "incomplete_seeding",
        )
    return Outcome.passed()


def _given(name: str, one: Mapping[str, Any]) -> Outcome | None:
    """What is wrong with what one network was trained with."""
    if one.get("held") != one.get("parameters"):
        return Outcome.failed(
            f"of the {one.get('parameters')} parameters of '{name}' its optimizer holds "
            f"{one.get('held')}",
            "stale_optimizer",
        )
    rate = float(one.get("rate") or 0.0)
    if str(one.get("optimizer")) != "Adam" or abs(rate / RATE - 1) > CLOSE:
        bug = "wrong_value" if str(one.get("optimizer")) != "Adam" else "lr_too_high"
        bug = "lr_too_low" if bug == "lr_too_high" and rate < RATE else bug
        return Outcome.failed(
            f"'{name}' is trained by {str(one.get('optimizer'))[:40]} at {rate:g}; Adam at "
            f"{RATE:g} is asked for",
            bug,
        )
    if one.get("epochs") != EPOCHS or int(one.get("patience") or 0) < EPOCHS:
        return Outcome.failed(
            f"'{name}' is trained for {one.get('epochs')} epochs with a patience of "
            f"{one.get('patience')}; {EPOCHS} and {EPOCHS} are asked for",
            "wrong_value",
        )
    sizes = _numbers(one.get("sizes"))
    if not sizes or max(sizes) != BATCH:
        return Outcome.failed(
            f"'{name}' is trained in batches of {max(sizes, default=0)}; {BATCH} is asked for",
            "wrong_value",
        )
    return None


def _trained(done: Evidence) -> Outcome:
    """Two trainings for real: an entry for each epoch, and a training loss that dropout raises."""
    told = _told(done)
    looked = sum(0 <= n < TRAIN for n in set(_numbers(done.data.get("seen"))))
    if looked < TRAIN * 2 / 3:
        return Outcome.failed(
            f"networks were asked about {looked} of {TRAIN} training images: nothing was trained "
            f"on them",
            "wrong_value",
        )
    ends = {}
    for name in ("plain", "dropout"):
        _losses(told, name, "val_loss")
        ends[name] = float(_losses(told, name)[-1])
    if not ends["dropout"] > ends["plain"]:
        return Outcome.failed(
            f"the last training loss is {ends['dropout']:.3f} with dropout and {ends['plain']:.3f} "
            f"without: dropout makes it the higher one",
            "wrong_value",
        )
    return Outcome.passed("by the losses of a training on a few hundred images")


@check(
    requests=_pair,
    bugs=(
        "missing_name",
        "wrong_history",
        "wrong_architecture",
        "wrong_value",
        "stale_optimizer",
        "incomplete_seeding",
        "lr_too_high",
        "lr_too_low",
    ),
    help="Two runs that differ by dropout alone: the same seed, split, optimizer and epochs.",
)
def pair_histories(ctx: Context, evidence: Found) -> Outcome:
    """What the two networks were trained with, and which history stands under which name."""
    done = _run(evidence)
    if done is not evidence["main"]:
        return _trained(done)
    return _either(evidence, lambda e: _noted(ctx, require(e)), "main", "ready")
