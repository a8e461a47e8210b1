"""The hidden checks of this assignment, and their secret inputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.checks import Context, Evidence, Outcome, check, field_of, probe, require
from autograder.checks.base import tensor_of
from autograder.checks.calls import Case, Numpy, Own, Run, Var, call, do, own, run
from autograder.model import Array, ProbeRequest

from .public_checks import (
    BATCH,
    NAMES,
    PARTS,
    SIZES,
    Data,
    Pass,
    Pictures,
    album,
    parts_of,
    pass_of,
    passes,
    pipeline,
    splits,
    tampered,
    tensors_of,
    wrong_pass,
)

Stats = tuple[float, float]


def _bytes(rng: np.random.Generator, *shape: int) -> Array:
    return np.asarray(rng.integers(0, 256, shape), dtype=np.uint8)


# -- task 1 ----------------------------------------------------------------------------------------


def arrays(rng: np.random.Generator) -> Iterator[Run]:
    """Tensors, arrays and lists; with a transform; too few labels; past the end."""
    n = 6
    images, labels = _bytes(rng, n, 28, 28), rng.integers(0, 10, n)

    def looks(*items: int) -> list[Any]:
        return [own("whole_item", Var("self"), i) for i in items]

    end = do("__getitem__", n)
    yield run(call(images, labels), do("__len__"), *looks(0, 3, n - 1, 3), end)
    yield run(call(images, labels), own("walked", Var("self"), 2 * n))
    yield run(call(Numpy(images), Numpy(labels)), *looks(1, 2), end)
    yield run(call(images, labels.tolist()), *looks(4))
    yield run(call(images, labels, Own("mirror")), *looks(2, 0, 2))
    yield run(call(images, labels, transform=Own("mirror")), *looks(5))
    yield run(call(images, labels[:-1]))
    yield run(call(images[:-2], labels))


def _transforms(ctx: Context) -> ProbeRequest:
    rng = ctx.rng("transforms")
    tensors = {"images": _bytes(rng, 5, 28, 28), "labels": rng.integers(0, 10, 5)}
    return probe("transforms_read", {"seed": ctx.seed, "items": [4, 1]}, tensors)


@check(
    bugs=("wrong_value", "mutates_input", "missing_name"),
    help="A transform runs inside `__getitem__`, on a picture that was made for this one read.",
    main=_transforms,
)
def array_transform(ctx: Context, main: Evidence) -> Outcome:
    """Whether the transform runs at every read, and cannot spoil what is stored."""
    done = require(main)
    images = _transforms(ctx).tensors["images"]
    noisy, spoilt = (
        tensor_of(done, name, (2, 2, 1, 28, 28)).astype(np.float64) for name in ("noisy", "spoilt")
    )
    if not np.array_equal(tensor_of(done, "images"), images):
        return Outcome.failed("the images that were given came back changed", "mutates_input")
    if not (np.isfinite(noisy).all() and np.isfinite(spoilt).all()):
        return Outcome.failed("an image holds nan or infinity", "wrong_value")
    for k, i in enumerate((4, 1)):
        if np.abs(spoilt[k, 1] - spoilt[k, 0]).max() > 1e-5:
            said = f"a transform that writes into its picture has changed image {i} in the store"
            return Outcome.failed(said, "mutates_input")
        if np.array_equal(noisy[k, 0], noisy[k, 1]):
            said = f"two reads of image {i} are the same, though the transform is random"
            return Outcome.failed(said, "wrong_value")
    return Outcome.passed()


# -- task 2 ----------------------------------------------------------------------------------------


def _data(ctx: Context) -> list[Data]:
    rng = ctx.rng("data")

    def some(n: int, *shape: int, **more: Any) -> Data:
        x = rng.normal(size=(n, *shape)).astype("float32")
        return Data(x, rng.permutation(10 * n)[:n], **more)

    return [
        some(23, 3, size=5),
        some(20, 2, 2, size=4, shuffle=False),
        some(24, 2, size=6, numpy=True),
        some(7, 1, size=10),
        some(17, 3, size=4, shuffle=False, numpy=True),
        some(9, 2, size=1),
    ]


@check(
    bugs=(
        "pairs_broken",
        "drops_samples",
        "mutates_input",
        "wrong_shape",
        "wrong_value",
        "missing_name",
    ),
    help="One list of indices, cut into pieces: each piece picks rows of X and the same rows of y.",
    main=lambda ctx: passes(_data(ctx), ctx.seed % 1000),
)
def batches_pairs(ctx: Context, main: Evidence) -> Outcome:
    """Whether each sample comes once, with its own label, and X and y stay as they are."""
    done = require(main)
    for k, d in enumerate(_data(ctx)):
        told = field_of(done, "passes", list)
        touched = told[k].get("touched") if k < len(told) and isinstance(told[k], Mapping) else None
        if isinstance(touched, list) and touched:
            said = f"after a pass {' and '.join(map(str, touched[:2]))} came back in another order"
            return Outcome.failed(said, "mutates_input")
        if wrong := wrong_pass(k, d, done):
            return wrong
    return Outcome.passed()


ORDERED, TOGETHER = 64, 8


def _orders(ctx: Context) -> ProbeRequest:
    seed, *outside = (int(v) for v in ctx.rng("orders").integers(0, 2**31, 3))
    return probe("orders", {"n": ORDERED, "size": TOGETHER, "seed": seed, "outside": outside})


def _groups(order: Sequence[int]) -> set[frozenset[int]]:
    """Which samples came together."""
    return {frozenset(order[i : i + TOGETHER]) for i in range(0, len(order), TOGETHER)}


@check(
    bugs=("train_not_shuffled", "incomplete_seeding", "wrong_value", "missing_name"),
    help="`rng` is the one source of chance: draw an order of all samples from it for each pass, "
    "and nothing where none is asked for.",
    main=_orders,
)
def batches_order(ctx: Context, main: Evidence) -> Outcome:
    """Whether the order is new at each pass, and comes from `rng` alone."""
    done = require(main)
    first, following, again, still = (
        tensor_of(done, name, (None,)).tolist() for name in ("first", "next", "again", "still")
    )
    lying = list(range(ORDERED))
    if sorted(first) == lying and first == lying:
        return Outcome.failed("with shuffle the samples came as they lie", "train_not_shuffled")
    if first == following:
        said = "two passes with one rng came in the same order"
        return Outcome.failed(said, "train_not_shuffled")
    if _groups(first) == _groups(following):
        said = "in two passes the same samples were together in a batch"
        return Outcome.failed(said, "train_not_shuffled")
    if first != again:
        said = "two rngs of one seed gave two orders: chance came from elsewhere, too"
        return Outcome.failed(said, "incomplete_seeding")
    if still != lying:
        return Outcome.failed("without shuffle the samples came in another order", "wrong_value")
    if field_of(done, "drawn", bool):
        return Outcome.failed("without shuffle, numbers were drawn from rng", "wrong_value")
    return Outcome.passed()


@check(
    bugs=("wrong_value", "missing_name"),
    help="A function with `yield` runs on only when the next batch is asked for.",
    main=lambda ctx: probe(
        "lazily", {"n": ORDERED, "size": TOGETHER, "shuffle": True, "seed": ctx.seed}
    ),
)
def batches_lazy(ctx: Context, main: Evidence) -> Outcome:
    """Whether the first batch comes before the others are made."""
    done = require(main)
    count, first, end = (field_of(done, name, int) for name in ("batches", "first", "end"))
    if field_of(done, "listed", bool):
        said = f"batches returned a {field_of(done, 'kind', str)[:40]}: all batches at once"
        return Outcome.failed(said, "wrong_value")
    if count != ORDERED // TOGETHER:
        return Outcome.not_checked(f"not checked: {count} batches came of {ORDERED // TOGETHER}")
    if first == end and first >= count:
        said = f"when the first batch came, all {count} had been made"
        return Outcome.failed(said, "wrong_value")
    return Outcome.passed()


# -- task 3 ----------------------------------------------------------------------------------------


def pictures(rng: np.random.Generator) -> Iterator[Case]:
    """Grey and coloured images of unlike brightness; tensors and arrays. Two sets end with a few
    white images, at which the last chunk of whoever goes chunk by chunk is short.
    """

    def some(*shape: int) -> Array:
        top = rng.uniform(20, 256, (*shape[:-2], 1, 1))
        return np.asarray(rng.random(shape) * top, dtype=np.uint8)

    near = 1e-3  # over N or over N - 1, at some thousand pixels
    for images in (some(20, 12, 16), Numpy(some(15, 14, 14)), some(9, 3, 16, 20)):
        yield Case((images,), tolerance=near)
    yield Case((Numpy(some(25, 1, 12, 12)),), tolerance=near)
    for count, white in ((260, 4), (1013, 13)):
        images = some(count, 5, 6)
        images[-white:] = 255
        yield Case((images,), tolerance=near)


def many_pictures(rng: np.random.Generator) -> Iterator[Case]:
    """As many images as the real training sets have."""
    yield Case((Own("many")(60_000, 8, int(rng.integers(2**31))),), tolerance=1e-4)


def _both(images: Array, what: Any) -> tuple[Any, Any]:
    """(mean, what(images)) by channel; a number for images without channels."""
    pixels = images.astype(np.float64) / 255
    if images.ndim == 3:
        return pixels.mean(), what(pixels)
    channels = [pixels[:, c] for c in range(images.shape[1])]
    return pixels.mean((0, 2, 3)), np.array([what(c) for c in channels])


def own_deviations(images: Array) -> tuple[Any, Any]:
    """The mean of the images' own deviations."""
    return _both(images, lambda p: p.std((1, 2)).mean())


def deviation_of_means(images: Array) -> tuple[Any, Any]:
    """The deviation of the images' means."""
    return _both(images, lambda p: p.mean((1, 2)).std())


def unscaled(images: Array) -> tuple[Any, Any]:
    """Of the bytes as they are."""
    mean, std = _both(images, lambda p: p.std())
    return 255 * mean, 255 * std


def pooled(images: Array) -> tuple[float, float]:
    """All channels in one number."""
    return float(images.mean() / 255), float(images.std() / 255)


# -- task 4 ----------------------------------------------------------------------------------------

COUNT = 1000


def _splits(ctx: Context) -> ProbeRequest:
    seed, other, few, many, *outside = (int(v) for v in ctx.rng("splits").permutation(100_000)[:9])
    asked: list[dict[str, Any]] = [
        {"sizes": SIZES, "seed": seed},
        {"sizes": SIZES, "seed": seed},
        {"sizes": SIZES, "seed": other},
        {"sizes": (300, 200, 100), "seed": few},
        {"sizes": (800, 150, 51), "seed": many, "refused": True},
    ]
    wanted = [
        {**one, "sizes": list(one["sizes"]), "outside": where}
        for one, where in zip(asked, outside, strict=True)
    ]
    return splits(ctx, COUNT, *wanted)


def _told(done: Evidence, k: int) -> Mapping[str, Any]:
    told = field_of(done, "splits", list)
    if k >= len(told) or not isinstance(told[k], Mapping):
        raise tampered("splits")
    found: Mapping[str, Any] = told[k]
    return found


@check(
    bugs=("split_overlap", "wrong_value", "missing_name"),
    help="Draw one order of all samples, and cut it in three places.",
    main=_splits,
)
def split_disjoint(ctx: Context, main: Evidence) -> Outcome:
    """Whether no sample is in two parts, and too many are refused."""
    done = require(main)
    for k, sizes in ((0, SIZES), (2, SIZES), (3, (300, 200, 100))):
        parts = parts_of(_told(done, k), sizes)
        for name, part in zip(PARTS, parts, strict=True):
            if len(set(part)) < len(part):
                said = f"the {name} part of {len(part)} samples has {len(set(part))} different ones"
                return Outcome.failed(said, "wrong_value")
        for a, b in ((0, 1), (0, 2), (1, 2)):
            shared = len(set(parts[a]) & set(parts[b]))
            if shared:
                said = f"the {PARTS[a]} and the {PARTS[b]} part have {shared} samples in common"
                return Outcome.failed(said, "split_overlap")
    raised = _told(done, 4).get("raised")
    if not isinstance(raised, list):
        said = f"parts of 800, 150 and 51 were made of {COUNT} samples; it is to raise ValueError"
        return Outcome.failed(said, "wrong_value")
    if "ValueError" not in raised:
        said = f"too many samples raised {str(raised[:1])[2:-2][:80]}; they are to raise ValueError"
        return Outcome.failed(said, "wrong_value")
    return Outcome.passed()


@check(
    bugs=("incomplete_seeding", "wrong_value", "missing_name"),
    help="A generator of your own, made from the seed, is touched by nobody else.",
    main=_splits,
)
def split_repeats(ctx: Context, main: Evidence) -> Outcome:
    """Whether the parts are drawn at random, by the seed and by nothing else."""
    done = require(main)
    first, again, other = (parts_of(_told(done, k), SIZES) for k in range(3))
    for name, part in zip(PARTS, first, strict=True):
        classes = sorted({i * 10 // COUNT for i in part})
        if len(classes) < 10:
            listed = ", ".join(map(str, classes))
            said = f"of samples sorted by class, the {name} part holds only these: {listed}"
            return Outcome.failed(said, "wrong_value")
    if first != again:
        said = "one seed gave two different splits, after other numbers were drawn"
        return Outcome.failed(said, "incomplete_seeding")
    if first == other:
        return Outcome.failed("two seeds gave one and the same split", "wrong_value")
    return Outcome.passed()


# -- task 5 ----------------------------------------------------------------------------------------

UNREADABLE = "not checked: the images did not come as they are stored"


def _passes(done: Evidence, *names: str) -> list[Pass] | None:
    """These passes; None where an image in them cannot be told from the others."""
    found = [pass_of(done, name) for name in names]
    return found if all(p.clear for p in found) else None


@check(
    bugs=("train_not_shuffled", "drops_samples", "missing_name"),
    help="The training loader draws a new order for each pass.",
    main=pipeline,
)
def loaders_order(ctx: Context, main: Evidence) -> Outcome:
    """Whether two passes over the training images come in two orders."""
    found = _passes(require(main), "a.train.1", "a.train.2")
    if found is None:
        return Outcome.not_checked(UNREADABLE)
    first, second = found
    for p in found:
        if len(set(p.numbers)) < len(p.numbers):
            said = f"a pass of {len(p.numbers)} training images has {len(set(p.numbers))} different"
            return Outcome.failed(f"{said} ones", "drops_samples")
    if first.numbers == second.numbers:
        said = f"two epochs gave the {len(first.numbers)} training images in the same order"
        return Outcome.failed(said, "train_not_shuffled")
    if len(first.sizes) > 1 and set(first.batches()) == set(second.batches()):
        said = "in two epochs the same images were together in a batch"
        return Outcome.failed(said, "train_not_shuffled")
    return Outcome.passed()


@check(
    bugs=("incomplete_seeding", "wrong_value", "missing_name"),
    help="Split and order each need a generator of their own, made from the seed.",
    main=pipeline,
)
def loaders_repeat(ctx: Context, main: Evidence) -> Outcome:
    """Whether one seed gives one split and one sequence of batches, and another seed others."""
    done = require(main)
    names = ("val.1", "train.1", "train.2")
    first = _passes(done, *(f"a.{n}" for n in names))
    again = _passes(done, *(f"b.{n}" for n in names))
    other = _passes(done, "c.val.1", "c.train.1")
    if first is None or again is None or other is None:
        return Outcome.not_checked(UNREADABLE)
    if set(first[0].numbers) != set(again[0].numbers):
        said = "two calls with one seed chose different validation images"
        return Outcome.failed(said, "incomplete_seeding")
    for epoch, (a, b) in enumerate(zip(first[1:], again[1:], strict=True), 1):
        if a.numbers != b.numbers or a.sizes != b.sizes:
            said = f"two calls with one seed gave other training batches in epoch {epoch}"
            return Outcome.failed(said, "incomplete_seeding")
    if set(first[0].numbers) == set(other[0].numbers):
        said = "two seeds chose the same validation images"
        return Outcome.failed(said, "wrong_value")
    if first[1].numbers == other[1].numbers:
        return Outcome.failed("two seeds gave the same order of training images", "wrong_value")
    return Outcome.passed()


@check(
    bugs=("split_overlap", "pairs_broken", "missing_name"),
    help="One list of indices, cut once: each training image is for training or for validation.",
    main=pipeline,
)
def loaders_apart(ctx: Context, main: Evidence) -> Outcome:
    """Whether no image is in two parts, each part is of its own files, and labels belong."""
    found = _passes(require(main), *(f"a.{name}.1" for name in NAMES))
    if found is None:
        return Outcome.not_checked(UNREADABLE)
    train, test = album(ctx)
    labels = train.label() | test.label()
    sets = {name: set(p.numbers) for name, p in zip(NAMES, found, strict=True)}
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        if shared := sets[a] & sets[b]:
            said = f"{a} and {b} have {len(shared)} images in common"
            return Outcome.failed(said, "split_overlap")
    for name in ("train", "val"):
        if strange := sets[name] & set(test.label()):
            said = f"{name} holds {len(strange)} images of the test split"
            return Outcome.failed(said, "split_overlap")
    if strange := sets["test"] - set(test.label()):
        said = f"test holds {len(strange)} images that are not of the test split"
        return Outcome.failed(said, "split_overlap")
    for name, p in zip(NAMES, found, strict=True):
        wrong = sum(labels.get(n) != y for n, y in zip(p.numbers, p.labels, strict=True))
        if wrong:
            said = f"{wrong} of the {len(p.numbers)} images of {name} have another one's label"
            return Outcome.failed(said, "pairs_broken")
    return Outcome.passed()


@check(
    bugs=("eval_shuffled", "missing_name"),
    help="Evaluation needs no shuffling: the accuracy is the same, and an order that stays lets "
    "you compare two models image by image.",
    main=pipeline,
)
def loaders_eval_order(ctx: Context, main: Evidence) -> Outcome:
    """Whether two passes over validation and test keep one order; a remark, worth nothing."""
    done = require(main)
    for name in ("val", "test"):
        first, second = pass_of(done, f"a.{name}.1"), pass_of(done, f"a.{name}.2")
        if first.numbers != second.numbers or first.labels != second.labels:
            said = f"two passes over {name} gave different orders; it costs no points"
            return Outcome.failed(said, "eval_shuffled")
    return Outcome.passed()


PUBLISHED: Stats = (0.2860, 0.3530)
"""Of the 60,000 training images, as many programs state them."""
NEAR = 2e-3
"""Three digits, as the published ones have: what the whitened parts change is fifty times that."""


def _statistics(ctx: Context) -> ProbeRequest:
    args = {"batch": BATCH, "seed": int(ctx.rng("statistics", shared=True).integers(100_000))}
    return probe("statistics", args, tensors_of(*album(ctx)))


def _stats(images: Sequence[Array]) -> Stats:
    pixels = np.asarray(images, dtype=np.float64) / 255
    return float(pixels.mean()), float(pixels.std())


def _near(a: Stats, b: Stats) -> bool:
    return all(np.isfinite(v) for v in (*a, *b)) and max(abs(a[0] - b[0]), abs(a[1] - b[1])) < NEAR


def _used(p: Pass) -> Stats | None:
    """The mean and the deviation by which a pass was normalised; None if by several."""
    with np.errstate(all="ignore"):
        std = 1 / (p.white - p.black)
        mean = -p.black * std
    if not np.isfinite(std).all() or np.ptp(std) > NEAR or np.ptp(mean) > NEAR:
        return None
    return float(np.median(mean)), float(np.median(std))


def _words(stats: Stats) -> str:
    return f"mean {stats[0]:.4f} and deviation {stats[1]:.4f}"


@check(
    bugs=("stats_leakage", "wrong_stats", "wrong_value", "missing_name"),
    help="Mean and deviation are learned from data, like weights: from the training part, once, "
    "and then all three parts are normalised by them.",
    main=_statistics,
)
def loaders_stats(ctx: Context, main: Evidence) -> Outcome:
    """Whether all images are normalised by the statistics of the training part."""
    done = require(main)
    found = _passes(done, *(f"new.{name}" for name in NAMES))
    if found is None:
        return Outcome.failed("the images did not come as they are stored", "wrong_value")
    used = {name: _used(p) for name, p in zip(NAMES, found, strict=True)}
    for name, stats in used.items():
        if stats is None:
            said = f"the images of {name} are not all normalised by the same two numbers"
            return Outcome.failed(said, "wrong_value")
    shown = _whitened(*album(ctx), field_of(done, "white", list))
    sets = {name: set(p.numbers) & set(shown) for name, p in zip(NAMES, found, strict=True)}
    if not all(sets.values()):
        return Outcome.failed("the images did not come as they are stored", "wrong_value")
    wrong = _constants(used["train"] or (0.0, 0.0), sets, shown, done.data.get("own"))
    if wrong is not None and wrong.bugs:
        return wrong
    for name in ("val", "test"):
        mine, train = used[name] or (0.0, 0.0), used["train"] or (0.0, 0.0)
        if not _near(mine, train):
            own_stats = _near(mine, _stats([shown[n] for n in sets[name]]))
            said = f"{name} is normalised by {_words(mine)}, train by {_words(train)}"
            said += f": {name} by its own statistics" if own_stats else ""
            return Outcome.failed(said, "stats_leakage" if own_stats else "wrong_stats")
    for name, p in zip(NAMES, found, strict=True):
        if strange := _strange(done, name, p, shown, used[name] or (0.0, 1.0)):
            said = f"{strange} images of {name} are other pictures than are stored"
            return Outcome.failed(said, "wrong_value")
    return wrong or Outcome.passed()


def _whitened(train: Pictures, test: Pictures, white: Sequence[Any]) -> dict[int, Array]:
    """The images of the second root by their numbers."""
    chosen = {n for n in white if isinstance(n, int)} | set(test.numbers.tolist())
    found = {}
    for n, image in (train.image() | test.image()).items():
        found[n] = image.copy()
        if n in chosen:
            found[n][1:] = 255
    return found


def _constants(
    used: Stats, sets: Mapping[str, set[int]], shown: Mapping[int, Array], own_stats: Any
) -> Outcome | None:
    """What two numbers were made of, if not of the training part; None if of that."""

    def over(*names: str) -> list[Array]:
        return [shown[n] for name in names for n in sorted(sets[name])]

    right = _stats(over("train"))
    if _near(used, right):
        return None
    if _near(used, PUBLISHED):
        return Outcome.passed("these are the published numbers of all 60,000 images: let pass")
    if isinstance(own_stats, list) and len(own_stats) == 2:
        said = tuple(v if isinstance(v, float) else float("nan") for v in own_stats)
        if _near(used, (said[0], said[1])):
            return Outcome.passed("these are what your channel_stats gives for the training part")
    for names, words in (
        (("train", "val"), "all training images, those for validation too"),
        (("test",), "the test images"),
        (("val",), "the validation images"),
        (("train", "test"), "training and test images together"),
        (("train", "val", "test"), "all images, those of the test too"),
    ):
        if _near(used, _stats(over(*names))):
            said = f"normalised by {_words(used)}, the statistics of {words}"
            return Outcome.failed(said, "stats_leakage")
    if _near((255 * used[0], 255 * used[1]), right):
        said = "the pixels go from 0 to 255 when they are normalised by numbers for 0 to 1"
        return Outcome.failed(said, "wrong_value")
    said = f"normalised by {_words(used)}; the training part has {_words(right)}"
    return Outcome.failed(said, "wrong_stats")


def _strange(done: Evidence, name: str, p: Pass, shown: Mapping[int, Array], used: Stats) -> int:
    """How many images of a pass are not what is stored, normalised by `used`."""
    whole = tensor_of(done, f"new.{name}.rows", (len(p.numbers), 28, 28)).astype(np.float64)
    mean, std = used
    return sum(
        n not in shown or bool(np.abs(image * std + mean - shown[n] / 255).max() > 1e-2)
        for n, image in zip(p.numbers, whole, strict=True)
    )


def _augmented(ctx: Context) -> ProbeRequest:
    rng = ctx.rng("augmented", shared=True)
    seed, *outside = (int(v) for v in rng.integers(0, 100_000, 3))
    args = {"batch": BATCH, "seed": seed, "outside": outside}
    return probe("augmented", args, tensors_of(*album(ctx)))


def _marked(done: Evidence, name: str) -> tuple[Pass, Array]:
    """A pass, and how bright the block in the last corner of each image is, from 0 to 1."""
    p = pass_of(done, name)
    if not p.sizes:
        return p, np.zeros(0)
    marks = tensor_of(done, f"{name}.marks", (len(p.numbers), 16)).astype(np.float64)
    with np.errstate(all="ignore"):
        return p, ((marks - p.black[:, None]) / (p.white - p.black)[:, None]).min(1)


@check(
    bugs=("eval_augmented", "wrong_value", "wrong_shape", "missing_name"),
    help="Two datasets over the same files, with different transforms, and one list of indices.",
    main=_augmented,
)
def loaders_augment(ctx: Context, main: Evidence) -> Outcome:
    """Whether each training image goes through `augment`, at each read, and no other does."""
    done = require(main)
    for name in ("val", "test"):
        p, marks = _marked(done, name)
        if bright := int((marks > 0.5).sum()):
            said = f"{bright} of the {len(p.numbers)} images of {name} went through augment"
            return Outcome.failed(said, "eval_augmented")
    shapes = field_of(done, "shapes", list)
    if shapes and shapes != [[1, 28, 28]]:
        listed = ", ".join(str(tuple(s)) for s in shapes if isinstance(s, list))[:80]
        said = f"augment was given images of shape {listed}, not (1, 28, 28)"
        return Outcome.failed(said, "wrong_shape")
    low, high = done.data.get("low"), done.data.get("high")
    if isinstance(low, float) and isinstance(high, float) and not (low >= -1e-4 and high <= 1.0001):
        said = f"augment was given pixels from {low:.2f} to {high:.2f}, not from 0 to 1"
        return Outcome.failed(said, "wrong_value")
    (first, bright), (second, later) = _marked(done, "train.1"), _marked(done, "train.2")
    if not first.sizes:
        return Outcome.failed("train gave no images", "wrong_value")
    if dark := int((~(bright > 0.5)).sum()):
        said = f"{dark} of the {len(first.numbers)} training images did not go through augment"
        return Outcome.failed(said, "wrong_value")
    if first.clear and second.clear:
        before = dict(zip(first.numbers, bright, strict=True))
        after = dict(zip(second.numbers, later, strict=True))
        both = before.keys() & after.keys()
        if both and all(abs(before[n] - after[n]) < 1e-4 for n in both):
            said = "two epochs showed the same augmented images, though augment is random"
            return Outcome.failed(said, "wrong_value")
    return Outcome.passed()


# -- task 6 ----------------------------------------------------------------------------------------


def albums(rng: np.random.Generator) -> Iterator[Case]:
    """Normalised images under their labels: a last row that is not full, and one that is."""
    for n, columns in ((10, 8), (6, 3)):
        mean, std = round(float(rng.uniform(0.2, 0.4)), 3), round(float(rng.uniform(0.2, 0.5)), 3)
        images = ((rng.random((n + 3, 28, 28)) - mean) / std).astype(np.float32)
        labels = rng.permutation(np.arange(n + 3) % 10)
        yield call(Own("album")(images, labels), n, columns, mean, std)


def prints(dataset: Own, n: int, columns: int, mean: float, std: float) -> Mapping[str, Any]:
    """Each of the first n images, as it was, under its label."""
    images, labels = dataset.args or ()
    pairs = list(zip(images, labels, strict=True))[:n]
    return {"panels": [{"images": [x * std + mean], "title": str(int(y))} for x, y in pairs]}


def nothing_else(dataset: Own, n: int, columns: int, mean: float, std: float) -> Mapping[str, Any]:
    """As many axes as images, none of them with a frame."""
    return {"panels": [{"framed": False}] * n, "only": True}
