"""One replay of a student's loop, asked for and read.

`request` builds the question from a secret scene, `read` turns the evidence into a
`Reading`: what the final weights say (`match`), and what was seen on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model import Evidence, Outcome, ProbeRequest
from .base import Context, Inconclusive, field_of, place, tensor_of
from .replay import Match, Scene, make_scene, match

REDUCED = {"bfloat16", "float16"}
"""Logits of these types were computed in reduced precision."""


@lru_cache(maxsize=64)
def _scene(seed: int, momentum: float, smoothing: float, lr: float) -> Scene:
    rng = np.random.default_rng(seed)
    return make_scene(rng, momentum=momentum, smoothing=smoothing, lr=lr)


def scene(ctx: Context, name: str = "train") -> Scene:
    """The secret scene `name`: `train` is plain SGD and cross-entropy, `other` has momentum
    and a smoothed loss, so that a loop which ignores its arguments shows.
    """
    seed = int(ctx.rng(f"scene/{name}", shared=True).integers(2**62))
    return _scene(seed, 0.9, 0.2, 2.0) if name == "other" else _scene(seed, 0.0, 0.0, 8.0)


@lru_cache(maxsize=64)
def _request(made: Scene, seed: int) -> ProbeRequest:
    args = {
        "batch": made.batch,
        "lr": made.lr,
        "momentum": made.momentum,
        "smoothing": made.smoothing,
        "seed": seed,
    }
    return ProbeRequest("training:one_epoch", args, made.tensors())


def request(ctx: Context, name: str = "train") -> ProbeRequest:
    """The replay of the student's function on scene `name`."""
    return _request(scene(ctx, name), ctx.seed)


@dataclass(frozen=True)
class Reading:
    """One replay, read: what the weights say, and what was seen on the way."""

    scene: Scene
    match: Match
    snapshots: NDArray[np.generic]
    beats: str
    forwards: tuple[Mapping[str, Any], ...]
    dirty: tuple[float, ...]
    stepped: tuple[float, ...]
    graphs: int
    others: int
    returned: Mapping[str, Any]
    reduced: bool

    @property
    def trained(self) -> tuple[Mapping[str, Any], ...]:
        """The forward calls that a backward pass came back to; all of them where none did."""
        reached = tuple(f for f in self.forwards if f.get("backward") is True)
        return reached or self.forwards

    @property
    def training(self) -> bool:
        """Whether the model was in training mode in the first of them."""
        return not self.trained or self.trained[0].get("training") is True

    @property
    def departure(self) -> str:
        """Where the student's weights leave the correct loop, in words."""
        k, n = self.match.follows, len(self.scene.sizes)
        if k == 0:
            return f"the weights depart from the correct loop at the first of {n} steps"
        return f"the weights follow the correct loop for {k} of {n} steps and then depart"


def _numbers(evidence: Evidence, name: str) -> tuple[float, ...]:
    return tuple(
        float(v) if isinstance(v, (int, float)) else float("inf")
        for v in field_of(evidence, name, list)
    )


@lru_cache(maxsize=512)
def _match(made: Scene, blob: bytes, shape: tuple[int, ...], reduced: bool) -> Match:
    """`match`, once for all the checks that read the same evidence."""
    return match(made, np.frombuffer(blob, dtype=np.float32).reshape(shape), reduced)


def raised(evidence: Evidence) -> str:
    """The error of a step between forward and backward, in words; "" where there was none."""
    error = evidence.data.get("raised") if evidence.status == "done" else None
    if not isinstance(error, dict):
        return ""
    line = place(error)
    return f"{str(error.get('type'))[:80]}{line}: {str(error.get('message'))[:300]}"


def read(ctx: Context, evidence: Evidence, name: str = "train") -> Reading:
    """The replay's evidence as a `Reading`; `Inconclusive` where it did not run through."""
    if evidence.status != "done" or raised(evidence):
        raise Inconclusive(
            Outcome.not_checked(
                "not checked: train_one_epoch did not run to its end; "
                "see the first check of its task"
            )
        )
    return read_on(scene(ctx, name), evidence)


def read_on(made: Scene, evidence: Evidence) -> Reading:
    """The evidence of a run that came to its end, read against the scene it was asked on."""
    weights = np.ascontiguousarray(
        tensor_of(evidence, "weights", (None, len(made.start))), dtype=np.float32
    )
    if not len(weights) or not np.isfinite(weights).all():
        raise Inconclusive(Outcome.failed("the weights became nan or infinite within one epoch"))
    forwards = tuple(f for f in field_of(evidence, "forwards", list) if isinstance(f, dict))
    reduced = any(str(f.get("dtype")) in REDUCED for f in forwards)
    return Reading(
        scene=made,
        match=_match(made, weights.tobytes(), weights.shape, reduced),
        snapshots=weights,
        beats=field_of(evidence, "beats", str),
        forwards=forwards,
        dirty=_numbers(evidence, "dirty"),
        stepped=_numbers(evidence, "stepped"),
        graphs=field_of(evidence, "graphs", int),
        others=field_of(evidence, "others", int),
        returned=field_of(evidence, "returned", dict),
        reduced=reduced,
    )
