"""Draws the pictures of the handouts from real runs of their solutions: scripts/pictures.py [ID…]

Each picture is a function that computes what it shows and returns the text of an SVG file; the
numbers in a picture can therefore not drift away from the code. `--check` writes nothing and fails
where a file would change.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from autograder.authoring import master
from autograder.inside.torchvision_compat import declare

ROOT = Path(__file__).resolve().parent.parent
INK, FAINT, PAPER = "#3b4250", "#ced4da", "#fbfaf7"
BLUE, ORANGE, GREEN, RED = "#1971c2", "#b35c00", "#2b8a3e", "#c92a2a"
COLOURS = (RED, ORANGE, GREEN, BLUE)
DATA = "FIVE_BEATS_DATA"
"""Names a torchvision root with MNIST; without one, pictures that need it are left alone."""
Picture = Callable[[], str]
Link = Callable[[torch.Tensor], torch.Tensor]


def solved(assignment: str, module: str, without: Sequence[str] = ()) -> dict[str, Any]:
    """What the reference solution of an assignment defines, by name; the cells with one of these
    grade_ids are not run.
    """
    cells = master.read_master(ROOT / "source" / assignment / f"{module}.py")
    names: dict[str, Any] = {"__name__": module}
    for cell in cells:
        if cell.kind in ("shared", "solution") and cell.grade_id not in without:
            exec(compile(master.solved_source(cell.source), module, "exec"), names)
    return names


def svg(width: int, height: int, says: str, body: Sequence[str]) -> str:
    """An SVG file; `says` tells in a sentence what is to be seen."""
    lines = "\n".join(f"  {line}" for line in body)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(says)}" font-family="system-ui, sans-serif">\n'
        f'  <rect width="{width}" height="{height}" rx="14" fill="{PAPER}"/>\n{lines}\n</svg>\n'
    )


def text(x: float, y: float, says: str, *, size: int = 14, at: str = "middle", **style: str) -> str:
    """A line of text; `at` says which part of it stands at (x, y): start, middle or end."""
    more = "".join(f' {k.replace("_", "-")}="{v}"' for k, v in style.items())
    fill = "" if "fill" in style else f' fill="{INK}"'
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{at}"'
    return f"<text {place}{fill}{more}>{escape(says)}</text>"


def arrow(x: float, y: float, to: float, colour: str) -> str:
    """A horizontal arrow from (x, y) to (to, y)."""
    back = 7 if to > x else -7
    return (
        f'<path d="M{x:.1f} {y:.1f} H{to:.1f} m{-back} -5 l{back} 5 l{-back} 5" fill="none" '
        f'stroke="{colour}" stroke-width="2.5"/>'
    )


# -- 01 ------------------------------------------------------------------------------------------


def tape() -> str:
    """01: y = x², z = 3y, h = z + 1 at x = 2, with the values above and the gradients below."""
    chain = solved("01-autograd", "autograd")["chain"]
    links: list[Link] = [lambda x: x**2, lambda y: 3 * y, lambda z: z + 1]
    values = [torch.tensor(2.0)]
    for link in links:
        values.append(link(values[-1]))
    slopes = [f"{float(s):g}" for s in chain(links, torch.tensor(2.0))] + ["1"]
    names, labels = ["x", "y", "z", "h"], ["square", "times 3", "plus 1"]
    body = []
    for k, (name, value, slope) in enumerate(zip(names, values, slopes, strict=True)):
        x = 80 + 160 * k
        body.append(f'<circle cx="{x}" cy="110" r="26" fill="#e7f5ff" stroke="{BLUE}"/>')
        body.append(text(x, 116, name, size=18, font_weight="600"))
        body.append(text(x, 66, f"{float(value):g}", size=18, fill=BLUE))
        body.append(text(x, 170, slope if k < 3 else "(1)", size=18, fill=ORANGE))
    for k, label in enumerate(labels):
        x = 80 + 160 * k
        body += [arrow(x + 30, 104, x + 130, BLUE), text(x + 80, 94, label, size=13)]
        body += [arrow(x + 130, 164, x + 30, ORANGE)]
    body.append(text(22, 36, "forward: values", at="start", fill=BLUE))
    body.append(text(618, 206, "backward: the gradient of h", at="end", fill=ORANGE))
    says = (
        f"A chain of four values: {', '.join(f'{float(v):g}' for v in values)} from left to right; "
        f"below them the gradients {', '.join(slopes[:3])} from right to left"
    )
    return svg(640, 226, says, body)


def adds_up() -> str:
    """01: gradients 2.0, 1.8 and 1.5 poured into one bucket, and its level after each."""
    accumulated = solved("01-autograd", "autograd")["accumulated_gradient"]
    poured = [2.0, 1.8, 1.5]
    losses = [lambda v, s=s: s * v for s in poured]
    levels = [float(level) for level in accumulated(losses, torch.tensor(1.0))]
    body, scale, floor = [], 22.0, 190.0
    for k, (slope, level) in enumerate(zip(poured, levels, strict=True)):
        x = 110 + 210 * k
        top = floor - scale * level
        body.append(
            f'<rect x="{x - 50}" y="{top:.1f}" width="100" height="{scale * level:.1f}" '
            'fill="#a5d8ff"/>'
        )
        body.append(
            f'<rect x="{x - 50}" y="{top:.1f}" width="100" height="{scale * slope:.1f}" '
            'fill="#4dabf7"/>'
        )
        body.append(
            f'<path d="M{x - 50} 60 V{floor:.0f} H{x + 50} V60" fill="none" stroke="{INK}" '
            'stroke-width="3"/>'
        )
        body.append(text(x, 40, f"+ {slope:.1f}", size=18, fill=BLUE))
        body.append(text(x, 216, f".grad is {level:.1f}", size=16, font_weight="600"))
        body.append(text(x, 238, f"after backward pass {k + 1}", size=12))
    says = "Three buckets: " + ", ".join(
        f"{s:.1f} poured in, level {v:.1f}" for s, v in zip(poured, levels, strict=True)
    )
    return svg(640, 254, says, body)


# -- 02 ------------------------------------------------------------------------------------------


def polyline(points: Sequence[tuple[float, float]], colour: str, width: float = 2.5) -> str:
    """A line through points."""
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def minus_log() -> str:
    """02: the cross-entropy of a sample over the probability that its class was given."""
    cross_entropy = solved("02-losses-and-optimizers", "losses_and_optimizers")["cross_entropy"]

    def cost(p: float) -> float:
        logits = torch.tensor([[p, 1 - p]], dtype=torch.float64).log()
        return float(cross_entropy(logits, torch.tensor([0])))

    def place(p: float, value: float) -> tuple[float, float]:
        return 70 + 490 * p, 230 - 40 * value

    curve = [place(k / 100, cost(k / 100)) for k in range(1, 100)]
    body = [
        f'<path d="M70 30 V230 H590" fill="none" stroke="{FAINT}" stroke-width="1.5"/>',
        polyline(curve, BLUE, 3),
        text(330, 268, "probability that the true class was given", size=13),
        text(24, 130, "loss", size=13, transform="rotate(-90 24 130)"),
    ]
    body += [text(place(p, 0)[0], 248, f"{p:g}", size=12) for p in (0.0, 0.5, 1.0)]
    marked = [0.01, 0.1, 0.5, 0.659, 0.9, 0.99]
    for p in marked:
        x, y = place(p, cost(p))
        body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{ORANGE}"/>')
        body.append(text(x + 9, y - (22 if p == 0.9 else 8), f"{cost(p):.4f}", size=13, at="start"))
    body.append(text(330, 60, "sure and wrong is what costs", size=15, fill=ORANGE))
    says = "The loss falls as the probability of the true class rises: " + ", ".join(
        f"{cost(p):.4f} at {p:g}" for p in marked
    )
    return svg(640, 286, says, body)


def valley() -> str:
    """02: SGD, momentum and Adam in the valley of task 8, 40 steps each."""
    made = solved("02-losses-and-optimizers", "losses_and_optimizers")
    walkers: dict[str, Callable[[torch.Tensor], Any]] = {
        "SGD": lambda p: made["SGD"]([p], lr=0.07),
        "with momentum": lambda p: made["SGD"]([p], lr=0.07, momentum=0.9),
        "Adam": lambda p: made["Adam"]([p], lr=0.3),
    }
    body, ends = [], []
    for k, (name, make) in enumerate(walkers.items()):
        w = torch.tensor([-4.0, 2.0], requires_grad=True)

        def loss(w: torch.Tensor = w) -> torch.Tensor:
            return (w[0] ** 2 + 25 * w[1] ** 2) / 2

        path = made["trajectory"](make(w), [w], loss, 40)
        middle, y0 = 160.0 + 260 * k, 130.0
        body.append(f'<g transform="translate({middle:.0f} {y0:.0f})">')
        for level in (1.0, 4.0, 10.0, 20.0):
            rx, ry = 20 * (2 * level) ** 0.5, 40 * (2 * level / 25) ** 0.5
            body.append(f'<ellipse rx="{rx:.1f}" ry="{ry:.1f}" fill="none" stroke="{FAINT}"/>')
        points = [(20 * float(x), -40 * float(y)) for x, y in path]
        body.append(polyline(points, BLUE, 1.5))
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{BLUE}"/>' for x, y in points]
        body.append(f'<circle r="4" fill="{ORANGE}"/></g>')
        body.append(text(middle - 20, 30, name, size=15, font_weight="600"))
        crossed = int((path[1:, 1] * path[:-1, 1] < 0).sum())
        body.append(text(middle - 20, 246, f"crosses the floor {crossed} times", size=12))
        away = float(path[-1].norm())
        ends.append(f"{name} crosses the floor {crossed} times and ends {away:.2f} away")
    says = "Three walks through a long valley, 40 steps each: " + "; ".join(ends)
    return svg(830, 264, says, body)


# -- 03 ------------------------------------------------------------------------------------------


def pipeline() -> str:
    """03: from files to the loop, with the shapes that the solution gives."""
    made = solved("03-data-pipeline", "data_pipeline")
    stored = torch.zeros(200, 28, 28, dtype=torch.uint8)
    dataset = made["ArrayDataset"](stored, list(range(200)))
    image, label = dataset[4]
    items = torch.stack([dataset[i][0] for i in range(200)])
    rng = np.random.default_rng(0)
    batch, labels = next(made["batches"](items, torch.arange(200), 64, shuffle=True, rng=rng))

    def said(x: Any) -> str:
        return f"{tuple(x.shape)} {str(x.dtype).removeprefix('torch.')}"

    boxes = [
        ("files", "bytes on a disk", said(stored).replace("200", "N")),
        ("dataset", "what is item i?", f"{said(image)}, {type(label).__name__}"),
        ("transform", "at every read", said(image)),
        ("loader", "which items, what order?", said(batch)),
        ("the loop", "five beats", f"{len(labels)} labels {said(labels).split()[-1]}"),
    ]
    body, wide, high = [], 150, 74
    for k, (name, asks, gives) in enumerate(boxes):
        x = 20 + 178 * k
        body.append(
            f'<rect x="{x}" y="46" width="{wide}" height="{high}" rx="10" fill="#e7f5ff" '
            f'stroke="{BLUE}"/>'
        )
        body.append(text(x + wide / 2, 76, name, size=17, font_weight="600"))
        body.append(text(x + wide / 2, 100, asks, size=11))
        body.append(text(x + wide / 2, 140, gives, size=11, fill=ORANGE, font_family="monospace"))
        if k < 4:
            body.append(arrow(x + wide + 3, 46 + high / 2, x + 175, INK))
    body.append(
        f'<path d="M20 186 H882" fill="none" stroke="{RED}" stroke-width="2" '
        'stroke-dasharray="8 6"/>'
    )
    body.append(text(20, 176, "train", at="start", fill=GREEN, font_weight="600"))
    body.append(text(882, 176, "statistics and augmentation stay on this side", at="end"))
    body.append(text(20, 208, "validation and test", at="start", fill=RED, font_weight="600"))
    body.append(text(882, 208, "unseen until they are measured", at="end"))
    says = "Five boxes in a row: " + "; ".join(f"{n}, {a}: {g}" for n, a, g in boxes)
    says += ". A dashed line below: statistics and augmentation stay on the side of training"
    return svg(902, 226, says, body)


# -- 07 ------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=8)
def overfitted(p: float, seed: int = 0) -> tuple[dict[str, Any], float]:
    """Thirty epochs on MNIST's first 600 images, with 1,000 others to validate: the history, and
    the accuracy of the best weights on those.
    """
    declare()  # some builds of torchvision cannot be imported without
    made = solved("07-regularisation", "regularisation")
    mnist = made["datasets"].MNIST(os.environ[DATA], train=True)
    images, labels = mnist.data[:, None].float() / 255, mnist.targets
    torch.manual_seed(seed)
    model = made["make_mlp"](p)
    parts = (TensorDataset(images[a:b], labels[a:b]) for a, b in ((0, 600), (2000, 3000)))
    train, val = parts
    history = made["fit_with_validation"](
        model,
        DataLoader(train, batch_size=64, shuffle=True),
        DataLoader(val, batch_size=500),
        nn.CrossEntropyLoss(),
        torch.optim.Adam(model.parameters(), lr=1e-3),
        30,
        30,
    )
    with torch.no_grad():
        right = (model.eval()(images[2000:3000]).argmax(1) == labels[2000:3000]).float()
    return history, float(right.mean())


def overfit() -> str:
    """07: training and validation loss over thirty epochs, without dropout and with it."""

    def place(epoch: int, loss: float) -> tuple[float, float]:
        return 60 + 16.5 * (epoch - 1), 240 - 270 * loss

    body = [f'<path d="M60 40 V240 H560" fill="none" stroke="{FAINT}" stroke-width="1.5"/>']
    told = []
    for p, colour in ((0.0, BLUE), (0.2, ORANGE)):
        history, _ = overfitted(p)
        name = "dropout 0.2" if p else "without dropout"
        for kind, width in (("train_loss", 1.5), ("val_loss", 3.0)):
            curve = [place(k, v) for k, v in enumerate(history[kind], 1)]
            body.append(polyline([c for c in curve if c[1] > 60], colour, width))
        turn = history["best_epoch"]
        low, end = min(history["val_loss"]), history["val_loss"][-1]
        lift = 18 if p else -8
        last = place(30, end)
        body.append(text(last[0] + 8, last[1] + lift, name, size=13, at="start", fill=colour))
        told.append(
            f"{name}: training loss {history['train_loss'][-1]:.2f} at the end, validation loss "
            f"{low:.2f} at epoch {turn} and {end:.2f} at the end"
        )
        if not p:
            x, y = place(turn, low)
            body.append(
                f'<path d="M{x:.1f} 60 V240" fill="none" stroke="{INK}" stroke-dasharray="2 5"/>'
            )
            body.append(text(x, 50, "keep these weights", size=13))
            body.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{BLUE}"/>')
    body += [text(place(k, 0)[0], 260, str(k), size=12) for k in (1, 10, 20, 30)]
    body += [
        text(50, place(1, v)[1] + 4, f"{v:g}", size=12, at="end") for v in (0.0, 0.2, 0.4, 0.6)
    ]
    body += [text(300, 280, "epoch", size=13), text(66, 34, "loss", size=12, at="start")]
    body += [
        text(570, 196, "thin: training", size=12, at="start"),
        text(570, 214, "thick: validation", size=12, at="start"),
    ]
    return svg(700, 296, "; ".join(told), body)


# -- 10 ------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def honest() -> dict[str, Any]:
    """What the solution of 10 defines, with MNIST in place of Fashion-MNIST."""
    declare()
    made = solved("10-honest-numbers", "honest_numbers", without=("task5-results",))
    mnist = made["datasets"].MNIST(os.environ[DATA], train=True)

    class Digits:
        FashionMNIST = staticmethod(lambda *_, **__: mnist)

    made["datasets"] = Digits
    return made


HONEST_LIMIT = 2400
"""A sixth of it validates: 2,000 images are trained on."""


@functools.lru_cache(maxsize=8)
def repeated(hidden: int) -> tuple[float, ...]:
    """Five runs of one width."""
    return tuple(honest()["run"](seed, hidden, limit=HONEST_LIMIT) for seed in range(5))


def spread() -> str:
    """10: five accuracies of each of four widths on one axis, and their means."""

    def place(accuracy: float) -> float:
        return 120 + 1400 * (accuracy - 0.58)

    body, told = [], []
    for k, (hidden, colour) in enumerate(zip((16, 64, 256, 512), COLOURS, strict=True)):
        found, y = repeated(hidden), 56 + 46 * k
        mean, deviation = honest()["summary"](found)
        body.append(text(100, y + 5, f"{hidden} units", at="end", fill=colour))
        body.append(f'<path d="M120 {y} H610" fill="none" stroke="{FAINT}"/>')
        body += [
            f'<circle cx="{place(a):.1f}" cy="{y}" r="6" fill="{colour}" fill-opacity="0.55"/>'
            for a in found
        ]
        body.append(
            f'<path d="M{place(mean):.1f} {y - 15} V{y + 15}" fill="none" stroke="{colour}" '
            'stroke-width="3"/>'
        )
        low, high = min(found), max(found)
        told.append(
            f"{hidden} units: from {low:.3f} to {high:.3f}, mean {mean:.3f}, deviation "
            f"{deviation:.3f}"
        )
    body += [text(place(a), 250, f"{a:.2f}", size=12) for a in (0.6, 0.7, 0.8, 0.9)]
    body.append(text(365, 274, "validation accuracy; each dot is a run, each bar a mean", size=13))
    return svg(640, 290, "; ".join(told), body)


# -- 09: charts of the patients ------------------------------------------------------------------

EDGE = 4.0
"""The largest loss that a chart shows in scale."""


@functools.lru_cache(maxsize=1)
def clinic() -> dict[str, Any]:
    """What the given files of 09 define, by name."""
    declare()  # some builds of torchvision cannot be imported without
    names: dict[str, Any] = {"__name__": "clinic"}
    for file in ("patients.py", "mystery.py"):
        path = ROOT / "source" / "09-debugging-clinic" / "given" / file
        exec(compile(path.read_text(encoding="utf-8"), file, "exec"), names)
    return names


@functools.lru_cache(maxsize=4)
def digits(count: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The clinic's first batches."""
    found: list[tuple[torch.Tensor, torch.Tensor]] = clinic()["batches"](0, count, os.environ[DATA])
    return found


@functools.lru_cache(maxsize=1)
def unseen() -> tuple[torch.Tensor, torch.Tensor]:
    """2,000 of MNIST's test images, and their labels."""
    mnist = clinic()["datasets"].MNIST(os.environ[DATA], train=False)
    return mnist.data[:2000, None].float() / 255, mnist.targets[:2000]


def accuracy(model: nn.Module) -> float:
    """On the test images."""
    images, labels = unseen()
    with torch.no_grad():
        return float((model.eval()(images).argmax(1) == labels).float().mean())


Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def noting(loss_fn: Loss, into: list[float]) -> Loss:
    """A loss function that writes down what it gives."""

    def noted(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss = loss_fn(logits, labels)
        into.append(loss.item())
        return loss

    return noted


def healthy(optimizer: Callable[[nn.Module], Any]) -> tuple[list[float], float]:
    """The losses of 120 batches of a healthy loop with this optimizer, and the accuracy after."""
    model, losses = clinic()["network"](0), list[float]()
    cured = solved("09-debugging-clinic", "clinic")["epoch_1"]
    cured(model, digits(120), noting(nn.functional.cross_entropy, losses), optimizer(model))
    return losses, accuracy(model)


def ill(patient: int) -> tuple[list[float], list[str]]:
    """The curve of a patient's run, and what it printed."""
    made, losses = clinic(), list[float]()
    entropy = nn.functional.cross_entropy
    if patient == 1:
        model = made["network"](0)
        sgd = torch.optim.SGD(model.parameters(), lr=0.1)
        made["epoch_1"](model, digits(120), noting(entropy, losses), sgd)
        return losses, [f"accuracy {accuracy(model):.0%}"]
    if patient == 2:
        model = made["network"](0)
        sgd = torch.optim.SGD(model.parameters(), lr=0.05)
        cured = solved("09-debugging-clinic", "clinic")["epoch_1"]
        cured(model, digits(120), noting(made["loss_2"], losses), sgd)
        return losses, [f"accuracy {accuracy(model):.0%}"]
    if patient == 3:
        model = made["network"](0)
        sgd = torch.optim.SGD(model.parameters(), lr=0.1)
        made["epoch_3"](model, digits(120), noting(entropy, losses), sgd, torch.device("cpu"))
        server = "server: RuntimeError: Expected all tensors to be on the same device"
        return losses, [f"laptop: accuracy {accuracy(model):.0%}", server]
    if patient == 4:
        torch.manual_seed(0)
        layers = [nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.5)]
        layers += [nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10)]
        model = nn.Sequential(nn.Flatten(), *layers)
        adam = torch.optim.Adam(model.parameters(), lr=1e-3)
        train, val = digits(120)[:40], digits(120)[100:]
        told = made["fit_4"](model, train, val, noting(entropy, losses), adam, 3)
        return losses, ["accuracy " + ", ".join(f"{a:.0%}" for a in told)]
    if patient in (5, 6):
        losses, right = healthy(made[f"optimizer_{patient}"])
        return losses, [f"accuracy {right:.0%}"]
    kept: list[float] = []
    model = made["network"](0)
    sizes = {"all": 0.0}

    def pack(t: torch.Tensor) -> torch.Tensor:
        sizes["all"] += 0 if isinstance(t, nn.Parameter) else t.numel()
        return t

    def batches() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        for pair in digits(120):
            kept.append(sizes["all"] / 1e6)
            yield pair

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        right = made["evaluate_7"](model, batches())
    return kept, [
        f"accuracy {right:.3f}",
        f"kept for a backward pass: {kept[-1]:.1f} million numbers",
    ]


def chart(patient: int) -> str:
    """09: the chart of one patient."""
    if patient == 8:
        try:
            clinic()["Net_8"]()(torch.zeros(64, 1, 28, 28))
        except RuntimeError as e:
            said = str(e)
        body = [
            text(24, 40, "patient 8", size=15, at="start", font_weight="600"),
            text(24, 84, "images (64, 1, 28, 28)", at="start", font_family="monospace"),
            text(24, 112, f"RuntimeError: {said}", at="start", font_family="monospace", fill=RED),
        ]
        return svg(720, 140, f"Patient 8 stops: {said}", body)
    curve, lines = ill(patient)
    top = max(curve) if patient == 7 else min(max(curve), 30.0 if patient == 2 else EDGE)
    width = 430 / (len(curve) - 1)
    points = [(60 + width * k, 190 - 140 * min(v, top) / top) for k, v in enumerate(curve)]
    what = "numbers kept, in millions" if patient == 7 else "loss"
    body = [
        f'<path d="M60 40 V190 H490" fill="none" stroke="{FAINT}" stroke-width="1.5"/>',
        polyline(points, BLUE, 2),
        text(24, 24, f"patient {patient}", size=15, at="start", font_weight="600"),
        text(275, 214, "batch", size=12),
        text(52, 54, f"{top:.3g}", size=12, at="end"),
        text(52, 194, "0", size=12, at="end"),
        text(490, 54, what, size=12, at="end"),
    ]
    if max(curve) > top:
        at = curve.index(max(curve))
        body.append(
            text(60 + width * at + 8, 66, f"up to {max(curve):,.0f}", size=12, at="start", fill=RED)
        )
    body += [
        text(24, 244 + 22 * k, line, size=13, at="start", font_family="monospace")
        for k, line in enumerate(lines)
    ]
    picked = ", ".join(f"{curve[k]:.2f}" for k in (0, len(curve) // 2, len(curve) - 1))
    says = f"Patient {patient}: {what} at the first, middle and last batch {picked}; " + "; ".join(
        lines
    )
    return svg(640, 240 + 22 * len(lines), says, body)


PICTURES: dict[str, Picture] = {
    "01-autograd/img/tape.svg": tape,
    "01-autograd/img/adds_up.svg": adds_up,
    "02-losses-and-optimizers/img/minus_log.svg": minus_log,
    "02-losses-and-optimizers/img/valley.svg": valley,
    "03-data-pipeline/img/pipeline.svg": pipeline,
    "07-regularisation/img/overfit.svg": overfit,
    "10-honest-numbers/img/spread.svg": spread,
    **{f"09-debugging-clinic/img/chart_{n}.svg": functools.partial(chart, n) for n in range(1, 9)},
}


def main() -> int:
    """Draw them, or with --check say which have changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("ids", nargs="*", help="assignments; all where none is named")
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail where one changed"
    )
    asked = parser.parse_args()
    stale = []
    for name, picture in PICTURES.items():
        if asked.ids and name.partition("/")[0] not in asked.ids:
            continue
        if name.startswith(("07-", "09-", "10-")) and DATA not in os.environ:
            print(f"left as it is, for {DATA} names no images: source/{name}")
            continue
        path, drawn = ROOT / "source" / name, picture()
        if path.is_file() and path.read_text(encoding="utf-8") == drawn:
            continue
        stale.append(name)
        if not asked.check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(drawn, encoding="utf-8")
    for name in stale:
        print(f"{'stale' if asked.check else 'drawn'}: source/{name}")
    return 1 if asked.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
