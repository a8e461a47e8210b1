"""Training in two sittings; the checkpoint has the optimizer's state, the second sitting ignores it."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(9)
x = torch.randn(600, 12)
y = torch.sin(x[:, :1] * 2) + x[:, 1:2]
loader = DataLoader(TensorDataset(x, y), 30, shuffle=True)


def build():
    net = nn.Sequential(nn.Linear(12, 32), nn.Tanh(), nn.Linear(32, 1))
    return net, torch.optim.Adam(net.parameters(), lr=3e-3)


def fit(net, opt, first, last):
    for epoch in range(first, last):
        net.train()
        total = 0.0
        for a, b in loader:
            opt.zero_grad()
            loss = nn.functional.mse_loss(net(a), b)
            loss.backward()
            opt.step()
            total += loss.item() * len(a)
        print(f"epoch {epoch} loss {total / 600:.4f}")
        torch.save({"model": net.state_dict(), "optimizer": opt.state_dict(), "epoch": epoch + 1}, "ckpt.pth")


def load_checkpoint(path, net, opt):
    ckpt = torch.load(path)
    net.load_state_dict(ckpt["model"])
    return ckpt["epoch"]


net, opt = build()
fit(net, opt, 0, 4)
# ... the next day
net, opt = build()
start = load_checkpoint("ckpt.pth", net, opt)
fit(net, opt, start, 8)
