import copy

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader, random_split
from torchvision import datasets, transforms

# Task 1
class Dropout(nn.Module):
    def __init__(self, p=0.5):
        super().__init__()
        if p < 0 or p >= 1:
            raise ValueError("p must be at least 0 and below 1")
        self.p = p

    def forward(self, x):
        if not self.training:
            return x
        mask = (torch.rand(x.shape) > self.p).float()
        return x * mask / (1 - self.p)

# Task 2
def l2_penalty(model, lam):
    total = 0.0
    for name, parameter in model.named_parameters():
        if "bias" not in name:
            total = total + (parameter ** 2).sum()
    return lam * total

# Task 3
class EarlyStopping:
    def __init__(self, patience, min_delta=0.0):
        self.patience = patience
        self.min_delta = min_delta
        self.best = float("inf")
        self.best_step = None
        self.counter = 0
        self.number = 0

    def step(self, val_loss):
        if val_loss < self.best - self.min_delta:
            self.best = val_loss
            self.best_step = self.number
            self.counter = 0
        else:
            self.counter += 1
        self.number += 1
        return self.counter >= self.patience

# Task 4
def fit_with_validation(model, train_loader, val_loader, loss_fn, optimizer, epochs, patience):
    stopper = EarlyStopping(patience)
    train_losses = []
    val_losses = []
    best = None
    best_epoch = 1
    stopped_early = False
    for epoch in range(epochs):
        model.train()
        total = 0.0
        count = 0
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(images), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * images.size(0)
            count += images.size(0)
        train_losses.append(total / count)

        model.eval()
        total = 0.0
        count = 0
        with torch.no_grad():
            for images, labels in val_loader:
                loss = loss_fn(model(images), labels)
                total += loss.item() * images.size(0)
                count += images.size(0)
        val_loss = total / count
        val_losses.append(val_loss)

        stop = stopper.step(val_loss)
        if stopper.best_step == epoch:
            best = copy.deepcopy(model.state_dict())
            best_epoch = epoch + 1
        if stop:
            stopped_early = True
            break
    if best is not None:
        model.load_state_dict(best)
    return {
        "train_loss": train_losses,
        "val_loss": val_losses,
        "best_epoch": best_epoch,
        "stopped_early": stopped_early,
    }

# Task 5
def make_mlp(p):
    if p == 0:
        return nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 128),
        nn.ReLU(),
        Dropout(p),
        nn.Linear(128, 64),
        nn.ReLU(),
        Dropout(p),
        nn.Linear(64, 10),
    )


def with_and_without(root, p=0.2, epochs=10, seed=0):
    data = datasets.MNIST(root, train=True, download=True, transform=transforms.ToTensor())
    n_val = len(data) // 6
    n_train = len(data) - n_val
    result = {}
    for name, rate in [("plain", 0.0), ("dropout", p)]:
        torch.manual_seed(seed)
        train_set, val_set = random_split(data, [n_train, n_val])
        train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
        val_loader = DataLoader(val_set, batch_size=64)
        model = make_mlp(rate)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        loss_fn = nn.CrossEntropyLoss()
        result[name] = fit_with_validation(
            model, train_loader, val_loader, loss_fn, optimizer, epochs, epochs
        )
    return result

# Task 6
def plot_curves(histories):
    fig, axes = plt.subplots(1, len(histories), sharey=True, squeeze=False)
    for i, name in enumerate(histories):
        history = histories[name]
        ax = axes[0, i]
        epochs = list(range(1, len(history["train_loss"]) + 1))
        ax.plot(epochs, history["train_loss"], label="training loss")
        ax.plot(epochs, history["val_loss"], label="validation loss")
        ax.axvline(history["best_epoch"], color="grey")
        ax.set_title(name)
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.legend()
    return fig
