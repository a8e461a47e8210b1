# Assignment 04: MNIST
import torch
from torch import nn, optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
import matplotlib.pyplot as plt


class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear_1 = nn.Linear(784, 128)
        self.linear_2 = nn.Linear(128, 64)
        self.linear_3 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.flatten(x, start_dim=1)
        x = self.linear_1(x).relu()
        x = self.linear_2(x).relu()
        return self.linear_3(x)


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train()
    loss_total = 0.0

    for batch in dataloader:
        image, label = batch

        def closure():
            optimizer.zero_grad()
            loss = loss_fn(model(image), label)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        loss_total += loss.item() * label.size(0)

    return loss_total


def evaluate(model, dataloader):
    model.eval()
    n_right = 0
    n_total = 0
    with torch.no_grad():
        for batch in dataloader:
            image, label = batch
            pick = model(image).softmax(dim=1).argmax(dim=1)
            n_right += sum(pick == label).item()
            n_total += label.size(0)
    return n_right / n_total


def confusion_matrix(model, dataloader, n_classes):
    model.eval()
    result = torch.zeros((n_classes, n_classes), dtype=torch.int64)
    with torch.no_grad():
        for batch in dataloader:
            image, label = batch
            pick = model(image).argmax(dim=1)
            for true in range(n_classes):
                for pred in range(n_classes):
                    result[true, pred] += ((label == true) & (pick == pred)).sum()
    return result


def per_class_accuracy(matrix):
    n_per_class = matrix.sum(dim=1)
    return matrix.diag().float().div(n_per_class)


def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {}
    history["train_loss"] = []
    history["val_accuracy"] = []
    for ep in range(epochs):
        history["train_loss"].append(train_one_epoch(model, train_loader, loss_fn, optimizer))
        history["val_accuracy"].append(evaluate(model, val_loader))
        print("finished epoch", ep + 1, "of", epochs, "accuracy", history["val_accuracy"][-1])
    return history


def plot_history(history):
    fig, ax = plt.subplots(ncols=2)
    x = list(range(1, 1 + len(history["train_loss"])))
    ax[0].plot(x, history["train_loss"], "r.-")
    ax[0].set_title("loss")
    ax[1].plot(x, history["val_accuracy"], "b.-")
    ax[1].set_title("accuracy")
    return fig


def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)
    trafo = transforms.ToTensor()
    train_dataset = datasets.MNIST(root, train=True, transform=trafo, download=True)
    val_dataset = datasets.MNIST(root, train=False, transform=trafo, download=True)
    train_loader = DataLoader(train_dataset, shuffle=True, batch_size=64)
    val_loader = DataLoader(val_dataset, shuffle=False, batch_size=64)
    model = MNISTMLP()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    loss_fn = nn.CrossEntropyLoss()
    history = fit(model, train_loader, val_loader, loss_fn, optimizer, epochs)
    return model, history


if __name__ == '__main__':
    model, history = train_mnist()
    print('accuracy:', history['val_accuracy'][-1])
