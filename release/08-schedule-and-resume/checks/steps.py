"""The runs of `train_amp_step` and `accumulate_step` that all their checks look at, and the check
that students can run themselves.

The function is called once a batch (or group), on batches some of whose gradients are far above the
limit and some far below it, so that clipping matters and what clipping hides shows too. All
questions about `train_amp_step` are put to four runs that differ by their scaler: `off`, `one` (of
scale 1), `large`, and `overflow`, in which one call's scaled gradients are infinite. What one hides
another shows: a gradient left over is divided by the scale at the next `unscale_`, so a large one
hides it; a limit that is compared with scaled gradients differs only under the large one.

Of each step the engine says how many times the true gradient of its batch it used. Under a limit L
and a gradient of norm n that is to be min(1, L / n) whatever the scale; the number seen over that
one is the *excess* that the judges name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from autograder.checks.base import Context, check, require
from autograder.checks.forms import CLASSES, HIDDEN, TrainFixture, patch_images
from autograder.checks.loops import Loop, beats, raised
from autograder.checks.reference.images import Known
from autograder.checks.reference.objective import loss
from autograder.checks.reference.replay import Replay, Update, number_of, read
from autograder.errors import GraderError
from autograder.model import Array, Evidence, Outcome, ProbeRequest, Status

LARGE, INTERVAL = 256.0, 2
"""The large scale, and after how many good steps it doubles."""
OVERFLOW_AT, FACTOR = 2, 1e37
"""The call that overflows: a loss of order one times this is finite, and infinite once scaled."""
BRIGHT = (1.0, 0.1, 1.0, 0.03, 1.0, 0.02, 0.11, 1.0)
"""How bright the batches are: 1 for gradients above the limit, less for some below it."""
GROUPS = (3, 2, 3)
"""Batches of each call of `accumulate_step`: a number fixed in the code shows."""
BRIGHT_GROUPS = (1.0, 1.0, 1.0, 0.1, 0.09, 0.03, 0.025, 0.03)
BATCH, SMOOTHING, RATE, RAY = 8, 0.1, 0.05, 11
CLIP_EPS = 1e-6
"""What torch adds to the norm before it divides by it."""
CLOSE, CLOSE_REDUCED, WIDE_REDUCED = 5e-3, 0.08, 0.15
"""How near an excess must be to 1; the others where answers came in 16 bits, of one batch and of a
group, whose rounding adds up."""
LOSS_TOLERANCE, LOSS_REDUCED = 1e-3, 0.05
OFF: Mapping[str, Any] = {"scaler": {"enabled": False, "scale": 1.0, "interval": 1000}}
RUNS: Mapping[str, Mapping[str, Any]] = {
    "off": OFF,
    "one": {"scaler": {"enabled": True, "scale": 1.0, "interval": 1000}},
    "large": {"scaler": {"enabled": True, "scale": LARGE, "interval": INTERVAL}},
    "overflow": {
        "scaler": {"enabled": True, "scale": LARGE, "interval": 1000},
        "overflow": {"call": OVERFLOW_AT, "factor": FACTOR},
    },
}
SAID = {
    "off": "with the scaler disabled",
    "one": "with a scaler of scale 1",
    "large": f"with a scaler of scale {LARGE:g}",
}


@dataclass(frozen=True, eq=False)
class StepFixture:
    """A fixture of batches of eight, and the limit that their gradients are clipped to."""

    fixture: TrainFixture
    max_norm: float


@lru_cache(maxsize=16)
def step_fixture(seed: int, bright: tuple[float, ...]) -> StepFixture:
    """A batch of eight for each of `bright`; clipping bites where that is 1."""
    rng = np.random.default_rng(seed)
    for _ in range(100):
        found = _draw(rng, bright)
        if found is not None:
            return found
    raise GraderError("no suitable secret fixture was found", remedy="change the assignment's seed")


def _draw(rng: np.random.Generator, bright: tuple[float, ...]) -> StepFixture | None:
    """One try; None where the gradients do not spread as they should."""
    import torch

    n = len(bright) * BATCH
    images = patch_images(rng, n) * np.array(bright, dtype=np.float32).repeat(BATCH)[:, None, None]
    labels = rng.integers(0, CLASSES, n)
    w1 = rng.normal(0, 0.4, (HIDDEN, 784)).astype(np.float32)
    w2 = rng.normal(0, 0.8, (CLASSES, HIDDEN)).astype(np.float32)
    mask = np.where(rng.permutation(HIDDEN) < HIDDEN // 3, 0.0, 1.5).astype(np.float32)
    flat = images.reshape(n, -1).astype(np.float64)
    norms = []
    for first in range(0, n, BATCH):
        leaves = [torch.from_numpy(w.astype(np.float64)).requires_grad_() for w in (w1, w2)]
        x, y = torch.from_numpy(flat[first : first + BATCH]), labels[first : first + BATCH]
        hidden = (x @ leaves[0].T * torch.from_numpy(mask.astype(np.float64))).relu()
        value = loss("cross_entropy", hidden @ leaves[1].T, torch.from_numpy(y), SMOOTHING)
        parts = torch.autograd.grad(value, leaves)
        norms.append(float(torch.cat([g.reshape(-1) for g in parts]).norm()))
    above = [v for v, b in zip(norms, bright, strict=True) if b == 1]
    below = [v for v, b in zip(norms, bright, strict=True) if b < 1]
    if min(above) < 2.5 * max(below):
        return None
    limit = float(np.sqrt(min(above) * max(below)))
    tensors: dict[str, Array] = {
        "w1": w1,
        "w2": w2,
        "mask": mask,
        "images": images[:, None],
        "labels": labels.astype(np.int64),
    }
    values = {
        "batch": BATCH,
        "lr": RATE,
        "smoothing": SMOOTHING,
        "training": True,
        "max_norm": round(limit, 4),
    }
    known = Known(flat, labels.astype(np.int64))
    return StepFixture(TrainFixture(values, tensors, known, known), round(limit, 4))


def fixture_of(ctx: Context, bright: tuple[float, ...] = BRIGHT) -> StepFixture:
    """The secret fixture of a task: with these brightnesses of its batches."""
    name = "amp" if bright is BRIGHT else "accumulate"
    return step_fixture(int(ctx.rng(name, shared=True).integers(2**62)), bright)


def step_request(
    ctx: Context,
    function: str,
    arguments: list[str],
    made: StepFixture,
    calls: int,
    values: Mapping[str, Any],
    *,
    stand_ins: bool = True,
    mend: str = "",
) -> ProbeRequest:
    """Ask for some calls of a function on a step fixture, with a scaler by its `values`."""
    args: dict[str, Any] = {
        "function": function,
        "arguments": arguments,
        "calls": calls,
        "fixture": {**made.fixture.values, **values},
        "keep": len(BRIGHT),
        "ray": RAY,
        "seed": ctx.seed,
        "stand_ins": ["clip_gradients"] if stand_ins else [],
        "mend": mend,
    }
    return ProbeRequest("drive:call", args, made.fixture.tensors)


ARGUMENTS = ["model", "batch", "loss_fn", "optimizer", "scaler", "max_norm"]


MENDED = "mended "
"""What the label of a run begins with in which a misplaced beat stands in its place."""


def four_runs(ctx: Context) -> Mapping[str, ProbeRequest]:
    """The four runs, the one that overflows once more with the program's own clipping, and all of
    them with a beat mended, which are asked for only where that is what is wrong.
    """
    made, asked = fixture_of(ctx), {}
    for mend in ("", "late"):
        for name, values in (*RUNS.items(), ("own", RUNS["overflow"])):
            asked[(MENDED if mend else "") + name] = step_request(
                ctx,
                "train_amp_step",
                ARGUMENTS,
                made,
                len(BRIGHT),
                values,
                stand_ins=name != "own",
                mend=mend,
            )
    return asked


@dataclass(frozen=True, eq=False)
class Run:
    """One run, read: the replay, what was returned, the scales after each call, the error that
    ended it, and how many calls came through.
    """

    replay: Replay
    returned: tuple[float | None, ...]
    scales: tuple[float, ...]
    raised: str
    made: StepFixture

    @property
    def calls(self) -> int:
        return len(self.returned)

    @property
    def loop(self) -> Loop:
        return Loop(self.replay, "", [BATCH] * self.calls)

    @property
    def early_updates(self) -> int:
        """How many updates of the scaler came between a backward pass and its step; told."""
        return self.replay.scaler["early"]

    @property
    def scaled(self) -> float:
        """How many images a loss is summed over: 1 for a mean, which is right."""
        factors = [s.objective.factor / s.call.rows for s in self.replay.sources]
        return BATCH if factors and all(_power(f) for f in factors) else 1.0

    def excess(self, update: Update) -> float | None:
        """How many times what clipping leaves of the gradients that were there a step used; None
        where it cannot be told. What they are the gradients of is another question.
        """
        account = update.account
        if account is None or not account.known or len(update.fresh) != 1 or not account.own > 0:
            return None
        factor = self.replay.sources[update.fresh[0]].objective.factor / self.scaled
        if not factor > 0 or update.step is None:
            return None
        length, _ = self.lengths(update)
        return account.own * factor / min(1.0, self.made.max_norm / (length + CLIP_EPS))

    def lengths(self, update: Update) -> tuple[float, float]:
        """(norm of the gradients that were there before any clipping, without the scale; norm of
        what the step used).
        """
        source, account, step = self.replay.sources[update.fresh[0]], update.account, update.step
        assert account is not None
        assert step is not None
        return step.norm * self.scaled / (account.own * source.objective.factor), step.norm


def _power(factor: float) -> bool:
    """Whether a factor is 1 or the scale of a scaler, a power of two from 256 on."""
    if not factor > 0:
        return False
    power = float(np.log2(factor))
    near = abs(power - round(power)) < 0.02
    return near and (round(power) == 0 or round(power) >= 8)


def read_run(evidence: Evidence, made: StepFixture) -> Run:
    """The evidence of calls on a step fixture, read."""
    done = require(evidence)
    replay = read(done, made.fixture.known, ray=RAY, mask=made.fixture.mask, smoothing=SMOOTHING)
    error = done.data.get("raised")
    told = done.data.get("returned")
    values = [t if isinstance(t, dict) else {} for t in told] if isinstance(told, list) else []
    scales = done.data.get("scales")
    return Run(
        replay,
        tuple(number_of(v["value"]) if "value" in v else None for v in values),
        tuple(number_of(s) for s in scales) if isinstance(scales, list) else (),
        raised(error).message.removeprefix("your code raised ") if isinstance(error, dict) else "",
        made,
    )


def run_of(ctx: Context, evidence: Mapping[str, Evidence], name: str) -> Run:
    """A run by its name; the mended one where a `zero_grad` or a scaler's `update` stands between
    backward and step.
    """
    made = fixture_of(ctx)
    off = read_run(evidence["off"], made)
    if off.replay.still and "zero_grad_after_backward" in beats(off.loop).bugs:
        return read_run(evidence[MENDED + name], made)
    found = off if name == "off" else read_run(evidence[name], made)
    return read_run(evidence[MENDED + name], made) if found.early_updates else found


@check(
    requests=four_runs,
    bugs=("missing_name", "wrong_value"),
    help="The function takes one batch, a pair of images and labels, and returns its loss.",
)
def amp_runs(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
    """The calls come through, with a disabled scaler, and return finite numbers."""
    require(evidence["off"])
    run = run_of(ctx, evidence, "off")
    if run.raised:
        return Outcome(Status.ERROR, 0.0, (), f"your code raised {run.raised}")
    if not run.returned or None in run.returned:
        return Outcome.failed("train_amp_step did not return a number", "wrong_value")
    if not all(v is not None and np.isfinite(v) for v in run.returned):
        return Outcome.failed("train_amp_step returned nan or infinity", "wrong_value")
    return Outcome.passed(f"the first loss was {run.returned[0]:.4g}")
