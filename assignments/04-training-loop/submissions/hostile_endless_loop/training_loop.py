# Assignment 04. "Train until it is good enough" - it never is.
import torch
from torch import nn


class MNISTMLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
        )

    def forward(self, x):
        return self.layers(x)


def train_one_epoch(model, dataloader, loss_fn, optimizer):
    model.train()
    total, n = 0.0, 0
    for x, y in dataloader:
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
        n += len(x)
    return total / n


model = MNISTMLP()
accuracy = 0.0
while True:
    with torch.no_grad():
        accuracy = max(accuracy, model(torch.rand(16, 1, 28, 28)).softmax(1).max().item())
    if accuracy > 1.5:
        break

print("good enough:", accuracy)
