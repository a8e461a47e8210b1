#!/usr/bin/env python3
"""
Homework 4 - training loop on MNIST.
Runs on the GPU if there is one. Gradients are clipped to norm 1, to be on the safe side.
"""
import time

import matplotlib

matplotlib.use("Agg")  # I work over ssh
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
MAX_NORM = 1.0


class MNISTMLP(nn.Module):

    def __init__(self):
        super().__init__()
        self.input_layer = nn.Linear(28 * 28, 128)
        self.hidden_layer = nn.Linear(128, 64)
        self.output_layer = nn.Linear(64, 10)

    def forward(self, images):
        batch_size = images.shape[0]
        x = images.reshape(batch_size, -1)
        x = torch.relu(self.input_layer(x))
        x = torch.relu(self.hidden_layer(x))
        return self.output_layer(x)


def device_of(model):
    """The model may live anywhere: go where its weights are."""
    for p in model.parameters():
        return p.device
    return DEVICE


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    device = device_of(model)
    model.train()
    epoch_loss = 0.0

    for batch_idx, (data, target) in enumerate(dataloader):
        data, target = data.to(device, non_blocking=True), target.to(device, non_blocking=True)

        optimizer.zero_grad(set_to_none=True)
        output = model(data)
        loss = loss_fn(output, target)
        loss.backward()
        clip_grad_norm_(model.parameters(), MAX_NORM)
        optimizer.step()

        epoch_loss += loss.item() * data.size(0)
        if batch_idx % 100 == 0:
            print(f"    batch {batch_idx:4d}   loss {loss.item():.4f}")

    return epoch_loss / len(dataloader.dataset)


def evaluate(model, dataloader):
    device = device_of(model)
    model.eval()
    correct = 0
    with torch.no_grad():
        for data, target in dataloader:
            data, target = data.to(device), target.to(device)
            pred = model(data).argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    return correct / len(dataloader.dataset)


def confusion_matrix(model, dataloader, n_classes):
    device = device_of(model)
    model.eval()
    matrix = torch.zeros(n_classes, n_classes, dtype=torch.int64)
    with torch.no_grad():
        for data, target in dataloader:
            pred = model(data.to(device)).argmax(dim=1).cpu()
            for i in range(len(target)):
                true_class = target[i].item()
                predicted_class = pred[i].item()
                matrix[true_class][predicted_class] += 1
    return matrix


def per_class_accuracy(matrix):
    n_classes = matrix.size(0)
    accuracies = []
    for c in range(n_classes):
        total = matrix[c, :].sum().item()
        if total == 0:
            accuracies.append(float("nan"))
        else:
            accuracies.append(matrix[c, c].item() / total)
    return torch.tensor(accuracies)


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_accuracy": []}
    for epoch in range(1, epochs + 1):
        start = time.time()
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        val_acc = evaluate(model, val_loader)
        history["train_loss"].append(train_loss)
        history["val_accuracy"].append(val_acc)
        print(f"epoch {epoch}: {train_loss:.4f} / {val_acc:.4f}  ({time.time() - start:.1f} s)")
    return history


def plot_history(history):
    n = len(history["train_loss"])
    fig, axs = plt.subplots(1, 2, figsize=(9, 3))
    axs[0].plot(range(1, n + 1), history["train_loss"], color="red")
    axs[0].set_ylabel("training loss")
    axs[1].plot(range(1, n + 1), history["val_accuracy"], color="green")
    axs[1].set_ylabel("validation accuracy")
    axs[1].set_ylim(0, 1)
    for ax in axs:
        ax.set_xlabel("epoch")
    fig.tight_layout()
    return fig


def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(seed)

    transform = transforms.Compose([transforms.ToTensor()])
    train_set = datasets.MNIST(root=root, train=True, download=True, transform=transform)
    val_set = datasets.MNIST(root=root, train=False, download=True, transform=transform)
    pin = DEVICE.type == "cuda"
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True, pin_memory=pin)
    val_loader = DataLoader(val_set, batch_size=64, shuffle=False, pin_memory=pin)

    model = MNISTMLP().to(DEVICE)
    loss_fn = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = fit(model, train_loader, val_loader, loss_fn, optimizer, epochs)
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    plot_history(history).savefig("history.png")
    print(f"final validation accuracy: {history['val_accuracy'][-1]:.4f}")
