"""torch.compile around the model, with a backend that needs no C++ compiler."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(256, 12)
y = (x[:, 0] > x[:, 1]).long()
train_dl = DataLoader(TensorDataset(x[:192], y[:192]), batch_size=32, shuffle=True)
valid_dl = DataLoader(TensorDataset(x[192:], y[192:]), batch_size=32)


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.lin = nn.Linear(d, d)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        return x + self.drop(torch.relu(self.lin(x)))


raw = nn.Sequential(nn.Linear(12, 32), Block(32), nn.Linear(32, 2))
model = torch.compile(raw, backend="eager")
opt = torch.optim.AdamW(model.parameters(), lr=5e-3)
for epoch in range(4):
    model.train()
    seen, total = 0, 0.0
    for xb, yb in train_dl:
        opt.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
        seen += len(xb)
    model.eval()
    with torch.no_grad():
        good = sum((model(xb).argmax(1) == yb).sum().item() for xb, yb in valid_dl)
    print(f"{epoch}: train {total / seen:.3f} valid {good / 64:.3f}")
torch.save(raw.state_dict(), "compiled.pt")
