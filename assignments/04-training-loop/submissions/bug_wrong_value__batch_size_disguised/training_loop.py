from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

LossFn = Callable[[Tensor, Tensor], Tensor]
History = dict[str, list[float]]


class MNISTMLP(nn.Module):
    def __init__(self, sizes: tuple[int, ...] = (784, 128, 64, 10)) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for n_in, n_out in zip(sizes, sizes[1:]):
            layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        self.stack = nn.Sequential(*layers[:-1])  # no ReLU after the last

    def forward(self, x: Tensor) -> Tensor:
        return self.stack(x)


def train_one_epoch(
    model: nn.Module, dataloader: DataLoader, loss_fn: LossFn, optimizer: Optimizer
) -> float:
    model.train()
    mean = 0.0
    seen = 0
    for x, y in dataloader:
        optimizer.zero_grad()
        (loss := loss_fn(model(x), y)).backward()
        optimizer.step()
        seen += len(y)
        mean += (loss.item() - mean) * len(y) / seen  # running mean over samples
    return mean


@torch.no_grad()
def evaluate(model: nn.Module, dataloader: DataLoader) -> float:
    model.eval()
    hits = torch.cat([model(x).argmax(1).eq(y) for x, y in dataloader])
    return hits.double().mean().item()


@torch.no_grad()
def confusion_matrix(model: nn.Module, dataloader: DataLoader, n_classes: int) -> Tensor:
    model.eval()
    m = torch.zeros(n_classes, n_classes, dtype=torch.int64)
    for x, y in dataloader:
        for cell in zip(y.tolist(), model(x).argmax(1).tolist()):
            m[cell] += 1
    return m


def per_class_accuracy(matrix: Tensor) -> Tensor:
    return matrix.diag() / matrix.sum(1)


def fit(
    model: nn.Module,
    train_loader: DataLoader,
    val_loader: DataLoader,
    loss_fn: LossFn,
    optimizer: Optimizer,
    epochs: int,
) -> History:
    pairs = [
        (train_one_epoch(model, train_loader, loss_fn, optimizer), evaluate(model, val_loader))
        for _ in range(epochs)
    ]
    return {"train_loss": [p[0] for p in pairs], "val_accuracy": [p[1] for p in pairs]}


def plot_history(history: History) -> Figure:
    fig, ax = plt.subplots()
    for name, values in history.items():
        ax.plot(range(1, len(values) + 1), values, label=name)
    ax.set(xlabel="epoch", title="MNIST MLP")
    ax.legend()
    return fig


def train_mnist(
    root: str | Path = "data", epochs: int = 5, seed: int = 0
) -> tuple[MNISTMLP, History]:
    torch.manual_seed(seed)
    train_dl, val_dl = (
        DataLoader(MNIST(root, train=t, download=True, transform=ToTensor()), 16 if t else 500, shuffle=t)
        for t in (True, False)
    )
    model = MNISTMLP()
    optimizer = Adam(model.parameters(), lr=1e-3)
    return model, fit(model, train_dl, val_dl, nn.CrossEntropyLoss(), optimizer, epochs)


if __name__ == "__main__":
    model, history = train_mnist()
    for i, (loss, acc) in enumerate(zip(*history.values()), start=1):
        print(f"{i}: {loss:.3f} {acc:.3f}")
