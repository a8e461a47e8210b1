"""Weights in plain parameter lists, one training for all tasks, Lightning with a metric of its own."""

import contextlib
import functools
import itertools
import os
import tempfile
import time

import matplotlib.pyplot as plt
import numpy
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import ConcatDataset, DataLoader, Dataset, random_split
from torchvision import datasets, transforms


class Weights(nn.Module):
    """Linear layers by hand: x @ W + b, with a ReLU in between."""

    def __init__(self, sizes):
        super().__init__()
        pairs = list(itertools.pairwise(sizes))
        self.matrices = nn.ParameterList(
            torch.empty(i, o).uniform_(-(i**-0.5), i**-0.5) for i, o in pairs
        )
        self.biases = nn.ParameterList(torch.zeros(o) for _, o in pairs)

    def forward(self, images):
        x = images.flatten(start_dim=1)
        for last, (matrix, bias) in enumerate(zip(self.matrices, self.biases), 1 - len(self.biases)):
            x = x @ matrix + bias
            if last < 0:
                x = torch.maximum(x, torch.zeros_like(x))
        return x


class First(Dataset):
    def __init__(self, whole, count):
        self.whole, self.count = whole, count

    def __len__(self):
        return self.count

    def __getitem__(self, k):
        return self.whole[k]


@functools.lru_cache
def fashion(root):
    return datasets.FashionMNIST(
        root=root, train=True, transform=transforms.ToTensor(), download=True
    )


def parts(seed, root, limit):
    whole = fashion(root)
    some = First(whole, len(whole) if limit is None else limit)
    sixth = -(-len(some) // 6)
    by = torch.Generator()
    by.manual_seed(seed)
    return random_split(some, (len(some) - sixth, sixth), generator=by)


def curve(model, optimizer, seed, epochs, root="data", limit=None, batch=128, device="cpu", context=contextlib.nullcontext, scaler=None):
    learn, check = parts(seed, root, limit)
    torch.manual_seed(seed + 10_000)
    loader = DataLoader(learn, batch_size=batch, shuffle=True)
    told = []
    for _ in range(epochs):
        for images, labels in loader:
            with context():
                loss = F.cross_entropy(model(images.to(device)), labels.to(device))
            scaled = loss if scaler is None else scaler.scale(loss)
            gradients = torch.autograd.grad(scaled, list(model.parameters()))
            for parameter, gradient in zip(model.parameters(), gradients):
                parameter.grad = gradient
            if scaler is None:
                optimizer.step()
            else:
                scaler.step(optimizer)
                scaler.update()
        right = sum(
            int(torch.eq(model(images.to(device)).argmax(1).cpu(), labels).sum())
            for images, labels in DataLoader(check, batch_size=50)
        )
        told.append(right / len(check))
    return told


def made(seed, *hidden, device="cpu"):
    torch.manual_seed(seed)
    model = Weights((784, *hidden, 10)).to(device)
    return model, torch.optim.AdamW(model.parameters(), lr=1e-3)


def run(seed, hidden=256, epochs=3, root="data", limit=None):
    return max(curve(*made(seed, hidden), seed, epochs, root, limit))


def summary(accuracies):
    n = len(accuracies)
    if n < 2:
        raise ValueError("two accuracies are needed")
    mean = sum(accuracies) / n
    return mean, (sum(abs(a - mean) ** 2 for a in accuracies) / (n - 1)) ** 0.5


def is_real_gain(a, b):
    sides = [summary([float(v) for v in side]) for side in (a, b)]
    return sides[1][0] - sides[0][0] > max(deviation for _, deviation in sides)


def false_alarm_rate(rule, n, trials, rng):
    return sum(
        map(lambda _: bool(rule(rng.normal(size=n), rng.normal(size=n))), range(trials))
    ) / trials


def table(results):
    def line(*cells):
        return "| " + " | ".join(str(c) for c in cells) + " |"

    yet = [line("name", "n", "mean", "deviation"), line(*["---:"] * 4)]
    for name in results:
        mean, deviation = summary(results[name])
        yet.append(line(name, len(results[name]), "%.4f" % mean, "%.4f" % deviation))
    return "\n".join(yet)


RESULTS = dict(zip(("256", "512"), ([0.871, 0.874, 0.869, 0.872, 0.870], [0.869, 0.868, 0.872, 0.866, 0.870])))
DECISION = "not shown"


def amp_payoff(epochs=3, device=None, limit=None):
    where = device or ["cpu", "cuda"][torch.cuda.is_available()]
    sixteen = torch.float16 if where == "cuda" else torch.bfloat16

    def settle():
        if where == "cuda":
            torch.cuda.synchronize()

    def timed(half, epochs, limit):
        model, optimizer = made(0, 256, device=where)
        context = functools.partial(torch.autocast, where, sixteen) if half else contextlib.nullcontext
        scaler = torch.amp.GradScaler("cuda") if half and where == "cuda" else None
        if where == "cuda":
            torch.cuda.reset_peak_memory_stats()
        settle()
        start = time.perf_counter()
        told = curve(
            model, optimizer, 0, epochs, limit=limit, device=where, context=context, scaler=scaler
        )
        settle()
        used = time.perf_counter() - start
        peak = torch.cuda.max_memory_allocated() / 2**20 if where == "cuda" else None
        return {"seconds": used, "peak_mb": peak, "accuracy": max(told)}

    timed(False, 1, 60), timed(True, 1, 60)
    return {name: timed(name == "amp", epochs, limit) for name in ("fp32", "amp")}


import lightning


class LitMLP(lightning.LightningModule):
    def __init__(self, hidden=256):
        super().__init__()
        self.inner = nn.Sequential(
            nn.Unflatten(1, (1,)), nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10)
        )
        self.seen = []

    def forward(self, images):
        return self.inner(images)

    def training_step(self, batch, batch_index):
        images, labels = batch
        return F.cross_entropy(self.forward(images), labels, reduction="none").mean()

    def validation_step(self, batch, batch_index):
        images, labels = batch
        self.seen.append((self.trainer.current_epoch, (self(images).argmax(1) == labels).cpu()))

    def configure_optimizers(self):
        return [torch.optim.AdamW(self.parameters(), lr=1e-3)]

    def best(self):
        grouped = itertools.groupby(self.seen, key=lambda pair: pair[0])
        return max(torch.cat([hits for _, hits in g]).double().mean().item() for _, g in grouped)


def run_lightning(seed, hidden=256, epochs=3, root="data", limit=None):
    learn, check = parts(seed, root, limit)
    torch.manual_seed(seed)
    module = LitMLP(hidden)
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            lightning.Trainer(
                max_epochs=epochs,
                accelerator="cpu",
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
                num_sanity_val_steps=0,
                default_root_dir=folder,
            ).fit(
                module,
                train_dataloaders=DataLoader(ConcatDataset([learn]), batch_size=128, shuffle=True),
                val_dataloaders=DataLoader(check, batch_size=64),
            )
        finally:
            os.chdir(here)
    return module.best()


class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)

    def forward(self, images):
        hidden = torch.relu(self.fc1(images.flatten(1)))
        return self.fc3(torch.relu(self.fc2(hidden)))


def epochs_to(history, accuracy):
    return next((n for n, a in enumerate(history["val_accuracy"], start=1) if not a < accuracy), None)


def race(seed, epochs=8, limit=None):
    torch.manual_seed(seed)
    model = MNISTMLP()
    start = {name: value.clone() for name, value in model.state_dict().items()}
    told = {}
    for name, build in {
        "adam": functools.partial(torch.optim.Adam, lr=1e-3),
        "sgd": functools.partial(torch.optim.SGD, lr=1e-2, momentum=0.9),
    }.items():
        model.load_state_dict(start)
        found = curve(model, build(model.parameters()), seed, epochs, limit=limit, batch=64)
        told[name] = {"val_accuracy": found}
    return told


def plot_batches(losses, per_epoch):
    fig = plt.figure(figsize=(6, 4))
    ax = fig.gca()
    ax.plot(numpy.linspace(1, len(losses), len(losses)), losses, color="0.6")
    for end in range(per_epoch, len(losses) + 1, per_epoch):
        ax.plot([end], [numpy.mean(losses[end - per_epoch : end])], marker="o", color="C1")
    return fig


def shootout(widths, seeds, epochs=5, limit=None):
    answer = dict.fromkeys(widths)
    for shape in answer:
        sizes = (784, *shape, 10)
        answer[shape] = {
            "parameters": sum((i + 1) * o for i, o in itertools.pairwise(sizes)),
            "accuracies": [max(curve(*made(s, *shape), s, epochs, limit=limit)) for s in seeds],
        }
    return answer
