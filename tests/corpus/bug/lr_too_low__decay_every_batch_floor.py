"""A regression with plain SGD at 1e-7: nothing moves in ten epochs."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
x = torch.randn(512, 10)
y = x @ torch.randn(10, 1) + torch.sin(3 * x[:, :1])
loader = DataLoader(TensorDataset(x, y), 32, shuffle=True)


def configure_optimizers(model, base_lr=1e-4):
    return torch.optim.SGD(model.parameters(), lr=base_lr / 1000)


model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = configure_optimizers(model)
for epoch in range(10):
    model.train()
    total = 0.0
    for a, b in loader:
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(a), b)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(a)
    print(f"epoch {epoch}: {total / 512:.6f}")
