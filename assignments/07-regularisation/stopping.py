"""What `EarlyStopping` is told, and the known mistakes. A run ends where it has to stop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder.checks.calls import Run, Var, call, do, get, own, run

Floats = list[float]


def _run(losses: Sequence[float], patience: int, min_delta: float = 0.0, *more: Any) -> Run:
    """A run over these losses, up to where it stops; then `best` and `best_step`."""
    taken, stopper = [], Stopper(patience, min_delta)
    for loss in losses:
        taken.append(do("step", float(loss)))
        if stopper.step(loss):
            break
    new = call(patience, min_delta=min_delta) if min_delta else call(patience)
    return run(new, *more, *taken)


def _falling(rng: np.random.Generator, steps: int, low: float = 0.5) -> Floats:
    """Losses that fall, the last of them `low`."""
    return [*np.sort(rng.uniform(low + 0.05, 2.0, steps - 1))[::-1].round(3).tolist(), low]


def curves(rng: np.random.Generator) -> Iterator[Run]:
    """Losses that fall and then never come back: they rise, jump up and fall slowly, wobble, or
    only come up to the best again.
    """
    for patience in (1, 2, 3, 4):
        rising = (0.5 + np.sort(rng.uniform(0.01, 0.5, 8))).round(3).tolist()
        slow = rising[::-1]
        wobbling = rng.permutation(rising).tolist()
        for after in (rising, slow, wobbling, [0.5] * 5):
            yield _run(_falling(rng, int(rng.integers(2, 6))) + after, patience)
    yield _run(_falling(rng, 12), 2)  # it never has to stop


def resets(rng: np.random.Generator) -> Iterator[Run]:
    """Bad stretches, each one step shorter than the patience, with improvements in between."""
    for patience in (2, 3, 4):
        losses, best = [1.5], 1.5
        for _ in range(4):
            bad = (best + rng.uniform(0.02, 0.3, patience - 1)).round(3).tolist()
            best = round(best - float(rng.uniform(0.02, 0.2)), 3)
            losses += [*bad, best]
        losses += (best + np.sort(rng.uniform(0.02, 0.3, patience + 2))).round(3).tolist()
        yield _run(losses, patience)


def small_steps(rng: np.random.Generator) -> Iterator[Run]:
    """Losses that creep down by less than `min_delta` at a time, and by more now and then."""
    for patience in (2, 3):
        delta = float(np.round(rng.uniform(0.05, 0.1), 3))
        losses = [1.0]
        for _ in range(2):
            creeping = losses[-1] - delta * np.sort(rng.uniform(0.1, 0.45, patience - 1))
            losses += creeping.round(4).tolist()
            losses.append(round(losses[-patience] - delta * float(rng.uniform(1.2, 1.6)), 4))
        low = losses[-1]
        losses += (low - delta * np.linspace(0.2, 0.9, patience + 3)).round(4).tolist()
        yield _run(losses, patience, delta)
    delta = 0.1
    yield _run([1.0, 0.95, 0.93, 0.85, 0.8, 0.76, 0.74], 3, delta)


def broken_losses(rng: np.random.Generator) -> Iterator[Run]:
    """Losses that are nan, from the first step on and in between; `best` and `best_step` then."""
    nan = math.nan
    a, b, c = np.sort(rng.uniform(0.2, 1.5, 3))[::-1].round(3).tolist()
    looks = [get("best"), get("best_step")]
    yield run(call(1), do("step", b), do("step", a))
    yield run(
        call(9),
        *looks,
        own("feed", Var("self"), [nan, nan]),
        *looks,
        own("feed", Var("self"), [a, nan, a + 0.1]),
        *looks,
        own("feed", Var("self"), [b, a, c, nan, b]),
        *looks,
    )
    yield run(call(2), do("step", a), do("step", nan), do("step", nan))
    yield run(call(3), do("step", nan), do("step", a), do("step", nan), do("step", b), *looks)


# -- known mistakes --------------------------------------------------------------------------------


class Stopper:
    """A stopper that is right, or wrong in one of the known ways."""

    def __init__(
        self,
        patience: int,
        min_delta: float = 0.0,
        *,
        late: int = 0,
        neighbour: bool = False,
        resets: bool = True,
        quiet: bool = False,
        ties: bool = False,
        creeps: bool = False,
        nan: str = "counts",
    ) -> None:
        self.patience, self.min_delta = patience + late, min_delta
        self.neighbour, self.resets, self.creeps, self.nan = neighbour, resets, creeps, nan
        self.quiet, self.ties = quiet, ties
        self.best, self.best_step = math.inf, None
        self.last, self.steps, self.without = math.inf, 0, 0

    def step(self, loss: float) -> bool:
        better = lowest = loss < self.best - self.min_delta
        if self.neighbour:
            better = loss < self.last - self.min_delta
        better |= self.ties and loss == self.best - self.min_delta
        if self.nan == "improves":
            better = lowest = not loss >= self.best - self.min_delta
        self.last = loss
        if lowest:
            self.best, self.best_step = loss, self.steps
        if better:
            self.without = 0 if self.resets else self.without
        elif not (math.isnan(loss) and self.nan == "ignored"):
            self.without += 1
            if self.creeps and loss < self.best:
                self.best = loss
        self.steps += 1
        return self.without >= self.patience and not (self.quiet and better)


def _played(one: Run, **wrong: Any) -> list[Any]:
    """What such a stopper says in a run."""
    stopper: Any = Stopper(*one.new.args, **one.new.kwargs, **wrong)
    said = []
    for step in one.steps:
        if step.kind == "get":
            value = getattr(stopper, step.name)
            said += [] if value is None else [value]
        elif step.kind == "own":
            for loss in step.args[1]:
                stopper.step(loss)
        else:
            said.append(stopper.step(step.args[0]))
    return said


def _mistake(**wrong: Any) -> Callable[[Run], list[Any]]:
    return lambda one: _played(one, **wrong)


one_late = _mistake(late=1)
one_early = _mistake(late=-1)
by_neighbour = _mistake(neighbour=True)
never_reset = _mistake(resets=False)
never_reset_but_quiet = _mistake(resets=False, quiet=True)
ties_improve = _mistake(ties=True)
creeping_best = _mistake(creeps=True)
nan_ignored = _mistake(nan="ignored")
nan_improves = _mistake(nan="improves")
