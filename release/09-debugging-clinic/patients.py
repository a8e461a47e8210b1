"""The eight patients. For each of them there is exactly one diagnosis; names and comments do not tell.

Leave this file as it is: it is here to be run and looked at. The cured copies go into clinic.py.
"""

import torch
from torch import nn


# Patient 1
def epoch_1(model, loader, loss_fn, optimizer):
    model.train()
    total, seen = 0.0, 0
    for images, labels in loader:
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        seen += len(labels)
    return total / seen


# Patient 2
def loss_2(logits, labels):
    return ((logits - labels[:, None].float()) ** 2).mean()


# Patient 3
def epoch_3(model, loader, loss_fn, optimizer, device):
    model.train()
    total, seen = 0.0, 0
    for images, labels in loader:
        images = images.to(device)
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        seen += len(labels)
    return total / seen


# Patient 4
def fit_4(model, train_loader, val_loader, loss_fn, optimizer, epochs):
    accuracies = []
    for _ in range(epochs):
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = loss_fn(model(images), labels)
            loss.backward()
            optimizer.step()
        model.eval()
        right, seen = 0, 0
        with torch.no_grad():
            for images, labels in val_loader:
                right += (model(images).argmax(dim=1) == labels).sum().item()
                seen += len(labels)
        accuracies.append(right / seen)
    return accuracies


# Patient 5
def optimizer_5(model):
    return torch.optim.SGD(model.parameters(), lr=10.0)


# Patient 6
def optimizer_6(model):
    return torch.optim.SGD(model.parameters(), lr=1e-6)


# Patient 7
def evaluate_7(model, loader):
    model.eval()
    outputs, answers = [], []
    for images, labels in loader:
        outputs.append(model(images))
        answers.append(labels)
    predicted = torch.cat(outputs).argmax(dim=1)
    return (predicted == torch.cat(answers)).float().mean().item()


# Patient 8
class Net_8(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 128)
        self.out = nn.Linear(64, 10)

    def forward(self, images):
        return self.out(torch.relu(self.hidden(images)))
