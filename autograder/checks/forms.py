"""How a loop is asked for: a function on fixtures, or the whole program on secret images.

Both give a `Replay`, so the judges of `loops` and `evaluations` do not know which it was. What is
driven, a check says in its `with:`

    function, arguments     a function with arguments, called on fixtures (see `probes/fixtures.py`
                            for the roles that `arguments` may name)
    network, functions      a program: the name of its network, and its functions, each with the
                            name of the loader that it works on

Images are random patterns of large pixels, one pattern a class, under noise: real enough to be
learnt within some epochs, and nobody can know them beforehand. Of the test images one in five is
labelled at random, so that an honest accuracy stays away from 1. No number of images is a multiple
of a batch size, so the last batch is short; a fixture gives it the labels that the network believes
in least, so that a mean of the batches' means is another number than the mean over samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from ..model import Array, Evidence, ProbeRequest
from .base import Context, Malformed, Option, require
from .reference.images import Known
from .reference.replay import Replay, read

SIDE, CLASSES = 8, 10
TRAIN, TEST, LAST = 700, 300, 44
"""Of a program's images; the last test images are labelled wrongly."""
TOLD = "told"
"""The label of a run with the gradients as the box saw them."""
KEEP = 4
"""Steps of a program that are explained to the last number; of the others it is known whether the
weights moved. More would make the evidence large, and show no other beats.
"""
SAMPLES, VALIDATION, BATCH, HIDDEN = 51, 29, 8, 12
"""Of a fixture."""
FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}


def _patterns(rng: np.random.Generator) -> Array:
    """One random pattern a class, (CLASSES, SIDE, SIDE) of 0 and 1."""
    return np.rint(rng.random((CLASSES, SIDE, SIDE)))


def _images(rng: np.random.Generator, patterns: Array, labels: Array, noise: float) -> Array:
    """Images (N, 28, 28) float64 in [0, 1] of these classes, in the middle of a black square."""
    noisy = (1 - noise) * patterns[labels] + noise * rng.random((len(labels), SIDE, SIDE))
    images = np.zeros((len(labels), 28, 28))
    edge = (28 - SIDE) // 2
    images[:, edge : edge + SIDE, edge : edge + SIDE] = noisy
    return images


def patch_images(rng: np.random.Generator, count: int) -> Array:
    """Images (count, 28, 28) float32 of random pixels in the same middle of a black square."""
    labels = np.zeros(count, dtype=np.int64)
    return _images(rng, np.zeros((1, SIDE, SIDE)), labels, 1.0).astype(np.float32)


@dataclass(frozen=True, eq=False)
class TrainFixture:
    """What a driven function is handed: `values` and `tensors` as `probes/fixtures.py` takes them,
    and what the judges know of it.
    """

    values: Mapping[str, Any]
    tensors: Mapping[str, Array]
    known: Known
    tests: Known

    @property
    def mask(self) -> tuple[float, ...]:
        return tuple(float(v) for v in self.tensors["mask"])

    @property
    def batches(self) -> list[int]:
        """Samples in each batch of an epoch."""
        n, size = len(self.known.labels), int(self.values["batch"])
        return [min(size, n - i) for i in range(0, n, size)]


@lru_cache(maxsize=64)
def train_fixture(
    seed: int, momentum: float = 0.0, smoothing: float = 0.0, rate: float = 0.05
) -> TrainFixture:
    """A fixture: a net of 784 inputs, `HIDDEN` units and 10 classes that drops a third of its units
    in training mode, and images in batches of 8 with a last one of 3.
    """
    rng = np.random.default_rng(seed)
    w1 = rng.normal(0, 0.3, (HIDDEN, 784)).astype(np.float32)
    w2 = rng.normal(0, 0.5, (CLASSES, HIDDEN)).astype(np.float32)
    mask = np.where(rng.permutation(HIDDEN) < HIDDEN // 3, 0.0, 1.5).astype(np.float32)
    patterns = _patterns(rng)
    labels = rng.permutation(np.arange(SAMPLES) % CLASSES)
    images = _images(rng, patterns, labels, 0.6).astype(np.float32)
    short = SAMPLES % BATCH
    hidden = images.reshape(SAMPLES, -1).astype(np.float64) @ w1.T * mask
    scores = np.maximum(hidden, 0) @ w2.T
    labels[-short:] = scores.argsort(1)[-short:, 0]
    val_labels = rng.integers(0, CLASSES, VALIDATION)
    val_images = _images(rng, patterns, val_labels, 0.6).astype(np.float32)
    tensors: dict[str, Array] = {
        "w1": w1,
        "w2": w2,
        "mask": mask,
        "images": images[:, None],
        "labels": labels.astype(np.int64),
        "val_images": val_images[:, None],
        "val_labels": val_labels.astype(np.int64),
    }
    values = {
        "batch": BATCH,
        "lr": rate,
        "momentum": momentum,
        "smoothing": smoothing,
        "training": False,
    }

    def known(x: Array, y: Array) -> Known:
        return Known(x.reshape(len(x), -1).astype(np.float64), y.astype(np.int64))

    return TrainFixture(values, tensors, known(images, labels), known(val_images, val_labels))


@dataclass(frozen=True, eq=False)
class ProgramImages:
    """The secret images of a program, as its probe takes them (`tensors`) and judges know them."""

    tensors: Mapping[str, Array]
    train: Known
    tests: Known
    ray: int


@lru_cache(maxsize=16)
def program_images(seed: int) -> ProgramImages:
    """700 training and 300 test images of ten patterns, uint8."""
    rng = np.random.default_rng(seed)
    patterns = _patterns(rng)

    def part(count: int) -> tuple[Array, Array]:
        labels = rng.permutation(np.arange(count) % CLASSES)
        return np.rint(255 * _images(rng, patterns, labels, 0.4)).astype(np.uint8), labels

    train, labels = part(TRAIN)
    test, test_labels = part(TEST)
    guessed = rng.random(TEST) < 0.2
    test_labels = np.where(guessed, rng.integers(0, CLASSES, TEST), test_labels)
    test_labels[-LAST:] = (test_labels[-LAST:] + rng.integers(1, CLASSES, LAST)) % CLASSES
    tensors = {
        "train_images": train,
        "train_labels": labels.astype(np.uint8),
        "test_images": test,
        "test_labels": test_labels.astype(np.uint8),
    }

    def known(x: Array, y: Array) -> Known:
        return Known(x.reshape(len(x), -1).astype(np.float64), y.astype(np.int64))

    return ProgramImages(
        tensors, known(train, labels), known(test, test_labels), int(rng.integers(2**31))
    )


@dataclass(frozen=True)
class FunctionForm:
    """A function with arguments, called on fixtures."""

    function: str
    arguments: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    def fixture(self, ctx: Context, name: str = "train") -> TrainFixture:
        """The secret fixture `name`: `train` is plain SGD and cross-entropy, `other` has momentum
        and a smoothed loss, so that a function which ignores its arguments shows.
        """
        seed = int(ctx.rng(f"fixture/{name}", shared=True).integers(2**62))
        if name == "other":
            return train_fixture(seed, 0.9, 0.2, 0.02)
        return train_fixture(seed)

    def request(self, ctx: Context, name: str = "train", **values: Any) -> ProbeRequest:
        """Ask for the function on fixture `name`, with further `values` of it."""
        made = self.fixture(ctx, name)
        args = {
            "function": self.function,
            "arguments": list(self.arguments),
            "calls": values.pop("calls", 1),
            "fixture": {**made.values, **self.options, **values},
            "keep": values.pop("keep", 12),
            "ray": int(ctx.rng(f"ray/{name}", shared=True).integers(2**31)),
            "seed": ctx.seed,
        }
        return ProbeRequest("drive:call", args, made.tensors)

    def read(self, ctx: Context, evidence: Evidence, name: str = "train") -> Replay:
        made = self.fixture(ctx, name)
        ray = int(ctx.rng(f"ray/{name}", shared=True).integers(2**31))
        return read(
            require(evidence),
            made.known,
            ray=ray,
            mask=made.mask,
            tests=made.tests,
            smoothing=float(made.values["smoothing"]),
        )


@dataclass(frozen=True)
class ProgramForm:
    """A whole program on secret images."""

    network: str
    functions: Mapping[str, str]
    file: str = ""
    seeding: str = ""
    curve: tuple[float, ...] = ()

    def images(self, ctx: Context) -> ProgramImages:
        return program_images(int(ctx.rng("program", shared=True).integers(2**62)))

    def request(
        self,
        ctx: Context,
        *,
        which: int = 0,
        steps: int | None = None,
        device: str = "cpu",
        curve: tuple[float, ...] = (),
        tell: bool = False,
        other_tests: bool = False,
    ) -> ProbeRequest:
        """Ask for a run: under outside seed number `which`, up to `steps`, on a `device`, with its
        evaluations answered from a `curve`; `tell`: with the gradients as the box saw them;
        `other_tests`: with the test images as negatives, whose mean and deviation are others.
        """
        images = self.images(ctx)
        tensors = dict(images.tensors)
        if other_tests:
            tensors["test_images"] = 255 - tensors["test_images"]
        args = {
            "network": self.network,
            "folder": FOLDERS["fashion-mnist" if (d := ctx.assignment.data) is None else d.dataset],
            "functions": dict(self.functions),
            "seed": int(ctx.rng(f"seeding/{which}").integers(2**31)),
            "keep": KEEP,
            "ray": images.ray,
            "curve": list(curve),
            "file": self.file,
            "steps": steps,
            "device": device,
            "batches": 2,
            "seeding": self.seeding if steps else "",
            "tell": tell,
        }
        return ProbeRequest("run:program", args, tensors, start="fresh")

    def requests(self, ctx: Context) -> dict[str, ProbeRequest]:
        """The run, and once more with the gradients as the box saw them: that is only asked for
        where the network is none that can be computed here.
        """
        told = self.request(ctx, curve=self.curve, tell=True)
        return {"main": self.request(ctx, curve=self.curve), TOLD: told}

    def replay(self, ctx: Context, evidence: Mapping[str, Evidence]) -> Replay:
        """The run, read. What cannot be computed is taken as it is told: testimony."""
        plain = self.read(ctx, evidence["main"])
        if plain.chain is not None or TOLD not in evidence or not any(c.pulls for c in plain.calls):
            return plain
        told = evidence[TOLD]
        return self.read(ctx, told) if told.status == "done" and "calls" in told.data else plain

    def read(self, ctx: Context, evidence: Evidence) -> Replay:
        images = self.images(ctx)
        return read(require(evidence), images.train, ray=images.ray, tests=images.tests)


FUNCTION = (
    Option("function", str, "the function that is driven on secret fixtures"),
    Option("arguments", list, "which fixture stands in which place of its arguments"),
)
RUN = (
    Option("network", str, "the global that is the network, of a program that is run whole"),
    Option("functions", dict, "the program's functions, each with the name of its loader"),
    Option("file", str, "the checkpoint that the run leaves behind", made=True),
    Option("class", str, "the class that the checkpoint is loaded into"),
    Option("curve", list, "what the run's evaluations answer, in order; real numbers if left out"),
    Option("seeding", str, "the program's own function that sets the seeds"),
    Option("generators", list, "of `python`, `numpy`, `torch`: those that it has to seed"),
    Option("wiring", bool, "whether a check of its own asks whose parameters the optimizer holds"),
    Option("train", str, "the training function, where it is not `train_one_epoch`"),
    Option("evaluate", str, "the evaluating function", "evaluate"),
    Option("batch", int, "images in a batch"),
    Option("epochs", int, "passes over the training images"),
    Option("rate", float, "the learning rate"),
    Option("std", float, "the standard deviation of the first weights"),
    Option("optimizer", str, "the optimizer by its class"),
    Option("open", bool, "whether another optimizer or a schedule may stand in its place"),
)
"""What is said of a run: once, for all the checks that look at it, whatever each of them needs."""


def examine_form(ctx: Context) -> None:
    """Raise `Malformed` where options name neither a function nor a program, or both."""
    if bool(ctx.option("function")) == bool(ctx.option("network")):
        raise Malformed(
            "needs one of the options 'function' and 'network'",
            "state `function` and `arguments`, or `network` and `functions`",
        )


def with_defaults(options: tuple[Option, ...], **defaults: Any) -> tuple[Option, ...]:
    """The options with these defaults in place of their own."""
    return tuple(replace(o, default=defaults.get(o.name, o.default)) for o in options)


def form_of(ctx: Context) -> FunctionForm | ProgramForm:
    """The form that a check's options name."""
    if ctx.option("network"):
        functions = ctx.option("functions", {})
        return ProgramForm(
            str(ctx.option("network")),
            {str(k): str(v) for k, v in functions.items()},
            str(ctx.option("file", "")),
            str(ctx.option("seeding", "")),
            tuple(float(a) for a in ctx.option("curve", ())),
        )
    return FunctionForm(str(ctx.option("function")), tuple(map(str, ctx.option("arguments", ()))))
