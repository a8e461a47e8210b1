import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

proto = torch.randn(3, 10)
y = torch.randint(3, (1050,))
x = proto[y] + 1.2 * torch.randn(1050, 10)
train = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=50, shuffle=True)
valid = DataLoader(TensorDataset(x[800:], y[800:]), batch_size=80)
model = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 3))
loss_func = nn.CrossEntropyLoss()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)


def loss_batch(xb, yb, opt=None):
    pred = model(xb)
    loss = loss_func(pred, yb)
    if opt is not None:
        loss.backward()
        opt.step()
        opt.zero_grad()
    return loss.item(), (pred.argmax(1) == yb).float().mean().item()


for epoch in range(6):
    model.train()
    for xb, yb in train:
        loss_batch(xb, yb, opt)
    model.eval()
    with torch.no_grad():
        losses, accs = zip(*[loss_batch(xb, yb) for xb, yb in valid])
    print(f"epoch {epoch} valid loss {sum(losses) / len(losses):.4f} valid acc {sum(accs) / len(accs):.4f}")
