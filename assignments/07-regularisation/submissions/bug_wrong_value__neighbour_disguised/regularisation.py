from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchvision.datasets import MNIST
from torchvision.transforms import Compose, Normalize, ToTensor

class Dropout(nn.Module):
    """Inverted dropout."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= p < 1.0:
            raise ValueError(f"dropout probability {p} is not in [0, 1)")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"

class Penalty:
    def __init__(self, lam: float) -> None:
        self.lam = lam

    def __call__(self, model: nn.Module) -> Tensor:
        squares = [torch.sum(torch.square(p)) for _, p in model.named_parameters()]
        return self.lam * torch.stack(squares).sum()


def l2_penalty(model: nn.Module, lam: float) -> Tensor:
    return Penalty(lam)(model)

@dataclass
class EarlyStopping:
    patience: int
    min_delta: float = 0.0
    seen: list[float] = field(default_factory=list)
    best: float = float("inf")
    best_step: int | None = None

    def improves(self, loss: float) -> bool:
        return loss < self.best - self.min_delta

    def step(self, val_loss: float) -> bool:
        self.seen.append(val_loss)
        if self.improves(val_loss):
            self.best, self.best_step = val_loss, len(self.seen) - 1
        falls = [k for k in range(len(self.seen)) if k == 0 or self.seen[k] < self.seen[k - 1] - self.min_delta]
        since = len(self.seen) - 1 - falls[-1]
        return since >= self.patience

class Average:
    """A mean over samples."""

    def __init__(self) -> None:
        self.total, self.samples = 0.0, 0

    def add(self, loss: Tensor, samples: int) -> None:
        self.total += float(loss.detach()) * samples
        self.samples += samples

    @property
    def value(self) -> float:
        return self.total / self.samples


class Keeper:
    """Keeps a model's weights in a file."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.path = os.path.join(tempfile.mkdtemp(), "best.pt")

    def keep(self) -> None:
        torch.save(self.model.state_dict(), self.path)

    def put_back(self) -> None:
        if os.path.exists(self.path):
            self.model.load_state_dict(torch.load(self.path))


class Trainer:
    def __init__(self, model: nn.Module, loss_fn, optimizer) -> None:
        self.model, self.loss_fn, self.optimizer = model, loss_fn, optimizer

    def train(self, loader) -> float:
        self.model.train()
        mean = Average()
        for images, labels in loader:
            loss = self.loss_fn(self.model(images), labels)
            self.model.zero_grad(set_to_none=False)
            loss.backward()
            self.optimizer.step()
            mean.add(loss, len(images))
        return mean.value

    @torch.inference_mode()
    def validate(self, loader) -> float:
        self.model.eval()
        mean = Average()
        for images, labels in loader:
            mean.add(self.loss_fn(self.model(images), labels), len(images))
        return mean.value

    def fit(self, train_loader, val_loader, epochs: int, patience: int) -> dict:
        stopper, keeper = EarlyStopping(patience), Keeper(self.model)
        history = {"train_loss": [], "val_loss": [], "best_epoch": 1, "stopped_early": False}
        for epoch in range(1, epochs + 1):
            history["train_loss"].append(self.train(train_loader))
            history["val_loss"].append(self.validate(val_loader))
            done = stopper.step(history["val_loss"][-1])
            if stopper.best_step is not None:
                if stopper.best_step + 1 == epoch:
                    keeper.keep()
                history["best_epoch"] = stopper.best_step + 1
            if done:
                history["stopped_early"] = epoch < epochs
                break
        keeper.put_back()
        return history


def fit_with_validation(model, train_loader, val_loader, loss_fn, optimizer, epochs, patience):
    return Trainer(model, loss_fn, optimizer).fit(train_loader, val_loader, epochs, patience)

class MLP(nn.Module):
    def __init__(self, p: float) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        x = x.view(len(x), -1)
        for layer in (self.first, self.second):
            x = F.dropout(torch.relu(layer(x)), self.p, training=self.training)
        return self.last(x)


def make_mlp(p: float) -> nn.Module:
    return MLP(p)


class Comparison:
    def __init__(self, root: str, seed: int) -> None:
        images = MNIST(root, train=True, download=True, transform=Compose([ToTensor(), Normalize(0.1307, 0.3081)]))
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed)).tolist()
        held_out = len(images) // 6
        self.val, self.train = Subset(images, order[:held_out]), Subset(images, order[held_out:])
        self.seed = seed

    def run(self, p: float, epochs: int) -> dict:
        torch.manual_seed(self.seed)
        model = make_mlp(p)
        return fit_with_validation(
            model=model,
            train_loader=DataLoader(self.train, batch_size=64, shuffle=True),
            val_loader=DataLoader(self.val, batch_size=256),
            loss_fn=nn.CrossEntropyLoss(),
            optimizer=torch.optim.Adam(model.parameters(), lr=0.001),
            epochs=epochs,
            patience=epochs,
        )


def with_and_without(root, p=0.2, epochs=10, seed=0):
    comparison = Comparison(root, seed)
    return {"dropout": comparison.run(p, epochs), "plain": comparison.run(0.0, epochs)}

def draw(ax, name, history):
    numbers = torch.arange(1, len(history["val_loss"]) + 1)
    ax.plot(numbers, history["train_loss"], "--", label="Train")
    ax.plot(numbers, history["val_loss"], "-", label="Validation")
    ax.axvline(x=history["best_epoch"], label="kept")
    ax.legend(loc="best")
    ax.set(title=f"run: {name}", xlabel="epochs", ylabel="loss")


def plot_curves(histories):
    figure = plt.figure(figsize=(10, 4))
    first = None
    for place, (name, history) in enumerate(histories.items(), start=1):
        ax = figure.add_subplot(1, len(histories), place, sharey=first)
        first = first or ax
        draw(ax, name, history)
    figure.tight_layout()
    return figure
