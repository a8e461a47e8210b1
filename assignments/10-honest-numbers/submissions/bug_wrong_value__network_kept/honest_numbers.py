import random
import statistics
import time

import lightning as L
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset, random_split
from torchvision import datasets, transforms


# Task 1
def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def make_loaders(root, limit, seed, batch_size=128):
    dataset = datasets.FashionMNIST(
        root, train=True, download=True, transform=transforms.ToTensor()
    )
    if limit is not None:
        dataset = Subset(dataset, range(limit))
    n_val = len(dataset) // 6
    generator = torch.Generator().manual_seed(seed)
    train_set, val_set = random_split(dataset, [len(dataset) - n_val, n_val], generator=generator)
    train_loader = DataLoader(
        train_set, batch_size=batch_size, shuffle=True, generator=torch.Generator().manual_seed(seed)
    )
    val_loader = DataLoader(val_set, batch_size=256)
    return train_loader, val_loader


def train_one_epoch(model, loader, optimizer, device="cpu", half=False):
    model.train()
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        with torch.autocast(device_type=device, dtype=torch.bfloat16, enabled=half):
            loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()


@torch.no_grad()
def evaluate(model, loader, device="cpu"):
    model.eval()
    correct, total = 0, 0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        correct += (model(images).argmax(dim=1) == labels).sum().item()
        total += len(labels)
    return correct / total


def make_mlp(widths):
    layers = [nn.Flatten()]
    previous = 784
    for width in widths:
        layers.append(nn.Linear(previous, width))
        layers.append(nn.ReLU())
        previous = width
    layers.append(nn.Linear(previous, 10))
    return nn.Sequential(*layers)


def run(seed, hidden=256, epochs=3, root="data", limit=None):
    set_seed(seed)
    train_loader, val_loader = make_loaders(root, limit, seed)
    model = make_mlp([hidden])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    best = 0.0
    for epoch in range(epochs):
        train_one_epoch(model, train_loader, optimizer)
        accuracy = evaluate(model, val_loader)
        if accuracy > best:
            best = accuracy
    return best


# Task 2
def summary(accuracies):
    if len(accuracies) < 2:
        raise ValueError("at least two runs")
    return statistics.mean(accuracies), statistics.stdev(accuracies)


# Task 3
def is_real_gain(a, b):
    gain = np.mean(b) - np.mean(a)
    spread = max(np.std(a, ddof=1), np.std(b, ddof=1))
    return gain > spread


# Task 4
def false_alarm_rate(rule, n, trials, rng):
    alarms = 0
    for _ in range(trials):
        a = rng.normal(0.87, 0.002, n)
        b = rng.normal(0.87, 0.002, n)
        if rule(a, b):
            alarms += 1
    return alarms / trials


# Task 5
def table(results):
    text = "| name | n | mean | deviation |\n|---|---|---|---|\n"
    for name in results:
        values = np.array(results[name])
        mean, deviation = values.mean(), values.std(ddof=1)
        text += f"| {name} | {len(values)} | {mean:.4f} | {deviation:.4f} |\n"
    return text


RESULTS = {
    "256": [0.8687, 0.8701, 0.8655, 0.8692, 0.8718],
    "512": [0.8705, 0.8698, 0.8711, 0.8676, 0.8713],
}
DECISION = "not shown"


# Task 6
def timed_training(device, half, epochs, limit):
    set_seed(0)
    train_loader, val_loader = make_loaders("data", limit, 0)
    model = make_mlp([256]).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    peak = None
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    best = 0.0
    for epoch in range(epochs):
        train_one_epoch(model, train_loader, optimizer, device, half)
        best = max(best, evaluate(model, val_loader, device))
    if device == "cuda":
        torch.cuda.synchronize()
        peak = torch.cuda.max_memory_allocated() / 2**20
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "peak_mb": peak, "accuracy": best}


def amp_payoff(epochs=3, device=None, limit=None):
    if device is None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
    timed_training(device, False, 1, 240)
    full = timed_training(device, False, epochs, limit)
    half = timed_training(device, True, epochs, limit)
    return {"fp32": full, "amp": half}


# Task 7
class LitMLP(L.LightningModule):
    def __init__(self, hidden=256):
        super().__init__()
        self.model = make_mlp([hidden])
        self.best = 0.0
        self.correct, self.total = 0, 0

    def forward(self, x):
        return self.model(x)

    def training_step(self, batch, batch_idx):
        images, labels = batch
        return nn.functional.cross_entropy(self(images), labels)

    def validation_step(self, batch, batch_idx):
        images, labels = batch
        self.correct += (self(images).argmax(dim=1) == labels).sum().item()
        self.total += len(labels)

    def on_validation_epoch_end(self):
        accuracy = self.correct / self.total
        self.best = max(self.best, accuracy)
        self.correct, self.total = 0, 0

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-3)


def run_lightning(seed, hidden=256, epochs=3, root="data", limit=None):
    L.seed_everything(seed, verbose=False)
    train_loader, val_loader = make_loaders(root, limit, seed)
    model = LitMLP(hidden)
    trainer = L.Trainer(
        max_epochs=epochs,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(model, train_loader, val_loader)
    return model.best


# Task 8
class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc3(torch.relu(self.fc2(x)))


def epochs_to(history, accuracy):
    epoch = 1
    for value in history["val_accuracy"]:
        if value >= accuracy:
            return epoch
        epoch += 1
    return None


def race(seed, epochs=8, limit=None):
    histories = {}
    for name in ("sgd", "adam"):
        set_seed(seed)
        train_loader, val_loader = make_loaders("data", limit, seed, batch_size=64)
        model = MNISTMLP()
        if name == "sgd":
            optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        else:
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        accuracies = []
        for epoch in range(epochs):
            train_one_epoch(model, train_loader, optimizer)
            accuracies.append(evaluate(model, val_loader))
        histories[name] = {"val_accuracy": accuracies}
    return histories


# Task 9
def plot_batches(losses, per_epoch):
    fig, ax = plt.subplots()
    ax.plot(range(1, len(losses) + 1), losses, lw=0.5)
    xs, ys = [], []
    for start in range(0, len(losses), per_epoch):
        xs.append(start + per_epoch)
        ys.append(sum(losses[start : start + per_epoch]) / per_epoch)
    ax.plot(xs, ys, "o")
    return fig


# Task 10
def shootout(widths, seeds, epochs=5, limit=None):
    results = {}
    for sizes in widths:
        accuracies = []
        set_seed(seeds[0])
        model = make_mlp(sizes)
        for seed in seeds:
            set_seed(seed)
            train_loader, val_loader = make_loaders("data", limit, seed)
            optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
            best = 0.0
            for epoch in range(epochs):
                train_one_epoch(model, train_loader, optimizer)
                best = max(best, evaluate(model, val_loader))
            accuracies.append(best)
        count = sum(p.numel() for p in model.parameters())
        results[sizes] = {"parameters": count, "accuracies": accuracies}
    return results
