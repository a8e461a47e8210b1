"""Gradient accumulation over 4 small batches; the short group at the end has its own divisor."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
X = torch.randn(460, 10)
Y = torch.stack([X.pow(2).sum(1), X.sum(1)], 1)
loader = DataLoader(TensorDataset(X, Y), batch_size=20, shuffle=True)   # 23 batches
model = nn.Sequential(nn.Linear(10, 64), nn.SiLU(), nn.Linear(64, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
ACCUM = 4

for epoch in range(4):
    optimizer.zero_grad()
    running = 0.0
    n_batches = len(loader)
    for i, (x, y) in enumerate(loader):
        group = ACCUM if i < n_batches - n_batches % ACCUM else n_batches % ACCUM
        loss = nn.functional.mse_loss(model(x), y)
        (loss / group).backward()
        running += loss.item() * len(x)
        if (i + 1) % ACCUM == 0 or i + 1 == n_batches:
            optimizer.step()
            optimizer.zero_grad()
    print(f"epoch {epoch}: {running / len(X):.4f}")
