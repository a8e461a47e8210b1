"""The public checks of this assignment, and the images that its loaders are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.checks import Context, Evidence, Outcome, check, field_of, probe, require
from autograder.checks.base import Inconclusive, tensor_of
from autograder.model import Array, ProbeRequest, Status

TAMPERED = "the probe's answer was tampered with"


def tampered(what: str) -> Inconclusive:
    """What to raise for evidence that no honest probe writes."""
    return Inconclusive(Outcome(Status.ERROR, 0.0, (), f"{TAMPERED}: {what}"))


def whole_numbers(value: Any) -> list[int]:
    """A list of whole numbers of the evidence. Raises `Inconclusive` for anything else."""
    if not isinstance(value, list) or not all(type(v) is int for v in value):
        raise tampered("numbers")
    return value


# -- task 2 ----------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Data:
    """What `batches` is called with: X, y (N,) that are all different, and the other arguments."""

    x: Array
    y: Array
    size: int
    shuffle: bool = True
    numpy: bool = False


def passes(data: Sequence[Data], seed: int) -> ProbeRequest:
    """Ask for one pass over each of these."""
    asked = [
        {"size": d.size, "shuffle": d.shuffle, "numpy": d.numpy, "seed": seed + k}
        for k, d in enumerate(data)
    ]
    tensors = {f"{k}.{n}": v for k, d in enumerate(data) for n, v in (("x", d.x), ("y", d.y))}
    return probe("passes", {"passes": asked}, tensors)


def wrong_pass(k: int, d: Data, done: Evidence) -> Outcome | None:
    """What is wrong with pass k: its batches, its samples, or their labels; None if nothing is."""
    all_told = field_of(done, "passes", list)
    if k >= len(all_told) or not isinstance(all_told[k], Mapping):
        raise tampered("passes")
    told, n = all_told[k], len(d.x)
    sizes, labels = whole_numbers(told.get("sizes")), whole_numbers(told.get("labels"))
    words = f"{n} samples in batches of {d.size}"
    if sizes != labels:
        return Outcome.failed(
            f"of {words}, batches have {sizes} rows of X and {labels} of y"[:300],
            "pairs_broken",
        )
    xs, ys = tensor_of(done, f"{k}.x"), tensor_of(done, f"{k}.y")
    if sizes and xs.shape[1:] != d.x.shape[1:]:
        return Outcome.failed(
            f"the rows of X came as {xs.shape[1:]}, where they are {d.x.shape[1:]}", "wrong_shape"
        )
    if len(xs) != sum(sizes) or ys.shape != (sum(sizes),):
        raise tampered("rows")
    place = {row.tobytes(): i for i, row in enumerate(d.x.astype(np.float64).reshape(n, -1))}
    name = {int(label): i for i, label in enumerate(d.y)}
    rows = [place.get(row.tobytes(), -1) for row in xs.astype(np.float64).reshape(len(xs), -1)]
    names = [name.get(label, -1) for label in ys.tolist()]
    if -1 in rows or -1 in names:
        return Outcome.failed(f"of {words}, some come with other values", "wrong_value")
    if (broken := sum(a != b for a, b in zip(rows, names, strict=True))) > 0:
        return Outcome.failed(
            f"of {words}, {broken} came beside the label of another one", "pairs_broken"
        )
    absent, twice = n - len(set(rows)), len(rows) - len(set(rows))
    if absent or twice:
        said = f"of {words}, {absent} never came" + (f" and {twice} came again" if twice else "")
        return Outcome.failed(said, "drops_samples")
    full = [d.size] * (n // d.size) + [n % d.size] * (n % d.size > 0)
    if sizes != full:
        said = f"{words} came in batches of {sizes}, not {full}"
        return Outcome.failed(said[:300], "wrong_value")
    return None


def _hundred(ctx: Context) -> ProbeRequest:
    return passes([_example()], ctx.seed % 1000)


def _example() -> Data:
    return Data(np.arange(300, dtype=np.float32).reshape(100, 3), np.arange(100), 16)


@check(
    bugs=("pairs_broken", "drops_samples", "wrong_value", "wrong_shape", "missing_name"),
    help="One list of indices, cut into pieces: each piece picks rows of X and the same rows of y.",
    main=_hundred,
)
def batches_example(ctx: Context, main: Evidence) -> Outcome:
    """Whether a hundred samples come as six batches of sixteen and one of four."""
    return wrong_pass(0, _example(), require(main)) or Outcome.passed()


# -- task 4 ----------------------------------------------------------------------------------------

SIZES = (700, 150, 150)
PARTS = ("training", "validation", "test")


def parts_of(told: Any, sizes: Sequence[int]) -> list[list[int]]:
    """The numbers of the samples in three parts. Raises `Inconclusive` for parts of other sizes."""
    parts = told.get("parts") if isinstance(told, Mapping) else None
    if not isinstance(parts, list) or not all(isinstance(p, list) for p in parts):
        raise tampered("parts")
    found = [whole_numbers(p) for p in parts]
    have = [len(p) for p in found]
    if have != list(sizes):
        said = f"parts of {', '.join(map(str, sizes))} samples are asked for; got {have}"
        raise Inconclusive(Outcome.failed(said[:300], "wrong_value"))
    return found


def splits(ctx: Context, count: int, *wanted: Mapping[str, Any]) -> ProbeRequest:
    """Ask for these splits of `count` samples."""
    return probe("splits", {"n": count, "splits": [dict(w) for w in wanted]})


@check(
    bugs=("wrong_value", "missing_name"),
    help="Draw one order of all samples, and cut it in three places.",
    main=lambda ctx: splits(ctx, 1000, {"sizes": list(SIZES), "seed": 1, "outside": 2}),
)
def split_sizes(ctx: Context, main: Evidence) -> Outcome:
    """Whether three parts have the sizes that are asked for."""
    told = field_of(require(main), "splits", list)
    parts_of(told[0] if told else None, SIZES)
    return Outcome.passed()


# -- task 5 ----------------------------------------------------------------------------------------

TRAIN, TEST, BATCH = 360, 60, 32
VAL = TRAIN // 6
NAMES = ("train", "val", "test")
BITS = 12


@dataclass(frozen=True, eq=False)
class Pictures:
    """Labelled images. images: (N, 28, 28) uint8, each with its number in its first row (see
    `numbers` of probes.py); labels: (N,); numbers: (N,), all different.
    """

    images: Array
    labels: Array
    numbers: Array

    def label(self) -> dict[int, int]:
        return {int(n): int(y) for n, y in zip(self.numbers, self.labels, strict=True)}

    def image(self) -> dict[int, Array]:
        return {int(n): x for n, x in zip(self.numbers, self.images, strict=True)}


def drawn(rng: np.random.Generator, numbers: Array) -> Pictures:
    """Images of unlike brightness, dark in their last corner, in ten classes."""
    n = len(numbers)
    top = rng.uniform(30, 255, (n, 1, 1))
    images = (rng.random((n, 28, 28)) * top).astype(np.uint8)
    images[:, -4:, -4:] //= 3
    images[:, 0, 0], images[:, 0, 1] = 0, 255
    images[:, 0, 2 : 2 + BITS] = 255 * (numbers[:, None] >> np.arange(BITS) & 1)
    return Pictures(images, rng.permutation(np.arange(n) % 10), numbers)


def album(ctx: Context) -> tuple[Pictures, Pictures]:
    """The secret training and test images."""
    rng = ctx.rng("album", shared=True)
    half = 2 ** (BITS - 1)
    train, test = rng.permutation(half)[:TRAIN], half + rng.permutation(half)[:TEST]
    return drawn(rng, train), drawn(rng, test)


def tensors_of(train: Pictures, test: Pictures) -> dict[str, Array]:
    """As `secret_root` takes them."""
    return {
        "train_images": train.images,
        "train_labels": train.labels,
        "test_images": test.images,
        "test_labels": test.labels,
    }


def pipeline(ctx: Context) -> ProbeRequest:
    """Ask for the passes over loaders that all but two checks of this task look at."""
    rng = ctx.rng("pipeline", shared=True)
    seed, other, *outside = (int(v) for v in rng.permutation(100_000)[:8])
    args = {"batch": BATCH, "seed": seed, "other": other, "outside": outside}
    return probe("loaders", args, tensors_of(*album(ctx)))


@dataclass(frozen=True, eq=False)
class Pass:
    """One pass over a loader. numbers: of the images as they came, -1 where none can be read;
    black, white: (N,), what the darkest and the brightest pixel became; labels: (N,).
    """

    sizes: list[int]
    numbers: list[int]
    labels: list[int]
    black: Array
    white: Array

    @property
    def clear(self) -> bool:
        """Whether each image can be told from the others."""
        return bool(self.numbers) and -1 not in self.numbers

    def batches(self) -> list[frozenset[int]]:
        """Which images came together."""
        ends = np.cumsum(self.sizes)
        return [frozenset(self.numbers[e - s : e]) for s, e in zip(self.sizes, ends, strict=True)]


def pass_of(done: Evidence, name: str) -> Pass:
    """A pass of the evidence. Raises `Inconclusive` for what no honest probe writes."""
    sizes = whole_numbers(field_of(done, name, dict).get("sizes"))
    if not sizes:
        return Pass([], [], [], np.zeros(0), np.zeros(0))
    rows = tensor_of(done, f"{name}.rows")
    if rows.ndim == 3:  # whole images
        rows = rows[:, 0]
    if rows.ndim != 2 or rows.shape != (sum(sizes), 28) or min(sizes) < 0:
        raise tampered(f"{name}.rows")
    labels = tensor_of(done, f"{name}.labels", (len(rows),)).tolist()
    rows = rows.astype(np.float64)
    black, white = rows[:, 0], rows[:, 1]
    with np.errstate(all="ignore"):
        share = (rows[:, 2 : 2 + BITS] - black[:, None]) / (white - black)[:, None]
        bits = share > 0.5
        clear = (np.abs(share - bits) < 0.05).all(1)
    found = (bits.astype(np.int64) << np.arange(BITS)).sum(1)
    return Pass(sizes, np.where(clear, found, -1).tolist(), labels, black, white)


def _shape(value: Any) -> str:
    return str(tuple(value[:8]))[:80] if isinstance(value, list) else "none"


@check(
    bugs=("wrong_shape", "wrong_value", "drops_samples", "missing_name"),
    help="Take the first batch of each loader, and print its shape and its type; then count what "
    "comes in one pass.",
    main=pipeline,
)
def loaders_shapes(ctx: Context, main: Evidence) -> Outcome:
    """Whether the three loaders give batches of the right form, and all of their images."""
    done = require(main)
    for name, count in zip(NAMES, (TRAIN - VAL, VAL, TEST), strict=True):
        told = field_of(done, f"a.{name}.1", dict)
        sizes = whole_numbers(told.get("sizes"))
        first = sizes[0] if sizes else 0
        if told.get("images") != [first, 1, 28, 28] or told.get("image_type") != "float32":
            said = (
                f"the first images of {name} are {str(told.get('image_type'))[:20]} of shape "
                f"{_shape(told.get('images'))}, not float32 of (B, 1, 28, 28)"
            )
            return Outcome.failed(said, "wrong_shape")
        if told.get("labels") != [first] or told.get("label_type") != "int64":
            said = (
                f"the first labels of {name} are {str(told.get('label_type'))[:20]} of shape "
                f"{_shape(told.get('labels'))}, not int64 of (B,)"
            )
            return Outcome.failed(said, "wrong_shape")
        if name == "train" and set(sizes[:-1]) - {BATCH}:
            return Outcome.failed(
                f"batches of {BATCH} are asked for, and train gives {sizes}"[:200], "wrong_value"
            )
        if sum(sizes) == count - count % first and count % first:
            said = f"one pass over {name} gives {sum(sizes)} of its {count} images"
            return Outcome.failed(f"{said}: the short batch is left out", "drops_samples")
        if sum(sizes) != count:
            said = f"of {TRAIN} training and {TEST} test images one pass over {name} gives"
            return Outcome.failed(f"{said} {sum(sizes)}, not {count}", "wrong_value")
    return Outcome.passed()
