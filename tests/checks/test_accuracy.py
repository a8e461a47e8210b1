"""Accuracy on hidden images: the student's own preprocessing, partial credit, deferral."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from autograder.checks import Calibration, HiddenData
from autograder.checks.accuracy import accuracy_of, hidden_request
from autograder.checks.base import Context, Inconclusive
from autograder.course import config, images
from autograder.model import CheckResult, Evidence, ProbeRequest, Status
from tests.harness import ROOT, ForkedRun, judge_program

SPEC = config.assignment(ROOT / "assignments" / "05-five-beats" / "assignment.yml")
TRAIN = """\
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset
from torchvision import datasets, transforms

torch.manual_seed(0)
{data}
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(4):
    for x, y in DataLoader(train_set, batch_size=64, shuffle=True):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
"""
TORCHVISION = """
tf = {tf}
train_set = datasets.FashionMNIST("data", train=True, transform=tf)
test_loader = DataLoader({test}, batch_size=256)
"""
BY_HAND = """
def tensors(train):
    raw = datasets.FashionMNIST("data", train=train)
    return TensorDataset({pixels}, raw.targets)
train_set, test_loader = tensors(True), DataLoader(tensors(False), batch_size=256)
"""
TEST = 'datasets.FashionMNIST("data", train=False, transform=tf)'
NORMAL = "transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.3,), (0.05,))])"
WAYS = {
    "to tensor": ("transforms", TORCHVISION.format(tf="transforms.ToTensor()", test=TEST)),
    "normalised": ("transforms", TORCHVISION.format(tf=NORMAL, test=TEST)),
    "a subset": (
        "transforms",
        TORCHVISION.format(tf=NORMAL, test=f"Subset({TEST}, list(range(30, 130)))"),
    ),
    "flattened": (
        "transforms",
        TORCHVISION.format(
            tf=NORMAL.replace("Normalize((0.3,), (0.05,))", "Lambda(lambda x: 9 * x.view(-1))"),
            test=TEST,
        ),
    ),
    "tensors by hand": (
        "statistics",
        BY_HAND.format(pixels="(raw.data.unsqueeze(1).float() - 80) / 3"),
    ),
    "vectors by hand": (
        "statistics",
        BY_HAND.format(pixels="raw.data.flatten(1).float() / 16 - 2"),
    ),
    "toy images made later": (  # as the handout's public tests make them in a notebook
        "statistics",
        BY_HAND.format(pixels="(raw.data.unsqueeze(1).float() - 80) / 3").replace(
            "test_loader", "kept"
        )
        + "toy = DataLoader(TensorDataset(torch.rand(50, 1, 28, 28), torch.arange(50) % 10))\n",
    ),
}


@lru_cache(maxsize=1)
def prepared(cache: Path) -> images.Prepared:
    assert SPEC.data is not None
    return images.prepare(SPEC.data, SPEC.seed, None, cache)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> images.Prepared:
    return prepared(tmp_path_factory.mktemp("digits"))


def hidden_of(digits: images.Prepared) -> HiddenData:
    return HiddenData(
        digits.dataset, digits.fingerprint, digits.hidden_images, digits.hidden_labels
    )


def context(hidden: HiddenData) -> Context:
    spec = next(c for c in SPEC.checks if c.use == "accuracy")
    return Context(SPEC, spec, hidden)


def judged(
    digits: images.Prepared, source: str, threshold: float, floor: float, hidden: bool = True
) -> CheckResult:
    run = ForkedRun("script", "x.py", [source], digits.root)
    calibration = Calibration((threshold,), threshold, floor)
    known = hidden_of(digits) if hidden else None
    return judge_program(SPEC, run, ["accuracy"], known, calibration)["accuracy"]


@pytest.mark.parametrize("name", WAYS)
def test_hidden_images_are_prepared_as_the_students_own(name: str, digits: images.Prepared) -> None:
    way, lines = WAYS[name]
    run = ForkedRun("script", "x.py", [TRAIN.format(data=lines)], digits.root)
    hidden = hidden_of(digits)
    evidence = run.ask(hidden_request(context(hidden)))
    assert evidence.status == "done", evidence.error
    assert evidence.data["way"] == way
    assert accuracy_of(evidence, hidden) > 0.8


def test_a_trainer_is_called_where_there_is_no_model(digits: images.Prepared) -> None:
    body = TRAIN.format(data=WAYS["normalised"][1]).replace("\n", "\n    ")
    source = f"def train_mnist():\n    {body}\n    return model, {{}}\n"
    asked = hidden_request(context(hidden_of(digits)))
    request = ProbeRequest(asked.probe, {**asked.args, "trainer": "train_mnist"}, asked.tensors)
    evidence = ForkedRun("script", "x.py", [source], digits.root).ask(request)
    assert evidence.status == "done", evidence.error
    assert evidence.data["way"] == "transforms"
    assert accuracy_of(evidence, hidden_of(digits)) > 0.8


def test_credit_is_full_partial_or_none_by_the_calibration(digits: images.Prepared) -> None:
    source = TRAIN.format(data=WAYS["to tensor"][1])
    full = judged(digits, source, 0.7, 0.4)
    assert (full.status, full.score) == (Status.PASSED, full.max_score)
    partial = judged(digits, source, 0.999, 0.5)
    assert partial.status == Status.PARTIAL
    assert 0 < partial.score < partial.max_score
    none = judged(digits, source.replace("range(4)", "range(0)"), 0.7, 0.5)
    assert (none.status, none.score) == (Status.FAILED, 0)
    assert full.value == partial.value and f"{full.value:.1%} of" in full.message
    assert none.value is not None and none.value < 0.5


def test_without_hidden_images_it_is_deferred_and_not_zero(digits: images.Prepared) -> None:
    found = judged(digits, "model = None\n", 0.7, 0.4, hidden=False)
    assert found.status == Status.DEFERRED


def test_a_missing_model_is_named(digits: images.Prepared) -> None:
    assert judged(digits, "x = 1\n", 0.7, 0.4).bugs == ("missing_name",)
    assert judged(digits, "model = 3\n", 0.7, 0.4).status == Status.ERROR


def test_forged_logits_are_no_accuracy(digits: images.Prepared) -> None:
    hidden = hidden_of(digits)
    n = len(hidden.labels)
    nan = Evidence("done", tensors={"logits": np.full((n, 10), np.nan, np.float32)})
    assert accuracy_of(nan, hidden) == 0
    for shape in ((n, 9), (n - 1, 10), (n,)):
        with pytest.raises(Inconclusive):
            accuracy_of(Evidence("done", tensors={"logits": np.ones(shape, np.float32)}), hidden)


def test_the_reference_is_calibrated_under_other_seeds(digits: images.Prepared) -> None:
    asked = hidden_request(context(hidden_of(digits)))
    source = TRAIN.format(data=WAYS["to tensor"][1]).replace("range(4)", "range(1)")
    logits = []
    for offset in (0, 1000, 0):
        args = {**asked.args, "offset": offset}
        request = ProbeRequest("accuracy:reference_accuracy", args, asked.tensors, "fresh")
        evidence = ForkedRun("script", "x.py", [source], digits.root).ask(request)
        assert evidence.status == "done", evidence.error
        logits.append(evidence.tensors["logits"])
    assert np.array_equal(logits[0], logits[2])
    assert not np.allclose(logits[0], logits[1])


def test_predictions_are_made_here_from_the_final_weights() -> None:
    rng = np.random.default_rng(5)
    w1, b1, w2, b2 = (rng.normal(size=s) for s in ((6, 4), (6,), (10, 6), (10,)))
    samples = rng.normal(size=(30, 1, 2, 2)).astype(np.float32)
    logits = np.maximum(samples.reshape(30, 4) @ w1.T + b1, 0) @ w2.T + b2
    labels = logits.argmax(1)
    labels[:12] = (labels[:12] + 1) % 10
    hidden = HiddenData("digits", "x", np.zeros((30, 28, 28), np.uint8), labels)
    weights = np.concatenate([p.ravel() for p in (w1, b1, w2, b2)])
    told = Evidence("done", tensors={"weights": weights, "samples": samples})
    assert accuracy_of(told, hidden, layers=(4, 6, 10)) == pytest.approx(18 / 30)
    # whatever logits the box sends are not looked at
    lie = Evidence("done", tensors={**told.tensors, "logits": np.eye(10)[labels]})
    assert accuracy_of(lie, hidden, layers=(4, 6, 10)) == pytest.approx(18 / 30)
    with pytest.raises(Inconclusive, match="parameters"):
        accuracy_of(told, hidden, layers=(4, 7, 10))
