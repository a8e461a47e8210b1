"""Loaders: shapes, sizes, and the order of two passes."""

from __future__ import annotations

import pytest

from tests.lab import changed, lost, results

LOADERS = ("loaders_shape", "train_shuffled", "eval_order")
SHUFFLE = "batch_size=128, shuffle=True"
BY_HAND = """\
class Loader:
    dataset = train_set

    dataset = train_set

    def __len__(self):
        return 5

    def __iter__(self):
        for i in torch.randperm(600).split(128):
            yield train_set[i]


train_loader = Loader()
"""
READ = "read(True), read(False)"
PIXELS = "data.data[:, None] / 255.0"
RIGHT = {
    "as it is": (),
    "a RandomSampler": (
        (SHUFFLE, "batch_size=128, sampler=torch.utils.data.RandomSampler(train_set)"),
    ),
    "a generator of its own": ((SHUFFLE, SHUFFLE + ", generator=torch.Generator()"),),
    "dropping the last training batch": ((SHUFFLE, SHUFFLE + ", drop_last=True"),),
    "randperm in a loader by hand": (
        (
            "train_loader = DataLoader(train_set, batch_size=128, shuffle=True)",
            BY_HAND,
        ),
    ),
    "one batch, all of it": (
        (SHUFFLE, "batch_size=128"),
        (READ, "TensorDataset(*read(True)[:128]), TensorDataset(*read(False)[:128])"),
    ),
}


@pytest.mark.parametrize("style", RIGHT)
def test_a_correct_style_loses_nothing(style: str) -> None:
    assert lost(changed(*RIGHT[style]), *LOADERS) == {}


@pytest.mark.parametrize(
    "change",
    [
        (SHUFFLE, "batch_size=128"),
        (SHUFFLE, "batch_size=128, sampler=torch.randperm(600).tolist()"),
    ],
)
def test_the_same_order_every_epoch_is_named(change: tuple[str, str]) -> None:
    assert lost(changed(change), *LOADERS) == {"train_shuffled": ("train_not_shuffled",)}


def test_a_shuffled_evaluation_is_a_remark_without_points() -> None:
    found = results(changed(("batch_size=256", "batch_size=256, shuffle=True")), *LOADERS)
    assert found["eval_order"].bugs == ("eval_shuffled",)
    assert found["eval_order"].max_score == 0
    assert found["train_shuffled"].status == "passed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((SHUFFLE, "batch_size=64, shuffle=True"), "(64, 1, 28, 28)"),
        ((PIXELS, "data.data.flatten(1) / 255.0"), "(128, 784)"),
        ((PIXELS, "data.data[:, None] / 127.5 - 1"), ""),
        ((PIXELS, "data.data[:, None].double() / 255.0"), "float64"),
        (("data.targets)", "data.targets.float())"), "float32 of shape"),
        (("batch_size=256", "batch_size=256, drop_last=True"), "256 of its 300 images"),
    ],
)
def test_a_wrong_batch_is_told_by_its_shape(change: tuple[str, str], words: str) -> None:
    found = results(changed(change), "loaders_shape")["loaders_shape"]
    assert (found.status == "passed") is (words == "")
    assert words in found.message
