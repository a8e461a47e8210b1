# Assignment 04: the training loop
import matplotlib.pyplot as plt
import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader
from torchvision import datasets, transforms


# Task 1
class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)
        self.relu = nn.ReLU()

    def forward(self, x):
        x = self.flatten(x)
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        x = self.fc3(x)
        return x


# Task 2
def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train()
    total_loss = 0.0
    total_samples = 0

    for images, labels in dataloader:
        # clear the old gradients
        optimizer.zero_grad()

        # forward pass
        outputs = model(images)
        loss = loss_fn(outputs, labels)

        # backward pass and update
        loss.backward()
        optimizer.step()

        total_loss += loss.item() * images.size(0)
        total_samples += images.size(0)

    return total_loss / total_samples


# Task 3
def evaluate(model, dataloader):
    model.eval()
    correct = 0
    total = 0

    with torch.no_grad():
        for images, labels in dataloader:
            outputs = model(images)
            predicted = outputs.argmax(dim=1)
            correct += (predicted == labels).sum().item()
            total += labels.size(0)

    return correct / total


# Task 4
def confusion_matrix(model, dataloader, n_classes):
    model.eval()
    matrix = torch.zeros(n_classes, n_classes, dtype=torch.int64)

    with torch.no_grad():
        for images, labels in dataloader:
            predicted = model(images).argmax(dim=1)
            for t, p in zip(labels, predicted):
                matrix[t, p] += 1

    return matrix


# Task 5
def per_class_accuracy(matrix):
    correct = matrix.diag().float()
    total = matrix.sum(dim=1).float()
    return correct / total  # 0 / 0 gives nan, which is what we want


# Task 6
def fit(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    history = {"train_loss": [], "val_accuracy": []}

    for epoch in range(epochs):
        train_loss = train_one_epoch(model, train_loader, loss_fn, optimizer)
        val_accuracy = evaluate(model, val_loader)
        history["train_loss"].append(train_loss)
        history["val_accuracy"].append(val_accuracy)
        print(f"Epoch {epoch + 1}/{epochs}: loss {train_loss:.4f}, accuracy {val_accuracy:.4f}")

    return history


def plot_history(history):
    epochs = range(1, len(history["train_loss"]) + 1)
    fig, (ax1, ax2) = plt.subplots(1, 2, figsize=(10, 4))

    ax1.plot(epochs, history["train_loss"])
    ax1.set_title("Training loss")
    ax1.set_xlabel("epoch")

    ax2.plot(epochs, history["val_accuracy"])
    ax2.set_title("Validation accuracy")
    ax2.set_xlabel("epoch")

    return fig


# Task 7
def train_mnist(root="data", epochs=5, seed=0):
    torch.manual_seed(seed)

    transform = transforms.ToTensor()
    train_data = datasets.MNIST(root, train=True, download=True, transform=transform)
    test_data = datasets.MNIST(root, train=False, download=True, transform=transform)

    train_loader = DataLoader(train_data, batch_size=64)
    val_loader = DataLoader(test_data, batch_size=64, shuffle=False)

    model = MNISTMLP()
    loss_fn = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.001)

    history = fit(model, train_loader, val_loader, loss_fn, optimizer, epochs)
    return model, history


if __name__ == "__main__":
    model, history = train_mnist()
    print("Final accuracy:", history["val_accuracy"][-1])
    plot_history(history)
    plt.show()
