"""The pages to play with: fresh, small, closed to the network, and right.

Each page tells the numbers that it shows at the settings it opens with. A headless Chromium reads
them; PyTorch computes the same ones here; and the page's words name them.
"""

from __future__ import annotations

import json
import math
import re
import runpy
import shutil
import subprocess
from collections.abc import Callable, Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.samples import ROOT

MADE = runpy.run_path(str(ROOT / "scripts" / "explore_pages.py"))
PAGES: Path = MADE["PAGES"]
NAMES: tuple[str, ...] = MADE["ORDER"]
PATIENCE_S = 300
"""How long a busy machine may take to start a browser."""

# -- the files -----------------------------------------------------------------------------------


def test_the_pages_are_what_their_sources_say() -> None:
    there = {p.name: p.read_text(encoding="utf-8") for p in PAGES.iterdir()}
    assert there == MADE["pages"](), "run: python scripts/explore_pages.py"
    assert {p.stem for p in MADE["SOURCES"].glob("*.html")} == set(NAMES)


def test_a_check_tells_stale_pages_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write, made = MADE["write"], MADE["pages"]()
    (tmp_path / "gone.html").write_text("a page that is no longer made")
    assert write(tmp_path, made, check=True) == 1
    assert {"gone.html", "valley.html"} <= set(capsys.readouterr().out.split())
    assert [p.name for p in tmp_path.iterdir()] == ["gone.html"]
    assert write(tmp_path, made, check=False) == 0 == write(tmp_path, made, check=True)
    assert not (tmp_path / "gone.html").exists()


class _Reader(HTMLParser):
    """What a page would fetch or run, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "a":
            self.links.append(str(told["href"]))
        elif "src" in told or "href" in told:
            self.fetched.append(tag)
        self.handlers += [k for k in told if k.startswith("on") or k == "style"]


@pytest.mark.parametrize("folder", ["explore", "zoo"])
def test_a_page_is_one_small_file_that_needs_no_other(folder: str) -> None:
    for path in (ROOT / "docs" / folder).glob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) < MADE["CAP"], path
        page = _Reader()
        page.feed(text)
        assert page.fetched == page.handlers == [], path
        assert [k for k in page.links if not (path.parent / k).exists()] == [], path
        policy = unescape(re.findall(r'Content-Security-Policy" content="([^"]*)"', text)[0])
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        for part in ("style", "script"):
            for inline in re.findall(rf"<{part}>(.*?)</{part}>", text, re.DOTALL):
                assert f"{part}-src {MADE['allowed'](inline)}" in policy, path
        assert "unsafe" not in policy and "http" not in policy


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_linked_where_its_idea_is_taught(name: str) -> None:
    """In the handout's text, and in what students get of it."""
    made = MADE["source"](name)
    link = f"explore/{name}.html"
    (master,) = (ROOT / "source" / made.handout).glob("*.py")
    told = master.read_text(encoding="utf-8")
    assert link in told
    before = told[: told.index(link)]
    assert re.findall(r"^# ## Task (\d+)", before, re.MULTILINE)[-1] == made.task
    released = ROOT / "release" / made.handout / f"{master.stem}.ipynb"
    assert link in released.read_text(encoding="utf-8")
    alone = (released.parent / link).read_text(encoding="utf-8")
    page = (PAGES / f"{name}.html").read_text(encoding="utf-8")
    assert "<a " not in alone and re.sub(r"<a href=[^>]*>(.*?)</a>", r"\1", page) == alone


# -- the numbers ---------------------------------------------------------------------------------


def drawn(seed: int) -> Iterator[float]:
    """The generator of the pages, `random` in shared.js."""
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield state / 2**32


def normal(draw: Iterator[float]) -> float:
    return math.sqrt(-2 * math.log(1 - next(draw))) * math.cos(2 * math.pi * next(draw))


def shuffled(count: int, draw: Iterator[float]) -> list[int]:
    order = list(range(count))
    for i in range(count - 1, 0, -1):
        k = int(next(draw) * (i + 1))
        order[i], order[k] = order[k], order[i]
    return order


def tensor(values: Any) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def backward(loss: Tensor) -> None:
    loss.backward()  # type: ignore[no-untyped-call]


def network(inputs: int, hidden: int, classes: int, seed: int) -> nn.Sequential:
    """`Net` of shared.js, of PyTorch's own layers."""
    draw = drawn(seed)
    first, last = nn.Linear(inputs, hidden).double(), nn.Linear(hidden, classes).double()
    for layer, scale in ((first, math.sqrt(2 / inputs)), (last, math.sqrt(1 / hidden))):
        values = [normal(draw) * scale for _ in range(layer.weight.numel())]
        with torch.no_grad():
            layer.weight.copy_(tensor(values).view_as(layer.weight))
            layer.bias.zero_()
    return nn.Sequential(first, nn.ReLU(), last)


def gradient() -> list[float]:
    start = p = tensor([2.0, 1.0]).requires_grad_()
    backward((3 * p[0] + p[1] - 5) ** 2)
    first = [float(g) for g in start.grad]  # type: ignore[union-attr]
    optimizer = torch.optim.SGD([p], lr=0.02)
    for _ in range(10):
        optimizer.zero_grad()
        backward((3 * p[0] + p[1] - 5) ** 2)
        optimizer.step()
    w, b = p.tolist()
    return [*first, (3 * w + b - 5) ** 2]


def buckets() -> list[float]:
    w, levels = tensor(1.0).requires_grad_(), []
    for slope in (2.0, 1.8, 1.5):
        backward(slope * w)
        levels.append(float(w.grad))  # type: ignore[arg-type]
    return levels


def probability() -> list[float]:
    logits = tensor([2.0, 1.0, 0.1])
    loss = nn.functional.cross_entropy(logits[None], torch.tensor([0]))
    return [float(loss), *logits.softmax(0).tolist()]


def valley() -> list[float]:
    far = []
    for make in (
        lambda p: torch.optim.SGD(p, lr=0.07),
        lambda p: torch.optim.SGD(p, lr=0.07, momentum=0.9),
        lambda p: torch.optim.Adam(p, lr=0.3),
    ):
        w = tensor([-4.0, 2.0]).requires_grad_()
        optimizer = make([w])
        for _ in range(40):
            optimizer.zero_grad()
            backward((w[0] ** 2 + 25 * w[1] ** 2) / 2)
            optimizer.step()
        far.append(float(w.detach().norm()))
    return far


def trained(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    points: tuple[Tensor, Tensor],
    rows: Iterator[list[int]],
    steps: int,
    zero: bool = True,
) -> tuple[float, float]:
    """Loss and accuracy in percent over all points after so many steps."""
    X, y = points
    loss_fn = nn.CrossEntropyLoss()
    for _, batch in zip(range(steps), rows, strict=False):
        if zero:
            optimizer.zero_grad()
        backward(loss_fn(net(X[batch]), y[batch]))
        optimizer.step()
    with torch.no_grad():
        out = net(X)
        return float(loss_fn(out, y)), 100 * float((out.argmax(1) == y).double().mean())


def batches(count: int, size: int, mixed: bool, seed: int) -> Iterator[list[int]]:
    draw = drawn(seed)
    while True:
        order = shuffled(count, draw) if mixed else list(range(count))
        yield from (order[k : k + size] for k in range(0, count, size))


def order() -> list[float]:
    draw, centres = drawn(11), [(-1, -1), (1, -1), (-1, 1), (1, 1)]
    labels = [k // 80 for k in range(320)]
    X = tensor([[m + 0.55 * normal(draw) for m in centres[c]] for c in labels])
    found = []
    for mixed in (True, False):
        net = network(2, 16, 4, 7)
        optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
        rows = batches(320, 16, mixed, 3)
        found.append(trained(net, optimizer, (X, torch.tensor(labels)), rows, 60)[1])
    return found


def two_circles() -> list[float]:
    draw, X, labels = drawn(7), [], []
    for k in range(200):
        outer = int(k >= 100)
        radius = (0.85 if outer else 0.4) + 0.07 * normal(draw)
        angle = 2 * math.pi * next(draw)
        X.append([radius * math.cos(angle), radius * math.sin(angle)])
        labels.append(outer)
    points = tensor(X), torch.tensor(labels)

    def after(steps: int, zero: bool = True, mixed: bool = True, lr: float = 0.5) -> Any:
        net = network(2, 16, 2, 21)
        optimizer = torch.optim.SGD(net.parameters(), lr=lr)
        return trained(net, optimizer, points, batches(200, 20, mixed, 4), steps, zero)

    return [
        *after(400),
        after(400, zero=False)[0],
        after(50, mixed=False)[0],
        after(50)[0],
        after(400, zero=False, lr=0.01)[0],
        after(400, lr=0.01)[0],
    ]


def zero_grad() -> list[float]:
    draw, x, y = drawn(5), [], []
    for _ in range(64):
        x.append(-2 + 4 * next(draw))
        y.append(1.5 * x[-1] - 1 + 0.4 * normal(draw))
    X, Y = tensor(x), tensor(y)
    runs = {}
    for zero in (True, False):
        p = tensor([0.0, 0.0]).requires_grad_()
        optimizer = torch.optim.SGD([p], lr=0.01)
        losses, rows = [], batches(64, 8, True, 8)
        for _ in range(120):
            k = next(rows)
            if zero:
                optimizer.zero_grad()
            backward(nn.functional.mse_loss(p[0] * X[k] + p[1], Y[k]))
            optimizer.step()
            with torch.no_grad():
                losses.append(float(nn.functional.mse_loss(p[0] * X + p[1], Y)))
        runs[zero] = losses
    return [runs[True][-1], runs[False][-1], runs[True][9], runs[False][9]]


def schedules() -> list[float]:
    sched = torch.optim.lr_scheduler

    def warm(t: int) -> float:
        return (t + 1) / 10 if t < 10 else (1 + math.cos(math.pi * (t - 10) / 90)) / 2

    plans: list[Callable[[torch.optim.Optimizer], Any]] = [
        lambda o: sched.StepLR(o, 30, 0.1),
        lambda o: sched.CosineAnnealingLR(o, 100),
        lambda o: sched.LambdaLR(o, warm),
        lambda o: sched.OneCycleLR(o, 0.1, total_steps=100),
    ]
    found = []
    for plan in plans:
        optimizer = torch.optim.SGD([nn.Parameter(tensor(0.0))], lr=0.1)
        schedule, rates = plan(optimizer), []
        for t in range(100):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
            if t < 99:
                schedule.step()
        found += [rates[40], sum(rates)]
    return found


def step_47() -> list[float]:
    kinds = ["1100110000000000", "0000000000110011", "1000010000100001", "0110100110010110"]
    draw, net = drawn(9), network(16, 16, 4, 4)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.6)
    losses, norms = [], []
    for step in range(1, 121):
        images, labels = [], []
        for _ in range(16):
            kind = int(4 * next(draw))
            labels.append(kind)
            pixels = [0.15 + 0.2 * int(p) + 0.2 * normal(draw) for p in kinds[kind]]
            images.append([min(1.0, max(0.0, p)) for p in pixels])
        X = tensor(images)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(255 * X if step == 47 else X), torch.tensor(labels))
        backward(loss)
        norms.append(float(nn.utils.get_total_norm([p.grad for p in net.parameters()])))  # type: ignore[misc]
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        dead = int((net[1](net[0](X)) == 0).all(0).sum())
    return [losses[45], losses[46], norms[46], losses[47], dead, losses[-1]]


def shapes() -> list[float]:
    net = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 128),
        nn.ReLU(),
        nn.Linear(128, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    return [sum(p.numel() for p in net.parameters())]


TRUE: dict[str, tuple[Callable[[], list[float]], str]] = {
    "gradient": (gradient, "({:.0f}, {:.0f}) {:.5f}"),
    "buckets": (buckets, "{:.1f} {:.1f} {:.1f}"),
    "probability": (probability, "{:.4f} {:.3f} {:.3f} {:.3f}"),
    "valley": (valley, "{:.3f} {:.3f} {:.3f}"),
    "order": (order, "{:.2f} {:.2f}"),
    "two-circles": (two_circles, "{:.3f} {:.1f} {:.3f} {:.3f} {:.3f} {:.3f} {:.3f}"),
    "zero-grad": (zero_grad, "{:.3f} {:.3f} {:.3f} {:.3f}"),
    "schedules": (schedules, "{:.4f} {:.3f} {:.4f} {:.3f} {:.4f} {:.3f} {:.4f} {:.3f}"),
    "step-47": (step_47, "{:.3f} {:.3f} {:.3f} {:.3f} {} {:.3f}"),
    "shapes": (shapes, "{:,}"),
}
"""The numbers of each page, by PyTorch, and how its words write them."""


@pytest.mark.parametrize("name", NAMES)
def test_the_words_of_a_page_name_its_numbers(name: str) -> None:
    compute, written = TRUE[name]
    body = MADE["source"](name).body
    words = re.sub(r"<[^>]*>", "", body.partition("<h2>What you should see</h2>")[2])
    for number in re.findall(r"[\d.,]*\d", written.format(*compute())):
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", words), f"{number} in {name}"


@pytest.fixture(scope="module")
def browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "no browser; scripts/setup.sh dev browser installs one"
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_browser_computes_what_pytorch_does(name: str, browser: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
            f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000", "--window-size=400,800",
            "--dump-dom", (PAGES / f"{name}.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=PATIENCE_S, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr, "errors of the script, and what the policy refuses"
    (told,) = re.findall(r'data-numbers="([^"]*)"', done.stdout)
    # A run of hundreds of steps multiplies the last digit of a cosine, which no standard fixes.
    assert json.loads(unescape(told)) == pytest.approx(TRUE[name][0](), rel=1e-5, abs=1e-9)
    charts = re.findall(r"<svg [^>]*>", done.stdout)
    assert charts and all('role="img"' in c and "aria-label" in c for c in charts)
    assert re.search(r'<output id="say"[^>]*>[^<]+</output>', done.stdout)
