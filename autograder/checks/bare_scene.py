"""The secret images on which a bare script is run again, and the answers that only we know.

Each class is a random pattern of large black and white pixels in the middle of the image, and
each image its class's pattern under noise. They are real enough to be learnt within ten epochs,
and nobody can know them beforehand: weights trained elsewhere, and evidence written elsewhere, do
not fit them. Of the test images one in five is labelled at random and the last ones are labelled
wrongly, so that an honest accuracy stays away from 1 and the short last batch counts.

The number of training images is no multiple of the batch size, so the last batch is short.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..model import Array, ProbeRequest
from .base import Context

TRAIN, TEST, STEPS = 700, 300, 5
SIDE, LAST, CLASSES = 14, 44, 10
FOLDERS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}


@dataclass(frozen=True, eq=False)
class BareScene:
    """Images (N, 784) float64 in [0, 255] and labels (N,) int64 of both parts; the request."""

    images: Array
    labels: Array
    test_images: Array
    test_labels: Array
    request: ProbeRequest


def _part(rng: np.random.Generator, patterns: Array, count: int) -> tuple[Array, Array]:
    labels = rng.permutation(np.arange(count) % CLASSES)
    noisy = 0.6 * patterns[labels] + 0.4 * rng.random((count, SIDE, SIDE))
    images = np.zeros((count, 28, 28), np.uint8)
    edge = (28 - SIDE) // 2
    images[:, edge : edge + SIDE, edge : edge + SIDE] = np.rint(255 * noisy)
    return images, labels


@lru_cache(maxsize=16)
def _scene(seed: int, name: str, folder: str) -> BareScene:
    rng = np.random.default_rng(seed)
    patterns = np.rint(rng.random((CLASSES, SIDE, SIDE)))
    train, labels = _part(rng, patterns, TRAIN)
    test, test_labels = _part(rng, patterns, TEST)
    noise = rng.random(TEST) < 0.2
    test_labels = np.where(noise, rng.integers(0, CLASSES, TEST), test_labels)
    test_labels[-LAST:] = (test_labels[-LAST:] + rng.integers(1, CLASSES, LAST)) % CLASSES
    tensors = {
        "train_images": train,
        "train_labels": labels.astype(np.uint8),
        "test_images": test,
        "test_labels": test_labels.astype(np.uint8),
    }
    args = {"name": name, "folder": folder, "steps": STEPS, "seed": int(rng.integers(2**31))}
    return BareScene(
        train.reshape(TRAIN, -1).astype(np.float64),
        labels.astype(np.int64),
        test.reshape(TEST, -1).astype(np.float64),
        test_labels.astype(np.int64),
        ProbeRequest("bare:run", args, tensors, start="fresh"),
    )


def bare_scene(ctx: Context) -> BareScene:
    """The scene of an assignment; every check of a bare script shares it, and its one run.

    Option `name`: the global that is the network.
    """
    data = ctx.assignment.data
    folder = FOLDERS["fashion-mnist" if data is None else data.dataset]
    seed = int(ctx.rng("bare").integers(2**62))
    return _scene(seed, str(ctx.option("name", "net")), folder)
