"""03-data-pipeline: every figure that its handout states is what its solution computes.

What was measured on MNIST is measured again where FIVE_BEATS_DATA names a torchvision root with it;
the published figures of the two full training sets only where such a set is there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from autograder.course.images import read_idx
from scripts.pictures import PICTURES, solved
from tests.samples import ROOT

ID = "03-data-pipeline"
GIVEN = os.environ.get("FIVE_BEATS_DATA", "")
real = pytest.mark.skipif(
    not (Path(GIVEN) / "MNIST").is_dir(), reason="FIVE_BEATS_DATA names no MNIST"
)
HANDOUT = (ROOT / "source" / ID / "data_pipeline.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return solved(ID, "data_pipeline")


def stored(part: str, folder: str = "MNIST") -> tuple[torch.Tensor, torch.Tensor]:
    """The images and the labels of a data set."""
    raw = Path(GIVEN) / folder / "raw"
    images = read_idx(raw / f"{part}-images-idx3-ubyte", 3)
    labels = read_idx(raw / f"{part}-labels-idx1-ubyte", 1)
    return torch.tensor(images), torch.tensor(labels).long()


def test_the_picture_is_drawn_from_the_solution() -> None:
    for name, picture in PICTURES.items():
        if name.startswith(ID):
            assert (ROOT / "source" / name).read_text(encoding="utf-8") == picture(), name


def test_a_hundred_samples(made: dict[str, Any]) -> None:
    x = torch.arange(100)
    sizes = [len(a) for a, _ in made["batches"](x, x, 16, True, np.random.default_rng(3))]
    assert sizes == [16] * 6 + [4]


def test_four_pixels(made: dict[str, Any]) -> None:
    four = torch.tensor([[[0, 51]], [[153, 204]]], dtype=torch.uint8)
    mean, std = made["channel_stats"](four)
    over_n = np.std([0, 0.2, 0.6, 0.8])
    assert round(mean, 4) == 0.4
    assert round(std, 4) == 0.3651
    assert round(float(over_n), 4) == 0.3162


def test_squares_of_bytes_and_sums_of_halves_do_not_fit() -> None:
    byte = torch.tensor([200], dtype=torch.uint8)
    assert (byte**2).item() == (byte.numpy() ** 2).item() == 64
    assert 60_000 * 784 == 47_040_000
    assert torch.finfo(torch.float16).max == 65_504


@real
def test_one_deviation_and_two_shortcuts(made: dict[str, Any]) -> None:
    images, _ = stored("train")
    if len(images) != 8_000:
        pytest.skip("the figures are those of our 8,000 digits")
    _, std = made["channel_stats"](images)
    pixels = images.double() / 255
    shortcut, means = pixels.std(dim=(1, 2)).mean(), pixels.mean(dim=(1, 2)).std()
    assert (round(std, 3), round(float(shortcut), 3), round(float(means), 3)) == (
        0.311,
        0.304,
        0.044,
    )
    assert round(std / float(means)) == 7


@pytest.mark.parametrize(
    ("folder", "published"), [("MNIST", (0.1307, 0.3081)), ("FashionMNIST", (0.2860, 0.3530))]
)
def test_the_published_statistics(
    made: dict[str, Any], folder: str, published: tuple[float, float]
) -> None:
    if not (Path(GIVEN) / folder).is_dir() or len(stored("train", folder)[0]) != 60_000:
        pytest.skip(f"FIVE_BEATS_DATA names no full {folder}")
    mean, std = made["channel_stats"](stored("train", folder)[0])
    assert (round(mean, 4), round(std, 4)) == published


@real
@pytest.mark.parametrize("shuffle", [True, False], ids=["shuffled", "sorted"])
def test_what_order_does(made: dict[str, Any], shuffle: bool) -> None:
    (images, labels), (unseen, names) = stored("train"), stored("t10k")
    x, z = (i[:2000].reshape(-1, 784) / 255 for i in (images, unseen))
    losses, accuracies = made["what_order_does"](x, labels[:2000], z, names[:2000], shuffle)
    if shuffle:
        assert accuracies == pytest.approx([0.43, 0.63, 0.76], abs=0.015)
        return
    nines = float((names[:2000] == 9).float().mean())
    assert accuracies == pytest.approx([0.091] * 3, abs=0.0005)
    assert accuracies == pytest.approx([nines] * 3)
    assert (round(min(losses), 2), round(max(losses), 1)) == (0.17, 4.3)


def test_the_experiment_of_the_handout_says_what_was_measured() -> None:
    for said in ("43, 63 and 76 %", "9.1 %", "falls to 0.17", "jumps to 4.3"):
        assert said in HANDOUT
