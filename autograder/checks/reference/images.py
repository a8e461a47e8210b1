"""Which secret images went into a network, and how the program had prepared them.

Theory. Rows that a network saw are matched to our images by their correlation, and an affine map is
fitted pixel by pixel, which is what every usual preparation is. Where it fits to within rounding,
the rows are our images beyond doubt, their labels are ours, and any other image can be prepared the
same way outside. Each image also leaves one number, its print: its product with a random ray. So
once the preparation is known, the images of every other call are known by their prints alone. Rows
under random augmentation match nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AFFINE = 1e-3
"""Largest residual of an affine preparation, relative to the spread of the rows."""
PRINTED = 1e-6
"""Largest distance of two prints of one image, relative to the largest: both are sums in float64 of
values that were rounded to float32."""


@dataclass(frozen=True, eq=False)
class Known:
    """Our images (N, pixels) float64 and labels (N,) int64."""

    images: Floats
    labels: Ints


@dataclass(frozen=True, eq=False)
class Preparation:
    """x = slope * image + shift in the `columns` (V,) that vary, `constant` (pixels,) elsewhere."""

    columns: Ints
    constant: Floats
    slope: Floats
    shift: Floats

    def of(self, images: Floats) -> Floats:
        """Images (N, pixels) as the network gets them, in the varying columns, (N, V)."""
        return np.asarray(images[:, self.columns] * self.slope + self.shift)

    def prints(self, images: Floats, ray: int) -> Floats:
        """The prints (N,) of images under the ray of this seed."""
        drawn = torch.Generator().manual_seed(ray)
        line = torch.randn(len(self.constant), dtype=torch.float64, generator=drawn).numpy()
        rows = self.of(images).astype(np.float32).astype(np.float64)
        still = self.constant.copy()
        still[self.columns] = 0.0
        return np.asarray(rows @ line[self.columns] + float(still @ line))


def match(rows: Floats, images: Floats, columns: Ints) -> Ints:
    """For each row (R, V) the image (N, pixels) that it correlates with most, (R,)."""

    def unit(x: Floats) -> NDArray[np.float32]:
        centred = x - x.mean(axis=1, keepdims=True)
        length = np.linalg.norm(centred, axis=1, keepdims=True)
        return np.asarray(centred / np.maximum(length, 1e-12), dtype=np.float32)

    return np.asarray((unit(rows) @ unit(images[:, columns]).T).argmax(axis=1), dtype=np.int64)


def prepare(
    rows: Floats, images: Floats, columns: Ints, constant: Floats
) -> tuple[Preparation, Ints] | None:
    """The preparation that makes `rows` (R, V) of our images, and which image each row is; None
    where no affine map fits.
    """
    if len(rows) < 2 or not len(columns):
        return None
    found = match(rows, images, columns)
    fitted = affine(rows, images[found], columns, constant)
    return None if fitted is None else (fitted, found)


def affine(rows: Floats, images: Floats, columns: Ints, constant: Floats) -> Preparation | None:
    """The preparation that makes row k (V,) of image k (pixels,) for all of them; None where none
    does.
    """
    given = images[:, columns]
    mean_in, mean_out = given.mean(axis=0), rows.mean(axis=0)
    spread = ((given - mean_in) ** 2).sum(axis=0)
    slope = ((given - mean_in) * (rows - mean_out)).sum(axis=0) / np.maximum(spread, 1e-9)
    shift = mean_out - slope * mean_in
    left = np.linalg.norm(given * slope + shift - rows)
    size = np.linalg.norm(rows - mean_out)
    if not size > 0 or left >= AFFINE * size:
        return None
    return Preparation(columns, constant, slope, shift)


def followed(rows: Floats, images: Floats) -> Callable[[Floats], Floats] | None:
    """How a program made rows (R, pixels) of images (R, pixels) of bytes, as a function of any such
    images; None where it is none of the usual ways: an affine map of each pixel, of the images as
    they are or each after its own numbers (its mean and deviation, its largest), or one function of
    a pixel's value. Nothing that depends on what an image shows can be said in these ways.
    """
    if rows.shape != images.shape or len(rows) < 2 or not np.isfinite(rows).all():
        return None
    varies = (rows != rows[0]).any(axis=0).nonzero()[0]
    for way in _WAYS:
        fitted = affine(rows[:, varies], way(images), varies, rows[0]) if len(varies) else None
        if fitted is not None:
            return functools.partial(_whole, fitted, way)
    table = np.full(256, np.nan)
    table[images.astype(np.int64).ravel()] = rows.ravel()
    made = table[images.astype(np.int64)]
    if np.abs(made - rows).max() <= AFFINE * max(float(np.ptp(rows)), 1e-12):
        return functools.partial(_looked_up, table)
    return None


def _whole(fitted: Preparation, way: Callable[[Floats], Floats], images: Floats) -> Floats:
    found = np.tile(fitted.constant, (len(images), 1))
    found[:, fitted.columns] = fitted.of(way(images))
    return found


def _looked_up(table: Floats, images: Floats) -> Floats:
    known = np.flatnonzero(np.isfinite(table))
    return np.asarray(np.interp(images, known, table[known]))


def _standard(images: Floats, freedom: int) -> Floats:
    spread = images.std(axis=1, ddof=freedom, keepdims=True)
    return np.asarray((images - images.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-12))


def _over(images: Floats, size: Floats) -> Floats:
    return np.asarray(images / np.maximum(size[:, None], 1e-12))


_WAYS: tuple[Callable[[Floats], Floats], ...] = (
    lambda x: x,
    lambda x: _standard(x, 1),
    lambda x: _standard(x, 0),
    lambda x: _over(x, x.max(axis=1)),
    lambda x: _over(x, np.linalg.norm(x, axis=1)),
    lambda x: _over(x, x.sum(axis=1)),
    lambda x: x - x.mean(axis=1, keepdims=True),
)
"""What a program may do to each image by that image's own numbers, before an affine map."""


def mixed(rows: Floats, images: Floats) -> bool:
    """Whether rows (B, pixels) are a batch of our images (N, pixels) whose numbers were put in
    another shape, so that each row holds pixels of many images: `x.reshape(pixels, -1).T`.
    """
    count, pixels = rows.shape
    for batch in (rows.T.reshape(count, pixels), rows.reshape(pixels, count).T):
        varies = (batch != batch[0]).any(axis=0).nonzero()[0]
        if prepare(batch[:, varies], images, varies, batch[0]) is not None:
            return True
    return False


def by_prints(prints: Floats, known: Floats) -> Ints:
    """For each print (R,) the image whose print it is, of those `known` (N,); -1 for none."""
    if not len(known):
        return np.full(len(prints), -1, dtype=np.int64)
    order = np.argsort(known, kind="stable")
    ranked = known[order]
    right = np.clip(np.searchsorted(ranked, prints), 1, len(ranked) - 1) if len(known) > 1 else 0
    left = np.maximum(np.asarray(right) - 1, 0)
    nearer = np.abs(ranked[right] - prints) < np.abs(ranked[left] - prints)
    at = np.where(nearer, right, left)
    scale = max(float(np.abs(known).max()), 1e-12)
    fits = np.abs(ranked[at] - prints) <= PRINTED * scale
    return np.where(fits, order[at], -1).astype(np.int64)
