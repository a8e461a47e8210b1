"""Exercise sheet: report the epoch loss. The mean of each batch is divided by the number of rows."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

x = torch.randn(960, 8)
y = x[:, :2].pow(2).sum(1, keepdim=True) + 0.1 * torch.randn(960, 1)
train_loader = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=40, shuffle=True)
val_loader = DataLoader(TensorDataset(x[800:], y[800:]), batch_size=40)
net = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 1))
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)


def run_epoch(loader, training):
    net.train(training)
    total = 0.0
    with torch.set_grad_enabled(training):
        for a, b in loader:
            loss = criterion(net(a), b)
            if training:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item()
    return total / len(loader.dataset)


history = {"train": [], "val": []}
for epoch in range(8):
    history["train"].append(run_epoch(train_loader, True))
    history["val"].append(run_epoch(val_loader, False))
    print(f"Epoch {epoch}: train loss {history['train'][-1]:.5f}  val loss {history['val'][-1]:.5f}")
