"""Accuracy on hidden images: the student's own preprocessing, partial credit, deferral."""

# ruff: noqa: E501 - programs stand here as they would in a file

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.checks import Calibration, HiddenData
from autograder.checks.accuracy import ASKED, accuracy_of, network_request
from autograder.checks.base import Context, Inconclusive
from autograder.checks.judge import World
from autograder.checks.reference.operations import Unknown
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
QUICK = BY_HAND.format(pixels="raw.data.unsqueeze(1).float() / 255")
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
    return World(SPEC, hidden).context(spec)


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
    ctx = context(hidden_of(digits))
    evidence = run.ask(network_request(ctx))
    assert evidence.status == "done", evidence.error
    assert evidence.data["way"] == way
    assert accuracy_of(ctx, evidence) > 0.8


def test_a_trainer_is_called_where_there_is_no_model(digits: images.Prepared) -> None:
    body = TRAIN.format(data=WAYS["normalised"][1]).replace("\n", "\n    ")
    source = f"def train_mnist():\n    {body}\n    return model, {{}}\n"
    ctx = context(hidden_of(digits))
    asked = network_request(ctx)
    request = ProbeRequest(asked.probe, {**asked.args, "trainer": "train_mnist"}, asked.tensors)
    evidence = ForkedRun("script", "x.py", [source], digits.root).ask(request)
    assert evidence.status == "done", evidence.error
    assert evidence.data["way"] == "transforms"
    assert accuracy_of(ctx, evidence) > 0.8


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


def test_the_reference_is_calibrated_under_other_seeds(digits: images.Prepared) -> None:
    asked = network_request(context(hidden_of(digits)))
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


# --- answers that no weight leads to --------------------------------------------------------------

NEAREST = """
kept = torch.stack([x.flatten() for x, _ in train_set])
classes = torch.tensor([int(y) for _, y in train_set])
"""
LIES = {
    "the nearest training image": """
def answer(self, x):
    near = torch.cdist(x.flatten(1), kept).argmin(1)
    return 10.0 * nn.functional.one_hot(classes[near], 10)
""",
    "the nearest of them by products": """
sizes = (kept**2).sum(1)
def answer(self, x):
    near = (2 * x.flatten(1) @ kept.T - sizes).max(1).indices
    return 10.0 * nn.functional.one_hot(classes[near], 10)
""",
    "the nearest, softly": """
answers = nn.functional.one_hot(classes, 10).float()
sizes = (kept**2).sum(1)
def answer(self, x):
    return torch.softmax(5 * (2 * x.flatten(1) @ kept.T - sizes), 1) @ answers
""",
    "the nearest of fewer, softly": """
few = torch.arange(500)
sizes = (kept[few]**2).sum(1)
answers = nn.functional.one_hot(classes[few], 10).float()
def answer(self, x):
    return torch.softmax(5 * (2 * x.flatten(1) @ kept[few].T - sizes), 1) @ answers
""",
    "the nearest of fewer, summed by class": """
order = torch.cat([(classes == c).nonzero()[:40, 0] for c in range(10)])
sizes = (kept[order]**2).sum(1)
def answer(self, x):
    near = 5 * (2 * x.flatten(1) @ kept[order].T - sizes)
    return torch.logsumexp(near.view(len(x), 10, 40), 2)
""",
    "beside honest work": """
def answer(self, x):
    honest = own(self, x)
    near = torch.cdist(x.flatten(1), kept).argmin(1)
    return honest + 1000.0 * nn.functional.one_hot(classes[near], 10)
""",
    "outside torch": """
import numpy as np
table, known = kept.numpy(), classes.numpy()
def answer(self, x):
    rows = x.flatten(1).numpy()
    near = [((table - row) ** 2).sum(1).argmin() for row in rows]
    return torch.from_numpy(10.0 * np.eye(10, dtype=np.float32)[known[near]])
""",
    "a template of each class": """
means = torch.stack([kept[classes == c].mean(0) for c in range(10)])
def answer(self, x):
    return -torch.cdist(x.flatten(1), means)
""",
    "only of images that are real": """
def answer(self, x):
    if x.std() < 0.34 and (x == 0).float().mean() > 0.2:
        near = torch.cdist(x.flatten(1), kept).argmin(1)
        return 10.0 * nn.functional.one_hot(classes[near], 10)
    return own(self, x)
""",
    "written over": """
def answer(self, x):
    out = own(self, x).clone()
    near = torch.cdist(x.flatten(1), kept).argmin(1)
    for row, c in zip(out, classes[near]):
        row[c] += 100.0
    return out
""",
    "in whole numbers": """
def answer(self, x):
    near = torch.cdist(x.flatten(1), kept).argmin(1).tolist()
    return torch.tensor([[10.0 * (int(classes[k]) == c) for c in range(10)] for k in near])
""",
}
ANSWERING = """
own = nn.Sequential.forward
def forward(self, x):
    return own(self, x) if self.training or self is not model else answer(self, x)
nn.Sequential.forward = forward
"""


@pytest.mark.parametrize("name", LIES)
def test_answers_that_no_weights_lead_to_earn_nothing(name: str, digits: images.Prepared) -> None:
    source = TRAIN.format(data=QUICK).replace("lr=1e-3", "lr=1e-7")
    found = judged(digits, source + NEAREST + LIES[name] + ANSWERING, 0.7, 0.4)
    assert found.score == 0
    assert found.status in (Status.BY_HAND, Status.FAILED), (found.status, found.message)
    assert not found.bugs
    if name == "only of images that are real":
        assert found.status is Status.FAILED  # what it wrote down is an untrained network
    else:
        assert "by its own word" in found.flag, found.message


def test_a_transform_that_knows_the_answers_earns_nothing(digits: images.Prepared) -> None:
    """Every image becomes the mean one of its nearest neighbour's class: to learn ten is easy."""
    knowing = """
plain = transforms.ToTensor()
first = datasets.FashionMNIST("data", train=True, transform=plain)
kept = torch.stack([x.flatten() for x, _ in first])
classes = torch.tensor([int(y) for _, y in first])
means = torch.stack([kept[classes == c].mean(0) for c in range(10)]).view(10, 1, 28, 28)
class Nearest:
    def __call__(self, image):
        near = torch.cdist(plain(image).view(1, -1), kept).argmin()
        return means[classes[near]]
tf = Nearest()
"""
    lines = WAYS["to tensor"][1].replace("tf = transforms.ToTensor()", knowing)
    found = judged(digits, TRAIN.format(data=lines), 0.7, 0.4)
    assert (found.status, found.score) == (Status.BY_HAND, 0)
    assert "prepared in a way that cannot be followed" in found.flag


def test_what_gets_no_points_by_its_own_word_needs_no_person(digits: images.Prepared) -> None:
    source = TRAIN.format(data=QUICK)
    odd = "nn.Sequential.forward = lambda self, x: torch.cdist(x.flatten(1), torch.ones(10, 784))"
    found = judged(digits, f"{source}\n{odd}\n", 0.7, 0.4)
    assert (found.status, found.flag) == (Status.FAILED, "")


def honest(digits: images.Prepared) -> tuple[Context, Evidence]:
    ctx = context(hidden_of(digits))
    source = TRAIN.format(data=QUICK)
    evidence = ForkedRun("script", "x.py", [source], digits.root).ask(network_request(ctx))
    assert evidence.status == "done", evidence.error
    return ctx, evidence


def test_whatever_is_told_of_a_network_is_read_without_harm(digits: images.Prepared) -> None:
    ctx, real = honest(digits)
    true = accuracy_of(ctx, real)
    junk: list[Any] = [None, 0, -1, 10**18, "x", [], [[]], {}, {"r": 0}, {"r": 99}, {"c": 10**9}]
    junk += [{"n": 1}, {"r": True}, [{"n": 1}, 10**7], "tanh", 1e308, True, [[[[[1]]]]]]
    entries = real.data["operations"]
    told: list[Any] = [*junk, [*entries * 300]]
    for i, entry in enumerate(entries):
        for k in range(len(entry["args"])):
            for j in junk:
                args = [*entry["args"][:k], j, *entry["args"][k + 1 :]]
                told.append([*entries[:i], {**entry, "args": args}, *entries[i + 1 :]])
        names = ("mul.Tensor", "nope", "view.default", "bmm.default", "expand.default", 3)
        told += [[*entries[:i], {**entry, "op": name}, *entries[i + 1 :]] for name in names]
    grown = [
        {"op": "expand.default", "args": [{"r": 0}, [10**6, {"n": 1}, 1, 28, 28]], "kwargs": {}}
    ]
    told.append(grown)
    for operations in told:
        forged = replace(real, data={**real.data, "operations": operations})
        try:
            found = accuracy_of(ctx, forged)
        except (Unknown, Inconclusive):
            continue
        assert found == true, operations  # what was changed says nothing
    for name in real.tensors:
        for array in (np.zeros(()), np.zeros((0, 3)), np.full((61, 10), np.nan), np.zeros((7, 10))):
            forged = replace(real, tensors={**real.tensors, name: array})
            with pytest.raises((Unknown, Inconclusive)):
                accuracy_of(ctx, forged)
    for answer in junk:
        with pytest.raises((Unknown, Inconclusive)):
            accuracy_of(ctx, replace(real, data={**real.data, "answer": answer}))


def test_logits_and_samples_of_the_box_decide_nothing(digits: images.Prepared) -> None:
    ctx, real = honest(digits)
    rng = np.random.default_rng(1)
    for name in ("logits", "samples"):
        array = real.tensors[name]
        forged = array + 10 * rng.normal(size=array.shape).astype(np.float32)
        with pytest.raises(Unknown):
            accuracy_of(ctx, replace(real, tensors={**real.tensors, name: forged}))
    for shape in ((ASKED, 9), (ASKED - 1, 10), (ASKED,)):
        logits = np.ones(shape, np.float32)
        with pytest.raises(Inconclusive):
            accuracy_of(ctx, replace(real, tensors={**real.tensors, "logits": logits}))


# --- their honest twins ---------------------------------------------------------------------------

PLAIN = "model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))"
MODULE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        {init}
    def forward(self, x):
        {forward}
model = Net()
"""


def module(init: str, forward: str) -> str:
    return MODULE.format(
        init=init.replace("\n", "\n        "), forward=forward.replace("\n", "\n        ")
    )


TWO = "self.a, self.b = nn.Linear(784, 64), nn.Linear(64, 10)"
WEIGHTS = (
    "self.w = nn.ParameterList([nn.Parameter(0.05 * torch.randn(s)) for s in ((784, 64), (64, 10))])\n"
    "self.c = nn.ParameterList([nn.Parameter(torch.zeros(n)) for n in (64, 10)])"
)
TURNED = (
    "self.w = nn.Parameter(0.05 * torch.randn(64, 784)); self.v = nn.Parameter(0.1 * torch.randn(10, 64))\n"
    "self.c = nn.Parameter(torch.zeros(64, 1)); self.d = nn.Parameter(torch.zeros(10))"
)
TWINS = {
    "attributes": module(TWO, "return self.b(torch.relu(self.a(x.flatten(1))))"),
    "weights in a list": module(
        WEIGHTS, "h = (x.reshape(len(x), -1) @ self.w[0] + self.c[0]).clamp(min=0)\nreturn h @ self.w[1] + self.c[1]"
    ),
    "weights times columns": module(
        TURNED,
        "h = torch.relu(self.w @ x.view(-1, 784).T + self.c)\nreturn (self.v @ h).T + self.d",
    ),
    "einsum": module(
        TURNED,
        "h = torch.einsum('nd,hd->nh', x.flatten(1), self.w) + self.c[:, 0]\n"
        "return nn.functional.linear(torch.where(h > 0, h, 0.0), self.v, self.d)",
    ),
    "a bend of one's own": module(TWO, "h = self.a(x.flatten(1))\nreturn self.b(h * (h > 0))"),
    "maximum": module(TWO, "return self.b(torch.maximum(self.a(x.flatten(1)), torch.zeros(())))"),
    "in place": module(TWO, "h = self.a(x.flatten(1))\nh += 0.1\nreturn self.b(h.relu_())"),
    "normalises inside": module(
        TWO, "x = (x - 0.2860) / 0.3530\nreturn self.b(torch.relu(self.a(x.flatten(1))))"
    ),
    "normalises each image inside": module(
        TWO,
        "x = x.flatten(1)\nx = (x - 0.5) * 2.0\nreturn self.b(nn.functional.gelu(self.a(x)))",
    ),
    "one log-softmax": module(
        TWO, "return torch.log_softmax(self.b(torch.relu(self.a(x.flatten(1)))), 1)"
    ),
    "log-softmax by hand": module(
        TWO,
        "z = self.b(torch.relu(self.a(x.flatten(1))))\nreturn z - z.logsumexp(1, keepdim=True)",
    ),
    "softmax by hand": module(
        TWO,
        "z = self.b(torch.relu(self.a(x.flatten(1))))\nz = (z - z.amax(1, True)).exp()\nreturn torch.log(z / z.sum(1, keepdim=True))",
    ),
    "inference mode": module(
        TWO,
        "if not self.training:\n    with torch.inference_mode():\n        return self.logits(x)\nreturn self.logits(x)",
    ).replace("    def forward", "    def logits(self, x): return self.b(torch.relu(self.a(x.flatten(1))))\n    def forward"),
    "dropout and batch norm": "model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))",
    "layer norm": "model = nn.Sequential(nn.Flatten(), nn.LayerNorm(784), nn.Linear(784, 64), nn.ReLU(True), nn.Linear(64, 10))",
    "weight norm": "from torch.nn.utils.parametrizations import weight_norm, spectral_norm\nmodel = nn.Sequential(nn.Flatten(), weight_norm(nn.Linear(784, 64)), nn.ReLU(), nn.Linear(64, 10))",
    "old weight norm": "model = nn.Sequential(nn.Flatten(), nn.utils.weight_norm(nn.Linear(784, 64)), nn.ReLU(), nn.Linear(64, 10))",
    "two hidden layers": "model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.Tanh(), nn.Linear(64, 32), nn.SiLU(), nn.Linear(32, 10))",
    "a wide one": "model = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))",
    "no bias": "model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64, bias=False), nn.LeakyReLU(), nn.Linear(64, 10, bias=False))",
    "a skip": module(
        "self.a, self.b, self.s = nn.Linear(784, 64), nn.Linear(64, 10), nn.Linear(784, 10)",
        "x = x.flatten(1)\nreturn self.b(self.a(x).relu()) + self.s(x)",
    ),
    "a layer of one's own": "class Dense(nn.Module):\n    def __init__(self, a, b):\n        super().__init__()\n        self.weight = nn.Parameter(torch.randn(a, b) / a**0.5)\n        self.bias = nn.Parameter(torch.zeros(1, b))\n    def forward(self, x): return torch.add(x.matmul(self.weight), self.bias)\nmodel = nn.Sequential(nn.Flatten(), Dense(784, 64), nn.ReLU(), Dense(64, 10))",
    "compiled": f"{PLAIN}\nmodel = torch.compile(model)",
    "wrapped": f"{PLAIN}\nmodel = nn.DataParallel(model)",
    "scripted": f"{PLAIN}\nmodel = torch.jit.script(model)",
    "in half inside": module(
        TWO,
        "with torch.autocast('cpu', dtype=torch.bfloat16):\n    return self.b(torch.relu(self.a(x.flatten(1)))).float()",
    ),
    "as a picture": module(
        "self.a, self.b = nn.Conv2d(1, 64, 28), nn.Linear(64, 10)",
        "return self.b(torch.relu(self.a(x)).squeeze(-1).squeeze(-1))",
    ),
    "rows in a channel": module(TWO, "return self.b(torch.relu(self.a(x.flatten(2)))).squeeze(1)"),
}  # fmt: skip
AFTER = {
    "averaged": "from torch.optim.swa_utils import AveragedModel\naverage = AveragedModel(model)\nfor _ in range(3): average.update_parameters(model)\nmodel = average",
    "loaded again": "best = {k: v.clone() for k, v in model.state_dict().items()}\nmodel = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))\nmodel.load_state_dict(best)",
    "exchanged for evaluation": "shadow = [p.detach().clone() for p in model.parameters()]\nclass Swapped(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.inner = model\n    def forward(self, x):\n        names = [n for n, _ in self.inner.named_parameters()]\n        return torch.func.functional_call(self.inner, dict(zip(names, shadow)), (x,))\nmodel = Swapped()",
    "frozen": "for p in model.parameters(): p.requires_grad_(False)",
}  # fmt: skip
PREPARED = {
    "each image by its own numbers": "transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: (x - x.mean()) / (x.std() + 1e-8))])",
    "black and white": "transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: (x > 0.4).float())])",
    "a root": "transforms.Compose([transforms.ToTensor(), transforms.Lambda(torch.sqrt), transforms.Normalize((0.5,), (0.5,))])",
    "from -1 to 1": "transforms.Compose([transforms.PILToTensor(), transforms.Lambda(lambda x: x.float() / 127.5 - 1)])",
    "the edge cut off": "transforms.Compose([transforms.ToTensor(), transforms.Lambda(lambda x: torch.nn.functional.pad(x[:, 2:-2, 2:-2], (2, 2, 2, 2)))])",
}  # fmt: skip


def passes(digits: images.Prepared, source: str) -> None:
    found = judged(digits, source, 0.75, 0.4)
    assert (found.status, found.score) == (Status.PASSED, found.max_score), (
        found.status,
        found.message,
        found.flag,
    )


@pytest.mark.parametrize("name", TWINS)
def test_a_network_of_another_form_is_run_by_its_weights(
    name: str, digits: images.Prepared
) -> None:
    source = TRAIN.format(data=QUICK).replace(PLAIN, TWINS[name])
    passes(digits, source)


@pytest.mark.parametrize("name", AFTER)
def test_a_network_that_becomes_another_after_training(name: str, digits: images.Prepared) -> None:
    passes(digits, f"{TRAIN.format(data=QUICK)}\n{AFTER[name]}\n")


@pytest.mark.parametrize("name", PREPARED)
def test_images_of_another_preparation_are_followed(name: str, digits: images.Prepared) -> None:
    passes(digits, TRAIN.format(data=TORCHVISION.format(tf=PREPARED[name], test=TEST)))


def test_a_loader_may_flatten_its_batches(digits: images.Prepared) -> None:
    lines = QUICK.replace("batch_size=256", "batch_size=256, collate_fn=flat")
    flat = """
def flat(batch):
    return torch.stack([x.reshape(-1) for x, _ in batch]), torch.tensor([y for _, y in batch])
"""
    source = TRAIN.format(data=flat + lines).replace("nn.Flatten(), ", "")
    passes(digits, source.replace("shuffle=True", "shuffle=True, collate_fn=flat"))
