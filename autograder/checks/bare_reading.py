"""The evidence of a bare script's run, read: which images went in, what each step was made of.

Theory. The rows that the network saw are matched to our images by their correlation, and an
affine map is fitted pixel by pixel, which is what every usual preparation is. Where it fits to
within rounding, the rows are our images beyond doubt, their labels are ours, and the test images
can be prepared the same way outside. Rows under random augmentation match nothing; the labels are
then those that the gradient at the logits tells, and the run counts as one on our images only if
its final weights classify our test images far better than chance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..model import Evidence, Outcome, ProbeRequest, Status
from .bare_scene import STEPS, TRAIN, BareScene, bare_scene
from .bare_steps import NoChain, Steps, Watched, explain, forward, layers_of, split
from .base import Context, Inconclusive, StandardCheck, field_of, place, require, tensor_of

Floats = NDArray[np.float64]
UNFOLLOWED = (
    "'net' was trained without a call of it, or of its layers in order, so its steps could not be "
    "followed: a person has to look at it"
)

AFFINE = 1e-3
"""Largest residual of an affine preparation, relative to the spread of the rows."""
LEARNT = 0.25
"""Accuracy on our test images above which weights were trained on our training images."""
PARAMETERS_CAP, ROWS_CAP = 1_000_000, 2 * STEPS * TRAIN


@dataclass(frozen=True, eq=False)
class BareReading:
    """One run, read. `calls` (K, 4): rows, reached, graph, moved; `prints`: per call, one number
    per image, equal for equal images; `steps` None where the network is no chain of linear
    layers, or never had a backward pass; `accuracy` of the final weights on our test images,
    or None where it cannot be known; `hits` (TEST,) which of them were right.
    """

    calls: NDArray[np.int64]
    prints: tuple[Floats, ...]
    steps: Steps | None
    start: Floats
    final: Floats
    shapes: tuple[tuple[int, ...], ...]
    letters: str
    optimizers: tuple[Mapping[str, Any], ...]
    printed: str
    hits: NDArray[np.bool_] | None
    tied: bool

    @property
    def accuracy(self) -> float | None:
        return None if self.hits is None else float(self.hits.mean())

    @property
    def trained(self) -> NDArray[np.int64]:
        """The indices of the training calls: those that a backward pass reached; where none did,
        those that built a graph. Of several calls on one batch for one step the last one counts.
        """
        reached = np.flatnonzero(self.calls[:, 1])
        reached = reached if len(reached) else np.flatnonzero(self.calls[:, 2])
        again = [self._again(int(i), int(j)) for i, j in pairwise(reached)]
        return reached[~np.array([*again, False], dtype=bool)] if len(reached) else reached

    @property
    def loop(self) -> NDArray[np.int64]:
        """`trained` from the first call that a step followed to the last: a gradient looked at
        before or after the training is not part of it. All of them where no step was taken.
        """
        moved = np.flatnonzero(self.calls[self.trained, 3])
        return self.trained[moved[0] : moved[-1] + 1] if len(moved) else self.trained

    def _again(self, i: int, j: int) -> bool:
        """Whether call `j` saw the batch of call `i` once more, with no step between."""
        if self.calls[i, 3] or j >= len(self.prints):
            return False
        return np.array_equal(self.prints[i], self.prints[j])


@dataclass(frozen=True, eq=False)
class _Preparation:
    """The affine map of the varying pixels, and whether it fits: x = slope * image + shift."""

    slope: Floats
    shift: Floats
    fits: bool
    found: NDArray[np.int64]


def _prepare(rows: Floats, images: Floats, columns: NDArray[np.int64]) -> _Preparation:
    """Match rows (R, V) to images (N, 784), then fit the map pixel by pixel."""
    ours = images[:, columns]

    def unit(x: Floats) -> NDArray[np.float32]:
        centred = x - x.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(centred / np.maximum(length, 1e-12), dtype=np.float32)

    found = (unit(rows) @ unit(ours).T).argmax(axis=1).astype(np.int64)
    given = ours[found]
    mean_in, mean_out = given.mean(axis=0), rows.mean(axis=0)
    spread = ((given - mean_in) ** 2).sum(axis=0)
    slope = ((given - mean_in) * (rows - mean_out)).sum(axis=0) / np.maximum(spread, 1e-9)
    shift = mean_out - slope * mean_in
    left = np.linalg.norm(given * slope + shift - rows)
    size = np.linalg.norm(rows - mean_out)
    return _Preparation(slope, shift, bool(size > 0 and left < AFFINE * size), found)


class _Same:
    """An evidence with its scene, the same only as itself: the key of one reading."""

    def __init__(self, scene: BareScene, evidence: Evidence) -> None:
        self.scene, self.evidence = scene, evidence

    def __hash__(self) -> int:
        return id(self.evidence)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Same):
            return False
        return other.evidence is self.evidence and other.scene is self.scene


def _forged() -> Inconclusive:
    return Inconclusive(
        Outcome(
            Status.ERROR, 0.0, (), "the probe's answer was tampered with: it contradicts itself"
        )
    )


def _array(
    evidence: Evidence, name: str, shape: tuple[int | None, ...], kind: str = "f"
) -> NDArray[Any]:
    """A tensor of that shape and kind ("f": finite numbers, as float64; "i": int64)."""
    found = tensor_of(evidence, name, shape)
    if found.dtype.kind not in ("iub" if kind == "i" else "f"):
        raise _forged()
    wide = found.astype(np.int64 if kind == "i" else np.float64)
    if kind == "f" and (
        np.isnan(wide).any() or np.abs(wide[np.isfinite(wide)]).max(initial=0) > 1e30
    ):
        wide = np.where(np.isfinite(wide) & (np.abs(wide) < 1e30), wide, np.inf)
    return wide


def _shapes(evidence: Evidence) -> tuple[tuple[int, ...], ...]:
    raw = field_of(evidence, "shapes", list)
    shapes = [tuple(s) for s in raw if isinstance(s, list) and len(s) < 8]
    sound = all(isinstance(n, int) and 0 < n <= PARAMETERS_CAP for s in shapes for n in s)
    if not sound or len(shapes) != len(raw) or sum(math.prod(s) for s in shapes) > PARAMETERS_CAP:
        raise _forged()
    return tuple(shapes)


def _watched(
    evidence: Evidence, scene: BareScene, shapes: tuple[tuple[int, ...], ...]
) -> tuple[Watched, _Preparation, NDArray[np.int64]] | None:
    """The early steps with the labels that belong to them, the preparation and the columns; None
    where there are none or the first layer does not take 784 pixels.
    """
    if "inputs" not in evidence.tensors or not shapes or len(shapes[0]) != 2:
        return None
    hidden = shapes[0][0]
    columns = _array(evidence, "columns", (None,), "i")
    rows = _array(evidence, "rows", (None,), "i")
    if not len(columns) or columns.min() < 0 or columns.max() >= 784 or shapes[0][1] != 784:
        raise _forged()
    total = int(rows.sum()) if len(rows) and rows.min() > 0 else 0
    if len(rows) > STEPS or total > ROWS_CAP:
        raise _forged()
    inputs = _array(evidence, "inputs", (total, len(columns)))
    labels = _array(evidence, "labels", (total,), "i")
    cut = ((hidden, len(columns)), *shapes[1:])
    size = sum(math.prod(s) for s in cut)
    states = _array(evidence, "states", (None, size))
    offsets = _array(evidence, "offsets", (len(states), hidden))
    pairs = _array(evidence, "pairs", (len(rows), 2), "i")
    if not total or not len(states) or pairs.min() < 0 or pairs.max() >= len(states):
        raise _forged()
    if not np.isfinite(inputs).all():
        return None
    preparation = _prepare(inputs, scene.images, columns)
    if preparation.fits:
        labels = scene.labels[preparation.found]
    if labels.min() < 0 or labels.max() >= shapes[-1][0]:
        return None
    sound = np.isfinite(states).all(axis=1) & np.isfinite(offsets).all(axis=1)
    whole = sound[pairs].all(axis=1)
    count = len(whole) if whole.all() else int(whole.argmin())
    if not count:
        return None
    ends = np.cumsum(rows)[:-1]
    watched = Watched(
        tuple(np.ascontiguousarray(x) for x in np.split(inputs, ends)[:count]),
        tuple(np.split(labels, ends)[:count]),
        states[pairs[:count, 0]],
        states[pairs[:count, 1]],
        offsets[pairs[:count, 0]],
        cut,
    )
    return watched, preparation, columns


def _hits(
    evidence: Evidence,
    scene: BareScene,
    shapes: tuple[tuple[int, ...], ...],
    final: Floats,
    preparation: _Preparation,
    columns: NDArray[np.int64],
    activation: str,
) -> NDArray[np.bool_] | None:
    """Which of our test images the final weights get right; None where they cannot be prepared."""
    if not np.isfinite(final).all():
        return np.zeros(len(scene.test_labels), dtype=bool)
    if not preparation.fits:
        rows = _array(evidence, "tests", (None, len(columns)))
        if len(rows) < 2 or not np.isfinite(rows).all():
            return None
        preparation = _prepare(rows, scene.test_images, columns)
        if not preparation.fits:
            return None
    images = np.tile(_array(evidence, "constant", (784,)), (len(scene.test_labels), 1))
    images[:, columns] = scene.test_images[:, columns] * preparation.slope + preparation.shift
    parameters = split(torch.from_numpy(final), shapes)
    offset = torch.zeros(shapes[0][0], dtype=torch.float64)
    logits = forward(parameters, layers_of(shapes), torch.from_numpy(images), offset, activation)
    return np.asarray(logits.argmax(1).numpy() == scene.test_labels)


@lru_cache(maxsize=8)
def _read(same: _Same) -> BareReading | Outcome:
    try:
        return _reading(same.scene, same.evidence)
    except Inconclusive as e:
        return e.outcome


def _reading(scene: BareScene, evidence: Evidence) -> BareReading:
    shapes = _shapes(evidence)
    size = sum(math.prod(s) for s in shapes)
    start, final = _array(evidence, "start", (size,)), _array(evidence, "final", (size,))
    calls = _array(evidence, "calls", (None, 4), "i")
    prints = _array(evidence, "prints", (None,))
    if len(calls) and (calls.min() < 0 or calls[:, 0].max() > 10**7 or calls[:, 1:].max() > 1):
        raise _forged()
    ends = np.cumsum(calls[:, 0])
    told = [prints[b - n : b] for n, b in zip(calls[:, 0], ends, strict=True) if b <= len(prints)]
    steps, hits, tied = None, None, False
    try:
        watched = _watched(evidence, scene, shapes)
        if watched is not None:
            seen, preparation, columns = watched
            first = start[: math.prod(shapes[0])].reshape(shapes[0])
            if not np.array_equal(
                first[:, columns].reshape(-1), seen.before[0][: first[:, columns].size]
            ):
                raise _forged()
            steps = explain(seen)
            hits = _hits(evidence, scene, shapes, final, preparation, columns, steps.activation)
            tied = preparation.fits or (hits is not None and hits.mean() > LEARNT)
    except NoChain:
        steps = None
    return BareReading(
        calls=calls,
        prints=tuple(told),
        steps=steps,
        start=start,
        final=final,
        shapes=shapes,
        letters=field_of(evidence, "letters", str)[:400],
        optimizers=tuple(o for o in field_of(evidence, "optimizers", list) if isinstance(o, dict)),
        printed=field_of(evidence, "printed", str)[-8_000:],
        hits=hits,
        tied=tied,
    )


def read_bare(ctx: Context, evidence: Evidence) -> BareReading:
    """The evidence as a `BareReading`; `Inconclusive` where the run left nothing to judge."""
    done = require(evidence)
    found = _read(_Same(bare_scene(ctx), done))
    if isinstance(found, Outcome):
        raise Inconclusive(found)
    unfollowed = done.data.get("unfollowed")
    if isinstance(unfollowed, int) and unfollowed > 0 and not found.calls[:, 1].any():
        raise Inconclusive(Outcome(Status.UNGRADABLE, 0.0, (), UNFOLLOWED))
    if not len(found.calls):
        raise Inconclusive(stopped(done) or Outcome.failed("the network was never called"))
    return found


def stopped(evidence: Evidence) -> Outcome | None:
    """The outcome of a program that raised, or None."""
    error = evidence.data.get("error")
    if not isinstance(error, Mapping):
        return None
    kind, message = str(error.get("type"))[:100], str(error.get("message"))[:300]
    line = place(error)
    if kind == "NotImplementedError":
        return Outcome.failed(f"not written yet: the program stops{line}")
    return Outcome(Status.ERROR, 0.0, (), f"your program stopped{line}: {kind}: {message}")


def bare_check(
    name: str, judge: Callable[[Context, Evidence], Outcome], teaching: str, *bugs: str
) -> StandardCheck:
    """A check that judges the one run of the whole script."""

    def requests(ctx: Context) -> Mapping[str, ProbeRequest]:
        return {"main": bare_scene(ctx).request}

    def decide(ctx: Context, evidence: Mapping[str, Evidence]) -> Outcome:
        return judge(ctx, evidence["main"])

    return StandardCheck(name, requests, decide, teaching, bugs)
