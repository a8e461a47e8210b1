"""Fine-tuning: the head is replaced after the optimizer was built, so the new head never learns."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Backbone(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU())
        self.fc = nn.Linear(16, n_out)

    def forward(self, x):
        return self.fc(self.features(x))


def blobs(k, n):
    c = torch.randn(k, 12)
    y = torch.randint(k, (n,))
    return TensorDataset(c[y] + 0.6 * torch.randn(n, 12), y)


def train(model, loader, optimizer, epochs):
    for epoch in range(epochs):
        model.train()
        for a, b in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(a), b)
            loss.backward()
            optimizer.step()
        print(f"  epoch {epoch} loss {loss.item():.3f}")


model = Backbone(8)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
print("pre-training")
train(model, DataLoader(blobs(8, 800), 40, shuffle=True), optimizer, 3)
print("fine-tuning")
model.fc = nn.Linear(16, 3)
train(model, DataLoader(blobs(3, 300), 30, shuffle=True), optimizer, 4)
