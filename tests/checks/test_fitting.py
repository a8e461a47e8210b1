"""The checks of `fit`, `plot_history` and `train_mnist`, by code of each kind."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from autograder.course import config, images
from autograder.model import CheckResult, Status
from tests.harness import ROOT, ForkedRun, judge_program

FIT = ["fit_history", "fit_values", "fit_modes"]
SPEC = config.assignment(ROOT / "assignments" / "04-training-loop" / "assignment.yml")

HEAD = """
import torch
from torch import nn
import matplotlib.pyplot as plt

def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train()
    total = 0.0
    for x, y in dataloader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(dataloader.dataset)

def evaluate(model, dataloader):
    model.eval()
    with torch.no_grad():
        right = sum((model(x).argmax(1) == y).sum().item() for x, y in dataloader)
    return right / len(dataloader.dataset)
"""


def results(source: str, checks: list[str], root: Path | None = None) -> dict[str, CheckResult]:
    run = ForkedRun("script", "x.py", [HEAD + textwrap.dedent(source)], root)
    return judge_program(SPEC, run, checks)


def verdict(got: dict[str, CheckResult]) -> tuple[set[str], list[str]]:
    bugs = {b for r in got.values() for b in r.bugs}
    return bugs, [k for k, r in got.items() if r.status is not Status.PASSED]


def fit(
    body: str, before: str = "h = {'train_loss': [], 'val_accuracy': []}", end: str = "h"
) -> str:
    return f"""
def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    {before}
    for epoch in range(epochs):
{textwrap.indent(textwrap.dedent(body).strip(), " " * 8)}
    return {end}
"""


PLAIN = fit(
    """
    h["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer))
    h["val_accuracy"].append(evaluate(model, val_loader))
    """
)
INLINE = fit(
    """
    model.train()
    total, n = 0.0, 0
    for x, y in train_loader:
        model.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total, n = total + loss.item() * len(y), n + len(y)
    h["train_loss"].append(total / n)
    model.eval()
    right = 0
    with torch.inference_mode():
        for x, y in val_loader:
            right += (model(x).argmax(1) == y).sum().item()
    h["val_accuracy"].append(right / len(val_loader.dataset))
    """
)
HALF_INLINE = fit(
    """
    h["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer))
    model.eval()
    with torch.no_grad():
        hits = [(model(x).argmax(1) == y) for x, y in val_loader]
    h["val_accuracy"].append(torch.cat(hits).float().mean().item())
    """
)

CORRECT = {
    "plain": PLAIN,
    "inline": INLINE,
    "half_inline": HALF_INLINE,
    "keywords_and_more_keys": fit(
        """
        loss = train_one_epoch(model=model, dataloader=train_loader, loss_fn=loss_fn,
                               optimizer=optimizer)
        h["train_loss"].append(loss)
        h["train_accuracy"].append(evaluate(model, train_loader))
        h["val_accuracy"].append(evaluate(model, dataloader=val_loader))
        print(f"{epoch}: {h['train_loss'][-1]:.4f} {h['val_accuracy'][-1]:.2%}")
        """,
        "h = {'train_loss': [], 'train_accuracy': [], 'val_accuracy': []}",
    ),
    "pairs": """
        def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
            pairs = [(train_one_epoch(model, train_loader, loss_fn, optimizer),
                      evaluate(model, val_loader)) for _ in range(epochs)]
            loss, accuracy = zip(*pairs)
            return dict(train_loss=list(loss), val_accuracy=list(accuracy))
    """,
    "wrapped_loader": """
        class Bar:
            def __init__(self, it): self.it = it
            def __iter__(self): return iter(self.it)
            def __len__(self): return len(self.it)
    """
    + textwrap.indent(PLAIN.replace("train_loader, loss_fn, opt", "Bar(train_loader), loss_fn, opt")
                      .replace("val_loader))", "Bar(val_loader)))"), " " * 8)
    .replace("Bar(train_loader), val_loader", "train_loader, val_loader"),
    "numpy": fit(
        """
        t[epoch, 0] = train_one_epoch(model, train_loader, loss_fn, optimizer)
        t[epoch, 1] = evaluate(model, val_loader)
        """,
        "import numpy as np; t = np.zeros((epochs, 2))",
        "{'train_loss': list(t[:, 0]), 'val_accuracy': list(t[:, 1])}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("style", CORRECT)
def test_correct_fits_pass(style: str) -> None:
    source = CORRECT[style]
    if style == "wrapped_loader":
        source = source.replace(
            "def __len__(self): return len(self.it)",
            "def __len__(self): return len(self.it)\n"
            "            dataset = property(lambda self: self.it.dataset)",
        )
    got = results(source, FIT)
    assert verdict(got) == (set(), []), {k: r.message for k, r in got.items()}


WRONG = {
    "keys": (PLAIN.replace("train_loss", "loss"), "wrong_history", ["fit_history", "fit_values"]),
    "one_entry": (
        fit(
            "loss = train_one_epoch(model, train_loader, loss_fn, optimizer)\n"
            "acc = evaluate(model, val_loader)",
            end="{'train_loss': [loss], 'val_accuracy': [acc]}",
        ),
        "wrong_history",
        ["fit_history", "fit_values"],
    ),
    "on_train": (
        PLAIN.replace("evaluate(model, val_loader)", "evaluate(model, train_loader)"),
        "wrong_history",
        ["fit_values"],
    ),
    "before_training": (
        fit(
            """
            h["val_accuracy"].append(evaluate(model, val_loader))
            h["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer))
            """
        ),
        "wrong_history",
        ["fit_values"],
    ),
    "exchanged": (
        PLAIN.replace("train_loss", "?").replace("val_accuracy", "train_loss").replace(
            "?", "val_accuracy"
        ),
        "wrong_history",
        ["fit_values"],
    ),
    "trains_on_val": (
        PLAIN.replace("train_one_epoch(model, train_loader", "train_one_epoch(model, val_loader"),
        "wrong_history",
        ["fit_values"],
    ),
    "inline_batch_means": (
        INLINE.replace("loss.item() * len(y), n + len(y)", "loss.item(), n + 1"),
        "wrong_history",
        ["fit_values"],
    ),
    "inline_val_is_train": (
        INLINE.replace("in val_loader", "in train_loader"),
        "wrong_history",
        ["fit_values"],
    ),
    "inline_train_once": (
        INLINE.replace("        model.train()\n", "")
        .replace("    h = {", "    model.train(); h = {"),
        "missing_train_mode",
        ["fit_modes"],
    ),
    "inline_no_eval": (
        INLINE.replace("        model.eval()\n", ""),
        "missing_eval_mode",
        ["fit_modes"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_fits_are_named(case: str) -> None:
    source, bug, lost = WRONG[case]
    got = results(source, FIT)
    assert verdict(got) == ({bug}, lost), {k: (r.bugs, r.message) for k, r in got.items()}


@pytest.mark.parametrize("beat", ["model.zero_grad()", "optimizer.step()", "loss.backward()"])
def test_a_known_bug_in_own_loops_is_not_punished_twice(beat: str) -> None:
    got = results(INLINE.replace(beat, "pass"), FIT)
    assert verdict(got) == (set(), []), {k: r.message for k, r in got.items()}


@pytest.mark.parametrize(
    ("body", "bug"),
    [
        (
            """fig, ax = plt.subplots(1, 2)
    ax[0].plot(history['train_loss'])
    ax[1].plot(history['val_accuracy'], 'o-')
    return fig""",
            None,
        ),
        (
            """fig, ax = plt.subplots()
    ax.plot(range(5), history['train_loss'])
    twin = ax.twinx()
    twin.plot([100 * a for a in history['val_accuracy']])
    plt.close(fig)
    return fig""",
            None,
        ),
        (
            """fig = plt.figure()
    plt.scatter(range(5), history['train_loss'])
    plt.bar(range(5), history['val_accuracy'])
    plt.show()
    return fig""",
            None,
        ),
        ("plt.plot(history['train_loss']); plt.plot(history['val_accuracy'])", "wrong_value"),
        (
            """fig, ax = plt.subplots()
    ax.plot(history['train_loss'])
    return fig""",
            "wrong_value",
        ),
        ("return plt.plot(history['train_loss'])", "wrong_value"),
    ],
)
def test_plots(body: str, bug: str | None) -> None:
    got = results(f"def plot_history(history):\n    {body}\n", ["fit_plot"])["fit_plot"]
    assert got.bugs == (() if bug is None else (bug,)), got.message
    assert (got.status is Status.PASSED) is (bug is None)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert SPEC.data is not None
    return images.prepare(SPEC.data, SPEC.seed, None, tmp_path_factory.mktemp("cache")).root


SETUP = (
    PLAIN
    + """
from torchvision import datasets, transforms

def MNISTMLP():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64),
                         nn.ReLU(), nn.Linear(64, 10))

def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    train, test = (datasets.MNIST(root, train=t, download=True, transform=transforms.ToTensor())
                   for t in (True, False))
    train_loader = torch.utils.data.DataLoader(train, batch_size=64, shuffle=True)
    val_loader = torch.utils.data.DataLoader(test, batch_size=256)
    model = MNISTMLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return model, fit(model, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, epochs)
"""
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ("lr=1e-3", "lr=3e-4"),
        ("torch.optim.Adam(model.parameters(), lr=1e-3)",
         "torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)"),
        ("torch.optim.Adam(model.parameters(), lr=1e-3)",
         "torch.optim.AdamW([{'params': [p]} for p in model.parameters()], lr=2e-3)"),
        ("return model, fit(model,", ("more = torch.utils.data.Subset(train, range(600))\n"
         "    train_loader = torch.utils.data.DataLoader(more, 64, shuffle=True)\n"
         "    return model, fit(model,")),
        ("    torch.manual_seed(seed)", "    torch.manual_seed(seed)\n    print(epochs)"),
        ("train, batch_size=64, shuffle=True",  # shuffled once: "shuffle" does not say how often
         "torch.utils.data.Subset(train, torch.randperm(len(train))), batch_size=64"),
        ("train, batch_size=64, shuffle=True",
         "train, 64, sampler=torch.utils.data.WeightedRandomSampler([1.0] * 700, 700)"),
        ("epochs=5, seed=0):\n", "epochs=None, seed=0):\n    epochs = epochs or 5\n"),
        ("train, batch_size=64, shuffle=True", "[(x, y) for x, y in train], 64, True"),
        ("optimizer, epochs)\n", "optimizer, epochs)\n\n\nmodel, history = train_mnist()\n"),
        ("nn.CrossEntropyLoss(), opt",
         "lambda a, b: -a.log_softmax(1)[range(len(b)), b].mean(), opt"),
        ("optimizer.zero_grad()", "optimizer.zero_grad(); model = nn.DataParallel(model).module"),
    ],
)  # fmt: skip
def test_correct_setups_pass(old: str, new: str, root: Path) -> None:
    got = results(SETUP.replace(old, new), ["train_setup"], root)
    assert verdict(got) == (set(), []), got["train_setup"].message


@pytest.mark.parametrize(
    ("old", "new", "bug"),
    [
        ("lr=1e-3", "lr=1.0", "lr_too_high"),
        ("lr=1e-3", "lr=0.2", "lr_too_high"),
        ("lr=1e-3", "lr=1e-6", "lr_too_low"),
        ("lr=1e-3", "lr=1e-2", "lr_too_high"),
        ("lr=1e-3", "lr=1e-4", "lr_too_low"),
        ("batch_size=64", "batch_size=16", "wrong_value"),
        ("batch_size=64", "batch_size=400", "wrong_value"),
        ("optimizer, epochs)\n", "optimizer, 5)\n", "wrong_value"),
        ("optimizer, epochs)\n", "optimizer, epochs - 1)\n", "wrong_value"),
        ("epochs=5, seed=0", "epochs=3, seed=0", "wrong_value"),
        ("epochs=5, seed=0):\n", "epochs=0, seed=0):\n    epochs = epochs or 7\n", "wrong_value"),
        (", shuffle=True", "", "train_not_shuffled"),
        ("train, batch_size=64, shuffle=True",
         "torch.utils.data.Subset(train, range(640)), batch_size=64", "train_not_shuffled"),
        ("lr=1e-3)\n", "lr=1e-3)\n    model = MNISTMLP()\n", "stale_optimizer"),
        ("lr=1e-3)\n", "lr=1e-3)\n    model[1].requires_grad_(False)\n", "stale_optimizer"),
        ("Adam(model.parameters()", "Adam(model[5].parameters()", "stale_optimizer"),
    ],
)  # fmt: skip
def test_wrong_setups_are_named(old: str, new: str, bug: str, root: Path) -> None:
    got = results(SETUP.replace(old, new), ["train_setup"], root)
    assert verdict(got) == ({bug}, ["train_setup"]), got["train_setup"].message


@pytest.mark.parametrize(
    ("old", "new", "bug"),
    [
        ("batch_size=64", "batch_size=256", "wrong_value"),
        (
            "optimizer, epochs)\n",
            "optimizer, 2)\n",
            "wrong_value",
        ),  # as many as are asked for first
        ("optimizer, epochs)\n", "optimizer, 5)\n", "wrong_value"),
        ("optimizer, epochs)\n", "optimizer, 1)\n", "wrong_value"),
    ],
)
@pytest.mark.parametrize("main", ["model, history = train_mnist()", "net, _ = train_mnist(seed=7)"])
def test_a_training_of_the_programs_own_hides_no_other(
    main: str, old: str, new: str, bug: str, root: Path
) -> None:
    """The handout's main block trains a network of its own before `train_mnist` is called."""
    source = SETUP.replace(old, new) + f'\n\nif __name__ == "__main__":\n    {main}\n'
    got = results(source, ["train_setup"], root)
    assert verdict(got) == ({bug}, ["train_setup"]), got["train_setup"].message


def test_a_setup_without_steps_is_not_judged(root: Path) -> None:
    source = SETUP + "\n\ndef fit(*arguments):\n    return {}\n"
    assert results(source, ["train_setup"], root)["train_setup"].status is Status.NOT_CHECKED
