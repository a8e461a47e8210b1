# homework four
import contextlib

import torch
import torch.nn as nn
import torchvision.datasets as dset
import torchvision.transforms as T
from matplotlib import pyplot as plt
from torch.utils.data import DataLoader


class MNISTMLP(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Flatten(),
            nn.Linear(784, 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )


@contextlib.contextmanager
def inference(model):
    """eval mode and no gradients inside, everything as it was outside"""
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield model
    finally:
        model.train(was_training)


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train()
    running_loss = 0.0
    n = 0
    for inputs, targets in dataloader:
        model.zero_grad()
        scores = model(inputs)
        loss = loss_fn(scores, targets)
        loss.backward()
        optimizer.step()
        running_loss += loss.detach() * targets.shape[0]
        n += targets.shape[0]
    return (running_loss / n).item()


def evaluate(model, dataloader):
    num_correct = 0
    n = 0
    with inference(model):
        for inputs, targets in dataloader:
            _, preds = torch.max(model(inputs), dim=1)
            num_correct += torch.count_nonzero(preds == targets).item()
            n += targets.shape[0]
    return num_correct / n


def confusion_matrix(model, dataloader, n_classes):
    rows = [[0] * n_classes for _ in range(n_classes)]
    with inference(model):
        for inputs, targets in dataloader:
            _, preds = torch.max(model(inputs), dim=1)
            for actual, guess in zip(targets.tolist(), preds.tolist()):
                rows[actual][guess] += 1
    return torch.tensor(rows)


def per_class_accuracy(matrix):
    accs = torch.empty(len(matrix))
    for i, row in enumerate(matrix):
        accs[i] = row[i] / row.sum()  # nan if the row is empty
    return accs


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_accuracy": []}
    epoch = 0
    while epoch < epochs:
        acc = evaluate(model, val_loader)
        loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        history["train_loss"].append(loss)
        history["val_accuracy"].append(acc)
        epoch += 1
        print("epoch %d: loss = %.4f, val acc = %.4f" % (epoch, loss, acc))
    return history


def plot_history(history):
    plt.figure(figsize=(8, 3))
    plt.subplot(1, 2, 1)
    plt.plot(history["train_loss"])
    plt.title("train_loss")
    plt.subplot(1, 2, 2)
    plt.plot(history["val_accuracy"])
    plt.title("val_accuracy")
    return plt.gcf()


def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    train = dset.MNIST(root, train=True, download=True, transform=T.ToTensor())
    val = dset.MNIST(root, train=False, download=True, transform=T.ToTensor())
    loader_train = DataLoader(train, batch_size=64, shuffle=True, num_workers=0)
    loader_val = DataLoader(val, batch_size=64, shuffle=False, num_workers=0)

    model = MNISTMLP()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    history = fit(model, loader_train, loader_val, nn.CrossEntropyLoss(), optimizer, epochs)
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    print(model)
    print("parameters:", sum(p.numel() for p in model.parameters()))
