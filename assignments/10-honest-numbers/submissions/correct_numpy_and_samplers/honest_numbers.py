"""Splits by numpy, batches by samplers, steps by closures, a data module for Lightning."""

import warnings
from math import isnan, sqrt
from time import perf_counter

import matplotlib
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, Subset
from torchvision.datasets import FashionMNIST
from torchvision.transforms import v2

PREPARE = v2.Compose(
    [v2.ToImage(), v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.286], [0.353])]
)


def split(seed, root="data", limit=None):
    images = FashionMNIST(root, download=True, transform=PREPARE)
    order = np.random.default_rng([seed, 7]).permutation(min(limit or len(images), len(images)))
    held, rest = np.split(order, [int(np.ceil(len(order) / 6))])
    return Subset(images, rest.tolist()), Subset(images, held.tolist())


def shuffled(part, size, seed):
    draws = RandomSampler(part, generator=torch.Generator().manual_seed(1000 + seed))
    return DataLoader(part, batch_sampler=BatchSampler(draws, size, drop_last=False))


def in_order(part):
    return DataLoader(part, batch_size=1000, sampler=SequentialSampler(part))


def accuracy(net, batches, device):
    was = net.training
    net.eval()
    hits = np.concatenate(
        [(net(x.to(device)).detach().argmax(1).cpu() == y).numpy() for x, y in batches]
    )
    net.train(was)
    return float(hits.mean())


def fit(net, optimizer, seed, epochs, root="data", limit=None, size=128, device="cpu", scaler=None, cast=None):
    """The accuracies after each epoch, one at a time."""
    learnt, held = split(seed, root, limit)
    order = shuffled(learnt, size, seed)
    for _ in range(epochs):
        net.train()
        for x, y in order:
            x, y = x.to(device), y.to(device)

            def closure():
                optimizer.zero_grad(set_to_none=True)
                with torch.autocast(device, cast or torch.bfloat16, enabled=cast is not None):
                    value = F.nll_loss(F.log_softmax(net(x), dim=1), y)
                (scaler.scale(value) if scaler else value).backward()
                return value

            if scaler:
                closure()
                scaler.step(optimizer)
                scaler.update()
            else:
                optimizer.step(closure)
        yield accuracy(net, in_order(held), device)


def mlp(*hidden):
    sizes = [28 * 28, *hidden, 10]
    net = nn.Sequential()
    net.add_module("flat", nn.Flatten())
    for k in range(1, len(sizes)):
        net.add_module(f"linear{k}", nn.Linear(sizes[k - 1], sizes[k]))
        if k < len(sizes) - 1:
            net.add_module(f"relu{k}", nn.LeakyReLU(0.0))
    return net


def born(seed, make):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def adamw(net):
    return torch.optim.AdamW([{"params": list(net.parameters()), "lr": 0.001}])


def run(seed, hidden=256, epochs=3, root="data", limit=None):
    net = born(seed, lambda: mlp(hidden))
    return max(fit(net, adamw(net), seed, epochs, root, limit))


def summary(accuracies):
    values = np.array(list(accuracies), dtype=np.float64)
    n = values.size
    if n < 2:
        raise ValueError(f"{n} runs have no deviation")
    mean = values.sum() / n
    return float(mean), sqrt(((values - mean) ** 2).sum() / (n - 1))


def is_real_gain(a, b):
    (low, s), (high, t) = summary(a), summary(b)
    return bool(high > low + np.maximum(s, t))


def false_alarm_rate(rule, n, trials, rng):
    groups = rng.normal(0.87, 0.003, size=(trials, 2, n))
    return float(np.mean([bool(rule(list(a), list(b))) for a, b in groups]))


def table(results):
    text = ["|name|n|mean|deviation|", "|:---|---:|---:|---:|"]
    text += [
        "|{}|{}|{:.4f}|{:.4f}|".format(name, len(values), *summary(values))
        for name, values in results.items()
    ]
    return "\n".join(text) + "\n"


RESULTS = {
    "512": np.array([0.8810, 0.8790, 0.8822, 0.8775, 0.8801]),
    "256": np.array([0.8790, 0.8768, 0.8799, 0.8812, 0.8755]),
}
DECISION = ("not shown", "real")[is_real_gain(RESULTS["256"], RESULTS["512"])]


def amp_payoff(epochs=3, device=None, limit=None):
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    gpu = device == "cuda"
    start = born(0, lambda: mlp(256)).state_dict()

    def once(half, rounds, some):
        net = mlp(256).to(device)
        net.load_state_dict(start)
        cast = (torch.float16 if gpu else torch.bfloat16) if half else None
        scaler = torch.amp.GradScaler(device) if half and gpu else None
        if gpu:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        begun = perf_counter()
        best = max(fit(net, adamw(net), 0, rounds, limit=some, device=device, scaler=scaler, cast=cast))
        if gpu:
            torch.cuda.synchronize()
        seconds = perf_counter() - begun
        peak = torch.cuda.max_memory_allocated() / 1e6 if gpu else None
        return dict(seconds=seconds, peak_mb=peak, accuracy=best)

    for half in (False, True):
        once(half, 1, 60)
    return dict(amp=once(True, epochs, limit), fp32=once(False, epochs, limit))


try:
    import lightning.pytorch as pl

    Module, Data = pl.LightningModule, pl.LightningDataModule
except ImportError:
    pl, Module, Data = None, nn.Module, object


class LitMLP(Module):
    def __init__(self, hidden=256):
        super().__init__()
        self.net = mlp(hidden)
        self.told = []
        self.hits = 0
        self.asked = 0

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_index):
        x, y = batch
        return F.cross_entropy(self(x), y)

    def on_validation_epoch_start(self):
        self.hits = self.asked = 0

    def validation_step(self, batch, batch_index):
        x, y = batch
        self.hits += int((self(x).argmax(1) == y).sum())
        self.asked += len(y)

    def on_validation_epoch_end(self):
        self.told.append(self.hits / self.asked)

    def configure_optimizers(self):
        return {"optimizer": torch.optim.AdamW(self.parameters(), lr=1e-3)}


class Images(Data):
    def __init__(self, seed, root, limit):
        super().__init__()
        self.seed, self.parts = seed, split(seed, root, limit)

    def train_dataloader(self):
        return shuffled(self.parts[0], 128, self.seed)

    def val_dataloader(self):
        return in_order(self.parts[1])


def run_lightning(seed, hidden=256, epochs=3, root="data", limit=None):
    module = born(seed, lambda: LitMLP(hidden))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            devices=1,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(module, datamodule=Images(seed, root, limit))
    return max(module.told)


class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)

    def forward(self, images):
        hidden = torch.relu(self.fc1(images.flatten(1)))
        return self.fc3(torch.relu(self.fc2(hidden)))


def epochs_to(history, accuracy):
    numbers = np.flatnonzero(np.asarray(history["val_accuracy"]) >= accuracy)
    return int(numbers[0]) + 1 if numbers.size else None


def race(seed, epochs=8, limit=None):
    histories = {}
    for name, kind, how in (
        ("sgd", torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
        ("adam", torch.optim.Adam, {"lr": 1e-3}),
    ):
        net = born(seed, MNISTMLP)
        curve = fit(net, kind(net.parameters(), **how), seed, epochs, limit=limit, size=64)
        histories[name] = {"val_accuracy": list(curve)}
    return histories


def plot_batches(losses, per_epoch):
    figure = Figure()
    axes = figure.subplots()
    y = np.asarray(losses, dtype=float)
    axes.plot(np.arange(1, y.size + 1), y, lw=0.6)
    means = y.reshape(-1, per_epoch).mean(axis=1)
    axes.scatter(per_epoch * np.arange(1, means.size + 1), means, color="crimson", zorder=3)
    axes.set(xlabel="batch", ylabel="loss")
    return figure


def shootout(widths, seeds, epochs=5, limit=None):
    def accuracies(shape):
        for seed in seeds:
            net = born(seed, lambda: mlp(*shape))
            yield max(fit(net, adamw(net), seed, epochs, limit=limit))

    return {
        shape: {
            "parameters": int(sum(np.prod(p.shape) for p in mlp(*shape).parameters())),
            "accuracies": [*accuracies(shape)],
        }
        for shape in widths
    }
