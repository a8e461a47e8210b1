from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field
from statistics import fmean, stdev

import lightning.pytorch as pl
import matplotlib.pyplot as plt
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import datasets


class Images(Dataset):
    def __init__(self, source, indices):
        self.source, self.indices = source, indices

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, item):
        index = self.indices[item]
        image = self.source.data[index].float().div(127.5).sub(1).unsqueeze(0)
        return image, int(self.source.targets[index])


class MLP(nn.Module):
    def __init__(self, *widths):
        super().__init__()
        sizes = (784, *widths, 10)
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))

    def forward(self, x):
        x = x.view(x.size(0), -1)
        for layer in self.layers[:-1]:
            x = layer(x).clamp_min(0)
        return self.layers[-1](x)


class MNISTMLP(MLP):
    def __init__(self):
        super().__init__(128, 64)


@dataclass
class Experiment:
    seed: int
    epochs: int
    root: str = "data"
    limit: int | None = None
    batch_size: int = 128
    device: str = "cpu"
    half: bool = False
    accuracies: list = field(default_factory=list)

    def loaders(self):
        source = datasets.FashionMNIST(self.root, train=True, download=True)
        count = len(source) if self.limit is None else min(self.limit, len(source))
        order = torch.randperm(count, generator=torch.Generator().manual_seed(self.seed + 1)).tolist()
        cut = round(count / 6)
        shuffle = torch.Generator().manual_seed(self.seed + 2)
        return (
            DataLoader(Images(source, order[cut:]), self.batch_size, shuffle=True, generator=shuffle),
            DataLoader(Images(source, order[:cut]), 64),
        )

    def network(self, build):
        torch.manual_seed(self.seed)
        return build().to(self.device)

    def train(self, model, optimizer):
        train_loader, val_loader = self.loaders()
        criterion = nn.CrossEntropyLoss()
        for _ in range(self.epochs):
            model.train()
            optimizer.zero_grad()
            for x, y in train_loader:
                with torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.half):
                    loss = criterion(model(x.to(self.device)), y.to(self.device))
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
            self.accuracies.append(self.measure(model, val_loader))
        return self

    def measure(self, model, loader):
        model.eval()
        hits = []
        with torch.inference_mode():
            for x, y in loader:
                hits += (model(x.to(self.device)).argmax(-1).cpu() == y).tolist()
        return sum(hits) / len(hits)

    @property
    def best(self):
        return max(self.accuracies)


def _standard(build, seed, epochs, root="data", limit=None, **more):
    experiment = Experiment(seed, epochs, root, limit, **more)
    model = experiment.network(build)
    return experiment.train(model, torch.optim.AdamW(model.parameters(), lr=1e-3))


def run(seed, hidden=256, epochs=3, root="data", limit=None):
    experiment = Experiment(seed, epochs, root, limit)
    model = MLP(hidden)
    return experiment.train(model, torch.optim.AdamW(model.parameters(), lr=1e-3)).best


def summary(accuracies):
    values = [float(a) for a in accuracies]
    if len(values) <= 1:
        raise ValueError("a spread takes two runs")
    return fmean(values), stdev(values)


class Comparison:
    def __init__(self, a, b):
        self.before, self.after = summary(a), summary(b)

    @property
    def gain(self):
        return self.after[0] - self.before[0]

    @property
    def noise(self):
        return max(self.before[1], self.after[1])


def is_real_gain(a, b):
    comparison = Comparison(a, b)
    return comparison.gain > comparison.noise


class Forger:
    def __init__(self, rng, n):
        self.rng, self.n = rng, n

    def draw(self):
        return [0.9 + 0.01 * float(self.rng.standard_normal()) for _ in range(self.n)]


def false_alarm_rate(rule, n, trials, rng):
    forger = Forger(rng, n)
    verdicts = [rule(forger.draw(), forger.draw()) for _ in range(trials)]
    return sum(1 for v in verdicts if v) / len(verdicts)


class Table:
    head = ("name", "n", "mean", "deviation")

    def __init__(self):
        self.rows = []

    def add(self, name, values):
        mean, deviation = summary(values)
        self.rows.append((name, str(len(values)), f"{mean:.4f}", f"{deviation:.4f}"))

    def __str__(self):
        widths = [max(len(r[i]) for r in [self.head, *self.rows]) for i in range(4)]
        lines = [self.head, tuple("-" * max(3, w) for w in widths), *self.rows]
        return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(r, widths)) + " |" for r in lines)


def table(results):
    made = Table()
    for name, values in results.items():
        made.add(name, values)
    return str(made)


RESULTS = {
    "16": [0.77, 0.765, 0.78],
    "256": [0.8712, 0.8743, 0.8705, 0.8721, 0.8698, 0.8733],
    "512": [0.8760, 0.8744, 0.8782, 0.8757, 0.8771, 0.8749],
}
DECISION = "real" if is_real_gain(RESULTS["256"], RESULTS["512"]) else "not shown"


class Stopwatch:
    def __init__(self, device):
        self.gpu = device.startswith("cuda")

    def __enter__(self):
        if self.gpu:
            torch.cuda.reset_peak_memory_stats()
            torch.cuda.synchronize()
        self.start = time.perf_counter()
        return self

    def __exit__(self, *_):
        if self.gpu:
            torch.cuda.synchronize()
        self.seconds = time.perf_counter() - self.start
        self.peak = torch.cuda.max_memory_allocated() / 2**20 if self.gpu else None


def amp_payoff(epochs=3, device=None, limit=None):
    device = str(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    told = {}
    for name, half in (("warm", True), ("fp32", False), ("amp", True)):
        with Stopwatch(device) as watch:
            done = _standard(
                lambda: MLP(256), 0, 1 if name == "warm" else epochs, limit=limit, device=device, half=half
            )
        told[name] = {"seconds": watch.seconds, "peak_mb": watch.peak, "accuracy": done.best}
    del told["warm"]
    return told


class LitMLP(pl.LightningModule):
    def __init__(self, hidden=256):
        super().__init__()
        self.automatic_optimization = False
        self.body = MLP(hidden)
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.body(x)

    def training_step(self, batch, index):
        x, y = batch
        optimizer = self.optimizers()
        loss = self.criterion(self(x), y)
        optimizer.zero_grad()
        self.manual_backward(loss)
        optimizer.step()

    def validation_step(self, batch, index):
        x, y = batch
        hits = (self(x).argmax(-1) == y).float()
        self.log("accuracy", hits.mean(), on_epoch=True, batch_size=len(y))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


class KeepBest(Callback):
    def __init__(self):
        self.best = float("-inf")

    def on_validation_end(self, trainer, module):
        self.best = max(self.best, trainer.callback_metrics["accuracy"].item())


def run_lightning(seed, hidden=256, epochs=3, root="data", limit=None):
    experiment = Experiment(seed, epochs, root, limit)
    torch.manual_seed(seed)
    keeper = KeepBest()
    trainer = pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        num_sanity_val_steps=0,
        callbacks=[keeper],
    )
    trainer.fit(LitMLP(hidden), *experiment.loaders())
    return keeper.best


def epochs_to(history, accuracy):
    reached = [value >= accuracy for value in history["val_accuracy"]]
    return reached.index(True) + 1 if True in reached else None


def race(seed, epochs=8, limit=None):
    start = Experiment(seed, epochs).network(MNISTMLP)
    histories = {}
    for name, build in (
        ("adam", lambda p: torch.optim.Adam(p, lr=0.001)),
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    ):
        model = copy.deepcopy(start)
        experiment = Experiment(seed, epochs, limit=limit, batch_size=64)
        experiment.train(model, build(model.parameters()))
        histories[name] = {"val_accuracy": experiment.accuracies, "best": experiment.best}
    return histories


def plot_batches(losses, per_epoch):
    figure = plt.figure()
    axes = figure.add_subplot()
    numbers = [k + 1 for k in range(len(losses))]
    axes.plot(numbers, losses, linewidth=0.5, color="grey", label="batch")
    ends = numbers[per_epoch - 1 :: per_epoch]
    means = [fmean(losses[end - per_epoch : end]) for end in ends]
    axes.plot(ends, means, linestyle="", marker="o", label="epoch")
    axes.legend()
    axes.grid(True)
    return figure


def shootout(widths, seeds, epochs=5, limit=None):
    found = {}
    for shape in widths:
        row = {"parameters": sum(p.numel() for p in MLP(*shape).parameters()), "accuracies": []}
        for seed in seeds:
            row["accuracies"].append(_standard(lambda: MLP(*shape), seed, epochs, limit=limit).best)
        found[shape] = row
    return found
