"""Bugs of the data: its order, its splits, what is done to it, and repeating a run on it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from .base import Finding, Log
from .timeline import Phase, phases

CLASSIFIES = (
    "cross_entropy",
    "nll_loss",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
)
EXACT, OFF = 2e-4, 2e-3
"""How close to standardised counts as exact, and how far is surely not."""
SHOWN = 120
"""So many characters of a transform's text are shown."""
SHARE = 0.01
"""The least part of an evaluation set that must be shared."""


def _by_pass(log: Log) -> dict[int, Phase]:
    return {p.number: p for p in phases(log) if p.number >= 0}


def _roles(log: Log) -> tuple[list[list[int]], list[list[int]]]:
    """For each loader, the numbers of its training passes and of its evaluation passes."""
    loaders = log.section("data", "loaders")
    found = _by_pass(log)
    training: list[list[int]] = [[] for _ in loaders]
    evaluation: list[list[int]] = [[] for _ in loaders]
    for number, told in enumerate(log.section("data", "passes")):
        phase, loader = found.get(number), told["loader"]
        if phase is not None and 0 <= loader < len(loaders):
            (training if phase.trains else evaluation)[loader].append(number)
    return training, evaluation


def train_not_shuffled(log: Log) -> Iterator[Finding]:
    """Whole training passes over a classifier's loader all in one order."""
    training, _ = _roles(log)
    passes, found = log.section("data", "passes"), _by_pass(log)
    for loader, numbers in enumerate(training):
        whole = [n for n in numbers if passes[n]["whole"] and passes[n]["batches"] > 1]
        orders = {passes[n]["order"] for n in whole}
        if len(whole) < 2 or len(orders) > 1 or not passes[whole[0]]["first"]:
            continue
        events = [e for n in whole for e in found[n].events]
        classifies = any(
            e["k"] == "loss" and e["fn"] in CLASSIFIES and len(e["input"]) <= 2 for e in events
        )
        sequence = any(e["k"] == "forward" and len(e["shape"]) == 3 for e in events)
        if not classifies or sequence:  # a series has an order for a reason
            continue
        if log.counts.get("step") and not any(e["k"] == "step" for e in events):
            continue  # differentiated, but not to learn from it: an attack, a map of what matters
        first = passes[whole[0]]["first"][:6]
        forward = next((e for e in events if e["k"] == "forward"), None)
        sampler = log.section("data", "loaders")[loader]["sampler"]
        yield Finding(
            "train_not_shuffled",
            f"{len(whole)} epochs of training saw the same {passes[whole[0]]['rows']} samples in "
            f"one order (it begins {', '.join(map(str, first))}; the sampler is a {sampler})",
            **(log.where(forward) if forward else {}),
        )
        return


def same_permutation(log: Log) -> Iterator[Finding]:
    """One model, a new loader for each epoch, and the same order of chance from each."""
    found = _by_pass(log)
    orders: dict[tuple[Any, ...], list[int]] = {}
    for number, told in enumerate(log.section("data", "passes")):
        phase = found.get(number)
        mixed = told["first"] != sorted(told["first"])
        if phase is not None and phase.trains and told["whole"] and mixed and phase.forwards:
            key = (phase.forwards[0]["model"], told["order"], told["rows"])
            orders.setdefault(key, []).append(number)
    for (_, _, rows), numbers in orders.items():
        loaders = {log.section("data", "passes")[n]["loader"] for n in numbers}
        if len(loaders) > 1:
            yield Finding(
                "train_not_shuffled",
                f"{len(numbers)} epochs of training, each with a loader of its own, saw the same "
                f"{rows} samples in one order of chance: the same seed drew it each time",
                **log.where(found[numbers[0]].forwards[0]),
            )
            return


def eval_shuffled(log: Log) -> Iterator[Finding]:
    """Evaluation in an order of chance: harmless, and worth a word."""
    training, evaluation = _roles(log)
    passes = log.section("data", "passes")
    loaders = log.section("data", "loaders")
    for loader, numbers in enumerate(evaluation):
        if training[loader]:
            continue  # a look at the training set, which is rightly shuffled
        whole = [n for n in numbers if passes[n]["whole"] and passes[n]["batches"] > 1]
        if len({passes[n]["order"] for n in whole}) > 1 and "Random" in loaders[loader]["sampler"]:
            yield Finding(
                "eval_shuffled",
                f"{len(whole)} evaluation passes came in different orders; the figures are the "
                "same, but no two lists of predictions line up",
                kind="note",
            )
            return


def eval_augmented(log: Log) -> Iterator[Finding]:
    """An evaluation loader whose data set gives another input each time an item is read."""
    training, evaluation = _roles(log)
    passes, found = log.section("data", "passes"), _by_pass(log)
    loaders, datasets = log.section("data", "loaders"), log.section("data", "datasets")
    learnt = {loaders[i]["dataset"] for i, numbers in enumerate(training) if numbers}
    looks = _looks(log)
    for loader, numbers in enumerate(evaluation):
        dataset = datasets[loaders[loader]["dataset"]]
        if not numbers or dataset["varies"] != "input" or _several(log, loader, numbers):
            continue
        if loaders[loader]["dataset"] in learnt or loader in looks:
            continue  # a look at what is trained on, augmented as it is there
        phase = found[numbers[0]]
        if len(phase.forwards) > 1.5 * max(1, passes[numbers[0]]["batches"]):
            continue  # each batch several times: augmentation at test time, on purpose
        yield Finding(
            "eval_augmented",
            f"reading the same items of the evaluation set ({dataset['class']}) again gave other "
            f"images each time; its transform is {_short(dataset['transform'])}",
            **log.where(phase.forwards[0]),
        )
        return


def _short(text: str) -> str:
    """A transform on one line, whole words of it."""
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[:SHOWN].rpartition(" ")[0] + " …"


def _looks(log: Log) -> set[int]:
    """The loaders whose samples are all trained on, in a program that evaluates on others as well:
    what they give is looked at, and measures nothing.
    """
    related = [p for p, _ in _trained_on(log) if p["loaders"][0] != p["loaders"][1]]
    if all(p["overlap"]["shared"] for p in related):
        return set()
    inside = [p for p in related if 0 < p["overlap"]["second"] == p["overlap"]["within"]]
    return {p["loaders"][1] for p in inside}


def _several(log: Log, loader: int, numbers: list[int]) -> bool:
    """Whether passes over an evaluation loader follow each other with no training between."""
    passes = log.section("data", "passes")
    return any(b == a + 1 and passes[a]["loader"] == loader for a, b in itertools.pairwise(numbers))


def _trained_on(log: Log) -> Iterator[tuple[Mapping[str, Any], int]]:
    """Pairs of (training, evaluation) loaders that belong together, with the evaluation's pass:
    the evaluation came after training over that loader and before training over another.
    """
    training, evaluation = _roles(log)
    of_pass = {n: ("train", i) for i, numbers in enumerate(training) for n in numbers}
    of_pass |= {n: ("eval", i) for i, numbers in enumerate(evaluation) for n in numbers}
    pairs = {tuple(p["loaders"]): p for p in log.section("data", "pairs")}
    current, told = -1, set()
    for number in sorted(of_pass):
        role, loader = of_pass[number]
        if role == "train":
            current = loader
        elif (current, loader) in pairs and (current, loader) not in told:
            told.add((current, loader))
            yield pairs[current, loader], number


def split_overlap(log: Log) -> Iterator[Finding]:
    """Samples that were trained on are evaluated on, in part."""
    related = [(p, n) for p, n in _trained_on(log) if p["loaders"][0] != p["loaders"][1]]
    found = _by_pass(log)
    clean = any(not p["overlap"]["shared"] for p, _ in related)
    for pair, number in related:
        shared, first, second = (pair["overlap"][k] for k in ("shared", "first", "second"))
        pool, within = pair["overlap"]["pool"], pair["overlap"]["within"] == second
        # all of the training set, or a part of it, looked at on purpose
        everything = shared == first == second or (within and pool == second)
        called = log.section("data", "loaders")[pair["loaders"][1]]["names"]
        claims = any(word in n.lower() for n in called for word in ("test", "val"))
        if shared < max(1, SHARE * second) or (within and clean) or (everything and not claims):
            continue
        forwards = found[number].forwards
        yield Finding(
            "split_overlap",
            f"{shared} of the {second} samples evaluated on are among the {first} trained on"
            + (f", though the loader is called '{called[0]}'" if everything else ""),
            **(log.where(forwards[0]) if forwards else {}),
        )
        return


def rows_overlap(log: Log) -> Iterator[Finding]:
    """Rows that a model learnt from come up, in part, among those it is judged by: the same as
    `split_overlap`, seen at the model's own door.
    """
    restored = {e["model"] for e in log.of_kind("restore")}
    for told in log.section("rows", "shared"):
        partly = 0 < told["shared"] < told["judged"] and told["unseen"] > 0
        partly = partly and told["covered"] and told["mixed"]
        seldom = told["calls"] <= 0.6 * told["steps"]  # not a part of every step
        enough = told["shared"] >= 0.1 * told["judged"] and told["least"] >= 8
        if partly and seldom and enough and told["model"] not in restored:
            yield Finding(
                "split_overlap",
                f"{told['shared']} of the {told['judged']} rows evaluated on are among the "
                f"{told['trained']} trained on",
                **log.where(told),
                weight=0.5,
            )
            return


def batches_in_order(log: Log) -> Iterator[Finding]:
    """Batches made by hand that come round in one order: a fault where each holds few classes."""
    if log.counts.get("batch"):
        return  # a loader made them: `train_not_shuffled`
    for told in log.section("rows", "orders"):
        losses = [e for e in log.of_kind("loss") if e.get("classes") and e["fn"] in CLASSIFIES]
        losses = [e for e in losses[: told["batches"]] if len(e["input"]) == 2]
        every = max((e["input"][1] for e in losses), default=0)
        held = sum(e["classes"] for e in losses) / max(1, len(losses))
        # what batches of this size hold on average when classes are mixed evenly
        mixed = sum(every * (1 - (1 - 1 / every) ** e["rows"]) for e in losses) / max(
            1, len(losses)
        )
        pure = bool(losses) and held <= 0.75 * mixed
        yield Finding(
            "train_not_shuffled",
            f"the same {told['batches']} batches came round {told['repeats']} times in one order"
            + (f", each with {held:.1f} of the {every} classes on average" if pure else ""),
            kind="bug" if pure else "note",
            **log.where(told),
        )
        return


def stats_leakage(log: Log) -> Iterator[Finding]:
    """Training and evaluation inputs are exactly standardised together, and neither is alone."""
    for pair, number in _trained_on(log):
        if pair["loaders"][0] != pair["loaders"][1] and not pair["overlap"]["shared"]:
            forwards = _by_pass(log)[number].forwards
            said = _leak(pair["scaled"])
            if said:
                where = log.where(forwards[0]) if forwards else {}
                yield Finding("stats_leakage", said, **where)
                return
    for told in log.section("rows", "shared"):
        said = "" if told["shared"] or told["least"] < 8 else _leak(told["scaled"])
        if said:
            yield Finding("stats_leakage", said, **log.where(told))
            return


def _leak(told: Mapping[str, Mapping[str, float]]) -> str:
    """What the scales of training inputs, evaluation inputs and both tell of a leak; "" if none."""
    train, test, union = told["first"], told["second"], told["union"]
    if not train or not test or not union:
        return ""
    for mean, std in (("feature_mean", "feature_std"), ("mean", "std")):
        if _exact(union, mean, std) and not _exact(train, mean, std):
            return (
                "training and evaluation inputs have mean 0 and deviation 1 only together (off by "
                f"{union[mean]:.1g}); the training inputs alone are off by {train[mean]:.2g}: the "
                "statistics were taken from both"
            )
        if _exact(test, mean, std) and _exact(train, mean, std):
            return (
                f"the {int(test['rows'])} evaluation inputs have mean 0 and deviation 1 by "
                "themselves: scaled by their own statistics, not by the training set's"
            )
    alone = train["low"] > OFF or train["high"] > OFF
    if union["low"] < EXACT and union["high"] < EXACT and alone:
        return (
            "every feature reaches exactly from 0 to 1 only over training and evaluation inputs "
            "together: the extremes were taken from both"
        )
    return ""


def _exact(told: Mapping[str, float], mean: str, std: str) -> bool:
    return told[mean] < EXACT and told[std] < EXACT


def wrong_device(log: Log) -> Iterator[Finding]:
    """With an accelerator in sight, the program mixes devices."""
    error = (log.accelerated or {}).get("error")
    if not isinstance(error, dict):
        return
    message = str(error.get("message"))
    mixed = "same device" in message or (
        "Input type" in message and "weight type" in message and "cuda" in message.lower()
    )
    if mixed:
        yield Finding(
            "wrong_device",
            "on a machine with an accelerator it raises: " + message.splitlines()[0][:240],
            line=error.get("line"),
            cell=error.get("cell"),
        )


def incomplete_seeding(log: Log) -> Iterator[Finding]:
    """A program that seeds itself, and yet differs between two runs."""
    seeded = log.sections.get("seeds", {}).get("seeded", [])
    if len(log.seeds) != 2 or not seeded or log.sections["seeds"].get("threads"):
        return
    first, second = (s.get("figures") for s in log.seeds)
    if not first or not second or any(s.get("error") for s in log.seeds):
        return
    seen = min(len(first), len(second))  # the clock may have ended one of them earlier
    if first[:seen] == second[:seen]:
        return
    kinds = sorted({s["of"] for s in seeded})
    claims = len(kinds) > 1 or bool(log.sections["seeds"].get("spoken"))
    at = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
    when = "the first weights" if at == 0 else f"the weights after step {at}"
    yield Finding(
        "incomplete_seeding",
        f"two runs of the same program differ from {when} on, although it seeds "
        f"{' and '.join(kinds)}",
        kind="bug" if claims else "note",
        **log.where(seeded[0]),
    )


FINDERS = (
    train_not_shuffled,
    same_permutation,
    eval_shuffled,
    eval_augmented,
    split_overlap,
    rows_overlap,
    batches_in_order,
    stats_leakage,
    wrong_device,
    incomplete_seeding,
)
