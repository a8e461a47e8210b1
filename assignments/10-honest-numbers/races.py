"""Judges of `race`, `epochs_to`, `plot_batches` and `shootout`.

A run is told by its optimizer: the calls of its network that were trained on before its steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograder.checks.base import Context, check
from autograder.checks.calls import Case, call
from autograder.model import Evidence, Outcome, ProbeRequest

from .public_checks import answer, play, played
from .runs import optimizers, parameters, recipe, split, trained, worked

# -- epochs_to -------------------------------------------------------------------------------------


def histories(rng: np.random.Generator) -> Iterator[Case]:
    """Curves that reach a level at once, in the middle, exactly, more than once, or never."""
    rising = np.sort(rng.uniform(0.3, 0.9, 8)).round(3).tolist()
    yield call({"val_accuracy": rising}, rising[4])
    yield call({"val_accuracy": rising, "train_loss": [1.0] * 8}, rising[0] - 0.01)
    yield call({"val_accuracy": rising}, (rising[5] + rising[6]) / 2)
    yield call({"val_accuracy": rising}, 0.95)
    yield call({"val_accuracy": [0.4, 0.81, 0.7, 0.79, 0.85]}, 0.8)
    yield call({"val_accuracy": [0.4, 0.5, 0.6, 0.9]}, 0.85)


def from_zero(history: Mapping[str, Any], accuracy: float) -> int | None:
    """Epochs are counted from 0."""
    found = [k for k, a in enumerate(history["val_accuracy"]) if a >= accuracy]
    return found[0] if found else None


def only_above(history: Mapping[str, Any], accuracy: float) -> int | None:
    """An accuracy that equals the level has not reached it."""
    found = [k for k, a in enumerate(history["val_accuracy"], 1) if a > accuracy]
    return found[0] if found else None


# -- race ------------------------------------------------------------------------------------------

EPOCHS, LIMIT, BATCH = 3, 606, 64
RATES = {"SGD": (0.01, 0.9), "Adam": (1e-3, 0.0)}
NETWORK = parameters((128, 64))


def _race(ctx: Context) -> ProbeRequest:
    return play(ctx, "race", [([11], {"epochs": EPOCHS, "limit": LIMIT})])


def _runs(one: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """For each optimizer the trained calls that its steps followed."""
    calls = trained(one)
    made = optimizers(one)
    found: list[list[Mapping[str, Any]]] = [[] for _ in made]
    open_calls = list(range(len(calls)))
    for step in one.get("steps") or []:
        if not isinstance(step, list) or [type(v) for v in step] != [int, int]:
            continue
        which, until = step
        if not 0 <= which < len(found):
            continue
        models = made[which].get("models") or []
        mine = [k for k in open_calls if k < until and calls[k].get("model") in models]
        found[which] += [calls[k] for k in mine]
        open_calls = [k for k in open_calls if k not in mine]
    return [run for run in found if run]


def _histories(one: Mapping[str, Any], main: Evidence) -> Outcome | None:
    """What is wrong with the histories that came back."""
    told = answer(one, main)
    for name in ("sgd", "adam"):
        history = told.keys.get(name) if told.kind == "dict" else None
        if history is None:
            said = f"race returned {told.words}; 'sgd' and 'adam' are asked for"
            return Outcome.failed(said, "wrong_history")
        values = history.keys.get("val_accuracy") if history.kind == "dict" else None
        curve = None if values is None else values.numeric()
        if curve is None or curve.shape != (EPOCHS,):
            has = "nothing" if values is None else values.words
            return Outcome.failed(
                f"'val_accuracy' of '{name}' is {has} after {EPOCHS} epochs", "wrong_history"
            )
        if not ((curve >= 0) & (curve <= 1)).all():
            said = f"'val_accuracy' of '{name}' holds no fractions"
            return Outcome.failed(said, "wrong_accuracy")
    return None


def _kinds(one: Mapping[str, Any]) -> Outcome | None:
    """What is wrong with the optimizers."""
    found = {str(o.get("kind"))[:40]: o for o in optimizers(one)}
    if set(found) != set(RATES):
        said = f"the race is between {', '.join(sorted(found)) or 'no optimizers'}; SGD and Adam"
        return Outcome.failed(f"{said} are asked for", "wrong_value")
    for kind, (rate, momentum) in RATES.items():
        at, push = (float(found[kind].get(k) or 0.0) for k in ("rate", "momentum"))
        if abs(at / rate - 1) > 0.03:
            bug = "lr_too_low" if at < rate else "lr_too_high"
            return Outcome.failed(f"{kind} races at a rate of {at:g}; {rate:g} is asked for", bug)
        if abs(push - momentum) > 1e-6:
            said = f"{kind} races with a momentum of {push:g}; {momentum:g} is asked for"
            return Outcome.failed(said, "wrong_value")
    return None


@check(
    bugs=(
        "missing_name",
        "wrong_history",
        "wrong_accuracy",
        "wrong_architecture",
        "wrong_value",
        "missing_zero_grad",
        "selects_on_test",
        "split_overlap",
        "lr_too_high",
        "lr_too_low",
    ),
    help="The optimizer makes the difference: the same first weights, and the same batches.",
    main=_race,
)
def race_fair(ctx: Context, main: Evidence) -> Outcome:
    """Whether two runs differ by their optimizer and by nothing else."""
    (one,) = played(main, 1)
    worked("race", one)
    fault = _histories(one, main) or split("race", one, LIMIT)
    if fault is not None or not trained(one):
        return fault or Outcome.passed("by the histories: no network was seen at work")
    fault = _kinds(one)
    if fault is not None:
        return fault
    runs = _runs(one)
    if len(runs) != 2:
        said = f"{len(runs)} optimizers trained a network; two are asked for"
        return Outcome.failed(said, "wrong_value")
    counts = {int(run[0].get("parameters") or 0) for run in runs}
    if counts != {NETWORK}:
        said = f"networks with {sorted(counts)} parameters race; MNISTMLP has {NETWORK:,}"
        return Outcome.failed(said, "wrong_architecture")
    starts = [float(run[0].get("at") or 0.0) for run in runs]
    if abs(starts[0] - starts[1]) > 1e-5 * max(1.0, *map(abs, starts)):
        more = "; the second goes on where the first one stopped" if _goes_on(runs) else ""
        said = f"the two networks do not begin with the same weights{more}"
        return Outcome.failed(said, "wrong_value")
    batches = [[c.get("which") for c in run] for run in runs]
    if batches[0] != batches[1]:
        return Outcome.failed(
            "the two networks are not trained on the same batches in the same order", "wrong_value"
        )
    return recipe(one, [], BATCH) or Outcome.passed()


def _goes_on(runs: list[list[Mapping[str, Any]]]) -> bool:
    """Whether the second run begins nearer to where the first ended than to where it began."""
    first, last, begins = (float(c.get("at") or 0.0) for c in (runs[0][0], runs[0][-1], runs[1][0]))
    return abs(begins - last) < abs(begins - first)


# -- plot_batches ----------------------------------------------------------------------------------


def losses(rng: np.random.Generator) -> Iterator[Case]:
    """Losses of a few epochs, and of a single one."""
    for epochs, batches in ((3, 12), (5, 7), (1, 9)):
        drawn = rng.uniform(0.2, 2.3, epochs * batches) * np.linspace(1, 0.4, epochs * batches)
        yield call(drawn.round(4).tolist(), batches)


def both(values: list[float], per_epoch: int) -> Mapping[str, Any]:
    """All losses over their numbers, and the means over the last batch of each epoch."""
    means = np.reshape(values, (-1, per_epoch)).mean(1).tolist()
    ends = [per_epoch * (k + 1) for k in range(len(means))]
    curves = [{"y": values, "x": list(range(1, len(values) + 1))}, {"y": means, "x": ends}]
    return {"panels": [{"curves": curves}], "only": True}


# -- shootout --------------------------------------------------------------------------------------

WIDTHS = ((256,), (128, 64, 32), (32,))
SHAPES, SEEDS, FEW = 2, (5, 6), 120


def _shootout(ctx: Context, turn: int) -> ProbeRequest:
    """Two shootouts; in the second turn the seeds come the other way round, which changes nothing
    unless something is carried over from one to the next.
    """
    seeds = list(SEEDS)[:: 1 if turn == 0 else -1]
    calls = [
        ([[list(w) for w in WIDTHS], [5]], {"epochs": 1, "limit": FEW}),
        ([[list(w) for w in WIDTHS[-SHAPES:]], seeds], {"epochs": 2, "limit": LIMIT}),
    ]
    return play(ctx, "shootout", calls, turn=turn)


def _rows(
    one: Mapping[str, Any], main: Evidence, widths: tuple[tuple[int, ...], ...], seeds: int
) -> Outcome | list[list[float]]:
    """The accuracies of each shape, or what is wrong with the rows."""
    told = answer(one, main)
    rows = []
    for sizes in widths:
        row = told.keys.get(str(sizes)) if told.kind == "dict" else None
        if row is None or row.kind != "dict":
            said = f"shootout returned {told.words}; the key {sizes} with a dictionary is missing"
            return Outcome.failed(said, "wrong_value")
        count = row.keys["parameters"].numeric() if "parameters" in row.keys else None
        if count is None or count.size != 1 or int(count.item()) != parameters(sizes):
            has = "nothing" if count is None else f"{count.reshape(-1)[:1].sum():,.0f}"
            return Outcome.failed(
                f"'parameters' of {sizes} says {has}; it has {parameters(sizes):,}", "wrong_value"
            )
        values = row.keys["accuracies"].numeric() if "accuracies" in row.keys else None
        if values is None or values.shape != (seeds,):
            has = "nothing" if values is None else f"{values.size} of them"
            said = f"'accuracies' of {sizes} holds {has} for {seeds} seeds"
            return Outcome.failed(said, "wrong_value")
        if not ((values >= 0) & (values <= 1)).all():
            return Outcome.failed(f"'accuracies' of {sizes} holds no fractions", "wrong_accuracy")
        rows.append(values.tolist())
    return rows


def _is_kept(one: Mapping[str, Any]) -> bool:
    """Whether a network is held by the optimizers of several runs."""
    models = [m for o in optimizers(one) for m in {*map(str, o.get("models") or [])}]
    return len(models) > len(set(models))


@check(
    bugs=(
        "missing_name",
        "wrong_value",
        "wrong_accuracy",
        "wrong_architecture",
        "incomplete_seeding",
        "missing_zero_grad",
        "selects_on_test",
        "split_overlap",
        "lr_too_high",
        "lr_too_low",
    ),
    help="For each shape its number of parameters, and an accuracy for each seed.",
    main=lambda ctx: _shootout(ctx, 0),
    other=lambda ctx: _shootout(ctx, 1),
)
def shootout_rows(ctx: Context, main: Evidence, other: Evidence) -> Outcome:
    """Whether each shape has its parameters and an accuracy for each seed, the same again."""
    first, second = played(main, 2)
    worked("shootout", second)
    rows = _rows(first, main, WIDTHS, 1)
    if isinstance(rows, Outcome):
        return rows
    rows = _rows(second, main, WIDTHS[-SHAPES:], len(SEEDS))
    if isinstance(rows, Outcome):
        return rows
    counts = {int(c.get("parameters") or 0) for c in trained(first)}
    missing = [w for w in WIDTHS if parameters(w) not in counts]
    if counts and missing:
        return Outcome.failed(
            f"no network with the {parameters(missing[0]):,} parameters of {missing[0]} is trained",
            "wrong_architecture",
        )
    fault = split("shootout", first, FEW) or recipe(second, [("AdamW", 1e-3)] * 8, 128)
    if fault is not None:
        return fault
    again = _rows(played(other, 2)[1], other, WIDTHS[-SHAPES:], len(SEEDS))
    if isinstance(again, list) and not np.allclose(rows, np.fliplr(again), atol=1e-9):
        said = (
            f"the seeds {SEEDS[0]} and {SEEDS[1]} gave {np.round(rows[0], 3).tolist()} and, the "
            f"other way round in another process, {np.round(again[0][::-1], 3).tolist()}"
        )
        if _is_kept(second):
            more = "a network that one seed has trained is trained on by the next"
            return Outcome.failed(f"{said}: {more}", "wrong_value")
        return Outcome.failed(said, "incomplete_seeding")
    return Outcome.passed()


__all__ = [
    "both",
    "from_zero",
    "histories",
    "losses",
    "only_above",
    "race_fair",
    "shootout_rows",
]
