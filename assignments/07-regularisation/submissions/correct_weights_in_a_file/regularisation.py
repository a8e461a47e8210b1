"""The best weights in a file, the counting in a dataclass, the figure without pyplot."""

from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass, field
from math import inf, isnan
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch.utils.data import DataLoader, Subset, random_split
from torchvision import datasets
from torchvision.transforms import v2


class Dropout(torch.nn.Module):
    def __init__(self, p: float = 0.5) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p is {p}")
        super().__init__()
        self.register_buffer("kept", torch.tensor(1.0 - p), persistent=False)

    def extra_repr(self) -> str:
        return f"kept={self.kept:.2f}"

    def forward(self, x):
        if self.training:
            stays = torch.empty_like(x).bernoulli_(float(self.kept)).bool()
            return torch.where(stays, x / float(self.kept), 0.0)
        return x


def l2_penalty(model, lam):
    flat = torch.nn.utils.parameters_to_vector(model.parameters())
    return flat.dot(flat).mul(lam)


@dataclass
class EarlyStopping:
    patience: int
    min_delta: float = 0.0
    best: float = field(default=inf, init=False)
    best_step: int | None = field(default=None, init=False)
    seen: int = field(default=0, init=False)

    def __post_init__(self):
        self.lately = deque(maxlen=self.patience)

    def step(self, val_loss: float) -> bool:
        better = not isnan(val_loss) and val_loss < self.best - self.min_delta
        if better:
            self.best, self.best_step = val_loss, self.seen
        self.lately.append(better)
        self.seen += 1
        return len(self.lately) == self.patience and not any(self.lately)


def _one_pass(model, batches, loss_fn, optimizer=None):
    """The mean loss over the samples of one pass, with steps where there is an optimizer."""
    learns = optimizer is not None
    model.train(learns)
    losses, sizes = [], []
    with nullcontext() if learns else torch.inference_mode():
        for x, y in batches:
            value = loss_fn(model(x), y)
            if learns:
                model.zero_grad()
                value.backward()
                optimizer.step()
            losses.append(value.detach().double())
            sizes.append(len(y))
    weights = torch.tensor(sizes, dtype=torch.float64)
    return float((torch.stack(losses) * weights).sum() / weights.sum())


def fit_with_validation(model, train_loader, val_loader, loss_fn, optimizer, epochs, patience):
    told = {"train_loss": [], "val_loss": [], "best_epoch": 1, "stopped_early": False}
    watch = EarlyStopping(patience)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "best.pt"
        while len(told["val_loss"]) < epochs and not told["stopped_early"]:
            told["train_loss"] += [_one_pass(model, train_loader, loss_fn, optimizer)]
            told["val_loss"] += [_one_pass(model, val_loader, loss_fn)]
            enough = watch.step(told["val_loss"][-1])
            if watch.best_step == watch.seen - 1:
                torch.save(model.state_dict(), file)
                told["best_epoch"] = watch.seen
            told["stopped_early"] = enough and watch.seen < epochs
        if file.exists():
            model.load_state_dict(torch.load(file, weights_only=True))
    return told


class Net(torch.nn.Module):
    def __init__(self, p):
        super().__init__()
        widths = [784, 128, 64, 10]
        self.layers = torch.nn.ModuleDict(
            {f"to_{out}": torch.nn.Linear(into, out) for into, out in zip(widths, widths[1:])}
        )
        self.drop = Dropout(p)

    def forward(self, x):
        *hidden, last = self.layers.values()
        x = x.reshape(x.shape[0], -1)
        for layer in hidden:
            x = self.drop(F.relu(layer(x)))
        return last(x)


def make_mlp(p):
    return Net(p)


def with_and_without(root, p=0.2, epochs=10, seed=0):
    prepared = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    everything = datasets.MNIST(root, train=True, download=True, transform=prepared)
    sixth = round(len(everything) / 6)
    cut = torch.Generator().manual_seed(seed)
    held, rest = random_split(range(len(everything)), [sixth, len(everything) - sixth], cut)
    split = Subset(everything, list(rest)), Subset(everything, list(held))

    def run(rate):
        torch.manual_seed(seed)
        net = make_mlp(rate)
        train, val = DataLoader(split[0], 64, shuffle=True), DataLoader(split[1], 500)
        adam = torch.optim.Adam(net.parameters(), lr=1e-3)
        return fit_with_validation(net, train, val, F.cross_entropy, adam, epochs, epochs)

    return {"plain": run(0.0), "dropout": run(p)}


def plot_curves(histories):
    figure = Figure(figsize=(5 * len(histories), 4))
    first = None
    for k, (name, told) in enumerate(histories.items(), 1):
        first = axes = figure.add_subplot(1, len(histories), k, sharey=first)
        for key, word in (("train_loss", "Training"), ("val_loss", "Validation")):
            axes.plot(range(1, 1 + len(told[key])), told[key], marker=".", label=word)
        axes.axvline(told["best_epoch"], ls=":", label="kept")
        axes.set(title=name, xlabel="epoch", ylabel="loss")
        axes.legend()
    return figure
