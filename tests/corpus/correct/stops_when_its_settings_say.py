"""Waits exactly as long as the settings say, and says for how long it has waited."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


torch.manual_seed(0)
x = torch.randn(260, 20)
y = (x[:, 0] + 1.5 * torch.randn(260) > 0).long()
train = DataLoader(TensorDataset(x[:60], y[:60]), batch_size=10, shuffle=True)
valid = DataLoader(TensorDataset(x[60:], y[60:]), batch_size=50)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))


def one_epoch(opt):
    model.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(model(a), b).backward()
        opt.step()


@torch.no_grad()
def held_out():
    model.eval()
    return sum(nn.functional.cross_entropy(model(a), b, reduction="sum").item() for a, b in valid) / 200


cfg = dict(epochs=50, early_stop=4)
opt = torch.optim.Adam(model.parameters(), lr=0.01)
best_loss, bad = float("inf"), 0
for epoch in range(1, cfg["epochs"] + 1):
    one_epoch(opt)
    loss = held_out()
    print(f"epoch {epoch} loss {loss:.4f}")
    if loss < best_loss:
        best_loss, bad = loss, 0
    else:
        bad += 1
    if bad >= cfg["early_stop"]:
        print(f"No improvement for {bad} epochs: stopping.")
        break
