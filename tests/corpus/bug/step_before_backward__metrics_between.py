"""Exercise 3: classify blobs. Beats in a 'tidy' order: all optimizer calls together."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
centres = 2 * torch.randn(5, 8)
y = torch.randint(5, (1000,))
x = centres[y] + torch.randn(1000, 8)
train = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=32, shuffle=True)
test = DataLoader(TensorDataset(x[800:], y[800:]), batch_size=100)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 5))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)

for epoch in range(5):
    model.train()
    seen = hits = 0
    for xb, yb in train:
        pred = model(xb)
        loss = loss_fn(pred, yb)
        # optimizer
        optimizer.step()
        # metrics
        hits += (pred.argmax(1) == yb).sum().item()
        seen += len(yb)
        # gradients for this batch
        optimizer.zero_grad()
        loss.backward()
    model.eval()
    with torch.no_grad():
        acc = sum((model(a).argmax(1) == b).sum().item() for a, b in test) / 200
    print(f"epoch {epoch} train {hits / seen:.3f} test {acc:.3f}")
